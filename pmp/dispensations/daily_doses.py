"""Who takes the most MME a day, as far as one pharmacy's own fills tell.

The arithmetic is `pmp.mme`'s, from facts frozen on each fill, early refills carried
forward. A patient's days are reckoned only where the sum of all their doses could still
reach the highest: a large pharmacy's quarter takes a second, not a minute.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from models import (
    Dispensation,
    DispensationStatus,
    DrugClass,
    Pharmacy,
    ReportedIdentity,
    Species,
)
from pmp import mme, settings
from pmp.asap.codes import COMPOUND
from pmp.dispensations.early_refills import (
    FIRST,
    LOOK_BACK_DAYS,
    PRODUCT,
    day,
    days_between,
)
from pmp.mme import ZERO, Course, Dose, Mme, Outcome


@dataclass(frozen=True)
class DailyDose:
    """A patient's highest day: MME, at least so much if some fill has no number."""

    patient: int
    peak: Decimal
    peak_on: date
    at_least: bool
    days_high: int

    @property
    def shown(self) -> str:
        """Write the amount: “120”, “≥ 120”."""
        return f"≥ {mme.shown(self.peak)}" if self.at_least else mme.shown(self.peak)


@dataclass(frozen=True)
class DailyDoses:
    """The highest, the highest first; of how many; whose dose nobody can tell."""

    highest: Sequence[DailyDose]
    patients: int
    unknown: int


def highest(pharmacy: Pharmacy, since: date, until: date, *, most: int) -> DailyDoses:
    """Give the patients with the most MME on one day of a period; `most` of them.

    Fills before the period count where their supply reaches into it. Buprenorphine has
    no MME; a patient with nothing but fills without a number is counted as unknown.
    """
    courses = _courses(pharmacy, since, until)
    bounds = {
        patient: sum((each.mme.value or ZERO for each in own), ZERO)
        for patient, own in courses.items()
    }
    found: list[DailyDose] = []
    for patient in sorted(bounds, key=lambda each: (-bounds[each], each)):
        if not bounds[patient] or _cannot_reach(bounds[patient], found, most):
            break
        found.append(_dose(patient, courses[patient], since, until))
        found.sort(key=lambda each: (-each.peak, each.patient))
        del found[most:]
    unknown = sum(1 for bound in bounds.values() if not bound)
    return DailyDoses(found, len(bounds), unknown)


def _cannot_reach(bound: Decimal, found: Sequence[DailyDose], most: int) -> bool:
    return len(found) == most and bound < found[-1].peak


def _dose(
    patient: int, courses: Iterable[Course], since: date, until: date
) -> DailyDose:
    chosen = settings.current()
    carried = mme.carry_forward(courses, up_to_days=chosen.carry_forward_days)
    runs = mme.steps(carried, since=since, until=until)
    peak = max(runs, key=lambda run: run.value)
    high = [run for run in runs if mme.reaches(run.value, Decimal(chosen.mme_high))]
    return DailyDose(
        patient,
        peak.value,
        peak.first,
        any(run.at_least for run in runs),
        sum(run.days for run in high),
    )


def _courses(
    pharmacy: Pharmacy, since: date, until: date
) -> Mapping[int, list[Course]]:
    found: dict[int, list[Course]] = {}
    dose_of = lru_cache(maxsize=10_000)(_daily)
    rules = settings.current().mme_rule_set
    for patient, first, days, *product, key, kind, quantity, qualifier in _rows(
        pharmacy, since, until
    ):
        name, strength, unit, _form, ingredient = product
        known = "" if _is_unknown(kind, ingredient, qualifier) else kind.value
        dose = dose_of(Dose(key, known, strength, unit, quantity, days), rules)
        if dose.outcome is not Outcome.NOT_APPLICABLE:
            course = Course(_as_date(first), days, dose, (name, *product[1:4]))
            found.setdefault(patient, []).append(course)
    return found


def _daily(dose: Dose, rules: str) -> Mme:
    return mme.daily(dose, mme.rule_set(rules))


def _is_unknown(kind: DrugClass, ingredient: str, qualifier: str) -> bool:
    """Tell whether nobody knows what was dispensed: it has no number, not zero."""
    return qualifier == COMPOUND or (kind is DrugClass.OTHER and not ingredient)


def _as_date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _rows(pharmacy: Pharmacy, since: date, until: date) -> Iterable[Any]:
    unknown = (Dispensation.product_qualifier == COMPOUND) | (
        (Dispensation.drug_class == DrugClass.OTHER) & (Dispensation.ingredient == "")
    )
    query: Any = (
        Dispensation.select(
            Dispensation.patient,
            FIRST,
            Dispensation.days_supply,
            *PRODUCT,
            Dispensation.ingredient,
            Dispensation.mme_key,
            Dispensation.drug_class,
            Dispensation.quantity,
            Dispensation.product_qualifier,
        )
        .join(ReportedIdentity)
        .where(Dispensation.pharmacy == pharmacy)
        .where(Dispensation.status == DispensationStatus.CURRENT)
        .where(Dispensation.filled_on >= since - timedelta(days=LOOK_BACK_DAYS))
        .where(Dispensation.filled_on <= until)
        .where((Dispensation.drug_class == DrugClass.OPIOID) | unknown)
        .where(Dispensation.days_supply > days_between(FIRST, day(since)))
        .where(ReportedIdentity.species == Species.HUMAN)
        .order_by(FIRST, Dispensation.id)
    )
    rows: Iterable[Any] = query.tuples().iterator()
    return rows
