"""Is a document fit to leave the house? Read back from the PDF, not hoped for.

A renderer draws what it is told, over the edge of the paper and over other words if
need be. Nobody reads a fax before it goes, so it is read here: every word is on the
paper and none over another, every font is in the file, and no page is empty.
Places are in millimetres from the top left of the sheet.
"""

from collections.abc import Iterator

from gateway import pages
from gateway.pages import TextBox

# Fax machines and printers lose what is nearer to the edge.
MARGIN = 4.0
# Of two runs of text, so much of each other's ground is a fault: accents and the feet
# of letters meet those of the next line.
ACROSS, DOWN = 0.8, 1.0


def problems(body: bytes) -> list[str]:
    """Say what is wrong with a PDF, in words for staff; none: it may leave.

    The words name pages and places and quote nothing.
    """
    found = []
    for number, sheet in enumerate(pages.sheets(body), start=1):
        where = f"Page {number}"
        if not sheet.marks:
            found.append(f"{where} has nothing on it.")
        if any(_outside(box, sheet) for box in sheet.text):
            found.append(f"{where} has words over the edge of the paper.")
        for box in _covered(sheet.text):
            place = f"{box.top:.0f} mm from the top"
            found.append(f"{where} has words over others, {place}.")
        if sheet.foreign_fonts:
            found.append(f"{where} has words in a font that is not in the file.")
    return found


def _outside(box: TextBox, sheet: pages.Sheet) -> bool:
    across = box.left < MARGIN or box.right > sheet.width - MARGIN
    return across or box.top < MARGIN or box.bottom > sheet.height - MARGIN


def _covered(boxes: tuple[TextBox, ...]) -> Iterator[TextBox]:
    """Give the first run of text of each page that stands on another."""
    ordered = sorted(boxes, key=lambda box: box.top)
    for number, box in enumerate(ordered):
        for other in ordered[number + 1 :]:
            if other.top > box.bottom - DOWN:
                break
            across = min(box.right, other.right) - max(box.left, other.left)
            down = min(box.bottom, other.bottom) - other.top
            if across > ACROSS and down > DOWN:
                yield other
                return
