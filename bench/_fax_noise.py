"""What a pen, a scanner and a telephone line do to a page: a simulated standard fax.

A page is drawn at 300 dots an inch, written on, blurred by the lens, put askew on the
glass, scanned at 204 dots across and 98 lines down by a lamp that is not even, made
black and white, and sent through Group 3.  Seeded, so that a page that was not read can
be looked at again.  The model and its figures are our own; no real faxes were at hand.
"""

import io
import math
import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

DRAWN_DOTS_PER_INCH = 300
DOTS, LINES = 1728, 1078
ACROSS, DOWN = 204, 98
SEEN = (DOTS, LINES * 2)
"""A letter page as the scanner's own dots see it, before every second line is left."""

MILLIMETRES_AN_INCH = 25.4
MILLIMETRE = DRAWN_DOTS_PER_INCH / MILLIMETRES_AN_INCH
PAPER, INK = 255, 0
TALLEST_SPECK = 3
SIDES = 0.12  # of the width: where pens and thumbs are, left and right of the words


@dataclass(frozen=True)
class Line:
    """How badly a fax comes through: the greatest of each fault, or how often it is."""

    skew: float = 3  # degrees to either side
    upside_down: float = 0.05
    scribbles: tuple[int, int] = (1, 5)
    over_the_symbols: bool = False
    blur: tuple[float, float] = (0.05, 0.13)  # millimetres
    noise: int = 24  # shades
    threshold: tuple[int, int] = (95, 165)
    specks: int = 300
    streaked: float = 0.15
    lost_lines: float = 0.004


NORMAL = Line()
HARSH = Line(
    skew=6,
    upside_down=0.15,
    scribbles=(6, 16),
    over_the_symbols=True,
    blur=(0.10, 0.22),
    noise=48,
    threshold=(80, 180),
    specks=1200,
    streaked=0.50,
    lost_lines=0.02,
)


def faxed(sheet: Image.Image, line: Line, *, seed: int) -> bytes:
    """Give a grey page of 300 dots an inch as the TIFF that arrives, in Group 3."""
    chance = random.Random(seed)  # noqa: S311 - dirt, not a secret
    page = _written_on(sheet.convert("L"), line, chance)
    page = page.resize(SEEN, Image.Resampling.BOX)
    blur = chance.uniform(*line.blur) * ACROSS / MILLIMETRES_AN_INCH
    page = page.filter(ImageFilter.GaussianBlur(blur))
    page = _on_the_glass(page, line, chance)
    page = _lit(page, line, chance)
    cut = chance.randint(*line.threshold)
    page = page.point(lambda shade: PAPER if shade >= cut else INK)
    page = _sent(_dirty(page, line, chance), line, chance)
    written = io.BytesIO()
    page.convert("1").save(written, "TIFF", compression="group3", dpi=(ACROSS, DOWN))
    return written.getvalue()


def _written_on(page: Image.Image, line: Line, chance: random.Random) -> Image.Image:
    """Write with a pen: a signature, notes, a ring around something."""
    page = page.copy()
    pen = ImageDraw.Draw(page)
    for _ in range(chance.randint(*line.scribbles)):
        pen.line(
            _stroke(page.size, line, chance),
            fill=chance.randint(0, 90),
            width=round(chance.uniform(0.3, 1.0) * MILLIMETRE),
            joint="curve",
        )
    return page


def _stroke(
    size: tuple[int, int], line: Line, chance: random.Random
) -> list[tuple[float, float]]:
    """Draw one stroke; where symbols are spared, in the page's middle, as people do."""
    width, height = size
    if line.over_the_symbols:
        x, y = chance.uniform(0, width), chance.uniform(0, height)
    else:
        x = chance.uniform(width * SIDES, width * 0.6)
        y = chance.uniform(height * 0.3, height * 0.7)
    angle, points = chance.uniform(0, 2 * math.pi), [(x, y)]
    for _ in range(chance.randint(4, 20)):
        angle += chance.gauss(0, 0.9)
        x += math.cos(angle) * 4 * MILLIMETRE
        y += math.sin(angle) * 3 * MILLIMETRE
        points.append((x, y))
    return points


def _on_the_glass(page: Image.Image, line: Line, chance: random.Random) -> Image.Image:
    """Lay it askew, perhaps upside down; the rollers pull it a little longer."""
    degrees = chance.uniform(-line.skew, line.skew)
    if chance.random() < line.upside_down:
        degrees += 180
    page = page.rotate(degrees, resample=Image.Resampling.BILINEAR, fillcolor=PAPER)
    scale = chance.uniform(0.96, 1.02)
    pulled = scale * chance.uniform(0.985, 1.015)
    width, height = round(DOTS * scale), round(LINES * pulled)
    shrunk = page.resize((width, height), Image.Resampling.BOX)
    glass = Image.new("L", (DOTS, LINES), PAPER)
    glass.paste(shrunk, ((DOTS - width) // 2, (LINES - height) // 2))
    return glass


def _lit(page: Image.Image, line: Line, chance: random.Random) -> Image.Image:
    """Light it by a lamp that is darker at one side, and read it with noise."""
    lamp = Image.linear_gradient("L").rotate(chance.choice((0, 90, 180, 270)))
    depth = chance.uniform(0, 45)
    lamp = lamp.point(lambda shade: round(PAPER - depth * shade / PAPER))
    page = ImageChops.multiply(page, lamp.resize(page.size))
    for _ in range(2):  # two even noises together make a peaked one
        dots = chance.randbytes(page.size[0] * page.size[1])
        grain = Image.frombytes("L", page.size, dots)
        grain = grain.point(lambda shade: shade * line.noise // PAPER)
        page = ImageChops.add(page, grain, 1, -line.noise // 2)
    return page


def _dirty(page: Image.Image, line: Line, chance: random.Random) -> Image.Image:
    """Put specks of dust on it, and streaks down it: dirt on the glass."""
    pen, (width, height) = ImageDraw.Draw(page), page.size
    for _ in range(chance.randint(0, line.specks)):
        x, y = chance.randrange(width), chance.randrange(height)
        wide, high = chance.randint(0, 4), chance.randint(0, TALLEST_SPECK - 1)
        pen.rectangle((x, y, x + wide, y + high), chance.choice((INK, INK, PAPER)))
    if chance.random() < line.streaked:
        for _ in range(chance.randint(1, 3)):
            x = chance.randrange(width)
            pen.line((x, 0, x, height), INK, chance.randint(1, 4))
    return page


def _sent(page: Image.Image, line: Line, chance: random.Random) -> Image.Image:
    """Send it line by line; one that is lost is the one before it again."""
    width, height = page.size
    rows: list[bytes] = []
    packed = page.tobytes()
    for number in range(height):
        lost = rows and chance.random() < line.lost_lines * chance.random() * 2
        row = packed[number * width : (number + 1) * width]
        rows.append(rows[-1] if lost else row)
    return Image.frombytes("L", page.size, b"".join(rows))
