"""What administrators do about an account: shut it, open it, unlock it, a new letter.

Nobody does it to their own account: who decides is an administrator who can sign in,
and remains one. They hold the rows of all administrators and of the user, so that of
two who decide at once, of each other too, the second sees what the first has done.
"""

from datetime import datetime
from typing import Any

from models import NoticeOfAccount, Role, User, UserStatus
from pmp import accounts, audit, database
from pmp.accounts import account_notices, credentials, lock_out, sessions, standings
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.permissions import Permission, can


def get(user_id: int) -> User:
    """Give an account by its id; NotFoundError if there is none."""
    user: User | None = User.get_or_none(User.id == user_id)
    if user is None:
        raise NotFoundError("There is no such user.")
    return user


def suspend(user_id: int, *, reason: str, seen: str, by: User, at: datetime) -> bool:
    """Shut a user out at once: every session ends. Give whether they can be told.

    RuleError for one's own account, one that is shut already, or no reason;
    ConflictError if somebody has decided about it since `seen`.
    """
    _require_reason(reason)
    with database.atomic():
        user = taken(user_id, seen=seen, by=by)
        if user.status in accounts.SHUT_OUT:
            raise RuleError(f"{user.username} is {user.status} already.")
        accounts.suspend(user=user, reason=reason.strip(), by=by, at=at)
        return account_notices.tell(user, NoticeOfAccount.SUSPENDED, at=at)


def reactivate(user_id: int, *, reason: str, seen: str, by: User, at: datetime) -> bool:
    """Let a suspended user sign in again. Give whether they can be told.

    Who never came in still needs the letter. RuleError while their licence is not
    active, and as for `suspend`.
    """
    _require_reason(reason)
    with database.atomic():
        user = taken(user_id, seen=seen, by=by)
        if user.status != UserStatus.SUSPENDED:
            raise RuleError(f"{user.username} is not suspended.")
        if user.licence is not None and not user.licence.active:
            raise RuleError(
                f"Licence {user.licence.code} is not active in the roster"
                f" ({user.licence.status}). Import a roster in which it is, first."
            )
        user.status = standings.once_open(user)
        came_in = user.status == UserStatus.ACTIVE
        user.save(only=[User.status])
        lock_out.forget_tries(user)
        detail = {"reason": reason.strip(), "came_in": came_in}
        _record(audit.Event.USER_REACTIVATED, user, detail, by=by, at=at)
        told = {"came_in": came_in}
        kind = NoticeOfAccount.REACTIVATED
        return account_notices.tell(user, kind, at=at, detail=told)


def unlock(user_id: int, *, seen: str, by: User, at: datetime) -> bool:
    """Take off the lock of too many wrong passwords. Give whether they can be told."""
    with database.atomic():
        user = taken(user_id, seen=seen, by=by)
        if not standings.is_locked(user, at=at):
            raise RuleError(f"{user.username} is not locked.")
        lock_out.forget_tries(user)
        _record(audit.Event.USER_UNLOCKED, user, {}, by=by, at=at)
        return account_notices.tell(user, NoticeOfAccount.UNLOCKED, at=at)


def new_letter(user_id: int, *, reason: str, seen: str, by: User, at: datetime) -> bool:
    """Mail a new single-use password; the old one dies now, and every session ends.

    It goes to the licence's address of record and nowhere else: RuleError if there is
    none, or for a user who is shut out. Give whether they can be told besides.
    """
    _require_reason(reason)
    with database.atomic():
        user = taken(user_id, seen=seen, by=by)
        if user.status in accounts.SHUT_OUT:
            raise RuleError(
                f"{user.username} is {user.status}: open the account again first."
            )
        User.update(
            status=UserStatus.AWAITING_FIRST_SIGN_IN,
            password_hash=None,
            failed_sign_ins=0,
            locked_until=None,
        ).where(User.id == user.id).execute()
        ended = sessions.end_all(user, at=at)
        credentials.reissue(User.get_by_id(user.id), reason=reason, by=by, at=at)
        detail = {"reason": reason.strip(), "sessions": ended}
        _record(audit.Event.PASSWORD_LETTER, user, detail, by=by, at=at)
        return account_notices.tell(user, NoticeOfAccount.NEW_LETTER, at=at)


def taken(user_id: int, *, seen: str, by: User) -> User:
    """Hold a user's row until the transaction ends; the fresh row.

    RuleError for one's own; ConflictError when `by` may not decide any more, or has not
    seen the last that was done about this account.
    """
    held = _held((User.id == user_id) | (User.role == Role.ADMINISTRATOR))
    if user_id not in held:
        raise NotFoundError("There is no such user.")
    if user_id == by.id:
        raise RuleError("This is your own account: another administrator must do it.")
    _refuse_former(held.get(by.id))
    standings.require(held[user_id], seen)
    return held[user_id]


def administrators(*, by: User) -> list[User]:
    """Hold the rows of those who may decide, until the transaction ends; give them.

    For what is about no account yet. ConflictError when `by` is none of them any more.
    """
    held = _held(User.role == Role.ADMINISTRATOR)
    _refuse_former(held.get(by.id))
    return [user for user in held.values() if _may_decide(user)]


def _held(which: Any) -> dict[int, User]:
    query = User.select().where(which).order_by(User.id)
    if not database.is_sqlite():  # SQLite's transactions are IMMEDIATE
        # Rows that point to a user, such as their sessions, are written meanwhile.
        query = query.for_update("FOR NO KEY UPDATE")  # type: ignore[arg-type]
    return {user.id: user for user in query}


def _refuse_former(me: User | None) -> None:
    if me is None or not _may_decide(me):
        raise ConflictError("You may not do this any more: your account was changed.")


def _may_decide(user: User) -> bool:
    may = can(user.role, Permission.USER_ADMINISTER)
    return may and user.status == UserStatus.ACTIVE


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise RuleError("Say why: it is kept on the audit record.", field="reason")


def _record(
    event: audit.Event,
    user: User,
    detail: dict[str, object],
    *,
    by: User,
    at: datetime,
) -> None:
    audit.record(
        event, actor=by.username, subject=f"user:{user.id}", at=at, detail=detail
    )
