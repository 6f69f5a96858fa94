"""Reads a fax that was kept and files it; what it reads is opened apart."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from gateway import lanes, reading_apart
from gateway.pages import UnreadableFax
from gateway.reading_apart import NotReadNowError
from models import Document, FaxStatus, InboundFax
from pmp import clock, documents
from pmp.documents import DocumentLostError
from pmp.faxes import fax_sheets, filing, inbound_media

log = logging.getLogger(__name__)

# A file at which the process still dies after so long is left to the fax desk.
PATIENCE = timedelta(minutes=20)
BROKE = "The file broke the reader."

_lock = threading.Lock()
_in_hand: set[int] = set()


def read_in_turn(fax_id: int) -> int | None:
    """Read a fax, if nobody has and nobody does; give the one to be read next.

    None is next where nothing was done: too many are being read, or it is read already.
    """
    with lanes.entered(lanes.READING) as free, _taken(fax_id) as mine:
        if not (free and mine):
            return None
        fax = InboundFax.get_or_none(InboundFax.id == fax_id)
        if fax is None or fax.status != FaxStatus.RECEIVED or fax.document is None:
            return None
        read(fax)
    with _lock:
        others = set(_in_hand)
    return inbound_media.next_unread(after=fax_id, but=others)


def read(fax: InboundFax) -> None:
    """Read every page of a fax and file it, and each of its parts.

    May be done twice. What cannot be opened is left to the fax desk, and says why;
    where it was not the file, the fax stays as it is, for the sweep.
    """
    if fax.document is None:
        return
    try:
        if fax.part_of:
            _file_part(fax, fax.document)
        else:
            _file(fax, fax.document)
    except NotReadNowError as error:
        log.warning("fax %s is not read yet: %s", fax.id, error)


def _file(fax: InboundFax, document: Document) -> None:
    try:
        body = documents.read(document)
        found = reading_apart.sheets(body, document.media_type)
    except (UnreadableFax, DocumentLostError, NotReadNowError) as refusal:
        if isinstance(refusal, NotReadNowError) and _may_pass(fax, refusal):
            raise
        why = "" if isinstance(refusal, DocumentLostError) else str(refusal)
        why = BROKE if isinstance(refusal, NotReadNowError) else why
        filing.file_by_codes(fax, codes=(), pages=0, note=why, at=clock.now())
        return
    for part in filing.file_by_sheets(fax, found, at=clock.now()):
        _file_part(part, document)


def _file_part(part: InboundFax, document: Document) -> None:
    """File a part; where its pages cannot be cut out, a ticket gets none."""
    paper = None
    if filing.needs_paper(part):
        numbers = [sheet.number for sheet in fax_sheets.of(part)]
        try:
            with suppress(UnreadableFax, DocumentLostError):
                body = documents.read(document)
                paper = reading_apart.cut(body, document.media_type, numbers)
        except NotReadNowError as error:
            if _may_pass(part, error):
                raise
    filing.file_part(part, paper=paper, at=clock.now())


def _may_pass(fax: InboundFax, error: NotReadNowError) -> bool:
    """Tell whether to try again: not for ever, where the file may be what kills."""
    return not error.died or clock.now() - fax.received_at < PATIENCE


@contextmanager
def _taken(fax_id: int) -> Iterator[bool]:
    """Have a fax in hand for the block; gives False where another thread has it."""
    with _lock:
        mine = fax_id not in _in_hand
        _in_hand.add(fax_id)
    try:
        yield mine
    finally:
        if mine:
            with _lock:
                _in_hand.discard(fax_id)
