"""Where an envelope's windows are on the sheet: for the templates and for the check.

A US letter folded in three (panels of 93.1 mm) has room to slide in a #10 envelope
(104.8 x 241.3 mm): 25.4 mm to the side, and its upper edge lies 1.5 to 10.2 mm below
the envelope's. So each window has a part of the sheet that always shows, in which an
address must lie, and a part that may show, in which nothing else may be. Window places
are those of the makers' drawings, in inches from the envelope's lower left corner.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from reportlab.pdfbase.ttfonts import TTFont

from pmp import settings
from pmp.deliveries import address_block
from pmp.deliveries.address_block import AddressFault, Block

__all__ = [
    "ENVELOPES",
    "AddressFault",
    "Area",
    "Block",
    "Envelope",
    "Window",
    "block",
    "current",
    "shown",
    "width",
]

INCH = 25.4
POINT = INCH / 72
ENVELOPE_HEIGHT = 4.125 * INCH
SIDEWAYS = 25.4
HIGHEST, LOWEST = 1.5, 10.2
FONT = Path(__file__).parent / "fonts" / "DejaVuSansCondensed.ttf"
ADDRESS_POINTS = 9.0
SENDER_POINTS = (8.5, 8.0, 7.5, 7.0, 6.5)
MOST_SENDER_LINES = 4


@dataclass(frozen=True)
class Area:
    """A part of a sheet, in millimetres from its upper left corner."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Window:
    """A window, in inches from the envelope's lower left corner."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def always(self) -> Area:
        """The part of the sheet that shows however the sheet lies."""
        placed = self._placed
        return Area(
            placed.left,
            placed.top - HIGHEST,
            placed.right - SIDEWAYS,
            placed.bottom - LOWEST,
        )

    @property
    def ever(self) -> Area:
        """The part of the sheet that may show."""
        placed = self._placed
        return Area(
            max(0.0, placed.left - SIDEWAYS),
            placed.top - LOWEST,
            placed.right,
            placed.bottom - HIGHEST,
        )

    @property
    def _placed(self) -> Area:
        top = ENVELOPE_HEIGHT - (self.bottom + self.height) * INCH
        left = self.left * INCH
        return Area(left, top, left + self.width * INCH, top + self.height * INCH)


@dataclass(frozen=True)
class Envelope:
    """An envelope, and where what shows in it stands on the sheet, in millimetres."""

    name: str
    address: Window
    sender: Window | None
    to_left: float
    to_top: float
    to_width: float
    sender_left: float
    sender_top: float
    sender_width: float
    mark_left: float  # of the 2-D code, which shows in a window too
    mark_top: float
    body_top: float  # nothing of the text stands above it

    @property
    def sender_points(self) -> float:
        """The size of the sender's lines: the largest in which they fit."""
        lines = settings.current().office_lines.splitlines()
        return next(
            (
                points
                for points in SENDER_POINTS
                if all(width(line, points) <= self.sender_width for line in lines)
            ),
            SENDER_POINTS[-1],
        )


MARK = 10.0  # side of the 2-D code
ENVELOPES = {
    "double10": Envelope(
        name="double10",
        address=Window(0.625, 1.0, 4.0, 1.0),
        sender=Window(0.625, 2.375, 3.25, 0.875),
        to_left=19.1,
        to_top=52.8,
        to_width=72.0,
        sender_left=31.3,
        sender_top=20.6,
        sender_width=41.5,
        mark_left=19.1,
        mark_top=21.2,
        body_top=88.0,
    ),
    "single10": Envelope(
        name="single10",
        address=Window(0.875, 0.5, 4.5, 1.125),
        sender=None,
        to_left=23.2,
        to_top=62.8,
        to_width=72.0,
        sender_left=19.1,
        sender_top=14.0,
        sender_width=86.0,
        mark_left=99.0,
        mark_top=63.2,
        body_top=92.5,
    ),
}


def current() -> Envelope:
    """Give the envelope that the office uses, by the settings."""
    return ENVELOPES[settings.current().envelope]


def width(text: str, points: float) -> float:
    """Measure a line in our font, in millimetres."""
    return float(_font().stringWidth(text, points)) * POINT


def block(address: str) -> Block:
    """Bring an address into the form that stands in the window; AddressFault if not."""
    room = current().to_width
    return address_block.block(
        address,
        fits=lambda line: width(line, ADDRESS_POINTS) <= room,
        prints=_has_glyph,
    )


def shown(lines: list[str]) -> list[str]:
    """Give the lines that a template prints in the window.

    Those of the post, or the ones given where they cannot be brought into its form: a
    fax may go out with them, a letter may not.
    """
    try:
        return list(block("\n".join(lines)).lines)
    except AddressFault:
        return lines


def _has_glyph(sign: str) -> bool:
    capital = ord(sign.upper()[0])
    return sign.isprintable() and capital in _font().face.charToGlyph


@lru_cache(maxsize=1)
def _font() -> TTFont:
    return TTFont("windows", str(FONT))
