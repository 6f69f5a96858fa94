"""What a warning is: its words, its limits, and the picture that checks look at.

Pure. The checks are in `interactions` (drugs taken together) and beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pmp.chart import us
from pmp.fills import Fill, covered
from pmp.mme import Summary


class Code(StrEnum):
    MME_HIGH = "mme_high"
    MME_CAUTION = "mme_caution"
    OPIOID_BENZODIAZEPINE_SEDATIVE = "opioid_benzodiazepine_sedative"
    OPIOID_BENZODIAZEPINE = "opioid_benzodiazepine"
    MANY_SOURCES = "many_sources"
    EARLY_REFILL = "early_refill"
    METHADONE = "methadone"
    LONG_OPIOID_USE = "long_opioid_use"
    FIRST_LONG_ACTING = "first_long_acting"
    FIRST_OPIOID_DAYS = "first_opioid_days"
    SAME_KIND = "same_kind"
    ACETAMINOPHEN = "acetaminophen"
    GABAPENTINOID = "gabapentinoid"
    BUPRENORPHINE_OPIOID = "buprenorphine_opioid"
    BUPRENORPHINE = "buprenorphine"


class Level(StrEnum):
    ATTENTION = "attention"
    INFORMATION = "information"


@dataclass(frozen=True)
class PatientWarning:
    """`rows` are row codes, oldest first.

    `arithmetic` are short lines, each a sum that led to the warning, such as
    "6 tablets a day of 325 mg = 1,950 mg a day".
    """

    code: Code
    title: str
    sentence: str
    rows: tuple[str, ...]
    level: Level = Level.ATTENTION
    arithmetic: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    """From which numbers on a warning is given; all inclusive unless it says over."""

    mme_caution: Decimal = Decimal(50)
    mme_high: Decimal = Decimal(90)
    prescribers: int = 5
    pharmacies: int = 5
    window_days: int = 90
    early_days: int = 3
    early_part: Decimal = Decimal("0.15")  # over
    long_use_days: int = 90  # over
    naive_days: int = 60
    first_adult_days: int = 7  # over
    first_minor_days: int = 5  # over
    together_days: int = 7
    together_long_days: int = 30
    same_kind_days: int = 7  # over
    methadone_mg: Decimal = Decimal(40)  # over
    acetaminophen_mg: Decimal = Decimal(4000)  # over
    carry_forward_days: int = 7


def limits_of(settings: object) -> Limits:
    """Give the limits that settings hold: `mme_caution`, `warn_window_days`, ….

    `mme_caution`, `mme_high` and `carry_forward_days` have a use of their own, so they
    carry no prefix.
    """
    chosen: dict[str, Any] = {}
    for each in fields(Limits):
        own = each.name in _NOT_OF_WARNINGS_ALONE
        value = getattr(settings, each.name if own else f"warn_{each.name}")
        is_decimal = isinstance(each.default, Decimal)
        chosen[each.name] = Decimal(str(value)) if is_decimal else value
    return Limits(**chosen)


_NOT_OF_WARNINGS_ALONE = frozenset({"mme_caution", "mme_high", "carry_forward_days"})


@dataclass(frozen=True)
class Picture:
    """All that the warnings look at: fills, the period, MME totals, limits.

    `fills` are as reported, `carried` the same with early refills carried forward;
    `birth_date` is None where an adult is to be taken for granted.
    """

    fills: Sequence[Fill]
    carried: Sequence[Fill]
    since: date
    today: date
    mme: Summary
    limits: Limits
    birth_date: date | None = None
    _days: dict[tuple[str, ...], set[date]] = field(default_factory=dict)

    def of(self, *classes: str) -> list[Fill]:
        """Give the fills of these classes, early refills carried forward."""
        return [fill for fill in self.carried if fill.drug_class in classes]

    def days_of(self, *classes: str) -> set[date]:
        """Give the days that fills of these classes cover, early refills carried."""
        if classes not in self._days:
            self._days[classes] = covered(self.of(*classes))
        return self._days[classes]

    def counted_in_mme(self) -> list[Fill]:
        """Give the opioids and what nobody knows, early refills carried forward."""
        return self.of("opioid", "")


def row_codes(fills: Iterable[Fill]) -> tuple[str, ...]:
    """Give the codes of the rows, in the order of the fills."""
    return tuple(fill.row_code for fill in fills)


def in_days(number: int) -> str:
    """Write a count of days."""
    return "1 day" if number == 1 else f"{number} days"


def in_words(days: set[date]) -> str:
    """Write how many days these are, and from when to when."""
    first, last = min(days), max(days)
    if first == last:
        return f"on {us(first)}"
    return f"{in_days(len(days))} between {us(first)} and {us(last)}"
