"""Call-backs of a LaML carrier: what became of a fax, and that one comes in.

Nothing in a call-back is believed before its signature is checked. What is signed and
can still not be read, or not be stored, is refused as such and changes nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import quoteattr

from gateway.channels import fax_laml
from models import InboundFax
from pmp import settings
from pmp.deliveries import callbacks, signatures
from pmp.faxes import inbound_media

RECEIVED_PATH = "/hooks/fax/laml/received"
NUL = "\0"


class UnreadableCallError(Exception):
    """A call-back is the carrier's and cannot be read: it is answered with 400."""


def status(
    *, path: str, body: bytes, headers: Mapping[str, str], address: str, at: datetime
) -> bool:
    """Take a carrier's report about a fax of ours; False: not signed, refused.

    `path` is the request's path with its query, `address` whence it came. A report
    about nothing that we know is accepted and changes nothing.
    """
    if not _signed(path, body, headers):
        callbacks.refuse(what="fax_status", address=address, at=at)
        return False
    fields = _fields(body)
    key = _fields(urlsplit(path).query.encode()).get("attempt", "")
    callbacks.apply(
        fax_laml.report(fields),
        carrier=fax_laml.CARRIER,
        source="call-back",
        at=at,
        attempt_key=key,
    )
    return True


def received(
    *, path: str, body: bytes, headers: Mapping[str, str], address: str, at: datetime
) -> tuple[str, InboundFax | None, str] | None:
    """Take a carrier's word that a fax comes in; None: not signed, refused.

    Gives the LaML answer, the announced fax if its pages can be fetched by now, and
    the media address that the carrier named.
    """
    if not _signed(path, body, headers):
        callbacks.refuse(what="fax_received", address=address, at=at)
        return None
    fields = _fields(body)
    reference, media_url = fax_laml.report(fields).reference, fields.get("MediaUrl", "")
    if not media_url or not reference:
        return _receive_it(), None, ""
    fax = inbound_media.announce(
        source=fax_laml.CARRIER,
        source_reference=f"{fax_laml.CARRIER}:{reference}",
        from_number=fields.get("From", ""),
        station=fields.get("RemoteStationId", ""),
        at=at,
    )
    return "<Response/>", fax, media_url


def _signed(path: str, body: bytes, headers: Mapping[str, str]) -> bool:
    chosen = settings.current()
    return signatures.is_signed(
        url=f"{chosen.public_url}{path}",
        body=body,
        headers=headers,
        key=chosen.fax_signing_key.get_secret_value(),
    )


def _fields(body: bytes) -> dict[str, Any]:
    """Read a form; UnreadableCallError on what is no UTF-8 or cannot be stored."""
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        raise UnreadableCallError from None
    if any(NUL in name or NUL in value for name, value in fields):
        raise UnreadableCallError
    return dict(fields)


def _receive_it() -> str:
    action = quoteattr(f"{settings.current().public_url}{RECEIVED_PATH}")
    return (
        f'<Response><Receive action={action} mediaType="application/pdf"/></Response>'
    )
