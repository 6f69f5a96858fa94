"""Receipts: whoever submitted a file is told how it ended, without patient data.

By email, or by fax who prefers it or has no email.  The number of the submission, its
counts and what to do; never the name of the file, which may be a patient's.
"""

from datetime import datetime

from models import (
    Delivery,
    DeliveryKind,
    ReceiptPolicy,
    Submission,
    SubmissionSource,
    SubmissionStatus,
    User,
)
from pmp import audit, database, deliveries
from pmp.deliveries import contacts

LATER_THAN_OTHERS = 7
"""Priority of a receipt: threshold reports and letters go first."""

S = SubmissionStatus
ENDED = (S.PROCESSED, S.PROCESSED_WITH_ERRORS, S.RESOLVED, S.FAILED_STRUCTURE)


def request_receipt(submission: Submission, *, at: datetime) -> Delivery | None:
    """Put the receipt of a submission in the outbox, in the transaction of its end.

    None where its user wants none of this kind, for a dry run, for a record that was
    typed on the page, and where neither email nor fax number is known.  However often
    it is asked for, a submission has one receipt.
    """
    ended: Submission = Submission.get_by_id(submission.id)
    if not _is_wanted(ended):
        return None
    routes = contacts.own_routes(ended.submitted_by)
    if not routes:
        return None
    return deliveries.request(
        kind=DeliveryKind.SUBMISSION_RECEIPT,
        subject_id=ended.id,
        routes=routes,
        dedupe_key=f"submission-receipt:{ended.id}",
        at=at,
        priority=LATER_THAN_OTHERS,
    )


def choose(policy: ReceiptPolicy, *, by: User, at: datetime) -> None:
    """Have a user be sent receipts of every submission, of those with problems, none.

    With problems are those that were refused, or in which a record is held.
    """
    with database.atomic():
        User.update(receipts=policy).where(User.id == by.id).execute()
        audit.record(
            audit.Event.USER_RECEIPTS_CHOSEN,
            actor=by.username,
            subject=f"user:{by.id}",
            at=at,
            detail={"receipts": policy.value},
        )
    by.receipts = policy


def _is_wanted(ended: Submission) -> bool:
    typed = ended.source == SubmissionSource.ENTRY
    if ended.dry_run or typed or ended.status not in ENDED:
        return False
    policy = ended.submitted_by.receipts
    if policy == ReceiptPolicy.PROBLEMS:
        return ended.held > 0 or ended.status == S.FAILED_STRUCTURE
    return bool(policy == ReceiptPolicy.EVERY)
