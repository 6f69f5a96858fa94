"""Files that arrive together: each is a submission of its own, or refused on its own.

A button pressed twice, or a page loaded again, sends the same files once more.  Such a
file is answered with the submission that it has become already.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models import Submission, SubmissionStatus, User
from pmp import uploads
from pmp.errors import RuleError

MOST_FILES = 50
"""So many files are taken at once."""

SAME_PRESS = timedelta(minutes=2)
"""The same file of the same name, from the same user, is the same press of a button."""


@dataclass(frozen=True)
class Arrival:
    """One file that was sent, and what became of it.

    `submission` is None for a refused one, and `refusal` says why; `earlier` is the
    submission that a file sent before has become.
    """

    filename: str
    submission: Submission | None = None
    refusal: str = ""
    earlier: Submission | None = None


def receive_each(
    files: Iterable[tuple[str, bytes]], *, by: User, at: datetime, dry_run: bool = False
) -> list[Arrival]:
    """Receive files, name and bytes, each by itself; one refused stops no other.

    `files` is gone through once, so that only one of them need be in memory.
    """
    return [
        _receive(filename, body, by=by, at=at, dry_run=dry_run)
        for filename, body in files
    ]


def received(arrivals: Iterable[Arrival]) -> list[Submission]:
    """Give the submissions that files have become, each once."""
    found = (each.submission for each in arrivals)
    return list({each.id: each for each in found if each}.values())


def own(numbers: Sequence[int], *, of: User) -> list[Submission]:
    """Give those of these submissions that are a user's own, in the order sent."""
    query = (
        Submission.select()
        .where(Submission.id.in_(numbers[:MOST_FILES]))
        .where(Submission.submitted_by == of)
        .order_by(Submission.id)
    )
    return list(query)


def _receive(
    filename: str, body: bytes, *, by: User, at: datetime, dry_run: bool
) -> Arrival:
    name = uploads.plain_name(filename)
    sha256 = hashlib.sha256(body).hexdigest()
    if again := _same_press(name, sha256, by=by, at=at, dry_run=dry_run):
        return Arrival(name, again)
    try:
        submission = uploads.receive(
            filename=filename, body=body, by=by, at=at, dry_run=dry_run
        )
    except RuleError as refusal:
        # Two presses at the same moment: the other one has won.
        if again := _same_press(name, sha256, by=by, at=at, dry_run=dry_run):
            return Arrival(name, again)
        earlier = _earlier(sha256, by=by)
        return Arrival(name, refusal=refusal.message, earlier=earlier)
    return Arrival(name, submission)


def _same_press(
    name: str, sha256: str, *, by: User, at: datetime, dry_run: bool
) -> Submission | None:
    found: Submission | None = (
        Submission.select()
        .where(Submission.sha256 == sha256)
        .where(Submission.submitted_by == by)
        .where(Submission.filename == name)
        .where(Submission.dry_run == dry_run)
        .where(Submission.received_at > at - SAME_PRESS)
        .order_by(Submission.id.desc())
        .first()
    )
    return found


def _earlier(sha256: str, *, by: User) -> Submission | None:
    found: Submission | None = (
        Submission.select()
        .where(Submission.sha256 == sha256)
        .where(Submission.submitted_by == by)
        .where(Submission.dry_run == False)  # noqa: E712 - SQL
        .where(Submission.status != SubmissionStatus.FAILED_STRUCTURE)
        .order_by(Submission.id)
        .first()
    )
    return found
