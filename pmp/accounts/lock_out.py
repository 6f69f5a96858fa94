"""Wrong passwords are counted: an account locks for a while, an address is slowed down.

A try is counted before its password is looked at, so that a thousand at once gain no
more than the allowed few. All of it stands in the database: any number of hosts count
together.
"""

from datetime import datetime, timedelta

from peewee import Case

from models import SignInAttempt, User
from pmp import audit, database, settings
from pmp.accounts import sign_in_watch
from pmp.accounts.sign_in_watch import ADDRESS_LIMIT, NO_SIGN_IN, WINDOW
from pmp.errors import RuleError
from pmp.wording import phone

KEEP_ATTEMPTS = timedelta(days=1)
REGISTRATION = "registration"  # its code was mistyped: that is no password
NOBODY = 0  # an id that no row has: asked for all the same, for the time it takes


class ThrottledError(RuleError):
    """Too many refusals from one address; try again later."""


def take_try(user: User | None, *, at: datetime) -> bool:
    """Count a try at a user's password; False while the account is locked.

    The last allowed try locks at once; a right password takes the lock off again. A
    name that nobody has (None) and a locked account cost a write as well: the time of
    an answer tells nothing.
    """
    with database.atomic():
        counted = _counted(user.id if user else NOBODY, at=at)
        fresh = User.get_or_none(User.id == (user.id if user else NOBODY))
        if fresh is not None and counted:
            if fresh.failed_sign_ins >= settings.current().lock_after:
                _lock(fresh, at=at)
            return True
        SignInAttempt.create(address="", at=at).delete_instance()
    return False


def forget_tries(user: User) -> None:
    """Take off the lock and the count: the right password, or staff who unlock."""
    (
        User.update(failed_sign_ins=0, locked_until=None)
        .where(User.id == user.id)
        .execute()
    )


def give_back_try(user: User) -> None:
    """Uncount the try that has just gone well; the wrong ones before it stay."""
    tries = Case(
        None, [(User.failed_sign_ins > 0, User.failed_sign_ins - 1)], default=0
    )
    (
        User.update(failed_sign_ins=tries, locked_until=None)
        .where(User.id == user.id)
        .execute()
    )


def refuse_a_crowd(address: str, *, at: datetime) -> None:
    """Raise ThrottledError once an address had ADDRESS_LIMIT refusals in the window."""
    refused = (
        SignInAttempt.select()
        .where((SignInAttempt.address == address) & (SignInAttempt.at > at - WINDOW))
        .count()
    )
    if refused >= ADDRESS_LIMIT:
        _record(None, address=address, at=at, reason="address")
        raise ThrottledError(
            "Too many sign-ins from this place were refused. Wait "
            f"{WINDOW.seconds // 60} minutes and try again. {call_us()}"
        )


def note_refusal(
    user: User | None, *, address: str, at: datetime, reason: str = "password"
) -> None:
    """Keep a refusal: a row for the throttle and one on the audit record.

    A name that nobody has is not kept: people type passwords into the wrong box.
    """
    with database.atomic():
        SignInAttempt.delete().where(SignInAttempt.at < at - KEEP_ATTEMPTS).execute()
        nobody = NO_SIGN_IN if reason == REGISTRATION else ""
        SignInAttempt.create(
            address=address, username=user.username if user else nobody, at=at
        )
        _record(user, address=address, at=at, reason=reason)
        if reason != REGISTRATION:
            sign_in_watch.look(address, at=at)


def call_us() -> str:
    """Say whom to call."""
    return f"If you need help, call {phone(settings.current().program_phone)}."


def _record(user: User | None, *, address: str, at: datetime, reason: str) -> None:
    fresh = User.get_or_none(User.id == (user.id if user else NOBODY))
    locked = bool(fresh and fresh.locked_until)
    audit.record(
        audit.Event.SIGN_IN_LOCKED if locked else audit.Event.SIGN_IN_REFUSED,
        actor=user.username if user else "unknown",
        subject=f"user:{user.id}" if user else "user:unknown",
        at=at,
        address=address,
        detail={"reason": reason},
    )


def _counted(user_id: int, *, at: datetime) -> bool:
    tries = Case(
        None, [(User.locked_until.is_null(), User.failed_sign_ins + 1)], default=1
    )
    changed = (
        User.update(failed_sign_ins=tries, locked_until=None)
        .where(
            (User.id == user_id)
            & (User.locked_until.is_null() | (User.locked_until <= at))
        )
        .execute()
    )
    return bool(changed)


def _lock(user: User, *, at: datetime) -> None:
    until = at + timedelta(minutes=settings.current().lock_minutes)
    User.update(locked_until=until).where(User.id == user.id).execute()
