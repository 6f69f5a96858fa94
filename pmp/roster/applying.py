"""Applies what a preview showed, and undoes it: in short steps, each whole.

A step marks its changes as done in its own transaction, so that a worker that is killed
leaves nothing half: the next one goes on with the first that is not done. Licences are
changed by imports alone; prescribers and pharmacies by their owners too, and what an
owner has changed since the preview, or since the import, stays.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from peewee import IntegrityError

from models import (
    Licence,
    RosterChange,
    RosterImport,
    RosterKind,
    RosterState,
    RosterTarget,
    RosterUploadPart,
    RosterWhat,
)
from pmp import audit, bulk, database
from pmp.roster import batches, reverification
from pmp.roster.batches import Hold, LostError, Now
from pmp.roster.differences import TABLES, Columns, columns_of, stored
from pmp.roster.licence_file import GONE
from pmp.roster.roster_files import BATCH


def apply(batch_id: int, *, now: Now) -> None:
    """Apply an import that was decided on, or go on with it, unless another does."""
    _work(batch_id, RosterState.APPLYING, _apply_some, _applied, now=now)


def undo(batch_id: int, *, now: Now) -> None:
    """Undo an import that was decided on, or go on with it, the last change first."""
    _work(batch_id, RosterState.UNDOING, _undo_some, _undone, now=now)


def _work(
    batch_id: int,
    state: RosterState,
    some: Callable[[Hold], int],
    finish: Callable[[Hold], None],
    *,
    now: Now,
) -> None:
    hold = batches.take(batch_id, states=(state,), to=state, now=now)
    if hold is None:
        return
    try:
        while some(hold):
            pass
        finish(hold)
    except LostError:
        return


# --- Applying


def _apply_some(hold: Hold) -> int:
    with database.atomic():
        hold.renew()
        changes = _next(hold, done=False)
        new = [each for each in changes if _is_new_licence(each)]
        if new:
            _make_licences(hold, new)
        marks = _marks(hold, changes)
        for change in changes:
            if change.target != RosterTarget.LICENCE:
                _change_person(change)
            elif change.what != RosterWhat.NEW:
                _change_licence(hold, change, marks)
        _mark(changes, done=True)
    return len(changes)


def _is_new_licence(change: RosterChange) -> bool:
    return bool(change.what == RosterWhat.NEW and change.target == RosterTarget.LICENCE)


def _marks(hold: Hold, changes: list[RosterChange]) -> dict[int, int | None]:
    """Give which import changed licences last; empty unless this one is to be it."""
    if RosterImport.get_by_id(hold.batch_id).kind != RosterKind.LICENCES:
        return {}
    ids = [each.target_id for each in changes if not _is_new_licence(each)]
    query: Any = Licence.select(Licence.id, Licence.last_import)
    return dict(query.where(bulk.among(Licence.id, ids)).tuples())


def _make_licences(hold: Hold, changes: list[RosterChange]) -> None:
    batch = hold.batch_id
    bulk.insert(
        Licence,
        [{**columns_of(each.after), "last_import": batch} for each in changes],
    )
    ids = [each.id for each in changes]
    mine = Licence.select(Licence.id).where(Licence.credential_id == RosterChange.key)
    RosterChange.update(target_id=mine).where(RosterChange.id.in_(ids)).execute()


def _change_licence(
    hold: Hold, change: RosterChange, marks: dict[int, int | None]
) -> None:
    before, after = change.before, change.after
    if change.target_id in marks:
        before = before | {"last_import": marks[change.target_id]}
        after = after | {"last_import": hold.batch_id}
        _rewrite(change, before=before, after=after)
    Licence.update(columns_of(after)).where(Licence.id == change.target_id).execute()


def _change_person(change: RosterChange) -> None:
    table = TABLES[change.target]
    person = _person(table, change)
    if person is None:
        made = table.create(**change.after)
        _rewrite(change, target_id=made.id)
        return
    # Who was reported meanwhile, or whose owner has changed something since.
    before = change.before if change.target_id else {"dea": change.key}
    after = {k: v for k, v in change.after.items() if _same(person, k, before.get(k))}
    _rewrite(
        change,
        what=RosterWhat.CHANGED,
        target_id=person.id,
        before={name: stored(person, name) for name in after},
        after=after,
    )
    if after:
        table.update(after).where(table.id == person.id).execute()


def _person(table: Any, change: RosterChange) -> Any:
    if change.target_id:
        return table.get_by_id(change.target_id)
    whole = table.dea == change.key
    if change.target == RosterTarget.PRESCRIBER:
        whole &= table.dea_suffix == ""
    return table.get_or_none(whole)


def _same(row: Any, name: str, value: Any) -> bool:
    return (stored(row, name) or "") == (value or "")


def _applied(hold: Hold) -> None:
    at = hold.now()
    with database.atomic():
        hold.end(RosterState.APPLIED, applied_at=at, turn=None)
        RosterUploadPart.delete().where(
            RosterUploadPart.batch == hold.batch_id
        ).execute()
        batch = batches.get(hold.batch_id)
        batches.note(batch, audit.Event.ROSTER_IMPORTED, by=batch.applied_by, at=at)
        reverification.recheck(batch, at=at)


# --- Undoing


def _undo_some(hold: Hold) -> int:
    with database.atomic():
        hold.renew()
        changes = _next(hold, done=True)
        for change in changes:
            _undo(change)
        _mark(changes, done=False)
    return len(changes)


def _undo(change: RosterChange) -> None:
    table = TABLES[change.target]
    row = table.get_or_none(table.id == change.target_id)
    if row is None:
        return
    if change.what == RosterWhat.NEW:
        _unmake(table, row, change)
        return
    back = {
        name: value
        for name, value in change.before.items()
        if _same(row, name, change.after.get(name))
    }
    if back:
        table.update(columns_of(back)).where(table.id == row.id).execute()


def _unmake(table: Any, row: Any, change: RosterChange) -> None:
    """Delete what the import made; where others hold on to it, take it out of use."""
    try:
        with database.atomic():
            table.delete().where(table.id == row.id).execute()
    except IntegrityError:
        if change.target == RosterTarget.LICENCE:
            back: Columns = {"status": GONE, "active": False}
        else:
            back = {
                name: None if table._meta.fields[name].null else ""  # noqa: SLF001
                for name, value in change.after.items()
                if name != "dea" and _same(row, name, value)
            }
        if back:
            table.update(back).where(table.id == row.id).execute()


def _undone(hold: Hold) -> None:
    at = hold.now()
    with database.atomic():
        hold.end(RosterState.UNDONE, undone_at=at, turn=None)
        batch = batches.get(hold.batch_id)
        note = partial(batches.note, batch, by=batch.undone_by, at=at)
        note(audit.Event.ROSTER_UNDONE, reason=batch.undo_reason)
        reverification.recheck(batch, at=at)


# --- Both


def _next(hold: Hold, *, done: bool) -> list[RosterChange]:
    order = RosterChange.id.desc() if done else RosterChange.id
    return list(
        RosterChange.select()
        .where(RosterChange.batch == hold.batch_id, RosterChange.done == done)
        .order_by(order)
        .limit(BATCH)
    )


def _mark(changes: list[RosterChange], *, done: bool) -> None:
    ids = [each.id for each in changes]
    if ids:
        RosterChange.update(done=done).where(RosterChange.id.in_(ids)).execute()


def _rewrite(change: RosterChange, **columns: Any) -> None:
    """Have a change say what was really done."""
    RosterChange.update(**columns).where(RosterChange.id == change.id).execute()
