from datetime import date

import pytest

from models import (
    Audience,
    AuditEvent,
    ChannelName,
    Delivery,
    DeliveryState,
    Disclosure,
    Dispensation,
    EvidencePack,
    LookUp,
    LookUpOutcome,
    OutsideKind,
    OutsideReporter,
    Purpose,
    Role,
    Ticket,
    TicketOutcome,
    TicketProblem,
    User,
)
from pmp import audit, dispensations, tickets
from pmp.errors import NotFoundError, RuleError
from pmp.tickets import attachments, evidence, outside, ticket_desk
from pmp.tickets.evidence import Evidence
from pmp.tickets.shown import Shown
from tests.conftest import NOW
from tests.factories import (
    entry_of,
    make_dispensation,
    make_identity,
    make_ticket,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def lee() -> User:
    return make_user()


def gathered(ticket: Ticket, by: User) -> Evidence:
    return evidence.gather(
        ticket, recipient="Drug Control", reason="A forgery.", by=by, at=NOW
    )


def test_a_pack_holds_all_there_is_about_a_ticket(lee: User) -> None:
    ticket, noise = make_ticket(), make_ticket()
    tickets.say(ticket, text="Odd.", by=lee, at=NOW, audience=Audience.STAFF)
    tickets.say(noise, text="Noise.", by=lee, at=NOW)
    tickets.resolve(
        ticket,
        outcome=TicketOutcome.CORRECTED,
        note="Seven.",
        changes={"days_supply": 7},
        by=lee,
        at=NOW,
        revision=1,
    )
    found = tickets.get(ticket.number)

    pack = gathered(found, lee)

    texts = [line.text for line in pack.thread]
    assert texts == ["It was thirty.", "Odd.", "The entry was corrected. Seven."]
    [change] = pack.changes
    [field] = change.fields
    assert (field.name, field.before, field.after) == ("Days supply", "30", "7")
    assert [(each.who, each.what) for each in pack.told] == [
        (ticket.opened_by.name, "The outcome of the ticket")
    ]
    assert {each.subject for each in pack.events} == {f"ticket:{ticket.number}"}
    assert entry_of(ticket).identity.last_name.upper() in pack.patient


def test_a_removed_paper_is_in_no_pack(lee: User) -> None:
    ticket = make_ticket()
    kept, gone = (
        attachments.add(
            ticket, body=b"%PDF-", what=what, audience=Audience.STAFF, by=lee, at=NOW
        )
        for what in ("Kept", "Gone")
    )
    attachments.remove(gone.id, by=lee, at=NOW)

    assert gathered(ticket, lee).papers == [(kept, b"%PDF-")]


def test_a_pack_is_kept_as_made_and_is_a_disclosure(lee: User) -> None:
    ticket, noise = make_ticket(), make_ticket()
    made = evidence.keep(gathered(ticket, lee), body=b"%PDF-x", pages=2)

    pack, body = evidence.open_pack(ticket, made.code, by=lee, at=NOW)

    assert (pack, body) == (made, b"%PDF-x")
    told = Disclosure.get()
    assert (told.recipient, told.purpose) == ("Drug Control", "A forgery.")
    assert told.patient == entry_of(ticket).patient
    assert made.code in told.what
    events = [row.event for row in AuditEvent.select()]
    assert audit.Event.TICKET_EVIDENCE_MADE in events
    assert events[-1] == audit.Event.TICKET_EVIDENCE_OPENED
    with pytest.raises(NotFoundError):
        evidence.open_pack(noise, made.code, by=lee, at=NOW)


def test_a_pack_needs_a_recipient_and_a_reason(lee: User) -> None:
    ticket = make_ticket()

    for recipient, reason, field in (("", "x", "recipient"), ("x", " ", "reason")):
        with pytest.raises(RuleError) as refused:
            evidence.gather(ticket, recipient=recipient, reason=reason, by=lee, at=NOW)
        assert refused.value.field == field

    assert EvidencePack.select().count() == 0


def test_how_an_entry_was_changed_says_that_it_was_removed_and_went_elsewhere(
    lee: User,
) -> None:
    entry, other = make_dispensation(), make_identity()
    first = entry.patient.id
    dispensations.correct(
        entry, changes={"identity": other}, reason="Wrong person.", by=lee, at=NOW
    )
    dispensations.void(entry, reason="Never sold.", by=lee, at=NOW)

    moved, removed = ticket_desk.changes(Dispensation.get_by_id(entry.id))

    assert (moved.reason, moved.by) == ("Wrong person.", lee.username)
    assert [(each.name, each.before, each.after) for each in moved.fields] == [
        ("Patient", str(first), str(other.patient.id))
    ]
    assert [(each.name, each.before, each.after) for each in removed.fields] == [
        ("Entry", "Current", "Voided")
    ]


def test_a_pack_says_who_else_was_told(lee: User) -> None:
    entry = make_dispensation()
    ticket = outside.open_for(
        outside.Person(
            kind=OutsideKind.CALLER,
            name="Ada Field",
            received_on=date(2026, 11, 23),
            fax="8605550188",
            answer_by=ChannelName.FAX,
        ),
        Shown(entry),
        problem=TicketProblem.WRONG_DAYS,
        note="Seven.",
        by=lee,
        at=NOW,
    )
    reader = make_user(Role.PRACTITIONER, name="Dr. Reader")
    LookUp.create(
        user=reader,
        at=NOW,
        first_name="A",
        last_name="B",
        purpose=Purpose.TREATING,
        since=date(2026, 1, 1),
        until=date(2026, 11, 23),
        outcome=LookUpOutcome.REPORT,
        patient=entry.patient,
    )
    tickets.resolve(
        ticket,
        outcome=TicketOutcome.CORRECTED,
        note="Seven.",
        changes={"days_supply": 7},
        by=lee,
        at=NOW,
        revision=1,
    )

    told = gathered(tickets.get(ticket.number), lee).told

    assert [(each.who, each.what) for each in told] == [
        ("Ada Field", "The outcome of the ticket, by fax"),
        ("Dr. Reader", "Corrected"),
    ]
    Delivery.update(state=DeliveryState.CANCELLED).execute()
    OutsideReporter.update(answered_at=NOW).execute()
    told = gathered(tickets.get(ticket.number), lee).told
    assert [each.what for each in told] == [
        "The outcome of the ticket, by telephone",
        "Corrected",
    ]
