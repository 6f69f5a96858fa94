"""Submissions as people read them: lists, problems by kind, held records in turn."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import Case, fn

from models import (
    RecordStatus,
    Severity,
    Submission,
    SubmissionProblem,
    SubmissionRecord,
    SubmissionStatus,
    User,
)
from pmp import audit
from pmp.errors import NotFoundError
from pmp.permissions import Permission, can

PAGE = 25
PROBLEMS_PAGE = 100
GRAVITY = (Severity.FATAL, Severity.ERROR, Severity.WARNING)
UNFINISHED = (SubmissionStatus.RECEIVED, SubmissionStatus.READING)


@dataclass(frozen=True)
class Page:
    """One page of a list: its rows, its number from 1, how many pages and rows."""

    rows: list[Any]
    number: int
    pages: int
    total: int


@dataclass(frozen=True)
class ProblemKind:
    """Problems with the same code at the same element, and how many there are."""

    code: str
    severity: Severity
    element: str
    message: str
    count: int


def page_of(query: Any, *, number: int, size: int = PAGE) -> Page:
    """Cut a query into pages; a number beyond the last gives the last."""
    total = query.count()
    pages = max(1, -(-total // size))
    number = min(max(1, number), pages)
    return Page(list(query.paginate(number, size)), number, pages, total)


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


def mine(user: User, *, number: int = 1) -> Page:
    """List what a user submitted, the latest first."""
    query = Submission.select().where(Submission.submitted_by == user)
    return page_of(query.order_by(Submission.id.desc()), number=number)


def everyone_s(
    *, status: SubmissionStatus | None = None, username: str = "", number: int = 1
) -> Page:
    """List all submissions for staff, the latest first."""
    query = Submission.select(Submission, User).join(User)
    if status:
        query = query.where(Submission.status == status)
    if username:
        query = query.where(User.username == username)
    return page_of(query.order_by(Submission.id.desc()), number=number)


def problem_kinds(submission: Submission) -> list[ProblemKind]:
    """Group a submission's problems by code and element, the gravest first."""
    problem = SubmissionProblem
    query: Any = (
        problem.select(
            problem.code,
            problem.severity,
            problem.element,
            fn.MIN(problem.message),
            fn.COUNT(problem.id).alias("many"),
        )
        .where(problem.submission == submission)
        .group_by(problem.code, problem.severity, problem.element)
        .tuples()
    )
    kinds = [ProblemKind(*row) for row in query]
    return sorted(kinds, key=lambda kind: (GRAVITY.index(kind.severity), -kind.count))


def problems(
    submission: Submission, *, severity: Severity | None = None, code: str = ""
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
