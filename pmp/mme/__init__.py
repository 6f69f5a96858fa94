"""Morphine milligram equivalents (MME): of one fill, and in total day by day.

Pure: no clock, no tables. Amounts are `Decimal` and keep full precision; they are shown
to 0.1 and compared with limits at 0.01, so that 50 and 90 are exact. Unknown is not
zero: a fill has a number, or the idea does not apply to it, or it is *not calculated*
for a reason, and a total that holds such a fill reads "at least".

Source of the arithmetic: CDC Clinical Practice Guideline for Prescribing Opioids, MMWR
Recomm Rep 2022;71(RR-3): strength x (quantity / days) x factor. The factors are in
`pmp/mme/published/`, one file for each published set.
"""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

from pmp.mme.published_sets import (
    DEFAULT_RULE_SET,
    RuleSet,
    rule_set,
    rule_set_names,
    rule_sets,
)

__all__ = ["DEFAULT_RULE_SET", "RuleSet", "rule_set", "rule_set_names", "rule_sets"]

PATCH_KEY = "fentanyl_patch"
Limits = tuple[Decimal, Decimal]
LIMITS: Limits = Decimal(50), Decimal(90)
"""MME a day to be careful at, and to avoid (CDC); a programme may set others."""
ZERO = Decimal(0)
_HUNDREDTH = Decimal("0.01")
TIMES = "\N{MULTIPLICATION SIGN}"

_DAY = timedelta(days=1)
_OPIOID = "opioid"
_BUPRENORPHINE = "buprenorphine"
_IN_MICROGRAMS = frozenset(
    {"fentanyl_buccal_sl_loz", "fentanyl_film_oralspray", "fentanyl_nasal"}
)
_UNIT = re.compile(r"(mg|mcg|ug|µg|g)(?:\s*/\s*(\d*\.?\d+)?\s*([a-z]*))?")
_IN_MG = {
    "g": Decimal(1000),
    "mg": Decimal(1),
    "mcg": Decimal("0.001"),
    "ug": Decimal("0.001"),
    "µg": Decimal("0.001"),
}


class Outcome(StrEnum):
    CALCULATED = "calculated"
    NOT_APPLICABLE = "not_applicable"
    NOT_CALCULATED = "not_calculated"


@dataclass(frozen=True)
class Mme:
    """MME per day of one fill: a value with its factor, or the reason for none.

    `note` says what was computed otherwise than reported (fentanyl patches).
    `arithmetic` is the sum in one line, "60 tablets by 10 mg over 15 days by 1.5" in
    signs, with its result rounded as it is shown.
    """

    outcome: Outcome
    value: Decimal | None = None
    reason: str = ""
    factor: Decimal | None = None
    note: str = ""
    arithmetic: str = ""

    @cached_property
    def shown(self) -> str:
        return "" if self.value is None else shown(self.value)


@dataclass(frozen=True)
class Dose:
    """What the arithmetic needs to know of a fill.

    `key` is a row of the rule set, empty where none fits the form. `drug_class` is a
    word of `models.DrugClass`; empty means that the product is unknown. `quantity` is
    in the unit that `strength` is given for (tablets, mL, patches); `counted` names
    that unit where it is known, as in "60 tablets".
    """

    key: str
    drug_class: str
    strength: Decimal | None
    strength_unit: str
    quantity: Decimal | None
    days: int | Decimal | None
    counted: str = ""


def daily(dose: Dose, rules: RuleSet) -> Mme:
    """Compute the MME per day of one fill, or say why there is none; never raises."""
    if dose.drug_class == _BUPRENORPHINE:
        return Mme(Outcome.NOT_APPLICABLE, reason="buprenorphine has no MME factor")
    if dose.drug_class not in {_OPIOID, ""}:
        return Mme(Outcome.NOT_APPLICABLE, reason="not an opioid")
    amount = amount_per_unit(dose.strength, dose.strength_unit, key=dose.key)
    if reason := _what_is_missing(dose, amount, rules):
        return _not_calculated(reason)
    return _calculated(dose, amount or ZERO, rules)


def _what_is_missing(dose: Dose, amount: Decimal | None, rules: RuleSet) -> str:
    reasons = [
        (not dose.drug_class, "the product is not in the drug table"),
        (dose.key not in rules.bands, "no published factor for this drug and form"),
        (amount is None, "the strength cannot be read"),
        (not dose.quantity or dose.quantity <= 0, "the quantity is missing or zero"),
        (not dose.days or dose.days <= 0, "the days supply is missing or zero"),
    ]
    return next((reason for missing, reason in reasons if missing), "")


def _calculated(dose: Dose, amount: Decimal, rules: RuleSet) -> Mme:
    quantity, reported = dose.quantity or ZERO, Decimal(dose.days or 1)
    is_patch = dose.key == PATCH_KEY
    days = _patch_days(quantity, reported) if is_patch else reported
    factor = rules.factor(dose.key, amount * quantity / days)
    if factor is None:
        return _not_calculated("no published factor for this dose")
    note = ""
    if days != reported:
        note = (
            f"computed for {plain(days)} days, 3 for each patch;"
            f" {plain(reported)} were reported"
        )
    value = amount * quantity * factor / days
    unit = "mcg/hr" if is_patch else "mcg" if dose.key in _IN_MICROGRAMS else "mg"
    arithmetic = (
        f"{plain(quantity)}{f' {dose.counted}' if dose.counted else ''} {TIMES}"
        f" {plain(amount)} {unit} ÷ {'1 day' if days == 1 else f'{plain(days)} days'}"
        f" {TIMES} {plain(factor)} = {plain(value, to='0.1')} MME/day"
    )
    return Mme(
        Outcome.CALCULATED, value, factor=factor, note=note, arithmetic=arithmetic
    )


def _patch_days(patches: Decimal, reported: Decimal) -> Decimal:
    """Take 72 hours for a patch, for some patients 48; other counts are errors."""
    return reported if 2 * patches <= reported <= 3 * patches else 3 * patches


def _not_calculated(reason: str) -> Mme:
    return Mme(Outcome.NOT_CALCULATED, reason=reason)


def amount_per_unit(
    strength: Decimal | None, unit: str, *, key: str = ""
) -> Decimal | None:
    """Give the milligrams in a counted unit (micrograms for fentanyl); None if unknown.

    Reads mg, mg/1, mg/mL, mg/5mL, mcg, ug/1, mcg/hr, g/100mL and their like. A patch
    that is listed by its whole content (mg) has no rate, so it is unreadable.
    """
    match = _UNIT.fullmatch(unit.strip().lower())
    if match is None or strength is None or strength < 0:
        return None
    per_hour = match[3] in {"h", "hr", "hour"}
    if key == PATCH_KEY and match[1] in {"mg", "g"}:
        return None
    if per_hour and key != PATCH_KEY:
        return None
    milligrams = strength * _IN_MG[match[1]]
    if key == PATCH_KEY or key in _IN_MICROGRAMS:
        milligrams *= 1000
    return milligrams / Decimal(match[2] or 1)


def shown(value: Decimal) -> str:
    """Write an amount to 0.1, halves away from zero: "59.6"."""
    return f"{value.quantize(Decimal('0.1'), ROUND_HALF_UP)}"


def plain(number: Decimal, *, to: str = "") -> str:
    """Write a number without trailing zeros, first rounded to a place such as 0.1."""
    if to:
        number = number.quantize(Decimal(to), ROUND_HALF_UP)
    return f"{number.normalize():,f}"


def factor_words(rules: RuleSet, key: str) -> str:
    """Write a set's factor of a key, band by band: "to 20 mg: 4, …"; "none" if none."""
    bands = rules.bands.get(key, ())
    if not bands:
        return "none"
    if len(bands) == 1:
        return plain(bands[0][1])
    lower = ""
    words = []
    for upper, factor in bands:
        span = f"to {plain(upper)} mg" if upper is not None else f"over {lower} mg"
        words.append(f"{span}: {plain(factor)}")
        lower = plain(upper) if upper is not None else ""
    return ", ".join(words)


def reaches(value: Decimal, limit: Decimal) -> bool:
    """Whether an amount is at or over a limit, compared at 0.01."""
    return value.quantize(_HUNDREDTH, ROUND_HALF_UP) >= limit


# --- Totals day by day ----------------------------------------------------------------


@dataclass(frozen=True)
class Course:
    """The days that one fill covers: from `first`, for `days` days, `mme` on each.

    `product` is equal for fills of the same ingredient, strength and form.
    """

    first: date
    days: int
    mme: Mme
    product: Hashable
    last: date = field(init=False, compare=False)

    def __post_init__(self) -> None:
        last = self.first + timedelta(days=max(self.days, 1) - 1)
        object.__setattr__(self, "last", last)


@dataclass(frozen=True)
class Step:
    """A run of days, both ends included, with one total."""

    first: date
    last: date
    value: Decimal
    at_least: bool

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def days_from(self, day: date) -> int:
        """Count its days that are not before another day."""
        return max(0, (self.last - max(self.first, day)).days + 1)


@dataclass(frozen=True)
class Summary:
    """What a report says of a patient's MME. `peak_on` is the peak's first day."""

    today: Decimal
    today_at_least: bool
    average: Decimal  # over the 30 days that end today
    peak: Decimal
    peak_on: date | None
    days_at_caution: int
    days_at_high: int
    at_least: bool  # some day of the period holds a fill that was not calculated
    runs: Sequence[Step]  # from the period's first day to the report's today

    @property
    def today_shown(self) -> str:
        return _least(self.today, at_least=self.today_at_least)

    @property
    def average_shown(self) -> str:
        return _least(self.average, at_least=self.at_least)

    @property
    def peak_shown(self) -> str:
        return _least(self.peak, at_least=self.at_least)


def _least(value: Decimal, *, at_least: bool) -> str:
    return f"≥ {shown(value)}" if at_least else shown(value)


def carry_forward(courses: Iterable[Course], *, up_to_days: int = 7) -> list[Course]:
    """Start an early refill when the supply before it ends, oldest first.

    A patient who fetches the same product a few days early does not take twice as much.
    Only a later fill that overlaps the reported days of the one before by at most
    `up_to_days` moves; any other stays where it was reported.
    """
    moved: list[Course] = []
    reported: dict[Hashable, Course] = {}
    supply_ends: dict[Hashable, date] = {}
    for course in sorted(courses, key=lambda course: course.first):
        before = reported.get(course.product)
        reported[course.product] = course
        actual = course
        if before and before.first < course.first:
            overlap = (before.last - course.first).days + 1
            end = supply_ends[course.product]
            if overlap <= up_to_days and end >= course.first:
                actual = Course(end + _DAY, course.days, course.mme, course.product)
        supply_ends[course.product] = max(
            actual.last, supply_ends.get(course.product, actual.last)
        )
        moved.append(actual)
    return moved


def steps(courses: Iterable[Course], *, since: date, until: date) -> list[Step]:
    """Totals for every day from `since` to `until`, as runs in order of time."""
    begins: dict[date, list[Mme]] = defaultdict(list)
    ends: dict[date, list[Mme]] = defaultdict(list)
    for course in courses:
        first, beyond = max(course.first, since), min(course.last, until) + _DAY
        if course.mme.outcome is not Outcome.NOT_APPLICABLE and first < beyond:
            begins[first].append(course.mme)
            ends[beyond].append(course.mme)
    active: list[Mme] = []
    runs = []
    for first, following in pairwise(sorted({since, until + _DAY, *begins, *ends})):
        active += begins[first]
        for mme in ends[first]:
            active.remove(mme)
        runs.append(_step(active, first, following - _DAY))
    return runs


def _step(active: Sequence[Mme], first: date, last: date) -> Step:
    total, at_least = ZERO, False
    for mme in active:
        if mme.value is not None:
            total += mme.value
        at_least = at_least or mme.outcome is Outcome.NOT_CALCULATED
    return Step(first, last, total, at_least)


def summary(
    courses: Sequence[Course], *, since: date, today: date, limits: Limits = LIMITS
) -> Summary:
    """Today's total, 30-day average, peak and days at the limits from `since` on."""
    runs = steps(courses, since=since, until=today)
    start = today - timedelta(days=29)
    month = runs if start >= since else steps(courses, since=start, until=today)
    peak = max(runs, key=lambda run: run.value)  # the first of equals
    return Summary(
        today=runs[-1].value,
        today_at_least=runs[-1].at_least,
        average=sum((run.value * run.days_from(start) for run in month), ZERO) / 30,
        peak=peak.value,
        peak_on=peak.first if peak.value else None,
        days_at_caution=_days_at(runs, limits[0]),
        days_at_high=_days_at(runs, limits[1]),
        at_least=any(run.at_least for run in runs),
        runs=runs,
    )


def _days_at(runs: Iterable[Step], limit: Decimal) -> int:
    return sum(run.days for run in runs if reaches(run.value, limit))
