"""Counting rows by month of the programme's zone and by kind, in one query."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from peewee import SQL, Case, fn

from pmp import clock

MONTHS = range(1, 13)


def first_of(year: int, month: int) -> datetime:
    """Give when a month begins in the programme's zone; month 13 is the next year."""
    return clock.start_of(date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1))


def by_month(
    rows: Any,
    at: Any,
    year: int,
    *,
    kinds: Sequence[Any],
    name: Callable[..., str],
    what: Any = None,
) -> Counter[tuple[int, str]]:
    """Count rows of a year by month and by name, which is told from the `kinds`.

    `rows` is a query without columns of its own; `at` is the time that counts; `what`
    is counted instead of the rows.
    """
    month = Case(
        None, [(at < first_of(year, each + 1), each) for each in MONTHS[:-1]], 12
    )
    named = [kind.alias(f"kind_{number}") for number, kind in enumerate(kinds)]
    groups = [SQL(f"kind_{number}") for number in range(len(kinds))]
    query = (
        rows.select(month.alias("in_month"), *named, what or fn.COUNT(SQL("*")))
        .where(at >= first_of(year, 1), at < first_of(year, 13))
        .group_by(SQL("in_month"), *groups)
        .tuples()
    )
    found: Counter[tuple[int, str]] = Counter()
    for in_month, *kinds_found, count in query:
        found[in_month, name(*kinds_found)] += int(count or 0)
    return found
