"""Where a pharmacy stands with each period: reported, zero, exempt, due or late.

A period is reported once
- zero reports cover each of its days; or
- a record of a fill in it has come, and a submission with records of the pharmacy, or a
  zero report of its last day, has come after its end; or a fill of its very last day.
So a single day is reported by its own records alone: a later file does not hide the day
whose file was lost. See docs/decisions/0015.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from peewee import fn

from models import (
    Pharmacy,
    ReportedDay,
    ReportingExemption,
    Submission,
    User,
    ZeroReport,
)
from pmp import clock
from pmp.prepared import Question, among, prepared
from pmp.reporting.calendars import Calendar, Period

# Who is late is told from the last quarter; a pharmacy's own page shows a year.
LOOK_BACK = timedelta(days=92)
YEAR = timedelta(days=365)
LONGEST_PERIOD = timedelta(days=31)
AT_ONCE = 500
_DAY = timedelta(days=1)


class State(StrEnum):
    """Where a pharmacy stands with a period."""

    REPORTED = "reported"
    ZERO = "zero"
    EXEMPT = "exempt"
    RUNNING = "running"  # not over yet
    DUE = "due"
    LATE = "late"


OPEN = (State.DUE, State.LATE)
SETTLED = (State.REPORTED, State.ZERO, State.EXEMPT)


@dataclass(frozen=True)
class Came:
    """A report that came: when, by which submission or whose zero report."""

    at: datetime
    submission: int | None = None
    zero: ZeroReport | None = None


@dataclass(frozen=True)
class Standing:
    """A period and where a pharmacy stands with it; `days` until due, below 0 late."""

    period: Period
    state: State
    days: int
    came: Came | None = None

    @property
    def days_late(self) -> int:
        """How many days after it was due its report came; 0 in time or not at all."""
        if self.came is None:
            return 0
        return max(0, (clock.day_of(self.came.at) - self.period.due).days)


@dataclass
class Log:
    """What came from a pharmacy since a day, and what it was freed from.

    `days` are fill days and the first report of each; `arrivals` are days on which a
    submission came, in order, each with the last fill day in it.
    """

    days: dict[date, Came] = field(default_factory=dict)
    arrivals: list[tuple[date, date, Came]] = field(default_factory=list)
    zeros: list[ZeroReport] = field(default_factory=list)
    exempt: list[tuple[date, date]] = field(default_factory=list)

    def open_from(self, period: Period) -> date:
        """Give the first day of a period after the last reported fill in it."""
        filled = [day for day in _days(period.first, period.last) if day in self.days]
        return filled[-1] + _DAY if filled else period.first


def logs(
    pharmacies: Sequence[Pharmacy], *, since: date, whole: bool = False
) -> dict[int, Log]:
    """Give what came from each pharmacy, by its id, for periods from a day on.

    Unless `whole`, what came before all was reported (`reported_through`) is left out:
    little is left of pharmacies that are in time. Three queries for 500 pharmacies.
    """
    found = {pharmacy.id: Log() for pharmacy in pharmacies if pharmacy.id}
    since -= LONGEST_PERIOD  # the day may be the last of its period
    numbers = sorted(found)
    for start in range(0, len(numbers), AT_ONCE):
        some = numbers[start : start + AT_ONCE]
        _load_arrivals(found, some, since, whole=whole)
        zeros = ZeroReport.select().where(
            ZeroReport.pharmacy.in_(some), ZeroReport.last_day >= since
        )
        for zero in zeros.order_by(ZeroReport.reported_at, ZeroReport.id):
            found[zero.__data__["pharmacy"]].zeros.append(zero)
        exempt = ReportingExemption.select().where(
            ReportingExemption.pharmacy.in_(some)
        )
        for row in exempt:
            days = (row.first_day, row.last_day or date.max)
            found[row.__data__["pharmacy"]].exempt.append(days)
    return found


def judge(log: Log, period: Period, *, today: date) -> Standing:
    """Say where a pharmacy with this log stands with a period."""
    days = (period.due - today).days
    files, zeros = _by_files(log, period), _by_zeros(log, period)
    if files and not (zeros and zeros.at < files.at):
        return Standing(period, State.REPORTED, days, files)
    if zeros:
        return Standing(period, State.ZERO, days, zeros)
    if _covered(log.exempt, period):
        return Standing(period, State.EXEMPT, days)
    if period.last >= today:
        return Standing(period, State.RUNNING, days)
    return Standing(period, State.DUE if days >= 0 else State.LATE, days)


def standings(
    pharmacy: Pharmacy,
    log: Log,
    calendar: Calendar,
    *,
    since: date,
    today: date,
    whole: bool = False,
) -> list[Standing]:
    """Give where a pharmacy stands with each period that it owes, the earliest first.

    From the period that holds `since`, or its own first day if later, to the one that
    runs today; unless `whole`, without those before all was reported. A pharmacy that
    is not enrolled yet owes the one before the running one, too.
    """
    kind = pharmacy.kind
    running = calendar.period_of(today, kind)
    began = pharmacy.reports_since or calendar.period_before(running, kind).first
    if pharmacy.reported_through and not whole:
        began = max(began, pharmacy.reported_through + _DAY)
    first = calendar.period_of(min(max(since, began), today), kind).first
    return [
        judge(log, period, today=today)
        for period in calendar.periods(first, today, kind)
    ]


def open_days(
    pharmacy: Pharmacy, calendar: Calendar, *, first: date, last: date, today: date
) -> list[tuple[date, date]]:
    """Give the spans within these days that are still to be reported, in order.

    Of a period whose first fills have come, the days after the last of them.
    """
    log = logs([pharmacy], since=first, whole=True)[pharmacy.id]
    spans: list[tuple[date, date]] = []
    for period in calendar.periods(first, last, pharmacy.kind):
        start, end = max(log.open_from(period), first), min(period.last, last)
        if judge(log, period, today=today).state not in OPEN or start > end:
            continue
        if spans and spans[-1][1] + _DAY == start:
            start = spans.pop()[0]
        spans.append((start, end))
    return spans


def senders(found: Iterable[Standing]) -> dict[int, str]:
    """Give the user names of the submissions in these standings, by submission."""
    numbers = {each.came.submission for each in found if each.came}
    query: Any = (
        Submission.select(Submission.id, User.username)
        .join(User)
        .where(Submission.id.in_(sorted(number for number in numbers if number)))
        .tuples()
    )
    return dict(query)


def last_reports(pharmacies: Sequence[Pharmacy]) -> dict[int, datetime]:
    """Give when the last submission or zero report of each pharmacy came, by its id."""
    some = sorted(each.id for each in pharmacies if each.id)
    found: dict[int, datetime] = {}
    for query in _LAST:
        for pharmacy, last in query(pharmacies=some):
            found[pharmacy] = max(last, found.get(pharmacy, last))
    return found


def last_reports_asked(pharmacies: list[int]) -> list[Question]:
    """Give what `last_reports` asks of some, by id in order, for `prepared.ahead`."""
    return [query.asked(pharmacies=pharmacies) for query in _LAST]


@prepared
def _last_submissions() -> Any:
    return _last(ReportedDay, ReportedDay.received_at)


@prepared
def _last_zeros() -> Any:
    return _last(ZeroReport, ZeroReport.reported_at)


_LAST = (_last_submissions, _last_zeros)


def _last(table: Any, time: Any) -> Any:
    return (
        table.select(table.pharmacy, fn.MAX(time))
        .where(among(table.pharmacy, "pharmacies"))
        .group_by(table.pharmacy)
        .tuples()
    )


def _load_arrivals(
    found: dict[int, Log], some: list[int], since: date, *, whole: bool
) -> None:
    query: Any = (
        ReportedDay.select(
            ReportedDay.pharmacy,
            ReportedDay.received_at,
            ReportedDay.submission,
            ReportedDay.day,
        )
        .where(ReportedDay.pharmacy.in_(some))
        .where(ReportedDay.received_at >= clock.start_of(since))
        .order_by(ReportedDay.pharmacy, ReportedDay.received_at, ReportedDay.submission)
    )
    if not whole:
        # Midnight in UTC of its last settled day is before anything that came later.
        through = Pharmacy.reported_through
        after = through.is_null() | (ReportedDay.received_at >= through)
        query = query.join(Pharmacy).where(after)
    for pharmacy, received, submission, day in query.tuples():
        log, came = found[pharmacy], Came(received, submission)
        if day:
            log.days.setdefault(day, came)
        last = log.arrivals[-1] if log.arrivals else None
        if last and last[2] == came:
            log.arrivals[-1] = (last[0], max(last[1], day or date.min), came)
        else:
            log.arrivals.append((clock.day_of(received), day or date.min, came))


def _by_files(log: Log, period: Period) -> Came | None:
    """Give what made a period reported: its first fill or its end, the later."""
    filled = [
        log.days[day] for day in _days(period.first, period.last) if day in log.days
    ]
    if not filled:
        return None
    ended = _ended(log, period)
    first = min(filled, key=lambda came: came.at)
    return max(first, ended, key=lambda came: came.at) if ended else None


def _ended(log: Log, period: Period) -> Came | None:
    start = bisect_left(log.arrivals, period.last, key=lambda arrival: arrival[0])
    files = (
        came
        for arrived, last, came in log.arrivals[start:]
        if arrived > period.last or last >= period.last
    )
    zeros = (
        Came(zero.reported_at, zero=zero)
        for zero in log.zeros
        if zero.first_day <= period.last <= zero.last_day
    )
    found = [came for came in (next(files, None), next(zeros, None)) if came]
    return min(found, key=lambda came: came.at, default=None)


def _by_zeros(log: Log, period: Period) -> Came | None:
    missing = set(_days(period.first, period.last))
    for zero in log.zeros:  # in the order in which they came
        if zero.first_day <= period.last and zero.last_day >= period.first:
            missing -= set(
                _days(
                    max(zero.first_day, period.first), min(zero.last_day, period.last)
                )
            )
            if not missing:
                return Came(zero.reported_at, zero=zero)
    return None


def _covered(spans: Iterable[tuple[date, date]], period: Period) -> bool:
    """Tell whether spans of days, together, hold each day of a period."""
    missing = period.first
    for first, last in sorted(spans):
        if first <= missing <= last:
            if last >= period.last:
                return True
            missing = last + _DAY
    return False


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)
