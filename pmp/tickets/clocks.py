"""By when a ticket is due: taken up, answered by its dispenser, resolved.

Business days leave out weekends and the closed days of the reporting calendar. A clock
that runs out is noticed once, and staff are told by email.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from peewee import IntegrityError

from models import Ticket, TicketClock, TicketOverdue, TicketStatus
from pmp import audit, clock, database, settings
from pmp.reporting import schedules
from pmp.tickets import telling

WORDS = {
    TicketClock.TRIAGE: "take it up",
    TicketClock.DISPENSER: "the pharmacy answers",
    TicketClock.OUTCOME: "the outcome",
}
_TICK = timedelta(seconds=1)


@dataclass(frozen=True)
class Due:
    """What is due, and by when."""

    clock: TicketClock
    at: datetime

    @property
    def words(self) -> str:
        """What is to happen by then."""
        return WORDS[self.clock]


def triage_due(opened_at: datetime) -> datetime:
    """Give the end of the business day by which staff must have taken a ticket up."""
    day = schedules.calendar().business_day_after(
        clock.day_of(opened_at), settings.current().ticket_triage_days
    )
    return _end_of(day)


def dispenser_due(asked_at: datetime) -> datetime:
    """Give the time by which a dispenser is to answer, so many hours from now.

    If the office is closed then, the end of the next business day: nobody would read
    the answer before.
    """
    due = asked_at + timedelta(hours=settings.current().ticket_dispenser_hours)
    calendar, day = schedules.calendar(), clock.day_of(due)
    if calendar.is_business_day(day):
        return due
    return _end_of(calendar.business_day_after(day, 0))


def outcome_due(opened_at: datetime) -> datetime:
    """Give the time by which a ticket is to be resolved."""
    return opened_at + timedelta(days=settings.current().ticket_days)


def running(ticket: Ticket) -> list[Due]:
    """Give what an open ticket waits for, the first due first; none if resolved."""
    if ticket.resolved_at is not None:
        return []
    found = [Due(TicketClock.OUTCOME, ticket.due_at)]
    if ticket.status is TicketStatus.NEW and ticket.triage_due_at:
        found.append(Due(TicketClock.TRIAGE, ticket.triage_due_at))
    if ticket.status is TicketStatus.WITH_DISPENSER and ticket.dispenser_due_at:
        found.append(Due(TicketClock.DISPENSER, ticket.dispenser_due_at))
    return sorted(found, key=lambda due: due.at)


def overdue(at: datetime) -> Any:
    """Give the condition of open tickets of which a clock has run out."""
    return Ticket.resolved_at.is_null() & (
        (Ticket.due_at < at)
        | ((Ticket.status == TicketStatus.NEW) & (Ticket.triage_due_at < at))
        | (
            (Ticket.status == TicketStatus.WITH_DISPENSER)
            & (Ticket.dispenser_due_at < at)
        )
    )


def notice_run_out(*, at: datetime) -> int:
    """Tell staff of each clock that has run out since the last time; how many."""
    found = 0
    for ticket in Ticket.select().where(overdue(at)).order_by(Ticket.id):
        late = [due for due in running(ticket) if due.at < at]
        found += sum(_notice(ticket, due, at=at) for due in late)
    return found


def _notice(ticket: Ticket, due: Due, *, at: datetime) -> bool:
    """Notice one that ran out; False if it was noticed before, here or elsewhere."""
    known = (
        TicketOverdue.select()
        .where(TicketOverdue.ticket == ticket)
        .where(TicketOverdue.clock == due.clock)
        .where(TicketOverdue.due_at == due.at)
    )
    if known.exists():
        return False
    try:
        with database.atomic():
            row = TicketOverdue.create(
                ticket=ticket, clock=due.clock, due_at=due.at, noticed_at=at
            )
            audit.record(
                audit.Event.TICKET_OVERDUE,
                actor="system",
                subject=f"ticket:{ticket.number}",
                at=at,
                detail={"clock": due.clock.value, "due": due.at.isoformat()},
            )
            telling.tell_overdue(row, at=at)
    except IntegrityError:  # another worker host was quicker
        return False
    return True


def _end_of(day: date) -> datetime:
    return clock.start_of(day + timedelta(days=1)) - _TICK
