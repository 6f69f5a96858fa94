"""What became of tickets: by kind, outcome, pharmacy and month, and how long it took.

Of the tickets opened within a range of days; those that are still open count as such.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from peewee import JOIN

from models import Dispensation, Pharmacy, Ticket, TicketOutcome
from pmp import clock
from pmp.wording import words

HEADINGS = (
    "By",
    "Which",
    "Tickets",
    "Open",
    *(words(outcome) for outcome in TicketOutcome),
    "Withdrawn",
    "Median days to the outcome",
    "Overdue, %",
)
MOST_PHARMACIES = 50


@dataclass(frozen=True)
class Row:
    """Tickets that have something in common, counted.

    `withdrawn` were taken back by their reporter: they took no time and were not late.
    `overdue` were resolved after they were due, or are open and past it.
    """

    name: str
    tickets: int
    open: int
    outcomes: Counter[TicketOutcome]
    withdrawn: int
    median_days: float | None
    overdue: int

    @property
    def overdue_share(self) -> int:
        """Whole per cent of the tickets that were or are overdue."""
        return round(100 * self.overdue / self.tickets) if self.tickets else 0


@dataclass(frozen=True)
class Statistics:
    """All of them, and by what they have in common."""

    total: Row
    by: dict[str, list[Row]]


@dataclass(frozen=True)
class _Ended:
    problem: str
    pharmacy_id: int | None
    pharmacy: str
    opened_at: datetime
    due_at: datetime
    outcome: TicketOutcome | None
    resolved_at: datetime | None

    @property
    def is_withdrawn(self) -> bool:
        return self.resolved_at is not None and self.outcome is None


def between(first: date, last: date, *, at: datetime) -> Statistics:
    """Count the tickets opened from one day to another, both included."""
    rows = list(_rows(first, last))
    return Statistics(
        _counted("All", rows, at),
        {
            "Kind": _grouped(rows, lambda row: words(row.problem), at),
            "Month": sorted(
                _grouped(rows, lambda row: f"{clock.local(row.opened_at):%Y-%m}", at),
                key=lambda row: row.name,
            ),
            "Pharmacy": _grouped(
                rows, lambda row: row.pharmacy, at, key=lambda row: row.pharmacy_id
            )[:MOST_PHARMACIES],
        },
    )


def table(found: Statistics) -> list[list[Any]]:
    """Give them as rows under HEADINGS, for a file."""
    return [
        _line("All", found.total),
        *(_line(name, row) for name, rows in found.by.items() for row in rows),
    ]


def _line(name: str, row: Row) -> list[Any]:
    return [
        name,
        row.name,
        row.tickets,
        row.open,
        *(row.outcomes[outcome] for outcome in TicketOutcome),
        row.withdrawn,
        "" if row.median_days is None else row.median_days,
        row.overdue_share,
    ]


def _grouped(
    rows: Iterable[_Ended],
    name: Callable[[_Ended], str],
    at: datetime,
    *,
    key: Callable[[_Ended], object] | None = None,
) -> list[Row]:
    """Give a row for each key, else for each name, the most frequent first."""
    groups: dict[object, list[_Ended]] = {}
    for row in rows:
        groups.setdefault((key or name)(row), []).append(row)
    counted = [_counted(name(group[0]), group, at) for group in groups.values()]
    return sorted(counted, key=lambda row: (-row.tickets, row.name))


def _counted(name: str, rows: list[_Ended], at: datetime) -> Row:
    took = [
        (row.resolved_at - row.opened_at) / timedelta(days=1)
        for row in rows
        if row.resolved_at and row.outcome
    ]
    withdrawn = sum(row.is_withdrawn for row in rows)
    return Row(
        name=name,
        tickets=len(rows),
        open=len(rows) - len(took) - withdrawn,
        outcomes=Counter(row.outcome for row in rows if row.outcome),
        withdrawn=withdrawn,
        median_days=round(median(took), 1) if took else None,
        overdue=sum(
            (row.resolved_at or at) > row.due_at for row in rows if not row.is_withdrawn
        ),
    )


def _rows(first: date, last: date) -> Iterable[_Ended]:
    query: Any = (
        Ticket.select(
            Ticket.problem,
            Pharmacy.id,
            Pharmacy.name,
            Ticket.opened_at,
            Ticket.due_at,
            Ticket.outcome,
            Ticket.resolved_at,
        )
        .join(Dispensation, JOIN.LEFT_OUTER)
        .join(Pharmacy, JOIN.LEFT_OUTER)
        .where(Ticket.opened_at >= clock.start_of(first))
        .where(Ticket.opened_at < clock.start_of(last + timedelta(days=1)))
        .order_by(Ticket.id)
        .tuples()
    )
    for problem, number, pharmacy, *rest in query:
        yield _Ended(problem, number, pharmacy or "No pharmacy", *rest)
