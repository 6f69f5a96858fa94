"""Faxes for tests: pages with codes as a fax machine sends them, read by the worker."""

import io
from collections.abc import Sequence

from PIL import Image

from gateway import barcodes, fax_reading
from models import InboundFax
from pmp import faxes
from tests.conftest import NOW

LETTER = (1728, 2156)
AT = (1200, 160)  # dots from the page's corner


def page(*codes: str, signed: bool = False, blank: bool = False) -> Image.Image:
    """Draw a page with symbols and lines of words, and perhaps a signature."""
    sheet = Image.new("L", LETTER, 255)
    # What the machine prints at the head of each page.
    sheet.paste(0, (40, 20, 900, 34))
    if blank:
        return sheet
    for line in range(24):
        sheet.paste(
            0, (150, 700 + 40 * line, 900 + 17 * (line % 5) * 3, 712 + 40 * line)
        )
    for number, code in enumerate(codes):
        symbol = Image.open(io.BytesIO(barcodes.qr_png(code))).convert("L")
        sheet.paste(symbol.resize((290, 290)), (AT[0] - 400 * number, AT[1]))
    if signed:
        for step in range(60):
            sheet.paste(
                0, (200 + 9 * step, 1850 + 37 * (step % 3), 215 + 9 * step, 1858)
            )
    return sheet


def tiff(pages: Sequence[Image.Image], *, compression: str = "group4") -> bytes:
    """Send pages at standard resolution, in black and white."""
    low = [
        sheet.resize((LETTER[0], LETTER[1] // 2)).point(lambda dot: 255 * (dot > 127))
        for sheet in pages
    ]
    first, *rest = [sheet.convert("1") for sheet in low]
    written = io.BytesIO()
    first.save(
        written,
        "TIFF",
        compression=compression,
        dpi=(204, 98),
        save_all=True,
        append_images=rest,
    )
    return written.getvalue()


def receive(body: bytes, *, number: str = "8605550143", name: str = "") -> InboundFax:
    """Take a fax in and have the worker read it; give it as it is then."""
    fax = faxes.receive(
        body=body,
        media_type="application/pdf" if body.startswith(b"%PDF") else "image/tiff",
        from_number=number,
        source="test",
        source_reference=name or f"test {InboundFax.select().count()}",
        at=NOW,
    )
    fax_reading.read(fax)
    return now(fax)


def now(fax: InboundFax) -> InboundFax:
    """Give a fax as it is in the table by now."""
    row: InboundFax = InboundFax.get_by_id(fax.id)
    return row
