"""What every faxed page carries, and a fax as the dots that go over the line.

A call that is cut goes on at the page where it broke, in a new call without the cover
sheet, and pages fall from machines one by one: so each says which fax it is of, which
page, that it is confidential, and whom to call. The line stands 10 mm from the top
edge: fax machines eat the first 5 mm, and no document of ours begins above 14 mm.
"""

import io
from collections.abc import Sequence
from datetime import datetime

import pypdf
from PIL import Image
from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from gateway import documents, pages
from gateway.documents import DocumentError
from gateway.typefaces import BOLD, registered
from pmp import settings
from pmp.wording import phone

SIZE = 9  # of its letters, in points
LINE_TOP, LINE_BOTTOM = 6.5, 11.5  # the strip, in mm from the top edge
BASELINE = 10.0
LEFT, RIGHT = 19.0, 197.0

DOTS_ACROSS = 1728  # of ITU-T T.4, 8.5 inches at 204 dots an inch
LINES_PER_INCH = {"standard": 98, "fine": 196, "superfine": 391}
BLACK = 128
WHITE_IS_ZERO = 0
ONE_STRIP = 1 << 24


def stamped(body: bytes, *, delivery_id: int) -> bytes:
    """Write the delivery's line on each page of a PDF; else every page stays as it is.

    The same PDF and delivery give the same bytes, so that a second attempt sends what
    the first one kept. DocumentError if it cannot be read.
    """
    try:
        paper = pypdf.PdfReader(io.BytesIO(body))
        sheets = pypdf.PdfWriter(clone_from=paper)
        sheets.pdf_header = paper.pdf_header
        lines = pypdf.PdfReader(_lines(sheets, delivery_id))
        for sheet, line in zip(sheets.pages, lines.pages, strict=True):
            sheet.merge_page(line)
        written = io.BytesIO()
        sheets.write(written)
    except pypdf.errors.PyPdfError as error:
        raise DocumentError(f"fax line: {type(error).__name__}") from None
    return written.getvalue()


def covered(
    body: bytes,
    *,
    to_name: str,
    to_fax: str,
    subject: str,
    at: datetime,
    announced: Sequence[str] = (),
) -> bytes:
    """Put a cover sheet before a PDF: to whom, from whom, how many pages, and news."""
    total = 1 + documents.page_count(body)
    cover = documents.pdf(
        "fax_cover_sheet",
        to_lines=[to_name or phone(to_fax)],
        to_fax=to_fax,
        subject_line=subject,
        made_at=at,
        total=total,
        announced=announced,
    )
    whole = pypdf.PdfWriter()
    for part in (cover, body):
        whole.append(io.BytesIO(part), import_outline=False)
    written = io.BytesIO()
    whole.write(written)
    return written.getvalue()


def words(delivery_id: int, page: int, total: int) -> str:
    """Give the line of one page, the first of which is 1."""
    program = settings.current()
    return (
        f"Fax {delivery_id}  |  page {page} of {total}  |  CONFIDENTIAL  |  "
        f"{program.short_name} {phone(program.fax_number)}  |  "
        f"Not for you? Call {phone(program.program_phone)}"
    )


def as_tiff(body: bytes, *, quality: str = "fine") -> bytes:
    """Give a PDF as a fax: black and white, 1728 dots across, ITU-T T.6.

    `quality` is "standard" (98 lines an inch), "fine" (196) or "superfine" (391).
    White is 0 and a page is one strip: a fax server sends such a file as it is, dot by
    dot, and would have Ghostscript draw any other anew.
    """
    lines = LINES_PER_INCH[quality]
    sheets = [_dots(sheet, lines) for sheet in pages.images(body, "application/pdf")]
    written = io.BytesIO()
    sheets[0].save(
        written,
        "TIFF",
        compression="group4",
        dpi=(pages.DOTS_PER_INCH, lines),
        strip_size=ONE_STRIP,
        tiffinfo={PHOTOMETRIC_INTERPRETATION: WHITE_IS_ZERO},
        save_all=True,
        append_images=sheets[1:],
    )
    return written.getvalue()


def _lines(sheets: pypdf.PdfWriter, delivery_id: int) -> io.BytesIO:
    """Draw pages of the same sizes that hold nothing but the line."""
    written = io.BytesIO()
    canvas = Canvas(written, invariant=1)
    total = len(sheets.pages)
    for number, sheet in enumerate(sheets.pages, 1):
        width, height = float(sheet.mediabox.width), float(sheet.mediabox.height)
        canvas.setPageSize((width, height))
        text = words(delivery_id, number, total)
        canvas.setFont(registered(BOLD), _fitting(canvas, text))
        canvas.drawString(LEFT * mm, height - BASELINE * mm, text)
        canvas.showPage()
    canvas.save()
    return written


def _fitting(canvas: Canvas, text: str) -> float:
    """Give the size of type at which a line keeps within the margins."""
    width = canvas.stringWidth(text, registered(BOLD), SIZE)
    return float(SIZE * min(1.0, (RIGHT - LEFT) * mm / width))


def _dots(sheet: Image.Image, lines: int) -> Image.Image:
    height = sheet.height * lines // pages.DOTS_PER_INCH
    grey = sheet.resize((DOTS_ACROSS, height))
    return grey.point(lambda dot: 255 * (dot >= BLACK), "1")
