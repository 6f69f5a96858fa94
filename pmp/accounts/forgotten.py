"""A user name or a password that was forgotten: a link by email, or a new letter.

The page only writes down who may be meant and answers; the worker does the rest. So
the answer and its time are the same whether or not there is such an account. A link
lives 24 hours at most and is good once (NIST SP 800-63B-4, section 4.2.1).

By the same link the program's own people set their first password: they have no licence
and so no address of record that a letter could go to.
"""

import hashlib
import hmac
from datetime import datetime, timedelta

from peewee import fn

from models import (
    ChannelName,
    Credential,
    DeliveryKind,
    ForgottenPassword,
    Licence,
    Role,
    User,
    UserStatus,
)
from pmp import audit, database, deliveries, settings
from pmp.account_settings import STAFF_ROLES
from pmp.accounts import attestation, credentials, lock_out, passwords, second_factor
from pmp.accounts.entering import refuse_weak, set_password, tell_of_password
from pmp.deliveries import contacts
from pmp.errors import RuleError

MOST_LINKS_A_DAY = 5
MOST_FROM_A_PLACE = 20
PLACE_WINDOW = timedelta(minutes=10)
# A letter takes days: who asks again meanwhile is sent no second one.
LETTER_EVERY = timedelta(days=7)
MOST_OF_ONE_ADDRESS = 5
KEEP = timedelta(days=90)


def ask(typed: str, *, by_letter: bool, place: str, at: datetime) -> list[int]:
    """Write down that somebody forgot; give the ids of what the worker is to answer.

    `typed` is a user name, an email address or a licence number. Always at least one
    row: one without a user where nobody is meant. Raises lock_out.ThrottledError
    after MOST_FROM_A_PLACE from one address on the network.
    """
    _refuse_a_crowd(place, at=at)
    meant: list[User | None] = [*_meant(typed)]
    with database.atomic():
        return [
            _written(user, by_letter=by_letter, place=place, by="", at=at)
            for user in meant or [None]
        ]


def ask_for(user: User, *, by_letter: bool, by: User, at: datetime) -> int:
    """Have a link or a letter sent to a user who called; for staff.

    RuleError where there is no email address, or no address of record.
    """
    if user.status in {UserStatus.SUSPENDED, UserStatus.CLOSED}:
        raise RuleError(f"{user.username} is shut out: open the account first.")
    if by_letter and not _has_address(user):
        raise RuleError("There is no address of record to mail a letter to.")
    if not by_letter and not user.email:
        raise RuleError("We have no email address of this user.")
    if not by_letter and not takes_link(user):
        raise RuleError(f"{user.username} must begin with the letter.")
    with database.atomic():
        return _written(user, by_letter=by_letter, place="", by=by.username, at=at)


def takes_link(user: User) -> bool:
    """Tell whether a link may set a user's password.

    A licence's user who never came in needs the letter: it goes to the address that
    the Department has. Where one of the program's own people, or a delegate, reads mail
    was said by whoever answers for the account.
    """
    if user.status == UserStatus.AWAITING_FIRST_SIGN_IN:
        return user.role in STAFF_ROLES or user.role is Role.DELEGATE
    return bool(user.status == UserStatus.ACTIVE)


def is_first(user: User) -> bool:
    """Tell whether a link would set the first password of an account."""
    return bool(user.status == UserStatus.AWAITING_FIRST_SIGN_IN)


def unanswered() -> list[int]:
    """Give the ids of what the worker has not answered, the oldest first."""
    query = (
        ForgottenPassword.select(ForgottenPassword.id)
        .where(ForgottenPassword.answered_at.is_null())
        .order_by(ForgottenPassword.id)
    )
    return [row.id for row in query]


def answer(ask_id: int, *, at: datetime) -> None:
    """Send the link or the letter, if somebody is meant who may have it. In the worker.

    Each is answered once; a second call does nothing.
    """
    with database.atomic():
        taken = (
            ForgottenPassword.update(answered_at=at)
            .where(ForgottenPassword.id == ask_id)
            .where(ForgottenPassword.answered_at.is_null())
            .execute()
        )
        row = ForgottenPassword.get_or_none(ForgottenPassword.id == ask_id)
        if not taken or row is None or row.user is None:
            return
        if row.by_letter:
            _send_letter(row, at=at)
        else:
            _send_link(row, at=at)


def link(row: ForgottenPassword) -> str:
    """Give the address in the email: its token cannot be made from the tables."""
    return f"{settings.current().public_url}/forgotten/{_token(row)}"


def by_token(token: str, *, at: datetime) -> ForgottenPassword:
    """Give the row of a link's token; RuleError if it was used or is too old."""
    row: ForgottenPassword | None = (
        ForgottenPassword.select()
        .where(ForgottenPassword.token_sha256 == _digest(token))
        .first()
    )
    if row is None or not is_open(row, at=at):
        raise RuleError(
            "This link was used, was replaced by a newer one, or is too old. Ask for"
            " another."
        )
    return row


def user_of(row: ForgottenPassword) -> User:
    """Give the user of a row that has one."""
    user: User | None = row.user
    if user is None:
        raise RuleError("Nobody is meant.")
    return user


def is_open(row: ForgottenPassword, *, at: datetime) -> bool:
    """Tell whether a link is good yet, and its user may sign in."""
    lives = row.ended_at is None and row.expires_at is not None and row.expires_at > at
    return bool(lives and row.user and takes_link(row.user))


def reset(row: ForgottenPassword, password: str, *, address: str, at: datetime) -> User:
    """Set a new password by a link, once; every session of the user ends.

    Signing in comes after, with the second factor where there is one. Who sets the
    first one attests with it that the account is theirs alone. RuleError for a
    password that will not do, or if the link was used or the account shut meanwhile.
    """
    user = user_of(row)
    refuse_weak(password, user)
    secret_hash = passwords.hash_secret(password)
    with database.atomic():
        user = _held(user)
        used = (
            ForgottenPassword.update(ended_at=at)
            .where(ForgottenPassword.id == row.id)
            .where(ForgottenPassword.ended_at.is_null())
            .where(ForgottenPassword.expires_at > at)
            .execute()
        )
        if not used:
            raise RuleError("This link was used a moment ago.")
        if not takes_link(user):
            raise RuleError("This account was shut a moment ago.")
        end_links(user, at=at)
        began = is_first(user)
        if began:
            _begin(user, address=address, at=at)
        set_password(user, password, secret_hash, at=at)
        if not second_factor.has(user):  # else it would give new tries at codes
            lock_out.forget_tries(user)
        audit.record(
            audit.Event.PASSWORD_RESET,
            actor=user.username,
            subject=f"user:{user.id}",
            at=at,
            address=address,
        )
        if not began:  # who has just begun knows
            tell_of_password(user, at=at)
    return user


def _held(user: User) -> User:
    """Hold a user's row, as whoever suspends them does; the fresh row."""
    query = User.select().where(User.id == user.id)
    if not database.is_sqlite():  # SQLite's transactions are IMMEDIATE
        query = query.for_update("FOR NO KEY UPDATE")  # type: ignore[arg-type]
    held: User = query.get()
    return held


def _begin(user: User, *, address: str, at: datetime) -> None:
    """Let a user in who never was; a single-use password that is out dies."""
    user.status = UserStatus.ACTIVE
    reason = "the user has come in"
    credentials.withdraw_letters(user, reason=reason, at=at, printed=False)
    attestation.attest(user, at=at, address=address)
    audit.record(
        audit.Event.USER_ACTIVATED,
        actor=user.username,
        subject=f"user:{user.id}",
        at=at,
        address=address,
    )


def end_links(user: User, *, at: datetime) -> None:
    """Let every link of a user die: another replaces it, or the password was set."""
    (
        ForgottenPassword.update(ended_at=at)
        .where(ForgottenPassword.user == user)
        .where(ForgottenPassword.ended_at.is_null())
        .where(ForgottenPassword.token_sha256.is_null(is_null=False))
        .execute()
    )


def forget_old(*, at: datetime) -> None:
    """Drop what was asked long ago; the audit record keeps that it was."""
    ForgottenPassword.delete().where(ForgottenPassword.asked_at < at - KEEP).execute()


def _meant(typed: str) -> list[User]:
    """Give whose user name, email address or licence number this is, a few at most."""
    wanted = typed.strip()
    lowered = wanted.lower()
    if not wanted:
        return []
    licences = Licence.select(Licence.id).where(Licence.code == wanted.upper())
    return list(
        User.select()
        .where(
            (fn.LOWER(User.username) == lowered)
            | (fn.LOWER(User.email) == lowered)
            | User.licence.in_(licences)
        )
        .where(User.status != UserStatus.CLOSED)
        .order_by(User.id)
        .limit(MOST_OF_ONE_ADDRESS)
    )


def _written(
    user: User | None, *, by_letter: bool, place: str, by: str, at: datetime
) -> int:
    row: ForgottenPassword = ForgottenPassword.create(
        user=user, by_letter=by_letter, place=place, asked_by=by, asked_at=at
    )
    audit.record(
        audit.Event.PASSWORD_FORGOTTEN,
        actor=by or "unknown",
        subject=f"user:{user.id}" if user else "user:unknown",
        at=at,
        address=place,
        detail={
            "way": "letter" if by_letter else "email",
            **({"first_password": True} if user and is_first(user) else {}),
        },
    )
    return int(row.id)


def _send_link(row: ForgottenPassword, *, at: datetime) -> None:
    user = user_of(row)
    if not takes_link(user) or not user.email:
        return
    if not row.asked_by and _links_since(user, at - timedelta(days=1)) >= (
        MOST_LINKS_A_DAY
    ):
        return
    end_links(user, at=at)
    row.token_sha256 = _digest(_token(row))
    row.expires_at = at + timedelta(hours=settings.current().password_link_hours)
    row.save(only=[ForgottenPassword.token_sha256, ForgottenPassword.expires_at])
    deliveries.request(
        kind=DeliveryKind.FORGOTTEN_PASSWORD,
        subject_id=row.id,
        routes=[deliveries.Route(ChannelName.EMAIL, user.email)],
        dedupe_key=f"forgotten-password:{row.id}",
        priority=2,
        at=at,
    )


def _send_letter(row: ForgottenPassword, *, at: datetime) -> None:
    user = user_of(row)
    waits = user.status in {UserStatus.ACTIVE, UserStatus.AWAITING_FIRST_SIGN_IN}
    if not waits or not _has_address(user):
        return
    if not row.asked_by and _letter_is_out(row, at=at):
        return
    # Only what was sent counts: who asks each day must not keep a letter away.
    row.expires_at = at + LETTER_EVERY
    row.save(only=[ForgottenPassword.expires_at])
    credentials.replace_letter(user, reason="a new letter replaces it", at=at)


def _letter_is_out(row: ForgottenPassword, *, at: datetime) -> bool:
    """Tell whether a letter was sent, or made, only some days ago."""
    sent = (
        ForgottenPassword.select()
        .where(ForgottenPassword.user == row.user)
        .where(ForgottenPassword.by_letter)
        .where(ForgottenPassword.expires_at > at)
    )
    made = (
        Credential.select()
        .where(Credential.user == row.user)
        .where(Credential.issued_at > at - LETTER_EVERY)
        .where(Credential.used_at.is_null())
        .where(Credential.revoked_at.is_null())
    )
    return bool(sent.exists() or made.exists())


def _links_since(user: User, since: datetime) -> int:
    count: int = (
        ForgottenPassword.select()
        .where(ForgottenPassword.user == user)
        .where(ForgottenPassword.token_sha256.is_null(is_null=False))
        .where(ForgottenPassword.answered_at > since)
        .count()
    )
    return count


def _has_address(user: User) -> bool:
    return bool(contacts.letter_lines(user))


def _refuse_a_crowd(place: str, *, at: datetime) -> None:
    asked = (
        ForgottenPassword.select()
        .where(ForgottenPassword.place == place)
        .where(ForgottenPassword.asked_at > at - PLACE_WINDOW)
        .count()
    )
    if asked >= MOST_FROM_A_PLACE:
        raise lock_out.ThrottledError(
            "Too many passwords were asked for from this place. Wait"
            f" {PLACE_WINDOW.seconds // 60} minutes. {lock_out.call_us()}"
        )


def _token(row: ForgottenPassword) -> str:
    key = settings.current().secret_key.get_secret_value().encode()
    text = f"forgotten-password:{row.id}:{row.asked_at.isoformat()}".encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
