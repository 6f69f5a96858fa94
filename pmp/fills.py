"""A fill as the arithmetic sees it: which days it covers, with what, from whom.

Pure. `pmp.history` makes these from the tables; totals, warnings and the chart read
them, and nothing in them names the patient.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from pmp.mme import ZERO, Course, Mme, carry_forward


@dataclass(frozen=True)
class Fill:
    """One fill. It covers `first` (sold, else filled) to `last`, both included.

    `drug_class` is a word of `models.DrugClass`, or empty for an unknown product.
    `product` is equal for the same ingredient, strength and form. `daily_mg` and
    `daily_acetaminophen_mg` are None where they cannot be told. `prescriber` and
    `pharmacy` are equal for the same one. `how` tells the dose in words, such as "60
    tablets for 15 days = 4 a day".
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
    how: str = ""
    last: date = field(init=False, compare=False)

    def __post_init__(self) -> None:
        last = self.first + timedelta(days=max(self.days, 1) - 1)
        object.__setattr__(self, "last", last)

    @cached_property
    def course(self) -> Course:
        return Course(self.first, self.days, self.mme, self.product)

    def moved_to(self, first: date) -> "Fill":
        """Give the same fill as if it had begun on another day."""
        moved: Fill = object.__new__(Fill)  # a report moves dozens of them
        moved.__dict__.update(self.__dict__)
        moved.__dict__.pop("course", None)
        object.__setattr__(moved, "first", first)
        moved.__post_init__()
        return moved

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last


def covered(fills: Iterable[Fill]) -> set[date]:
    """Give every day that some of the fills covers."""
    days: set[int] = set()
    for fill in fills:
        first = fill.first.toordinal()
        days.update(range(first, first + max(fill.days, 1)))
    return set(map(date.fromordinal, days))


def runs(days: Iterable[date], *, gap: int = 0) -> Iterator[tuple[date, date]]:
    """Give the unbroken stretches of days, oldest first, as first and last day.

    Up to `gap` days that are missing do not break one.
    """
    ordered = sorted({day.toordinal() for day in days})
    if not ordered:
        return
    first, longest = ordered[0], gap + 1
    for day, following in pairwise(ordered):
        if following - day > longest:
            yield date.fromordinal(first), date.fromordinal(day)
            first = following
    yield date.fromordinal(first), date.fromordinal(ordered[-1])


def touching(fills: Iterable[Fill], days: set[date]) -> list[Fill]:
    """Give the fills that cover some of the days."""
    ordered = sorted(days)
    found = []
    for fill in fills:
        place = bisect_left(ordered, fill.first)
        if place < len(ordered) and ordered[place] <= fill.last:
            found.append(fill)
    return found


def carried(fills: Iterable[Fill], *, up_to_days: int) -> list[Fill]:
    """Start early refills when the supply before them ends, oldest reported first.

    See `pmp.mme.carry_forward`, which this applies to fills.
    """
    ordered = sorted(fills, key=lambda fill: fill.first)
    courses = carry_forward((fill.course for fill in ordered), up_to_days=up_to_days)
    return [
        fill if course.first == fill.first else fill.moved_to(course.first)
        for fill, course in zip(ordered, courses, strict=True)
    ]


def buprenorphine_mg_today(
    fills: Iterable[Fill], *, today: date, up_to_days: int = 7
) -> Decimal | None:
    """Give the mg of buprenorphine a day that the supply of today comes to.

    None if none is active, or if no active one is known in mg a day (a patch is given
    in mcg/hr). Early refills are carried forward, as in `pmp.mme.Summary`.
    """
    own = [fill for fill in fills if fill.drug_class == "buprenorphine"]
    doses = [
        fill.daily_mg
        for fill in carried(own, up_to_days=up_to_days)
        if fill.covers(today) and fill.daily_mg is not None
    ]
    return sum(doses, ZERO) if doses else None
