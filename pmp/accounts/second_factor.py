"""The second factor: codes of an authenticator app, and recovery codes.

RFC 6238 with SHA-1, six digits, 30 seconds: what every app knows. A code is good for
its own 30 seconds and those before and after, and never twice. Passkeys are further
factors beside the app, so that nobody depends on a script (pmp.accounts.passkeys).
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp

from models import AuthenticatorApp, NoticeOfAccount, Passkey, RecoveryCode, User
from pmp import audit, database, documents, settings
from pmp.accounts import account_notices, sessions
from pmp.dispensations.row_codes import LIKE, SIGNS
from pmp.errors import RuleError

STEP_SECONDS = 30
DIGITS = 6
STEPS_AROUND = 1
SECRET_BYTES = 20  # RFC 4226, section 4: 160 bits
# NIST SP 800-63B-4, section 3.2.2: no more wrong ones in a row than this.
MOST_WRONG = 100
NEXT_GOOD_FOR = timedelta(minutes=30)
CODES, GROUPS, GROUP = 10, 3, 4  # twelve of 32 signs each: 60 bits
APP, RECOVERY = "app", "recovery code"


@dataclass(frozen=True)
class Standing:
    """What a user has: since when, how many recovery codes are left."""

    added_at: datetime | None
    codes_left: int
    is_blocked: bool = False


def is_required(user: User) -> bool:
    """Tell whether a user's role must have a second factor."""
    return user.role in settings.current().second_factor_roles


def has(user: User) -> bool:
    """Tell whether a user has an app that was shown to work."""
    return _working(user) is not None


def standing(user: User) -> Standing:
    """Give what a user has."""
    app = _working(user)
    if app is None:
        return Standing(None, 0)
    return Standing(app.added_at, len(_codes(user)), app.wrong_tries >= MOST_WRONG)


def begin(user: User, *, at: datetime) -> None:
    """Make the secret of a new app; one that works stays in force until it is shown."""
    secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES))
    with database.atomic():
        AuthenticatorApp.insert(user=user).on_conflict_ignore().execute()
        _change(user, next_secret=_seal(secret, user), next_at=at)


def waiting_secret(user: User, *, at: datetime) -> str | None:
    """Give the secret, in base32, of an app that is not shown to work yet."""
    app = AuthenticatorApp.get_or_none(AuthenticatorApp.user == user)
    if app is None or app.next_secret is None or app.next_at + NEXT_GOOD_FOR <= at:
        return None
    return _open(app.next_secret, user)


def address_for_app(user: User, secret: str) -> str:
    """Give the otpauth: address that an app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(
        name=user.username, issuer_name=settings.current().short_name
    )


def confirm(user: User, code: str, *, at: datetime) -> list[str]:
    """Take the first code of a new app; give the recovery codes in clear, this once.

    Every session ends: the caller begins a new one. Raises RuleError at `code` for a
    wrong one, and if nothing was begun, or too long ago.
    """
    secret = waiting_secret(user, at=at)
    if secret is None:
        raise RuleError("This was begun too long ago. Begin again.")
    step = _step_of(secret, code, at=at)
    if step is None:
        raise RuleError(
            "This is not the code that the app shows now. Wait for the next one; if it"
            " is refused too, check the clock of your phone.",
            field="code",
        )
    with database.atomic():
        app = AuthenticatorApp.get(AuthenticatorApp.user == user)
        _change(
            user,
            secret=app.next_secret,
            next_secret=None,
            next_at=None,
            added_at=at,
            last_step=step,
            wrong_tries=0,
        )
        sessions.end_all(user, at=at)
        _record(audit.Event.FACTOR_ADDED, user, by=user.username, at=at)
        account_notices.tell(user, NoticeOfAccount.FACTOR_ADDED, at=at)
        return new_codes(user, at=at)


def new_codes(user: User, *, at: datetime) -> list[str]:
    """Make ten recovery codes, given in clear this once; the old ones die."""
    codes = [_new_code() for _ in range(CODES)]
    with database.atomic():
        RecoveryCode.delete().where(RecoveryCode.user == user).execute()
        for code in codes:
            RecoveryCode.create(user=user, code_hash=_hash(code, user), made_at=at)
        _record(audit.Event.RECOVERY_CODES_MADE, user, by=user.username, at=at)
    return codes


def check(user: User, typed: str, *, at: datetime) -> str | None:
    """Use up a code; give which factor it was of, None for one that is not good.

    Who calls this counts tries (pmp.accounts.lock_out).
    """
    digits = "".join(typed.split()).replace("-", "")
    if digits.isdecimal() and len(digits) == DIGITS:
        return APP if _use_app(user, digits, at=at) else None
    return RECOVERY if _use_recovery_code(user, typed, at=at) else None


def remove(user: User, *, by: str, at: datetime, reason: str = "") -> None:
    """Take every second factor off an account, end its sessions, and tell its user."""
    with database.atomic():
        for table in (AuthenticatorApp, RecoveryCode, Passkey):
            table.delete().where(table.user == user).execute()
        sessions.end_all(user, at=at)
        _record(audit.Event.FACTOR_REMOVED, user, by=by, at=at, reason=reason)
        account_notices.tell(user, NoticeOfAccount.FACTOR_REMOVED, at=at)


def unblock(user: User) -> None:
    """Take codes of the app again after a recovery code or a passkey was shown."""
    _change(user, wrong_tries=0)


def _working(user: User) -> AuthenticatorApp | None:
    app: AuthenticatorApp | None = AuthenticatorApp.get_or_none(
        (AuthenticatorApp.user == user) & AuthenticatorApp.secret.is_null(is_null=False)
    )
    return app


def _use_app(user: User, code: str, *, at: datetime) -> bool:
    app = _working(user)
    if app is None or app.secret is None or app.wrong_tries >= MOST_WRONG:
        return False
    step = _step_of(_open(app.secret, user), code, at=at)
    used = step is not None and (
        AuthenticatorApp.update(last_step=step, wrong_tries=0)
        .where((AuthenticatorApp.user == user) & (AuthenticatorApp.last_step < step))
        .execute()
    )
    if not used:
        _change(user, wrong_tries=AuthenticatorApp.wrong_tries + 1)
    return bool(used)


def _use_recovery_code(user: User, typed: str, *, at: datetime) -> bool:
    used = (
        RecoveryCode.update(used_at=at)
        .where(RecoveryCode.user == user)
        .where(RecoveryCode.code_hash == _hash(typed, user))
        .where(RecoveryCode.used_at.is_null())
        .execute()
    )
    if used:
        unblock(user)
    return bool(used)


def _step_of(secret: str, code: str, *, at: datetime) -> int | None:
    """Give the step, now or next to it, of which this is the code."""
    now = int(at.timestamp()) // STEP_SECONDS
    typed = "".join(code.split()).encode()
    for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1):
        right = pyotp.TOTP(secret).at(step * STEP_SECONDS).encode()
        if hmac.compare_digest(right, typed):
            return step
    return None


def _codes(user: User) -> list[RecoveryCode]:
    query = RecoveryCode.select().where(RecoveryCode.user == user)
    return list(query.where(RecoveryCode.used_at.is_null()))


def _new_code() -> str:
    signs = "".join(secrets.choice(SIGNS) for _ in range(GROUPS * GROUP))
    return "-".join(signs[n : n + GROUP] for n in range(0, len(signs), GROUP))


def _hash(code: str, user: User) -> str:
    """Hash a code under the secret key: the table alone gives nothing to guess at."""
    signs = "".join(s for s in code.upper() if s.isalnum()).translate(LIKE)
    key = settings.current().secret_key.get_secret_value().encode()
    text = f"recovery-code:{user.id}:{signs}".encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def _seal(secret: bytes, user: User) -> bytes:
    return documents.seal(secret, purpose=f"authenticator-app:{user.id}")


def _open(sealed: bytes, user: User) -> str:
    purpose = f"authenticator-app:{user.id}"
    return documents.unseal(bytes(sealed), purpose=purpose).decode()


def _change(user: User, **values: object) -> None:
    AuthenticatorApp.update(**values).where(AuthenticatorApp.user == user).execute()


def _record(
    event: audit.Event, user: User, *, by: str, at: datetime, reason: str = ""
) -> None:
    detail = {"reason": reason} if reason else None
    audit.record(event, actor=by, subject=f"user:{user.id}", at=at, detail=detail)
