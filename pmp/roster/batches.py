"""An import's life: asked for, read, looked at, applied, undone; by one at a time.

Reading, applying and undoing are many short transactions, each whole. Whoever does it
holds the import for some minutes and says so with each step; after a kill the next
worker goes on where it ended. One import at a time is applied or undone, and only one
that was read from the roster as it still is.
"""

import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import IntegrityError, fn

from models import (
    Licence,
    RosterChange,
    RosterImport,
    RosterKind,
    RosterProblem,
    RosterSource,
    RosterState,
    RosterUploadPart,
    RosterWhat,
)
from pmp import audit, database
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.roster.licence_file import GONE

LEASE = timedelta(minutes=5)
TURN = "taken"
# More than this share gone looks like half a download.
MOST_GONE = 0.1
FEW = 20
KEPT_PREVIEWS = timedelta(days=30)
UNFINISHED = (
    RosterState.WAITING,
    RosterState.READING,
    RosterState.APPLYING,
    RosterState.UNDOING,
)
DECIDED = (RosterState.APPLIED, RosterState.UNDONE)
Now = Callable[[], datetime]


class LostError(Exception):
    """Another worker has the import by now: whoever sees this stops."""


@dataclass(frozen=True)
class Hold:
    """An import in the hands of one worker."""

    batch_id: int
    worker: str
    now: Now

    def renew(self, **columns: Any) -> None:
        """Say in a step's transaction that it goes on; LostError if it must not."""
        held = (
            RosterImport.update(worker_until=self.now() + LEASE, **columns)
            .where(RosterImport.id == self.batch_id)
            .where(RosterImport.worker == self.worker)
            .execute()
        )
        if not held:
            raise LostError

    def end(self, state: RosterState, **columns: Any) -> None:
        """Put the import down in its next state, in the last step's transaction."""
        self.renew(state=state, **columns)
        RosterImport.update(worker=None, worker_until=None).where(
            RosterImport.id == self.batch_id
        ).execute()


def ask(
    *, filename: str, kind: RosterKind, source: RosterSource, by: str, at: datetime
) -> RosterImport:
    """Ask for a file to be read; nothing is applied. `by`: a user name or "system"."""
    with database.atomic():
        batch: RosterImport = RosterImport.create(
            filename=filename[-255:],
            kind=kind,
            source=source,
            state=RosterState.WAITING,
            asked_by=by,
            asked_at=at,
        )
        note(batch, audit.Event.ROSTER_PREVIEWED, by=by, at=at)
    return batch


def get(batch_id: int) -> RosterImport:
    """Give an import; NotFoundError if there is none with this number."""
    found: RosterImport | None = RosterImport.get_or_none(RosterImport.id == batch_id)
    if found is None:
        raise NotFoundError(f"There is no roster import {batch_id}.")
    return found


def unfinished(*, at: datetime) -> list[int]:
    """Give imports that wait for a worker, or whose worker is gone.

    What a command reads nobody else can: its file is known to the command alone.
    """
    free = RosterImport.worker.is_null() | (RosterImport.worker_until < at)
    lost = RosterImport.state.in_((RosterState.APPLYING, RosterState.UNDOING))
    query: Any = (
        RosterImport.select(RosterImport.id)
        .where(RosterImport.state.in_(UNFINISHED))
        .where(free, lost | (RosterImport.source != RosterSource.COMMAND))
        .order_by(RosterImport.id)
        .tuples()
    )
    return [number for (number,) in query]


def take(
    batch_id: int, *, states: Collection[RosterState], to: RosterState, now: Now
) -> Hold | None:
    """Take an import that is in one of these states and nobody holds; None else."""
    worker, at = secrets.token_hex(16), now()
    free = RosterImport.worker.is_null() | (RosterImport.worker_until < at)
    taken = (
        RosterImport.update(state=to, worker=worker, worker_until=at + LEASE)
        .where((RosterImport.id == batch_id) & RosterImport.state.in_(states))
        .where(free)
        .execute()
    )
    return Hold(batch_id, worker, now) if taken else None


def roster_version() -> int:
    """Count how often the roster was changed by an import or its undoing."""
    query: Any = RosterImport.select(
        fn.COUNT(RosterImport.applied_at), fn.COUNT(RosterImport.undone_at)
    )
    applied, undone = query.tuples().get()
    return int(applied + undone)


def is_stale(batch: RosterImport) -> bool:
    """Tell whether the roster has changed since the file was set beside it."""
    return bool(batch.roster_version != roster_version())


def is_ready(batch: RosterImport) -> bool:
    """Tell whether an import is a preview to decide on."""
    return bool(batch.state == RosterState.READY)


def may_undo(batch: RosterImport) -> bool:
    """Tell whether there is something to undo, and its changes are known.

    What was applied before imports could be previewed kept none.
    """
    known = RosterChange.select().where(RosterChange.batch == batch, RosterChange.done)
    return bool(batch.state == RosterState.APPLIED and known.exists())


def applied_before(batch: RosterImport) -> RosterImport | None:
    """Give the last import of the very same file that was applied, if any."""
    query = (
        RosterImport.select()
        .where(RosterImport.sha256 == batch.sha256, RosterImport.id != batch.id)
        .where(RosterImport.state == RosterState.APPLIED)
        .order_by(RosterImport.id.desc())
    )
    found: RosterImport | None = query.first() if batch.sha256 else None
    return found


def looks_partial(batch: RosterImport) -> str:
    """Say that so many licences would be gone that the file may be a part; or ""."""
    known = Licence.select().where(Licence.status != GONE).count()
    if batch.gone <= max(FEW, known * MOST_GONE):
        return ""
    return f"{batch.gone:,} of {known:,} licences are not in {batch.filename}."


def begin_to_apply(
    batch_id: int, *, by: str, at: datetime, accept_gone: bool = False
) -> RosterImport:
    """Decide that a preview is to be applied; a worker does it.

    RuleError where another is being applied or undone, where the roster has changed
    since, and where many licences would be gone (field `accept_gone`).
    """
    with _turn(batch_id, RosterState.READY, RosterState.APPLYING, applied_by=by):
        batch = get(batch_id)
        if is_stale(batch):
            raise ConflictError(
                f"The roster has changed since {batch.filename} was compared with it."
                " Read the file again, and look at what it would change now."
            )
        partial = looks_partial(batch)
        if partial and not accept_gone:
            raise RuleError(
                f"{partial} Is it whole? If it is, say so.", field="accept_gone"
            )
        note(batch, audit.Event.ROSTER_APPLY_BEGUN, by=by, at=at)
    return batch


def begin_to_undo(
    batch_id: int, *, reason: str, by: str, at: datetime, check: Callable[[Any], None]
) -> RosterImport:
    """Decide that an import is to be undone; `check` raises RuleError if it cannot."""
    if not reason.strip():
        raise RuleError("Say why the import is undone.", field="reason")
    more = {"undone_by": by, "undo_reason": reason.strip()}
    with _turn(batch_id, RosterState.APPLIED, RosterState.UNDOING, **more):
        batch = get(batch_id)
        check(batch)
        note(batch, audit.Event.ROSTER_UNDO_BEGUN, by=by, at=at, reason=reason.strip())
    return batch


@contextmanager
def _turn(
    batch_id: int, before: RosterState, to: RosterState, **columns: str
) -> Iterator[None]:
    """Take the one turn there is for an import, in a transaction with what follows."""
    try:
        with database.atomic():
            taken = (
                RosterImport.update(state=to, turn=TURN, **columns)
                .where(RosterImport.id == batch_id, RosterImport.state == before)
                .execute()
            )
            if not taken:
                state = get(batch_id).state.value
                raise ConflictError(f"Import {batch_id} is {state} by now.")
            yield
    except IntegrityError as busy:
        raise ConflictError(
            "Another import is being applied or undone. Wait until it is done."
        ) from busy


def discard(batch_id: int, *, by: str, at: datetime) -> RosterImport:
    """Drop a preview, or a file that waits or could not be read."""
    states = (RosterState.READY, RosterState.FAILED, RosterState.WAITING)
    with database.atomic():
        dropped = (
            RosterImport.update(state=RosterState.DISCARDED)
            .where(RosterImport.id == batch_id, RosterImport.state.in_(states))
            .execute()
        )
        batch = get(batch_id)
        if not dropped:
            raise ConflictError(f"Import {batch_id} is {batch.state.value} by now.")
        forget(batch_id)
        note(batch, audit.Event.ROSTER_DISCARDED, by=by, at=at)
    return batch


def read_again(batch_id: int, *, by: str, at: datetime) -> RosterImport:
    """Have an upload or a file of the folder compared with the roster as it is now."""
    states = (RosterState.READY, RosterState.FAILED)
    with database.atomic():
        asked = (
            RosterImport.update(state=RosterState.WAITING, error="", rows_read=0)
            .where(RosterImport.id == batch_id, RosterImport.state.in_(states))
            .where(RosterImport.source != RosterSource.COMMAND)
            .execute()
        )
        batch = get(batch_id)
        if not asked:
            raise ConflictError(f"Import {batch_id} is {batch.state.value} by now.")
        note(batch, audit.Event.ROSTER_PREVIEWED, by=by, at=at)
    return batch


def forget(batch_id: int) -> None:
    """Delete what was kept for a decision that nobody takes any more."""
    for table in (RosterChange, RosterProblem, RosterUploadPart):
        table.delete().where(table.batch == batch_id).execute()


def expire(*, at: datetime) -> int:
    """Drop previews on which nobody has decided for a month; give how many."""
    states = (RosterState.READY, RosterState.FAILED, RosterState.READING)
    old = list(
        RosterImport.select()
        .where(RosterImport.state.in_(states))
        .where(RosterImport.asked_at < at - KEPT_PREVIEWS)
        .where(RosterImport.worker.is_null() | (RosterImport.worker_until < at))
    )
    for batch in old:
        with database.atomic():
            RosterImport.update(state=RosterState.DISCARDED).where(
                RosterImport.id == batch.id, RosterImport.state.in_(states)
            ).execute()
            forget(batch.id)
    return len(old)


def note(
    batch: RosterImport,
    event: audit.Event,
    *,
    by: str,
    at: datetime,
    reason: str = "",
) -> None:
    """Write an import's event down, with its counts."""
    counts = {
        "kind": batch.kind.value,
        **{what.value: getattr(batch, what.value) for what in RosterWhat},
        "invalid": batch.invalid,
    }
    detail = {**counts, "reason": reason} if reason else counts
    audit.record(event, actor=by, subject=f"roster:{batch.id}", at=at, detail=detail)
