"""The arithmetic of reporting periods: which days belong together, due by when.

Pure. A calendar is made of terms, which hold from a day on until the next ones start: a
period that is running then ends on the day before, so that every day falls into exactly
one period and no report is asked for twice.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from models import DispenserKind, Frequency

HALF = 15
SATURDAY = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """Days that are reported together, and the day by which."""

    first: date
    last: date
    due: date


@dataclass(frozen=True)
class Terms:
    """How often a kind of dispenser reports from a day on, and how soon after.

    `grace_days` follow a period's last day; with `business_days` neither weekends nor
    closed days count as one: the next business day is daily, 1, business days.
    """

    frequency: Frequency
    grace_days: int
    business_days: bool = False
    starts_on: date = date.min


@dataclass(frozen=True)
class Calendar:
    """The terms of each kind of dispenser, the earliest first, and the closed days.

    The first terms of a kind start on date.min.
    """

    terms: Mapping[DispenserKind, tuple[Terms, ...]]
    closed: frozenset[date] = frozenset()

    def terms_on(self, day: date, kind: DispenserKind) -> Terms:
        """Give the terms that hold on a day."""
        return next(each for each in self.terms[kind][::-1] if each.starts_on <= day)

    def period_of(
        self, day: date, kind: DispenserKind = DispenserKind.PHARMACY
    ) -> Period:
        """Give the period that a day falls into."""
        terms = self.terms_on(day, kind)
        first, last = _natural(day, terms.frequency)
        first = max(first, terms.starts_on)
        later = [
            each.starts_on
            for each in self.terms[kind]
            if each.starts_on > terms.starts_on
        ]
        if later:
            last = min(last, later[0] - _DAY)
        return Period(first, last, self._due(last, terms))

    def period_before(
        self, period: Period, kind: DispenserKind = DispenserKind.PHARMACY
    ) -> Period:
        """Give the period that ended just before another began."""
        return self.period_of(period.first - _DAY, kind)

    def periods(
        self, first: date, last: date, kind: DispenserKind = DispenserKind.PHARMACY
    ) -> Iterator[Period]:
        """Give the periods that these days fall into, in order."""
        day = first
        while day <= last:
            period = self.period_of(day, kind)
            yield period
            day = period.last + _DAY

    def remind_on(self, period: Period, kind: DispenserKind, days: int) -> date:
        """Give the day to remind of a period: so many days before it is due.

        Never before it is over, when nobody can have reported it; of a single day, on
        the day that it is due.
        """
        daily = self.terms_on(period.last, kind).frequency is Frequency.DAILY
        if daily:
            return period.due
        early = max(period.last + _DAY, period.due - timedelta(days=days))
        return min(early, period.due)

    def is_business_day(self, day: date) -> bool:
        """Tell whether the office is open: no weekend, no closed day."""
        return day.weekday() < SATURDAY and day not in self.closed

    def business_day_after(self, day: date, wanted: int) -> date:
        """Give the business day that so many of them follow a day; with 0 the next."""
        while wanted or not self.is_business_day(day):
            day += _DAY
            if wanted and self.is_business_day(day):
                wanted -= 1
        return day

    def _due(self, last: date, terms: Terms) -> date:
        if terms.business_days:
            return self.business_day_after(last, terms.grace_days)
        return last + timedelta(days=terms.grace_days)


def _natural(day: date, frequency: Frequency) -> tuple[date, date]:
    """Give the first and last day of the whole period, whatever terms are cut short."""
    if frequency is Frequency.DAILY:
        return day, day
    if frequency is Frequency.WEEKLY:  # Sunday to Saturday
        first = day - timedelta(days=(day.weekday() + 1) % 7)
        return first, first + timedelta(days=6)
    end = monthrange(day.year, day.month)[1]
    start, stop = 1, end
    if frequency is Frequency.TWICE_MONTHLY:
        start, stop = (1, HALF) if day.day <= HALF else (HALF + 1, end)
    return day.replace(day=start), day.replace(day=stop)
