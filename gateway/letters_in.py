"""What a print-and-mail company tells of its letters: signed, fresh, and only forwards.

Lob signs with HMAC-SHA256 over "<time>.<body as it came>", in hex in Lob-Signature; the
time is in Lob-Signature-Timestamp, in milliseconds. An old one is refused: whoever has
copied it cannot send it again tomorrow.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.channels import letters_lob
from pmp import settings
from pmp.deliveries import callbacks, signatures

OLDEST = timedelta(minutes=5)
_MILLISECONDS = 10**11  # a time above it is not in seconds


def lob_status(
    *, path: str, body: bytes, headers: Mapping[str, str], address: str, at: datetime
) -> bool:
    """Take the company's word about a letter; False: not signed, refused."""
    del path  # it is not part of what is signed
    if not _is_signed(body, headers, at=at):
        callbacks.refuse(what="letter_status", address=address, at=at)
        return False
    event = _event(body)
    letter = event.get("body")
    if not isinstance(letter, dict) or not letter.get("id"):
        return True
    kind = event.get("event_type")
    name = str(kind.get("id") if isinstance(kind, dict) else kind or "")
    if not name.startswith("letter."):
        return True
    report = letters_lob.told(str(letter["id"]), letters_lob.event_word(name))
    callbacks.apply(report, carrier=letters_lob.CARRIER, source="call-back", at=at)
    return True


def _is_signed(body: bytes, headers: Mapping[str, str], *, at: datetime) -> bool:
    key = settings.current().letters_signing_key.get_secret_value()
    given = {name.lower(): value for name, value in headers.items()}
    stamp = given.get("lob-signature-timestamp", "")
    if not key or len(body) > signatures.LARGEST_BODY or not _is_fresh(stamp, at):
        return False
    right = hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256)
    return hmac.compare_digest(
        given.get("lob-signature", "").encode(), right.hexdigest().encode()
    )


def _is_fresh(stamp: str, at: datetime) -> bool:
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 15):
        return False
    number = int(stamp)
    seconds = number / 1000 if number > _MILLISECONDS else float(number)
    return abs(at - datetime.fromtimestamp(seconds, UTC)) <= OLDEST


def _event(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}
