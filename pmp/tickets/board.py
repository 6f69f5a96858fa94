"""The staff board of tickets: which wait, for whom, since when; as a list and a file.

It names no patient: numbers, row codes, pharmacies and people of the program.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import JOIN, Case, fn

from models import (
    Audience,
    Dispensation,
    Pharmacy,
    Ticket,
    TicketMessage,
    TicketProblem,
    TicketStatus,
    User,
    UserStatus,
)
from pmp import audit, downloads, sorting, withheld
from pmp.downloads import Listing
from pmp.paging import Page, page_of
from pmp.permissions import Permission, can
from pmp.tickets import clocks, whole_records
from pmp.wording import us_date, us_time, words

PAGE_SIZE = 50
QUEUES = {
    "open": "Open",
    "mine": "Mine",
    "nobody": "Nobody's",
    "overdue": "Overdue",
    "escalated": "Escalated",
    "asked": "Pharmacy asked",
    "answered": "Pharmacy answered",
    "resolved": "Resolved",
}
AGES = (0, 2, 7, 30)
NOBODY = "nobody"
FIRST_DUE, LAST_RESOLVED = "due", "-resolved"
SORTS: dict[str, Any] = {
    "ticket": Ticket.id,
    "state": Ticket.status,
    "due": Ticket.due_at,
    "resolved": Ticket.resolved_at,
    "problem": Ticket.problem,
    "pharmacy": fn.LOWER(Pharmacy.name),
    "owner": User.username,
}
FILE = Listing(
    "tickets",
    "tickets",
    "Choose a list, a kind or an owner.",
    audit.Event.TICKETS_DOWNLOADED,
)
HEADINGS = (
    "Ticket",
    "State",
    "What is wrong",
    "Row",
    "Pharmacy",
    "Opened",
    "Due next",
    "Due",
    "Owner",
    "Escalated",
    "Resolved",
    "Outcome",
)
STATE_WORDS = {
    TicketStatus.NEW: "New",
    TicketStatus.TRIAGED: "In work",
    TicketStatus.WITH_DISPENSER: "Pharmacy asked",
    TicketStatus.ANSWERED: "Pharmacy answered",
    TicketStatus.RESOLVED: "Resolved",
    TicketStatus.TOLD: "Resolved, reporter told",
    TicketStatus.CLOSED: "Closed",
}


@dataclass(frozen=True)
class Wanted:
    """What to list; an empty part does not narrow.

    `queue` is one of QUEUES, `owner` a user name or NOBODY, `older` whole days; each
    word of `pharmacy` must be part of its name. `sort` is one of SORTS, a minus before
    it turns it round; else the overdue come first, then the first due.
    """

    queue: str = "open"
    problem: TicketProblem | None = None
    owner: str = ""
    older: int = 0
    pharmacy: str = ""
    sort: str = ""

    @property
    def order(self) -> str:
        own = LAST_RESOLVED if self.queue == "resolved" else FIRST_DUE
        return sorting.known(self.sort, SORTS, otherwise=own)


def listing(wanted: Wanted, *, by: User, at: datetime, page: int = 1) -> Page:
    """Give a page of the tickets that are wanted, in their order."""
    return page_of(_query(wanted, by=by, at=at), number=page, size=PAGE_SIZE)


def counts(*, by: User, at: datetime) -> dict[str, int]:
    """Count each queue of QUEUES but the resolved, for the tiles: one query."""
    names = [name for name in QUEUES if name != "resolved"]
    query: Any = (
        Ticket.select(
            *(
                fn.SUM(Case(None, ((_in_queue(name, by=by, at=at), 1),), 0))
                for name in names
            )
        )
        .join(Dispensation, JOIN.LEFT_OUTER)
        .where(Ticket.resolved_at.is_null())
        .where(withheld.shown_to(by))
        .tuples()
    )
    return dict(zip(names, (total or 0 for total in query.get()), strict=True))


def reporter_wrote(listed: Collection[Ticket]) -> set[int]:
    """Give the ids of the open tickets whose last line to or by the reporter is theirs.

    Their first one is the report itself and does not count.
    """
    waiting = [each.id for each in listed if each.resolved_at is None]
    last: Any = (
        TicketMessage.select(fn.MAX(TicketMessage.id))
        .where(TicketMessage.ticket.in_(waiting))
        .where(TicketMessage.audience == Audience.REPORTER)
        .group_by(TicketMessage.ticket)
        .having(fn.COUNT(TicketMessage.id) > 1)
    )
    rows: Any = (
        TicketMessage.select(TicketMessage.ticket, User.role)
        .join(User, on=(User.username == TicketMessage.by))
        .where(TicketMessage.id.in_(last))
        .tuples()
    )
    return {number for number, role in rows if not can(role, Permission.TICKET_WORK)}


def rows_of(wanted: Wanted, *, by: User, at: datetime) -> Iterator[list[Any]]:
    """Give all that is wanted as rows under HEADINGS; on the audit record first.

    RuleError if they are more than a file may hold.
    """
    query = _query(wanted, by=by, at=at)
    rows = downloads.rows_of(query, FILE, by=by, at=at, queue=wanted.queue)
    return map(_line, rows)


def state_of(ticket: Ticket) -> str:
    """Say a ticket's state in words."""
    return words(ticket.outcome) if ticket.outcome else STATE_WORDS[ticket.status]


def _line(ticket: Ticket) -> list[Any]:
    due = next(iter(clocks.running(ticket)), None)
    return [
        ticket.number,
        state_of(ticket),
        words(ticket.problem),
        whole_records.subject(ticket),
        ticket.dispensation.pharmacy.name if ticket.dispensation else "",
        us_time(ticket.opened_at),
        due.words if due else "",
        us_time(due.at) if due else "",
        ticket.assigned_to.username if ticket.assigned_to else "",
        us_date(ticket.escalated_at),
        us_time(ticket.resolved_at),
        words(ticket.outcome) if ticket.outcome else "",
    ]


def _query(wanted: Wanted, *, by: User, at: datetime) -> Any:
    query: Any = (
        Ticket.select(Ticket, Dispensation, Pharmacy, User)
        .join(Dispensation, JOIN.LEFT_OUTER)
        .join(Pharmacy, JOIN.LEFT_OUTER)
        .join_from(Ticket, User, JOIN.LEFT_OUTER, on=Ticket.assigned_to)
        .where(_in_queue(wanted.queue, by=by, at=at))
        .where(withheld.shown_to(by))
    )
    if wanted.problem:
        query = query.where(Ticket.problem == wanted.problem)
    if wanted.owner == NOBODY:
        query = query.where(_nobodys())
    elif wanted.owner:
        query = query.where(User.username == wanted.owner)
    if wanted.older:
        query = query.where(Ticket.opened_at < at - timedelta(days=wanted.older))
    for word in wanted.pharmacy.split():
        query = query.where(Pharmacy.name.contains(word))
    if wanted.order == FIRST_DUE:
        late_first = Case(None, ((clocks.overdue(at), 0),), 1)
        return query.order_by(late_first, Ticket.due_at, Ticket.id)
    return sorting.in_order(query, wanted.order, SORTS, then=Ticket.id)


def _nobodys() -> Any:
    """Give the condition of tickets without an owner who is still there."""
    there = User.select(User.id).where(User.status == UserStatus.ACTIVE)
    return Ticket.assigned_to.is_null() | Ticket.assigned_to.not_in(there)


def _in_queue(name: str, *, by: User, at: datetime) -> Any:
    is_open = Ticket.resolved_at.is_null()
    return {
        "mine": is_open & (Ticket.assigned_to == by),
        "nobody": is_open & _nobodys(),
        "overdue": clocks.overdue(at),
        "escalated": is_open & ~Ticket.escalated_at.is_null(),
        "asked": is_open & (Ticket.status == TicketStatus.WITH_DISPENSER),
        "answered": is_open & (Ticket.status == TicketStatus.ANSWERED),
        "resolved": ~Ticket.resolved_at.is_null(),
    }.get(name, is_open)
