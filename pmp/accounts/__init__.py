"""Who may come in: sign-in, lock-out, first sign-in by letter, one's own password.

A refusal never tells whether the user name or the password was wrong, and takes as long
for a name that nobody has. Each refusal is on the audit record.
"""

from datetime import datetime
from typing import Any

from peewee import fn

from models import (
    Application,
    ApplicationStatus,
    Credential,
    Delegation,
    DelegationStatus,
    Role,
    User,
    UserStatus,
)
from pmp import audit, database, settings
from pmp.accounts import (
    attestation,
    credentials,
    forgotten,
    lock_out,
    passwords,
    second_factor,
    sessions,
    standings,
)
from pmp.accounts.entering import (
    FirstStep,
    SignedIn,
    enter,
    prove,
    refuse_weak,
    set_password,
    tell_of_password,
)
from pmp.errors import RuleError
from pmp.registration import registration_codes

SHUT_OUT = (UserStatus.SUSPENDED, UserStatus.CLOSED)


__all__ = [
    "FirstStep",
    "SignedIn",
    "activate",
    "change_password",
    "check_letter",
    "letter",
    "note_refused_access",
    "sign_in",
    "sign_out_everywhere",
    "suspend",
    "unlock",
]


def sign_in(
    *, username: str, password: str, address: str, browser: str, at: datetime
) -> SignedIn | FirstStep:
    """Let a user in and begin a session, or ask for the second factor.

    Raises RuleError for a wrong name or password and for a locked account alike, and
    lock_out.ThrottledError after too many refusals from one address.
    """
    lock_out.refuse_a_crowd(address, at=at)
    user = _named(username)
    allowed = lock_out.take_try(user, at=at)
    right = passwords.matches(user.password_hash if user else None, password)
    if user is None or not allowed or not right:
        lock_out.note_refusal(user, address=address, at=at)
        raise RuleError(_no_match(), field="password")
    if user.status != UserStatus.ACTIVE:
        lock_out.note_refusal(user, address=address, at=at, reason=user.status)
        raise RuleError(
            f"This account is closed to you for now. {lock_out.call_us()}",
            field="username",
        )
    return _let_in(user, password, address=address, browser=browser, at=at)


def check_letter(
    *, username: str, secret: str, code: str, address: str, at: datetime
) -> Credential:
    """Check a mailed user name and password, and the applicant's own code.

    The letter alone is not enough: the code stands on the confirmation page only, a
    delegate's on their supervisor's page. A user whom an administrator made has no
    registration and needs no code. Raises RuleError for anything that does not match,
    and for a letter that was used, replaced or is too old; ThrottledError as for
    sign_in.
    """
    lock_out.refuse_a_crowd(address, at=at)
    user = _named(username)
    allowed = lock_out.take_try(user, at=at)
    credential = _last_letter(user)
    right = passwords.matches(
        credential.secret_hash if credential else None,
        credentials.as_printed(secret),
    )
    coded = user is not None and _code_is_theirs(user, code)
    if user is None or credential is None or not (allowed and right and coded):
        lock_out.note_refusal(user, address=address, at=at, reason="letter")
        raise RuleError(_no_letter())
    lock_out.forget_tries(user)
    _refuse_dead_letter(credential, at=at)
    return credential


def letter(credential_id: int, *, at: datetime) -> Credential:
    """Give a letter that was checked before; RuleError if it is no longer in force."""
    credential: Credential = (
        Credential.select(Credential, User)
        .join(User)
        .where(Credential.id == credential_id)
        .get()
    )
    _refuse_dead_letter(credential, at=at)
    return credential


def activate(
    *, credential: Credential, password: str, address: str, browser: str, at: datetime
) -> SignedIn | FirstStep:
    """Set a user's own password; the letter's dies with it, and the user is in.

    Who has a second factor shows it next. Who comes in for the first time attests
    with it that the account is theirs alone.
    `credential` comes from check_letter, at most a few minutes ago. Raises RuleError
    for a password that will not do, or when the letter was used in the meantime.
    """
    user: User = credential.user
    refuse_weak(password, user)
    secret_hash = passwords.hash_secret(password)
    with database.atomic():
        _refuse_dead_letter(Credential.get_by_id(credential.id), at=at)
        _use_up(credential, at=at)
        # Who holds the password has the letter, though nobody called it mailed.
        reason = "the user has come in"
        credentials.withdraw_letters(user, reason=reason, at=at, printed=False)
        is_first = user.status != UserStatus.ACTIVE
        user.status = UserStatus.ACTIVE
        set_password(user, password, secret_hash, at=at)
        forgotten.end_links(user, at=at)
        _record_letter(user, is_first=is_first, at=at)
        if second_factor.has(user):
            return FirstStep(user)
        return enter(user, address=address, browser=browser, at=at)


def change_password(
    *,
    user: User,
    current: str,
    password: str,
    address: str,
    browser: str,
    at: datetime,
) -> SignedIn:
    """Change one's own password; every session ends, and this browser begins anew.

    Raises RuleError when the current password is wrong (it counts as a wrong sign-in)
    or the new one will not do.
    """
    prove(user, current, address=address, at=at, field="current")
    if current == password:
        raise RuleError("This is the password you have now", field="password")
    refuse_weak(password, user)
    secret_hash = passwords.hash_secret(password)
    with database.atomic():
        set_password(user, password, secret_hash, at=at)
        forgotten.end_links(user, at=at)
        reason = "the user has set a password"
        credentials.withdraw_letters(user, reason=reason, at=at)
        tell_of_password(user, at=at)
        audit.record(
            audit.Event.PASSWORD_CHANGED,
            actor=user.username,
            subject=f"user:{user.id}",
            at=at,
        )
        return enter(user, address=address, browser=browser, at=at)


def sign_out_everywhere(*, user: User, at: datetime) -> int:
    """End every session of a user, this one too; give how many there were."""
    with database.atomic():
        ended = sessions.end_all(user, at=at)
        audit.record(
            audit.Event.SIGNED_OUT,
            actor=user.username,
            subject=f"user:{user.id}",
            at=at,
            detail={"sessions": ended},
        )
    return ended


def suspend(*, user: User, reason: str, by: User | None, at: datetime) -> None:
    """Shut a user out at once, with a reason; `by` None is the program itself."""
    with database.atomic():
        User.update(status=UserStatus.SUSPENDED).where(User.id == user.id).execute()
        sessions.end_all(user, at=at)
        audit.record(
            audit.Event.USER_SUSPENDED,
            actor=by.username if by else "system",
            subject=f"user:{user.id}",
            at=at,
            detail={"reason": reason},
        )


def unlock(*, user: User, by: User | None, at: datetime) -> None:
    """Let a locked or suspended user try again; `by` None is the program itself."""
    with database.atomic():
        lock_out.forget_tries(user)
        (
            User.update(status=standings.once_open(user))
            .where((User.id == user.id) & (User.status == UserStatus.SUSPENDED))
            .execute()
        )
        audit.record(
            audit.Event.USER_UNLOCKED,
            actor=by.username if by else "system",
            subject=f"user:{user.id}",
            at=at,
        )


def note_refused_access(
    *, user: User, permission: str, address: str, at: datetime
) -> None:
    """Keep on record that a user asked for a page that is not theirs to see."""
    audit.record(
        audit.Event.ACCESS_REFUSED,
        actor=user.username,
        subject=f"permission:{permission}",
        at=at,
        address=address,
    )


# --- Letters


def _last_letter(user: User | None) -> Credential | None:
    if user is None:
        return None
    letter: Credential | None = (
        Credential.select()
        .where(Credential.user == user)
        .order_by(Credential.issued_at.desc(), Credential.id.desc())
        .first()
    )
    return letter


def _code_is_theirs(user: User, code: str) -> bool:
    given: list[Any] = [
        *Application.select().where(Application.user == user),
        *Delegation.select().where(
            (Delegation.delegate == user)
            & (Delegation.status == DelegationStatus.APPROVED)
        ),
    ]
    codes = [each.code for each in given]
    if user.role is Role.DELEGATE and not codes:
        return False
    return not codes or registration_codes.read_code(code) in codes


def _refuse_dead_letter(letter: Credential, *, at: datetime) -> None:
    if letter.used_at:
        raise RuleError(
            "The password of this letter was used already. Sign in with your own "
            f"password. If it was not you who used it: {lock_out.call_us()}"
        )
    shut_out = letter.user.status in SHUT_OUT
    if letter.revoked_at or letter.expires_at <= at or shut_out:
        raise RuleError(
            f"The password of this letter is no longer in force. {lock_out.call_us()} "
            "A new letter will be mailed to your address of record."
        )


def _use_up(credential: Credential, *, at: datetime) -> None:
    used = (
        Credential.update(used_at=at)
        .where((Credential.id == credential.id) & Credential.used_at.is_null())
        .execute()
    )
    if not used:
        raise RuleError("The password of this letter was used a moment ago.")


def _record_letter(user: User, *, is_first: bool, at: datetime) -> None:
    events = [audit.Event.CREDENTIAL_USED]
    if is_first:
        _complete_registration(user)
        attestation.attest(user, at=at, address="")
        events.append(audit.Event.USER_ACTIVATED)
    for event in events:
        audit.record(event, actor=user.username, subject=f"user:{user.id}", at=at)


def _complete_registration(user: User) -> None:
    (
        Application.update(status=ApplicationStatus.ACTIVE)
        .where(
            (Application.user == user)
            & Application.status.in_(
                [ApplicationStatus.APPROVED, ApplicationStatus.CREDENTIALS_MAILED]
            )
        )
        .execute()
    )


# --- Coming in


def _named(username: str) -> User | None:
    wanted = username.strip().lower()
    user: User | None = User.select().where(fn.LOWER(User.username) == wanted).first()
    return user


def _let_in(
    user: User, password: str, *, address: str, browser: str, at: datetime
) -> SignedIn | FirstStep:
    with database.atomic():
        if passwords.is_outdated(user.password_hash or ""):
            user.password_hash = passwords.hash_secret(password)
            user.save(only=[User.password_hash])
        if second_factor.has(user):
            # Wrong tries stay counted: a password gives no new ones at codes.
            lock_out.give_back_try(user)
            audit.record(
                audit.Event.FIRST_STEP,
                actor=user.username,
                subject=f"user:{user.id}",
                at=at,
                address=address,
            )
            return FirstStep(user)
        lock_out.forget_tries(user)
        return enter(user, address=address, browser=browser, at=at)


def _no_match() -> str:
    chosen = settings.current()
    return (
        "The user name and the password do not match, or the account is locked. "
        f"After {chosen.lock_after} wrong tries it is locked for "
        f"{chosen.lock_minutes} minutes"
    )


def _no_letter() -> str:
    return (
        "The user name, the password of the letter and the registration code do not "
        "belong together. Check each of them; if you were sent more than one letter, "
        f"only the newest is in force. {lock_out.call_us()}"
    )
