"""The one-look timeline of a patient's fills and MME, as SVG text.

Pure: points in, SVG out; the same drawing goes on the page, into a PDF and through a
fax. So: only rect, line, path and text with presentation attributes, black and white
only (a grey vanishes at one bit), lines of at least 1 unit, text of at least 8.5 units
on a page 540 units wide. A drug's class is told by its pattern, never by colour.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from html import escape

from pmp.chart import chart_patterns
from pmp.chart.chart_patterns import HEIGHT, Box
from pmp.mme import LIMITS, Limits, Step, shown

WIDTH = 540
MOST_DRUGS = 12
MOST_MONTHS = 24

_PLOT_LEFT = 160
_PLOT_RIGHT = 530
_TOP = 26
_ROW = 18
_MME_HEIGHT = 78
_LINE = 11  # from one line of text to the next
_TEXT = 9.5
_LABEL_WIDTH = 148
_MOST_LINES = 3
_CAUTION_DASH = "3 3"
_HIGH_DASH = "11 4"
# On paper the first: it is in the file. Both are about as wide.
_FONTS = "DejaVu Sans Condensed, Helvetica, Arial, sans-serif"
# Widths in them as a part of the text size, rounded up.
_CHARACTER = {"wide": 0.94, "upper": 0.73, "narrow": 0.34}
_DAY = timedelta(days=1)
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905
# From top to bottom.
CLASSES = (
    "opioid",
    "buprenorphine",
    "benzodiazepine",
    "sedative",
    "stimulant",
    "gabapentinoid",
    "other",
)


@dataclass(frozen=True)
class Bar:
    """One fill: the days it covers (`days` from `first`) in the row of its `drug`."""

    drug: str
    drug_class: str
    first: date
    days: int


@dataclass(frozen=True)
class Points:
    """All that one chart shows. `steps` are MME totals that cover since to until.

    `now`, `peak` and `peak_on` are written beside the line; `at_least` says that some
    fill's MME could not be calculated. `limits`, in MME a day, are dashed.
    """

    since: date
    until: date
    bars: Sequence[Bar]
    steps: Sequence[Step]
    now: Decimal
    peak: Decimal
    peak_on: date | None
    at_least: bool = False
    limits: Limits = LIMITS


def pages(points: Points) -> list[str]:
    """Draw everything, on as many charts as it takes, the latest months first.

    A chart holds at most 24 months and 12 drugs.
    """
    return [
        svg(part)
        for window in _windows(points)
        for part in _split_drugs(_within(points, *window))
    ]


def svg(points: Points) -> str:
    """Draw one chart; ValueError if it has more than 24 months or 12 drugs."""
    drugs = _drugs(points)
    if len(drugs) > MOST_DRUGS or _months_long(points) > MOST_MONTHS:
        raise ValueError("too much for one chart: use pages()")
    return _Drawing(points, drugs).text()


def _drugs(points: Points) -> list[tuple[str, str]]:
    """List (class, drug) for each row from top to bottom."""
    named = {(_known_class(bar.drug_class), bar.drug) for bar in points.bars}
    return sorted(named, key=lambda pair: (CLASSES.index(pair[0]), pair[1]))


def _known_class(name: str) -> str:
    return name if name in CLASSES else "other"


def _months_long(points: Points) -> int:
    months = (points.until.year - points.since.year) * 12
    return months + points.until.month - points.since.month


def _windows(points: Points) -> Iterator[tuple[date, date]]:
    last = points.until
    while last >= points.since:
        first = max(points.since, _months_before(last, MOST_MONTHS))
        yield first, last
        last = first - _DAY


def _months_before(day: date, months: int) -> date:
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, min(day.day, 28)) + _DAY


def _within(points: Points, first: date, last: date) -> Points:
    bars = [
        bar
        for bar in points.bars
        if bar.first <= last and bar.first + max(bar.days, 1) * _DAY > first
    ]
    steps = [step for step in points.steps if step.first <= last and step.last >= first]
    return replace(points, since=first, until=last, bars=bars, steps=steps)


def _split_drugs(points: Points) -> Iterator[Points]:
    drugs = _drugs(points)
    for start in range(0, max(len(drugs), 1), MOST_DRUGS):
        shown = {drug for _, drug in drugs[start : start + MOST_DRUGS]}
        yield replace(points, bars=[bar for bar in points.bars if bar.drug in shown])


class _Drawing:
    """Collects the elements of one chart; each part is placed below the one before."""

    def __init__(self, points: Points, drugs: list[tuple[str, str]]) -> None:
        self.points = points
        self.drugs = drugs
        self.parts: list[str] = []

    def text(self) -> str:
        labels = [_label_lines(drug) for _, drug in self.drugs]
        rows_end = _TOP + sum(map(_row_height, labels))
        has_mme = any(step.value or step.at_least for step in self.points.steps)
        plot_end = rows_end + (14 + _MME_HEIGHT if has_mme else 4)
        self._calendar(plot_end)
        self._rows(labels)
        if has_mme:
            self._mme(plot_end)
        self._axis(plot_end)
        height = self._legend(plot_end + 32, has_mme=has_mme) + 8
        words = escape(_in_words(self.points, self.drugs))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}"'
            f' width="{WIDTH}" height="{height:g}" role="img" aria-label="{words}">'
            f'<rect x="0" y="0" width="{WIDTH}" height="{height:g}" fill="white"/>'
            f"{''.join(self.parts)}</svg>"
        )

    def _x(self, day: date) -> float:
        whole = (self.points.until - self.points.since).days + 1
        days = min(max((day - self.points.since).days, 0), whole)
        return round(_PLOT_LEFT + (_PLOT_RIGHT - _PLOT_LEFT) * days / whole, 2)

    def _write(
        self,
        x: float,
        y: float,
        words: str,
        *,
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        weight = ' font-weight="bold"' if bold else ""
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" font-family="{_FONTS}"'
            f' font-size="{_TEXT:g}" fill="black" text-anchor="{anchor}"{weight}>'
            f"{escape(words)}</text>"
        )

    def _line(
        self, start: tuple[float, float], end: tuple[float, float], *, dash: str = ""
    ) -> None:
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<line x1="{start[0]:g}" y1="{start[1]:g}" x2="{end[0]:g}" y2="{end[1]:g}"'
            f' stroke="black" stroke-width="1"{dashes}/>'
        )

    def _calendar(self, bottom: float) -> None:
        firsts = list(_firsts_of_months(self.points.since, self.points.until))
        width = (_PLOT_RIGHT - _PLOT_LEFT) / max(_months_long(self.points), 1)
        every = next(step for step in (1, 2, 3, 6, 12) if width * step >= 22)
        for first in firsts:
            x = self._x(first)
            if (first.month - 1) % every == 0:
                self._line((x, _TOP - 2), (x, bottom), dash="1 4")
                if x < _PLOT_RIGHT - 18:
                    self._write(x + 2, _TOP - 5, _MONTHS[first.month - 1])
            if first.month == 1 and x < _PLOT_RIGHT - 24:
                self._write(x + 2, _TOP - 15, str(first.year), bold=True)
        if not any(first.month == 1 and self._x(first) < 190 for first in firsts):
            self._write(
                _PLOT_LEFT + 2, _TOP - 15, str(self.points.since.year), bold=True
            )

    def _rows(self, labels: Sequence[Sequence[str]]) -> None:
        y = float(_TOP)
        for (drug_class, drug), label in zip(self.drugs, labels, strict=True):
            height = _row_height(label)
            baseline = y + (height - _LINE * (len(label) - 1)) / 2 + 3
            for number, words in enumerate(label):
                self._write(2, baseline + _LINE * number, words)
            self._bars(drug_class, drug, y + (height - HEIGHT) / 2)
            y += height

    def _bars(self, drug_class: str, drug: str, top: float) -> None:
        """Draw the days that a drug covers as few bars, and a tick at each fill."""
        bars = [bar for bar in self.points.bars if bar.drug == drug]
        for first, beyond in _stretches(bars):
            left = self._x(first)
            right = max(self._x(beyond), left + 1.5)
            self.parts.append(chart_patterns.draw(drug_class, Box(left, right, top)))
        ticks = "".join(
            f"M{self._x(day):.5g} {top - 3:.5g}V{top + HEIGHT + 3:.5g}"
            for day in sorted({bar.first for bar in bars})
            if day >= self.points.since
        )
        if ticks:
            self.parts.append(f'<path d="{ticks}" stroke="black" stroke-width="1"/>')

    def _mme(self, base: float) -> None:
        highest = max(step.value for step in self.points.steps)
        limits = self.points.limits
        room = max(highest * Decimal("1.06"), limits[1] + 10)
        scale = _MME_HEIGHT / float(room)
        caution, high = (base - float(limit) * scale for limit in limits)
        self._line((_PLOT_LEFT, caution), (_PLOT_RIGHT, caution), dash=_CAUTION_DASH)
        self._line((_PLOT_LEFT, high), (_PLOT_RIGHT, high), dash=_HIGH_DASH)
        self._write(_PLOT_LEFT - 4, caution + 3, f"{limits[0]:g}", anchor="end")
        above = min(high, caution - 10) + 3
        self._write(_PLOT_LEFT - 4, above, f"{limits[1]:g}", anchor="end")
        path = " ".join(
            f"{'L' if number else 'M'}{self._x(step.first):g}"
            f" {base - float(step.value) * scale:.5g}"
            f"H{self._x(step.last + _DAY):g}"
            for number, step in enumerate(self.points.steps)
        )
        self.parts.append(
            f'<path d="{path}" fill="none" stroke="black" stroke-width="1.75"/>'
        )
        self._figures(base - _MME_HEIGHT + 8)

    def _figures(self, top: float) -> None:
        self._write(2, top, "MME per day, reported", bold=True)
        for number, words in enumerate(_figures(self.points), start=1):
            self._write(2, top + (_LINE + 1) * number, words)

    def _axis(self, base: float) -> None:
        self._line((_PLOT_LEFT, base), (_PLOT_RIGHT, base))
        self._write(_PLOT_LEFT, base + 12, us(self.points.since))
        self._write(_PLOT_RIGHT, base + 12, us(self.points.until), anchor="end")

    def _legend(self, top: float, *, has_mme: bool) -> float:
        """Explain what the chart shows, and give the lower edge."""
        x, y = 2.0, top
        present = {drug_class for drug_class, _ in self.drugs}
        samples = [name for name in CLASSES if name in present]
        limits = [f"{limit:g} MME" for limit in self.points.limits]
        for sample in [*samples, "a fill", *(limits if has_mme else [])]:
            width = 34 + text_width(sample) + 12
            if x + width > WIDTH:
                x, y = 2.0, y + 16
            self._sample(sample, x, y)
            self._write(x + 34, y + 8, sample)
            x += width
        return y + HEIGHT

    def _sample(self, sample: str, x: float, y: float) -> None:
        middle = y + HEIGHT / 2
        if sample in CLASSES:
            self.parts.append(chart_patterns.draw(sample, Box(x, x + 28, y)))
        elif sample == "a fill":
            self._line((x + 14, y - 3), (x + 14, y + HEIGHT + 3))
        else:
            is_caution = sample == f"{self.points.limits[0]:g} MME"
            dash = _CAUTION_DASH if is_caution else _HIGH_DASH
            self._line((x, middle), (x + 28, middle), dash=dash)


def _stretches(bars: Iterable[Bar]) -> Iterator[tuple[date, date]]:
    """Give the unbroken stretches that bars cover, as first day and day after last."""
    first = beyond = date.min
    for bar in sorted(bars, key=lambda bar: bar.first):
        if bar.first > beyond:
            if first > date.min:
                yield first, beyond
            first = bar.first
        beyond = max(beyond, bar.first + max(bar.days, 1) * _DAY)
    if first > date.min:
        yield first, beyond


@lru_cache(maxsize=4096)  # a report writes the same few days dozens of times
def us(day: date) -> str:
    """Write a day as MM/DD/YYYY."""
    return f"{day:%m/%d/%Y}"


def _firsts_of_months(since: date, until: date) -> Iterator[date]:
    month = since.year * 12 + since.month - (since.day == 1)
    while (first := date(month // 12, month % 12 + 1, 1)) <= until:
        yield first
        month += 1


def _figures(points: Points) -> list[str]:
    at_least = "at least " if points.at_least else ""
    lines = [
        f"now {at_least}{shown(points.now)}",
        f"peak {at_least}{shown(points.peak)}",
    ]
    return [*lines, f"on {us(points.peak_on)}"] if points.peak_on else lines


def _in_words(points: Points, drugs: Sequence[tuple[str, str]]) -> str:
    rows = ", ".join(f"{drug} ({drug_class})" for drug_class, drug in drugs)
    return (
        f"Timeline of fills from {us(points.since)} to {us(points.until)}:"
        f" {rows or 'none'}. MME per day: {', '.join(_figures(points))}."
        " The table of prescriptions holds the same facts."
    )


def text_width(words: str) -> float:
    """Estimate the width of words at the chart's text size, in units."""
    return sum(_CHARACTER.get(_kind_of_character(c), 0.58) for c in words) * _TEXT


def _kind_of_character(character: str) -> str:
    if character in "MW":
        return "wide"
    if character.isupper():
        return "upper"
    return "narrow" if character in " .,-/()il|tfjr" else "other"


def _row_height(label: Sequence[str]) -> float:
    return max(_ROW, _LINE * len(label) + 5)


@lru_cache(maxsize=4096)
def _label_lines(drug: str) -> Sequence[str]:
    """Break a drug's name into lines that fit beside the plot, at most three.

    At blanks, and at a hyphen where a word alone is too wide.
    """
    lines = [""]
    for piece, blank in _pieces(drug):
        longer = f"{lines[-1]}{blank if lines[-1] else ''}{piece}"
        if text_width(longer) <= _LABEL_WIDTH or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(piece)
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"{lines[_MOST_LINES - 1]}..."]
    return [_cut(line) for line in lines]


def _pieces(drug: str) -> Iterator[tuple[str, str]]:
    """Give what may stand on a line of its own, and the blank before it or nothing."""
    for word in drug.split():
        head, hyphen, tail = word.rpartition("-")
        if hyphen and head and text_width(word) > _LABEL_WIDTH:
            yield f"{head}-", " "
            yield tail, ""
        else:
            yield word, " "


def _cut(line: str) -> str:
    while text_width(line) > _LABEL_WIDTH:
        line = line.removesuffix("...")[:-1] + "..."
    return line
