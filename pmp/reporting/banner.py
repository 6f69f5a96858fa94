"""What a user reports next: the most urgent of its pharmacies' open days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from models import Pharmacy, User, ZeroReport
from pmp import clock
from pmp.reporting import dispensers, schedules, standing, zeros
from pmp.reporting.calendars import Calendar, Period
from pmp.reporting.standing import OPEN, Log, Standing, State


@dataclass(frozen=True)
class Due:
    """The days whose report comes next; `days` until they are due, below 0 if late.

    `open_from` is the first of them after the last reported fill: from there on nothing
    may have been dispensed. `others` counts further pharmacies of the user that have
    days to report; `undo` is a zero report that the user made today.
    """

    period: Period
    reported: bool
    days: int
    pharmacy: Pharmacy
    open_from: date
    is_open: bool = False
    exempt: bool = False
    several: bool = False
    others: int = 0
    undo: ZeroReport | None = None

    @property
    def last_fill(self) -> date:
        """The day before `open_from`: of the last reported fill, if there is one."""
        return self.open_from - timedelta(days=1)


@dataclass(frozen=True)
class Now:
    """Where a pharmacy stands today; `due` is its oldest open days, or what runs."""

    pharmacy: Pharmacy
    due: Due
    open_periods: int


def next_due(user: User, *, today: date) -> Due:
    """Give what a user reports next: what is late or due, else the days that run.

    The oldest open days of a pharmacy come first, and of several pharmacies those that
    were or are due first.
    """
    found = states(dispensers.of_user(user), today=today)
    first, *others = sorted(found, key=_urgency)
    return replace(
        first.due,
        several=bool(others),
        others=sum(1 for each in others if each.due.is_open),
        undo=_reported_today(user, found, today=today),
    )


def of_pharmacy(pharmacy: Pharmacy, *, by: User, today: date) -> Due:
    """Give what is to be reported next for one pharmacy of a user."""
    found = states([pharmacy], today=today)
    return replace(found[0].due, undo=_reported_today(by, found, today=today))


def open_of(
    pharmacy: Pharmacy, first: date, last: date, *, today: date
) -> tuple[date, date]:
    """Give the first of these days that are still open; all of them if none is."""
    spans = standing.open_days(
        pharmacy, schedules.calendar(), first=first, last=last, today=today
    )
    return spans[0] if spans else (first, last)


def states(pharmacies: Sequence[Pharmacy], *, today: date) -> list[Now]:
    """Give where each of these pharmacies stands today, in their order."""
    calendar = schedules.calendar()
    since = today - standing.LOOK_BACK
    found = standing.logs(pharmacies, since=since)
    return [
        state_of(each, found.get(each.id, Log()), calendar, today=today)
        for each in pharmacies
    ]


def state_of(pharmacy: Pharmacy, log: Log, calendar: Calendar, *, today: date) -> Now:
    """Give where a pharmacy with this log stands today."""
    since = today - standing.LOOK_BACK
    found = standing.standings(pharmacy, log, calendar, since=since, today=today)
    opened = [each for each in found if each.state in OPEN]
    chosen = _together(opened) if opened else found[-1]
    due = Due(
        period=chosen.period,
        reported=chosen.state in {State.REPORTED, State.ZERO},
        days=chosen.days,
        pharmacy=pharmacy,
        open_from=log.open_from(chosen.period),
        is_open=bool(opened),
        exempt=chosen.state is State.EXEMPT,
    )
    return Now(pharmacy, due, len(opened))


def _together(opened: Sequence[Standing]) -> Standing:
    """Join single days that follow each other: they are reported in one go."""
    first = last = opened[0]
    for each in opened[1:]:
        single = each.period.first == each.period.last
        follows = each.period.first - timedelta(days=1) == last.period.last
        if not (single and follows and each.state is first.state):
            break
        last = each
    days = Period(first.period.first, last.period.last, first.period.due)
    return Standing(days, first.state, first.days)


def _urgency(now: Now) -> tuple[bool, date, str]:
    due = now.due
    return not due.is_open, due.period.due, now.pharmacy.name


def _reported_today(
    user: User, found: Sequence[Now], *, today: date
) -> ZeroReport | None:
    known = [each.pharmacy for each in found if each.pharmacy.id]
    mine = [
        zero
        for zero in zeros.of(known, limit=100)
        if zero.reported_by == user.username
        and zero.__data__["submission"] is None
        and clock.day_of(zero.reported_at) == today
    ]
    return max(mine, key=lambda zero: zero.id, default=None)
