"""Papers of strangers as pages of a PDF: each page a picture, so that nothing runs.

A PDF may hold scripts, forms and files, which whoever opens an evidence pack must not
be given. A paper that cannot be shown leaves a page that says so.
"""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from reportlab.lib.pagesizes import LETTER
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from gateway import pages
from gateway.typefaces import registered

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PAGES = 60  # of one paper
MOST_SHEETS = 200  # of all papers of a pack: each is drawn while somebody waits
WIDEST = 1700  # dots across a page of 8.5 inches: 200 an inch
QUALITY = 70
MARGIN = 12 * mm
HEAD = 8 * mm
LINE = 9
NOT_SHOWN = "This paper cannot be shown as pages."


def sheets(
    body: bytes, media_type: str, *, label: str, most: int = MOST_PAGES
) -> bytes:
    """Give a paper as a PDF on letter paper, `label` at the head of each page.

    At most so many pages, and then one that says so.
    """
    written = io.BytesIO()
    canvas = Canvas(written, pagesize=LETTER)
    try:
        shown = 0
        for shown, picture in enumerate(_pictures(body, media_type, most), start=1):
            _head(canvas, f"{label}, page {shown}")
            _draw(canvas, picture)
            canvas.showPage()
        if shown == most:
            _notice(canvas, label, f"No more than {most} pages of it are shown here.")
    except pages.UnreadableFax:
        _notice(canvas, label, NOT_SHOWN)
    canvas.save()
    return written.getvalue()


def not_shown(label: str) -> bytes:
    """Give a PDF that says of a paper that it cannot be shown."""
    written = io.BytesIO()
    canvas = Canvas(written, pagesize=LETTER)
    _notice(canvas, label, NOT_SHOWN)
    canvas.save()
    return written.getvalue()


def _pictures(body: bytes, media_type: str, most: int) -> Iterator["Image"]:
    faxed = media_type == "image/tiff"
    for number, picture in enumerate(pages.images(body, media_type, faxed=faxed)):
        if number == most:
            return
        yield picture


def _draw(canvas: Canvas, picture: "Image") -> None:
    """Draw a picture as large as the page allows, never larger than it is printed."""
    picture.thumbnail((WIDEST, WIDEST * 2))
    room_across = LETTER[0] - 2 * MARGIN
    room_up = LETTER[1] - 2 * MARGIN - HEAD
    scale = min(room_across / picture.width, room_up / picture.height)
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=QUALITY)
    width, height = picture.width * scale, picture.height * scale
    canvas.drawImage(
        ImageReader(packed), MARGIN, MARGIN + room_up - height, width, height
    )


def _notice(canvas: Canvas, label: str, words: str) -> None:
    _head(canvas, label)
    canvas.drawString(MARGIN, LETTER[1] - 2 * MARGIN - HEAD, words)
    canvas.drawString(
        MARGIN, LETTER[1] - 2 * MARGIN - HEAD - 14, "The program keeps the whole of it."
    )
    canvas.showPage()


def _head(canvas: Canvas, words: str) -> None:
    canvas.setFont(registered(), LINE)
    canvas.drawString(MARGIN, LETTER[1] - MARGIN, words)
