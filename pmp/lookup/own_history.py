"""A user's own look-ups: the list with its filters, and the patients looked up last."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import and_
from typing import Any

from models import (
    Delegation,
    LookUp,
    LookUpOutcome,
    Patient,
    Purpose,
    UnusualLookUp,
    UnusualStatus,
    User,
)
from pmp import clock, delegates
from pmp.errors import RuleError
from pmp.paging import pages_of

PAGE_SIZE = 50
MOST_ROWS = 20_000  # of a CSV file; narrow the question for more


@dataclass(frozen=True)
class Wanted:
    """What to list; an empty part does not narrow. `name` holds words of the name."""

    name: str = ""
    since: date | None = None
    until: date | None = None
    purpose: Purpose | None = None
    outcome: LookUpOutcome | None = None


@dataclass(frozen=True)
class Listed:
    """A page of look-ups, newest first; `total` counts all that are wanted."""

    rows: list[LookUp]
    total: int
    number: int
    pages: int


def mine(
    wanted: Wanted, *, user: User, at: datetime, page: int = 1, size: int = PAGE_SIZE
) -> Listed:
    """Give a page of a user's own look-ups; a page too far is the last one.

    A delegate's of those alone for whom they look up now.
    """
    return _listed(_query(wanted, user, at), page, size)


def every(wanted: Wanted, *, user: User, at: datetime) -> list[LookUp]:
    """Give all of a user's own look-ups that are wanted, newest first, for a file.

    RuleError if they are more than MOST_ROWS.
    """
    rows = delegates.loaded(_query(wanted, user, at).limit(MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        message = f"These are more than {MOST_ROWS:,} rows. Choose fewer days."
        raise RuleError(message, field="since")
    return rows


def of_delegation(delegation: Delegation, *, page: int = 1) -> Listed:
    """Give a page of what a delegate looked up on one supervisor's behalf."""
    query = LookUp.select().where(LookUp.delegation == delegation)
    query = query.where(LookUp.outcome != LookUpOutcome.ASKED)
    return _listed(query.order_by(LookUp.at.desc(), LookUp.id.desc()), page, PAGE_SIZE)


def recent_patients(*, user: User, at: datetime, most: int = 10) -> list[LookUp]:
    """Give a user's latest look-up of each of the last patients, newest first."""
    latest: dict[Patient, LookUp] = {}
    rows = (
        LookUp.select(LookUp, Patient)
        .join(Patient)
        .where(_own(user, at))
        .order_by(LookUp.at.desc(), LookUp.id.desc())
        .limit(most * 10)
    )
    for row in rows:
        if row.patient is not None:
            latest.setdefault(row.patient, row)
    return list(latest.values())[:most]


def latest(user: User) -> LookUp | None:
    """Give what a user searched last, and for what; None for who never did."""
    last: LookUp | None = (
        LookUp.select()
        .where(LookUp.user == user)
        .order_by(LookUp.at.desc(), LookUp.id.desc())
        .first()
    )
    return last


def questions(user: User, *, at: datetime) -> list[UnusualLookUp]:
    """Give the look-ups that staff ask a user about, and that wait for an answer."""
    query = (
        UnusualLookUp.select(UnusualLookUp, LookUp)
        .join(LookUp)
        .where(_own(user, at))
        .where(UnusualLookUp.status == UnusualStatus.ASKED)
    )
    return list(query.order_by(UnusualLookUp.id))


def _listed(query: Any, page: int, size: int) -> Listed:
    total = query.count()
    pages = pages_of(total, size)
    number = min(max(1, page), pages)
    rows = delegates.loaded(query.paginate(number, size))
    return Listed(rows, total, number, pages)


def _own(user: User, at: datetime) -> Any:
    mine, seen = LookUp.user == user, delegates.seen_by(user, at=at)
    return mine if seen is None else mine & seen


def _query(wanted: Wanted, user: User, at: datetime) -> Any:
    query = LookUp.select().where(reduce(and_, _conditions(wanted, user, at)))
    return query.order_by(LookUp.at.desc(), LookUp.id.desc())


def _conditions(wanted: Wanted, user: User, at: datetime) -> Iterator[Any]:
    yield _own(user, at)
    if wanted.outcome:
        yield LookUp.outcome == wanted.outcome
    else:
        yield LookUp.outcome != LookUpOutcome.ASKED
    if wanted.purpose:
        yield LookUp.purpose == wanted.purpose
    if wanted.since:
        yield LookUp.at >= _midnight(wanted.since)
    if wanted.until:
        yield LookUp.at < _midnight(wanted.until + timedelta(days=1))
    for word in wanted.name.replace(",", " ").split():
        yield LookUp.first_name.contains(word) | LookUp.last_name.contains(word)


def _midnight(day: date) -> datetime:
    return clock.start_of(day)
