"""Submissions as people read them: lists, problems by kind, held records in turn."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from peewee import Case, fn

from models import (
    RecordStatus,
    Severity,
    Submission,
    SubmissionProblem,
    SubmissionRecord,
    SubmissionSource,
    SubmissionStatus,
    User,
)
from pmp import audit, clock, downloads, sorting
from pmp.downloads import Listing
from pmp.errors import NotFoundError
from pmp.paging import Page, page_of
from pmp.permissions import Permission, can
from pmp.uploads.problem_kinds import GRAVITY
from pmp.wording import us_time, words

PAGE = 25
PROBLEMS_PAGE = 100
UNFINISHED = (SubmissionStatus.RECEIVED, SubmissionStatus.READING)
STATUS_WORDS = {
    SubmissionStatus.RECEIVED: "Received",
    SubmissionStatus.READING: "Being read",
    SubmissionStatus.FAILED_STRUCTURE: "Refused",
    SubmissionStatus.PROCESSED: "Accepted",
    SubmissionStatus.PROCESSED_WITH_ERRORS: "Accepted with errors",
    SubmissionStatus.RESOLVED: "All corrected",
}
SOURCE_WORDS = {
    SubmissionSource.UPLOAD: "Upload",
    SubmissionSource.ENTRY: "Typed on the page",
    SubmissionSource.CSV: "CSV file",
    SubmissionSource.FOLDER: "Folder",
    SubmissionSource.COMMAND: "Command line",
}
LATEST = "-received"
FILE = Listing(
    "submissions",
    "submissions",
    "Choose fewer days, or one user.",
    audit.Event.SUBMISSIONS_DOWNLOADED,
)
SORTS: dict[str, Any] = {
    "received": Submission.id,
    "user": User.username,
    "file": Submission.filename,
    "records": Submission.records,
    "stored": Submission.stored,
    "held": Submission.held,
}
HEADINGS = (
    "No.",
    "Received",
    "User",
    "File",
    "Pharmacies",
    "Came by",
    "Result",
    "Check only",
    "Test file",
    "Records",
    "Stored",
    "Held",
    "Withdrawn",
    "Duplicate",
    "Voided",
)


@dataclass(frozen=True)
class Wanted:
    """Which submissions a list shows; None and "" are all. The days are inclusive.

    `sort` is one of SORTS, a minus before it turns it round: for staff's list.
    """

    status: SubmissionStatus | None = None
    source: SubmissionSource | None = None
    since: date | None = None
    until: date | None = None
    username: str = ""
    sort: str = LATEST


def visible(submission_id: int, *, to: User) -> Submission:
    """Give a submission to whoever sent it, or to staff; NotFoundError to others."""
    found: Submission | None = Submission.get_or_none(Submission.id == submission_id)
    everyone = can(to.role, Permission.SUBMISSION_READ_ALL)
    if found is None or not (everyone or found.submitted_by == to):
        raise NotFoundError("There is no such submission.")
    return found


def view(submission_id: int, *, by: User, at: datetime) -> Submission:
    """Open a submission's page, which shows patients: on the audit record first."""
    submission = visible(submission_id, to=by)
    if submission.status not in UNFINISHED:
        audit.record(
            audit.Event.SUBMISSION_VIEWED,
            actor=by.username,
            subject=f"submission:{submission.id}",
            at=at,
        )
    return submission


def mine(user: User, *, wanted: Wanted = Wanted(), number: int = 1) -> Page:
    """List what a user submitted, the latest first."""
    query = Submission.select().where(Submission.submitted_by == user)
    query = _narrowed(query, wanted).order_by(Submission.id.desc())
    return page_of(query, number=number, size=PAGE)


def everyone_s(*, wanted: Wanted = Wanted(), number: int = 1) -> Page:
    """List all submissions for staff, in the order that is wanted."""
    return page_of(_everyone_s(wanted), number=number, size=PAGE)


def lines_of(wanted: Wanted, *, by: User, at: datetime) -> list[list[Any]]:
    """Give staff's list as lines of a file, under HEADINGS; kept on record.

    RuleError if it is longer than a file may be.
    """
    return [
        _line(row) for row in downloads.rows_of(_everyone_s(wanted), FILE, by=by, at=at)
    ]


def _line(row: Submission) -> list[Any]:
    return [
        row.id,
        us_time(row.received_at),
        row.submitted_by.username,
        row.filename,
        ", ".join(row.pharmacies),
        SOURCE_WORDS.get(row.source, words(row.source)),
        STATUS_WORDS.get(row.status, words(row.status)),
        "yes" if row.dry_run else "",
        "yes" if row.test else "",
        row.records,
        row.stored,
        row.held,
        row.withdrawn,
        row.duplicate,
        row.voided,
    ]


def _everyone_s(wanted: Wanted) -> Any:
    query = Submission.select(Submission, User).join(User)
    if wanted.username:
        query = query.where(User.username == wanted.username)
    narrowed = _narrowed(query, wanted)
    return sorting.in_order(narrowed, wanted.sort, SORTS, then=Submission.id)


def _narrowed(query: Any, wanted: Wanted) -> Any:
    if wanted.status:
        query = query.where(Submission.status == wanted.status)
    if wanted.source:
        query = query.where(Submission.source == wanted.source)
    if wanted.since:
        query = query.where(Submission.received_at >= _beginning(wanted.since))
    if wanted.until:
        after = wanted.until + timedelta(days=1)
        query = query.where(Submission.received_at < _beginning(after))
    return query


def _beginning(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=clock.zone())


def problems(
    submission: Submission,
    *,
    severity: Severity | None = None,
    code: str = "",
    element: str = "",
) -> Any:
    """Give the query of a submission's problems: the gravest first, in file order."""
    problem = SubmissionProblem
    query = (
        problem.select(problem)
        .where(problem.submission == submission)
        .order_by(_gravity(), problem.record_number.asc(nulls="first"), problem.id)
    )
    if severity:
        query = query.where(problem.severity == severity)
    if code:
        query = query.where(problem.code == code)
    if element:
        query = query.where(problem.element == element)
    return query


def records_of(
    submission: Submission, numbers: Iterable[int | None]
) -> dict[int, SubmissionRecord]:
    """Give the kept records with these numbers."""
    wanted = sorted({number for number in numbers if number is not None})
    query = SubmissionRecord.select().where(
        SubmissionRecord.submission == submission, SubmissionRecord.number.in_(wanted)
    )
    return {record.number: record for record in query}


def record(submission: Submission, number: int) -> SubmissionRecord:
    """Give a kept record by its number; NotFoundError if there is none."""
    found: SubmissionRecord | None = SubmissionRecord.get_or_none(
        SubmissionRecord.submission == submission, SubmissionRecord.number == number
    )
    if found is None:
        raise NotFoundError("There is no such record.")
    return found


def next_held(submission: Submission, *, after: int = 0) -> int | None:
    """Give the number of the next held record, from the start again at the end."""
    held: Any = (
        SubmissionRecord.select(SubmissionRecord.number)
        .where(SubmissionRecord.submission == submission)
        .where(SubmissionRecord.status == RecordStatus.HELD)
    )
    following = held.where(SubmissionRecord.number > after)
    for query in (following, held):
        if number := query.select(fn.MIN(SubmissionRecord.number)).scalar():
            return int(number)
    return None


def problems_of(record: SubmissionRecord) -> list[SubmissionProblem]:
    """List what is wrong with a kept record."""
    query = SubmissionProblem.select().where(
        SubmissionProblem.submission == record.submission,
        SubmissionProblem.record_number == record.number,
    )
    return list(query.order_by(SubmissionProblem.id))


def _gravity() -> Any:
    places = [(severity.value, place) for place, severity in enumerate(GRAVITY)]
    return Case(SubmissionProblem.severity, places, len(GRAVITY))
