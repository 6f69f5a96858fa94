"""What every way in ends with: a session, a row on the audit record; and passwords."""

from dataclasses import dataclass
from datetime import datetime

from models import NoticeOfAccount, User
from pmp import audit, settings
from pmp.accounts import (
    account_notices,
    lock_out,
    passwords,
    second_factor,
    sessions,
    unusual_sign_ins,
)
from pmp.errors import RuleError


@dataclass(frozen=True)
class SignedIn:
    """A user who came in, and the token for the cookie of this browser."""

    user: User
    token: str


@dataclass(frozen=True)
class FirstStep:
    """A user whose password was right and whose second factor is still to be shown."""

    user: User


def enter(
    user: User, *, address: str, browser: str, at: datetime, factor: str = ""
) -> SignedIn:
    """Begin a session; `factor` says which second factor was shown, if one was."""
    unusual_sign_ins.tell_if_new(user, address=address, browser=browser, at=at)
    User.update(last_sign_in_at=at, closing_told_at=None).where(
        User.id == user.id
    ).execute()
    token = sessions.begin(user=user, address=address, browser=browser, at=at)
    audit.record(
        audit.Event.SIGNED_IN,
        actor=user.username,
        subject=f"user:{user.id}",
        at=at,
        address=address,
        detail={"second_factor": factor} if factor else None,
    )
    return SignedIn(user=user, token=token)


def prove(user: User, password: str, *, address: str, at: datetime, field: str) -> None:
    """Have a user at the screen give their password once more.

    Raises RuleError at `field` if it is wrong: it counts as a wrong sign-in.
    """
    allowed = lock_out.take_try(user, at=at)
    if not passwords.matches(user.password_hash, password) or not allowed:
        lock_out.note_refusal(user, address=address, at=at, reason="password change")
        raise RuleError("This is not your current password", field=field)
    lock_out.forget_tries(user)


def refuse_weak(password: str, user: User) -> None:
    """Raise RuleError, at the field, for a password that will not do for a user."""
    shortest = passwords.shortest(with_factor=second_factor.has(user))
    words = passwords.problem(password, username=user.username, shortest=shortest)
    if words:
        raise RuleError(words, field="password")


def set_password(user: User, password: str, secret_hash: str, *, at: datetime) -> None:
    """Make a password a user's own; each of their sessions ends.

    `password` passed `refuse_weak`, and `secret_hash` is its hash.
    """
    sessions.end_all(user, at=at)
    user.password_hash, user.password_set_at = secret_hash, at
    user.password_is_short = passwords.is_short(password)
    user.save(
        only=[
            User.password_hash,
            User.password_set_at,
            User.password_is_short,
            User.status,
        ]
    )


def tell_of_password(user: User, *, at: datetime) -> None:
    """Tell a user that the password was changed: it may not have been them."""
    if settings.current().sign_in_notices:
        account_notices.tell(user, NoticeOfAccount.PASSWORD_CHANGED, at=at)
