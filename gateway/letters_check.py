"""Does a letter fit its envelope? Read back from the PDF, not hoped for.

A US letter folded in three shows through the two windows of a #10 envelope: the
sender's lines above, the recipient's below. The paper shifts inside, so only what is
always visible counts, and nothing else may come near the lower window. Places are in
millimetres from the top left of the sheet; the windows are those of the usual #10
double-window envelope (7/8 x 3 1/4 and 1 x 4 inches).
"""

from itertools import pairwise

from gateway import pages
from gateway.pages import TextBox

MARGIN = 12.0
PAGE_WIDTH, PAGE_HEIGHT = 215.9, 279.4
WINDOW_LEFT, WINDOW_RIGHT = 18.0, 110.0
ADDRESS_TOP, ADDRESS_BOTTOM = 50.5, 71.0
AROUND_TOP, AROUND_BOTTOM = 40.0, 84.0
AROUND_RIGHT = 120.0
LINE = 1.5
FEWEST_LINES, MOST_LINES = 2, 5


def problems(body: bytes) -> list[str]:
    """Say what would be wrong with a letter in its envelope; none: it fits."""
    boxes = [box for box in pages.text_boxes(body) if box.text.strip()]
    found = []
    address = [box for box in boxes if _in_window(box)]
    lines = _lines(address)
    if not FEWEST_LINES <= lines <= MOST_LINES:
        found.append(f"The address has {lines} lines in the window, not 2 to 5.")
    if any(_near_window(box) and not _in_window(box) for box in boxes):
        found.append("Something beside the address would show in the window.")
    if any(_outside(box) for box in boxes):
        found.append("Something is too near the edge of the paper.")
    return found


def _lines(boxes: list[TextBox]) -> int:
    """Count the lines: runs of text on one line differ a little in height."""
    middles = sorted((box.top + box.bottom) / 2 for box in boxes)
    new = [True, *(low - high > LINE for high, low in pairwise(middles))]
    return sum(new[: len(middles)])


def _in_window(box: TextBox) -> bool:
    across = box.left >= WINDOW_LEFT and box.right <= WINDOW_RIGHT
    return across and box.top >= ADDRESS_TOP and box.bottom <= ADDRESS_BOTTOM


def _near_window(box: TextBox) -> bool:
    beside = box.bottom < AROUND_TOP or box.top > AROUND_BOTTOM
    return not beside and box.left < AROUND_RIGHT


def _outside(box: TextBox) -> bool:
    across = box.left < MARGIN or box.right > PAGE_WIDTH - MARGIN
    return across or box.top < MARGIN or box.bottom > PAGE_HEIGHT - MARGIN
