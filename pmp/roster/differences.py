"""What a file would change, row by row, before anything is changed.

A reader of a kind of file gives steps, each of at most some hundred rows; they are kept
beside the import and applied later, exactly as they were shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from models import (
    Licence,
    Pharmacy,
    Prescriber,
    RosterTarget,
    RosterWhat,
)
from pmp.roster.roster_files import RowError, RowProblem

Columns = dict[str, Any]
TABLES: dict[RosterTarget, Any] = {
    RosterTarget.LICENCE: Licence,
    RosterTarget.PRESCRIBER: Prescriber,
    RosterTarget.PHARMACY: Pharmacy,
}


@dataclass(frozen=True)
class Change:
    """A row of our tables to be made or changed; only the columns that differ."""

    what: RosterWhat
    target: RosterTarget
    key: str
    label: str
    after: Columns
    before: Columns = field(default_factory=dict)
    target_id: int | None = None
    row: int | None = None


@dataclass
class Step:
    """What some rows of a file come to."""

    changes: list[Change] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    unchanged: int = 0
    skipped: int = 0

    def refuse(self, row: int, fault: RowError) -> None:
        """Note that a row cannot be used."""
        self.problems.append(RowProblem(row, str(fault), fault.column, fault.value))


def differing(row: Any, wanted: Mapping[str, Any]) -> tuple[Columns, Columns]:
    """Give the columns of a table's row that would change: before, and after."""
    before, after = {}, {}
    for name, value in wanted.items():
        now = stored(row, name)
        if now != plain(value):
            before[name], after[name] = now, plain(value)
    return before, after


def stored(row: Any, name: str) -> Any:
    """Give a column of a table's row as it is kept in a change; a key as its id."""
    if name in type(row)._meta.fields and hasattr(row, f"{name}_id"):  # noqa: SLF001
        return getattr(row, f"{name}_id")
    return plain(getattr(row, name))


def plain(value: Any) -> Any:
    """Give a value as JSON keeps it: a day as text, a word as its text."""
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, str) else value


def columns_of(kept: Mapping[str, Any]) -> Columns:
    """Give kept values as the tables take them."""
    values = dict(kept)
    if isinstance(day := values.get("expires_on"), str):
        values["expires_on"] = date.fromisoformat(day)
    return values
