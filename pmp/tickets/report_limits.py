"""How many entries one user may report in a day: more than anybody does by hand.

A flood would mark everything as under review and bury what is wrong indeed. Who finds
that many, as when a number was stolen, calls the program.
"""

from datetime import datetime

from models import Ticket, User
from pmp import audit, clock, database, settings, wording
from pmp.errors import RuleError
from pmp.permissions import Permission, can


def check(*, by: User, at: datetime) -> None:
    """Raise RuleError, on the audit record, where a user has reported enough today."""
    most = settings.current().tickets_per_day
    if can(by.role, Permission.TICKET_WORK) or _today(by, at) < most:
        return
    audit.record(
        audit.Event.TICKET_REFUSED,
        actor=by.username,
        subject=f"user:{by.username}",
        at=at,
        detail={"limit": most},
    )
    raise _refusal()


def hold(*, by: User, at: datetime) -> None:
    """Let reports of one user in one at a time, and count once more.

    In the transaction of the ticket, before it is there.
    """
    if can(by.role, Permission.TICKET_WORK):
        return
    if not database.is_sqlite():  # SQLite's transactions are IMMEDIATE
        User.select(User.id).where(User.id == by.id).for_update().get()
    if _today(by, at) >= settings.current().tickets_per_day:
        raise _refusal()


def _today(by: User, at: datetime) -> int:
    midnight = clock.start_of(clock.day_of(at))
    rows = Ticket.select().where(Ticket.opened_by == by, Ticket.opened_at >= midnight)
    found: int = rows.count()
    return found


def _refusal() -> RuleError:
    program = settings.current()
    return RuleError(
        f"You have reported {program.tickets_per_day} problems today. If more is wrong,"
        f" call {wording.phone(program.program_phone)}: staff take it up as a whole."
    )
