"""The pages of a faxed or scanned file as pictures, and of a PDF as words with places.

What arrives by fax is written by strangers, so each way in has a limit: bytes, pages
and pixels, all checked before a picture is unpacked. PDFium is not safe to call from
two threads, so one lock guards every use of it.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium_c
from PIL import Image, ImageOps

LARGEST_FILE = 50 * 1024 * 1024
MOST_PAGES = 200
MOST_PIXELS = 40_000_000
DOTS_PER_INCH = 204
POINTS_PER_INCH = 72
MILLIMETRES_PER_POINT = 25.4 / POINTS_PER_INCH
STAFF_IMAGE_WIDTH = 1224

_PDFIUM = threading.RLock()
_TOO_MANY = f"It has more than {MOST_PAGES} pages. Ask for it in parts."
_TOO_LARGE = f"It is larger than {LARGEST_FILE >> 20} MB. Ask for it in parts."
_SIGNATURES = {
    b"%PDF-": "application/pdf",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
    b"\x89PNG\r\n\x1a\n": "image/png",
}


class UnreadableFax(Exception):  # noqa: N818 - the state it describes, not a fault of ours
    """A file that cannot be shown as pages: damaged, too large, or of another kind."""


@dataclass(frozen=True)
class Sheet:
    """A page of a PDF: millimetres, runs of text, and whether anything is on it.

    `foreign_fonts`: it has words in a font that the file does not hold.
    """

    width: float
    height: float
    text: tuple["TextBox", ...]
    marks: bool
    foreign_fonts: bool


@dataclass(frozen=True)
class TextBox:
    """Where a piece of text stands on a page, in millimetres from its top left."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


def media_type_of(body: bytes) -> str:
    """Tell PDF, TIFF and PNG apart by their first bytes; UnreadableFax if none."""
    for signature, media_type in _SIGNATURES.items():
        if body.startswith(signature):
            return media_type
    raise UnreadableFax("The file is not a PDF, TIFF or PNG.")


def pages(body: bytes, media_type: str) -> int:
    """Count the pages, at most 200; UnreadableFax if there are more or none."""
    with _opened(body, media_type) as source:
        return source.pages


def images(
    body: bytes, media_type: str, *, faxed: bool = True
) -> Iterator[Image.Image]:
    """Give each page as an upright grey picture with square pixels, about 204 dpi.

    A fax at standard resolution has 204 dots an inch across and 98 down; its pages
    are stretched to twice their height. A picture that was not faxed is turned as the
    camera was held.
    """
    with _opened(body, media_type, faxed=faxed) as source:
        for number in range(source.pages):
            yield source.picture(number)


def page_png(
    body: bytes, media_type: str, page: int, *, turn: int = 0, large: bool = False
) -> bytes:
    """One page (the first is 1) as a PNG for the screen, at most 1224 pixels wide.

    `turn` it so many degrees to the right: 90, 180, 270; `large` leaves it as fine as
    it came, at most 2448 pixels wide.
    """
    with _opened(body, media_type) as source:
        if not 1 <= page <= source.pages:
            raise UnreadableFax("There is no such page.")
        picture = source.picture(page - 1)
    if turn:
        picture = picture.rotate(-turn, expand=True, fillcolor=None)
    width = STAFF_IMAGE_WIDTH * (2 if large else 1)
    picture.thumbnail((width, width * 4))
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    return written.getvalue()


def text_boxes(body: bytes, page: int = 1) -> list[TextBox]:
    """Every run of text on a page of a PDF, with its place in millimetres."""
    with _pdf(body) as source:
        return list(source.sheet(page - 1).text)


def sheets(body: bytes) -> Iterator[Sheet]:
    """Give each page of a PDF as its text, its size and what else is on it."""
    with _pdf(body) as source:
        for number in range(source.pages):
            yield source.sheet(number)


@contextmanager
def _pdf(body: bytes) -> Iterator["_Pdf"]:
    with _opened(body, "application/pdf") as source:
        if not isinstance(source, _Pdf):
            raise UnreadableFax("The file is not a PDF.")
        yield source


class _Pdf:
    def __init__(self, body: bytes) -> None:
        with _PDFIUM:
            self.document = pypdfium2.PdfDocument(body)
            self.pages = len(self.document)

    def picture(self, number: int) -> Image.Image:
        with _PDFIUM:
            sheet = self.document[number]
            width, height = sheet.get_size()
            if width <= 0 or height <= 0:
                raise UnreadableFax("A page has no size.")
            room = (MOST_PIXELS / (width * height)) ** 0.5
            scale = min(DOTS_PER_INCH / POINTS_PER_INCH, room)
            drawn = sheet.render(scale=scale, grayscale=True)
            picture: Image.Image = drawn.to_pil().convert("L")
            sheet.close()
        return picture

    def sheet(self, number: int) -> Sheet:
        with _PDFIUM:
            page = self.document[number]
            width, height = page.get_size()
            text = page.get_textpage()
            boxes = tuple(
                TextBox(text.get_text_bounded(*rect), *_millimetres(rect, height))
                for rect in (text.get_rect(n) for n in range(text.count_rects()))
            )
            marks = list(page.get_objects(max_depth=5))
            foreign = any(_is_foreign(mark) for mark in marks)
            text.close()
            page.close()
        return Sheet(
            width * MILLIMETRES_PER_POINT,
            height * MILLIMETRES_PER_POINT,
            tuple(box for box in boxes if box.text.strip()),
            bool(marks),
            foreign,
        )

    def close(self) -> None:
        with _PDFIUM:
            self.document.close()


class _Scan:
    def __init__(self, body: bytes, media_type: str, *, faxed: bool) -> None:
        self.faxed = faxed
        kinds = {"image/tiff": "TIFF", "image/jpeg": "JPEG"}
        kind = kinds.get(media_type, "PNG")
        self.document = Image.open(io.BytesIO(body), formats=[kind])
        self.pages = self._count()

    def _count(self) -> int:
        """Walk the frames only as far as the limit; a file may claim millions."""
        for number in range(MOST_PAGES + 1):
            try:
                self.document.seek(number)
            except EOFError:
                return number
        return MOST_PAGES + 1

    def picture(self, number: int) -> Image.Image:
        self.document.seek(number)
        width, height = self.document.size
        stretch = _stretch(self.document) if self.faxed else 1
        if width * height * stretch > MOST_PIXELS:
            raise UnreadableFax("A page is larger than the program opens.")
        if not self.faxed:
            return ImageOps.exif_transpose(self.document).convert("L")
        return self.document.convert("L").resize((width, height * stretch))

    def close(self) -> None:
        self.document.close()


@contextmanager
def _opened(
    body: bytes, media_type: str, *, faxed: bool = True
) -> Iterator[_Pdf | _Scan]:
    """Open a file, check its limits, and turn every library's fault into ours."""
    if len(body) > LARGEST_FILE:
        raise UnreadableFax(_TOO_LARGE)
    try:
        pdf = media_type == "application/pdf"
        source = _Pdf(body) if pdf else _Scan(body, media_type, faxed=faxed)
        try:
            if not 1 <= source.pages <= MOST_PAGES:
                raise UnreadableFax(_TOO_MANY if source.pages else "It has no pages.")
            yield source
        finally:
            source.close()
    except UnreadableFax:
        raise
    except (
        pypdfium2.PdfiumError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        OSError,
        ValueError,
        SyntaxError,
        ArithmeticError,
        LookupError,
        TypeError,
    ) as fault:
        raise UnreadableFax(f"The file is damaged ({type(fault).__name__}).") from None


def _is_foreign(mark: Any) -> bool:
    """Tell whether something drawn is text in a font that is not in the file."""
    if mark.type != pdfium_c.FPDF_PAGEOBJ_TEXT:
        return False
    font = pdfium_c.FPDFTextObj_GetFont(mark.raw)
    return not pdfium_c.FPDFFont_GetIsEmbedded(font)


def _stretch(picture: Image.Image) -> int:
    """2 for a fax page at standard resolution, else 1."""
    across, down = picture.info.get("dpi", (0, 0))
    if across and down:
        return 2 if float(across) / float(down) > 1.5 else 1
    width, height = picture.size
    # Fax lines are 1728 dots; a letter page has about 1,080 of them at 98 a inch.
    return 2 if width >= 1700 and height < width else 1


def _millimetres(
    rect: tuple[float, float, float, float], page_height: float
) -> tuple[float, float, float, float]:
    left, bottom, right, top = (side * MILLIMETRES_PER_POINT for side in rect)
    height = page_height * MILLIMETRES_PER_POINT
    return left, height - top, right, height - bottom
