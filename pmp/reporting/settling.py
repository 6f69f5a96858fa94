"""A notice is settled once nothing that it asked about is open any more."""

from collections.abc import Sequence
from datetime import date, datetime

from models import DeliveryKind, NoticeKind, Pharmacy, ReportingNotice
from pmp import audit, clock, database, deliveries
from pmp.reporting import schedules, standing

ABOUT_DAYS = (NoticeKind.REMINDER, NoticeKind.LATE)


def settle(
    pharmacies: Sequence[int] | None = None, *, by: str = "system", at: datetime
) -> int:
    """Settle the notices about days that are open no more; give how many.

    Those of some pharmacies, by their ids, or of all. What has not been sent is not
    sent any more.
    """
    notices = _unanswered(pharmacies)
    if not notices:
        return 0
    calendar, today = schedules.calendar(), clock.day_of(at)
    theirs = {each.id: each for notice in notices if (each := notice.pharmacy)}
    since = min(notice.first_day for notice in notices)
    found = standing.logs(list(theirs.values()), since=since)
    count = 0
    for notice in notices:
        pharmacy = theirs[notice.__data__["pharmacy"]]
        kind, log = pharmacy.kind, found[pharmacy.id]
        periods = calendar.periods(notice.first_day, notice.last_day, kind)
        if all(
            standing.judge(log, period, today=today).state in standing.SETTLED
            for period in periods
        ):
            count += answered(notice, by=by, at=at)
    return count


def answered(notice: ReportingNotice, *, by: str, at: datetime) -> bool:
    """Write down that a notice is settled; False if it was before."""
    with database.atomic():
        changed = (
            ReportingNotice.update(answered_at=at, answered_by=by)
            .where(ReportingNotice.id == notice.id)
            .where(ReportingNotice.answered_at.is_null())
            .execute()
        )
        if not changed:
            return False
        deliveries.withdraw_for(
            kind=DeliveryKind.REPORTING_NOTICE,
            subject_id=notice.id,
            reason="nothing is open any more",
            by=None,
            at=at,
        )
        audit.record(
            audit.Event.REPORTING_NOTICE_ANSWERED,
            actor=by,
            subject=f"reporting_notice:{notice.id}",
            at=at,
        )
    return True


def reopen(pharmacy: Pharmacy, *, first: date, last: date) -> None:
    """Have notices about these days wait for an answer again: a report was undone."""
    (
        ReportingNotice.update(answered_at=None, answered_by="")
        .where(ReportingNotice.pharmacy == pharmacy)
        .where(ReportingNotice.kind.in_(ABOUT_DAYS))
        .where(ReportingNotice.first_day <= last, ReportingNotice.last_day >= first)
        .execute()
    )


def _unanswered(pharmacies: Sequence[int] | None) -> list[ReportingNotice]:
    query = (
        ReportingNotice.select(ReportingNotice, Pharmacy)
        .join(Pharmacy)
        .where(ReportingNotice.answered_at.is_null())
        .where(ReportingNotice.kind.in_(ABOUT_DAYS))
    )
    if pharmacies is not None:
        query = query.where(ReportingNotice.pharmacy.in_(pharmacies))
    return list(query.order_by(ReportingNotice.id))
