"""The roster: who holds which credential, the address of record, and their numbers.

Files come from the Department (`licence_file`), from the state's own extracts
(`contact_file`) and from CMS (`nppes_file`). Each is a batch: read (`reading`), looked
at (`previews`), applied and undone (`applying`); what it says of users' licences is for
staff to decide (`reverification`, `licence_decisions`).
"""

from datetime import datetime
from pathlib import Path

from models import RosterImport, RosterSource, RosterState
from pmp import clock
from pmp.errors import RuleError
from pmp.roster import applying, batches, reading, undo_checks
from pmp.roster.batches import Now
from pmp.roster.licence_file import GONE

__all__ = [
    "GONE",
    "apply",
    "import_file",
    "preview",
    "undo",
    "work",
]


def preview(path: Path, *, by: str, at: datetime, now: Now = clock.now) -> RosterImport:
    """Read a file here and now, and tell what it would change; nothing is applied.

    Raises RuleError where the file cannot be read.
    """
    with path.open("rb") as binary:
        kind = reading.kind_of(binary, name=path.name)
    batch = batches.ask(
        filename=path.name, kind=kind, source=RosterSource.COMMAND, by=by, at=at
    )
    reading.read(batch.id, now=now, path=path)
    batch = batches.get(batch.id)
    if batch.state != RosterState.READY:
        raise RuleError(batch.error or f"Import {batch.id} is {batch.state.value}.")
    return batch


def apply(
    batch_id: int,
    *,
    by: str,
    at: datetime,
    accept_gone: bool = False,
    now: Now = clock.now,
) -> RosterImport:
    """Apply a preview here and now, or go on with one that was cut off."""
    if batches.get(batch_id).state != RosterState.APPLYING:
        batches.begin_to_apply(batch_id, by=by, at=at, accept_gone=accept_gone)
    applying.apply(batch_id, now=now)
    return batches.get(batch_id)


def import_file(
    path: Path,
    *,
    by: str,
    at: datetime,
    accept_gone: bool = False,
    now: Now = clock.now,
) -> RosterImport:
    """Preview a file and apply it at once, as a nightly job does.

    A file that is refused as a part of one stays as a preview, to be looked at.
    """
    batch = preview(path, by=by, at=at, now=now)
    return apply(batch.id, by=by, at=at, accept_gone=accept_gone, now=now)


def undo(
    batch_id: int, *, reason: str, by: str, at: datetime, now: Now = clock.now
) -> RosterImport:
    """Undo an import here and now, or go on where that was cut off."""
    if batches.get(batch_id).state != RosterState.UNDOING:
        begin_to_undo(batch_id, reason=reason, by=by, at=at)
    applying.undo(batch_id, now=now)
    return batches.get(batch_id)


def begin_to_undo(batch_id: int, *, reason: str, by: str, at: datetime) -> RosterImport:
    """Decide that an import is to be undone; a worker does it."""
    return batches.begin_to_undo(
        batch_id, reason=reason, by=by, at=at, check=undo_checks.refuse
    )


def work(batch_id: int, *, now: Now) -> None:
    """Do what an import waits for, as a worker; nothing if another does it."""
    state = batches.get(batch_id).state
    if state in {RosterState.WAITING, RosterState.READING}:
        reading.read(batch_id, now=now)
    elif state == RosterState.APPLYING:
        applying.apply(batch_id, now=now)
    elif state == RosterState.UNDOING:
        applying.undo(batch_id, now=now)
