"""How many entries one user may report in a day: more than anybody does by hand.

A flood would mark everything as under review and bury what is wrong indeed. Who finds
that many, as when a number was stolen, calls the program. What recipients answer to
reports is exempt: the program asked, and the rows of what it sent are the limit.
"""

from datetime import datetime
from typing import Any

from models import Ticket, User
from pmp import audit, clock, database, settings, wording
from pmp.errors import RuleError
from pmp.permissions import Permission, can


class TooManyError(RuleError):
    """A user has reported enough for a day."""


def hold(*, by: User, at: datetime) -> None:
    """Let reports of one user in one at a time; TooManyError where it is enough.

    In the transaction of the ticket, before it is there.
    """
    if can(by.role, Permission.TICKET_WORK):
        return
    if not database.is_sqlite():  # SQLite's transactions are IMMEDIATE
        # Readers are kept in place by key, and then wait for what this has taken.
        row: Any = User.select(User.id).where(User.id == by.id)
        row.for_update("FOR NO KEY UPDATE").get()
    if _today(by, at) >= settings.current().tickets_per_day:
        raise _refusal()


def refused(*, by: User, at: datetime) -> None:
    """Put a refusal on the audit record, after the ticket's transaction is undone."""
    audit.record(
        audit.Event.TICKET_REFUSED,
        actor=by.username,
        subject=f"user:{by.username}",
        at=at,
        detail={"limit": settings.current().tickets_per_day},
    )


def _today(by: User, at: datetime) -> int:
    midnight = clock.start_of(clock.day_of(at))
    rows = Ticket.select().where(Ticket.opened_by == by, Ticket.opened_at >= midnight)
    found: int = rows.count()
    return found


def _refusal() -> TooManyError:
    program = settings.current()
    return TooManyError(
        f"You have reported {program.tickets_per_day} problems today. If more is wrong,"
        f" call {wording.phone(program.program_phone)}: staff take it up as a whole."
    )
