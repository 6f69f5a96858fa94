"""What comes in: signed call-backs, announced faxes and their pages, dropped files.

Nothing in a call-back is believed before its signature is checked, and even then its
media address is only followed to the carrier's own hosts, without redirects, up to a
size and for a time.
"""

import logging
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import quoteattr

import requests

from gateway import channels, fax_notes, pages
from gateway.channels import fax_laml
from gateway.message import DeliveryError
from models import InboundFax
from pmp import clock, faxes, settings
from pmp.deliveries import callbacks
from pmp.faxes import inbound_media

log = logging.getLogger(__name__)

CHUNK = 64 * 1024
SETTLED_SECONDS = 2.0
RECEIVED_PATH = "/hooks/fax/laml/received"


class MediaError(Exception):
    """The pages of a fax could not be had; the text says why, in few words."""


def laml_status(
    *, path: str, body: bytes, headers: Mapping[str, str], address: str, at: datetime
) -> bool:
    """Take a carrier's report about a fax of ours; False: not signed, refused.

    `path` is the request's path with its query, `address` whence it came. A report
    about nothing that we know is accepted and changes nothing.
    """
    if not _signed(path, body, headers):
        callbacks.refuse(what="fax_status", address=address, at=at)
        return False
    report = fax_laml.report(_fields(body))
    if report.reference:
        key = dict(parse_qsl(urlsplit(path).query)).get("attempt", "")
        callbacks.apply(
            report,
            carrier=fax_laml.CARRIER,
            source="call-back",
            at=at,
            attempt_key=key,
        )
    return True


def laml_received(
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
    reference, media_url = fields.get("FaxSid", ""), fields.get("MediaUrl", "")
    if not media_url or not reference:
        return _receive_it(), None, ""
    fax = inbound_media.announce(
        source="laml",
        source_reference=f"laml:{reference}"[:200],
        from_number=fields.get("From", ""),
        station=fields.get("RemoteStationId", ""),
        at=at,
    )
    return "<Response/>", fax, media_url


def fetch(fax_id: int, media_url: str) -> bool:
    """Fetch the pages of an announced fax; False if it is left to the fax desk."""
    fax: InboundFax | None = InboundFax.get_or_none(InboundFax.id == fax_id)
    if fax is None or fax.document is not None:
        return fax is not None
    try:
        body = _download(media_url or _media_url_of(fax))
        media_type = pages.media_type_of(body)
    except (MediaError, DeliveryError, pages.UnreadableFax) as error:
        log.warning("fax %s: pages not fetched: %s", fax_id, type(error).__name__)
        inbound_media.failed(fax, reason=str(error), at=clock.now())
        return False
    inbound_media.keep(fax, body=body, media_type=media_type, at=clock.now())
    return True


def pick_up() -> list[int]:
    """Take in the files that a fax server dropped in <data dir>/faxes-in.

    A file taken in is deleted, since it holds what a fax holds; one that is no fax is
    moved to faxes-in/unreadable. A file still being written is left for later. What
    HylaFAX says of a fax lies beside it, as JSON.
    """
    folder = settings.current().data_dir / "faxes-in"
    if not folder.is_dir():
        return []
    fax_notes.drop_orphans(folder, at=clock.now())
    settled = [path for path in sorted(folder.iterdir()) if _settled(path)]
    return [fax.id for path in settled if (fax := _take_in(path))]


def receive_file(
    body: bytes, *, from_number: str, source: str, station: str = ""
) -> InboundFax:
    """Take in a fax as a file (PDF, TIFF or PNG); UnreadableFax if it is none."""
    if len(body) > pages.LARGEST_FILE:
        raise pages.UnreadableFax("The file is too large.")
    return faxes.receive(
        body=body,
        media_type=pages.media_type_of(body),
        from_number=from_number,
        station=station,
        source=source,
        source_reference=inbound_media.reference_of(body),
        at=clock.now(),
    )


def _signed(path: str, body: bytes, headers: Mapping[str, str]) -> bool:
    chosen = settings.current()
    return callbacks.is_signed(
        url=f"{chosen.public_url}{path}",
        body=body,
        headers=headers,
        key=chosen.fax_signing_key.get_secret_value(),
    )


def _fields(body: bytes) -> dict[str, Any]:
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _receive_it() -> str:
    action = quoteattr(f"{settings.current().public_url}{RECEIVED_PATH}")
    return (
        f'<Response><Receive action={action} mediaType="application/pdf"/></Response>'
    )


def _media_url_of(fax: InboundFax) -> str:
    if not isinstance(
        channels.with_receipts(fax_laml.CARRIER), channels.ReceiptChannel
    ):
        raise MediaError("no carrier to ask")
    return fax_laml.media_url(fax.source_reference.removeprefix("laml:"))


def _download(url: str) -> bytes:
    """Fetch from the carrier's hosts only, as much and as long as is allowed."""
    auth = fax_laml.credentials(url)
    if auth is None:
        raise MediaError("the address is not one of the carrier's")
    seconds = settings.current().channel_timeout_seconds
    until = time.monotonic() + seconds
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.get(
                url,
                auth=auth if all(auth) else None,
                timeout=seconds,
                allow_redirects=False,
                stream=True,
            ) as answer:
                return _body(answer, until)
        except requests.RequestException as error:
            raise MediaError(type(error).__name__) from None


def _body(answer: requests.Response, until: float) -> bytes:
    if answer.status_code != 200:
        raise MediaError(f"the carrier answers {answer.status_code}")
    body = bytearray()
    for chunk in answer.iter_content(CHUNK):
        body += chunk
        if len(body) > pages.LARGEST_FILE:
            raise MediaError("too large")
        if time.monotonic() > until:
            raise MediaError("too slow")
    return bytes(body)


def _settled(path: Path) -> bool:
    if not path.is_file() or path.name.startswith(".") or fax_notes.is_note(path):
        return False
    return clock.now().timestamp() - path.stat().st_mtime >= SETTLED_SECONDS


def _take_in(path: Path) -> InboundFax | None:
    note = fax_notes.beside(path)
    source = "hylafax" if note else "folder"
    known = note or fax_notes.Note()
    try:
        fax = receive_file(
            path.read_bytes(),
            from_number=known.caller,
            station=known.station,
            source=source,
        )
    except pages.UnreadableFax:
        log.warning("a file in faxes-in is not a fax")
        aside = path.parent / "unreadable"
        aside.mkdir(exist_ok=True, mode=0o700)
        path.replace(aside / path.name)
        return None
    path.unlink()
    fax_notes.place(path).unlink(missing_ok=True)
    return fax
