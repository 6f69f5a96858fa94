"""The reporting schedule: policy as rows, never changed in place, later ones replace.

Where a kind of dispenser has no row the settings hold (`reporting_policy`,
`reporting_grace_days`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from models import ClosedDay, DispenserKind, Frequency, ReportingSchedule, User
from pmp import audit, clock, database, settings, sorting
from pmp.errors import RuleError
from pmp.prepared import prepared
from pmp.reporting.calendars import Calendar, Period, Terms
from pmp.wording import us_date

MOST_GRACE = 31
PREVIEW = timedelta(weeks=6)
LATEST = "-written"
SORTS: dict[str, Any] = {
    "from": ReportingSchedule.starts_on,
    "who": ReportingSchedule.kind,
    "written": ReportingSchedule.id,
}

KIND_WORDS = {
    DispenserKind.PHARMACY: "Pharmacies",
    DispenserKind.PRACTITIONER: "Practitioners who dispense",
    DispenserKind.VETERINARIAN: "Veterinarians",
    DispenserKind.OUT_OF_STATE: "Out-of-state pharmacies",
}
ONE_OF_KIND = {
    DispenserKind.PHARMACY: "Pharmacy",
    DispenserKind.PRACTITIONER: "Practitioner who dispenses",
    DispenserKind.VETERINARIAN: "Veterinarian",
    DispenserKind.OUT_OF_STATE: "Out-of-state pharmacy",
}
FREQUENCY_WORDS = {
    Frequency.TWICE_MONTHLY: "Twice a month (1st to 15th, 16th to the end)",
    Frequency.MONTHLY: "Once a month",
    Frequency.WEEKLY: "Every week, Sunday to Saturday",
    Frequency.DAILY: "Every day",
}


@dataclass(frozen=True)
class Preset:
    """A schedule that a state has had: its terms for each kind of dispenser."""

    words: str
    terms: Mapping[DispenserKind, Terms]


def _all(terms: Terms, **others: Terms) -> dict[DispenserKind, Terms]:
    return {kind: others.get(kind.value, terms) for kind in DispenserKind}


_WEEKLY = Terms(Frequency.WEEKLY, 3)
PRESETS = {
    "brochure": Preset(
        "Overview for Prescribers & Pharmacists: twice a month",
        _all(Terms(Frequency.TWICE_MONTHLY, 5)),
    ),
    "weekly": Preset("Connecticut 2013: every week", _all(_WEEKLY)),
    "day": Preset("Connecticut 2016: within 24 hours", _all(Terms(Frequency.DAILY, 1))),
    "business_day": Preset(
        "Connecticut today: by the next business day; veterinarians every week",
        _all(Terms(Frequency.DAILY, 1, business_days=True), veterinarian=_WEEKLY),
    ),
}


def calendar() -> Calendar:
    """Give the calendar in force, past and to come: two queries."""
    rows = _in_order()
    # Of rows that start on the same day the one that was written last holds.
    found = {(row.kind, row.starts_on): row for row in rows}
    terms = {
        kind: (_default(), *(_terms(row) for (k, _), row in found.items() if k is kind))
        for kind in DispenserKind
    }
    return Calendar(terms, frozenset(day for (day,) in _closed_days()))


@prepared
def _in_order() -> Any:
    return ReportingSchedule.select().order_by(
        ReportingSchedule.starts_on, ReportingSchedule.id
    )


@prepared
def _closed_days() -> Any:
    return ClosedDay.select(ClosedDay.day).tuples()


def terms_now(*, today: date) -> dict[DispenserKind, Terms]:
    """Give the terms of each kind that hold today."""
    found = calendar()
    return {kind: found.terms_on(today, kind) for kind in DispenserKind}


def to_come(*, today: date) -> list[ReportingSchedule]:
    """List the rows that start later, the next first."""
    query = ReportingSchedule.select().where(ReportingSchedule.starts_on > today)
    return list(query.order_by(ReportingSchedule.starts_on, ReportingSchedule.id))


def history(sort: str = LATEST) -> list[ReportingSchedule]:
    """List every row that was ever written, the latest first.

    Or in another order, one of SORTS; a minus before it turns it round. They are too
    few to be narrowed, or for pages.
    """
    order = sorting.known(sort, SORTS, otherwise=LATEST)
    query = ReportingSchedule.select()
    return list(sorting.in_order(query, order, SORTS, then=ReportingSchedule.id))


def sentence(terms: Terms | ReportingSchedule) -> str:
    """Write terms as people say them."""
    often = FREQUENCY_WORDS[terms.frequency]
    days = terms.grace_days
    unit = "business day" if terms.business_days else "day"
    if not days:
        when = (
            "on the last day or the next business day"
            if terms.business_days
            else "on the last day itself"
        )
        return f"{often}; due {when}"
    number = "one" if days == 1 else str(days)
    return f"{often}; due {number} {unit}{'' if days == 1 else 's'} later"


def write(
    terms: Mapping[DispenserKind, Terms],
    *,
    starts_on: date,
    reason: str,
    by: User,
    at: datetime,
) -> list[ReportingSchedule]:
    """Put terms in force from a day on, for each kind whose terms differ then.

    RuleError for a day that is over (what was reported would move), for days of grace
    outside 0 to 31, without a reason, and where nothing would change.
    """
    wanted = changed(terms, starts_on=starts_on, today=clock.day_of(at))
    if not reason.strip():
        raise RuleError("Say why the schedule changes", field="reason")
    with database.atomic():
        return [
            _write(kind, each, reason=reason.strip(), by=by, at=at)
            for kind, each in wanted.items()
        ]


def changed(
    terms: Mapping[DispenserKind, Terms], *, starts_on: date, today: date
) -> dict[DispenserKind, Terms]:
    """Give the kinds whose terms would change from a day on; RuleError as for write."""
    if starts_on < today:
        message = f"Choose today or a later day: {us_date(starts_on)} is over."
        raise RuleError(message, field="starts_on")
    before = calendar()
    wanted = {}
    for kind, each in terms.items():
        if not 0 <= each.grace_days <= MOST_GRACE:
            message = f"Enter a number of days from 0 to {MOST_GRACE}"
            raise RuleError(message, field=f"{kind.value}_grace_days")
        new = replace(each, starts_on=starts_on)
        now = before.terms_on(starts_on, kind)
        if replace(now, starts_on=starts_on) != new:
            wanted[kind] = new
    if not wanted:
        raise RuleError("Nothing would change: these terms hold on that day already.")
    return wanted


def preview(
    terms: Mapping[DispenserKind, Terms], *, today: date
) -> list[tuple[list[DispenserKind], list[Period]]]:
    """Give what would be due within the next six weeks if these terms were written.

    Kinds with the same terms stand together; days that are due on the same day, too.
    """
    now = calendar()
    found: dict[tuple[Period, ...], list[DispenserKind]] = {}
    for kind, each in terms.items():
        before = (t for t in now.terms[kind] if t.starts_on != each.starts_on)
        ordered = sorted((*before, each), key=lambda terms: terms.starts_on)
        then = Calendar({kind: tuple(ordered)}, now.closed)
        periods = then.periods(today - PREVIEW, today + PREVIEW, kind)
        due = [each for each in periods if today <= each.due <= today + PREVIEW]
        found.setdefault(tuple(_together(due)), []).append(kind)
    return [(kinds, list(periods)) for periods, kinds in found.items()]


def unknown_holidays(terms: Mapping[DispenserKind, Terms], *, today: date) -> list[int]:
    """Give the years, of this and the next, without closed days, if these count."""
    if not any(each.business_days for each in terms.values()):
        return []
    known = {row.day.year for row in ClosedDay.select()}
    return [year for year in (today.year, today.year + 1) if year not in known]


def _together(periods: Iterable[Period]) -> Iterator[Period]:
    for due, same in groupby(periods, key=lambda period: period.due):
        first, *rest = same
        yield Period(first.first, (rest or [first])[-1].last, due)


def _write(
    kind: DispenserKind, terms: Terms, *, reason: str, by: User, at: datetime
) -> ReportingSchedule:
    row: ReportingSchedule = ReportingSchedule.create(
        kind=kind,
        frequency=terms.frequency,
        grace_days=terms.grace_days,
        business_days=terms.business_days,
        starts_on=terms.starts_on,
        reason=reason,
        written_by=by.username,
        written_at=at,
    )
    audit.record(
        audit.Event.REPORTING_SCHEDULE_WRITTEN,
        actor=by.username,
        subject=f"reporting_schedule:{row.id}",
        at=at,
        detail={
            "kind": kind.value,
            "frequency": terms.frequency.value,
            "grace_days": terms.grace_days,
            "business_days": terms.business_days,
            "starts_on": terms.starts_on.isoformat(),
            "reason": reason,
        },
    )
    return row


def _default() -> Terms:
    chosen = settings.current()
    return Terms(Frequency(chosen.reporting_policy), chosen.reporting_grace_days)


def _terms(row: ReportingSchedule) -> Terms:
    return Terms(row.frequency, row.grace_days, row.business_days, row.starts_on)
