"""Statistics for the programme and its public: counts by month and year, none small.

Counts are made anew each time. The totals of a year are those of its months' table, so
that what is hidden in one cannot be read in the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from peewee import fn

from models import Licence, LookUp, Profession, Role, Submission, User, UserStatus
from pmp import audit, clock, settings
from pmp.chart import bars
from pmp.chart.bars import Series
from pmp.errors import NotFoundError
from pmp.figures import suppression
from pmp.figures.months import MONTHS
from pmp.figures.subjects import ROLES, SUBJECTS, Subject

HIDDEN = "*"
MOST_YEARS = 10
HEADINGS = ("Subject", "Period", "What", "Count")


@dataclass(frozen=True)
class Row:
    """A month or a year: its counts by column, None where one is hidden."""

    name: str
    counts: Sequence[int | None]
    total: int | None


@dataclass(frozen=True)
class Figures:
    """A subject's counts: a row for each month or year; `sum` of the months."""

    subject: Subject
    rows: Sequence[Row]
    sum: Row | None

    @property
    def hides(self) -> bool:
        """Whether a count is hidden in it."""
        shown = [*self.rows, *([self.sum] if self.sum else [])]
        return any(None in (*row.counts, row.total) for row in shown)

    @property
    def picture(self) -> str:
        """Draw it as SVG text."""
        return bars.svg(
            [row.name for row in self.rows],
            [
                Series(name, [row.counts[number] for row in self.rows])
                for number, name in enumerate(self.subject.columns)
            ],
            title=f"{self.subject.title}: the numbers are in the table",
            stacked=self.subject.adds_up,
        )


@dataclass(frozen=True)
class Coverage:
    """Of the active licences of a profession, how many have an active account."""

    profession: Profession
    licensed: int
    registered: int

    @property
    def share(self) -> int | None:
        """Whole per cent; None without a licence."""
        return round(100 * self.registered / self.licensed) if self.licensed else None


def of_year(key: str, year: int, *, at: datetime) -> Figures:
    """Count a subject by month of a year, this year's up to now. NotFoundError."""
    subject = _subject(key)
    counted = subject.count(year, at)
    today = clock.day_of(at)
    months = [m for m in MONTHS if date(year, m, 1) <= today]
    grid = [[counted[m, name] for name in subject.columns] for m in months]
    grid.append([sum(column) for column in zip(*grid, strict=True)])
    if subject.adds_up:
        grid = [[*counts, sum(counts)] for counts in grid]
    names = [f"{date(year, m, 1):%b %Y}" for m in months]
    rows = [
        _row(name, counts, subject)
        for name, counts in zip([*names, str(year)], _shown(grid, subject), strict=True)
    ]
    return Figures(subject, rows[:-1], rows[-1])


def by_year(key: str, *, at: datetime) -> Figures:
    """Count a subject by year, the latest last."""
    each = [of_year(key, year, at=at) for year in years(at=at)]
    rows = [found.sum for found in each if found.sum is not None]
    return Figures(_subject(key), rows[::-1], None)


def years(*, at: datetime) -> list[int]:
    """List the years of which there is something to count, the latest first."""
    firsts: list[Any] = [
        LookUp.select(fn.MIN(LookUp.at)).scalar(),
        Submission.select(fn.MIN(Submission.received_at)).scalar(),
        User.select(fn.MIN(User.created_at)).scalar(),
    ]
    known: list[Any] = [User.created_at.python_value(each) for each in firsts if each]
    this = clock.day_of(at).year
    first = min((clock.day_of(each).year for each in known), default=this)
    return list(range(this, max(first, this - MOST_YEARS + 1) - 1, -1))


def coverage() -> list[Coverage]:
    """Count who is licensed today and who of them has an account, by profession."""
    rows: Any = (
        Licence.select(
            Licence.profession,
            fn.COUNT(Licence.id.distinct()),
            fn.COUNT(User.licence.distinct()),
        )
        .left_outer_join(
            User,
            on=((User.licence == Licence.id) & (User.status == UserStatus.ACTIVE)),
        )
        .where(Licence.active)
        .group_by(Licence.profession)
        .tuples()
    )
    found = {profession: numbers for profession, *numbers in rows}
    return [Coverage(each, *found.get(each, (0, 0))) for each in Profession]


def report(year: int, *, by: User, at: datetime, what: str) -> list[Figures]:
    """Give all subjects of a year, for a file; `what` it is goes on the audit record.

    NotFoundError for a year of which there is nothing.
    """
    if year not in years(at=at):
        raise NotFoundError("There are no statistics of this year.")
    audit.record(
        audit.Event.STATISTICS_DOWNLOADED,
        actor=by.username,
        subject=f"statistics:{year}",
        at=at,
        detail={"what": what},
    )
    return [of_year(key, year, at=at) for key in SUBJECTS]


def table(found: Sequence[Figures]) -> list[tuple[str, ...]]:
    """Give figures as rows under HEADINGS, for a file."""
    lines: list[tuple[str, ...]] = []
    for each in found:
        title = each.subject.title
        for row in [*each.rows, *([each.sum] if each.sum else [])]:
            named = zip(each.subject.columns, row.counts, strict=True)
            lines += [(title, row.name, name, shown(count)) for name, count in named]
            if each.subject.adds_up:
                lines.append((title, row.name, "Total", shown(row.total)))
    return lines


def shown(count: int | None) -> str:
    """Write a count; a star where it is hidden."""
    return HIDDEN if count is None else str(count)


def _subject(key: str) -> Subject:
    if key not in SUBJECTS:
        raise NotFoundError("There are no statistics of this.")
    found = SUBJECTS[key]
    unused = [] if _has_delegates() else [ROLES[Role.DELEGATE]]
    return replace(
        found, columns=[each for each in found.columns if each not in unused]
    )


def _has_delegates() -> bool:
    """Tell whether a state has, or has had, any: else they are no column."""
    made = User.select().where(User.role == Role.DELEGATE)
    return settings.current().delegates or bool(made.exists())


def _shown(grid: Sequence[Sequence[int]], subject: Subject) -> list[list[int | None]]:
    smallest = settings.current().smallest_count if subject.about_patients else 0
    gone = suppression.hidden(grid, smallest=smallest, across=subject.adds_up)
    return [
        [
            None if (row, column) in gone else count
            for column, count in enumerate(counts)
        ]
        for row, counts in enumerate(grid)
    ]


def _row(name: str, counts: Sequence[int | None], subject: Subject) -> Row:
    if subject.adds_up:
        return Row(name, counts[:-1], counts[-1])
    return Row(name, counts, 0)
