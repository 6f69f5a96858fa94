"""Reports that nothing was dispensed: recorded for a pharmacy and days, or taken back.

A record of one of these days that comes later counts. Days of which records are there
already cannot be reported as empty.
"""

from collections.abc import Sequence
from datetime import date, datetime

from peewee import IntegrityError, fn

from models import (
    Dispensation,
    DispensationStatus,
    Pharmacy,
    User,
    ZeroReport,
)
from pmp import audit, clock, database, reporters
from pmp.errors import NotFoundError, RuleError
from pmp.permissions import Permission, can
from pmp.reporting import dispensers, settling
from pmp.wording import span_words, us_date


def report_zero(
    *,
    first: date,
    last: date,
    by: User,
    at: datetime,
    pharmacy: Pharmacy | None = None,
) -> ZeroReport:
    """Record that a pharmacy dispensed nothing on these days: by default a user's own.

    Raises RuleError for days that are not over, for the wrong order, for days with
    records, for a user with no pharmacy, and for the same days again.
    """
    require_over(first, last, clock.day_of(at))
    with database.atomic():
        whose = pharmacy or reporters.ensure_own_pharmacy(by)
        if whose is None:
            raise RuleError("Your account has no pharmacy to report for.")
        require_no_records(whose, first, last)
        return record(whose, first=first, last=last, by=by.username, at=at)


def record(
    pharmacy: Pharmacy, *, first: date, last: date, by: str, at: datetime
) -> ZeroReport:
    """Write a zero report down and settle what was asked about these days.

    RuleError for the same days again.
    """
    try:
        with database.atomic():
            zero: ZeroReport = ZeroReport.create(
                pharmacy=pharmacy,
                first_day=first,
                last_day=last,
                reported_by=by,
                reported_at=at,
            )
            _record(audit.Event.ZERO_REPORTED, zero, by=by, at=at)
            settling.settle([pharmacy.id], by=by, at=at)
    except IntegrityError as again:
        days = span_words(first, last)
        message = f"It was reported before that nothing was dispensed {days}."
        raise RuleError(message, field="first") from again
    return zero


def withdraw(zero_id: int, *, by: User, at: datetime) -> ZeroReport:
    """Take a zero report back: its days are open again, and are asked about.

    One of the user's own pharmacies, or for staff any; NotFoundError otherwise. The
    audit record keeps it.
    """
    with database.atomic():
        zero: ZeroReport | None = ZeroReport.get_or_none(ZeroReport.id == zero_id)
        if zero is None or not _may_withdraw(zero, by):
            raise NotFoundError("There is no such report among yours.")
        take_back(zero, by=by.username, at=at)
    return zero


def take_back(zero: ZeroReport, *, by: str, at: datetime) -> None:
    """Delete a zero report, put that on the audit record, and ask about its days."""
    with database.atomic():
        settling.reopen(zero.pharmacy, first=zero.first_day, last=zero.last_day)
        if not zero.delete_instance():
            raise NotFoundError("This report was taken back already.")
        _record(audit.Event.ZERO_WITHDRAWN, zero, by=by, at=at)
        settling.settle([zero.pharmacy.id], at=at)  # a file may have come meanwhile


def zero_reports(user: User, *, limit: int = 10) -> list[ZeroReport]:
    """List the latest zero reports of a user's pharmacies."""
    return of([row for row in dispensers.of_user(user) if row.id], limit=limit)


def of(pharmacies: Sequence[Pharmacy], *, limit: int = 10) -> list[ZeroReport]:
    """List the latest zero reports of pharmacies, the latest days first."""
    query = (
        ZeroReport.select(ZeroReport, Pharmacy)
        .join(Pharmacy)
        .where(ZeroReport.pharmacy.in_([row.id for row in pharmacies]))
    )
    return list(
        query.order_by(ZeroReport.last_day.desc(), ZeroReport.id.desc()).limit(limit)
    )


def last_fill(pharmacy: Pharmacy, first: date, last: date) -> date | None:
    """Give the last of these days of which a record stands; None if of none."""
    found: date | None = (
        Dispensation.select(fn.MAX(Dispensation.filled_on))
        .where(Dispensation.pharmacy == pharmacy)
        .where(Dispensation.filled_on.between(first, last))
        .where(Dispensation.status == DispensationStatus.CURRENT)
        .scalar()
    )
    return found


def require_over(first: date, last: date, today: date) -> None:
    """RuleError for days in the wrong order or that are to come."""
    if last < first:
        raise RuleError("The last day is before the first.", field="last")
    if last > today:
        message = "These days are not over: report them once they are."
        raise RuleError(message, field="last")


def require_no_records(pharmacy: Pharmacy, first: date, last: date) -> None:
    """RuleError if records of the pharmacy stand that were filled on these days."""
    filled = last_fill(pharmacy, first, last)
    if filled:
        message = (
            f"A record of a fill on {us_date(filled)} is stored. Report only days on"
            " which nothing was dispensed. If the record is wrong, void it first."
        )
        raise RuleError(message, field="first")


def _may_withdraw(zero: ZeroReport, by: User) -> bool:
    if can(by.role, Permission.REPORTING_WATCH):
        return True
    return any(row.id == zero.pharmacy.id for row in dispensers.of_user(by))


def _record(event: audit.Event, zero: ZeroReport, *, by: str, at: datetime) -> None:
    audit.record(
        event,
        actor=by,
        subject=f"pharmacy:{zero.pharmacy.id}",
        at=at,
        detail={"first": zero.first_day.isoformat(), "last": zero.last_day.isoformat()},
    )
