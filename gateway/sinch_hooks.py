"""Sinch's call-backs, and the faxes that it has for an office which it cannot reach.

Sinch signs nothing: an address that it is given carries a password. About a fax of ours
that is the attempt's own token, of which we keep the hash; about faxes that come in it
is PMP_FAX_SIGNING_KEY, in the address that is set on the fax service.
"""

import base64
import binascii
import hmac
import json
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway import channels, pages
from gateway.channels import fax_sinch
from gateway.laml_hooks import UnreadableCallError
from gateway.message import DeliveryError
from models import InboundFax
from pmp import settings
from pmp.deliveries import callbacks, token_hash
from pmp.faxes import carrier_copies, inbound_media

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """A call-back as it came: JSON whole, or a form's field `fax` and its file."""

    text: bytes
    file: bytes | None = None


def may_report(*, key: str, password: str, address: str, at: datetime) -> bool:
    """Tell whether a caller has the secret of the attempt `key`; else keep that."""
    if callbacks.has_secret(token_hash(password), carrier=fax_sinch.CARRIER, key=key):
        return True
    callbacks.refuse(what="fax_status", address=address, at=at)
    return False


def may_announce(*, password: str, address: str, at: datetime) -> bool:
    """Tell whether a caller has the password for faxes that come in; else keep that."""
    key = settings.current().fax_signing_key.get_secret_value()
    if key and hmac.compare_digest(password.encode(), key.encode()):
        return True
    callbacks.refuse(what="fax_received", address=address, at=at)
    return False


def status(event: Event, *, key: str, at: datetime) -> None:
    """Take a report about the attempt `key`, whose secret the caller had."""
    callbacks.apply(
        fax_sinch.report(_fax(event)),
        carrier=fax_sinch.CARRIER,
        source="call-back",
        at=at,
        attempt_key=key,
        only_key=True,
    )


def received(event: Event, *, at: datetime) -> InboundFax | None:
    """Take a fax that came in, with its pages if they came too; None: it is none.

    Pages that did not come, or cannot be read, are fetched.
    """
    fax = _fax(event)
    reference = fax_sinch.report(fax).reference
    if str(fax.get("direction") or "").upper() != "INBOUND" or not reference:
        return None
    known = _announce(reference, str(fax.get("from") or ""), at=at)
    body = event.file if event.file is not None else _file(event)
    if body and known.document is None:
        try:
            media_type = pages.media_type_of(body)
        except pages.UnreadableFax:
            return known
        inbound_media.keep(known, body=body, media_type=media_type, at=at)
    return known


def look_for_new(*, since: datetime, at: datetime) -> list[int]:
    """Ask the carrier for faxes that came in since; give those that we did not know."""
    channel = channels.with_incoming(fax_sinch.CARRIER)
    if channel is None:
        return []
    try:
        listed = channel.incoming(since=since)
    except DeliveryError as error:
        log.warning("cannot ask for incoming faxes: %s", error.error_class)
        return []
    new = [
        fax
        for fax in listed
        if not carrier_copies.is_known(f"{channel.CARRIER}:{fax.reference}")
    ]
    return [_announce(fax.reference, fax.from_number, at=at).id for fax in new]


def _announce(reference: str, from_number: str, *, at: datetime) -> InboundFax:
    return inbound_media.announce(
        source=fax_sinch.CARRIER,
        source_reference=f"{fax_sinch.CARRIER}:{reference}",
        from_number="".join(sign for sign in from_number if sign.isprintable()),
        station="",
        at=at,
    )


def _fax(event: Event) -> dict[str, Any]:
    """Read the fax of a call-back; UnreadableCallError if there is none."""
    said = _json(event)
    fax = said.get("fax", said)
    if isinstance(fax, str):  # a form's field, that some servers quote once more
        fax = _json(Event(fax.encode()))
    if not isinstance(fax, dict):
        raise UnreadableCallError
    return fax


def _file(event: Event) -> bytes | None:
    said = _json(event).get("file")
    if not isinstance(said, str):
        return None
    try:
        return base64.b64decode(said, validate=True)
    except binascii.Error:
        return None


def _json(event: Event) -> dict[str, Any]:
    try:
        said = json.loads(event.text)
    except (ValueError, RecursionError):
        raise UnreadableCallError from None
    if not isinstance(said, dict):
        raise UnreadableCallError
    return said
