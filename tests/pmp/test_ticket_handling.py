from datetime import timedelta

import pytest

from models import (
    Audience,
    AuditEvent,
    CorrectionNotice,
    Delivery,
    DeliveryState,
    Dispensation,
    DispensationStatus,
    Role,
    ThresholdCase,
    Ticket,
    TicketOutcome,
    TicketStatus,
    User,
)
from pmp import audit, tickets
from pmp.errors import ConflictError, RuleError
from pmp.thresholds import case_recipients
from pmp.tickets import handling
from tests.conftest import NOW
from tests.factories import (
    entry_of,
    make_crossing,
    make_patient,
    make_ticket,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def lee() -> User:
    return make_user(email="lee@example.org")


def end(ticket: Ticket, outcome: TicketOutcome, by: User) -> None:
    tickets.resolve(
        ticket, outcome=outcome, note="Why.", by=by, at=NOW, revision=ticket.revision
    )


def test_a_ticket_is_handed_over_with_a_reason_that_only_staff_read(lee: User) -> None:
    ticket, ortiz = make_ticket(), make_user(email="ortiz@example.org")

    handling.assign(
        ticket, to=ortiz.id, reason="I am away.", by=lee, at=NOW, revision=1
    )

    found = tickets.get(ticket.number)
    assert (found.assigned_to, found.status) == (ortiz, TicketStatus.NEW)
    assert len(tickets.thread(ticket)) == 1
    line = tickets.thread(ticket, audience=Audience.STAFF)[-1]
    assert line.text == f"Handed to {ortiz.username}: I am away."
    last = Delivery.select().order_by(Delivery.id.desc()).first()
    assert last.address == "ortiz@example.org"
    assert last.dedupe_key.startswith("ticket-assigned:")


def test_a_ticket_goes_to_the_desk_only_and_never_without_a_reason(lee: User) -> None:
    ticket, stranger = make_ticket(), make_user(Role.PHARMACY)
    gone = make_user(status="closed")

    for to, reason in ((stranger.id, "x"), (gone.id, "x"), (0, "x"), (lee.id, " ")):
        with pytest.raises(RuleError):
            handling.assign(ticket, to=to, reason=reason, by=lee, at=NOW, revision=1)

    assert tickets.get(ticket.number).revision == 1


def test_an_escalated_ticket_is_an_administrators_and_flagged(lee: User) -> None:
    ticket, chief = make_ticket(), make_user(Role.ADMINISTRATOR)
    with pytest.raises(RuleError):
        handling.escalate(ticket, to=lee.id, reason="x", by=lee, at=NOW, revision=1)

    handling.escalate(
        ticket, to=chief.id, reason="Two say no.", by=lee, at=NOW, revision=1
    )

    found = tickets.get(ticket.number)
    assert (found.assigned_to, found.escalated_at) == (chief, NOW)
    assert found.status is TicketStatus.TRIAGED
    told = Delivery.get(Delivery.address == chief.email)
    assert told.dedupe_key.startswith("ticket-escalated:")


def test_a_resolved_ticket_is_opened_again_and_its_reporter_told(lee: User) -> None:
    ticket, noise = make_ticket(), make_ticket()
    end(ticket, TicketOutcome.UPHELD, lee)
    end(noise, TicketOutcome.UPHELD, lee)
    later = NOW + timedelta(days=3)

    handling.reopen(ticket, reason="A label came.", by=lee, at=later, revision=2)

    found = tickets.get(ticket.number)
    assert found.outcome is None
    assert found.resolved_at is None
    assert found.due_at > later
    assert tickets.is_under_review(entry_of(found))
    assert tickets.get(noise.number).outcome is TicketOutcome.UPHELD
    assert tickets.thread(found)[-1].text == "Opened again: A label came."
    end(found, TicketOutcome.UPHELD, lee)
    keys = [row.dedupe_key for row in Delivery.select().order_by(Delivery.id)]
    assert [key for key in keys if key.startswith(f"ticket-outcome:{ticket.id}")] == [
        f"ticket-outcome:{ticket.id}",
        f"ticket-outcome:{ticket.id}:{found.revision}",
    ]
    assert f"ticket-reopened:{ticket.id}" in keys
    event = AuditEvent.get(AuditEvent.event == audit.Event.TICKET_REOPENED)
    assert event.detail == {"outcome": "upheld"}


def test_of_two_who_open_it_again_the_second_is_told(lee: User) -> None:
    ticket = make_ticket()
    end(ticket, TicketOutcome.UPHELD, lee)
    other = tickets.get(ticket.number)
    handling.reopen(ticket, reason="x", by=lee, at=NOW, revision=2)

    with pytest.raises(ConflictError):
        handling.reopen(other, reason="y", by=lee, at=NOW, revision=2)
    end(ticket, TicketOutcome.UPHELD, lee)
    with pytest.raises(ConflictError):
        handling.reopen(other, reason="y", by=lee, at=NOW, revision=2)


def test_it_is_too_late_after_thirty_days(lee: User) -> None:
    ticket = make_ticket()
    end(ticket, TicketOutcome.UPHELD, lee)
    late = NOW + timedelta(days=31)

    assert handling.may_reopen(ticket, at=NOW + timedelta(days=30))
    with pytest.raises(RuleError):
        handling.reopen(ticket, reason="x", by=lee, at=late, revision=2)


def test_a_newer_ticket_of_the_same_reporter_takes_its_place(lee: User) -> None:
    ticket = make_ticket()
    end(ticket, TicketOutcome.UPHELD, lee)
    make_ticket(ticket.dispensation, by=ticket.opened_by)

    with pytest.raises(RuleError, match="another ticket"):
        handling.reopen(ticket, reason="x", by=lee, at=NOW, revision=2)

    assert tickets.get(ticket.number).outcome is TicketOutcome.UPHELD


def test_a_removed_entry_is_put_back_through_its_ticket(lee: User) -> None:
    case = make_crossing(make_patient())
    Delivery.update(state=DeliveryState.SENT).execute()
    prescriber = case_recipients.of_case(case)[0].prescriber
    entry = Dispensation.get(Dispensation.prescriber == prescriber)
    ticket = make_ticket(entry, by=make_user(Role.PRACTITIONER, prescriber=prescriber))
    end(ticket, TicketOutcome.VOIDED, lee)
    assert CorrectionNotice.select().count() == 6
    handling.reopen(ticket, reason="Wrong row.", by=lee, at=NOW, revision=2)

    handling.put_back(
        tickets.get(ticket.number), note="It stands.", by=lee, at=NOW, revision=3
    )

    assert Dispensation.get_by_id(entry.id).status is DispensationStatus.CURRENT
    assert tickets.get(ticket.number).outcome is TicketOutcome.UPHELD
    standing = ThresholdCase.select().where(ThresholdCase.status != "withdrawn")
    assert standing.count() == 1
    assert audit.verify() == []
