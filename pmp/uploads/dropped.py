"""Submissions that came as dropped files: in their turn, once, and answered."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from peewee import SQL

from models import Submission, SubmissionSource, SubmissionStatus, User, UserStatus
from pmp import settings, uploads
from pmp.errors import RuleError

LONGEST_TURN = timedelta(hours=1)
"""So long a submission that does not get finished holds up its sender's next one."""

UNFINISHED = (SubmissionStatus.RECEIVED, SubmissionStatus.READING)
FOLDER = SubmissionSource.FOLDER
# The index of what waits is partial: its condition must be there in so many words.
WAITS = SQL("source = 'folder' AND report_written_at IS NULL")


def folder_of(chosen: settings.Settings) -> Path:
    """Give the folder that holds one folder for each user."""
    if chosen.submissions_dir:
        return Path(chosen.submissions_dir)
    return chosen.data_dir / "submissions-in"


def sender(username: str) -> User:
    """Give the user in whose folder a file lies; RuleError if it may not submit."""
    user: User | None = User.get_or_none(User.username == username)
    if user is None:
        raise RuleError("This folder belongs to no user of the program.")
    if user.status in {UserStatus.SUSPENDED, UserStatus.CLOSED}:
        raise RuleError("This account is suspended or closed: it may not submit.")
    if not uploads.may_submit(user):
        raise RuleError("This account may not submit.")
    return user


def was_taken(*, by: User, sha256: str, since: datetime, dry_run: bool) -> bool:
    """Tell whether a dropped file was made a submission since it was claimed.

    A worker that goes on for a killed one learns so that the file is in.
    """
    return (
        Submission.select()
        .where(
            Submission.sha256 == sha256,
            Submission.submitted_by == by,
            Submission.source == FOLDER,
            Submission.dry_run == dry_run,
            Submission.received_at >= since,
        )
        .exists()
    )


def held_up(*, at: datetime) -> set[int]:
    """Name the waiting ones that wait for an earlier one of the same sender."""
    query: Any = (
        Submission.select(
            Submission.id, Submission.submitted_by, Submission.received_at
        )
        .where(Submission.source == FOLDER, Submission.status.in_(UNFINISHED))
        .order_by(Submission.id)
        .tuples()
    )
    busy: set[int] = set()
    waiting = set()
    for number, sent_by, received_at in query:
        if sent_by in busy:
            waiting.add(number)
        if at - received_at < LONGEST_TURN:
            busy.add(sent_by)
    return waiting


def next_after(done: Submission) -> int | None:
    """Give the sender's next dropped file once one is finished; None if none waits."""
    if done.source is not FOLDER or done.status in UNFINISHED:
        return None
    number: int | None = (
        Submission.select(Submission.id)
        .where(
            Submission.submitted_by == done.submitted_by,
            Submission.source == FOLDER,
            Submission.status.in_(UNFINISHED),
        )
        .order_by(Submission.id)
        .limit(1)
        .scalar()
    )
    return number


def unanswered() -> list[tuple[int, str, bool]]:
    """List finished ones without report: number, user name, whether a dry run."""
    query: Any = (
        Submission.select(Submission.id, User.username, Submission.dry_run)
        .join(User)
        .where(WAITS, Submission.finished_at.is_null(is_null=False))
        .order_by(Submission.id)
        .tuples()
    )
    return list(query)


def answered(number: int, *, at: datetime) -> None:
    """Mark that a submission's report is written: it is written once."""
    (
        Submission.update(report_written_at=at)
        .where(Submission.id == number)
        .where(Submission.report_written_at.is_null())
        .execute()
    )
