"""Tells whoever submitted a file how it ended: its number, its counts, what to do.

No name of a patient and none of the file, which may be one.  It says what is so by the
time it is sent: what has been corrected meanwhile is counted as stored.
"""

from gateway import documents, messages
from gateway.message import Message
from models import ChannelName, Delivery, DeliveryAttempt, Submission, SubmissionStatus
from pmp import settings


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the receipt of a submission."""
    submission = Submission.get_by_id(delivery.subject_id)
    title = _title(submission)
    context = {
        "submission": submission,
        "title": title,
        "refused": submission.status == SubmissionStatus.FAILED_STRUCTURE,
        "counts": _counts(submission),
        "link": f"{settings.current().public_url}/submissions/{submission.id}",
    }
    if delivery.channel == ChannelName.EMAIL:
        return messages.mail(delivery, "submission_receipt", **context)
    body = documents.pdf("submission_receipt", at=attempt.started_at, **context)
    to_name = submission.submitted_by.name
    return Message(address=delivery.address, subject=title, pdf=body, to_name=to_name)


def _title(submission: Submission) -> str:
    number = f"Submission {submission.id}"
    if submission.status == SubmissionStatus.FAILED_STRUCTURE:
        return f"{number} was refused: nothing of it was stored"
    if submission.test:
        return f"{number} was a test: it was checked and nothing was stored"
    if submission.held:
        records = "record waits" if submission.held == 1 else "records wait"
        return f"{number}: {submission.held:,} {records} for correction"
    return f"{number} was accepted"


def _counts(submission: Submission) -> list[tuple[str, str]]:
    """Give what became of the records: number and words; the parts make the whole."""
    parts = (
        (submission.stored, "stored"),
        (submission.held, "held for correction"),
        (submission.withdrawn, "taken back, with a reason"),
        (submission.duplicate, "reported before"),
        (submission.voided, "voided"),
        (submission.void_not_found, "voids without a record"),
        (submission.not_reportable, "not to be reported"),
        (submission.zero_reports, "zero reports"),
    )
    told = [(f"{number:,}", words) for number, words in parts if number]
    return [*told, (f"{submission.records:,}", "records in the file")]
