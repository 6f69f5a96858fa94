"""Will the code on our page survive a fax? Tried on the page itself before it is shown.

The page is drawn as a standard-resolution fax machine sees it, 204 dots an inch across
and 98 lines down, in black and white, and read as an incoming fax is read.
"""

import io

from PIL import Image

from gateway import barcodes, pages

LINES_PER_INCH = 98
BLACK = 128


def legible(body: bytes, code: str) -> bool:
    """Tell whether each page of a PDF gives its code back after a standard fax."""
    read = barcodes.read_codes(as_fax(body), "image/tiff")
    return bool(read) and all(page.codes == (code,) for page in read)


def as_fax(body: bytes) -> bytes:
    """Give a PDF as the TIFF that a standard-resolution fax machine would receive."""
    sheets = [_scanned(sheet) for sheet in pages.images(body, "application/pdf")]
    written = io.BytesIO()
    sheets[0].save(
        written,
        "TIFF",
        compression="group4",
        dpi=(pages.DOTS_PER_INCH, LINES_PER_INCH),
        save_all=True,
        append_images=sheets[1:],
    )
    return written.getvalue()


def _scanned(sheet: Image.Image) -> Image.Image:
    width, height = sheet.size
    lines = height * LINES_PER_INCH // pages.DOTS_PER_INCH
    return sheet.resize((width, lines)).point(lambda dot: 255 * (dot >= BLACK), "1")
