"""Days for which a pharmacy need not report: granted, ended, never deleted."""

from datetime import date, datetime, timedelta

from models import Pharmacy, ReportingExemption, User
from pmp import audit, database
from pmp.errors import NotFoundError, RuleError
from pmp.reporting import settling
from pmp.wording import us_date


def of(pharmacy: Pharmacy) -> list[ReportingExemption]:
    """List a pharmacy's exemptions, the latest first."""
    query = ReportingExemption.select().where(ReportingExemption.pharmacy == pharmacy)
    return list(query.order_by(ReportingExemption.id.desc()))


def by_id(exemption_id: int) -> ReportingExemption:
    """Give an exemption; NotFoundError if there is none."""
    row: ReportingExemption | None = ReportingExemption.get_or_none(
        ReportingExemption.id == exemption_id
    )
    if row is None:
        raise NotFoundError("There is no such exemption.")
    return row


def grant(
    pharmacy: Pharmacy,
    *,
    first: date,
    last: date | None,
    reason: str,
    by: User,
    at: datetime,
) -> ReportingExemption:
    """Free a pharmacy from reporting for these days; without `last`, until further.

    What it was told about these days alone is settled by it.
    """
    if last is not None and last < first:
        raise RuleError("The last day is before the first.", field="last")
    if not reason.strip():
        raise RuleError("Say why it need not report", field="reason")
    with database.atomic():
        row: ReportingExemption = ReportingExemption.create(
            pharmacy=pharmacy,
            first_day=first,
            last_day=last,
            reason=reason.strip(),
            granted_by=by.username,
            granted_at=at,
        )
        _record(row, "granted", by=by, at=at)
        settling.settle([pharmacy.id], by=by.username, at=at)
    return row


def end(exemption_id: int, *, last: date, by: User, at: datetime) -> ReportingExemption:
    """Let an exemption end with a day; it must not become longer than it was.

    One that has not begun ends before it begins: it then frees from nothing.
    """
    with database.atomic():
        row = by_id(exemption_id)
        settling.reopen(row.pharmacy, first=last + timedelta(days=1), last=date.max)
        if row.last_day is not None and last >= row.last_day:
            message = f"It ends on {us_date(row.last_day)} already."
            raise RuleError(message, field="last")
        row.last_day = last
        row.save(only=[ReportingExemption.last_day])
        _record(row, "ended", by=by, at=at)
        settling.settle([row.pharmacy.id], at=at)
    return row


def _record(row: ReportingExemption, change: str, *, by: User, at: datetime) -> None:
    audit.record(
        audit.Event.REPORTING_EXEMPTION_CHANGED,
        actor=by.username,
        subject=f"pharmacy:{row.pharmacy.id}",
        at=at,
        detail={
            "change": change,
            "first": row.first_day.isoformat(),
            "last": row.last_day.isoformat() if row.last_day else None,
            "reason": row.reason,
        },
    )
