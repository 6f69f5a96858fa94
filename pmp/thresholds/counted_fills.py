"""The fills that threshold rules look at, with what the rules in force ask of them.

A rule of prescribers and pharmacies asks for seven columns; classes, exclusions,
practices and supplies are read only where a rule asks for them. Voided entries, those
of animals, and what administrators alone may see count for no rule.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

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
from pmp.history import entries
from pmp.thresholds import practices
from pmp.thresholds.crossings import Fill, Numbers

# What some kind of rule adds up; of a compound and of what nobody knows there is no
# amount, as in a patient report.
_ADDED_UP = (DrugClass.OPIOID, DrugClass.BUPRENORPHINE, DrugClass.BENZODIAZEPINE)
_SUPPLY = (
    "id",
    "row_code",
    "filled_on",
    "sold_on",
    "product_qualifier",
    "quantity",
    "days_supply",
    "units",
    "drug_name",
    "ingredient",
    "strength",
    "strength_unit",
    "form",
    "drug_class",
    "long_acting",
    "mme_key",
    "acetaminophen_mg",
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


def may_reach(patient_ids: Sequence[int]) -> set[int]:
    """Give the patients who have any fill that a kind but providers adds up."""
    query: Any = (
        Dispensation.select(Dispensation.patient)
        .where(bulk.among(Dispensation.patient, patient_ids))
        .where(Dispensation.drug_class.in_(_ADDED_UP))
        .where(withheld.shown())
        .distinct()
        .tuples()
    )
    return {patient for (patient,) in query}


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
    """Give what adds to a fill the facts that some rule asks for; mostly nothing."""
    found: list[Callable[[Fill], Fill]] = []
    if any(rule.drug_classes for rule in rules):
        classes = _facts(ids, Dispensation.drug_class)
        found.append(lambda fill: fill._replace(drug_class=classes[fill.id].value))
    if any(rule.exclusions for rule in rules):
        reported = _facts(ids, Dispensation.care, only=~Dispensation.care.is_null())
        found.append(lambda fill: fill._replace(care=care.read(reported.get(fill.id))))
    if any(rule.practices_once for rule in rules):
        practice = practices.of_prescribers(
            set(_facts(ids, Dispensation.prescriber).values())
        )
        found.append(lambda fill: fill._replace(practice=practice[fill.prescriber]))
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
    """Give what each fill amounts to, under the MME factors in force."""
    rules = mme.rule_set(settings.current().mme_rule_set)
    query: Any = (
        Dispensation.select(
            *(getattr(Dispensation, name) for name in _SUPPLY),
            Dispensation.prescriber.alias("prescriber_id"),
            Dispensation.pharmacy.alias("pharmacy_id"),
        )
        .join(ReportedIdentity)
        .where(_standing(ids))
        .where(Dispensation.drug_class.in_(_ADDED_UP))
        .dicts()
    )
    return {row["id"]: entries.supply_of(row, rules=rules) for row in query}
