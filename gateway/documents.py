"""Template to PDF: letters, cover sheets, confirmation pages, reports.

A template in templates/print/ is filled by Jinja, with autoescape, because an
unescaped name could rewrite a report, and drawn by xhtml2pdf, which may read our two
fonts and nothing else: no file, no network. Pictures travel as data: addresses.

xhtml2pdf draws one document at a time in a process, and could hang or run out of
memory on one: it works in child processes, as many at once as there are cores, each
with limits.
"""

import base64
import io
import os
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pypdf
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from gateway import (
    barcodes,
    fax_check,
    layout_check,
    letter_marks,
    letters_check,
    pages,
    reading_apart,
    scanned_papers,
    windows,
)
from gateway.confined import PassingError, UnableError, Workshop
from gateway.typefaces import drawable, registered
from models import Delivery
from pmp import clock, leaflets, settings, wording
from pmp.deliveries.letter_codes import letter_code
from pmp.errors import RuleError
from pmp.leaflets import Leaflet
from pmp.public_pages import PublicPage
from pmp.thresholds.threshold_copies import Drawing
from pmp.thresholds.threshold_reports import ThresholdReport

TEMPLATES = Path(__file__).parent.parent / "templates"
# For a pen: 6 mm, in a line that a fax keeps.
TICK_BOX = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24">'
    '<rect x="1" y="1" width="22" height="22" fill="white" stroke="black"'
    ' stroke-width="2"/></svg>'
)
PAGE_NUMBER_SIZE = 9
PAGE_NUMBER_AT = (197 * mm, LETTER[1] - 258 * mm)  # its right end, beside the foot

MOST_LEAFLET_SHEETS = 2

MOST_DRAWN_AT_ONCE = 4
_drawing = Workshop(
    "gateway.drawing:draw",
    seconds=65,  # the renderer's own limit of 60 comes first, and says so
    megabytes=2048,
    most=min(os.cpu_count() or 1, MOST_DRAWN_AT_ONCE),
)


class DocumentError(Exception):
    """A document could not be made. Its text names the template, never a person."""


class NotDrawnNowError(DocumentError):
    """No process drew the document this time; nothing is known to be wrong with it."""


class UnreadableScan(Exception):  # noqa: N818 - what the person is told, not our fault
    """A scanned file cannot be read; its text is for the person."""


def pdf(template: str, /, **context: Any) -> bytes:
    """Draw templates/print/<template>.html as a PDF.

    `program` (the settings) is always in the context. Whatever the renderer would
    only have logged is an error here: a letter that silently lacks its picture must
    not leave the house. At most 60 seconds and 20 MB; DocumentError otherwise.
    """
    try:
        source = html(template, **context)
    except TemplateError as error:
        raise DocumentError(f"{template}: {type(error).__name__}: {error}") from error
    return drawn(template, drawable(source))


def long_pdf(template: str, /, **context: Any) -> bytes:
    """Draw as pdf() does, but in one pass: "Page 1 of 9" is written on it afterwards.

    The template leaves its block `page_number` empty and the right of its foot free.
    """
    return numbered([pdf(template, **context)])


def numbered(bodies: Sequence[bytes]) -> bytes:
    """Put PDFs one after the other and write "Page 1 of 9" beside the foot of each.

    Their templates leave the block `page_number` empty and the right of the foot free.
    """
    sheets = pypdf.PdfWriter()
    for body in bodies:
        sheets.append(io.BytesIO(body), import_outline=False)
    total = len(sheets.pages)
    numbers = pypdf.PdfReader(_page_numbers(total))
    for sheet, number in zip(sheets.pages, numbers.pages, strict=True):
        sheet.merge_page(number)
        sheet.compress_content_streams()
    if len(bodies) > 1:  # each brought the same fonts
        sheets.compress_identical_objects()
    written = io.BytesIO()
    sheets.write(written)
    return written.getvalue()


def threshold_report(report: ThresholdReport) -> Drawing:
    """Draw a Patient Threshold Report: cover sheet, report, leaflet, reply page.

    The same paper for fax, letter and chart: the cover sheet's lines stand in the
    envelope's window.
    """
    body = pdf("threshold_report", report=report)
    leaflet = leaflet_pdf(leaflets.leaflet(leaflets.COUNSELING))
    reply = pdf("threshold_reply", report=report)
    total = 1 + sum(map(page_count, (body, leaflet, reply)))
    cover = pdf("threshold_cover", report=report, total=total)
    return Drawing(numbered([cover, body, leaflet, reply]), total)


@lru_cache(maxsize=32)  # anybody may ask for them, and they are always the same
def leaflet_pdf(leaflet: Leaflet) -> bytes:
    """Draw a leaflet for patients."""
    return pdf("leaflet", leaflet=leaflet)


@lru_cache(maxsize=64)  # as with leaflets: the same words give the same paper
def public_page_pdf(page: PublicPage) -> bytes:
    """Draw a public page as a leaflet."""
    return pdf("public_page", page=page)


def require_leaflet(page: PublicPage) -> None:
    """Raise RuleError unless a page prints well, on a sheet or two."""
    body = _tried(lambda: public_page_pdf(page), field="body")
    if faults := layout_check.problems(body):
        raise RuleError(f"On paper: {faults[0]}", field="body")
    if (sheets := page_count(body)) > MOST_LEAFLET_SHEETS:
        message = (
            f"Printed it is {sheets} pages. Shorten it until it fits on"
            f" {MOST_LEAFLET_SHEETS}."
        )
        raise RuleError(message, field="body")


def require_cover_line(line: str) -> None:
    """Raise RuleError unless a cover sheet that says it twice may leave the house."""
    cover = _tried(
        lambda: pdf(
            "fax_cover_sheet",
            to_lines=["A PRACTICE WITH A LONG NAME"],
            to_fax=settings.current().fax_number,
            subject_line="Subject",
            made_at=clock.now(),
            total=2,
            announced=[line, line],
        ),
        field="fax_line",
    )
    if layout_check.problems(cover) or page_count(cover) > 1:
        message = "This line does not fit the cover sheet. Write a shorter one."
        raise RuleError(message, field="fax_line")


def _tried(draw: Callable[[], bytes], *, field: str) -> bytes:
    """Draw what somebody has typed; RuleError, in words for them, if it fails."""
    try:
        return draw()
    except NotDrawnNowError as later:
        message = "It cannot be tried out on paper now. Send it again in a minute."
        raise RuleError(message) from later
    except DocumentError as error:
        raise RuleError("This text cannot be printed.", field=field) from error


def _page_numbers(total: int) -> io.BytesIO:
    """Draw pages that hold nothing but their numbers, beside the foot."""
    written = io.BytesIO()
    canvas = Canvas(written, pagesize=LETTER)
    for page in range(1, total + 1):
        canvas.setFont(registered(), PAGE_NUMBER_SIZE)
        canvas.drawRightString(*PAGE_NUMBER_AT, f"Page {page} of {total}")
        canvas.showPage()
    canvas.save()
    return written


def faxable_pdf(template: str, code: str, /, **context: Any) -> bytes:
    """Draw a one-page PDF whose `code` survives a fax at standard resolution.

    Tried on the very page before anybody is given it; DocumentError if it would not.
    """
    body = pdf(template, **context)
    if pages.pages(body, "application/pdf") != 1:
        raise DocumentError(f"{template}: longer than one page")
    if not fax_check.legible(body, code):
        raise DocumentError(f"{template}: a fax would lose its code")
    return body


def html(template: str, /, **context: Any) -> str:
    """Fill templates/print/<template>.html; what pdf() draws."""
    page = environment().get_template(f"print/{template}.html")
    return page.render(program=settings.current(), **context)


def drawn(name: str, source: str) -> bytes:
    """Draw HTML as a PDF; `name` is for the error's text.

    NotDrawnNowError where the processes that draw were busy, or died.
    """
    try:
        return _drawing(source.encode())
    except PassingError as error:
        raise NotDrawnNowError(f"{name}: {error}") from None
    except UnableError as error:
        # The cause stays behind, like the renderer's own words.
        raise DocumentError(f"{name}: {error}") from None


def page_count(body: bytes) -> int:
    """Count the pages of a PDF."""
    return len(pypdf.PdfReader(io.BytesIO(body)).pages)


def page_png(body: bytes, media_type: str, page: int) -> bytes:
    """Draw one page of a paper of ours (the first is 1); UnreadableFax if none."""
    return pages.page_png(body, media_type, page)


def faxed_page_png(
    body: bytes, media_type: str, page: int, *, turn: int = 0, large: bool = False
) -> bytes:
    """Draw one page of a fax (the first is 1) for the screen; RuleError if none.

    `turn` it 90, 180 or 270 degrees to the right; `large` as fine as it came.

    In a process of its own: a stranger's file is never opened in the portal.
    """
    try:
        return reading_apart.page_png(body, media_type, page, turn=turn, large=large)
    except pages.UnreadableFax as refusal:
        raise RuleError("This page cannot be shown as a picture.") from refusal
    except reading_apart.NotReadNowError as later:
        message = "This page cannot be shown now. Load it again in a minute."
        raise RuleError(message) from later


def cut_pages(body: bytes, media_type: str, numbers: Sequence[int]) -> bytes:
    """Give some pages of a fax's file as a file; RuleError if that cannot be."""
    try:
        return reading_apart.cut(body, media_type, numbers)
    except pages.UnreadableFax as refusal:
        message = "These pages cannot be taken out of the file that came."
        raise RuleError(message) from refusal
    except reading_apart.NotReadNowError as later:
        message = "The program is busy with other faxes. Try again in a minute."
        raise RuleError(message) from later


def address_fault(lines: Sequence[str]) -> str:
    """Say why an address would not show in an envelope's window; empty if it would."""
    try:
        windows.block("\n".join(lines))
    except windows.AddressFault as fault:
        return str(fault)
    return ""


def joined(bodies: Iterable[bytes]) -> bytes:
    """Put PDFs one after the other, each beginning on the front of a sheet."""
    whole = pypdf.PdfWriter()
    for body in bodies:
        if len(whole.pages) % 2:
            whole.add_blank_page()
        whole.append(io.BytesIO(body))
    written = io.BytesIO()
    whole.write(written)
    return written.getvalue()


def sheet_count(body: bytes) -> int:
    """Count the sheets of paper of a PDF that is printed on both sides."""
    return letter_marks.sheets(page_count(body))


def print_run(letters: Iterable[tuple[Delivery, bytes]]) -> bytes:
    """Put the letters of a print run together, each with the code of its delivery.

    Each begins on the front of a sheet. Looked at once more before it is printed, as
    the settings may name another envelope since it was drawn; DocumentError then.
    """
    marked = []
    for delivery, body in letters:
        if letters_check.misplaced(body, address=delivery.address):
            raise DocumentError(
                f"{letter_code(delivery.id)} was drawn for another envelope than"
                " PMP_ENVELOPE names, or with other lines of the office: the windows"
                " would not show what they should."
            )
        marked.append(letter_marks.marked(body, delivery.id))
    return joined(marked)


def codes_on(body: bytes) -> list[str]:
    """Read every code on a scan or a photograph of envelopes, in page order.

    PDF, TIFF, PNG or JPEG; UnreadableScan for another, a damaged or a too large file.
    """
    try:
        return reading_apart.every_code(body)
    except pages.UnreadableFax as fault:
        raise UnreadableScan(str(fault)) from None
    except reading_apart.NotReadNowError:
        text = "The program is busy with other files. Try it again in a minute."
        raise UnreadableScan(text) from None


def with_papers(body: bytes, papers: Iterable[tuple[bytes, str, str]]) -> bytes:
    """Put strangers' papers after a PDF, as pictures: bytes, media type and label.

    Each is opened in a process of its own. One that cannot be leaves a page that says
    so; RuleError where no process was free.
    """
    whole = pypdf.PdfWriter(clone_from=io.BytesIO(body))
    left = scanned_papers.MOST_SHEETS
    for paper, media_type, label in papers:
        most = min(left, scanned_papers.MOST_PAGES)
        sheets = _pictured(paper, media_type, label=label, most=most)
        whole.append(io.BytesIO(sheets))
        left = max(0, left - page_count(sheets))
    written = io.BytesIO()
    whole.write(written)
    return written.getvalue()


def _pictured(paper: bytes, media_type: str, *, label: str, most: int) -> bytes:
    try:
        return reading_apart.pictured(paper, media_type, label=label, most=most)
    except pages.UnreadableFax:
        return scanned_papers.not_shown(label)
    except reading_apart.NotReadNowError as error:
        if error.died:
            return scanned_papers.not_shown(label)
        message = "The program is busy with other files. Try again in a minute."
        raise RuleError(message) from error


def png_uri(body: bytes) -> str:
    """Give a PNG picture as a data: address for <img src>."""
    return _uri("image/png", body)


def svg_uri(drawing: str) -> str:
    """Give an SVG drawing as a data: address; an inline <svg> is not drawn."""
    return _uri("image/svg+xml", drawing.encode())


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Give the Jinja environment of printed documents."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(wording.FILTERS)
    made.filters.update(png_uri=png_uri, svg_uri=svg_uri)
    made.globals.update(
        tick_box=svg_uri(TICK_BOX),
        qr=lambda text: png_uri(barcodes.qr_png(text)),
        envelope=windows.current,
        windowed=windows.shown,
        code128=lambda text: png_uri(barcodes.code128_png(text)),
    )
    return made


def _uri(media_type: str, body: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(body).decode()}"
