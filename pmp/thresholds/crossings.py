"""When a patient's fills reach a rule's numbers: arithmetic only, no tables.

A window of D days ends on each day in turn. A crossing begins on the first day whose
window reaches the numbers, and lasts until a day whose window no longer does. Looking
at the whole history rather than at the last D days finds the late and the back-dated
record as well.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import NamedTuple


class Fill(NamedTuple):
    """A fill, with the ids of its dispensation, prescriber and pharmacy."""

    id: int
    filled_on: date
    prescriber: int
    pharmacy: int
    schedule: str
    version: int = 1


@dataclass(frozen=True)
class Numbers:
    """What a rule asks for: always reached *or exceeded*, within a window of days.

    `schedules` empty: every scheduled drug.
    """

    prescribers: int
    pharmacies: int
    both: bool
    days: int
    schedules: frozenset[str] = frozenset()

    def reached(self, prescribers: int, pharmacies: int) -> bool:
        """Tell whether these counts reach the numbers."""
        enough = (prescribers >= self.prescribers, pharmacies >= self.pharmacies)
        return all(enough) if self.both else any(enough)

    def counts(self, fill: Fill) -> bool:
        """Tell whether a fill is of a schedule that the rule counts."""
        if self.schedules:
            return fill.schedule in self.schedules
        return bool(fill.schedule)


@dataclass(frozen=True)
class Crossing:
    """The day the numbers were reached, and every fill until they no longer were."""

    crossed_on: date
    fills: tuple[Fill, ...]

    @property
    def first(self) -> date:
        """Give the day of the earliest fill counted."""
        return self.fills[0].filled_on

    @property
    def last(self) -> date:
        """Give the day of the latest fill counted."""
        return self.fills[-1].filled_on

    @property
    def prescribers(self) -> int:
        """Count the prescribers on the fills."""
        return len({fill.prescriber for fill in self.fills})

    @property
    def pharmacies(self) -> int:
        """Count the pharmacies on the fills."""
        return len({fill.pharmacy for fill in self.fills})


def crossings(fills: Sequence[Fill], numbers: Numbers) -> list[Crossing]:
    """Find one patient's crossings, oldest first; `fills` are in order of their day."""
    window = _Window(numbers)
    runs: list[tuple[date, list[Fill]]] = []
    above = False
    counted = (fill for fill in fills if numbers.counts(fill))
    for day, todays in _days(counted):
        # The window that ended the day before may have fallen below the numbers.
        window.forget_before(day - timedelta(days=numbers.days))
        above = above and window.reached()
        window.forget_before(day - timedelta(days=numbers.days - 1))
        window.add(todays)
        if not window.reached():
            above = False
        elif above:
            runs[-1][1].extend(todays)
        else:
            above = True
            runs.append((day, list(window.fills)))
    return [Crossing(day, tuple(run)) for day, run in runs]


class _Window:
    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self.fills: deque[Fill] = deque()
        self.prescribers: Counter[int] = Counter()
        self.pharmacies: Counter[int] = Counter()

    def add(self, fills: list[Fill]) -> None:
        for fill in fills:
            self.fills.append(fill)
            self.prescribers[fill.prescriber] += 1
            self.pharmacies[fill.pharmacy] += 1

    def forget_before(self, day: date) -> None:
        while self.fills and self.fills[0].filled_on < day:
            gone = self.fills.popleft()
            _take(self.prescribers, gone.prescriber)
            _take(self.pharmacies, gone.pharmacy)

    def reached(self) -> bool:
        return self.numbers.reached(len(self.prescribers), len(self.pharmacies))


def _take(counter: Counter[int], key: int) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]


def _days(fills: Iterator[Fill]) -> Iterator[tuple[date, list[Fill]]]:
    for day, group in groupby(fills, key=lambda fill: fill.filled_on):
        yield day, list(group)
