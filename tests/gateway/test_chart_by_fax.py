"""The timeline after a standard fax: 204 dots across, 98 lines down, black or white."""

import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from gateway import documents, fax_check, pages
from pmp import chart
from pmp.chart import CLASSES, Bar, Points
from pmp.mme import Step

SINCE, UNTIL = date(2026, 1, 1), date(2026, 11, 23)
MILLIMETRES_A_UNIT = 177 / chart.WIDTH
LEFT = 19  # the page's margin
MILLIMETRES_AN_INCH = 25.4
HALF_A_BAR = 4  # lines; a bar is thirteen tall


def drawn(drug_class: str) -> str:
    """Draw one fill of a class: for all classes at the same place."""
    return chart.svg(
        Points(
            since=SINCE,
            until=UNTIL,
            bars=[Bar("DRUG", drug_class, date(2026, 3, 2), 120)],
            steps=[Step(SINCE, UNTIL, Decimal(0), at_least=False)],
            now=Decimal(0),
            peak=Decimal(0),
            peak_on=None,
        )
    )


def sheet(svg: str) -> bytes:
    source = (
        "<html><head><style>@page { size: letter; margin: 16mm 19mm; }</style></head>"
        f'<body><p><img src="{documents.svg_uri(svg)}" style="width: 177mm"/></p>'
        "</body></html>"
    )
    return documents.drawn("chart", source)


def faxed(body: bytes) -> Image.Image:
    return Image.open(io.BytesIO(fax_check.as_fax(body)))


def bar_of(drug_class: str) -> Image.Image:
    """Cut the inside of the bar out of the faxed page."""
    svg = drawn(drug_class)
    body = sheet(svg)
    [label] = [box for box in pages.text_boxes(body) if box.text.strip() == "DRUG"]
    middle = (label.top + label.bottom) / 2 * fax_check.LINES_PER_INCH
    line = round(middle / MILLIMETRES_AN_INCH)
    left, right = (
        round(
            (LEFT + x * MILLIMETRES_A_UNIT) * pages.DOTS_PER_INCH / MILLIMETRES_AN_INCH
        )
        for x in _ends(svg)
    )
    box = (left + 6, line - HALF_A_BAR, right - 6, line + HALF_A_BAR)
    return faxed(body).convert("L").crop(box)


def _ends(svg: str) -> tuple[float, float]:
    root = ET.fromstring(svg)  # noqa: S314 - our own drawing
    bars = (each for each in root.iter() if each.tag.endswith("rect"))
    bar = next(each for each in bars if each.get("stroke") == "black")
    left = float(bar.attrib["x"])
    return left, left + float(bar.attrib["width"])


def ink(picture: Image.Image) -> float:
    dots = picture.tobytes()
    return dots.count(0) / len(dots)


@pytest.fixture(scope="module")
def bars() -> dict[str, Image.Image]:
    return {name: bar_of(name) for name in CLASSES}


def test_each_class_has_its_own_share_of_ink(bars: dict[str, Image.Image]) -> None:
    shares = {name: ink(bar) for name, bar in bars.items()}

    assert shares["opioid"] == 1
    assert shares["other"] == 0
    between = [
        share for name, share in shares.items() if name not in {"opioid", "other"}
    ]
    assert all(0.04 < share < 0.8 for share in between), shares


def test_no_two_classes_look_alike(bars: dict[str, Image.Image]) -> None:
    for one, other in combinations(CLASSES, 2):
        pairs = list(zip(bars[one].tobytes(), bars[other].tobytes(), strict=True))
        differing = sum(a != b for a, b in pairs) / len(pairs)
        assert differing > 0.06, f"{one} and {other}: {differing:.3f}"


def _runs(bar: Image.Image) -> Iterator[int]:
    """Give how often ink and paper change on each line of a bar."""
    for y in range(bar.height):
        row = bar.crop((0, y, bar.width, y + 1)).tobytes()
        yield sum(a != b for a, b in pairwise(row))


def test_strokes_stay_apart_and_do_not_run_into_one_grey(
    bars: dict[str, Image.Image],
) -> None:
    for name in ("benzodiazepine", "sedative", "buprenorphine"):
        assert max(_runs(bars[name])) >= 20, name
    assert max(_runs(bars["stimulant"])) >= 10
    assert max(_runs(bars["gabapentinoid"])) == 0


def test_a_full_chart_leaves_no_word_touching_another() -> None:
    """Words are told apart by their boxes on the page; none overlaps another."""
    bars = [
        Bar(f"{name.upper()} HYDROCHLORIDE-NALOXONE {n} MG TAB", name, SINCE, 30)
        for n, name in enumerate(CLASSES)
    ]
    svg = chart.svg(
        Points(
            since=SINCE,
            until=UNTIL,
            bars=bars,
            steps=[Step(SINCE, UNTIL, Decimal(400), at_least=True)],
            now=Decimal(400),
            peak=Decimal(400),
            peak_on=SINCE,
            at_least=True,
        )
    )
    boxes = pages.text_boxes(sheet(svg))

    for one, other in combinations(boxes, 2):
        apart = (
            one.right <= other.left
            or other.right <= one.left
            or one.bottom <= other.top
            or other.bottom <= one.top
        )
        assert apart, f"{one.text} touches {other.text}"
    assert len(boxes) > 20
