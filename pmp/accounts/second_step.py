"""The second step of sign-in, after the password: a code, or a passkey.

The count of wrong tries is the account's own and is forgotten only once both steps
went well: who has a password gains no tries at codes by typing it again.
"""

from dataclasses import dataclass
from datetime import datetime

from models import User, UserStatus
from pmp import database
from pmp.accounts import lock_out, passkeys, second_factor
from pmp.accounts.entering import SignedIn, enter
from pmp.errors import RuleError


class StaleStepError(RuleError):
    """The first step is too old, or the password was changed since."""


def user_of(user_id: int, *, password_set_at: str) -> User:
    """Give the user of a first step; StaleStepError if it is worth nothing any more.

    `password_set_at` is what `mark` gave then.
    """
    user: User | None = User.get_or_none(User.id == user_id)
    fresh = user is not None and mark(user) == password_set_at
    if user is None or not fresh or user.status != UserStatus.ACTIVE:
        raise StaleStepError("Begin again with your password.")
    return user


def mark(user: User) -> str:
    """Give what ties a first step to the password that was typed."""
    return user.password_set_at.isoformat() if user.password_set_at else ""


def by_code(
    user: User, code: str, *, address: str, browser: str, at: datetime
) -> SignedIn:
    """Let a user in by a code of the app or a recovery code.

    Raises RuleError at `code` for a wrong or used one and a locked account alike, and
    ThrottledError after too many refusals from one address.
    """
    lock_out.refuse_a_crowd(address, at=at)
    allowed = lock_out.take_try(user, at=at)
    factor = second_factor.check(user, code, at=at) if allowed else None
    if factor is None:
        _refuse(user, address=address, at=at)
    return _let_in(user, str(factor), address=address, browser=browser, at=at)


def show_code(user: User, code: str, *, address: str, at: datetime) -> None:
    """Have a signed-in user show the app before something grave; refuses as `by_code`.

    A recovery code will do as well: who has lost the app sets up another.
    """
    lock_out.refuse_a_crowd(address, at=at)
    allowed = lock_out.take_try(user, at=at)
    if not allowed or second_factor.check(user, code, at=at) is None:
        _refuse(user, address=address, at=at)
    lock_out.forget_tries(user)


@dataclass(frozen=True)
class Signed:
    """What a passkey gave, the challenge that it was given, and when."""

    answer: str
    challenge: bytes
    asked_at: datetime


def by_passkey(
    user: User, signed: Signed, *, address: str, browser: str, at: datetime
) -> SignedIn:
    """Let a user in by what a passkey signed; refuses as `by_code`."""
    lock_out.refuse_a_crowd(address, at=at)
    allowed = lock_out.take_try(user, at=at)
    if not allowed or not passkeys.check(
        user,
        signed.answer,
        challenge=signed.challenge,
        asked_at=signed.asked_at,
        at=at,
    ):
        _refuse(user, address=address, at=at)
    return _let_in(user, "passkey", address=address, browser=browser, at=at)


def _let_in(
    user: User, factor: str, *, address: str, browser: str, at: datetime
) -> SignedIn:
    with database.atomic():
        lock_out.forget_tries(user)
        return enter(user, address=address, browser=browser, at=at, factor=factor)


def _refuse(user: User, *, address: str, at: datetime) -> None:
    lock_out.note_refusal(user, address=address, at=at, reason="second factor")
    raise RuleError(
        "This is not a code that is good now. A code works once: wait for the next one"
        f" of your app. After several wrong ones the account is locked for a while."
        f" {lock_out.call_us()}",
        field="code",
    )
