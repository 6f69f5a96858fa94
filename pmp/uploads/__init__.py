"""A submitted file: kept before its receipt, then processed exactly once.

`receive` keeps the file, encrypted, and gives its receipt.  `process` checks the whole
file first, so that a cut transfer stores nothing, then takes its records in by batches,
one transaction each, which move the submission's counts and progress with them: a
worker that was killed goes on where the last batch ended.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from peewee import fn

from models import (
    Dispensation,
    DispensationVersion,
    Document,
    DocumentKind,
    Submission,
    SubmissionSource,
    SubmissionStatus,
    User,
)
from pmp import asap, audit, database, documents, readers, settings, thresholds
from pmp.errors import RuleError
from pmp.permissions import Permission, can
from pmp.reporters import coverage_of
from pmp.tickets import answers_by_file
from pmp.uploads import files
from pmp.uploads.intake import Decided, Intake, take_in, take_turn, take_turns
from pmp.uploads.outcomes import counts_of, forget_records, remember, remember_problems
from pmp.uploads.receipts import request_receipt
from pmp.uploads.waiting_voids import forget_waiting_voids

__all__ = ["forget_waiting_voids", "process", "receive", "waiting"]

BATCH = 500
PATIENTS_AT_ONCE = 2_000
NAME_LENGTH = 120


class SubmittedBeforeError(RuleError):
    """The user submitted the same bytes before, as `submission`."""

    def __init__(self, submission: Submission) -> None:
        message = (
            f"You submitted this file before: it is submission {submission.id},"
            f" “{submission.filename}”. It was not imported again."
        )
        super().__init__(message, field="file")
        self.submission = submission


S = SubmissionStatus
UNFINISHED = (S.RECEIVED, S.READING)
ACCEPTED = (S.RECEIVED, S.READING, S.PROCESSED, S.PROCESSED_WITH_ERRORS, S.RESOLVED)


def receive(
    *,
    filename: str,
    body: bytes,
    by: User,
    at: datetime,
    dry_run: bool = False,
    source: SubmissionSource = SubmissionSource.UPLOAD,
) -> Submission:
    """Keep a file and give its receipt, a submission yet to be processed.

    Raises RuleError for an empty or too large file and for a user who may not submit,
    SubmittedBeforeError for the same bytes of this user, unless they were refused.
    """
    if not may_submit(by):
        raise RuleError("Your account may not submit.", field="file")
    require_size(len(body))
    sha256 = hashlib.sha256(body).hexdigest()
    with database.atomic():
        if not dry_run:
            take_turn([f"{by.username}:{sha256}"])  # a button pressed twice
            _require_new(sha256, by)
        submission: Submission = Submission.create(
            filename=plain_name(filename),
            sha256=sha256,
            document=_keep(body, at),
            submitted_by=by,
            received_at=at,
            status=S.RECEIVED,
            source=source,
            dry_run=dry_run,
        )
        audit.record(
            audit.Event.SUBMISSION_RECEIVED,
            actor=by.username,
            subject=f"submission:{submission.id}",
            at=at,
            detail={
                "sha256": sha256,
                "size": len(body),
                "dry_run": dry_run,
                "source": source.value,
            },
        )
    return submission


def process(submission_id: int, *, at: datetime) -> Submission:
    """Take a submission's records in; may run twice, also at the same time.

    Goes on where an earlier run was stopped, and does nothing to a finished one.
    Raises DocumentLostError if the kept file cannot be read.
    """
    submission: Submission = Submission.get_by_id(submission_id)
    if submission.status not in UNFINISHED:
        return submission
    body = files.body_of(submission)
    reading, kept = files.check(submission, body)
    if reading.refused:
        return _refuse(submission, reading, at)
    _begin(submission, reading)
    again = files.let_go(kept) if kept else files.read_again(submission, body)
    todo = (record for record in again if record.number > submission.progress)
    intake = _intake(submission, at)
    while batch := list(islice(todo, BATCH)):
        if not _take_in(submission, intake, batch):
            return _fresh(submission)  # another worker has it
    return _finish(submission, at)


def waiting() -> list[int]:
    """Give the ids of submissions yet to be processed or finished, the oldest first."""
    query: Any = (
        Submission.select(Submission.id)
        .where(Submission.status.in_(UNFINISHED))
        .order_by(Submission.id)
        .tuples()
    )
    return [number for (number,) in query]


def _is_staff(user: User) -> bool:
    return can(user.role, Permission.SUBMISSION_READ_ALL)


def may_submit(user: User) -> bool:
    """Tell whether a user's role may submit files."""
    return can(user.role, Permission.SUBMIT) or _is_staff(user)


def most_bytes() -> int:
    """Give the size of the largest file that is taken, in bytes."""
    return settings.current().upload_megabytes * 1024 * 1024


def require_size(size: int) -> None:
    """Refuse a file of so many bytes, with RuleError, if it is empty or too large."""
    most = settings.current().upload_megabytes
    if not size:
        raise RuleError("The file is empty. Export it again.", field="file")
    if size > most_bytes():
        message = f"The file is larger than {most} MB. Send it in parts."
        raise RuleError(message, field="file")


def _require_new(sha256: str, by: User) -> None:
    before = (
        Submission.select()
        .where(
            Submission.sha256 == sha256,
            Submission.submitted_by == by,
            Submission.dry_run == False,  # noqa: E712 - SQL
            Submission.status.in_(ACCEPTED),
        )
        .order_by(Submission.id)
        .first()
    )
    if before:
        raise SubmittedBeforeError(before)


def plain_name(filename: str) -> str:
    """Give a file's own name, whatever path and control characters came with it."""
    name = PurePosixPath(filename.replace("\\", "/")).name
    shown = "".join(sign for sign in name if sign.isprintable()).strip()
    return shown[-NAME_LENGTH:] or "submission"


def _keep(body: bytes, at: datetime) -> Document:
    kind = DocumentKind.SUBMISSION
    return documents.keep(kind=kind, media_type="text/plain", body=body, at=at)


def _intake(submission: Submission, at: datetime) -> Intake:
    user = submission.submitted_by
    return Intake(
        submission=submission.id,
        by=user.username,
        coverage=coverage_of(user),
        at=at,
        dry=submission.dry_run or submission.test,
    )


def _refuse(submission: Submission, reading: asap.Reading, at: datetime) -> Submission:
    with database.atomic():
        changed = _move(
            submission,
            S.FAILED_STRUCTURE,
            version=reading.version,
            pharmacies=_names(reading),
            test=reading.test,
            bytes_read=submission.bytes_read,
            finished_at=at,
        )
        if changed:
            remember_problems(submission.id, reading.problems)
            _audit_end(submission, at)
            request_receipt(submission, at=at)
    return _fresh(submission)


def _begin(submission: Submission, reading: asap.Reading) -> None:
    """Write down what the whole file is, once; a dry run starts over each time."""
    with database.atomic():
        if submission.status is S.RECEIVED and _move(
            submission,
            S.READING,
            version=reading.version,
            pharmacies=_names(reading),
            test=reading.test,
            bytes_read=submission.bytes_read,
            records=reading.counts.read,
        ):
            remember_problems(submission.id, reading.problems)
        elif submission.dry_run or submission.test:
            forget_records(submission.id)
    submission.__data__.update(_fresh(submission).__data__)


def _names(reading: asap.Reading) -> list[str]:
    return [each.name or each.dea or each.ncpdp for each in reading.pharmacies]


def _take_in(
    submission: Submission, intake: Intake, batch: Sequence[asap.Record]
) -> bool:
    """Take a batch in, in one transaction; False if another worker has done so."""
    with database.atomic():
        # Before the submission's own row is held: a void of another submission may
        # meet its record in this batch, or the other way round.
        take_turns(intake, batch)
        if not _advance(submission, batch[-1].number):
            return False
        decided = take_in(intake, batch)
        remember(submission.id, decided)
        _count(submission, decided)
    submission.progress = batch[-1].number
    return True


def _advance(submission: Submission, progress: int) -> bool:
    # On Postgres this holds the row until the batch is in: a second worker waits here.
    return bool(
        Submission.update(progress=progress)
        .where(Submission.id == submission.id)
        .where(Submission.progress == submission.progress)
        .where(Submission.status == S.READING)
        .execute()
    )


def _count(submission: Submission, decided: Iterable[Decided]) -> None:
    counts = counts_of(each.status for each in decided)
    added = {name: getattr(Submission, name) + more for name, more in counts.items()}
    Submission.update(**added).where(Submission.id == submission.id).execute()


def _finish(submission: Submission, at: datetime) -> Submission:
    for since, patients in _batches(_touched(submission)):
        thresholds.evaluate(patients, since=since, at=at)
    readers.tell_of_file(submission.id, at=at)
    answers_by_file.answer(submission, at=at)
    with database.atomic():
        held = _fresh(submission).held
        status = S.PROCESSED_WITH_ERRORS if held else S.PROCESSED
        if _move(submission, status, finished_at=at):
            _audit_end(submission, at)
            request_receipt(submission, at=at)
    return _fresh(submission)


def _touched(submission: Submission) -> dict[int, date]:
    """Give the patients whose fills the submission added, revised or voided.

    Each with the first day that one of these fills says, or said before.  Asked of the
    tables, so that a run that goes on after a kill knows them all.
    """
    stored: Any = (
        Dispensation.select(Dispensation.patient, fn.MIN(Dispensation.filled_on))
        .where(Dispensation.submission == submission)
        .group_by(Dispensation.patient)
        .tuples()
    )
    changed: Any = (
        DispensationVersion.select(
            DispensationVersion.content, Dispensation.patient, Dispensation.filled_on
        )
        .join(Dispensation)
        .where(DispensationVersion.submission == submission)
        .tuples()
    )
    patients: dict[int, date] = dict(stored)
    for before, now, filled_on in changed:
        day = min(date.fromisoformat(before["filled_on"]), filled_on)
        for patient in (before["patient"], now):
            patients[patient] = min(day, patients.get(patient, day))
    return patients


def _batches(patients: Mapping[int, date]) -> Iterator[tuple[date, list[int]]]:
    """Give patients in batches, those of late records last, each with its first day."""
    newest_first = sorted(patients, key=patients.__getitem__, reverse=True)
    for start in range(0, len(newest_first), PATIENTS_AT_ONCE):
        batch = newest_first[start : start + PATIENTS_AT_ONCE]
        yield patients[batch[-1]], batch


def _move(submission: Submission, status: SubmissionStatus, **columns: Any) -> bool:
    """Change the status, unless someone else has done so since it was read."""
    return bool(
        Submission.update(status=status, **columns)
        .where(Submission.id == submission.id)
        .where(Submission.status == submission.status)
        .execute()
    )


def _audit_end(submission: Submission, at: datetime) -> None:
    now = _fresh(submission)
    names = ("records", "stored", "held", "duplicate", "voided", "zero_reports")
    audit.record(
        audit.Event.SUBMISSION_PROCESSED,
        actor="system",
        subject=f"submission:{now.id}",
        at=at,
        detail={"status": now.status} | {name: getattr(now, name) for name in names},
    )


def _fresh(submission: Submission) -> Submission:
    found: Submission = Submission.get_by_id(submission.id)
    return found
