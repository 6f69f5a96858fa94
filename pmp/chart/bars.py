"""Bars of counts by month or year, in patterns besides colours, as SVG text.

Pure: names and counts in, SVG out, by presentation attributes alone. Patterns are drawn
line by line, since PDF renderers do not draw SVG's own. A hidden count is not drawn,
and a star stands over its bar.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count

WIDTH = 640
_LEFT, _RIGHT, _TOP, _FLOOR = 52, 632, 26, 210
_LEGEND, _LEGEND_STEP, _LEGEND_COLUMNS = 246, 20, 3
_SHARE = 0.66  # of a bar's room, that it takes
_TEXT = 12
_SPACING = 5
_INK = "#1a1f24"


@dataclass(frozen=True)
class Series:
    """One kind of what is counted; None where a count is hidden."""

    name: str
    counts: Sequence[int | None]


@dataclass(frozen=True)
class _Box:
    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height


def svg(
    names: Sequence[str], series: Sequence[Series], *, title: str, stacked: bool = True
) -> str:
    """Draw a bar for each name: the series upon each other, or side by side."""
    most = _most(series, len(names), stacked=stacked)
    rows = -(-len(series) // _LEGEND_COLUMNS)
    height = _LEGEND + _LEGEND_STEP * rows
    parts = [*_axis(most), *_bars(names, series, most, stacked=stacked)]
    parts += _legend(series)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' width="{WIDTH}" height="{height}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )


def _most(series: Sequence[Series], bars: int, *, stacked: bool) -> int:
    """Give the round number at which the scale ends."""
    heights = [[each.counts[number] or 0 for each in series] for number in range(bars)]
    together = [sum(each) if stacked else max(each, default=0) for each in heights]
    most = max(together, default=0)
    steps = (step * int(10**power) for power in count() for step in (1, 2, 5))
    return next(step for step in steps if step >= max(most, 1))


def _axis(most: int) -> Iterator[str]:
    for part in (0.0, 0.5, 1.0):
        value, y = most * part, _FLOOR - (_FLOOR - _TOP) * part
        color = _INK if part == 0 else "#8a949e"
        yield (
            f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_RIGHT}" y2="{y:.1f}"'
            f' stroke="{color}" stroke-width="1"/>'
        )
        if value == int(value):
            yield _words(_LEFT - 6, y + 4, f"{int(value):,}", anchor="end")


def _bars(
    names: Sequence[str], series: Sequence[Series], most: int, *, stacked: bool
) -> Iterator[str]:
    room = (_RIGHT - _LEFT) / max(len(names), 1)
    scale = (_FLOOR - _TOP) / most
    for number, name in enumerate(names):
        width = room * _SHARE / (1 if stacked else max(len(series), 1))
        left, top = _LEFT + room * number + room * (1 - _SHARE) / 2, float(_FLOOR)
        highest = top
        for index, each in enumerate(series):
            high = (each.counts[number] or 0) * scale
            base = top if stacked else float(_FLOOR)
            start = left if stacked else left + width * index
            if high:
                yield from _filled(_Box(start, base - high, width, high), index)
            top = base - high
            highest = min(highest, top)
        middle = _LEFT + room * (number + 0.5)
        if any(each.counts[number] is None for each in series):
            yield _words(middle, highest - 4, "*")
        yield _words(middle, _FLOOR + 16, name.split(" ")[0])


def _legend(series: Sequence[Series]) -> Iterator[str]:
    room = (_RIGHT - _LEFT) / _LEGEND_COLUMNS
    for index, each in enumerate(series):
        x = _LEFT + room * (index % _LEGEND_COLUMNS)
        y = _LEGEND + _LEGEND_STEP * (index // _LEGEND_COLUMNS)
        yield from _filled(_Box(x, y - 11, 18, 13), index)
        yield _words(x + 24, y, each.name, anchor="start")


def _filled(box: _Box, index: int) -> Iterator[str]:
    fill, pattern = _LOOKS[index % len(_LOOKS)]
    yield (
        f'<rect x="{box.left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}"'
        f' height="{box.height:.1f}" fill="{fill}" stroke="{_INK}" stroke-width="1"/>'
    )
    if lines := " ".join(pattern(box)):
        yield f'<path d="{lines}" stroke="{_INK}" stroke-width="1.2" fill="none"/>'


def _words(x: float, y: float, words: str, *, anchor: str = "middle") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{_TEXT}" text-anchor="{anchor}"'
        f' font-family="sans-serif" fill="{_INK}">{escape(words)}</text>'
    )


def _plain(_: _Box) -> Iterator[str]:
    return iter(())


def _rising(box: _Box) -> Iterator[str]:
    foot = box.left - box.height
    while foot < box.right:
        begin, end = max(foot, box.left), min(foot + box.height, box.right)
        if begin < end:
            low, up = box.bottom - (begin - foot), box.bottom - (end - foot)
            yield f"M{begin:.1f} {low:.1f}L{end:.1f} {up:.1f}"
        foot += _SPACING


def _falling(box: _Box) -> Iterator[str]:
    head = box.left - box.height
    while head < box.right:
        begin, end = max(head, box.left), min(head + box.height, box.right)
        if begin < end:
            up, low = box.top + (begin - head), box.top + (end - head)
            yield f"M{begin:.1f} {up:.1f}L{end:.1f} {low:.1f}"
        head += _SPACING


def _crossed(box: _Box) -> Iterator[str]:
    yield from _rising(box)
    yield from _falling(box)


def _level(box: _Box) -> Iterator[str]:
    y = box.bottom - _SPACING
    while y > box.top:
        yield f"M{box.left:.1f} {y:.1f}H{box.right:.1f}"
        y -= _SPACING


def _upright(box: _Box) -> Iterator[str]:
    x = box.left + _SPACING
    while x < box.right:
        yield f"M{x:.1f} {box.top:.1f}V{box.bottom:.1f}"
        x += _SPACING


_LOOKS: tuple[tuple[str, Callable[[_Box], Iterator[str]]], ...] = (
    ("#12385b", _plain),
    ("#ffffff", _rising),
    ("#c9d8e6", _plain),
    ("#ffffff", _crossed),
    ("#f3d9a4", _level),
    ("#ffffff", _upright),
    ("#e3b7b0", _falling),
    ("#ffffff", _plain),
    ("#b7d3b3", _crossed),
)
