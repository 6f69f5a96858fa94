"""Faxes that a provider sends as email: their attachments are taken in like any fax.

Only mail from the addresses that the settings name is looked at, and of it only PDF and
TIFF attachments, by their first bytes.  What else lies in the mailbox is set aside for
a person, never deleted.  A message that is read twice gives the same faxes: their names
are the message's own and their bytes'.
"""

import hashlib
import logging
import re
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import getaddresses

from peewee import PeeweeException

from gateway import mailbox, pages
from gateway.mailbox import MailboxError, Received
from pmp import clock, faxes, settings
from pmp.identifiers import e164

log = logging.getLogger(__name__)

LARGEST_MAIL = pages.LARGEST_FILE * 3 // 2  # attachments grow by a third, and more
MOST_ATTACHMENTS = 20
TAKEN = ("application/pdf", "image/tiff")
# "Caller-ID: 860-555-0143", "fax from +1 (860) 555-0143": as providers write it.
_NUMBER = r"(\+?1?[\s.(-]{0,3}\d{3}[\s.)-]{0,3}\d{3}[\s.-]{0,2}\d{4})(?!\d)"
_CALLER = re.compile(
    rf"(?:caller[\s-]*id|from|sender|cid)\W{{0,12}}{_NUMBER}", re.IGNORECASE
)
_ANY = re.compile(rf"(?<!\d){_NUMBER}")


def read() -> list[int]:
    """Take in what lies in the mailbox; give the ids of the faxes, to be read.

    A mailbox that cannot be read is logged and tried again at the next sweep; so is a
    message that the database refuses (PeeweeException). Any other that breaks the
    reader is set aside, so that those after it are read.
    """
    url = settings.current().fax_imap_url.get_secret_value()
    found: list[int] = []
    if not url:
        return found
    try:
        for mail in mailbox.unread(url, largest=LARGEST_MAIL):
            found += _taken(mail)
    except MailboxError as error:
        log.warning("the mailbox of faxes cannot be read: %s", error)
    return found


def caller(subject: str) -> str:
    """Find the caller's number in a subject, as +1 and ten digits; empty if unsure."""
    own = e164(settings.current().fax_number)
    named = [e164(each) for each in _CALLER.findall(subject)]
    others = [e164(each) for each in _ANY.findall(subject)]
    known = {each for each in named if each and each != own}
    known = known or {each for each in others if each and each != own}
    return known.pop() if len(known) == 1 else ""


def is_from_provider(message: EmailMessage) -> bool:
    """Tell whether a message is from an address, or @domain, that the settings name."""
    allowed = {
        each.strip().lower()
        for each in settings.current().fax_mail_from.split(",")
        if each.strip()
    }
    senders = [
        address.lower()
        for _, address in getaddresses([str(message.get("From", ""))])
        if address
    ]
    return len(senders) == 1 and (
        senders[0] in allowed or f"@{senders[0].rpartition('@')[2]}" in allowed
    )


def _taken(mail: Received) -> list[int]:
    try:
        return _take_in(mail)
    except (PeeweeException, MailboxError):
        raise  # the database or the mailbox is away: it comes again
    except Exception as error:  # noqa: BLE001 - one mail must not stop all after it
        name = type(error).__name__
        log.warning("a message in the mailbox of faxes: %s, set aside", name)
        mail.set_aside()
        return []


def _take_in(mail: Received) -> list[int]:
    message = _parsed(mail)
    bodies = list(_attachments(message)) if message else []
    if message is None or not bodies:
        log.warning("a message in the mailbox of faxes is no fax: set aside")
        mail.set_aside()
        return []
    number, name = caller(str(message.get("Subject", ""))), _name(message)
    taken = [
        faxes.receive(
            body=body,
            media_type=pages.media_type_of(body),
            from_number=number,
            source="email",
            source_reference=f"mail:{name}:{hashlib.sha256(body).hexdigest()}",
            at=clock.now(),
        )
        for body in bodies
    ]
    mail.done()
    return [fax.id for fax in taken]


def _parsed(mail: Received) -> EmailMessage | None:
    """Give a whole message of the provider's; None for any other.

    By its head, before the body of a stranger's is taken apart.
    """
    if not mail.is_whole:
        return None
    parser = BytesParser(EmailMessage, policy=policy.default)
    if not is_from_provider(parser.parsebytes(mail.raw, headersonly=True)):
        return None
    return parser.parsebytes(mail.raw)


def _attachments(message: EmailMessage) -> Iterator[bytes]:
    """Give the attachments that are faxes, each content once."""
    seen: set[bytes] = set()
    for part in message.walk():
        if part.is_multipart() or len(seen) == MOST_ATTACHMENTS:
            continue
        body = part.get_payload(decode=True)
        if not isinstance(body, bytes) or len(body) > pages.LARGEST_FILE:
            continue
        try:
            kind = pages.media_type_of(body)
        except pages.UnreadableFax:
            continue
        if kind in TAKEN and body not in seen:
            seen.add(body)
            yield body


def _name(message: EmailMessage) -> str:
    """Name a message by its own id, which may hold anything."""
    own = str(message.get("Message-ID", "")).strip()
    return hashlib.sha256(own.encode("utf-8", "replace")).hexdigest()[:32]
