"""Reporting periods, when their reports are due, and reports of nothing dispensed.

How often is policy (`reporting_policy`), as is how many days after a period its report
is due (`reporting_grace_days`): twice monthly means the 1st to the 15th and the 16th to
the end of the month (Connecticut's Overview for Prescribers & Pharmacists).
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from peewee import IntegrityError

from models import Pharmacy, Submission, SubmissionStatus, User, ZeroReport
from pmp import audit, clock, database, reporters, settings
from pmp.errors import RuleError
from pmp.wording import us_date

HALF = 15
RECEIVED = (
    SubmissionStatus.PROCESSED,
    SubmissionStatus.PROCESSED_WITH_ERRORS,
    SubmissionStatus.RESOLVED,
)


@dataclass(frozen=True)
class Period:
    """Days that are reported together, and the day by which."""

    first: date
    last: date
    due: date


@dataclass(frozen=True)
class Due:
    """The period whose report comes next; `days` until it is due, below 0 if late."""

    period: Period
    reported: bool
    days: int


def period_of(day: date) -> Period:
    """Give the reporting period that a day falls into, by the policy in force."""
    policy = settings.current().reporting_policy
    if policy == "daily":
        first = last = day
    elif policy == "weekly":  # Sunday to Saturday
        first = day - timedelta(days=(day.weekday() + 1) % 7)
        last = first + timedelta(days=6)
    else:
        first, last = _of_month(day, halves=policy == "twice_monthly")
    grace = timedelta(days=settings.current().reporting_grace_days)
    return Period(first, last, last + grace)


def period_before(period: Period) -> Period:
    """Give the period that ended just before another began."""
    return period_of(period.first - timedelta(days=1))


def next_due(user: User, *, today: date) -> Due:
    """Give what a user reports next: the period just ended, or the one that runs.

    The period just ended stays until a report for it has come, also when it is late.
    """
    running = period_of(today)
    ended = period_before(running)
    period = running if has_reported(user, ended) else ended
    reported = has_reported(user, period)
    return Due(period, reported, (period.due - today).days)


def has_reported(user: User, period: Period) -> bool:
    """Tell whether a user's submission or zero report came after a period's last day.

    Whoever reports more often has reported once the last of them came.
    """
    later = (
        Submission.select(Submission.received_at)
        .where(
            Submission.submitted_by == user,
            Submission.dry_run == False,  # noqa: E712 - SQL
            Submission.test == False,  # noqa: E712 - SQL
            Submission.status.in_(RECEIVED),
        )
        .order_by(Submission.id.desc())
        .first()
    )
    if later and clock.day_of(later.received_at) > period.last:
        return True
    pharmacy = reporters.own_pharmacy(user)
    return pharmacy is not None and _zero_covers(pharmacy, period)


def report_zero(*, first: date, last: date, by: User, at: datetime) -> ZeroReport:
    """Record that a user's own pharmacy dispensed nothing on these days.

    Raises RuleError for days that are not over, for the wrong order, for a user with
    no pharmacy, and for the same days again.
    """
    _require_over(first, last, clock.day_of(at))
    try:
        with database.atomic():
            pharmacy = reporters.ensure_own_pharmacy(by)
            if pharmacy is None:
                raise RuleError("Your account has no pharmacy to report for.")
            zero: ZeroReport = ZeroReport.create(
                pharmacy=pharmacy,
                first_day=first,
                last_day=last,
                reported_by=by.username,
                reported_at=at,
            )
            audit.record(
                audit.Event.ZERO_REPORTED,
                actor=by.username,
                subject=f"pharmacy:{pharmacy.id}",
                at=at,
                detail={"first": first.isoformat(), "last": last.isoformat()},
            )
    except IntegrityError as again:
        message = f"You have reported {us_date(first)} to {us_date(last)} before."
        raise RuleError(message, field="first") from again
    return zero


def zero_reports(user: User, *, limit: int = 10) -> list[ZeroReport]:
    """List the latest zero reports of a user's own pharmacy."""
    pharmacy = reporters.own_pharmacy(user)
    if pharmacy is None:
        return []
    query = ZeroReport.select().where(ZeroReport.pharmacy == pharmacy)
    return list(query.order_by(ZeroReport.last_day.desc()).limit(limit))


def _of_month(day: date, *, halves: bool) -> tuple[date, date]:
    end = monthrange(day.year, day.month)[1]
    first, last = 1, end
    if halves:
        first, last = (1, HALF) if day.day <= HALF else (HALF + 1, end)
    return day.replace(day=first), day.replace(day=last)


def _zero_covers(pharmacy: Pharmacy, period: Period) -> bool:
    return bool(
        ZeroReport.select()
        .where(
            ZeroReport.pharmacy == pharmacy,
            ZeroReport.first_day <= period.first,
            ZeroReport.last_day >= period.last,
        )
        .exists()
    )


def _require_over(first: date, last: date, today: date) -> None:
    if last < first:
        raise RuleError("The last day is before the first.", field="last")
    if last > today:
        message = "These days are not over: report them once they are."
        raise RuleError(message, field="last")
