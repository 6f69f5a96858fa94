"""Held records are chased until they are corrected or withdrawn.

They are to be corrected within `correction_days` after their submission came. At the
end of that term, and every seven days from then on, whoever submitted it is told.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from peewee import JOIN, IntegrityError, fn

from models import (
    NoticeKind,
    ReportingNotice,
    Submission,
    SubmissionStatus,
    User,
)
from pmp import clock, database, reporters, settings
from pmp.deliveries import Route, contacts
from pmp.reporting import notices, settling

AGAIN = timedelta(days=7)


@dataclass(frozen=True)
class Overdue:
    """A submission with held records past their term, and how often it was chased."""

    submission: Submission
    due: date
    notices: int
    last_notice: datetime | None


def due_on(submission: Submission) -> date:
    """Give the day by which the held records of a submission are to be corrected."""
    term = timedelta(days=settings.current().correction_days)
    return clock.day_of(submission.received_at) + term


def overdue(*, today: date) -> list[Overdue]:
    """List submissions with held records past their term, the oldest first."""
    told: Any = (
        ReportingNotice.select(
            ReportingNotice.submission,
            fn.COUNT(ReportingNotice.id).alias("many"),
            fn.MAX(ReportingNotice.made_at).alias("last"),
        )
        .where(~ReportingNotice.submission.is_null())
        .group_by(ReportingNotice.submission)
        .tuples()
    )
    known = {number: (many, last) for number, many, last in told}
    return [
        Overdue(each, due_on(each), *known.get(each.id, (0, None)))
        for each in _with_held()
        if due_on(each) <= today
    ]


def chase(*, at: datetime) -> int:
    """Tell whoever submitted records that are held past their term; give how many.

    May run at any time and twice at once: nobody is told twice. What is corrected
    meanwhile is settled first.
    """
    settle(at=at)
    today, count = clock.day_of(at), 0
    for each in overdue(today=today):
        last = each.last_notice
        if last is None or clock.day_of(last) + AGAIN <= today:
            count += _tell(each, at=at)
    return count


def settle(*, at: datetime) -> int:
    """Settle the notices of submissions that hold no record any more."""
    query = (
        ReportingNotice.select(ReportingNotice)
        .join(Submission)
        .where(ReportingNotice.answered_at.is_null(), Submission.held == 0)
    )
    return sum(settling.answered(each, by="system", at=at) for each in list(query))


def _with_held() -> list[Submission]:
    query = (
        Submission.select(Submission, User)
        .join(User, JOIN.INNER)
        .where(Submission.status == SubmissionStatus.PROCESSED_WITH_ERRORS)
        .where(Submission.held > 0)
        .where(Submission.dry_run == False)  # noqa: E712 - SQL
        .where(Submission.test == False)  # noqa: E712 - SQL
        .order_by(Submission.received_at, Submission.id)
    )
    return list(query)


def _tell(each: Overdue, *, at: datetime) -> bool:
    came = clock.day_of(each.submission.received_at)
    try:
        with database.atomic():
            notice = ReportingNotice.create(
                kind=NoticeKind.HELD_RECORDS,
                submission=each.submission,
                first_day=came,
                last_day=came,
                due_on=each.due,
                number=each.notices + 1,
                made_at=at,
            )
            routes = _routes(each.submission.submitted_by)
            notices.deliver(notice, routes, by="system", at=at)
    except IntegrityError:
        return False
    return True


def _routes(user: User) -> list[Route]:
    own = reporters.own_pharmacy(user)
    if own is not None:
        return contacts.routes_for(own, with_patient=False)
    return contacts.routes_of_user(user)
