"""Fills counted by day, to be compared with a pharmacy's own log."""

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from peewee import fn

from models import Dispensation, DispensationStatus, Pharmacy, User, ZeroReport
from pmp import audit, clock
from pmp.dispensations import dispensing

SECOND, OTHERS_SCHEDULED = "CII", frozenset({"CIII", "CIV", "CV"})
_LONGEST = 400  # lines of a pasted log


@dataclass(frozen=True)
class Day:
    """A day's fills by schedule, and whether it was reported that there were none.

    `passed` is false for a day that is not over; `log` is what the pharmacy's own log
    says, if it was given.
    """

    day: date
    second: int
    third_to_fifth: int
    others: int
    zero_reported: bool
    passed: bool
    log: int | None = None

    @property
    def fills(self) -> int:
        return self.second + self.third_to_fifth + self.others

    @property
    def difference(self) -> int:
        """Give how many more the log has than the program; 0 without a log."""
        return 0 if self.log is None else self.log - self.fills

    @property
    def unaccounted(self) -> bool:
        """Tell whether nothing is known of the day: no fill and no zero report."""
        return self.passed and not self.fills and not self.zero_reported

    @property
    def contradicted(self) -> bool:
        """Tell whether none were reported for a day that has fills."""
        return self.zero_reported and self.fills > 0


@dataclass(frozen=True)
class Month:
    """The days of a month of one pharmacy; `lines` are pasted ones that fit no day."""

    pharmacy: Pharmacy | None
    first: date
    days: Sequence[Day]

    @property
    def last(self) -> date:
        return self.days[-1].day if self.days else self.first

    @property
    def before(self) -> date:
        return (self.first - timedelta(days=1)).replace(day=1)

    @property
    def after(self) -> date:
        return (self.first + timedelta(days=31)).replace(day=1)

    @property
    def differing(self) -> list[Day]:
        return [day for day in self.days if day.difference]

    @property
    def unaccounted(self) -> list[Day]:
        return [day for day in self.days if day.unaccounted]

    def total(self, name: str) -> int:
        """Sum one of the counts over the month."""
        return sum(getattr(day, name) or 0 for day in self.days)


@dataclass(frozen=True)
class Pasted:
    """A log as it was pasted: the counts by day, and the lines that cannot be read."""

    counts: Mapping[date, int]
    unread: Sequence[int]


def month(
    first: date,
    *,
    pharmacy: int | None,
    by: User,
    at: datetime,
    log: Mapping[date, int] | None = None,
) -> Month:
    """Count a pharmacy's standing fills on each day of the month that `first` is in.

    `log` is the pharmacy's own count by day; nothing of it is kept. Audited first.
    """
    first = first.replace(day=1)
    chosen = dispensing.pharmacy_of(by, pharmacy)
    if chosen is None:
        return Month(None, first, [])
    last = first.replace(day=monthrange(first.year, first.month)[1])
    audit.record(
        audit.Event.DISPENSING_VIEWED,
        actor=by.username,
        subject=f"pharmacy:{chosen.id}",
        at=at,
        detail={"what": "day counts", "since": str(first), "until": str(last)},
    )
    counted = _counted(chosen, first, last)
    zeros = _zero_days(chosen, first, last)
    today = clock.day_of(at)
    days = [first + timedelta(days=number) for number in range(last.day)]
    return Month(
        chosen,
        first,
        [
            Day(
                each,
                *counted.get(each, (0, 0, 0)),
                zero_reported=each in zeros,
                passed=each < today,
                log=(log or {}).get(each),
            )
            for each in days
        ],
    )


def pasted(text: str, *, year: int) -> Pasted:
    """Read lines of “date, count”, as a spreadsheet or a person writes them.

    A day without a year is of `year`; a first line that begins with no digit is a
    heading; a day on two lines has their sum. `unread` are line numbers from 1.
    """
    counts: dict[date, int] = {}
    unread = []
    for number, line in enumerate(text.splitlines()[:_LONGEST], start=1):
        if not line.strip() or (number == 1 and not line.strip(' "')[:1].isdigit()):
            continue
        found = _line(line, year)
        if found is None:
            unread.append(number)
        else:
            counts[found[0]] = counts.get(found[0], 0) + found[1]
    return Pasted(counts, unread)


_LINE = re.compile(
    r'[\s"]*(?:(?P<iso>\d{4})-(?P<iso_month>\d{1,2})-(?P<iso_day>\d{1,2})'
    r"|(?P<month>\d{1,2})[/.\-](?P<day>\d{1,2})(?:[/.\-](?P<year>\d{4}|\d\d))?)"
    r'"?\s*[,;\t ]\s*"?(?P<count>\d{1,3}(?:,\d{3})+|\d{1,6})[\s"]*',
    re.ASCII,
)


def _line(line: str, year: int) -> tuple[date, int] | None:
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    typed = int(match["iso"] or match["year"] or year)
    try:
        day = date(
            typed + 2000 if typed < 100 else typed,
            int(match["iso_month"] or match["month"]),
            int(match["iso_day"] or match["day"]),
        )
    except ValueError:
        return None
    return day, int(match["count"].replace(",", ""))


def _counted(
    pharmacy: Pharmacy, first: date, last: date
) -> dict[date, tuple[int, int, int]]:
    rows: Any = (
        Dispensation.select(
            Dispensation.filled_on, Dispensation.schedule, fn.COUNT(Dispensation.id)
        )
        .where(Dispensation.pharmacy == pharmacy)
        .where(Dispensation.filled_on.between(first, last))
        .where(Dispensation.status == DispensationStatus.CURRENT)
        .group_by(Dispensation.filled_on, Dispensation.schedule)
        .tuples()
    )
    found: dict[date, tuple[int, int, int]] = {}
    for day, schedule, count in rows:
        second, middle, others = found.get(day, (0, 0, 0))
        if schedule == SECOND:
            second += count
        elif schedule in OTHERS_SCHEDULED:
            middle += count
        else:
            others += count
        found[day] = (second, middle, others)
    return found


def _zero_days(pharmacy: Pharmacy, first: date, last: date) -> set[date]:
    reports = (
        ZeroReport.select()
        .where(ZeroReport.pharmacy == pharmacy)
        .where(ZeroReport.first_day <= last)
        .where(ZeroReport.last_day >= first)
    )
    return {
        day
        for report in reports
        for number in range((report.last_day - report.first_day).days + 1)
        if first <= (day := report.first_day + timedelta(days=number)) <= last
    }
