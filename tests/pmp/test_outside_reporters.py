"""Who is no user reports by phone or in writing, and is answered."""

from datetime import date, timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    ChannelName,
    Delivery,
    DeliveryKind,
    Dispensation,
    OutsideKind,
    OutsideReporter,
    Patient,
    Ticket,
    TicketOutcome,
    TicketProblem,
    User,
)
from pmp import audit, clock, settings, tickets
from pmp.errors import RuleError
from pmp.tickets import handling, outside, outside_answers
from pmp.tickets.outside import Person
from pmp.tickets.shown import Shown
from tests.conftest import NOW
from tests.factories import make_dispensation, make_patient, make_user

pytestmark = pytest.mark.usefixtures("db")
TODAY = date(2026, 11, 23)


@pytest.fixture
def staff() -> User:
    return make_user(username="staff.lee")


@pytest.fixture
def entry() -> Dispensation:
    return make_dispensation()


def nurse(**fields: Any) -> Person:
    given: dict[str, Any] = {
        "kind": OutsideKind.CALLER,
        "name": "Ada Field",
        "relation": "office nurse",
        "phone": "(860) 555-0123",
        "received_on": TODAY,
    }
    return Person(**(given | fields))


def patient_in_writing(**fields: Any) -> Person:
    given: dict[str, Any] = {
        "kind": OutsideKind.PATIENT,
        "name": "Anna Sample",
        "address": "1 Oak Street\n Hartford CT 06106 \n",
        "answer_by": ChannelName.LETTER,
        "received_on": TODAY - timedelta(days=4),
    }
    return Person(**(given | fields))


def phoned(entry: Dispensation, staff: User, person: Person | None = None) -> Ticket:
    return outside.open_for(
        person or nurse(),
        Shown(entry),
        problem=TicketProblem.WRONG_DATE,
        note="It was the third.",
        by=staff,
        at=NOW,
    )


def uphold(ticket: Ticket, staff: User) -> None:
    tickets.resolve(
        ticket,
        outcome=TicketOutcome.UPHELD,
        note="The log says so.",
        by=staff,
        at=NOW,
        revision=ticket.revision,
    )


def outside_deliveries() -> list[Delivery]:
    of_kind = Delivery.kind == DeliveryKind.OUTSIDE_ANSWER
    return list(Delivery.select().where(of_kind).order_by(Delivery.id))


def test_a_caller_is_kept_with_the_ticket_and_called_back_once(
    entry: Dispensation, staff: User
) -> None:
    ticket = phoned(entry, staff)
    phoned(make_dispensation(), staff)  # noise: not resolved
    assert outside_answers.calls_due(by=staff) == []

    uphold(ticket, staff)

    [due] = outside_answers.calls_due(by=staff)
    assert (due.ticket, due.name, due.phone) == (ticket, "Ada Field", "+18605550123")
    assert outside_deliveries() == []
    outside_answers.called(due, by=staff, at=NOW)
    assert outside_answers.calls_due(by=staff) == []
    with pytest.raises(RuleError):
        outside_answers.called(due, by=staff, at=NOW)
    event = AuditEvent.get(AuditEvent.event == audit.Event.TICKET_REPORTER_TOLD)
    assert event.subject == f"ticket:{ticket.number}"


def test_two_callers_may_report_one_row_and_one_caller_only_once(
    entry: Dispensation, staff: User
) -> None:
    phoned(entry, staff)
    phoned(entry, staff, nurse(name="Ben Oak", phone="8605550124"))
    tickets.open_ticket(
        Shown(entry), problem=TicketProblem.WRONG_DATE, note="", by=staff, at=NOW
    )

    with pytest.raises(RuleError) as twice:
        phoned(entry, make_user(), nurse(name="A. Field", phone="860 555 0123"))

    assert "already" in twice.value.message
    assert Ticket.select().count() == 3
    assert OutsideReporter.select().count() == 2


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"phone": ""}, "phone"),
        ({"phone": "12"}, "phone"),
        ({"answer_by": ChannelName.FAX}, "fax"),
        ({"answer_by": ChannelName.LETTER}, "address"),
        ({"answer_by": ChannelName.LETTER, "address": "a\nb\nc\nd\ne"}, "address"),
        ({"answer_by": ChannelName.EMAIL}, "answer_by"),
        ({"received_on": TODAY + timedelta(days=1)}, "received_on"),
    ],
)
def test_what_the_answer_needs_is_asked_for(
    entry: Dispensation, staff: User, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(RuleError) as refused:
        phoned(entry, staff, nurse(**fields))

    assert refused.value.field == field
    assert Ticket.select().count() == 0


def test_a_caller_without_a_name_is_not_called_back(
    entry: Dispensation, staff: User
) -> None:
    ticket = outside.open_for_call(
        nurse(name="", phone="", relation=""),
        Shown(entry),
        problem=TicketProblem.WRONG_DATE,
        note="",
        by=staff,
        at=NOW,
    )

    assert outside_answers.of(ticket) is None
    assert ticket.reporter == f"user:{staff.id}"


@pytest.mark.parametrize(
    "said",
    [
        {"fax": "8605550123", "answer_by": ChannelName.FAX},
        {"address": "1 Oak Street\nHartford CT 06106"},
        {"relation": "office nurse"},
        {"answer_by": ChannelName.LETTER},
    ],
)
def test_what_a_caller_says_of_themselves_is_never_dropped(
    entry: Dispensation, staff: User, said: dict[str, Any]
) -> None:
    nobody = {"name": "", "phone": "", "relation": ""}

    with pytest.raises(RuleError) as refused:
        outside.open_for_call(
            nurse(**(nobody | said)),
            Shown(entry),
            problem=TicketProblem.WRONG_DATE,
            note="",
            by=staff,
            at=NOW,
        )

    assert refused.value.field == "name"
    assert Ticket.select().count() == 0


def test_an_answer_that_waits_does_not_go_out_where_the_ticket_opens_again(
    entry: Dispensation, staff: User
) -> None:
    person = nurse(answer_by=ChannelName.FAX, fax="8605550188")
    ticket = phoned(entry, staff, person)
    other = phoned(make_dispensation(), staff, person)
    for each in (ticket, other):
        uphold(each, staff)

    told = handling.reopen(ticket, reason="x", by=staff, at=NOW, revision=2)

    assert told
    assert [each.state for each in outside_deliveries()] == ["cancelled", "queued"]
    by_fax = Delivery.get(Delivery.dedupe_key == f"ticket-reopened:{ticket.id}")
    assert by_fax.address == "+18605550188"
    caller = phoned(make_dispensation(), staff)
    uphold(caller, staff)
    assert not handling.reopen(caller, reason="x", by=staff, at=NOW, revision=2)


def test_a_written_request_has_a_clock_of_its_own_and_a_ticket_for_each_row(
    entry: Dispensation, staff: User
) -> None:
    second = make_dispensation(identity=entry.identity, filled_on=date(2026, 10, 1))
    opened = outside.request(
        entry.patient.id,
        patient_in_writing(),
        entries=[entry.id, second.id],
        problem=TicketProblem.NOT_MY_PATIENT,
        note="Neither is mine.",
        by=staff,
        at=NOW,
    )

    assert [each.dispensation for each in opened] == [entry, second]
    days = settings.current().written_request_days
    for each in opened:
        assert clock.day_of(each.due_at) == TODAY + timedelta(days=days - 4)
        assert tickets.get(each.number).due_at == each.due_at


def test_something_missing_is_one_ticket_about_the_whole_record(
    entry: Dispensation, staff: User
) -> None:
    patient: Patient = entry.patient
    asked: dict[str, Any] = {
        "entries": [],
        "problem": TicketProblem.MISSING,
        "note": "The fill of May.",
        "by": staff,
        "at": NOW,
    }
    [ticket] = outside.request(patient.id, patient_in_writing(), **asked)

    assert (ticket.dispensation, ticket.patient) == (None, patient)
    with pytest.raises(RuleError):  # the same person, the same again
        outside.request(patient.id, patient_in_writing(), **asked)
    assert Ticket.select().count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"entries": []}, "entries"),
        ({"problem": TicketProblem.MISSING}, "entries"),
        ({"note": " "}, "note"),
        ({"entries": [10_000]}, "entries"),
    ],
)
def test_a_request_says_which_rows_of_this_patient(
    entry: Dispensation, staff: User, change: dict[str, Any], field: str
) -> None:
    foreign = make_dispensation(patient=make_patient())
    asked: dict[str, Any] = {
        "entries": [entry.id],
        "problem": TicketProblem.WRONG_DATE,
        "note": "It was the third.",
        "by": staff,
        "at": NOW,
    }
    if change.get("entries") == [10_000]:
        change = {"entries": [entry.id, foreign.id]}

    with pytest.raises(RuleError) as refused:
        outside.request(entry.patient.id, patient_in_writing(), **(asked | change))

    assert refused.value.field == field
    assert Ticket.select().count() == 0


def test_a_patient_is_answered_by_letter_to_the_address_given(
    entry: Dispensation, staff: User
) -> None:
    ticket = phoned(entry, staff, patient_in_writing())

    uphold(ticket, staff)

    [delivery] = outside_deliveries()
    assert delivery.channel == ChannelName.LETTER
    assert delivery.address == "Anna Sample\n1 Oak Street\nHartford CT 06106"
    assert outside_answers.calls_due(by=staff) == []


def test_after_a_fax_that_fails_comes_the_letter(
    entry: Dispensation, staff: User
) -> None:
    person = nurse(
        answer_by=ChannelName.FAX, fax="8605550125", address="1 Oak Street\nHartford CT"
    )
    uphold(phoned(entry, staff, person), staff)

    [delivery] = outside_deliveries()
    assert (delivery.channel, delivery.address) == ("fax", "+18605550125")
    assert delivery.further_routes == [
        ["letter", "Ada Field\n1 Oak Street\nHartford CT"]
    ]


def test_a_second_outcome_is_told_again(entry: Dispensation, staff: User) -> None:
    ticket = phoned(entry, staff)
    uphold(ticket, staff)
    [due] = outside_answers.calls_due(by=staff)
    outside_answers.called(due, by=staff, at=NOW)
    handling.reopen(
        ticket, reason="More came in.", by=staff, at=NOW, revision=ticket.revision
    )

    uphold(tickets.get(ticket.number), staff)

    assert outside_answers.calls_due(by=staff) == [due]
