"""Accounts that nobody uses are closed, after a notice; staff open them again.

PMP_INACTIVE_DAYS without a sign-in close an account, 0 = never; its user is told
PMP_INACTIVE_NOTICE_DAYS before. Nobody is closed who was not told so long ago, however
late the worker runs. Closed ones keep everything that they have done.
"""

from datetime import datetime, timedelta
from typing import Any

from peewee import IntegrityError, fn

from models import NoticeOfAccount, User, UserStatus
from pmp import audit, database, settings
from pmp.accounts import account_notices, credentials, sessions, standings
from pmp.errors import RuleError


def run(*, at: datetime) -> tuple[int, int]:
    """Tell users whose account will be closed, close those told long enough ago.

    Give how many of each. For the worker's night.
    """
    days = settings.current().inactive_days
    if not days:
        return 0, 0
    notice = timedelta(days=settings.current().inactive_notice_days)
    unused_since = at - timedelta(days=days)
    told = sum(
        _tell(
            user, closes_at=max(_last(user) + timedelta(days=days), at + notice), at=at
        )
        for user in _unused(unused_since + notice).where(User.closing_told_at.is_null())
    )
    closed = sum(
        _close(user, days=days, at=at)
        for user in _unused(unused_since).where(User.closing_told_at <= at - notice)
    )
    return told, closed


def reopen(user: User, *, reason: str, by: User | None, at: datetime) -> None:
    """Open a closed account again; `by` None is the command line.

    Who never came in still needs the letter. RuleError if it is not closed, without a
    reason, or if the licence has another account by now.
    """
    if not reason.strip():
        raise RuleError("Say why the account is opened again.", field="reason")
    try:
        with database.atomic():
            opened = (
                User.update(
                    status=standings.once_open(user),
                    reopened_at=at,
                    closing_told_at=None,
                    failed_sign_ins=0,
                    locked_until=None,
                )
                .where((User.id == user.id) & (User.status == UserStatus.CLOSED))
                .execute()
            )
            if not opened:
                raise RuleError(f"{user.username} is not closed.")
            _record(audit.Event.USER_REOPENED, user, by=by, at=at, reason=reason)
    except IntegrityError as taken:
        message = f"The licence of {user.username} has another account by now."
        raise RuleError(message) from taken


def _unused(since: datetime) -> Any:
    last = fn.COALESCE(User.last_sign_in_at, User.created_at)
    return (
        User.select()
        .where(User.status == UserStatus.ACTIVE)
        .where(last <= since)
        .where(User.reopened_at.is_null() | (User.reopened_at <= since))
        .order_by(User.id)
    )


def _last(user: User) -> datetime:
    latest: datetime = user.created_at
    for time in (user.last_sign_in_at, user.reopened_at):
        latest = max(latest, time) if time else latest
    return latest


def _tell(user: User, *, closes_at: datetime, at: datetime) -> int:
    with database.atomic():
        moved = (
            User.update(closing_told_at=at)
            .where((User.id == user.id) & User.closing_told_at.is_null())
            .execute()
        )
        if moved:
            detail = {"closes_at": closes_at.isoformat()}
            kind = NoticeOfAccount.CLOSING
            account_notices.tell(user, kind, at=at, detail=detail)
            _record(audit.Event.USER_TOLD, user, by=None, at=at, reason="closing")
    return int(moved)


def _close(user: User, *, days: int, at: datetime) -> int:
    with database.atomic():
        moved = (
            User.update(status=UserStatus.CLOSED)
            .where((User.id == user.id) & (User.status == UserStatus.ACTIVE))
            # Who came in meanwhile is told of nothing any more.
            .where(User.closing_told_at.is_null(is_null=False))
            .execute()
        )
        if moved:
            sessions.end_all(user, at=at)
            reason = f"not used for {days} days"
            credentials.withdraw_letters(user, reason=reason, at=at)
            account_notices.tell(user, NoticeOfAccount.CLOSED, at=at)
            _record(audit.Event.USER_CLOSED, user, by=None, at=at, reason=reason)
    return int(moved)


def _record(
    event: audit.Event, user: User, *, by: User | None, at: datetime, reason: str
) -> None:
    audit.record(
        event,
        actor=by.username if by else "system",
        subject=f"user:{user.id}",
        at=at,
        detail={"reason": reason.strip()},
    )
