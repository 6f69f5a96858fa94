"""Faxes attached by the codes on their pages, or left to staff with the reason.

A fax that holds several forms is divided: each form becomes a fax of its own, which
shows its pages of the one file that was kept. Each is filed by itself, so that a worker
that is killed between two leaves the second to the next sweep.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from models import Document, DocumentKind, FaxStatus, InboundFax
from pmp import audit, database, documents, fax_parts, registration
from pmp.fax_parts import Part, Sheet
from pmp.faxes import fax_codes, fax_sheets
from pmp.reporting import fax_answers
from pmp.thresholds import faxed_replies, reply_codes
from pmp.tickets import faxed_papers

SAME = "The same pages as fax {}."
ALIKE = (
    "It looks like fax {}, which came before. If anything on it is new, attach it{};"
    " if not, put it aside."
)
# The whole file holds other people's pages: better no paper in the ticket than those.
NOT_CUT = (
    "Its pages could not be taken out of the file that came, so they are not in the"
    " ticket of {}."
)


@dataclass(frozen=True)
class _Found:
    """What was read of a fax; `paper` is the file of its own pages, if it was cut."""

    codes: Sequence[str]
    pages: int
    found_on: Mapping[str, int] = field(default_factory=dict)
    sheets: Sequence[Sheet] = ()
    paper: bytes | None = None
    note: str = ""


def file_by_codes(
    fax: InboundFax,
    *,
    codes: Sequence[str],
    pages: int,
    at: datetime,
    found_on: Mapping[str, int] | None = None,
    note: str = "",
) -> None:
    """Attach a fax by the codes read from its pages, or say why that cannot be.

    `codes` is all that was read, also what is no code of ours; `pages` 0 means that
    nothing could be opened, and `note` says why; `found_on` says on which page a text
    was read. A fax that is no longer just received is left alone.
    """
    _file(fax, _Found(codes, pages, found_on or {}, note=note), at=at)


def file_by_sheets(
    fax: InboundFax, sheets: Sequence[Sheet], *, at: datetime
) -> list[InboundFax]:
    """File a fax of which every page was read; give the parts that are still to file.

    None where it is one form, or none: then it is filed. Each part is told by
    `file_part`.
    """
    known = [replace(each, codes=fax_codes.known(each.codes)) for each in sheets]
    found = fax_parts.parts(known)
    if len(found) > 1 and not _same_file(fax):
        return _divide(fax, found, at=at)
    whole = Part(tuple(known))
    read = _Found(whole.codes, len(known), whole.found_on, known)
    _file(fax, read, at=at)
    return []


def file_part(fax: InboundFax, *, paper: bytes | None, at: datetime) -> None:
    """File a part of a fax; `paper` is a file of its pages alone, if one was cut.

    Without it a part with a ticket's code is left to staff.
    """
    sheets = fax_sheets.of(fax)
    part = Part(tuple(sheets))
    _file(fax, _Found(part.codes, len(sheets), part.found_on, sheets, paper), at=at)


def needs_paper(fax: InboundFax) -> bool:
    """Tell whether a part's pages must be cut out of the file: a ticket keeps them."""
    codes = Part(tuple(fax_sheets.of(fax))).codes
    return any(faxed_papers.read_code(code) for code in codes)


def _divide(
    fax: InboundFax, found: Sequence[Part], *, at: datetime
) -> list[InboundFax]:
    """Make a fax of each part, all of them or none, and file the whole."""
    with database.atomic():
        moved = (
            InboundFax.update(
                status=FaxStatus.FILED,
                codes=list(
                    dict.fromkeys(code for part in found for code in part.codes)
                ),
                pages=sum(len(part.sheets) for part in found),
                note=f"It holds {len(found)} forms.",
            )
            .where(InboundFax.id == fax.id)
            .where(InboundFax.status == FaxStatus.RECEIVED)
            .execute()
        )
        if not moved:
            return []
        parts = [fax_sheets.make_part(fax, part.sheets) for part in found]
        detail = {
            "status": FaxStatus.FILED.value,
            "parts": [[part.id, len(fax_sheets.of(part))] for part in parts],
        }
        record(audit.Event.FAX_READ, fax, "system", at, detail)
    return parts


def _file(fax: InboundFax, found: _Found, *, at: datetime) -> None:
    read = fax_codes.read(found.codes, found.pages, found.note)
    if fax.part_of and read.tickets and found.paper is None:
        note = " ".join(
            filter(None, (NOT_CUT.format(", ".join(read.tickets)), read.note))
        )
        read = replace(read, status=FaxStatus.UNMATCHED, note=note)
    original, alike = _same_file(fax), None
    if original:
        read = replace(
            read,
            status=FaxStatus.DISMISSED,
            note=SAME.format(original.id),
            application=original.application,
        )
    elif alike := _alike(fax, read.codes, found.sheets):
        by_code = f" by its code, {', '.join(read.codes)}" if read.codes else ""
        note = ALIKE.format(alike.id, by_code)
        read = replace(read, status=FaxStatus.UNMATCHED, note=note, application=None)
    with database.atomic():
        moved = (
            InboundFax.update(
                status=read.status,
                codes=read.codes,
                pages=found.pages,
                note=read.note,
                application=read.application,
                same_as=original or alike,
            )
            .where(InboundFax.id == fax.id)
            .where(InboundFax.status == FaxStatus.RECEIVED)
            .execute()
        )
        if not moved:
            return
        if not fax.part_of:
            fax_sheets.keep(fax, found.sheets)
        if not original and not alike:
            _follow(fax, read, found, at=at)
        # Last: whoever has the audit record must not wait for a ticket or a report.
        detail = {"status": read.status.value, "codes": read.codes}
        record(
            audit.Event.FAX_READ, fax, "system", at, {**detail, "pages": found.pages}
        )


def _follow(
    fax: InboundFax, read: fax_codes.Reading, found: _Found, *, at: datetime
) -> None:
    """Do what follows from the codes on a fax, in the transaction that files it."""
    paper = _paper(fax, found) if read.tickets else None
    for code in read.tickets:
        ticket = faxed_papers.by_code(code)
        if ticket and paper and not faxed_papers.refusal(code):
            faxed_papers.attach(fax, ticket, paper=paper, at=at)
    if read.notices:
        recorded = fax_answers.record_all(read.notices, fax=fax.id, at=at)
        _note(fax, f"{read.note if read.reports else ''} {recorded}".strip())
    if read.application and read.status == FaxStatus.MATCHED:
        registration.confirmation_received(read.application, by="system", at=at)
    places = {
        reply_codes.read_code(text): page for text, page in found.found_on.items()
    }
    answered = {code: places.get(code, 0) for code in read.reports}
    faxed_replies.attach(fax, answered, at=at)


def _paper(fax: InboundFax, found: _Found) -> bytes | None:
    """Give the file for a ticket: of a part its own pages alone, if they were cut."""
    if fax.part_of or fax.document is None:
        return found.paper
    return documents.read(fax.document)


def same_file(sha256: str, *, before: int | None = None) -> InboundFax | None:
    """Find the first fax with the same bytes that does the work of another.

    None that was put aside, or went back to its sender: who was told to send it again
    has done so. Only one that came before the fax with the id `before`: two that are
    read at once must not put each other aside.
    """
    over = (FaxStatus.DISMISSED, FaxStatus.RETURNED)
    query = _of_these_bytes(sha256).where(InboundFax.status.not_in(over))
    if before is not None:
        query = query.where(InboundFax.id < before)
    fax: InboundFax | None = query.first()
    return fax


def _same_file(fax: InboundFax) -> InboundFax | None:
    if fax.document is None or fax.part_of:
        return None
    return same_file(fax.document.sha256, before=fax.id)


def _returned_file(fax: InboundFax) -> InboundFax | None:
    if fax.document is None or fax.part_of:
        return None
    found: InboundFax | None = (
        _of_these_bytes(fax.document.sha256)
        .where(InboundFax.status == FaxStatus.RETURNED)
        .where(InboundFax.id < fax.id)
        .first()
    )
    return found


def _of_these_bytes(sha256: str) -> Any:
    """Give the faxes of a file, in order, while its pages are kept."""
    return (
        InboundFax.select(InboundFax, Document)
        .join(Document)
        .where(Document.sha256 == sha256)
        .where(Document.kind == DocumentKind.INBOUND_FAX)
        .where(Document.purged_at.is_null())
        .order_by(InboundFax.id)
    )


def _alike(
    fax: InboundFax, codes: Sequence[str], sheets: Sequence[Sheet]
) -> InboundFax | None:
    """Find an earlier fax of the same codes whose pages look like this one's.

    A carrier's second file of a scan has other bytes. A tick or a thin word looks no
    different, so a person compares the two; also the very file that was returned.
    """
    if returned := _returned_file(fax):
        return returned
    if not codes or not any(sheet.look for sheet in sheets):
        return None
    query = (
        InboundFax.select()
        .where(InboundFax.id < fax.id)
        .where(InboundFax.status != FaxStatus.DISMISSED)
        .where(InboundFax.codes.cast("text").contains(codes[0]))
        .order_by(InboundFax.id)
    )
    return next(
        (
            each
            for each in query
            if sorted(each.codes) == sorted(codes)
            and fax_parts.look_alike(fax_sheets.of(each), sheets)
        ),
        None,
    )


def _note(fax: InboundFax, note: str) -> None:
    InboundFax.update(note=note).where(InboundFax.id == fax.id).execute()


def record(
    event: audit.Event,
    fax: InboundFax,
    actor: str,
    at: datetime,
    detail: Mapping[str, object],
) -> None:
    """Put what happened to a fax on the audit record."""
    audit.record(
        event, actor=actor, subject=f"fax:{fax.id}", at=at, detail=dict(detail)
    )
