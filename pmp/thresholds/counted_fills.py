"""The fills that threshold rules look at, with what the rules in force ask of them.

A rule of prescribers and pharmacies asks for seven columns; classes, exclusions,
practices and supplies are read only where a rule asks for them. Voided entries, those
of animals, and what administrators alone may see count for no rule.
"""

from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import replace
from datetime import date
from functools import reduce
from itertools import groupby
from operator import itemgetter, or_
from typing import Any

from peewee import Case, fn

import models
from models import (
    Dispensation,
    DispensationStatus,
    DrugClass,
    ReportedIdentity,
    RuleKind,
    Species,
)
from pmp import bulk, care, mme, settings, withheld
from pmp.fills import Fill as Supply
from pmp.history.supplies import Supplies
from pmp.thresholds import practices
from pmp.thresholds.crossings import Fill, Numbers

# What some kind of rule adds up; of a compound and of what nobody knows there is no
# amount, as in a patient report.
_OPIOIDS = (DrugClass.OPIOID, DrugClass.BUPRENORPHINE)
_ADDED_UP = (*_OPIOIDS, DrugClass.BENZODIAZEPINE)
# What is equal for fills of the same drug, quantity and days.
_ALIKE: tuple[Any, ...] = (
    Dispensation.product_qualifier,
    Dispensation.drug_name,
    Dispensation.ingredient,
    Dispensation.form,
    Dispensation.drug_class,
    Dispensation.mme_key,
    Dispensation.strength,
    Dispensation.strength_unit,
    Dispensation.acetaminophen_mg,
    Dispensation.quantity,
    Dispensation.units,
    Dispensation.days_supply,
    Dispensation.long_acting,
)


def of_patients(
    patient_ids: Collection[int], rules: Iterable[Numbers]
) -> Iterator[tuple[int, list[Fill]]]:
    """Give each patient's current human fills in order of their day."""
    ids = sorted(patient_ids)
    found = groupby(_rows(ids), key=itemgetter(0))
    add = _adders(ids, list(rules))
    for patient_id, rows in found:
        fills = [Fill(*row[1:]) for row in rows]
        for each in add:
            fills = [each(fill) for fill in fills]
        yield patient_id, fills


def may_reach(patient_ids: Sequence[int], rules: Iterable[Numbers]) -> set[int]:
    """Give the patients whom a rule of another kind than providers may concern.

    More than those who cross, never less: voided fills and those of animals count, and
    all that was ever dispensed of a drug is one supply.
    """
    enough = [_MAY_REACH[rule.kind](rule) for rule in rules if rule.kind in _MAY_REACH]
    if not enough:
        return set()
    query: Any = (
        Dispensation.select(Dispensation.patient)
        .where(bulk.among(Dispensation.patient, patient_ids))
        .where(Dispensation.drug_class.in_(_ADDED_UP))
        .where(withheld.shown())
        .group_by(Dispensation.patient)
        .having(reduce(or_, enough))
        .tuples()
    )
    return {patient for (patient,) in query}


def _sum(condition: Any, amount: Any = 1) -> Any:
    return fn.SUM(Case(None, [(condition, amount)], 0))


_IS_OPIOID = Dispensation.drug_class == DrugClass.OPIOID
_MAY_REACH: Mapping[RuleKind, Callable[[Numbers], Any]] = {
    RuleKind.DAILY_MME: lambda _: _sum(_IS_OPIOID & (Dispensation.mme_key != "")) > 0,
    RuleKind.METHADONE: lambda _: (
        _sum(_IS_OPIOID & fn.LOWER(Dispensation.ingredient).contains("methadone")) > 0
    ),
    RuleKind.OPIOID_BENZODIAZEPINE: lambda _: (
        (_sum(Dispensation.drug_class.in_(_OPIOIDS)) > 0)
        & (_sum(Dispensation.drug_class == DrugClass.BENZODIAZEPINE) > 0)
    ),
    # A supply of no days is one of a day.
    RuleKind.LONG_OPIOID_USE: lambda rule: (
        _sum(_IS_OPIOID, Dispensation.days_supply + 1) >= rule.amount
    ),
}


def _rows(patient_ids: list[int]) -> Any:
    return (
        Dispensation.select(
            Dispensation.patient,
            Dispensation.id,
            Dispensation.filled_on,
            Dispensation.prescriber,
            Dispensation.pharmacy,
            Dispensation.schedule,
            Dispensation.version,
        )
        .join(ReportedIdentity)
        .where(_standing(patient_ids))
        .order_by(Dispensation.patient, Dispensation.filled_on, Dispensation.id)
        .tuples()
    )


def _standing(patient_ids: list[int]) -> Any:
    return (
        bulk.among(Dispensation.patient, patient_ids)
        & (Dispensation.status == DispensationStatus.CURRENT)
        & (ReportedIdentity.species == Species.HUMAN)
        & withheld.shown()
    )


# --- What only some rules ask for


def _adders(ids: list[int], rules: list[Numbers]) -> list[Callable[[Fill], Fill]]:
    """Give what adds to a fill the facts that some rule asks for; mostly nothing.

    Outside of an evaluation a fill may be voided between two of these questions.
    """
    found: list[Callable[[Fill], Fill]] = []
    if any(rule.drug_classes for rule in rules):
        classes = _facts(ids, Dispensation.drug_class)
        found.append(
            lambda fill: fill._replace(drug_class=str(classes.get(fill.id, "")))
        )
    if any(rule.exclusions for rule in rules):
        reported = _facts(ids, Dispensation.care, only=~Dispensation.care.is_null())
        found.append(lambda fill: fill._replace(care=care.read(reported.get(fill.id))))
    if any(rule.practices_once for rule in rules):
        practice = practices.of_prescribers(
            set(_facts(ids, Dispensation.prescriber).values())
        )
        found.append(lambda fill: fill._replace(practice=practice.get(fill.prescriber)))
    if any(rule.kind is not RuleKind.PROVIDERS for rule in rules):
        supplies = _supplies(ids)
        found.append(lambda fill: fill._replace(supply=supplies.get(fill.id)))
    return found


def _facts(ids: list[int], column: Any, *, only: Any = True) -> dict[int, Any]:
    """Give a column of the patients' standing fills, by the fill's id."""
    query: Any = (
        Dispensation.select(Dispensation.id, column)
        .join(ReportedIdentity)
        .where(_standing(ids) & only)
        .tuples()
    )
    return dict(query)


def _supplies(ids: list[int]) -> dict[int, Supply]:
    """Give what each fill amounts to, under the MME factors in force.

    Of fills that are alike it is worked out once; the values are as the engine gives
    them until then.
    """
    day: Any = Dispensation.filled_on
    query = (
        Dispensation.select(Dispensation.id, day, Dispensation.sold_on, *_ALIKE)
        .join(ReportedIdentity)
        .where(_standing(ids))
        .where(Dispensation.drug_class.in_(_ADDED_UP))
    )
    supplies = Supplies(mme.rule_set(settings.current().mme_rule_set))
    known: dict[tuple[Any, ...], Supply] = {}
    found: dict[int, Supply] = {}
    for number, filled_on, sold_on, *facts in models.database.execute(query):
        alike = tuple(facts)
        if alike not in known:
            known[alike] = _supply(alike, supplies)
        first: date = day.python_value(sold_on or filled_on)
        found[number] = replace(known[alike], row_code=str(number), first=first)
    return found


def _supply(alike: tuple[Any, ...], supplies: Supplies) -> Supply:
    """Make a supply of what is equal for fills that are alike."""
    row = {
        column.name: column.python_value(value)
        for column, value in zip(_ALIKE, alike, strict=True)
    }
    amount = supplies.of(row)
    return Supply(
        row_code="",
        first=date.min,
        days=row["days_supply"],
        drug=row["drug_name"],
        drug_class=amount.drug_class,
        ingredient=row["ingredient"],
        product=amount.product,
        long_acting=row["long_acting"],
        mme=amount.mme,
        daily_mg=amount.daily_mg,
        daily_acetaminophen_mg=amount.daily_acetaminophen_mg,
        prescriber=0,
        pharmacy=0,
    )
