"""A notice is settled once nothing that it asked about is open any more."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import takewhile

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
    found = standing.logs(list(theirs.values()), since=since, whole=True)
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
    """Ask about these days again: a report was undone, in this transaction."""
    unsettle(pharmacy, since=first)
    (
        ReportingNotice.update(answered_at=None, answered_by="")
        .where(ReportingNotice.pharmacy == pharmacy)
        .where(ReportingNotice.kind.in_(ABOUT_DAYS))
        .where(ReportingNotice.first_day <= last, ReportingNotice.last_day >= first)
        .execute()
    )


def advance(pharmacies: Sequence[Pharmacy], *, at: datetime) -> int:
    """Write down up to which day nothing is open any more; give for how many.

    In turns with whoever undoes a report: both hold the pharmacies' rows.
    """
    calendar, today = schedules.calendar(), clock.day_of(at)
    since = today - standing.LOOK_BACK
    count = 0
    with database.atomic():
        rows = _held([each.id for each in pharmacies])
        found = standing.logs(rows, since=since)
        for row in rows:
            all_of_it = standing.standings(
                row, found[row.id], calendar, since=since, today=today
            )
            settled = takewhile(lambda each: _is_over(each, today), all_of_it)
            last = max((each.period.last for each in settled), default=None)
            if last and last != row.reported_through:
                _through(row, last)
                count += 1
    return count


def unsettle(pharmacy: Pharmacy, *, since: date) -> None:
    """Have days from one on judged anew; in the transaction that undoes a report."""
    (row,) = _held([pharmacy.id])
    if row.reported_through and row.reported_through >= since:
        period = schedules.calendar().period_of(since, row.kind)
        _through(row, period.first - timedelta(days=1))


def _held(numbers: Sequence[int]) -> list[Pharmacy]:
    """Read pharmacies so that nobody changes them before this transaction ends."""
    query = Pharmacy.select().where(Pharmacy.id.in_(numbers)).order_by(Pharmacy.id)
    if not database.is_sqlite():  # SQLite's transactions are IMMEDIATE
        query = query.for_update()
    return list(query)


def _through(pharmacy: Pharmacy, day: date | None) -> None:
    Pharmacy.update(reported_through=day).where(Pharmacy.id == pharmacy.id).execute()


def _is_over(each: standing.Standing, today: date) -> bool:
    return each.state in standing.SETTLED and each.period.last < today


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
