"""Users are told some days before their licence ends: once for each of its terms.

A term is known by its last day, as the roster has it. Who renews in time hears nothing
more; who cannot be told by any way is tried again every night.
"""

from datetime import date, datetime, timedelta
from typing import Any

from models import Licence, NoticeOfAccount, User
from pmp import audit, clock, database, settings
from pmp.accounts import account_notices
from pmp.registration.comparison import is_active
from pmp.roster import reverification


def tell(*, at: datetime) -> int:
    """Tell users whose licence ends within PMP_LICENCE_NOTICE_DAYS; give how many.

    For the worker's night; 0 days is never. Each in a transaction of its own. Not while
    an import is applied or undone: it may bring the very renewal.
    """
    days = settings.current().licence_notice_days
    if not days or reverification.is_being_changed():
        return 0
    today = clock.day_of(at)
    users = _with_an_end(first=today, last=today + timedelta(days=days))
    return sum(
        _tell(user, user.licence.expires_on, at=at)
        for user in users
        if is_active(user.licence, day=today)
    )


def _with_an_end(*, first: date, last: date) -> list[Any]:
    """Give the users whose licence ends within days, and who were not told so."""
    query = (
        User.select(User, Licence)
        .join(Licence)
        .where(User.status.in_(reverification.MAY_COME_IN))
        .where(Licence.expires_on.between(first, last))
        .where(_is_untold(Licence.expires_on))
        .order_by(Licence.expires_on, User.id)
    )
    return list(query)


def _is_untold(ends_on: Any) -> Any:
    told_for: Any = User.licence_told_for
    return told_for.is_null() | (told_for != ends_on)


def _tell(user: User, ends_on: date, *, at: datetime) -> int:
    with database.atomic() as change:
        moved = (
            User.update(licence_told_for=ends_on)
            .where(User.id == user.id)
            .where(_is_untold(ends_on))
            .execute()
        )
        if not moved:
            return 0
        detail = {"ends_on": ends_on.isoformat()}
        kind = NoticeOfAccount.LICENCE_ENDING
        if not account_notices.tell(user, kind, at=at, detail=detail):
            change.rollback()
            return 0
        audit.record(
            audit.Event.USER_TOLD,
            actor="system",
            subject=f"user:{user.id}",
            at=at,
            detail={"reason": "licence ends", **detail},
        )
    return 1
