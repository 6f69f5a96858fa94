"""A held record, corrected on the page: checked again, then stored like any other."""

from collections.abc import Mapping
from datetime import datetime

from models import (
    RecordStatus,
    Submission,
    SubmissionProblem,
    SubmissionRecord,
    SubmissionStatus,
    User,
)
from pmp import asap, audit, bulk, clock, database, thresholds
from pmp.errors import ConflictError, RuleError
from pmp.reporters import coverage_of
from pmp.uploads.intake import Decided, Intake, take_in
from pmp.uploads.outcomes import counts_of, problem_rows
from pmp.uploads.programme import programme

R, S = RecordStatus, SubmissionStatus
STORED = (R.STORED, R.STORED_WITH_WARNING, R.REVISED)


def correct(
    record: SubmissionRecord,
    *,
    elements: Mapping[str, str],
    by: User,
    at: datetime,
) -> list[SubmissionProblem]:
    """Check a held record's elements (“DSP10” → text) again and store it if it is good.

    Gives what is still wrong, not saved; nothing if the record is held no longer. The
    submission's counts move with it, and its status once no record is held.  Raises
    ConflictError if the record is not held any more, and RuleError for a dry run.
    """
    submission = record.submission
    _require_correctable(record, submission)
    checked = asap.recheck(
        dict(elements),
        version=submission.version,
        today=clock.day_of(submission.received_at),
        programme=programme(),
    )
    if checked.held:
        return _problems(Decided(checked, R.HELD), record)
    checked.number, checked.segment_number = record.number, record.segment_number
    with database.atomic():
        _take(record)
        (decided,) = take_in(_intake(submission, by, at), [checked])
        if decided.status is R.HELD:
            _give_back(record)
            return _problems(decided, record)
        _settle(record, decided, by, at)
        _recount(submission, decided)
        if patients := _patients(decided):
            thresholds.evaluate(patients, at=at)
    return []


def _require_correctable(record: SubmissionRecord, submission: Submission) -> None:
    if submission.dry_run or submission.test:
        raise RuleError("This was a test. Correct the file, then submit it.")
    if submission.status in {S.RECEIVED, S.READING}:
        raise RuleError("The submission is still being read.")
    if record.status is not R.HELD:
        raise ConflictError("This record is corrected already.")


def _intake(submission: Submission, by: User, at: datetime) -> Intake:
    return Intake(
        submission=submission.id,
        by=by.username,
        coverage=coverage_of(by),
        at=at,
        dry=False,
    )


def _take(record: SubmissionRecord) -> None:
    if not _mark(record, R.HELD, R.CORRECTED):
        raise ConflictError("Someone else has corrected this record.")


def _give_back(record: SubmissionRecord) -> None:
    _mark(record, R.CORRECTED, R.HELD)


def _mark(record: SubmissionRecord, before: RecordStatus, after: RecordStatus) -> int:
    query = (
        SubmissionRecord.update(status=after)
        .where(SubmissionRecord.id == record.id)
        .where(SubmissionRecord.status == before)
    )
    return int(query.execute())


def _problems(decided: Decided, record: SubmissionRecord) -> list[SubmissionProblem]:
    rows = problem_rows(decided, record.number)
    return [SubmissionProblem(submission=record.submission, **row) for row in rows]


def _settle(record: SubmissionRecord, decided: Decided, by: User, at: datetime) -> None:
    """Write down what became of the record; its warnings replace its errors."""
    status = R.CORRECTED if decided.status in STORED else decided.status
    (
        SubmissionRecord.update(
            status=status,
            dispensation=decided.fill.row["id"] if decided.fill else None,
            prescription_number=decided.record.elements.get("DSP02", ""),
            corrected_by=by.username,
            corrected_at=at,
        )
        .where(SubmissionRecord.id == record.id)
        .execute()
    )
    (
        SubmissionProblem.delete()
        .where(SubmissionProblem.submission == record.submission)
        .where(SubmissionProblem.record_number == record.number)
        .execute()
    )
    rows = problem_rows(decided)
    submission = {"submission": record.submission.id}
    bulk.insert(SubmissionProblem, [submission | row for row in rows])
    audit.record(
        audit.Event.SUBMISSION_RECORD_CORRECTED,
        actor=by.username,
        subject=f"submission:{record.submission.id}",
        at=at,
        detail={
            "record": record.number,
            "outcome": decided.status.value,
            "elements": _changed(record, decided),
        },
    )


def _changed(record: SubmissionRecord, decided: Decided) -> list[str]:
    """Name the elements that differ from what the file gave; never their values."""
    before, after = record.elements, decided.record.elements
    return sorted(
        name
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    )


def _recount(submission: Submission, decided: Decided) -> None:
    counts = counts_of([decided.status])
    added = {name: getattr(Submission, name) + more for name, more in counts.items()}
    added["held"] = Submission.held - 1
    Submission.update(**added).where(Submission.id == submission.id).execute()
    (
        Submission.update(status=S.RESOLVED)
        .where(Submission.id == submission.id)
        .where(Submission.held == 0)
        .execute()
    )


def _patients(decided: Decided) -> set[int]:
    if decided.fill is None:
        return set()
    rows = [decided.fill.row, *decided.fill.versions]
    return {row["patient"] for row in rows}
