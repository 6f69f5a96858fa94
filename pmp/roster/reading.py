"""Sets a file beside the roster and keeps what it would change, step by step.

Each step is a transaction of at most some hundred rows, so that nobody waits. What a
killed reading has kept is dropped when the file is read again from its beginning.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from models import (
    RosterChange,
    RosterImport,
    RosterKind,
    RosterProblem,
    RosterSource,
    RosterState,
    RosterUploadPart,
)
from pmp import bulk, database, documents, settings
from pmp.errors import RuleError
from pmp.roster import batches, contact_file, licence_file, nppes_file
from pmp.roster.batches import Hold, LostError, Now
from pmp.roster.differences import Step
from pmp.roster.roster_files import Sheet, opened

PART_BYTES = 1 << 20
MOST_PROBLEMS = 50_000
PURPOSE = "roster"
READERS: dict[RosterKind, Callable[[Sheet], Iterator[Step]]] = {
    RosterKind.LICENCES: licence_file.steps,
    RosterKind.CONTACTS: contact_file.steps,
    RosterKind.NPPES: nppes_file.steps,
}


def kind_of(binary: IO[bytes], *, name: str) -> RosterKind:
    """Tell by its header of which kind a file is; RuleError (field `file`) if none."""
    with opened(binary, name=name) as sheet:
        return sheet.kind


def folder() -> Path:
    """Give the folder on the server from which files are taken."""
    chosen = settings.current()
    return Path(chosen.roster_dir or chosen.data_dir / "roster-in")


def in_folder() -> list[Path]:
    """List the files of the folder, the latest first; none if there is no folder."""
    try:
        files = [path for path in folder().iterdir() if path.is_file()]
    except OSError:
        return []
    shown = [path for path in files if not path.name.startswith(".")]
    return sorted(shown, key=lambda path: path.stat().st_mtime, reverse=True)


def named(name: str) -> Path:
    """Give the file of the folder with a name; RuleError (field `name`) if none."""
    for path in in_folder():
        if path.name == name:
            return path
    raise RuleError(f"{name} is not in {folder()} any more.", field="name")


def ask_for_upload(
    binary: IO[bytes], *, filename: str, by: str, at: datetime
) -> RosterImport:
    """Keep an uploaded file, sealed, until a worker has read it and staff decide.

    RuleError (field `file`) if it is of no kind that we know.
    """
    kind = kind_of(binary, name=filename)
    binary.seek(0)
    with database.atomic():
        batch = batches.ask(
            filename=filename, kind=kind, source=RosterSource.UPLOAD, by=by, at=at
        )
        _keep_upload(batch, binary)
    return batch


def ask_for_file(name: str, *, by: str, at: datetime) -> RosterImport:
    """Have a file of the folder read; RuleError if it is gone or of no known kind."""
    with named(name).open("rb") as binary:
        kind = kind_of(binary, name=name)
    return batches.ask(
        filename=name, kind=kind, source=RosterSource.FOLDER, by=by, at=at
    )


def _keep_upload(batch: RosterImport, binary: IO[bytes]) -> None:
    number = 0
    while part := binary.read(PART_BYTES):
        sealed = documents.seal(part, purpose=PURPOSE)
        RosterUploadPart.create(batch=batch, number=number, sealed=sealed)
        number += 1


def read(batch_id: int, *, now: Now, path: Path | None = None) -> None:
    """Read a file that waits, or whose reader was killed; nothing if another does.

    `path` is that of a command's file. A file that cannot be read ends as FAILED with
    the reason.
    """
    states = (RosterState.WAITING, RosterState.READING)
    hold = batches.take(batch_id, states=states, to=RosterState.READING, now=now)
    if hold is None:
        return
    batch = batches.get(batch_id)
    try:
        with _source(batch, path) as binary:
            _begin(hold)
            with opened(binary, name=batch.filename) as sheet:
                _keep_all(hold, sheet)
            binary.seek(0)
            digest = hashlib.file_digest(binary, "sha256").hexdigest()
        hold.end(RosterState.READY, sha256=digest)
    except RuleError as fault:
        with database.atomic():
            for table in (RosterChange, RosterProblem):
                table.delete().where(table.batch == batch_id).execute()
            hold.end(RosterState.FAILED, error=str(fault))
    except documents.DocumentLostError as fault:
        hold.end(RosterState.FAILED, error=f"The upload cannot be opened: {fault}.")
    except OSError as fault:
        hold.end(RosterState.FAILED, error=f"{batch.filename}: {fault.strerror}.")
    except LostError:
        return


@contextmanager
def _source(batch: RosterImport, path: Path | None) -> Iterator[Any]:
    if batch.source == RosterSource.FOLDER:
        path = named(batch.filename)
    if path is not None:
        with path.open("rb") as binary:
            yield binary
        return
    with TemporaryFile() as binary:
        parts = RosterUploadPart.select().where(RosterUploadPart.batch == batch)
        for part in parts.order_by(RosterUploadPart.number).iterator():
            binary.write(documents.unseal(bytes(part.sealed), purpose=PURPOSE))
        binary.seek(0)
        yield binary


def _begin(hold: Hold) -> None:
    """Forget what a reader before has kept, and begin to count."""
    counts = ("rows_read", "new", "changed", "unchanged", "gone", "skipped", "invalid")
    with database.atomic():
        for table in (RosterChange, RosterProblem):
            table.delete().where(table.batch == hold.batch_id).execute()
        version = batches.roster_version()
        hold.renew(roster_version=version, error="", **dict.fromkeys(counts, 0))


def _keep_all(hold: Hold, sheet: Sheet) -> None:
    invalid = 0
    for step in READERS[sheet.kind](sheet):
        invalid += len(step.problems)
        if invalid > MOST_PROBLEMS:
            raise RuleError(
                f"More than {MOST_PROBLEMS:,} rows of {sheet.name} cannot be used; the"
                f" first: row {step.problems[0].row}, {step.problems[0].message}"
            )
        with database.atomic():
            _keep(hold, step, rows_read=sheet.read)


def _keep(hold: Hold, step: Step, *, rows_read: int) -> None:
    kept = [{"batch": hold.batch_id, **vars(each)} for each in step.changes]
    bulk.insert(RosterChange, [{**row, "done": False} for row in kept])
    bulk.insert(
        RosterProblem,
        [{"batch": hold.batch_id, **asdict(each)} for each in step.problems],
    )
    found = [each.what.value for each in step.changes]
    hold.renew(
        rows_read=rows_read,
        new=RosterImport.new + found.count("new"),
        changed=RosterImport.changed + found.count("changed"),
        gone=RosterImport.gone + found.count("gone"),
        unchanged=RosterImport.unchanged + step.unchanged,
        skipped=RosterImport.skipped + step.skipped,
        invalid=RosterImport.invalid + len(step.problems),
    )
