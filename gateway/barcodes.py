"""Write and read the code on a page that comes back by fax.

Two symbols carry the same text: a QR code (version 1, error level M for up to 20
characters) and a Code 128. A bigger module helps more on a fax than more error
correction does, hence level M. Only these two formats are read: with all formats
allowed, noise was once read as a code.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import segno
import zxingcpp
from PIL import Image, ImageFilter

from gateway import pages

JPEG = b"\xff\xd8\xff"
MOST_CODES = 20
# CTR-7K3Q9-XW4MT: what no code of ours can be is passed over, and looked on.
SHAPE = re.compile(r"[0-9A-Z]{2,12}(-[0-9A-Z]{3,8}){1,3}", re.ASCII)
_FORMATS = zxingcpp.barcode_formats_from_str("QRCode,Code128")


@dataclass(frozen=True)
class PageCodes:
    """The texts read from one page; the first page is 1."""

    page: int
    codes: tuple[str, ...]


def qr_png(text: str) -> bytes:
    """Draw a QR code, quiet zone included, as a PNG.

    Up to 20 capital letters, digits and -./:$%*+ the symbol has 21 modules and the
    picture 29: printed 36 mm wide, the symbol is 26 mm, which survives a fax at
    standard resolution.
    """
    symbol = segno.make_qr(text, error="m", boost_error=False)
    written = io.BytesIO()
    symbol.save(written, kind="png", scale=12, border=4)
    return written.getvalue()


def code128_png(text: str) -> bytes:
    """Draw a Code 128, quiet zone included, as a PNG four times as wide as high.

    15 characters take about 220 modules: print it 110 mm wide, so that each module is
    0.5 mm. ValueError if the text has letters that Code 128 lacks.
    """
    symbol = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128)
    bars = symbol.to_image(scale=4, add_quiet_zones=True)
    picture = Image.fromarray(bars).convert("1")
    width = picture.size[0]
    written = io.BytesIO()
    picture.resize((width, width // 7)).save(written, "PNG")
    return written.getvalue()


def read_codes(body: bytes, media_type: str) -> list[PageCodes]:
    """Read the codes on each page of a PDF, TIFF or PNG, in page order.

    Every page has its entry, with no codes where none could be read. Raises
    pages.UnreadableFax for a damaged or hostile file.
    """
    return [
        PageCodes(number, codes_of(picture))
        for number, picture in enumerate(pages.images(body, media_type), start=1)
    ]


def every_code(body: bytes) -> list[str]:
    """Read all codes of a scan of several things, PDF, TIFF, PNG or JPEG, page by page.

    Other than read_codes it looks in every way: one envelope that is read at once must
    not keep the others from being looked for.
    """
    jpeg = body.startswith(JPEG)
    media_type = "image/jpeg" if jpeg else pages.media_type_of(body)
    found: dict[str, None] = {}
    for picture in pages.images(body, media_type, faxed=False):
        for attempt in _looks(picture):
            read = zxingcpp.read_barcodes(attempt, formats=_FORMATS)
            texts = [code.text for code in read if SHAPE.fullmatch(code.text)]
            found.update(dict.fromkeys(texts))
    return list(found)


def codes_of(picture: Image.Image) -> tuple[str, ...]:
    """Read a page's codes, sorted; harder looks follow only while none was found."""
    for attempt in _looks(picture):
        found = zxingcpp.read_barcodes(attempt, formats=_FORMATS)
        texts = {code.text for code in found if SHAPE.fullmatch(code.text)}
        if texts:
            return tuple(sorted(texts)[:MOST_CODES])
    return ()


def _looks(picture: Image.Image) -> Iterator[Image.Image]:
    yield picture
    yield picture.filter(ImageFilter.GaussianBlur(1))
    yield picture.filter(ImageFilter.MedianFilter(3))
    width, height = picture.size
    yield picture.resize((max(1, width * 3 // 5), max(1, height * 3 // 5)))
    yield picture.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.MaxFilter(3))
    yield picture.filter(ImageFilter.MaxFilter(3)).filter(ImageFilter.MinFilter(3))
