"""Reads a fax that was kept and files it; what it reads is opened apart."""

from contextlib import suppress

from gateway import reading_apart
from gateway.pages import UnreadableFax
from models import Document, InboundFax
from pmp import clock, documents
from pmp.documents import DocumentLostError
from pmp.faxes import fax_sheets, filing


def read(fax: InboundFax) -> None:
    """Read every page of a fax and file it, and each of its parts.

    May be done twice. What cannot be opened is left to the fax desk, and says why.
    """
    if fax.document is None:
        return
    if fax.part_of:
        _file_part(fax, fax.document)
        return
    try:
        body = documents.read(fax.document)
        found = reading_apart.sheets(body, fax.document.media_type)
    except (UnreadableFax, DocumentLostError) as refusal:
        why = str(refusal) if isinstance(refusal, UnreadableFax) else ""
        filing.file_by_codes(fax, codes=(), pages=0, note=why, at=clock.now())
        return
    for part in filing.file_by_sheets(fax, found, at=clock.now()):
        _file_part(part, fax.document)


def _file_part(part: InboundFax, document: Document) -> None:
    """File a part; where its pages cannot be cut out, a ticket gets none."""
    paper = None
    if filing.needs_paper(part):
        numbers = [sheet.number for sheet in fax_sheets.of(part)]
        with suppress(UnreadableFax, DocumentLostError):
            body = documents.read(document)
            paper = reading_apart.cut(body, document.media_type, numbers)
    filing.file_part(part, paper=paper, at=clock.now())
