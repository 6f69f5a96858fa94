"""Certificates that reports are sealed for, so that they may go by email themselves.

Only where PMP_MAIL_DOCUMENTS says so. A user hands in the certificate of their own
address; staff keep those of prescribers and pharmacies without an account, and they are
used only for the address that the Department's list has. Without one, or when it is
over, email is a notice and a link as before.
"""

from collections.abc import Sequence
from datetime import datetime

from peewee import IntegrityError, fn

from models import (
    ChannelName,
    Delivery,
    MailCertificate,
    Pharmacy,
    Prescriber,
    User,
    UserStatus,
)
from pmp import audit, database, mail_settings, settings
from pmp.deliveries import barred, certificate_checks, contacts
from pmp.deliveries.outbox import Route
from pmp.errors import ConflictError, NotFoundError, RuleError


def are_used() -> bool:
    """Tell whether the program seals documents at all."""
    return settings.current().mail_documents != "never"


def in_use(address: str, *, at: datetime) -> MailCertificate | None:
    """Give the certificate that a document for an address is sealed for now."""
    found = of_address(address) if are_used() else None
    return found if found is not None and found.not_after > at else None


def refuse_link(delivery: Delivery) -> None:
    """Refuse a notice and a link where sealed email was meant: RuleError.

    Its certificate is over or withdrawn since, and nobody with this address can sign
    in. The next way is used.
    """
    address = delivery.address.lower()
    had_one = MailCertificate.select().where(MailCertificate.address == address)
    user = (
        User.select()
        .where(fn.LOWER(User.email) == address)
        .where(User.status == UserStatus.ACTIVE)
    )
    if had_one.exists() and not user.exists():
        raise RuleError("Its certificate is over or withdrawn; a link would not do.")


def of_address(address: str) -> MailCertificate | None:
    """Give the certificate of an address that was not withdrawn, over or not."""
    found: MailCertificate | None = MailCertificate.get_or_none(
        (MailCertificate.address == address.lower())
        & MailCertificate.withdrawn_at.is_null()
    )
    return found


def also(
    routes: Sequence[Route], who: Prescriber | Pharmacy, *, at: datetime
) -> list[Route]:
    """Give the ways to somebody, with sealed email to one who is no user.

    For a message whose document can be sealed. It comes where the roster prefers it,
    else before a letter: a notice and a link would be no use to them.
    """
    licence = contacts.licence_of(who) if are_used() else None
    address = ((licence.email if licence else "") or "").strip()
    if not address or in_use(address, at=at) is None:
        return list(routes)
    if contacts.user_of(who) is not None or barred.among([address]):
        return list(routes)
    sealed, letters = Route(ChannelName.EMAIL, address), ChannelName.LETTER
    if licence and licence.preferred_channel == ChannelName.EMAIL:
        return [sealed, *routes]
    ready = [each for each in routes if not each.awaits]  # sealed email need not wait
    before = [each for each in ready if each.channel != letters]
    return [*before, sealed, *(each for each in ready if each.channel == letters)]


def add(
    raw: bytes, *, address: str, by: User, at: datetime, whence: str = ""
) -> MailCertificate:
    """Keep a certificate for an address, in place of the one before it.

    RuleError where it will not do, with the reason; ConflictError if somebody else
    added one at this moment.
    """
    own = address.strip().lower()
    try:
        mail_settings.address(own)
    except ValueError as error:
        raise RuleError("Enter one email address", "address") from error
    if not own:
        raise RuleError("Enter the email address that it is for", "address")
    found = certificate_checks.read(raw, address=own, at=at)
    try:
        with database.atomic():
            before = of_address(own)
            if before is not None:
                _withdraw(before, by=by, at=at, whence=whence)
            kept: MailCertificate = MailCertificate.create(
                address=own,
                pem=found.pem,
                fingerprint=found.fingerprint,
                holder=found.holder,
                issuer=found.issuer,
                not_after=found.not_after,
                added_by=by.username,
                added_at=at,
            )
            _record(audit.Event.MAIL_CERTIFICATE_ADDED, kept, by, at, whence)
    except IntegrityError as other:
        raise ConflictError("Somebody added one at this moment. Look again.") from other
    return kept


def withdraw(
    certificate_id: int, *, by: User, at: datetime, whence: str = ""
) -> MailCertificate:
    """Stop using a certificate; NotFoundError if it is not in use."""
    with database.atomic():
        found: MailCertificate | None = MailCertificate.get_or_none(
            (MailCertificate.id == certificate_id)
            & MailCertificate.withdrawn_at.is_null()
        )
        if found is None:
            raise NotFoundError("This certificate is not in use any more.")
        _withdraw(found, by=by, at=at, whence=whence)
    return found


def get(certificate_id: int) -> MailCertificate:
    """Give a certificate; NotFoundError."""
    found: MailCertificate | None = MailCertificate.get_or_none(id=certificate_id)
    if found is None:
        raise NotFoundError("There is no such certificate.")
    return found


def _withdraw(found: MailCertificate, *, by: User, at: datetime, whence: str) -> None:
    found.withdrawn_by, found.withdrawn_at = by.username, at
    found.save()
    _record(audit.Event.MAIL_CERTIFICATE_WITHDRAWN, found, by, at, whence)


def _record(
    event: audit.Event, found: MailCertificate, by: User, at: datetime, whence: str
) -> None:
    audit.record(
        event,
        actor=by.username,
        subject=f"mail_certificate:{found.id}",
        at=at,
        address=whence,
        detail={"address": found.address, "fingerprint": found.fingerprint},
    )
