import pytest

from models import AuditEvent, Dispensation, Role, Ticket, User
from pmp import audit
from tests.browser import Browser
from tests.factories import (
    make_dispensation,
    make_identity,
    make_pharmacy,
    make_prescriber,
    make_ticket,
    make_user,
)


@pytest.fixture
def pharmacist(browser: Browser) -> User:
    user = make_user(Role.PHARMACY, pharmacy=make_pharmacy(name="MAIN PHARMACY"))
    browser.sign_in_as(user)
    return user


@pytest.fixture
def entry(pharmacist: User) -> Dispensation:
    identity = make_identity(last_name="CANARYQUIST")
    return make_dispensation(identity=identity, pharmacy=pharmacist.pharmacy)


def test_the_entry_that_is_reported_is_on_the_audit_record_before_it_is_shown(
    browser: Browser,
) -> None:
    entry = make_dispensation()
    doctor = make_user(Role.PRACTITIONER, prescriber=entry.prescriber)
    browser.sign_in_as(doctor)

    browser.get(f"/entries/{entry.row_code}/report-a-problem")

    viewed = AuditEvent.get(AuditEvent.event == audit.Event.DISPENSING_VIEWED)
    assert (viewed.actor, viewed.subject) == (
        doctor.username,
        f"dispensation:{entry.id}",
    )


def test_a_row_is_reported_in_one_form_and_gets_a_number(
    browser: Browser, entry: Dispensation
) -> None:
    browser.get(f"/entries/{entry.row_code}/report-a-problem")
    assert "CANARYQUIST" not in browser.text()
    browser.submit({"problem": "wrong_quantity", "note": "It was thirty."})
    browser.follow()

    ticket = Ticket.get()
    assert ticket.dispensation == entry
    assert f"Its number is {ticket.number}" in browser.text()
    assert "It was thirty." in browser.text()
    browser.get("/tickets")
    assert ticket.number in browser.text()


def test_what_is_wrong_must_be_said(browser: Browser, entry: Dispensation) -> None:
    browser.get(f"/entries/{entry.row_code}/report-a-problem")

    browser.submit({"problem": None}, status=422)
    assert "Say what is wrong with this entry" in browser.text()
    browser.submit({"problem": "other"}, status=422)
    assert "Describe what is wrong" in browser.text()
    assert Ticket.select().count() == 0


def test_the_same_row_is_not_reported_twice(
    browser: Browser, pharmacist: User, entry: Dispensation
) -> None:
    make_ticket(entry, by=pharmacist)
    browser.get(f"/entries/{entry.row_code}/report-a-problem")

    browser.submit({"problem": "wrong_date"}, status=422)

    assert "reported this entry already" in browser.text()


def test_a_row_never_shown_is_not_found_like_one_that_does_not_exist(
    browser: Browser, pharmacist: User
) -> None:
    foreign = make_dispensation()

    for row_code in (foreign.row_code, "D-0000000", "nonsense"):
        browser.get(f"/entries/{row_code}/report-a-problem", status=404)


def test_the_reporter_follows_the_thread(browser: Browser, entry: Dispensation) -> None:
    owner = User.get(User.pharmacy == entry.pharmacy)
    ticket = make_ticket(entry, by=owner)
    browser.get(f"/tickets/{ticket.number}")
    browser.submit({"text": "I have the label."})
    browser.follow()

    assert "I have the label." in browser.text()


def test_another_persons_ticket_is_not_found(
    browser: Browser, pharmacist: User
) -> None:
    ticket = make_ticket()

    browser.get(f"/tickets/{ticket.number}", status=404)
    browser.get("/tickets")
    assert ticket.number not in browser.text()


def test_staff_cannot_open_the_participants_pages(browser: Browser) -> None:
    browser.sign_in_as(make_user())
    entry = make_dispensation(prescriber=make_prescriber())

    browser.get(f"/entries/{entry.row_code}/report-a-problem", status=404)
    browser.get("/tickets", status=404)
