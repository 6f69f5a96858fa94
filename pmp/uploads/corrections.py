"""Held records, corrected on the page: checked again, then stored like any other.

`SubmissionRecord.elements` stay as the file gave them; `corrections` hold what was put
in their place.  A record that is still wrong keeps its corrections and waits on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from models import (
    RecordStatus,
    Submission,
    SubmissionProblem,
    SubmissionRecord,
    SubmissionStatus,
    User,
)
from pmp import asap, audit, bulk, database, thresholds
from pmp.errors import ConflictError, RuleError
from pmp.uploads import checking
from pmp.uploads.checking import Checker, Elements
from pmp.uploads.intake import Decided, Intake, take_in
from pmp.uploads.outcomes import counts_of, problem_rows

# Records of one transaction: on SQLite nobody else can write meanwhile.
BATCH = 100
R, S = RecordStatus, SubmissionStatus
STORED = (R.STORED, R.STORED_WITH_WARNING, R.REVISED)


@dataclass(frozen=True)
class Change:
    """What to put into some elements of one held record (“DSP10” → text)."""

    record: SubmissionRecord
    elements: Mapping[str, str]


@dataclass
class Outcome:
    """What became of changed records: their numbers.

    `settled` are held no longer; `held` have the new values and other errors still;
    `taken` were dealt with by someone else meanwhile and are as that person left them.
    """

    settled: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    problems: dict[int, list[SubmissionProblem]] = field(default_factory=dict)


@dataclass
class _Tried:
    """A changed record on its way: its elements as checked, and what became of it."""

    record: SubmissionRecord
    checked: asap.Record
    decided: Decided


def correct(
    record: SubmissionRecord,
    *,
    elements: Elements,
    by: User,
    at: datetime,
) -> list[SubmissionProblem]:
    """Check a held record's elements (“DSP10” → text) again and store it if it is good.

    Gives what is still wrong; nothing if the record is held no longer.  The
    submission's counts move with it, and its status once no record is held.  What is
    still wrong keeps the new values.  Raises ConflictError if the record is not held
    any more, and RuleError for a dry run.
    """
    change = Change(record, {**dict.fromkeys(record.elements, ""), **elements})
    outcome = correct_all([change], by=by, at=at)
    if outcome.taken:
        raise ConflictError("Someone else has corrected this record.")
    return outcome.problems.get(record.number, [])


def correct_all(
    changes: Sequence[Change], *, by: User, at: datetime, like: int | None = None
) -> Outcome:
    """Change held records of one submission, by batches of a hundred.

    Each batch is one transaction; a record that is not held any more is left alone.
    `like` is the record whose correction they share, for the audit record.  RuleError
    for a dry run or a submission that is still being read.
    """
    outcome = Outcome()
    ordered = iter(sorted(changes, key=lambda change: change.record.number))
    while batch := list(islice(ordered, BATCH)):
        submission = batch[0].record.submission
        require_correctable(submission)
        with database.atomic():
            _correct_batch(submission, batch, outcome, by=by, at=at, like=like)
    return outcome


def keep(
    record: SubmissionRecord, *, elements: Elements, by: User, at: datetime
) -> None:
    """Keep what was typed for a held record, without storing it."""
    require_correctable(record.submission)
    checker = checking.checker_for(record.submission, by=by)
    checked = checker.judge(elements)
    with database.atomic():
        if _mark(record, R.HELD, R.HELD):
            tried = _Tried(record, checked.record, checked)
            _keep_held([tried], by=by, at=at, like=None)


def require_correctable(submission: Submission) -> None:
    """Raise RuleError for a test, and while the submission is being read."""
    if submission.dry_run or submission.test:
        raise RuleError("This was a test. Correct the file, then submit it.")
    if submission.status in {S.RECEIVED, S.READING}:
        raise RuleError("The submission is still being read.")


def _correct_batch(
    submission: Submission,
    batch: Sequence[Change],
    outcome: Outcome,
    *,
    by: User,
    at: datetime,
    like: int | None,
) -> None:
    checker = checking.checker_for(submission, by=by)
    tried = []
    for change in batch:
        if _mark(change.record, R.HELD, R.CORRECTED):
            tried.append(_try(change, checker))
        else:
            outcome.taken.append(change.record.number)
    good = [each for each in tried if not each.checked.held]
    intake = Intake(
        submission=submission.id,
        by=by.username,
        coverage=checker.coverage,
        at=at,
        dry=False,
    )
    taken_in = take_in(intake, [each.checked for each in good]) if good else []
    for each, decided in zip(good, taken_in, strict=True):
        each.decided = decided
    held = [each for each in tried if each.decided.status is R.HELD]
    settled = [each for each in tried if each.decided.status is not R.HELD]
    recount(submission, [each.decided.status for each in settled])
    for each in held:
        _mark(each.record, R.CORRECTED, R.HELD)
        rows = problem_rows(each.decided, each.record.number)
        outcome.problems[each.record.number] = _unsaved(submission, rows)
    # Patients before the audit record, as everyone takes them: no deadlock.
    if patients := {each for one in settled for each in _patients(one.decided)}:
        thresholds.evaluate(patients, at=at)
    _keep_held(held, by=by, at=at, like=like)
    _settle(settled, by=by, at=at, like=like)
    outcome.held += [each.record.number for each in held]
    outcome.settled += [each.record.number for each in settled]


def _mark(record: SubmissionRecord, before: RecordStatus, after: RecordStatus) -> int:
    # On Postgres this holds the row until the batch is in: a second person waits here.
    query = (
        SubmissionRecord.update(status=after)
        .where(SubmissionRecord.id == record.id)
        .where(SubmissionRecord.status == before)
    )
    return int(query.execute())


def _try(change: Change, checker: Checker) -> _Tried:
    """Check a record with its change, on top of what others changed before."""
    record: SubmissionRecord = SubmissionRecord.get_by_id(change.record.id)
    checked = checker.check({**checking.current(record), **change.elements})
    checked.number, checked.segment_number = record.number, record.segment_number
    return _Tried(record, checked, Decided(checked, R.HELD))


def _keep_held(
    held: Sequence[_Tried], *, by: User, at: datetime, like: int | None
) -> None:
    """Keep the new values of records that wait on, and what is wrong with them now."""
    told = [each for each in held if _corrections(each) != each.record.corrections]
    for each in told:
        _write(each, R.HELD, by=by, at=at)
    _replace_problems(told)
    for each in told:
        _audit(each, by=by, at=at, like=like)


def _settle(
    settled: Sequence[_Tried], *, by: User, at: datetime, like: int | None
) -> None:
    """Write down what became of records; their warnings replace their errors."""
    for each in settled:
        decided = each.decided
        status = R.CORRECTED if decided.status in STORED else decided.status
        _write(
            each,
            status,
            by=by,
            at=at,
            dispensation=decided.fill.row["id"] if decided.fill else None,
        )
    _replace_problems(settled)
    for each in settled:
        _audit(each, by=by, at=at, like=like)


def _write(
    tried: _Tried, status: RecordStatus, *, by: User, at: datetime, **columns: Any
) -> None:
    query = SubmissionRecord.update(
        status=status,
        corrections=_corrections(tried),
        prescription_number=tried.checked.elements.get("DSP02", "")[:255],
        corrected_by=by.username,
        corrected_at=at,
        **columns,
    )
    query.where(SubmissionRecord.id == tried.record.id).execute()


def _corrections(tried: _Tried) -> dict[str, str]:
    # As the record shows its elements: a Social Security number is not kept.
    return checking.changed(tried.record, tried.checked.elements)


def _replace_problems(tried: Sequence[_Tried]) -> None:
    if not tried:
        return
    submission = tried[0].record.submission
    mine = (SubmissionProblem.submission == submission) & (
        SubmissionProblem.record_number.in_([each.record.number for each in tried])
    )
    places = {
        (row.record_number, row.code, row.element): row.byte_offset
        for row in SubmissionProblem.select().where(mine)
    }
    SubmissionProblem.delete().where(mine).execute()
    rows = [
        {
            **row,
            "submission": submission.id,
            "segment_number": each.record.segment_number or None,
            "byte_offset": places.get((number, row["code"], row["element"])),
        }
        for each in tried
        for number in [each.record.number]
        for row in problem_rows(each.decided, number)
    ]
    bulk.insert(SubmissionProblem, rows)


def _unsaved(
    submission: Submission, rows: Sequence[Mapping[str, Any]]
) -> list[SubmissionProblem]:
    return [SubmissionProblem(submission=submission, **row) for row in rows]


def _audit(tried: _Tried, *, by: User, at: datetime, like: int | None) -> None:
    """Name the elements that differ from what the file gave; never their values."""
    detail = {
        "record": tried.record.number,
        "outcome": tried.decided.status.value,
        "elements": sorted(_corrections(tried)),
    }
    audit.record(
        audit.Event.SUBMISSION_RECORD_CORRECTED,
        actor=by.username,
        subject=f"submission:{tried.record.submission.id}",
        at=at,
        detail=detail if like is None else {**detail, "like": like},
    )


def recount(submission: Submission, statuses: Sequence[RecordStatus]) -> None:
    """Move a submission's counts for records that are held no longer."""
    if not statuses:
        return
    counts = counts_of(statuses)
    added = {name: getattr(Submission, name) + more for name, more in counts.items()}
    added["held"] = Submission.held - len(statuses)
    Submission.update(**added).where(Submission.id == submission.id).execute()
    (
        Submission.update(status=S.RESOLVED)
        .where(Submission.id == submission.id)
        .where(Submission.held == 0)
        .execute()
    )


def _patients(decided: Decided) -> Iterator[int]:
    if decided.fill is not None:
        for row in (decided.fill.row, *decided.fill.versions):
            yield row["patient"]
