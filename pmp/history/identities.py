"""How a person was reported, and why these reports were taken for one person.

A prescriber reads the reasons in words; weights stay with the program's staff.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from models import (
    DecidedIdentity,
    DecisionKind,
    Dispensation,
    DispensationStatus,
    MatchDecision,
    ReportedIdentity,
    Species,
)
from pmp import withheld, wording
from pmp.prepared import Given, Question, prepared

# What matching writes down of a field, as a reader says it.
_SAID = {
    "a slip apart": "one typing slip apart",
    "one is part of the other": "one a part of the other",
    "a short form": "a short form of the other",
    "same initial": "same initial",
    "first and last swapped": "first and last swapped",
    "one that many people share": "shared by many people",
}
# Postgres keeps no order of them.
_ORDER = (
    "name",
    "first name",
    "last name",
    "middle name",
    "animal",
    "date of birth",
    "sex",
    "street",
    "ZIP code",
    "phone",
)
_WEIGHT = re.compile(r" \([^()]*[+-]?\d[\d.]*\)$")


@dataclass(frozen=True)
class Identity:
    """One way in which dispensers reported this person, and why it counts as theirs."""

    name: str
    birth_date: date
    sex: str
    place: str
    is_animal: bool
    why: str = field(default="", compare=False)


def of_patient(patient_id: int) -> list[Identity]:
    """List how the patient was reported, the one of the newest fill first."""
    newest = _of_newest_fill.one(patient=patient_id) or (None,)
    rows = _reported_as(patient=patient_id)
    hidden = withheld.only_withheld_identities([patient_id])
    shown = [row for row in rows if row.id not in hidden] or rows
    ordered = sorted(shown, key=lambda row: row.id != newest[0])
    decided = {number for (number,) in _placed_by_staff(patient=patient_id)}
    found = (identity_of(row, by_staff=row.id in decided) for row in ordered)
    return list(dict.fromkeys(found))


def asked(patient_id: int) -> list[Question]:
    """Give what `of_patient` asks, for `pmp.prepared.ahead`."""
    return [
        *(
            query.asked(patient=patient_id)
            for query in (_of_newest_fill, _reported_as, _placed_by_staff)
        ),
        withheld.only_withheld_identities_asked([patient_id]),
    ]


@prepared
def _of_newest_fill() -> Any:
    return (
        Dispensation.select(Dispensation.identity)
        .where(
            (Dispensation.patient == Given("patient"))
            & (Dispensation.status == DispensationStatus.CURRENT)
            & withheld.shown()
        )
        .order_by(Dispensation.filled_on.desc(), Dispensation.id.desc())
        .limit(1)
        .tuples()
    )


@prepared
def _reported_as() -> Any:
    return (
        ReportedIdentity.select()
        .where(ReportedIdentity.patient == Given("patient"))
        .order_by(ReportedIdentity.linked_at.desc(), ReportedIdentity.id.desc())
    )


@prepared
def _placed_by_staff() -> Any:
    """Give the query of identities that stand here by a decision that holds."""
    return (
        DecidedIdentity.select(DecidedIdentity.identity)
        .join(MatchDecision)
        .where(DecidedIdentity.after == Given("patient"))
        .where(DecidedIdentity.before != Given("patient"))
        .where(MatchDecision.undone_at.is_null())
        .where(MatchDecision.kind != DecisionKind.KEEP_APART)
        .tuples()
    )


def why_joined(
    rule: str, evidence: Mapping[str, object], *, by_staff: bool = False
) -> str:
    """Say in a sentence why a report was taken for this person's.

    `evidence` maps a field to what matching found in it, such as
    "same (+8.0)" or "same (KOWALSKI, rare: +14.2)".
    """
    if by_staff:
        return "Program staff decided that this is the same person."
    if not evidence:
        return "The first report of this person." if "first report" in rule else ""
    found = {
        field: _WEIGHT.sub("", says)
        for field, says in sorted(evidence.items(), key=_place)
        if isinstance(says, str)
    }
    same = [field for field, says in found.items() if says == "same"]
    others = [
        f"{field} {_SAID.get(says, says)}"
        for field, says in found.items()
        if says != "same"
    ]
    parts = [*([f"same {_listed(same)}"] if same else []), *others]
    words = "; ".join(parts)
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _place(item: tuple[str, object]) -> tuple[int, str]:
    field = item[0]
    return (_ORDER.index(field) if field in _ORDER else len(_ORDER)), field


def _listed(words: list[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def identity_of(row: ReportedIdentity, *, by_staff: bool = False) -> Identity:
    """Give an identity as a report lists it; some differ in what it leaves out."""
    parts = (row.street, row.city, row.state, row.zip)
    name = wording.person_name(row.last_name, row.first_name, row.middle_name)
    return Identity(
        name=f"{name} {row.suffix}".strip().upper(),
        birth_date=row.birth_date,
        sex=row.sex,
        place=", ".join(part for part in parts if part),
        is_animal=row.species is Species.ANIMAL,
        why=why_joined(row.link_rule, row.link_evidence, by_staff=by_staff),
    )
