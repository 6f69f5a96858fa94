"""Does a letter fit its envelope? Read back from the PDF, not hoped for.

The recipient's lines must lie where the window always shows them and say what the
delivery's address says; nothing else may lie where the window may show it. So must the
sender's, where the envelope has a window for them. Places are in millimetres from the
top left of the sheet, from gateway.windows.
"""

from itertools import pairwise

from gateway import pages, windows
from gateway.pages import TextBox
from gateway.windows import AddressFault, Area
from pmp import settings
from pmp.deliveries.address_block import FEWEST_LINES, MOST_LINES

MARGIN = 12.0
PAPER = Area(MARGIN, MARGIN, 215.9 - MARGIN, 279.4 - MARGIN)
SLACK = 0.3  # a letter's ink may reach so far beyond its line
LINE = 1.5


def problems(body: bytes, *, address: str = "", mark: str = "") -> list[str]:
    """Say what would be wrong with a letter in its envelope; none: it fits.

    `address` is whom it is for: the window must show nobody else. `mark` is the text
    under the letter's own 2-D code, which may show.
    """
    boxes = [box for box in _boxes(body, 1) if box.text.strip() != mark]
    found = [*_recipient(boxes, address), *_sender(boxes)]
    sheets = [boxes, *(_boxes(body, page) for page in range(2, _sheets(body) + 1))]
    if any(not _inside(box, PAPER) for sheet in sheets for box in sheet):
        found.append("Something is too near the edge of the paper.")
    return found


def misplaced(body: bytes, *, address: str) -> bool:
    """Tell whether the first page would not show its address in today's window."""
    boxes = _boxes(body, 1)
    return bool(_recipient(boxes, address) or _sender(boxes))


def _recipient(boxes: list[TextBox], address: str) -> list[str]:
    window = windows.current().address
    lines = _lines([box for box in boxes if _inside(box, window.always)])
    found = []
    if not FEWEST_LINES <= len(lines) <= MOST_LINES:
        found.append(f"The address has {len(lines)} lines in the window, not 2 to 5.")
    elif address and lines != _expected(address):
        found.append("The window shows another address than the delivery's.")
    if _strays(boxes, window):
        found.append("Something beside the address would show in the window.")
    return found


def _sender(boxes: list[TextBox]) -> list[str]:
    window = windows.current().sender
    if window is None:
        return []
    lines = _lines([box for box in boxes if _inside(box, window.always)])
    ours = settings.current().office_lines.splitlines()
    if lines == [_plain(line) for line in ours] and not _strays(boxes, window):
        return []
    return ["The upper window would not show the sender's lines, and them alone."]


def _strays(boxes: list[TextBox], window: windows.Window) -> bool:
    """Tell whether something may show in a window that does not always show."""
    return any(
        _touches(box, window.ever) and not _inside(box, window.always) for box in boxes
    )


def _expected(address: str) -> list[str]:
    try:
        return [_plain(line) for line in windows.block(address).lines]
    except AddressFault:
        return []


def _lines(boxes: list[TextBox]) -> list[str]:
    """Put runs of text into lines, without blanks: runs differ a little in height."""
    ordered = sorted(boxes, key=_middle)
    lines = [ordered[:1]] if ordered else []
    for above, box in pairwise(ordered):
        if _middle(box) - _middle(above) > LINE:
            lines.append([])
        lines[-1].append(box)
    return [
        _plain("".join(box.text for box in sorted(line, key=lambda box: box.left)))
        for line in lines
    ]


def _plain(text: str) -> str:
    return "".join(text.split())


def _middle(box: TextBox) -> float:
    return (box.top + box.bottom) / 2


def _inside(box: TextBox, area: Area) -> bool:
    across = box.left >= area.left - SLACK and box.right <= area.right + SLACK
    return across and box.top >= area.top - SLACK and box.bottom <= area.bottom + SLACK


def _touches(box: TextBox, area: Area) -> bool:
    across = box.left < area.right and box.right > area.left
    return across and box.top < area.bottom and box.bottom > area.top


def _boxes(body: bytes, page: int) -> list[TextBox]:
    return [box for box in pages.text_boxes(body, page) if box.text.strip()]


def _sheets(body: bytes) -> int:
    return pages.pages(body, "application/pdf")
