"""The pages of a faxed file as they are filed: codes, blank or not, their look."""

from collections.abc import Iterator

from PIL import Image, ImageFilter

from gateway import barcodes, pages
from pmp.fax_parts import Sheet

# Fields of 6 mm: a pen that crosses one darkens it by several shades.
ACROSS, DOWN = 36, 48
DARKEST = 0.3
"""The share of ink that is the darkest shade: a field full of letters has less."""

# A machine prints a line of its own at the head of every page, also of an empty one.
HEAD = 0.05
SHRINK = 4
SPECKS = 24  # dots of a page shrunk four times: a word has hundreds


def read(body: bytes, media_type: str) -> Iterator[Sheet]:
    """Read each page of a PDF, TIFF or PNG, in page order.

    Raises pages.UnreadableFax for a damaged or hostile file, at its first bad page. In
    this very process: strangers' files go through gateway.reading_apart.
    """
    for number, picture in enumerate(pages.images(body, media_type), start=1):
        codes = barcodes.codes_of(picture)
        blank = not codes and is_blank(picture)
        yield Sheet(number, codes, blank, "" if blank else look_of(picture))


def look_of(picture: Image.Image) -> str:
    """Draw a page so coarsely that nobody can read it: 36 by 48 shades, 0 to f."""
    share = picture.resize((ACROSS, DOWN), Image.Resampling.BOX).tobytes()
    return "".join(f"{min(15, _shade(paper)):x}" for paper in share)


def is_blank(picture: Image.Image) -> bool:
    """Tell whether there is nothing on a page but specks and the machine's own line."""
    width, height = picture.size
    rest = picture.crop((0, round(height * HEAD), width, height))
    calm = rest.filter(ImageFilter.MedianFilter(3))
    small = calm.reduce(SHRINK) if min(calm.size) >= SHRINK else calm
    ink: int = small.point(lambda shade: 255 * (shade < 128)).histogram()[255]
    return ink <= SPECKS


def _shade(paper: int) -> int:
    return round((255 - paper) / 255 / DARKEST * 15)
