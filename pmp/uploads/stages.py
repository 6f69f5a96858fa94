"""How far a submission is: received, read and checked, stored, crossings, done."""

from dataclasses import dataclass

from models import Submission, SubmissionStatus

NAMES = ("received", "reading", "storing", "thresholds", "done")
"""The names of the stages, in the order in which a submission passes them."""

_WORDS = {
    "received": "Received: it will be read in a moment",
    "reading": "Reading and checking",
    "storing": "Storing",
    "thresholds": "Looking for threshold crossings",
    "done": "Done",
}


@dataclass(frozen=True)
class Stage:
    """One stage: its name, words for people, how much of it is done.

    `done` and `of` are bytes while the file is read and records while they are stored;
    both are 0 where nothing is counted.
    """

    name: str
    words: str
    done: int
    of: int


def stage_of(submission: Submission) -> Stage:
    """Give the stage that a submission is in, as its row says."""
    name, done, of = _standing(submission)
    return Stage(name, _WORDS[name], done, of)


def _standing(submission: Submission) -> tuple[str, int, int]:
    if submission.status == SubmissionStatus.RECEIVED:
        size = submission.document.size
        read = min(submission.bytes_read, size)
        return ("reading", read, size) if read else ("received", 0, 0)
    if submission.status != SubmissionStatus.READING:
        return "done", submission.records, submission.records
    if submission.progress < submission.records:
        return "storing", submission.progress, submission.records
    return "thresholds", submission.progress, submission.records
