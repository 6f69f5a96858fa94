"""Passkeys (WebAuthn level 2): beside the app, for browsers that run scripts.

A challenge is good for each passkey once: it must have been given out after the
passkey was used last. The site's name is the host of PMP_PUBLIC_URL; browsers make no
passkeys for a bare number such as 127.0.0.1.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

import webauthn
from peewee import IntegrityError
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from models import Passkey, User
from pmp import audit, database, settings
from pmp.accounts import second_factor
from pmp.errors import NotFoundError, RuleError

MOST = 10
LONGEST_ANSWER = 16_384
_REFUSED = (WebAuthnException, ValueError, KeyError, TypeError)


@dataclass(frozen=True)
class Question:
    """What the browser is asked, as JSON, and its challenge in clear."""

    options: str
    challenge: bytes


def are_used() -> bool:
    """Tell whether browsers make passkeys for the portal's address."""
    try:
        ip_address(_host())
    except ValueError:
        return True
    return False


def of(user: User) -> list[Passkey]:
    """List a user's passkeys, the oldest first."""
    return list(Passkey.select().where(Passkey.user == user).order_by(Passkey.id))


def ask_to_make(user: User) -> Question:
    """Give what a browser needs to make a passkey for a user."""
    options = webauthn.generate_registration_options(
        rp_id=_host(),
        rp_name=settings.current().short_name,
        user_name=user.username,
        user_id=_handle(user),
        user_display_name=user.name,
        exclude_credentials=_known(user),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
    )
    return Question(webauthn.options_to_json(options), options.challenge)


def add(
    user: User, *, name: str, answer: str, challenge: bytes, at: datetime
) -> Passkey:
    """Keep the passkey that a browser made.

    Raises RuleError for one that does not answer the challenge, is known already, or
    is one too many, and for a user without an authenticator app.
    """
    if not second_factor.has(user):
        raise RuleError("Set up an authenticator app first.")
    if len(of(user)) >= MOST:
        raise RuleError(f"You have {MOST} passkeys. Remove one first.")
    try:
        made = webauthn.verify_registration_response(
            credential=_parsed(answer),
            expected_challenge=challenge,
            expected_rp_id=_host(),
            expected_origin=_origin(),
        )
    except _REFUSED as refused:
        message = "The passkey was not made as asked for. Load the page and try again."
        raise RuleError(message) from refused
    try:
        with database.atomic():
            passkey: Passkey = Passkey.create(
                user=user,
                credential=bytes_to_base64url(made.credential_id),
                public_key=made.credential_public_key,
                signatures=made.sign_count,
                name=name.strip() or "Passkey",
                added_at=at,
            )
            _record(audit.Event.PASSKEY_ADDED, passkey, at=at)
    except IntegrityError as known:
        raise RuleError("This passkey is here already.") from known
    return passkey


def ask_to_sign(user: User) -> Question | None:
    """Give what a browser is asked at sign-in; None if the user has no passkey."""
    known = _known(user)
    if not known or not are_used():
        return None
    options = webauthn.generate_authentication_options(
        rp_id=_host(),
        allow_credentials=known,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return Question(webauthn.options_to_json(options), options.challenge)


def check(
    user: User, answer: str, *, challenge: bytes, asked_at: datetime, at: datetime
) -> bool:
    """Tell whether a passkey of a user signed a challenge; one is good once.

    `asked_at` is when the challenge was given out.
    """
    try:
        parsed = _parsed(answer)
        passkey = Passkey.get_or_none(
            (Passkey.user == user) & (Passkey.credential == str(parsed["id"]))
        )
        if passkey is None:
            return False
        signed = webauthn.verify_authentication_response(
            credential=parsed,
            expected_challenge=challenge,
            expected_rp_id=_host(),
            expected_origin=_origin(),
            credential_public_key=bytes(passkey.public_key),
            credential_current_sign_count=passkey.signatures,
        )
    except _REFUSED:
        return False
    fresh = Passkey.used_at.is_null() | (Passkey.used_at < asked_at)
    used = (
        Passkey.update(signatures=signed.new_sign_count, used_at=at)
        .where((Passkey.id == passkey.id) & fresh)
        .execute()
    )
    if used:
        second_factor.unblock(user)
    return bool(used)


def remove(user: User, passkey_id: int, *, at: datetime) -> str:
    """Take a passkey of a user away; give its name. NotFoundError if not theirs."""
    passkey = Passkey.get_or_none((Passkey.user == user) & (Passkey.id == passkey_id))
    if passkey is None:
        raise NotFoundError("There is no such passkey.")
    with database.atomic():
        passkey.delete_instance()
        _record(audit.Event.PASSKEY_REMOVED, passkey, at=at)
    return str(passkey.name)


def _known(user: User) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=webauthn.base64url_to_bytes(passkey.credential)
        )
        for passkey in of(user)
    ]


def _parsed(answer: str) -> dict[str, object]:
    if len(answer) > LONGEST_ANSWER:
        raise ValueError("too long")
    parsed = json.loads(answer)
    if not isinstance(parsed, dict):
        raise TypeError("not an object")
    return parsed


def _host() -> str:
    return urlsplit(settings.current().public_url).hostname or ""


def _origin() -> str:
    parts = urlsplit(settings.current().public_url)
    return f"{parts.scheme}://{parts.netloc}"


def _handle(user: User) -> bytes:
    """Give the id that a device keeps for the account: it says nothing of its user."""
    key = settings.current().secret_key.get_secret_value().encode()
    return hmac.new(key, f"passkey-user:{user.id}".encode(), hashlib.sha256).digest()


def _record(event: audit.Event, passkey: Passkey, *, at: datetime) -> None:
    user = passkey.user
    audit.record(
        event,
        actor=user.username,
        subject=f"user:{user.id}",
        at=at,
        detail={"passkey": passkey.id},
    )
