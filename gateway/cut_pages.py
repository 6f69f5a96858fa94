"""Some pages of a faxed file as a file of their own: what a ticket keeps of a fax."""

import io
from collections.abc import Sequence

import pypdf
from PIL import Image
from pypdf.errors import PyPdfError

from gateway.pages import UnreadableFax


def cut(body: bytes, media_type: str, numbers: Sequence[int]) -> bytes:
    """Give a file of the same kind with these pages (the first is 1) in this order.

    UnreadableFax for a damaged file, or where there is no such page.
    """
    try:
        if media_type == "application/pdf":
            return _of_pdf(body, numbers)
        if media_type == "image/tiff":
            return _of_tiff(body, numbers)
    except (
        PyPdfError,
        OSError,
        ValueError,
        LookupError,
        TypeError,
        ArithmeticError,
        RecursionError,
    ) as fault:
        message = f"The file is damaged ({type(fault).__name__})."
        raise UnreadableFax(message) from None
    return body  # a PNG has one page


def _of_pdf(body: bytes, numbers: Sequence[int]) -> bytes:
    source, part = pypdf.PdfReader(io.BytesIO(body)), pypdf.PdfWriter()
    for number in numbers:
        part.add_page(source.pages[number - 1])
    written = io.BytesIO()
    part.write(written)
    return written.getvalue()


def _of_tiff(body: bytes, numbers: Sequence[int]) -> bytes:
    """Copy the pages as they are: black and white stays so, and so does the stretch."""
    found = []
    with Image.open(io.BytesIO(body), formats=["TIFF"]) as source:
        for number in numbers:
            source.seek(number - 1)
            found.append((source.copy(), source.info.get("dpi", (204, 98))))
    first, rest = found[0], [page for page, _ in found[1:]]
    written = io.BytesIO()
    first[0].save(
        written,
        "TIFF",
        compression="group4" if all(page.mode == "1" for page, _ in found) else None,
        dpi=first[1],
        save_all=True,
        append_images=rest,
    )
    return written.getvalue()
