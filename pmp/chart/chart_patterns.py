"""The patterns that tell drug classes apart in black and white, as SVG elements.

Pure. A pattern is drawn line by line, because fax and PDF renderers do not draw SVG's
own patterns. Lines lie on one grid, so that bars that overlap do not blur each other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

HEIGHT = 10.0
_SPACING = 5.0


@dataclass(frozen=True)
class Box:
    """A bar from `left` to `right` whose upper edge is at `top`; HEIGHT units tall."""

    left: float
    right: float
    top: float

    @property
    def bottom(self) -> float:
        return self.top + HEIGHT


def draw(drug_class: str, box: Box) -> str:
    """Draw a bar in the pattern of a class; an unknown one is open."""
    filled = drug_class == "opioid"
    outline = (
        f'<rect x="{box.left:g}" y="{box.top:g}" width="{box.right - box.left:.4g}"'
        f' height="{HEIGHT:g}" fill="{"black" if filled else "white"}" stroke="black"'
        ' stroke-width="1"/>'
    )
    lines = " ".join(_INSIDE.get(drug_class, _nothing)(box))
    inside = f'<path d="{lines}" stroke="black" stroke-width="1" fill="none"/>'
    return outline + inside if lines else outline


def _nothing(_: Box) -> Iterator[str]:
    return iter(())


def _grid(start: float, end: float, spacing: float) -> Iterator[float]:
    step = int(start // spacing)
    while step * spacing < end:
        yield step * spacing
        step += 1


def _rising(box: Box, spacing: float = _SPACING) -> Iterator[str]:
    for foot in _grid(box.left - HEIGHT, box.right, spacing):
        start, end = max(foot, box.left), min(foot + HEIGHT, box.right)
        if start < end:
            low, high = box.bottom - (start - foot), box.bottom - (end - foot)
            yield f"M{start:.5g} {low:.5g}L{end:.5g} {high:.5g}"


def _falling(box: Box, spacing: float = _SPACING) -> Iterator[str]:
    for head in _grid(box.left - HEIGHT, box.right, spacing):
        start, end = max(head, box.left), min(head + HEIGHT, box.right)
        if start < end:
            high, low = box.top + (start - head), box.top + (end - head)
            yield f"M{start:.5g} {high:.5g}L{end:.5g} {low:.5g}"


def _crossed(box: Box) -> Iterator[str]:
    yield from _rising(box)
    yield from _falling(box)


def _upright(box: Box) -> Iterator[str]:
    for x in _grid(box.left, box.right, 4.0):
        if x > box.left:
            yield f"M{x:.5g} {box.top:.5g}V{box.bottom:.5g}"


def _dotted(box: Box) -> Iterator[str]:
    middle = box.top + HEIGHT / 2
    for x in _grid(box.left, box.right, _SPACING):
        if box.left + 1 < x < box.right - 3:
            # Two strokes of one unit: a square that survives the coarsest fax.
            yield f"M{x:.5g} {middle - 0.5:.5g}h2M{x:.5g} {middle + 0.5:.5g}h2"


def _lengthwise(box: Box) -> Iterator[str]:
    middle = box.top + HEIGHT / 2
    yield f"M{box.left:.5g} {middle:.5g}H{box.right:.5g}"


_INSIDE: dict[str, Callable[[Box], Iterator[str]]] = {
    "benzodiazepine": _rising,
    "buprenorphine": _crossed,
    "sedative": _upright,
    "stimulant": _dotted,
    "gabapentinoid": _lengthwise,
}
