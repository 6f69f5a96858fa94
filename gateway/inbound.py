"""What comes in: the pages of announced faxes, dropped files.

Who may announce a fax is seen to in gateway.laml_hooks and gateway.sinch_hooks.
"""

import logging
from datetime import timedelta
from pathlib import Path

from gateway import carrier_media, fax_notes, pages
from models import InboundFax
from pmp import clock, faxes, settings
from pmp.faxes import inbound_media

log = logging.getLogger(__name__)

SETTLED_SECONDS = 2.0
# For so long a carrier that does not answer is asked for a fax's pages again.
PATIENCE = timedelta(hours=1)


def fetch(fax_id: int, media_url: str = "") -> bool:
    """Fetch the pages of an announced fax; False if they are not here yet.

    A carrier that does not answer is asked again for a while; after that, or where it
    has no pages, the fax is left to the fax desk.
    """
    fax: InboundFax | None = InboundFax.get_or_none(InboundFax.id == fax_id)
    if fax is None or fax.document is not None:
        return fax is not None
    try:
        body = carrier_media.pages_of(fax, media_url)
        media_type = pages.media_type_of(body)
    except (carrier_media.MediaError, pages.UnreadableFax) as error:
        log.warning("fax %s: pages not fetched: %s", fax_id, type(error).__name__)
        passing = isinstance(error, carrier_media.MediaError) and error.may_pass
        if not passing or clock.now() - fax.received_at > PATIENCE:
            inbound_media.failed(fax, reason=str(error), at=clock.now())
        return False
    inbound_media.keep(fax, body=body, media_type=media_type, at=clock.now())
    return True


def pick_up() -> list[int]:
    """Take in the files that a fax server dropped in <data dir>/faxes-in.

    A file taken in is deleted, since it holds what a fax holds; also one that is no
    fax, which stands in the tray as unreadable. One too large to keep is moved to
    faxes-in/unreadable. A file still being written is left for later, and so is one
    that the system will not let us read. What HylaFAX says of a fax lies beside it, as
    JSON.
    """
    folder = settings.current().data_dir / "faxes-in"
    if not folder.is_dir():
        return []
    fax_notes.drop_orphans(folder, at=clock.now())
    found = []
    for path in sorted(folder.iterdir()):
        try:
            fax = _take_in(path) if _settled(path) else None
        except OSError as error:  # one file must not stop all after it
            name = type(error).__name__
            log.warning("a file in faxes-in cannot be taken in: %s", name)
            continue
        if fax is not None:
            found.append(fax.id)
    return found


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


def receive_anything(
    body: bytes, *, from_number: str, source: str, station: str = ""
) -> InboundFax:
    """Take in a file as `receive_file` does; what is no fax is kept as unreadable.

    At most as large as a fax may be: UnreadableFax otherwise.
    """
    try:
        return receive_file(
            body, from_number=from_number, source=source, station=station
        )
    except pages.UnreadableFax as refusal:
        if len(body) > pages.LARGEST_FILE:
            raise
        return faxes.receive(
            body=body,
            media_type="application/octet-stream",
            from_number=from_number,
            station=station,
            source=source,
            source_reference=inbound_media.reference_of(body),
            unreadable=str(refusal),
            at=clock.now(),
        )


def _settled(path: Path) -> bool:
    if not path.is_file() or path.name.startswith(".") or fax_notes.is_note(path):
        return False
    return clock.now().timestamp() - path.stat().st_mtime >= SETTLED_SECONDS


def _take_in(path: Path) -> InboundFax | None:
    note = fax_notes.beside(path)
    source = "hylafax" if note else "folder"
    known = note or fax_notes.Note()
    if path.stat().st_size > pages.LARGEST_FILE:
        _put_aside(path)
        return None
    fax = receive_anything(
        path.read_bytes(),
        from_number=known.caller,
        station=known.station,
        source=source,
    )
    path.unlink()
    fax_notes.place(path).unlink(missing_ok=True)
    return fax


def _put_aside(path: Path) -> None:
    """Move a file that is too large to keep, under a name of its own."""
    log.error("a file in faxes-in is too large: it is in faxes-in/unreadable")
    aside = path.parent / "unreadable"
    aside.mkdir(exist_ok=True, mode=0o700)
    names = (path.name, *(f"{path.stem}-{n}{path.suffix}" for n in range(2, 10_000)))
    path.rename(next(to for name in names if not (to := aside / name).exists()))
