"""Bars of how many messages arrived and how many did not, day by day, as SVG text.

Pure: days in, SVG out, by presentation attributes alone. What did not arrive is
hatched and stands upon what did, so that the two differ in black and white too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

WIDTH, HEIGHT = 300, 132
_LEFT, _RIGHT, _TOP, _FLOOR = 6, 294, 22, 108
_SHARE = 0.62  # of a day's room, that its bar takes
_TEXT = 11
_SPACING = 5


@dataclass(frozen=True)
class Day:
    """A day, and how many messages ended on it: those that arrived, those that not."""

    day: date
    arrived: int
    failed: int


def svg(days: Sequence[Day], *, title: str) -> str:
    """Draw a bar for each day, all on one scale; `title` is what it is called."""
    most = max((day.arrived + day.failed for day in days), default=0)
    room = (_RIGHT - _LEFT) / max(len(days), 1)
    parts = [
        part
        for number, day in enumerate(days)
        for part in _bar(day, _LEFT + room * number, room, most)
    ]
    floor = (
        f'<line x1="{_LEFT}" y1="{_FLOOR}" x2="{_RIGHT}" y2="{_FLOOR}"'
        ' stroke="#1a1f24" stroke-width="1"/>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}{floor}</svg>"
    )


def _bar(day: Day, left: float, room: float, most: int) -> Iterator[str]:
    width = room * _SHARE
    start, middle = left + (room - width) / 2, left + room / 2
    total = day.arrived + day.failed
    high = (_FLOOR - _TOP) / most if most else 0.0
    top_of_arrived = _FLOOR - high * day.arrived
    top = top_of_arrived - high * day.failed
    if day.arrived:
        yield _box(start, top_of_arrived, width, _FLOOR - top_of_arrived, "#12385b")
    if day.failed:
        yield _box(start, top, width, top_of_arrived - top, "#fff")
        yield _hatched(start, top, width, top_of_arrived)
    if total:
        words = f"{total:,}" if not day.failed else f"{day.failed:,}/{total:,}"
        yield _words(middle, top - 4, words)
    yield _words(middle, _FLOOR + 14, f"{day.day:%a}")


def _box(x: float, y: float, width: float, height: float, fill: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        f' fill="{fill}" stroke="#1a1f24" stroke-width="1"/>'
    )


def _hatched(left: float, top: float, width: float, bottom: float) -> str:
    """Draw rising lines within a box: SVG's own patterns do not print everywhere."""
    lines = []
    foot = left - (bottom - top)
    while foot < left + width:
        begin, end = max(foot, left), min(foot + bottom - top, left + width)
        if begin < end:
            low, up = bottom - (begin - foot), bottom - (end - foot)
            lines.append(f"M{begin:.1f} {low:.1f}L{end:.1f} {up:.1f}")
        foot += _SPACING
    return f'<path d="{" ".join(lines)}" stroke="#a61b0b" stroke-width="1.5"/>'


def _words(x: float, y: float, words: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{_TEXT}" text-anchor="middle"'
        f' font-family="sans-serif" fill="#1a1f24">{escape(words)}</text>'
    )
