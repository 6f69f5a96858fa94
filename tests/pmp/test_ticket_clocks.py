from datetime import UTC, datetime, timedelta

import pytest

from models import (
    AuditEvent,
    ClosedDay,
    Delivery,
    Role,
    Ticket,
    TicketClock,
    TicketOutcome,
    TicketOverdue,
)
from pmp import audit, clock, settings, tickets
from pmp.tickets import clocks, handling
from tests.conftest import NOW
from tests.factories import make_ticket, make_user

pytestmark = pytest.mark.usefixtures("db")

THURSDAY = datetime(2026, 11, 19, 15, tzinfo=UTC)  # 10 in the morning in Hartford


def day(number: int, month: int = 11) -> datetime:
    return datetime(2026, month, number, 15, tzinfo=UTC)


def uphold(ticket: Ticket, revision: int) -> None:
    tickets.resolve(
        ticket,
        outcome=TicketOutcome.UPHELD,
        note="Right.",
        by=make_user(),
        at=NOW,
        revision=revision,
    )


def test_triage_is_due_at_the_end_of_the_second_business_day() -> None:
    due = clocks.triage_due(THURSDAY)

    assert clock.local(due).strftime("%a %m/%d %H:%M:%S") == "Mon 11/23 23:59:59"


def test_closed_days_and_weekends_do_not_count() -> None:
    ClosedDay.create(day=day(26).date(), name="Thanksgiving Day")
    ClosedDay.create(day=day(1, 1).date(), name="New Year's Day")  # noise

    due = clocks.triage_due(day(25))

    assert clock.day_of(due) == datetime(2026, 11, 30, tzinfo=UTC).date()


def test_the_dispenser_has_72_hours_and_longer_over_closed_days() -> None:
    assert clocks.dispenser_due(day(23)) == day(26)
    ClosedDay.create(day=day(26).date(), name="Thanksgiving Day")

    over_the_holiday = clock.local(clocks.dispenser_due(day(23)))
    over_the_weekend = clock.local(clocks.dispenser_due(THURSDAY))

    assert over_the_holiday.strftime("%a %m/%d %H:%M") == "Fri 11/27 23:59"
    assert over_the_weekend.strftime("%a %m/%d %H:%M") == "Mon 11/23 23:59"


def test_what_is_due_follows_the_state_of_the_ticket() -> None:
    ticket = make_ticket()
    staff = make_user()

    def running() -> list[TicketClock]:
        return [due.clock for due in clocks.running(tickets.get(ticket.number))]

    assert running() == [TicketClock.TRIAGE, TicketClock.OUTCOME]
    handling.take(ticket, by=staff, at=NOW, revision=1)
    assert running() == [TicketClock.OUTCOME]
    tickets.ask_dispenser(ticket, text="Thirty?", by=staff, at=NOW, revision=2)
    assert running() == [TicketClock.DISPENSER, TicketClock.OUTCOME]
    tickets.resolve(
        ticket,
        outcome=TicketOutcome.UPHELD,
        note="Right.",
        by=staff,
        at=NOW,
        revision=3,
    )
    assert running() == []


def test_each_clock_that_runs_out_is_told_once() -> None:
    lee = make_user(email="lee@example.org")
    make_user(Role.ADMINISTRATOR, email="chief@example.org")
    make_user(Role.AUDITOR, email="park@example.org")
    late, noise = make_ticket(), make_ticket()
    handling.take(noise, by=lee, at=NOW, revision=1)
    Delivery.delete().execute()

    assert clocks.notice_run_out(at=NOW + timedelta(days=1)) == 0
    found = [clocks.notice_run_out(at=NOW + timedelta(days=4)) for _ in range(2)]

    assert found == [1, 0]
    assert TicketOverdue.get().ticket == late
    assert [row.address for row in Delivery.select()] == ["lee@example.org"]
    event = AuditEvent.get(AuditEvent.event == audit.Event.TICKET_OVERDUE)
    assert event.subject == f"ticket:{late.number}"


def test_administrators_are_told_of_a_ticket_that_is_wholly_overdue() -> None:
    lee = make_user(email="lee@example.org")
    make_user(Role.ADMINISTRATOR, email="chief@example.org")
    ticket = make_ticket()
    handling.take(ticket, by=lee, at=NOW, revision=1)
    Delivery.delete().execute()

    clocks.notice_run_out(at=NOW + timedelta(days=8))

    told = [row.address for row in Delivery.select().order_by(Delivery.id)]
    assert told == ["lee@example.org", "chief@example.org"]


def test_a_silent_pharmacy_is_told_to_whoever_works_on_the_ticket() -> None:
    make_user(email="ortiz@example.org")
    lee = make_user(email="lee@example.org")
    ticket = make_ticket()
    handling.take(ticket, by=lee, at=NOW, revision=1)
    tickets.ask_dispenser(ticket, text="Thirty?", by=lee, at=NOW, revision=2)
    Delivery.delete().execute()

    clocks.notice_run_out(at=NOW + timedelta(days=4))

    assert [row.address for row in Delivery.select()] == ["lee@example.org"]
    assert TicketOverdue.get().clock is TicketClock.DISPENSER


def test_a_resolved_ticket_is_never_overdue() -> None:
    ticket = make_ticket()
    tickets.resolve(
        ticket,
        outcome=TicketOutcome.UPHELD,
        note="Right.",
        by=make_user(),
        at=NOW,
        revision=1,
    )

    assert clocks.notice_run_out(at=NOW + timedelta(days=90)) == 0


def test_a_ticket_from_before_the_clocks_has_its_outcome_clock_only() -> None:
    ticket = make_ticket()
    Ticket.update(triage_due_at=None).execute()

    dues = clocks.running(tickets.get(ticket.number))

    assert [due.clock for due in dues] == [TicketClock.OUTCOME]
    assert clocks.notice_run_out(at=NOW + timedelta(days=5)) == 0


def test_the_clocks_are_settings() -> None:
    with settings.changed(ticket_triage_days=5, ticket_dispenser_hours=24):
        assert clock.day_of(clocks.triage_due(day(23))) == day(30).date()
        assert clocks.dispenser_due(day(23)) == day(24)
