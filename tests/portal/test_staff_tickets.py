from datetime import timedelta
from decimal import Decimal

import pytest

from models import (
    AuditEvent,
    Delivery,
    DeliveryState,
    Dispensation,
    DispensationStatus,
    Role,
    ThresholdCase,
    Ticket,
    User,
)
from pmp import audit, clock, dispensations, tickets
from pmp.thresholds import case_recipients
from pmp.tickets import handling
from tests import submission_files
from tests.browser import Browser
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_patient,
    make_submission,
    make_ticket,
    make_user,
)
from tests.submission_files import ELM

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def staff(browser: Browser) -> User:
    user = make_user(username="staff.lee")
    browser.sign_in_as(user)
    return user


def test_the_board_has_clocks_and_says_what_is_overdue(
    browser: Browser, staff: User
) -> None:
    late = make_ticket(at=clock.now() - timedelta(days=9))
    handling.take(late, by=staff, at=clock.now(), revision=1)
    fresh = make_ticket(at=clock.now())

    browser.get("/staff/tickets")

    text = browser.text()
    assert text.index(late.number) < text.index(fresh.number)
    assert "the outcome 2 days late" in text
    assert "take it up in" in text
    browser.get("/staff/tickets?queue=overdue")
    assert late.number in browser.text()
    assert fresh.number not in browser.text()


def test_a_ticket_is_taken_once(browser: Browser, staff: User) -> None:
    ticket = make_ticket()
    browser.get(f"/staff/tickets/{ticket.number}")
    before = browser.page
    browser.submit(action=f"/staff/tickets/{ticket.number}/take")
    browser.page = before

    browser.submit(action=f"/staff/tickets/{ticket.number}/take", status=409)

    assert tickets.get(ticket.number).assigned_to == staff
    browser.get("/staff/tickets?queue=mine")
    assert ticket.number in browser.text()


def test_removing_an_entry_is_reviewed_first_and_then_tells_everyone(
    browser: Browser, staff: User
) -> None:
    case = make_crossing(make_patient())
    Delivery.update(state=DeliveryState.SENT).execute()
    prescriber = case_recipients.of_case(case)[0].prescriber
    entry = Dispensation.get(Dispensation.prescriber == prescriber)
    ticket = make_ticket(entry, by=make_user(Role.PRACTITIONER, prescriber=prescriber))
    browser.get(f"/staff/tickets/{ticket.number}/void")
    browser.submit({"note": "Never dispensed."}, status=200)

    assert "will be told: 6" in browser.text()
    assert Dispensation.get_by_id(entry.id).status == DispensationStatus.CURRENT
    browser.submit()
    browser.follow()

    assert Dispensation.get_by_id(entry.id).status == DispensationStatus.VOIDED
    assert ThresholdCase.get_by_id(case.id).status == "withdrawn"
    assert (
        "So are the others who were sent the entry: 6 people: 6 recipients"
        in browser.text()
    )
    assert "Never dispensed." in browser.text()


def test_a_correction_shows_what_was_and_what_will_be(
    browser: Browser, staff: User
) -> None:
    ticket = make_ticket()
    browser.get(f"/staff/tickets/{ticket.number}/correct")
    browser.submit({"note": "As the label says.", "days_supply": "7"}, status=200)
    assert "Days supply 30 7" in browser.text()
    assert "Quantity" not in browser.text()
    browser.submit()

    entry = Dispensation.get()
    assert (entry.days_supply, entry.quantity, entry.version) == (7, 60, 2)


@pytest.mark.parametrize("quantity", ["1e30", "Infinity", "NaN"])
def test_a_quantity_that_no_entry_can_have_is_refused(
    browser: Browser, staff: User, quantity: str
) -> None:
    ticket = make_ticket()
    browser.get(f"/staff/tickets/{ticket.number}/correct")

    browser.submit({"note": "As typed.", "quantity": quantity}, status=422)

    assert "Number must be between 0 and 99999999" in browser.text()


def test_a_correction_that_changes_nothing_is_refused(
    browser: Browser, staff: User
) -> None:
    ticket = make_ticket()
    browser.get(f"/staff/tickets/{ticket.number}/correct")
    browser.submit({"note": "Hm."}, status=200)

    browser.submit(status=422)

    assert "Change at least one field" in browser.text()
    assert tickets.get(ticket.number).resolved_at is None


def test_two_staff_at_once_the_second_is_told_and_nothing_is_done(
    browser: Browser, staff: User
) -> None:
    ticket = make_ticket()
    browser.get(f"/staff/tickets/{ticket.number}/void")
    browser.submit({"note": "Void."}, status=200)
    handling.take(
        tickets.get(ticket.number), by=make_user(), at=clock.now(), revision=1
    )

    browser.submit(status=422)

    assert "Somebody else has changed this ticket" in browser.text()
    entry = Dispensation.get()
    assert entry.status == DispensationStatus.CURRENT


@pytest.mark.parametrize("action", ["correct", "void", "uphold"])
def test_what_the_pharmacy_corrected_meanwhile_is_not_undone(
    browser: Browser, staff: User, action: str
) -> None:
    ticket = make_ticket()
    browser.get(f"/staff/tickets/{ticket.number}/{action}")
    typed = {"refills_authorized": "2"} if action == "correct" else {}
    browser.submit({"note": "As the log says.", **typed}, status=200)
    dispensations.correct(
        Dispensation.get(),
        changes={"quantity": Decimal(30)},
        reason="A slip.",
        by=ticket.opened_by,
        at=clock.now(),
    )

    browser.submit(status=422)

    assert "The entry has changed meanwhile" in browser.text()
    entry = Dispensation.get()
    assert (entry.quantity, entry.status) == (30, DispensationStatus.CURRENT)
    assert tickets.get(ticket.number).resolved_at is None
    browser.submit({"note": "As the log says.", **typed}, status=200)
    browser.submit()
    assert tickets.get(ticket.number).resolved_at
    assert Dispensation.get().quantity == 30


def test_refills_are_corrected_to_none(browser: Browser, staff: User) -> None:
    ticket = make_ticket(make_dispensation(refills_authorized=3))
    browser.get(f"/staff/tickets/{ticket.number}/correct")
    browser.submit({"note": "None.", "refills_authorized": "0"}, status=200)

    assert "Refills authorized 3 0" in browser.text()
    browser.submit()
    assert Dispensation.get().refills_authorized == 0


def test_upholding_needs_a_reason(browser: Browser, staff: User) -> None:
    ticket = make_ticket()
    browser.get(f"/staff/tickets/{ticket.number}/uphold")
    browser.submit({"note": ""}, status=422)
    assert "Give the reason" in browser.text()
    browser.submit({"note": "The pharmacy has the paper."}, status=200)
    browser.submit()

    assert tickets.get(ticket.number).outcome == "upheld"


def test_the_entry_stands_beside_what_the_pharmacy_submitted(
    browser: Browser, staff: User
) -> None:
    body = submission_files.submission((ELM, [submission_files.fill()]))
    submission = make_submission(body=body)
    entry = make_dispensation(submission=submission, record_number=1)
    ticket = make_ticket(entry)

    browser.get(f"/staff/tickets/{ticket.number}")

    assert f"Record 1 of submission {submission.id}" in browser.text()
    assert "DSP09" in browser.text()
    viewed = AuditEvent.get(AuditEvent.event == audit.Event.SUBMISSION_VIEWED)
    assert viewed.actor == "staff.lee"


def test_a_call_becomes_a_ticket_by_its_row_code(browser: Browser, staff: User) -> None:
    entry = make_dispensation()
    browser.get("/staff/tickets/new")
    browser.submit({"row_code": "D-0000000", "problem": "wrong_date"}, status=422)
    assert "No entry that you have been shown" in browser.text()
    browser.submit({"row_code": entry.row_code.lower(), "problem": "wrong_date"})
    browser.follow()

    assert Ticket.get().dispensation == entry


def test_messages_go_both_ways(browser: Browser, staff: User) -> None:
    ticket = make_ticket()
    browser.get(f"/staff/tickets/{ticket.number}")
    browser.submit(
        {"text": "Asked them by phone.", "to": "dispenser"},
        action=f"/staff/tickets/{ticket.number}/message",
    )
    browser.follow()

    assert "Asked them by phone." in browser.text()
    assert tickets.get(ticket.number).status == "with_dispenser"


@pytest.mark.parametrize("role", [Role.PHARMACY, Role.PRACTITIONER, Role.AUDITOR])
def test_who_does_not_work_tickets_cannot_see_them(
    browser: Browser, role: Role
) -> None:
    ticket = make_ticket()
    browser.sign_in_as(make_user(role))

    browser.get("/staff/tickets", status=404)
    browser.get(f"/staff/tickets/{ticket.number}", status=404)
    browser.get(f"/staff/tickets/{ticket.number}/void", status=404)
