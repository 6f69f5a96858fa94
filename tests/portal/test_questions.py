"""A pharmacy's page of questions from the program."""

import pytest

from models import Role, Ticket, TicketProblem, TicketQuestion, TicketStatus, User
from pmp import clock, tickets
from pmp.tickets import dispenser_questions
from pmp.tickets.shown import Shown
from tests.browser import Browser
from tests.factories import (
    make_dispensation,
    make_identity,
    make_pharmacy,
    make_product,
    make_ticket,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def pharmacist(browser: Browser) -> User:
    user = make_user(Role.PHARMACY, pharmacy=make_pharmacy(name="ELM"))
    browser.sign_in_as(user)
    return user


def asked(pharmacist: User, text: str = "Was it thirty?") -> Ticket:
    """Have staff ask about an entry of the pharmacist's."""
    make_product(ndc="00406051201")
    identity = make_identity(last_name="CANARYQUIST")
    entry = make_dispensation(identity=identity, pharmacy=pharmacist.pharmacy)
    doctor = make_user(Role.PRACTITIONER, prescriber=entry.prescriber)
    ticket = make_ticket(entry, by=doctor, at=clock.now())
    tickets.ask_dispenser(
        ticket, text=text, by=make_user(), at=clock.now(), revision=ticket.revision
    )
    return ticket


def test_what_waits_is_counted_in_the_menu_and_listed_without_a_name(
    browser: Browser, pharmacist: User
) -> None:
    browser.get("/questions")
    assert "No question waits for you." in browser.text()
    asked(pharmacist)

    browser.get("/questions")

    assert "Questions from the program (1)" in browser.text()
    assert "Was it thirty?" in browser.text()
    assert "CANARYQUIST" not in browser.text()


def test_an_explanation_is_sent_and_leaves_the_list(
    browser: Browser, pharmacist: User
) -> None:
    ticket = asked(pharmacist)
    question = TicketQuestion.get()
    browser.get(f"/questions/{question.id}")
    assert "CANARYQUIST" in browser.text()
    browser.submit({"text": ""}, status=422)
    assert "Write the answer" in browser.text()

    browser.submit({"text": "The label says sixty."})
    browser.follow()

    assert "No question waits for you." in browser.text()
    assert "Explained" in browser.text()
    assert tickets.get(ticket.number).status == TicketStatus.ANSWERED


def test_a_correction_through_its_own_pages_answers_it(
    browser: Browser, pharmacist: User
) -> None:
    ticket = asked(pharmacist)
    entry = ticket.dispensation
    assert entry is not None
    browser.get(f"/questions/{TicketQuestion.get().id}")
    assert "remove it" in browser.text()
    browser.get(f"/dispensing/{entry.row_code}/correct")
    browser.submit({"DSP09": "30", "reason": "As the label says."}, status=200)
    browser.submit()
    browser.follow()

    assert TicketQuestion.get().answer == "corrected"
    browser.get(f"/questions/{TicketQuestion.get().id}")
    assert "Corrected the entry." in browser.text()


def test_another_pharmacy_is_not_shown_it(browser: Browser, pharmacist: User) -> None:
    asked(pharmacist)
    browser.sign_in_as(make_user(Role.PHARMACY, pharmacy=make_pharmacy()))

    browser.get(f"/questions/{TicketQuestion.get().id}", status=404)
    browser.get("/questions")
    assert "No question waits for you." in browser.text()


@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.STAFF, Role.AUDITOR])
def test_who_has_no_pharmacy_has_no_questions(browser: Browser, role: Role) -> None:
    browser.sign_in_as(make_user(role))

    browser.get("/questions", status=404)


def test_what_is_missing_is_asked_with_the_name(
    browser: Browser, pharmacist: User
) -> None:
    patient = make_identity(last_name="CANARYQUIST").patient
    staff = make_user()
    ticket = tickets.open_ticket(
        Shown(None, patient=patient),
        problem=TicketProblem.MISSING,
        note="The fill of 11/02.",
        by=staff,
        at=clock.now(),
    )
    tickets.ask_dispenser(
        ticket,
        text="Did you fill one on 11/02?",
        by=staff,
        at=clock.now(),
        revision=1,
        pharmacy=pharmacist.pharmacy,
    )
    browser.get(f"/questions/{TicketQuestion.get().id}")

    assert "CANARYQUIST, ANNA" in browser.text()
    assert dispenser_questions.count(pharmacist) == 1
