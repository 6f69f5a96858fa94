"""How a document that goes by email is kept from all but its recipient.

A certificate comes first; a PDF that opens with a pass phrase is for users without one,
where PMP_MAIL_DOCUMENTS allows it. The program makes the pass phrase, long enough that
guessing is hopeless, and shows it once to a user who has signed in: it never goes by
email, and is never made of what others know of somebody.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from models import ChannelName, Delivery, MailPassPhrase, User
from pmp import audit, database, documents, settings
from pmp.deliveries import certificates
from pmp.dispensations.row_codes import SIGNS
from pmp.errors import NotFoundError, RuleError

GROUPS, GROUP = 5, 4  # twenty of 32 signs: 100 bits
_PURPOSE = "mail pass phrase"


@dataclass(frozen=True)
class Protection:
    """One of the two: the PEM of a certificate, or a pass phrase."""

    certificate: str = ""
    pass_phrase: str = field(default="", repr=False)


def of(delivery: Delivery, *, at: datetime) -> Protection | None:
    """Give how a delivery's document can go by email; None: it cannot."""
    if delivery.channel != ChannelName.EMAIL:
        return None
    if found := certificates.in_use(delivery.address, at=at):
        return Protection(certificate=found.pem)
    kept = of_address(delivery.address) if are_phrases_used() else None
    if kept is None:
        return None
    clear = documents.unseal(bytes(kept.sealed), purpose=_PURPOSE)
    return Protection(pass_phrase=clear.decode())


def are_phrases_used() -> bool:
    """Tell whether the program sends PDFs that open with a pass phrase."""
    return settings.current().mail_documents == "pdf"


def of_address(address: str) -> MailPassPhrase | None:
    """Give what is kept of an address's pass phrase; None if there is none."""
    found: MailPassPhrase | None = MailPassPhrase.get_or_none(address=address.lower())
    return found


def make_phrase(user: User, *, at: datetime, whence: str = "") -> str:
    """Make a user's pass phrase in place of the one before; it is shown this once.

    RuleError if the user has no email address.
    """
    if not user.email:
        raise RuleError("There is no email address on your account.")
    phrase = "-".join(
        "".join(secrets.choice(SIGNS) for _ in range(GROUP)) for _ in range(GROUPS)
    )
    address, sealed = (
        user.email.lower(),
        documents.seal(phrase.encode(), purpose=_PURPOSE),
    )
    with database.atomic():
        MailPassPhrase.delete().where(MailPassPhrase.address == address).execute()
        MailPassPhrase.create(
            address=address, sealed=sealed, made_by=user.username, made_at=at
        )
        _record(audit.Event.MAIL_PHRASE_MADE, user, at, whence)
    return phrase


def withdraw_phrase(user: User, *, at: datetime, whence: str = "") -> None:
    """Stop sending PDFs to a user; NotFoundError if there is no pass phrase."""
    with database.atomic():
        gone = (
            MailPassPhrase.delete()
            .where(MailPassPhrase.address == (user.email or "").lower())
            .execute()
        )
        if not gone:
            raise NotFoundError("You have no pass phrase.")
        _record(audit.Event.MAIL_PHRASE_WITHDRAWN, user, at, whence)


def _record(event: audit.Event, user: User, at: datetime, whence: str) -> None:
    audit.record(
        event,
        actor=user.username,
        subject=f"user:{user.username}",
        at=at,
        address=whence,
    )
