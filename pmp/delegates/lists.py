"""The delegates for staff: who waits, who works for whom; sorted, found, as a file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import JOIN, fn

from models import Delegation, DelegationStatus, LookUp, User
from pmp import audit, delegates, downloads, sorting
from pmp.delegates.asking import record
from pmp.downloads import Listing
from pmp.lookup import own_history
from pmp.lookup.own_history import Listed
from pmp.paging import Page, page_of
from pmp.wording import us_date

PAGE_SIZE = 50
FILE = Listing("delegates", "delegates", "Choose a state.")
HEADINGS = (
    "Delegate",
    "User name",
    "Position",
    "Supervisor",
    "Licence",
    "State",
    "Asked",
    "Decided",
    "By",
    "Good until",
    "Ended",
    "Why it ended",
)
SORTS: dict[str, Any] = {
    "name": Delegation.name,
    "supervisor": delegates.SUPERVISOR.name,
    "state": Delegation.status,
    "asked": Delegation.asked_at,
    "decided": Delegation.decided_at,
}


@dataclass(frozen=True)
class Wanted:
    """Which delegates to list; an empty part does not narrow.

    Each word of `text` must be part of the name or position of the delegate, or of the
    name or user name of the supervisor. `sort` is one of SORTS, a minus turns it round.
    """

    text: str = ""
    status: DelegationStatus | None = None
    sort: str = "-asked"


def listed(wanted: Wanted, *, page: int) -> Page:
    """Give a page of delegations, their supervisors loaded."""
    return page_of(_query(wanted), number=page, size=PAGE_SIZE)


def rows_of(wanted: Wanted, *, by: User, at: datetime) -> list[list[Any]]:
    """Give the list as lines of a file, under HEADINGS; kept on record.

    RuleError if it is longer than a file may be.
    """
    rows = downloads.rows_of(_query(wanted), FILE, by=by, at=at)
    return [_line(row, at=at) for row in rows]


def look_ups(row: Delegation, *, by: User, at: datetime, page: int) -> Listed:
    """Give a page of what a delegate looked up for a supervisor, who answers for it.

    On the audit record first: it names patients.
    """
    record(audit.Event.DELEGATE_LOOK_UPS_VIEWED, row, by=by.username, at=at)
    return own_history.of_delegation(row, page=page)


def counts_since_review(rows: Iterable[Delegation]) -> dict[int, int]:
    """Count what delegates looked up since they were last confirmed, by delegation."""
    numbers = delegates.ids(rows)
    query: Any = (
        Delegation.select(Delegation.id, fn.COUNT(LookUp.id))
        .join(LookUp, JOIN.LEFT_OUTER, on=(LookUp.delegation == Delegation.id))
        .where(Delegation.id.in_(numbers))
        .where(Delegation.reviewed_at.is_null() | (LookUp.at >= Delegation.reviewed_at))
        .group_by(Delegation.id)
    )
    return dict.fromkeys(numbers, 0) | dict(query.tuples())


def _line(row: Delegation, *, at: datetime) -> list[Any]:
    supervisor = row.supervisor
    is_good = row.status == DelegationStatus.APPROVED
    return [
        row.name,
        row.delegate.username if row.delegate else "",
        row.position,
        supervisor.name,
        supervisor.licence.code if supervisor.licence else "",
        delegates.state_words(row, at=at),
        us_date(row.asked_at),
        us_date(row.decided_at),
        row.decided_by,
        us_date(delegates.due(row)) if is_good else "",
        us_date(row.ended_at),
        row.end_reason,
    ]


def _query(wanted: Wanted) -> Any:
    query, boss = delegates.standing(), delegates.SUPERVISOR
    for word in wanted.text.replace(",", " ").split():
        query = query.where(
            Delegation.name.contains(word)
            | Delegation.position.contains(word)
            | boss.name.contains(word)
            | boss.username.contains(word)
        )
    if wanted.status:
        query = query.where(Delegation.status == wanted.status)
    return sorting.in_order(query, wanted.sort, SORTS, then=Delegation.id)
