"""Who a search may mean: patients found by name and birth date, each with the reason.

Only the index on birth dates is used; names are compared here, in one birth date's
rows. Same-named people with different birth dates are offered, never taken.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from peewee import fn

from models import Dispensation, DispensationStatus, ReportedIdentity, Species
from pmp import withheld, wording
from pmp.lookup.spellings import WORDS, Near, date_slips, near
from pmp.matching.identities import name_key

MOST = 20


@dataclass(frozen=True)
class Candidate:
    """A patient as one of the reported identities shows them. `why` are sentences."""

    patient_id: int
    name: str
    birth_date: date
    sex: str
    place: str
    is_animal: bool
    is_exact: bool
    rank: int
    why: tuple[str, ...]
    last_fill: date | None = None


def find(
    *, first_name: str, last_name: str, birth_date: date, similar: bool
) -> list[Candidate]:
    """Give the patients that fit, the likeliest first, at most MOST + 1.

    Without `similar` names and birth date must be the same but for case, accents and
    punctuation. With it, spelling, sound, short forms, swapped names and one wrong
    digit of the birth date are forgiven, each named in `why`.
    """
    typed = (name_key(first_name), name_key(last_name))
    rows = list(_born([birth_date]))
    if similar:
        rows += _born_otherwise(birth_date, typed[1])
    best: dict[int, Candidate] = {}
    for row in rows:
        candidate = _compared(row, typed, birth_date)
        if candidate is None or not (similar or candidate.is_exact):
            continue
        known = best.get(candidate.patient_id)
        if known is None or candidate.rank > known.rank:
            best[candidate.patient_id] = candidate
    for patient_id in withheld.only_withheld(best.keys()):
        del best[patient_id]
    ranked = sorted(best.values(), key=lambda each: (-each.rank, each.name))
    return _with_last_fills(ranked[: MOST + 1])


def _born(days: Iterable[date]) -> list[dict[str, Any]]:
    rows: Any = (
        ReportedIdentity.select()
        .where(ReportedIdentity.birth_date.in_(list(days)))
        .dicts()
    )
    return list(rows)


def _born_otherwise(birth_date: date, last_key: str) -> list[dict[str, Any]]:
    rows: Any = (
        ReportedIdentity.select()
        .where(
            ReportedIdentity.birth_date.in_(sorted(date_slips(birth_date)))
            & (ReportedIdentity.last_key == last_key)
        )
        .dicts()
    )
    return list(rows)


def _compared(
    row: dict[str, Any], typed: tuple[str, str], birth_date: date
) -> Candidate | None:
    first_key, last_key = name_key(row["first_name"]), name_key(row["last_name"])
    same_day = row["birth_date"] == birth_date
    first = near(typed[0], first_key, given_name=True)
    last = near(typed[1], last_key)
    is_exact = same_day and first is last is Near.SAME
    if typed == (last_key, first_key) and not is_exact:
        why = ("First and last name are swapped.",)
        return _candidate(row, rank=9, why=why, same_day=same_day)
    if not first or not last or (not same_day and first < Near.NICKNAME):
        return None
    reasons = (f"Last name {WORDS[last]}.", f"First name {WORDS[first]}.")
    return _candidate(
        row, rank=first + last, why=reasons, same_day=same_day, is_exact=is_exact
    )


def _candidate(
    row: dict[str, Any],
    *,
    rank: int,
    why: tuple[str, ...],
    same_day: bool,
    is_exact: bool = False,
) -> Candidate:
    day = "is the same" if same_day else "differs in one digit, or two are swapped"
    parts = (row["street"], row["city"], row["state"])
    return Candidate(
        patient_id=row["patient"],
        name=wording.person_name(
            row["last_name"], row["first_name"], row["middle_name"]
        ),
        birth_date=row["birth_date"],
        sex=row["sex"],
        place=", ".join(part for part in parts if part),
        is_animal=row["species"] is Species.ANIMAL,
        is_exact=is_exact,
        rank=rank * 2 + (9 if same_day else 0),
        why=(*why, f"Birth date {day}."),
    )


def _with_last_fills(found: list[Candidate]) -> list[Candidate]:
    rows: Any = (
        Dispensation.select(Dispensation.patient, fn.MAX(Dispensation.filled_on))
        .where(
            Dispensation.patient.in_([each.patient_id for each in found])
            & (Dispensation.status == DispensationStatus.CURRENT)
            & withheld.shown()
        )
        .group_by(Dispensation.patient)
        .tuples()
    )
    last_fills = dict(rows)
    return [replace(each, last_fill=last_fills.get(each.patient_id)) for each in found]
