"""Tickets from the paper to everyone who was sent the row, and who saw what.

Scenarios 35, 36 and 38 across fax, telephone, staff's pages and the audit record.
"""

import re

import pytest

from models import (
    AuditEvent,
    Dispensation,
    Role,
    ThresholdCase,
    Ticket,
    TicketQuestion,
    User,
)
from pmp.deliveries import media
from pmp.thresholds import case_recipients, threshold_cases
from tests.browser import Browser
from tests.factories import make_user
from tests.gateway.conftest import Clock, work
from tests.servers.carrier import Carrier, Fax
from tests.stories.sent_case import NAMES, pages_of, paper

pytestmark = [pytest.mark.story, pytest.mark.usefixtures("db")]
FAXES = {f"+1860555{number}" for number in ("0131", "0140", "0141", "0142")}


def words(fax: Fax, now: Clock) -> str:
    body = media.fetched(fax.media_url.rpartition("/")[2], at=now(), address="")
    return " ".join(pages_of(body))


def from_a_call(browser: Browser, row_code: str, problem: str) -> Ticket:
    """Have staff type what a caller reads out, and whom to call back."""
    browser.get("/staff/tickets/new")
    caller = {"name": "Ada Field", "phone": "(860) 555-0123"}
    browser.submit({"row_code": row_code.lower(), "problem": problem, **caller})
    found: Ticket = Ticket.select().order_by(Ticket.id.desc()).get()
    return found


def resolve(browser: Browser, ticket: Ticket, how: str, **changes: str) -> None:
    browser.get(f"/staff/tickets/{ticket.number}/{how}")
    browser.submit({"note": "The pharmacy says so.", **changes}, status=200)
    browser.submit()
    browser.follow()


def row_of(case: ThresholdCase, pharmacy: str) -> Dispensation:
    rows = {row.pharmacy.name: row for row in threshold_cases.entries(case)}
    return rows[pharmacy]


def test_35_a_caller_reads_a_faxed_row_and_its_pharmacy_is_asked_by_fax(
    browser: Browser, now: Clock, carrier: Carrier, sent: ThresholdCase
) -> None:
    row = row_of(sent, "SHOP 0")
    assert row.row_code in " ".join(pages_of(paper(carrier, "+18605550142", now)))
    browser.sign_in_as(make_user(Role.STAFF, username="staff.lee"))
    ticket = from_a_call(browser, row.row_code, "wrong_quantity")
    assert now() < (ticket.triage_due_at or now()) < ticket.due_at
    before = len(carrier.taken)
    browser.get(f"/staff/tickets/{ticket.number}")
    message = f"/staff/tickets/{ticket.number}/message"
    browser.submit({"text": "Thirty or sixty?", "to": "dispenser"}, action=message)
    work()

    [question] = carrier.taken[before:]
    assert question.to == "+18605550140"
    assert row.row_code in words(question, now)
    assert not [name for name in NAMES if name in words(question, now)]
    number = TicketQuestion.get().id
    browser.get(f"/staff/tickets/{ticket.number}")
    answer = f"/staff/tickets/{ticket.number}/questions/{number}/answer"
    browser.submit({"text": "Thirty, she says."}, action=answer)
    browser.get("/staff/tickets?queue=answered")
    assert ticket.number in browser.text()


def test_36_a_corrected_row_is_told_to_each_by_their_own_way(
    browser: Browser, now: Clock, carrier: Carrier, sent: ThresholdCase
) -> None:
    row = row_of(sent, "SHOP 0")
    browser.sign_in_as(make_user(Role.STAFF))
    ticket = from_a_call(browser, row.row_code, "wrong_quantity")
    before = len(carrier.taken)
    resolve(browser, ticket, "correct", quantity="30")
    work()

    told = carrier.taken[before:]
    assert {fax.to for fax in told} == FAXES
    assert all(row.row_code in words(fax, now) for fax in told)
    assert Dispensation.get_by_id(row.id).version == 2
    assert ThresholdCase.get_by_id(sent.id).status != "withdrawn"
    browser.get("/staff/tickets/calls")
    assert "Ada Field" in browser.text()
    faxed = " ".join(pages_of(paper(carrier, "+18605550142", now)))
    code = re.search(r"V-\w+-\w+", faxed)
    assert code
    browser.get("/verify")
    browser.submit({"code": code[0]}, status=200)
    assert "corrected" in browser.text()


def test_36_a_row_that_goes_ends_the_case_and_its_readers_see_that(
    browser: Browser, now: Clock, carrier: Carrier, sent: ThresholdCase
) -> None:
    row = threshold_cases.entries(sent)[0]
    staff = make_user(Role.STAFF)
    browser.sign_in_as(staff)
    ticket = from_a_call(browser, row.row_code, "returned_to_stock")
    before = len(carrier.taken)
    resolve(browser, ticket, "void")
    work()

    assert ThresholdCase.get_by_id(sent.id).status == "withdrawn"
    assert {fax.to for fax in carrier.taken[before:]} == FAXES
    assert all("withdrawn" in words(fax, now) for fax in carrier.taken[before:])
    browser.sign_in_as(User.get(User.email == "doctor@example.org"))
    recipient = case_recipients.of_case(sent)[0]
    browser.get(f"/threshold-reports/{recipient.id}")
    assert "withdrawn" in browser.text()
    browser.sign_in_as(staff)
    browser.get(f"/staff/tickets/{ticket.number}/reopen")
    browser.submit({"reason": "It was picked up after all."})
    resolve(browser, ticket, "restore")
    ended, anew = ThresholdCase.select().order_by(ThresholdCase.id)
    assert (ended.status, anew.crossed_on) == ("withdrawn", ended.crossed_on)


def test_38_views_changes_and_refusals_are_listed_and_a_changed_row_is_found(
    browser: Browser, sent: ThresholdCase
) -> None:
    recipient = case_recipients.of_case(sent)[0]
    reader = User.get(User.email == "doctor@example.org")
    browser.sign_in_as(reader)
    browser.get(f"/threshold-reports/{recipient.id}")
    browser.get(f"/threshold-reports/{recipient.id}.pdf")
    browser.get(f"/staff/cases/{sent.id}", status=404)
    row = row_of(sent, "SHOP 1")
    browser.get(f"/entries/{row.row_code}/report-a-problem")
    browser.submit({"problem": "wrong_days"})
    browser.sign_in_as(make_user(Role.STAFF, username="staff.lee"))
    browser.get(f"/staff/cases/{sent.id}")
    resolve(browser, Ticket.get(), "correct", days_supply="15")

    browser.sign_in_as(make_user(Role.AUDITOR, username="audit.park"))
    browser.get(f"/staff/audit?patient={sent.patient.id}")
    for told in ("(user", "+18605550140", "staff.lee case:", "dispensation:corrected"):
        assert told in browser.text()
    browser.get(f"/staff/audit?actor={reader.username}")
    for done in ("threshold_case:opened", "disclosure:made", "ticket:opened"):
        assert f"ET {done} {reader.username}" in browser.text()
    for what in ("what: page", "what: chart copy", "permission:case_work"):
        assert what in browser.text()
    browser.submit({}, action="/staff/audit/verify", status=200)
    assert "Yes." in browser.text()
    AuditEvent.update(actor="nobody").where(AuditEvent.actor == "staff.lee").execute()
    browser.get("/staff/audit")
    browser.submit({}, action="/staff/audit/verify", status=200)
    assert "its content was changed" in browser.text()
