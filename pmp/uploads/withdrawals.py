"""A held record that should never have been sent: taken back, and the undoing of it."""

from datetime import datetime

from models import (
    RecordStatus,
    Submission,
    SubmissionRecord,
    SubmissionStatus,
    User,
)
from pmp import audit, database
from pmp.errors import ConflictError, RuleError
from pmp.uploads.corrections import recount, require_correctable

LONGEST_REASON = 500
R, S = RecordStatus, SubmissionStatus


def withdraw(record: SubmissionRecord, *, reason: str, by: User, at: datetime) -> None:
    """Take a held record back: it is stored nowhere, and need not be corrected.

    Its elements and the reason are kept, so that staff can see them and it can be
    undone.  ConflictError if the record is held no longer.
    """
    require_correctable(record.submission)
    words = " ".join(reason.split())[:LONGEST_REASON]
    if not words:
        raise RuleError("Say why the record should not have been sent.", field="reason")
    with database.atomic():
        _move(record, R.HELD, R.WITHDRAWN, reason=words, by=by, at=at)
        recount(record.submission, [R.WITHDRAWN])
        _audit(record, "withdrawn", by=by, at=at)


def restore(record: SubmissionRecord, *, by: User, at: datetime) -> None:
    """Undo it: the record is held for correction again.

    ConflictError if it is not withdrawn.
    """
    with database.atomic():
        _move(record, R.WITHDRAWN, R.HELD, reason="", by=by, at=at)
        (
            Submission.update(
                withdrawn=Submission.withdrawn - 1,
                held=Submission.held + 1,
                status=S.PROCESSED_WITH_ERRORS,
            )
            .where(Submission.id == record.submission.id)
            .execute()
        )
        _audit(record, "held again", by=by, at=at)


def _move(
    record: SubmissionRecord,
    before: RecordStatus,
    after: RecordStatus,
    *,
    reason: str,
    by: User,
    at: datetime,
) -> None:
    moved = (
        SubmissionRecord.update(
            status=after, reason=reason, corrected_by=by.username, corrected_at=at
        )
        .where(SubmissionRecord.id == record.id)
        .where(SubmissionRecord.status == before)
        .execute()
    )
    if not moved:
        raise ConflictError("Someone else has dealt with this record meanwhile.")


def _audit(record: SubmissionRecord, outcome: str, *, by: User, at: datetime) -> None:
    # The reason stays with the record: it may name the patient.
    audit.record(
        audit.Event.SUBMISSION_RECORD_WITHDRAWN,
        actor=by.username,
        subject=f"submission:{record.submission.id}",
        at=at,
        detail={"record": record.number, "outcome": outcome},
    )
