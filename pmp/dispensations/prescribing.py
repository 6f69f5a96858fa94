"""What was dispensed under a prescriber's own DEA numbers, for their own review.

Each question is on the audit record, and a disclosure of nobody else's prescriptions:
only entries under the user's own numbers are shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
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
from pmp import audit, reporters, withheld
from pmp.dispensations import asked
from pmp.paging import Page, pages_of


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
    pages = pages_of(totals.fills, asked.PAGE)
    number = min(max(1, number), pages)
    rows = list(_ordered(_rows(conditions)).paginate(number, asked.PAGE))
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

    Raises RuleError if they are too many.
    """
    prescribers = reporters.prescribers_of(by)
    if not prescribers:
        return []
    query = _ordered(_rows(list(_conditions(wanted, prescribers))))
    rows = list(query.limit(asked.MOST_ROWS + 1))
    asked.not_too_many(rows)
    ids = asked.ranges(row.id for row in rows)
    _record(wanted, prescribers, by=by, at=at, file=True, dispensations=ids)
    return rows


def _conditions(wanted: Wanted, prescribers: Sequence[Prescriber]) -> Iterable[Any]:
    yield Dispensation.prescriber.in_([each.id for each in prescribers])
    yield Dispensation.status == DispensationStatus.CURRENT
    yield withheld.shown()
    yield from asked.filled(wanted.since, wanted.until)
    yield from asked.for_patient(wanted.patient, wanted.born)
    yield from asked.of_drug(wanted.drug)
    shop = Pharmacy.alias()
    for word in wanted.pharmacy.split():
        found = asked.holds(word, shop.name, shop.city, shop.dea)
        yield asked.of_its(Dispensation.pharmacy, shop, found)


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
    return {each.__data__["dispensation"]: each for each in query.order_by(Ticket.id)}


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
