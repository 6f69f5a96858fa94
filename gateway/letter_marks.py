"""Each letter's own code on its paper: to stuff it whole, and to know it again.

The document that is kept, and shown as the chart copy, has none of this: it is put on
what is printed for the post. On the first page the 2-D code and its words stand where
the envelope's window shows them; on each page the code and the sheet, so that no sheet
gets into another's envelope.
"""

import io

import pypdf
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from gateway import barcodes, windows
from gateway.typefaces import registered
from pmp.deliveries.letter_codes import letter_code

PAGE_HEIGHT = LETTER[1]
CODE_POINTS, SHEET_POINTS = 5.5, 6.5
SHEET_AT = (203 * mm, PAGE_HEIGHT - 14.6 * mm)  # its right end
MODULES, QUIET = 21, 4


def marked(body: bytes, delivery_id: int) -> bytes:
    """Put a letter's code on its pages."""
    letter = pypdf.PdfWriter(clone_from=io.BytesIO(body))
    marks = pypdf.PdfReader(_marks(letter_code(delivery_id), len(letter.pages)))
    for page, mark in zip(letter.pages, marks.pages, strict=True):
        page.merge_page(mark)
    written = io.BytesIO()
    letter.write(written)
    return written.getvalue()


def sheets(pages: int) -> int:
    """Give how many sheets of paper so many pages take, printed on both sides."""
    return (pages + 1) // 2


def _marks(code: str, pages: int) -> io.BytesIO:
    written = io.BytesIO()
    canvas = Canvas(written, pagesize=LETTER)
    for page in range(1, pages + 1):
        if page == 1:
            _draw_code(canvas, code)
        canvas.setFont(registered(), SHEET_POINTS)
        words = f"{code}  sheet {sheets(page)} of {sheets(pages)}"
        canvas.drawRightString(*SHEET_AT, words)
        canvas.showPage()
    canvas.save()
    return written


def _draw_code(canvas: Canvas, code: str) -> None:
    """Draw the 2-D code, its edge where the window begins, and its words below."""
    envelope = windows.current()
    left, bottom = envelope.mark_left * mm, envelope.mark_top + windows.MARK
    quiet = windows.MARK * QUIET / MODULES
    side = (windows.MARK + 2 * quiet) * mm
    picture = ImageReader(io.BytesIO(barcodes.qr_png(code)))
    canvas.drawImage(
        picture, left - quiet * mm, PAGE_HEIGHT - (bottom + quiet) * mm, side, side
    )
    canvas.setFont(registered(), CODE_POINTS)
    canvas.drawString(left, PAGE_HEIGHT - (bottom + 2.1) * mm, code)
