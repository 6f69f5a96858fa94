"""What was dispensed under a prescriber's own DEA numbers, for their own review.

Each question is on the audit record, and a disclosure of nobody else's prescriptions:
only entries under the user's own numbers are shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from peewee import fn

from models import (
    Dispensation,
    DispensationStatus,
    Pharmacy,
    Prescriber,
    ReportedIdentity,
    Ticket,
    User,
)
from pmp import audit, identifiers, reporters, withheld
from pmp.dispensations.dispensing import ranges
from pmp.errors import RuleError
from pmp.uploads.submissions import Page

PAGE = 50
MOST_ROWS = 50_000  # of a CSV file; narrow the question for more
USUAL_DAYS = 90


@dataclass(frozen=True)
class Wanted:
    """What to show; an empty part does not narrow.

    `since` and `until` are days filled; `patient` holds words of the name, `born` the
    date of birth; `drug` words of its name or an NDC; `pharmacy` words of its name or
    place, or its DEA number.
    """

    since: date | None = None
    until: date | None = None
    patient: str = ""
    born: date | None = None
    drug: str = ""
    pharmacy: str = ""


@dataclass(frozen=True)
class Totals:
    """Counts over all that is wanted, not the page alone."""

    fills: int
    patients: int
    pharmacies: int


@dataclass(frozen=True)
class Prescribed:
    """A page of entries; `reported` gives the user's latest ticket about an id.

    `numbers` are the DEA numbers that were asked for.
    """

    numbers: Sequence[str]
    page: Page
    totals: Totals
    reported: Mapping[int, Ticket]


NOTHING = Prescribed((), Page([], 1, 1, 0), Totals(0, 0, 0), {})


def usual_since(today: date) -> date:
    """Give the first day that is shown when nobody has chosen one."""
    return today - timedelta(days=USUAL_DAYS - 1)


def own(wanted: Wanted, *, number: int, by: User, at: datetime) -> Prescribed:
    """Show a page of entries under a user's own DEA numbers, newest first.

    On the audit record before it is shown.  Nothing for a user whose numbers no record
    has named.
    """
    prescribers = reporters.prescribers_of(by)
    if not prescribers:
        return NOTHING
    conditions = list(_conditions(wanted, prescribers))
    totals = _totals(conditions)
    pages = max(1, -(-totals.fills // PAGE))
    number = min(max(1, number), pages)
    rows = list(_ordered(_rows(conditions)).paginate(number, PAGE))
    shown = [row.id for row in rows]
    _record(wanted, prescribers, by=by, at=at, page=number, dispensations=shown)
    return Prescribed(
        numbers=_numbers(prescribers),
        page=Page(rows, number, pages, totals.fills),
        totals=totals,
        reported=_reported(shown, by),
    )


def every(wanted: Wanted, *, by: User, at: datetime) -> list[Dispensation]:
    """Give all that is wanted, newest first, for a file; on the audit record first.

    Raises RuleError if they are more than MOST_ROWS.
    """
    prescribers = reporters.prescribers_of(by)
    if not prescribers:
        return []
    query = _ordered(_rows(list(_conditions(wanted, prescribers))))
    rows = list(query.limit(MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        message = f"These are more than {MOST_ROWS:,} rows. Choose fewer days."
        raise RuleError(message, field="since")
    ids = ranges(row.id for row in rows)
    _record(wanted, prescribers, by=by, at=at, file=True, dispensations=ids)
    return rows


def _conditions(wanted: Wanted, prescribers: Sequence[Prescriber]) -> Iterable[Any]:
    yield Dispensation.prescriber.in_([each.id for each in prescribers])
    yield Dispensation.status == DispensationStatus.CURRENT
    yield withheld.shown()
    if wanted.since:
        yield Dispensation.filled_on >= wanted.since
    if wanted.until:
        yield Dispensation.filled_on <= wanted.until
    yield from _typed(wanted)


def _typed(wanted: Wanted) -> Iterable[Any]:
    person, shop = ReportedIdentity.alias(), Pharmacy.alias()
    same = person.id == Dispensation.identity
    for word in wanted.patient.split():
        named = _holds(word, person.last_name, person.first_name)
        yield fn.EXISTS(person.select(person.id).where(same, named))
    if wanted.born:
        born = person.birth_date == wanted.born
        yield fn.EXISTS(person.select(person.id).where(same, born))
    for word in wanted.pharmacy.split():
        named = _holds(word, shop.name, shop.city, shop.dea)
        there = shop.id == Dispensation.pharmacy
        yield fn.EXISTS(shop.select(shop.id).where(there, named))
    if ndc := _ndc(wanted.drug):
        yield Dispensation.product_code == ndc
    else:
        for word in wanted.drug.split():
            yield _holds(word, Dispensation.drug_name, Dispensation.ingredient)


def _holds(word: str, *columns: Any) -> Any:
    return reduce(or_, (column.contains(word.strip(",")) for column in columns))


def _ndc(typed: str) -> str:
    try:
        return identifiers.parse_ndc(typed.strip())
    except ValueError:
        return ""


def _rows(conditions: list[Any]) -> Any:
    query: Any = Dispensation.select(
        Dispensation, ReportedIdentity, Prescriber, Pharmacy
    )
    return (
        query.join(ReportedIdentity)
        .switch(Dispensation)
        .join(Prescriber)
        .switch(Dispensation)
        .join(Pharmacy)
        .where(*conditions)
    )


def _ordered(query: Any) -> Any:
    return query.order_by(Dispensation.filled_on.desc(), Dispensation.id.desc())


def _totals(conditions: list[Any]) -> Totals:
    counts: Any = Dispensation.select(
        fn.COUNT(Dispensation.id),
        fn.COUNT(Dispensation.patient.distinct()),
        fn.COUNT(Dispensation.pharmacy.distinct()),
    ).where(*conditions)
    return Totals(*counts.tuples().get())


def _reported(ids: list[int], by: User) -> dict[int, Ticket]:
    query = Ticket.select().where(
        Ticket.dispensation.in_(ids) & (Ticket.opened_by == by)
    )
    # The latest one stays.
    return {each.dispensation.id: each for each in query.order_by(Ticket.id)}


def _numbers(prescribers: Sequence[Prescriber]) -> list[str]:
    return sorted(
        f"{each.dea}-{each.dea_suffix}" if each.dea_suffix else each.dea
        for each in prescribers
    )


def _record(
    wanted: Wanted,
    prescribers: Sequence[Prescriber],
    *,
    by: User,
    at: datetime,
    **shown: object,
) -> None:
    """Put on record what is shown; of what was typed, that something was, no names."""
    typed = ("patient", "born", "drug", "pharmacy")
    audit.record(
        audit.Event.PRESCRIBING_VIEWED,
        actor=by.username,
        subject=f"user:{by.username}",
        at=at,
        detail={
            "prescribers": [each.id for each in prescribers],
            "since": str(wanted.since or ""),
            "until": str(wanted.until or ""),
            "searched_by": [name for name in typed if getattr(wanted, name)],
            **shown,
        },
    )
