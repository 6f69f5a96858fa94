"""Single-use passwords that are mailed: made, mailed, revoked; never kept in clear.

The clear password exists in the worker while it draws the letter, and inside the
letter, which is kept encrypted until it is mailed or replaced. Only an argon2 hash is
stored. NIST SP 800-63B-4: a mailed secret lives at most 21 days, for one use.
"""

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from models import (
    Application,
    ApplicationStatus,
    ChannelName,
    Credential,
    Delivery,
    DeliveryKind,
    DeliveryState,
    DocumentKind,
    User,
    UserStatus,
)
from pmp import audit, database, deliveries, documents, settings
from pmp.accounts import passwords
from pmp.deliveries import Route, contacts, outbox
from pmp.dispensations.row_codes import LIKE, SIGNS
from pmp.errors import RuleError
from pmp.registration import notices

_LETTER_AWAITED = (
    ApplicationStatus.APPROVED,
    ApplicationStatus.CREDENTIALS_MAILED,  # a new letter for one that was lost
)
GROUPS, GROUP = 4, 4  # sixteen of 32 signs: 80 bits
# Who never came in, and who has forgotten the password: it works until the letter does.
MAY_HAVE_ONE = (UserStatus.AWAITING_FIRST_SIGN_IN, UserStatus.ACTIVE)


def issue(user: User, *, at: datetime) -> str:
    """Make a user's single-use password and give it in clear, this once.

    Earlier ones die. Called by the worker while it draws the letter, and by the
    command that makes the first administrator, nowhere else.
    """
    secret, _ = _issued(user, at=at)
    return secret


def letter(
    delivery: Delivery, *, draw: Callable[[User, str, Credential], bytes], at: datetime
) -> bytes:
    """Give the letter of a delivery: the one that is kept, else a new one.

    Password, letter and the delivery's hold on it come about whole or not at all, so a
    worker that dies in between leaves no password that nobody has. `draw` gives the
    PDF for a user, the clear password and its credential. Raises RuleError if the user
    no longer waits for a letter, or the kept one was destroyed.
    """
    with database.atomic():
        row = outbox.taken(delivery.id)
        if row.document:
            if row.document.sealed is None:
                raise RuleError("This letter was mailed or replaced: issue a new one.")
            return documents.read(row.document)
        user: User = User.get_by_id(row.subject_id)
        if user.status not in MAY_HAVE_ONE:
            raise RuleError(f"{user.username} does not wait for a letter.")
        secret, credential = _issued(user, at=at)
        body = draw(user, secret, credential)
        row.document = documents.keep(
            kind=DocumentKind.CREDENTIAL_LETTER,
            media_type="application/pdf",
            body=body,
            at=at,
        )
        row.save(only=[Delivery.document])
        delivery.document = row.document
    return body


def as_printed(typed: str) -> str:
    """Bring a typed password to the form that was printed: 7K3Q-9XW4-MT2A-B8CD.

    Case, blanks and hyphens do not matter; O is read as 0, I and L as 1.
    """
    signs = "".join(s for s in typed.upper() if s.isalnum()).translate(LIKE)
    groups = [signs[n : n + GROUP] for n in range(0, len(signs), GROUP)]
    return "-".join(groups)


def revoke(user: User, *, at: datetime) -> None:
    """Let a user's unused passwords die, and the letters that hold them with them."""
    living = (
        Credential.select()
        .where(Credential.user == user)
        .where(Credential.used_at.is_null())
        .where(Credential.revoked_at.is_null())
    )
    with database.atomic():
        for credential in living:
            credential.revoked_at = at
            credential.save(only=[Credential.revoked_at])
            _record(audit.Event.CREDENTIAL_REVOKED, credential, at=at)
        for letter in _letters(user.id):
            _burn(letter, at=at)


def withdraw_letters(
    user: User,
    *,
    reason: str,
    at: datetime,
    by: User | None = None,
    printed: bool = True,
) -> None:
    """Let a user's unused passwords and letters die; none is printed from here on.

    Without `printed`, one of which there is paper may still be called mailed.
    """
    with database.atomic():
        revoke(user, at=at)
        deliveries.withdraw_for(
            kind=DeliveryKind.CREDENTIAL_LETTER,
            subject_id=user.id,
            reason=reason,
            by=by,
            at=at,
            printed=printed,
        )


def request_letter(user: User, *, at: datetime) -> Delivery:
    """Have the worker issue a password and mail it, in the transaction of its cause.

    It goes to the licence's address of record and nowhere else, a delegate's to their
    supervisor's. Raises RuleError if there is none.
    """
    lines = contacts.letter_lines(user)
    if not lines:
        raise RuleError("There is no address of record to mail a letter to.")
    return deliveries.request(
        kind=DeliveryKind.CREDENTIAL_LETTER,
        subject_id=user.id,
        routes=[Route(ChannelName.LETTER, "\n".join(lines))],
        dedupe_key=f"credential_letter:{user.id}:{len(_letters(user.id)) + 1}",
        at=at,
        priority=3,
    )


def reissue(user: User, *, reason: str, by: User, at: datetime) -> Delivery:
    """Mail a new letter: the old one came back, is lost or too old; it dies now.

    Raises RuleError for a user who has come in already, or who is shut out.
    """
    if user.status != UserStatus.AWAITING_FIRST_SIGN_IN:
        raise RuleError(f"{user.username} does not wait for a letter.")
    if not reason.strip():
        raise RuleError("Say why a new letter is needed.", field="reason")
    with database.atomic():
        letter = replace_letter(user, reason="a new letter replaces it", by=by, at=at)
        audit.record(
            audit.Event.DELIVERY_STAFF_ACTION,
            actor=by.username,
            subject=f"user:{user.id}",
            at=at,
            detail={"action": "new letter", "reason": reason.strip()},
        )
    return letter


def replace_letter(
    user: User, *, reason: str, at: datetime, by: User | None = None
) -> Delivery:
    """Let a user's letters die and mail another; RuleError without an address."""
    with database.atomic():
        withdraw_letters(user, reason=reason, by=by, at=at)
        return request_letter(user, at=at)


def letter_changed(delivery: Delivery, at: datetime) -> None:
    """Destroy our copy of a mailed letter; revoke the password of a returned one."""
    if delivery.state == DeliveryState.MAILED:
        _tell_mailed(delivery.subject_id, at=at)
        _burn(delivery, at=at)
    if delivery.state == DeliveryState.RETURNED:
        revoke(User.get_by_id(delivery.subject_id), at=at)


def good_until(user: User | None) -> datetime | None:
    """Give until when a user's letter is good; None if none is."""
    living = (
        Credential.select()
        .where(Credential.user == user)
        .where(Credential.used_at.is_null())
        .where(Credential.revoked_at.is_null())
        .order_by(Credential.id.desc())
    )
    credential: Credential | None = living.first() if user else None
    return credential.expires_at if credential else None


def too_old(applications: Iterable[Application], *, at: datetime) -> set[int]:
    """Give those of these registrations, by id, whose letter opens nothing any more.

    Its password has run out or was revoked, and none has come after it.
    """
    numbers = {each.id for each in applications}
    good = (
        Application.select(Application.id)
        .join(Credential, on=(Credential.user == Application.user))
        .where(Application.id.in_(numbers))
        .where(Credential.used_at.is_null())
        .where(Credential.revoked_at.is_null())
        .where(Credential.expires_at > at)
    )
    return numbers - {each.id for each in good}


def _tell_mailed(user_id: int, *, at: datetime) -> None:
    """Move the registration of a user on, and tell the applicant to watch the mail."""
    query = (
        Application.select()
        .where(Application.user == user_id)
        .where(Application.status.in_(_LETTER_AWAITED))
    )
    for application in query:
        application.status, application.mailed_at = _LETTER_AWAITED[1], at
        application.save(only=[Application.status, Application.mailed_at])
        notices.notify(application, at=at, ways=notices.NO_LETTER)


def _issued(user: User, *, at: datetime) -> tuple[str, Credential]:
    signs = "".join(secrets.choice(SIGNS) for _ in range(GROUPS * GROUP))
    secret = as_printed(signs)
    secret_hash = passwords.hash_secret(secret)
    days = timedelta(days=settings.current().credential_days)
    with database.atomic():
        revoke(user, at=at)
        made: Credential = Credential.create(
            user=user, secret_hash=secret_hash, issued_at=at, expires_at=at + days
        )
        _record(audit.Event.CREDENTIAL_ISSUED, made, at=at)
    return secret, made


def _letters(user_id: int) -> list[Delivery]:
    query = (
        Delivery.select()
        .where(Delivery.kind == DeliveryKind.CREDENTIAL_LETTER)
        .where(Delivery.subject_id == user_id)
        .order_by(Delivery.id)
    )
    return list(query)


def _burn(letter: Delivery, *, at: datetime) -> None:
    if letter.document and letter.document.sealed is not None:
        documents.purge(letter.document, at=at)


def _record(event: audit.Event, credential: Credential, *, at: datetime) -> None:
    audit.record(
        event,
        actor="system",
        subject=f"user:{credential.user.id}",
        at=at,
        detail={"credential": credential.id},
    )


deliveries.on_change(DeliveryKind.CREDENTIAL_LETTER, letter_changed)
