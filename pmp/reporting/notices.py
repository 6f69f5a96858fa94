"""Reminders before a report is due and notices after it was: each made once.

A reminder goes out once for days that are open; a late notice on the day after they
were due, then every week until they are settled, at most `late_notices` times. Then it
is for staff to call. A pharmacy that is late already is not reminded of further days.
Each is a row first: its unique index is what keeps two workers from telling twice.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from peewee import IntegrityError

from models import (
    Delivery,
    DeliveryKind,
    NoticeKind,
    Pharmacy,
    ReportingNotice,
    User,
)
from pmp import audit, clock, database, deliveries, settings
from pmp.deliveries import contacts
from pmp.dispensations.row_codes import LIKE, SIGNS, check_sign
from pmp.errors import NotFoundError, RuleError
from pmp.reporting import dispensers, schedules, settling, standing
from pmp.reporting.calendars import Calendar
from pmp.reporting.standing import Log, Standing, State

PREFIX = "DUE"
HALF = 5
WEEK = timedelta(days=7)
AT_ONCE = 200


@dataclass(frozen=True)
class Wanted:
    """Days that a pharmacy is to be told about, and by when they are to be reported."""

    kind: NoticeKind
    first: date
    last: date
    due: date


def run(*, at: datetime) -> int:
    """Enrol who must report, settle what is answered, tell who must be told; how many.

    May run at any time and on several hosts at once: nobody is told twice.
    """
    dispensers.enrol(at=at)
    settling.settle(at=at)
    calendar, count, last = schedules.calendar(), 0, 0
    while some := dispensers.who_must_report(after=last, limit=AT_ONCE):
        last = some[-1].id
        settling.advance(some, at=at)
        some = dispensers.who_must_report(after=some[0].id - 1, limit=len(some))
        count += _tell(some, calendar, at=at)
    return count


def wanted_for(
    pharmacy: Pharmacy,
    log: Log,
    told: Sequence[ReportingNotice],
    calendar: Calendar,
    *,
    today: date,
) -> Wanted | None:
    """Give what a pharmacy is to be told today, in view of what it was told; or None.

    `told` are its notices, the oldest first.
    """
    since = today - standing.LOOK_BACK
    found = standing.standings(pharmacy, log, calendar, since=since, today=today)
    late = [each for each in found if each.state is State.LATE]
    if late:
        wanted = _about(NoticeKind.LATE, late)
        return wanted if _may_warn(told, today=today) else None
    days = settings.current().reminder_days
    near = [
        each
        for each in found
        if each.state is State.DUE
        and calendar.remind_on(each.period, pharmacy.kind, days) <= today
        and not _was_told(each, told)
    ]
    return _about(NoticeKind.REMINDER, near) if near else None


def send_now(pharmacy: Pharmacy, *, by: User, at: datetime) -> ReportingNotice:
    """Send a notice about a pharmacy's open days at once, as staff ask for it.

    RuleError if no days are open, or if one was made today.
    """
    calendar, today = schedules.calendar(), clock.day_of(at)
    since = today - standing.LOOK_BACK
    log = standing.logs([pharmacy], since=since)[pharmacy.id]
    found = standing.standings(pharmacy, log, calendar, since=since, today=today)
    opened = [each for each in found if each.state in standing.OPEN]
    if not opened:
        raise RuleError("Nothing is open: this pharmacy has reported.")
    told = of(pharmacy)
    if any(clock.day_of(each.made_at) == today for each in told):
        raise RuleError("A notice was made today. Call them, or wait until tomorrow.")
    late = any(each.state is State.LATE for each in opened)
    kind = NoticeKind.LATE if late else NoticeKind.REMINDER
    made = _make(pharmacy, _about(kind, opened), told, by=by.username, at=at)
    if made is None:
        raise RuleError("Someone else has just sent one.")
    return made


def of(pharmacy: Pharmacy) -> list[ReportingNotice]:
    """List what a pharmacy was told about days, the oldest first."""
    query = ReportingNotice.select().where(ReportingNotice.pharmacy == pharmacy)
    return list(query.order_by(ReportingNotice.id))


def deliveries_of(notices: Sequence[ReportingNotice]) -> dict[int, list[Delivery]]:
    """Give the deliveries of each notice, by its id, in the order of its routes."""
    query = (
        Delivery.select()
        .where(Delivery.kind == DeliveryKind.REPORTING_NOTICE)
        .where(Delivery.subject_id.in_([each.id for each in notices]))
        .order_by(Delivery.id)
    )
    found: dict[int, list[Delivery]] = {}
    for delivery in query:
        found.setdefault(delivery.subject_id, []).append(delivery)
    return found


def read_code(text: str) -> str | None:
    """Bring a reply code to its written form, DUE-7K3Q9-XW4MT; None if it is none."""
    plain = "".join(sign for sign in text.upper() if sign.isalnum())
    if not plain.startswith(PREFIX):
        return None
    signs = plain.removeprefix(PREFIX).translate(LIKE)
    if len(signs) != 2 * HALF or set(signs) - set(SIGNS):
        return None
    return _written(signs) if check_sign(signs[:-1]) == signs[-1] else None


def by_reply_code(code: str) -> ReportingNotice:
    """Give the notice with a reply code; NotFoundError if there is none."""
    notice: ReportingNotice | None = ReportingNotice.get_or_none(reply_code=code)
    if notice is None:
        raise NotFoundError(f"There is no notice {code}.")
    return notice


def new_code() -> str:
    """Make a reply code at random; the table's constraint says that nobody has it."""
    signs = "".join(secrets.choice(SIGNS) for _ in range(2 * HALF - 1))
    return _written(signs + check_sign(signs))


def _written(signs: str) -> str:
    return f"{PREFIX}-{signs[:HALF]}-{signs[HALF:]}"


def _tell(some: Sequence[Pharmacy], calendar: Calendar, *, at: datetime) -> int:
    today = clock.day_of(at)
    found = standing.logs(some, since=today - standing.LOOK_BACK)
    told = _told(some, since=today - 2 * standing.LOOK_BACK)
    count = 0
    for pharmacy in some:
        notices = told.get(pharmacy.id, [])
        log = found[pharmacy.id]
        wanted = wanted_for(pharmacy, log, notices, calendar, today=today)
        if wanted:
            count += bool(_make(pharmacy, wanted, notices, by="system", at=at))
    return count


def _told(some: Sequence[Pharmacy], *, since: date) -> dict[int, list[ReportingNotice]]:
    query = (
        ReportingNotice.select()
        .where(ReportingNotice.pharmacy.in_([each.id for each in some]))
        .where(ReportingNotice.made_at >= clock.start_of(since))
        .order_by(ReportingNotice.id)
    )
    found: dict[int, list[ReportingNotice]] = {}
    for notice in query:
        found.setdefault(notice.__data__["pharmacy"], []).append(notice)
    return found


def _about(kind: NoticeKind, found: Sequence[Standing]) -> Wanted:
    first, last = found[0].period, found[-1].period
    return Wanted(kind, first.first, last.last, first.due)


def _was_told(each: Standing, told: Sequence[ReportingNotice]) -> bool:
    """Tell whether a notice named the whole of a period."""
    return any(
        notice.first_day <= each.period.first and each.period.last <= notice.last_day
        for notice in told
    )


def _may_warn(told: Sequence[ReportingNotice], *, today: date) -> bool:
    """Tell whether a late notice is due: the first at once, the next after a week."""
    warned = [
        each
        for each in told
        if each.kind is NoticeKind.LATE and each.answered_at is None
    ]
    if len(warned) >= settings.current().late_notices:
        return False
    return not warned or clock.day_of(warned[-1].made_at) + WEEK <= today


def _make(
    pharmacy: Pharmacy,
    wanted: Wanted,
    told: Sequence[ReportingNotice],
    *,
    by: str,
    at: datetime,
) -> ReportingNotice | None:
    """Make a notice and its delivery; None if another worker has made it.

    Its number follows from what this worker has seen, never from a fresh look: who
    decided on old knowledge must meet the row that another has made meanwhile.
    """
    before = [
        each
        for each in told
        if (each.kind, each.first_day) == (wanted.kind, wanted.first)
    ]
    try:
        with database.atomic():
            notice: ReportingNotice = ReportingNotice.create(
                kind=wanted.kind,
                pharmacy=pharmacy,
                first_day=wanted.first,
                last_day=wanted.last,
                due_on=wanted.due,
                number=len(before) + 1,
                reply_code=new_code(),
                made_by=by,
                made_at=at,
            )
            routes = contacts.routes_for(pharmacy, with_patient=False)
            deliver(notice, routes, by=by, at=at)
    except IntegrityError:
        return None
    return notice


def deliver(
    notice: ReportingNotice,
    routes: Sequence[deliveries.Route],
    *,
    by: str,
    at: datetime,
) -> None:
    """Put a notice in the outbox, in the transaction that makes it."""
    deliveries.request(
        kind=DeliveryKind.REPORTING_NOTICE,
        subject_id=notice.id,
        routes=routes,
        dedupe_key=f"reporting-notice:{notice.id}",
        at=at,
    )
    about = "pharmacy" if notice.pharmacy else "submission"
    audit.record(
        audit.Event.REPORTING_NOTICE_MADE,
        actor=by,
        subject=f"{about}:{notice.__data__[about]}",
        at=at,
        detail={
            "notice": notice.id,
            "kind": notice.kind.value,
            "number": notice.number,
            "first": notice.first_day.isoformat(),
            "last": notice.last_day.isoformat(),
        },
    )
