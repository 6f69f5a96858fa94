"""Who a new ticket goes to: of those who take its kind, who has the least to do."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from peewee import fn

from models import (
    Dispensation,
    Role,
    Ticket,
    TicketProblem,
    TicketTaker,
    User,
    UserStatus,
)
from pmp import audit, bulk, database, withheld
from pmp.errors import RuleError
from pmp.permissions import ROLES, Permission, can


def desk(entry: Dispensation | None = None) -> list[User]:
    """Give the active people who may work on tickets, by user name.

    On one about an entry, those who may see it.
    """
    roles = [role for role in ROLES if can(role, Permission.TICKET_WORK)]
    query = (
        User.select()
        .where(User.status == UserStatus.ACTIVE)
        .where(User.role.in_(roles))
        .order_by(User.username)
    )
    return [user for user in query if withheld.may_see(entry, user)]


def administrators() -> list[User]:
    """Give those of the desk to whom a ticket can be escalated."""
    return [user for user in desk() if can(user.role, Permission.TICKET_ROUTE)]


def choose(problem: TicketProblem, entry: Dispensation | None = None) -> User | None:
    """Give who gets a new ticket of a kind; None if nobody is there.

    Among those who take the kind; if none of them is active, among all staff. The one
    with the fewest open tickets, then the one who came first. A withheld entry goes to
    nobody who may not see it.
    """
    there = {user.id: user for user in desk(entry)}
    takers = [each for each in _takers(problem) if each in there]
    staff = [user.id for user in there.values() if user.role is Role.STAFF]
    is_withheld = entry is not None and entry.withheld is not None
    wanted = takers or (list(there) if is_withheld else staff)
    load = open_tickets()
    chosen = min(wanted, key=lambda each: (load[each], each), default=None)
    return None if chosen is None else there[chosen]


def open_tickets() -> Counter[int]:
    """Count the open tickets of each user."""
    rows: Any = (
        Ticket.select(Ticket.assigned_to, fn.COUNT(Ticket.id))
        .where(Ticket.resolved_at.is_null())
        .where(~Ticket.assigned_to.is_null())
        .group_by(Ticket.assigned_to)
        .tuples()
    )
    return Counter(dict(rows))


def takers() -> dict[TicketProblem, list[int]]:
    """Give the ids of the users who take each kind."""
    return {problem: _takers(problem) for problem in TicketProblem}


def set_takers(
    chosen: Mapping[TicketProblem, Collection[int]], *, by: User, at: datetime
) -> None:
    """Say who takes which kinds, for tickets that come from now on.

    RuleError for somebody who does not work on tickets.
    """
    names = {user.id: user.username for user in desk()}
    if any(each not in names for ids in chosen.values() for each in ids):
        raise RuleError("Only active staff can take tickets.")
    rows = [
        {"user": each, "problem": problem}
        for problem, ids in chosen.items()
        for each in sorted(set(ids))
    ]
    with database.atomic():
        TicketTaker.delete().execute()
        bulk.insert(TicketTaker, rows)
        audit.record(
            audit.Event.TICKET_ROUTING_CHANGED,
            actor=by.username,
            subject="ticket_routing",
            at=at,
            detail={
                problem.value: [names[each] for each in sorted(set(ids))]
                for problem, ids in chosen.items()
                if ids
            },
        )


def _takers(problem: TicketProblem) -> list[int]:
    rows: Any = (
        TicketTaker.select(TicketTaker.user)
        .where(TicketTaker.problem == problem)
        .order_by(TicketTaker.user)
        .tuples()
    )
    return [user for (user,) in rows]
