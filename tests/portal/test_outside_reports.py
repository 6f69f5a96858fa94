"""What staff write down for others: calls, written requests, a pharmacy's answer."""

from datetime import timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    OutsideKind,
    OutsideReporter,
    Role,
    Ticket,
    TicketOutcome,
    TicketQuestion,
    User,
)
from pmp import clock, tickets
from tests.browser import Browser
from tests.factories import make_dispensation, make_identity, make_ticket, make_user
from tests.portal.lists import lines, shown, sorted_by

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def staff(browser: Browser) -> User:
    user = make_user(username="staff.lee")
    browser.sign_in_as(user)
    return user


def test_a_caller_is_written_down_and_called_back(
    browser: Browser, staff: User
) -> None:
    entry = make_dispensation()
    typed = {"row_code": entry.row_code, "problem": "wrong_date", "name": "Ada Field"}
    browser.get("/staff/tickets/new")
    browser.submit(typed, status=422)
    assert "Write down the number to call back." in browser.text()
    browser.submit({"phone": "860 555 0123", "relation": "office nurse"})
    browser.follow()
    assert "by Ada Field (office nurse), (860) 555-0123" in browser.text()
    assert "Call them back with the outcome." in browser.text()
    ticket = Ticket.get()
    browser.get("/staff/tickets/calls")
    assert "Nobody waits for a call." in browser.text()

    browser.get(f"/staff/tickets/{ticket.number}/uphold")
    browser.submit({"note": "The log says so."}, status=200)
    browser.submit()
    browser.get("/staff/tickets")
    assert "Calls to return (1)" in browser.text()
    browser.get("/staff/tickets/calls")

    assert "Ada Field" in browser.text()
    assert "The entry is right as it stands. The log says so." in browser.text()
    browser.submit(action=f"/staff/tickets/calls/{OutsideReporter.get().id}")
    browser.follow()
    assert "Ada Field was called back" in browser.text()
    assert "Nobody waits for a call." in browser.text()


def waits(name: str, *, days: int, **fields: Any) -> Ticket:
    """Have somebody wait for a call about a ticket that ended."""
    ticket = make_ticket()
    Ticket.update(
        resolved_at=clock.now() - timedelta(days=days), outcome=TicketOutcome.UPHELD
    ).where(Ticket.id == ticket.id).execute()
    given = {"kind": OutsideKind.CALLER, "phone": "+18605550123"} | fields
    OutsideReporter.create(ticket=ticket, name=name, received_on=clock.today(), **given)
    return ticket


@pytest.mark.each_engine
def test_calls_to_return_are_found_sorted_and_a_file_that_names_nobody(
    browser: Browser, staff: User
) -> None:
    old = waits("Zoe Field", days=9, phone="+18605550199").number
    new = waits("ada field", days=1).number
    patient = waits("Maria Delgado", days=5, kind=OutsideKind.PATIENT).number
    path, link = "/staff/tickets/calls", "/staff/tickets/"

    assert shown(browser, path, link) == [old, patient, new]
    assert "3 calls, the oldest outcome first" in browser.text()
    assert shown(browser, f"{path}?sort=name", link) == [new, patient, old]
    assert sorted_by(browser) == {"Call": "ascending"}
    assert shown(browser, f"{path}?kind=patient", link) == [patient]
    for typed, found in (
        ("field", [new, old]),
        ("(860) 555-0199", [old]),
        (new, [new]),
    ):
        browser.get(f"{path}?sort=-resolved")
        browser.submit({"text": typed}, action="/search")
        to = browser.follow().request.full_path
        assert "ield" not in to
        assert shown(browser, to, link) == found

    table = lines(browser, f"{path}.csv?sort=-resolved")

    assert [row["Ticket"] for row in table] == [new, patient, old]
    assert table[1]["Reported by"] == "The patient, in writing"
    assert not any(each in str(table) for each in ("ield", "Delgado", "555"))
    event = AuditEvent.get(AuditEvent.event == "list:downloaded")
    assert (event.actor, event.subject) == ("staff.lee", "calls_to_return")
    assert event.detail == {"rows": 3}


def test_a_written_request_names_rows_and_where_to_answer(
    browser: Browser, staff: User
) -> None:
    identity = make_identity(last_name="CANARYQUIST")
    first, _ = (make_dispensation(identity=identity) for _ in range(2))
    browser.get(f"/staff/patients/{first.patient.id}/request")
    assert "CANARYQUIST" in browser.text()
    browser.submit(
        {
            "problem": "not_my_patient",
            "entries": [str(first.id)],
            "note": "Not mine.",
            "name": "Anna Canaryquist",
            "answer_by": "letter",
        },
        status=422,
    )
    assert "Write down the postal address." in browser.text()
    browser.submit({"address": "1 Oak Street\nHartford CT 06106"})
    browser.follow()

    [ticket] = Ticket.select()
    assert ticket.dispensation == first
    assert "the patient, in writing" in browser.text()
    assert "They are answered by letter." in browser.text()
    assert (ticket.due_at - clock.now()).days >= 59


def test_what_is_missing_is_a_ticket_without_a_row_and_its_pages_say_so(
    browser: Browser, staff: User
) -> None:
    entry = make_dispensation()
    browser.get(f"/staff/patients/{entry.patient.id}/request")
    browser.submit(
        {
            "problem": "missing",
            "note": "The fill of May.",
            "name": "Anna Sample",
            "phone": "8605550123",
        }
    )
    browser.follow()
    ticket = Ticket.get()
    assert "The whole record" in browser.text()

    browser.get("/staff/tickets")
    assert "Whole record" in browser.text()
    browser.get(f"/staff/tickets/{ticket.number}")
    browser.submit(
        {
            "text": "Did you fill one?",
            "to": "dispenser",
            "pharmacy": entry.pharmacy.dea,
        },
        action=f"/staff/tickets/{ticket.number}/message",
    )
    browser.follow()
    assert "Questions to the pharmacy" in browser.text()
    browser.get(f"/staff/tickets/{ticket.number}/correct")
    browser.submit({"note": "The pharmacy has sent it."}, status=200)
    assert "No entry changes with this." in browser.text()
    browser.submit()
    browser.follow()
    assert "The record was corrected." in browser.text()


def test_an_answer_by_phone_is_written_down(browser: Browser, staff: User) -> None:
    ticket = make_ticket()
    tickets.ask_dispenser(
        ticket, text="Thirty?", by=staff, at=clock.now(), revision=ticket.revision
    )
    question = TicketQuestion.get()
    action = f"/staff/tickets/{ticket.number}/questions/{question.id}/answer"
    browser.get(f"/staff/tickets/{ticket.number}")
    browser.submit({"text": ""}, action=action)
    browser.follow()
    assert "Write down what the pharmacy says." in browser.text()

    browser.submit({"text": "Sixty, by the log."}, action=action)
    browser.follow()

    assert "Sixty, by the log." in browser.text()
    assert TicketQuestion.get().answered_by == "staff.lee"


@pytest.mark.parametrize("role", [Role.PHARMACY, Role.PRACTITIONER, Role.AUDITOR])
def test_others_do_not_get_there(browser: Browser, role: Role) -> None:
    patient_id = make_dispensation().patient.id
    browser.sign_in_as(make_user(role))

    browser.get("/staff/tickets/calls", status=404)
    browser.get(f"/staff/patients/{patient_id}/request", status=404)
