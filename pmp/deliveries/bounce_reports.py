"""Reading mail that came back: RFC 3464's reports of delivery, and whose they are.

Pure but for the key of the marks. The mail comes from anybody, so nothing in it is
believed but the marks that we sealed ourselves (see `marks`), and reading is bounded:
LARGEST bytes, MOST_PARTS parts. Where a large bounce was cut off, its report comes
before the returned message and is still there.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.message import Message
from email.utils import getaddresses
from enum import StrEnum
from itertools import islice

from pmp.deliveries import marks

LARGEST = 256 * 1024
MOST_PARTS = 50
MOST_RECIPIENTS = 20
LONGEST_SAID = 120
# Where mail servers write whom the envelope was addressed to.
_ENVELOPE = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")
_RETURNED = frozenset({"message/rfc822", "text/rfc822-headers"})
_STATUS = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")


class Fate(StrEnum):
    """What became of a message for one recipient."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    PASSED_ON = "passed_on"  # to a system that gives no receipts
    UNCLEAR = "unclear"


_FATES = {
    "failed": Fate.FAILED,
    "delayed": Fate.DELAYED,
    "delivered": Fate.DELIVERED,
    "relayed": Fate.PASSED_ON,
    "expanded": Fate.PASSED_ON,
}
_BY_CLASS = {"5": Fate.FAILED, "4": Fate.DELAYED, "2": Fate.DELIVERED}


@dataclass(frozen=True)
class RecipientReport:
    """What a report says of one recipient: `status` is 5.1.1, or empty."""

    fate: Fate
    recipients: frozenset[str]  # final and original, in small letters
    status: str
    said: str


@dataclass(frozen=True)
class BounceReport:
    """A report about a message of ours, proved by a mark.

    `key` is the same for the same report, however often and by whichever way it comes.
    """

    delivery_id: int
    key: str
    about: tuple[RecipientReport, ...]


class NotOursError(Exception):
    """It is no report about a message of ours; `reason` says which of these it is."""

    def __init__(
        self, reason: str, *, forged: bool = False, ignore: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason, self.forged, self.ignore = reason, forged, ignore


def read(raw: bytes) -> BounceReport:
    """Read a mail that came to the bounce mailbox; NotOursError if it is no report.

    `ignore` is set for what answering machines write: it needs nobody. `forged`: it
    has the form of a mark of ours, and not its seal.
    """
    try:
        mail = message_from_bytes(raw[:LARGEST])
        parts = list(islice(mail.walk(), MOST_PARTS))
        return _read(mail, parts)
    except (RecursionError, LookupError, ValueError, TypeError) as error:
        raise NotOursError("it cannot be read as a mail") from error


def _read(mail: Message, parts: list[Message]) -> BounceReport:
    report = next((each for each in parts if _type(each) == _REPORT), None)
    addresses = list(_envelope_addresses(mail))
    if any(marks.is_forged(each) for each in addresses):
        raise NotOursError("its bounce address was not made here", forged=True)
    if report is None:
        machine = _is_automatic(mail)
        raise NotOursError("it holds no report of delivery", ignore=machine)
    content = report.get_payload()
    blocks = [each for each in content if isinstance(each, Message)]
    if not blocks:
        raise NotOursError("its report of delivery is empty")
    found = {marks.of_bounce_address(each) for each in addresses}
    found.add(marks.of_envelope_id(_header(blocks[0], "Original-Envelope-Id")))
    found |= {marks.of_message_id(each) for each in _returned_ids(parts)}
    numbers = found - {None}
    if len(numbers) != 1:
        raise NotOursError("no mark says which message it is about")
    about = tuple(_recipients(blocks))
    if not about:
        raise NotOursError("its report of delivery names no recipient")
    return BounceReport(numbers.pop() or 0, _key(mail, report), about)


_REPORT = "message/delivery-status"


def _type(part: Message) -> str:
    return part.get_content_type()


def _header(part: object, name: str) -> str:
    """Give a header's text in one line; what is not a header is empty."""
    value = part.get(name, "") if isinstance(part, Message) else ""
    return " ".join(str(value).split())[:1000]


def _envelope_addresses(mail: Message) -> Iterator[str]:
    for name in _ENVELOPE:
        values = [str(each)[:2000] for each in mail.get_all(name, [])[:5]]
        yield from (address for _, address in getaddresses(values))


def _is_automatic(mail: Message) -> bool:
    """Tell an answering machine's mail (RFC 3834, and what older ones write)."""
    automatic = _header(mail, "Auto-Submitted").lower()
    precedence = _header(mail, "Precedence").lower()
    return (
        automatic.startswith("auto-replied")
        or precedence in {"auto_reply", "auto-reply"}
        or bool(_header(mail, "X-Autoreply") or _header(mail, "X-Autorespond"))
        or bool(_header(mail, "X-Auto-Response-Suppress") and not automatic)
    )


def _returned_ids(parts: list[Message]) -> Iterator[str]:
    for part in parts:
        if _type(part) not in _RETURNED:
            continue
        content = part.get_payload()
        if isinstance(content, list) and content:
            yield _header(content[0], "Message-ID")
        elif isinstance(content, str):
            yield _header(message_from_string(content), "Message-ID")


def _recipients(blocks: list[Message]) -> Iterator[RecipientReport]:
    for block in islice(blocks, MOST_RECIPIENTS + 1):
        named = [
            _header(block, f"{which}-Recipient") for which in ("Final", "Original")
        ]
        action, status = _header(block, "Action").lower(), _header(block, "Status")
        if not (action or status):
            continue
        found = _STATUS.match(status)
        code = ".".join(found.groups()) if found else ""
        fate = _FATES.get(action) or _BY_CLASS.get(code[:1], Fate.UNCLEAR)
        if fate == Fate.FAILED and code.startswith("2"):
            fate = Fate.UNCLEAR
        addresses = (text.rpartition(";")[2].strip().lower() for text in named)
        yield RecipientReport(
            fate=fate,
            recipients=frozenset(each for each in addresses if each),
            status=code,
            said=_said(_header(block, "Diagnostic-Code")),
        )


def _said(text: str) -> str:
    """Give what the other system said, in one short line of printable signs."""
    words = text.partition(";")[2] or text
    return "".join(sign for sign in words if sign.isprintable()).strip()[:LONGEST_SAID]


def _key(mail: Message, report: Message) -> str:
    """Name the report: by its Message-ID, else by what it says."""
    name = _header(mail, "Message-ID") or report.as_string()
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:32]
