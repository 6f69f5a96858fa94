"""A slice of `bench decode`: our papers after a simulated fax, with the same noise.

The whole of it, a thousand pages of each, is `python -m bench decode`.
"""

import pytest
import zxingcpp
from PIL import Image

from bench import decode
from bench._fax_noise import MILLIMETRE, PAPER

SEEDS = range(4)
CLEAR = 4.7 * MILLIMETRE  # 5 mm, less what is lost where an edge falls between dots


@pytest.mark.parametrize("paper", decode.PAPERS)
@pytest.mark.parametrize("line", decode.LINES)
def test_our_papers_are_read_after_a_bad_fax(paper: str, line: str) -> None:
    found = decode.tally(paper, line, SEEDS)

    assert found.read == len(SEEDS), found.missed
    assert found.wrong == 0


@pytest.mark.parametrize("paper", decode.PAPERS)
def test_what_comes_back_has_its_code_three_times_clear_of_all_else(paper: str) -> None:
    code, sheet = decode.drawn(paper, 0)

    found = sorted(zxingcpp.read_barcodes(sheet), key=lambda each: each.format.name)

    assert [each.text for each in found] == [code] * 3
    bars, low, top = found
    assert [each.format.name for each in found] == ["Code128", "QRCode", "QRCode"]
    assert abs(middle(low)[1] - middle(top)[1]) > sheet.height / 2
    for symbol in found:
        assert is_clear(sheet, symbol, above=symbol is not bars)


def middle(symbol: zxingcpp.Barcode) -> tuple[float, float]:
    left, upper, right, lower = box(symbol)
    return (left + right) / 2, (upper + lower) / 2


def box(symbol: zxingcpp.Barcode) -> tuple[int, int, int, int]:
    place = symbol.position
    corners = (place.top_left, place.top_right, place.bottom_left, place.bottom_right)
    across, down = [each.x for each in corners], [each.y for each in corners]
    return min(across), min(down), max(across), max(down)


def is_clear(sheet: Image.Image, symbol: zxingcpp.Barcode, *, above: bool) -> bool:
    """Tell whether all is white at a symbol's sides; if asked, above and below it."""
    left, upper, right, lower = box(symbol)
    far = round(CLEAR)
    around = [
        (left - far, upper, left - 2, lower),
        (right + 3, upper, right + far, lower),
    ]
    if above:
        around += [
            (left - far, upper - far, right + far, upper - 2),
            (left - far, lower + 3, right + far, lower + far),
        ]
    return all(sheet.crop(each).getextrema() == (PAPER, PAPER) for each in around)


@pytest.mark.parametrize(
    "text", ["RPL-00000-00000", "DUE-00000-00000", "FXT-0000-0000"]
)
def test_what_is_not_on_the_page_would_be_told(text: str) -> None:
    assert decode.counts_as_code(text)
    assert not decode.counts_as_code(f"{text[:-1]}1")
    assert not decode.counts_as_code(f"USP{text[3:]}")
    assert not decode.counts_as_code(f"{text}0")


def test_an_address_is_no_code() -> None:
    assert not decode.counts_as_code("https://example.org")
