"""A fill as the arithmetic sees it: which days it covers, with what, from whom.

Pure. `pmp.history` makes these from the tables; totals, warnings and the chart read
them, and nothing in them names the patient.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from pmp.mme import Course, Mme

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Fill:
    """One fill. It covers `first` (sold, else filled) to `last`, both included.

    `drug_class` is a word of `models.DrugClass`, or empty for an unknown product.
    `product` is equal for the same ingredient, strength and form. `daily_mg` and
    `daily_acetaminophen_mg` are None where they cannot be told. `prescriber` and
    `pharmacy` are equal for the same one.
    """

    row_code: str
    first: date
    days: int
    drug: str
    drug_class: str
    ingredient: str
    product: str
    long_acting: bool
    mme: Mme
    daily_mg: Decimal | None
    daily_acetaminophen_mg: Decimal | None
    prescriber: int
    pharmacy: int

    @property
    def last(self) -> date:
        return self.first + _DAY * (max(self.days, 1) - 1)

    @property
    def course(self) -> Course:
        return Course(self.first, self.days, self.mme, self.product)

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last


def covered(fills: Iterable[Fill]) -> set[date]:
    """Give every day that some of the fills covers."""
    return {
        fill.first + _DAY * number
        for fill in fills
        for number in range(max(fill.days, 1))
    }


def runs(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """Give the unbroken stretches of days, oldest first, as first and last day."""
    ordered = sorted(set(days))
    if not ordered:
        return
    first = ordered[0]
    for day, following in pairwise(ordered):
        if following - day > _DAY:
            yield first, day
            first = following
    yield first, ordered[-1]


def touching(fills: Iterable[Fill], days: set[date]) -> list[Fill]:
    """Give the fills that cover some of the days."""
    return [fill for fill in fills if not covered([fill]).isdisjoint(days)]
