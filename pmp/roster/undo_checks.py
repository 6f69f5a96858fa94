"""Why an import cannot be undone: what later imports changed, and what is in use."""

from collections.abc import Iterator
from typing import Any

from models import (
    Licence,
    RosterChange,
    RosterImport,
    RosterState,
    RosterTarget,
    RosterWhat,
    User,
)
from pmp.errors import ConflictError

NAMED = 5
_OF_NO_MATTER = frozenset({"last_import"})


def refuse(batch: RosterImport) -> None:
    """Raise ConflictError, naming the rows, where an import cannot be undone."""
    found = conflicts(batch)
    if found:
        more = len(found) - NAMED
        told = found[:NAMED] + ([f"and {more:,} more"] if more > 0 else [])
        raise ConflictError(
            f"Import {batch.id} cannot be undone. {'; '.join(told)}. Undo later imports"
            " first."
        )


def conflicts(batch: RosterImport) -> list[str]:
    """Give a sentence for each row that stands in the way; none: it can be undone."""
    return [*_changed_later(batch), *_in_use(batch)]


def _changed_later(batch: RosterImport) -> Iterator[str]:
    mine, other, later = RosterChange, RosterChange.alias(), RosterImport.alias()
    query: Any = (
        mine.select(
            mine.what, mine.label, mine.after, other.after, later.id, later.filename
        )
        .join(
            other,
            on=(mine.target == other.target) & (mine.target_id == other.target_id),
        )
        .join(later, on=(other.batch == later.id))
        .where(mine.batch == batch.id, mine.done, other.done)
        .where(other.batch != batch.id)
        .where(later.state == RosterState.APPLIED)
        .where(
            (later.applied_at > batch.applied_at)
            | ((later.applied_at == batch.applied_at) & (later.id > batch.id))
        )
        .order_by(mine.id, later.id)
        .tuples()
    )
    for what, label, after, newer, number, filename in query:
        both = (after.keys() & newer.keys()) - _OF_NO_MATTER
        if both or what == RosterWhat.NEW:
            yield f"{label} was changed by import {number} ({filename})"


def _in_use(batch: RosterImport) -> Iterator[str]:
    """Tell of licences that the import added, and that somebody has by now."""
    added = RosterChange.select(RosterChange.target_id).where(
        RosterChange.batch == batch.id,
        RosterChange.what == RosterWhat.NEW,
        RosterChange.target == RosterTarget.LICENCE,
        RosterChange.done,
    )
    backrefs: Any = Licence._meta.backrefs  # noqa: SLF001 - whoever holds on to one
    for key, table in backrefs.items():
        query = (
            table.select(table, Licence)
            .join(Licence, on=(key == Licence.id))
            .where(key.in_(added))
            .order_by(table.id)
        )
        for row in query:
            words = table._meta.table_name.replace("_", " ")  # noqa: SLF001
            name = f" {row.username}" if isinstance(row, User) else ""
            licence = getattr(row, key.name)
            yield f"{licence.code} {licence.name} is the licence of a {words}{name}"
