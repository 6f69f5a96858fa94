"""Fills that administrators alone may see (naloxone, where a state says so).

They are stored, voided and corrected like others, and stand in no look-up, report,
threshold or case; a person who is known by such fills alone is not found. The pharmacy
that reported one still sees it among its own records. `counts` are for administrators.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from peewee import SQL, fn

from models import Dispensation, DispensationStatus, Pharmacy, User
from pmp import audit
from pmp.errors import RuleError
from pmp.permissions import Permission, can
from pmp.prepared import Prepared, Question, among, prepared


@dataclass(frozen=True)
class Count:
    """How many fills of a drug a pharmacy dispensed; no patient is in it."""

    drug: str
    why: str
    pharmacy: str
    fills: int
    patients: int
    first: date
    last: date


def shown() -> Any:
    """Give the condition that a dispensation may be shown to users."""
    return Dispensation.withheld.is_null()


def some(whose: Any) -> Any:
    """Give the expression that tells whether there are any that may not be shown."""
    return fn.EXISTS(Dispensation.select(SQL("1")).where(whose, _withheld()))


def shown_to(by: User) -> Any:
    """Give the condition that a dispensation, or none, may be shown to a user."""
    return SQL("1 = 1") if can(by.role, Permission.WITHHELD_READ) else shown()


def may_see(dispensation: Dispensation | None, by: User) -> bool:
    """Tell whether an entry, if there is one, is not withheld from a staff member."""
    is_withheld = dispensation is not None and dispensation.withheld is not None
    return not is_withheld or can(by.role, Permission.WITHHELD_READ)


def only_withheld(patient_ids: Collection[int]) -> set[int]:
    """Give those of the patients of whom every fill is withheld."""
    return _all_withheld(Dispensation.patient, _some_patients, patient_ids)


def only_withheld_identities(patient_ids: Collection[int]) -> set[int]:
    """Give the ways in which patients were reported with withheld fills alone."""
    return _all_withheld(Dispensation.identity, _some_identities, patient_ids)


def only_withheld_identities_asked(patient_ids: Collection[int]) -> Question:
    """Give what `only_withheld_identities` asks first, for `pmp.prepared.ahead`."""
    return _some_identities.asked(patients=sorted(patient_ids))


def counts(
    *, since: date, until: date, by: User, address: str = "", at: datetime
) -> Sequence[Count]:
    """Count the withheld fills of a period by drug and pharmacy, on the audit record.

    RuleError if the period ends before it begins.
    """
    if until < since:
        raise RuleError("The last day is before the first day.", field="until")
    audit.record(
        audit.Event.WITHHELD_COUNTED,
        actor=by.username,
        subject="dispensations:withheld",
        at=at,
        address=address,
        detail={"since": since.isoformat(), "until": until.isoformat()},
    )
    drug, why = Dispensation.ingredient, Dispensation.withheld
    fills = fn.COUNT(Dispensation.id)
    rows: Any = (
        Dispensation.select(
            drug,
            why,
            Pharmacy.name,
            fills,
            fn.COUNT(Dispensation.patient.distinct()),
            fn.MIN(Dispensation.filled_on),
            fn.MAX(Dispensation.filled_on),
        )
        .join(Pharmacy)
        .where(_withheld())
        .where(Dispensation.status == DispensationStatus.CURRENT)
        .where(Dispensation.filled_on.between(since, until))
        .group_by(drug, why, Pharmacy.id, Pharmacy.name)
        .order_by(drug, fills.desc(), Pharmacy.name)
        .tuples()
    )
    return [Count(*row) for row in rows]


def _all_withheld(
    column: Any, some: Prepared, patient_ids: Collection[int]
) -> set[int]:
    """Give what of a column stands with withheld fills alone, among these patients.

    Hardly anybody has any: only theirs are counted.
    """
    wanted = sorted(patient_ids)
    concerned = [number for (number,) in some(patients=wanted)] if wanted else []
    if not concerned:
        return set()
    every, withheld = fn.COUNT(Dispensation.id), fn.COUNT(Dispensation.withheld)
    rows: Any = (
        Dispensation.select(column)
        .where(Dispensation.patient.in_(wanted), column.in_(concerned))
        .group_by(column)
        .having(every == withheld)
        .tuples()
    )
    return {number for (number,) in rows}


@prepared
def _some_patients() -> Any:
    of_them = among(Dispensation.patient, "patients")
    query = Dispensation.select(Dispensation.patient).where(of_them, _withheld())
    return query.distinct().tuples()


@prepared
def _some_identities() -> Any:
    of_them = among(Dispensation.patient, "patients")
    query = Dispensation.select(Dispensation.identity).where(of_them, _withheld())
    return query.distinct().tuples()


def _withheld() -> Any:
    return Dispensation.withheld.is_null(is_null=False)
