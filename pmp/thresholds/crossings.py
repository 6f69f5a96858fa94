"""When a patient's fills reach a rule's numbers: arithmetic only, no tables.

Prescribers and pharmacies are counted here, in a window of D days that ends on each day
in turn. A crossing begins on the first day whose window reaches the numbers, and lasts
until a day whose window no longer does. Looking at the whole history rather than at the
last D days finds the late and the back-dated record as well. What supplies add up to is
found by `pmp.thresholds.supply_crossings`.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from models import RuleKind
from pmp.fills import Fill as Supply
from pmp.thresholds import supply_crossings


class Fill(NamedTuple):
    """A fill, with the ids of its dispensation, prescriber and pharmacy.

    What only some rules ask for is there where one does: the class of the drug, the
    words of `Care`, the practice of the prescriber (any number that is equal for the
    prescribers of one practice), and the supply in milligrams and days.
    """

    id: int
    filled_on: date
    prescriber: int
    pharmacy: int
    schedule: str
    version: int = 1
    drug_class: str = ""
    care: frozenset[str] = frozenset()
    practice: int | None = None
    supply: Supply | None = None


@dataclass(frozen=True)
class Numbers:
    """What a rule asks for: always reached *or exceeded*, within a window of days.

    `schedules` empty: every scheduled drug; `drug_classes` empty: every class.
    `amount` is asked for by all kinds but providers, in their own unit; `gap_days` by
    long use alone. `exclusions` are words of `Care`.
    """

    prescribers: int
    pharmacies: int
    both: bool
    days: int
    schedules: frozenset[str] = frozenset()
    drug_classes: frozenset[str] = frozenset()
    minimum_fills: int = 1
    practices_once: bool = False
    exclusions: frozenset[str] = frozenset()
    kind: RuleKind = RuleKind.PROVIDERS
    amount: int = 0
    gap_days: int = 0
    carry_forward_days: int = 7

    def reached(self, prescribers: int, pharmacies: int) -> bool:
        """Tell whether these counts reach the numbers."""
        enough = (prescribers >= self.prescribers, pharmacies >= self.pharmacies)
        return all(enough) if self.both else any(enough)

    def counts(self, fill: Fill) -> bool:
        """Tell whether a fill is of a drug that the rule counts, and not left out."""
        if self.exclusions and self.exclusions & fill.care:
            return False
        if self.kind is not RuleKind.PROVIDERS:
            return True  # the kind says which drugs
        if self.drug_classes and fill.drug_class not in self.drug_classes:
            return False
        if self.schedules:
            return fill.schedule in self.schedules
        return bool(fill.schedule)

    def prescriber(self, fill: Fill) -> int:
        """Give who counts as a fill's prescriber: the practice, if the rule says so."""
        if self.practices_once and fill.practice is not None:
            return fill.practice
        return fill.prescriber


@dataclass(frozen=True)
class Crossing:
    """The day the numbers were reached, and every fill until they no longer were.

    `reached` is the most of what a kind of rule other than providers counts, and
    `reached_on` its first day.
    """

    crossed_on: date
    fills: tuple[Fill, ...]
    practices_once: bool = False
    reached: Decimal | None = None
    reached_on: date | None = None

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
        """Count the prescribers on the fills, as the rule counts them."""
        if self.practices_once:
            return len({fill.practice or fill.prescriber for fill in self.fills})
        return len({fill.prescriber for fill in self.fills})

    @property
    def pharmacies(self) -> int:
        """Count the pharmacies on the fills."""
        return len({fill.pharmacy for fill in self.fills})


def crossings(fills: Sequence[Fill], numbers: Numbers) -> list[Crossing]:
    """Find one patient's crossings, oldest first; `fills` are in order of their day."""
    counted = [fill for fill in fills if numbers.counts(fill)]
    if numbers.kind is RuleKind.PROVIDERS:
        return _of_providers(counted, numbers)
    return [
        Crossing(
            each.crossed_on, each.fills, reached=each.most, reached_on=each.most_on
        )
        for each in supply_crossings.reached(counted, numbers)
    ]


def _of_providers(counted: list[Fill], numbers: Numbers) -> list[Crossing]:
    window = _Window(numbers)
    runs: list[tuple[date, list[Fill]]] = []
    above = False
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
    return [Crossing(day, tuple(run), numbers.practices_once) for day, run in runs]


class _Window:
    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self.fills: deque[Fill] = deque()
        self.prescribers: Counter[int] = Counter()
        self.pharmacies: Counter[int] = Counter()

    def add(self, fills: list[Fill]) -> None:
        for fill in fills:
            self.fills.append(fill)
            self.prescribers[self.numbers.prescriber(fill)] += 1
            self.pharmacies[fill.pharmacy] += 1

    def forget_before(self, day: date) -> None:
        while self.fills and self.fills[0].filled_on < day:
            gone = self.fills.popleft()
            _take(self.prescribers, self.numbers.prescriber(gone))
            _take(self.pharmacies, gone.pharmacy)

    def reached(self) -> bool:
        return len(self.fills) >= self.numbers.minimum_fills and self.numbers.reached(
            len(self.prescribers), len(self.pharmacies)
        )


def _take(counter: Counter[int], key: int) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]


def _days(fills: Iterable[Fill]) -> Iterator[tuple[date, list[Fill]]]:
    for day, group in groupby(fills, key=lambda fill: fill.filled_on):
        yield day, list(group)
