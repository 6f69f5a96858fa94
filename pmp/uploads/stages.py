"""How far a submission has come, for the page that waits for it."""

from dataclasses import dataclass

from models import Document, Submission, SubmissionStatus


@dataclass(frozen=True)
class Stage:
    """A step of the way: `name` for code, `words` for people, `done` of `of`.

    Bytes of the file while it waits and is read, records afterwards.
    """

    name: str
    words: str
    done: int
    of: int


def stage_of(submission: Submission) -> Stage:
    """Give the step that a submission is at: received, reading, storing and so on.

    `name` is “received”, “reading”, “storing”, “thresholds” or “done”.
    """
    if submission.status is SubmissionStatus.RECEIVED:
        size, read = _size(submission), submission.bytes_read
        if not read:
            return Stage("received", "Waiting to be read", 0, size)
        return Stage("reading", "Reading and checking", min(read, size), size)
    done, records = submission.progress, submission.records
    if submission.status is not SubmissionStatus.READING:
        return Stage("done", "Done", records, records)
    if done < records:
        dry = submission.dry_run or submission.test
        words = "Comparing with what is stored" if dry else "Storing"
        return Stage("storing", words, done, records)
    return Stage("thresholds", "Looking for threshold crossings", records, records)


def _size(submission: Submission) -> int:
    """Give the size of the file, without reading the file."""
    query = Document.select(Document.size).join(Submission)
    return int(query.where(Submission.id == submission.id).scalar())
