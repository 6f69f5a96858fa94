"""Who a search may mean: patients found by name and birth date, each with the reason.

Every question is answered from an index: one birth date's names, or one sound with a
few birth dates. Names are compared here, among those; of who fits all else is read.
Same-named people with different birth dates are offered, never taken.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

from peewee import fn

from models import Dispensation, DispensationStatus, ReportedIdentity, Species
from pmp import withheld, wording
from pmp.lookup.spellings import (
    WORDS,
    Near,
    date_slips,
    is_near_to,
    near,
    share_a_part,
)
from pmp.matching.identities import name_key, name_parts, sound
from pmp.prepared import Given, among, as_date, prepared

MOST = 20
_SAME_DAY = 9
_SWAPPED = 9
_COLUMNS = (
    ReportedIdentity.id,
    ReportedIdentity.patient,
    ReportedIdentity.last_name,
    ReportedIdentity.first_name,
    ReportedIdentity.middle_name,
    ReportedIdentity.birth_date,
    ReportedIdentity.sex,
    ReportedIdentity.street,
    ReportedIdentity.city,
    ReportedIdentity.state,
    ReportedIdentity.zip,
    ReportedIdentity.species,
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Candidate:
    """A patient as one of the reported identities shows them. `why` are sentences."""

    patient_id: int
    name: str
    first_name: str
    last_name: str
    birth_date: date
    sex: str
    place: str
    is_animal: bool
    is_exact: bool
    rank: int
    why: tuple[str, ...]
    last_fill: date | None = None


@dataclass(frozen=True)
class _Typed:
    first_name: str
    last_name: str
    birth_date: date
    zip: str

    @cached_property
    def keys(self) -> tuple[str, str]:
        return name_key(self.first_name), name_key(self.last_name)


class _Named(NamedTuple):
    """An identity as far as names are compared: what the index of a day holds."""

    id: int
    last_name: str
    first_name: str
    last_key: str
    first_key: str
    zip: str
    birth_date: date


class _Fit(NamedTuple):
    """How well somebody fits what was typed; `why` are sentences."""

    rank: int
    why: tuple[str, ...]
    is_exact: bool

    @classmethod
    def of(cls, rank: int, *why: str, same_day: bool, is_exact: bool = False) -> "_Fit":
        day = "is the same" if same_day else "differs in one digit, or two are swapped"
        ranked = rank * 2 + (_SAME_DAY if same_day else 0)
        return cls(ranked, (*why, f"Birth date {day}."), is_exact)


def find(
    *,
    first_name: str,
    last_name: str,
    birth_date: date,
    similar: bool,
    zip_code: str = "",
) -> list[Candidate]:
    """Give the patients that fit, the likeliest first, at most MOST + 1.

    Without `similar` names and birth date must be the same but for case, accents and
    punctuation. With it, beginnings, spelling, sound, short forms, swapped and double
    names and one wrong digit of the birth date are forgiven, and with a ZIP code
    another last name; each is named in `why`. A ZIP code narrows to those who were
    reported to live there, if any were; else nobody is exact.
    """
    typed = _Typed(first_name, last_name, birth_date, zip_code[:5])
    rows = _similar(typed) if similar else _of_same_name(typed)
    fitting = {row["id"]: _candidate(row, fit) for row, fit in rows}
    patients = {each.patient_id for each in fitting.values()}
    some_withheld = any(row["some_withheld"] for row, _ in rows)
    hidden = withheld.only_withheld_identities(patients) if some_withheld else set()
    found = _narrowed(_best(fitting, hidden), typed.zip, hidden)
    return sorted(found, key=lambda each: (-each.rank, each.name))[: MOST + 1]


def _best(fitting: Mapping[int, Candidate], hidden: set[int]) -> list[Candidate]:
    """Give each patient as the identity shows it that fits best, of those not hidden.

    Of whom nothing but withheld fills is known, every way of being reported is hidden.
    """
    patients = {each.patient_id for each in fitting.values()}
    unknown = withheld.only_withheld(patients) if hidden else set()
    best: dict[int, Candidate] = {}
    for number, candidate in fitting.items():
        if number in hidden or candidate.patient_id in unknown:
            continue
        known = best.get(candidate.patient_id)
        if known is None or candidate.rank > known.rank:
            best[candidate.patient_id] = candidate
    return list(best.values())


def _of_same_name(typed: _Typed) -> list[tuple[Row, _Fit]]:
    rows: list[Row] = _of_name(born=typed.birth_date, last_key=typed.keys[1])
    return [
        (row, fit)
        for row in rows
        if (fit := _fit(_named(row), typed)) is not None and fit.is_exact
    ]


def _similar(typed: _Typed) -> list[tuple[Row, _Fit]]:
    """Give who fits of all born that day, and of those of a slip who are called so.

    Last and first name may be swapped and the date a slip, but not both.
    """
    slips, heard = sorted(date_slips(typed.birth_date)), sound(typed.last_name)
    # Who is called the same sounds the same, but for names without any sound.
    named = (
        _names_of_sound(day=typed.birth_date, days=slips, sound=heard)
        if heard
        else _names_of_key(day=typed.birth_date, days=slips, last_key=typed.keys[1])
    )
    fits = {
        each.id: fit
        for each in map(_Named._make, _alike(named, typed))
        if (fit := _fit(each, typed)) is not None
    }
    rows: list[Row] = _of_ids(ids=list(fits)) if fits else []
    return [(row, fits[row["id"]]) for row in rows]


def _alike(named: Iterable[tuple[Any, ...]], typed: _Typed) -> list[tuple[Any, ...]]:
    """Give who may fit, quickly: whoever is left out, `_fit` would leave out."""
    first_typed, last_typed = typed.keys
    is_double, is_near = len(name_parts(typed.last_name)) > 1, is_near_to(last_typed)
    return [
        each
        for each in named
        for _, last_name, _, last_key, first_key, zip_code, _ in (each,)
        if is_near(last_key)
        or (last_key, first_key) == (first_typed, last_typed)
        or (typed.zip and zip_code[:5] == typed.zip)
        or (
            (is_double or not last_name.isalpha()) and _near(typed.last_name, last_name)
        )
    ]


def _where(condition: Any) -> Any:
    """Give the query of identities, with the last fill of whose they are."""
    his = Dispensation.patient == ReportedIdentity.patient
    stands = his & (Dispensation.status == DispensationStatus.CURRENT)
    last: Any = Dispensation.select(fn.MAX(Dispensation.filled_on))
    return (
        ReportedIdentity.select(
            *_COLUMNS,
            last.where(stands & withheld.shown()).alias("last_fill"),
            withheld.some(his).alias("some_withheld"),
        )
        .where(condition)
        .dicts()
    )


@prepared
def _of_name() -> Any:
    born = ReportedIdentity.birth_date == Given("born")
    return _where(born & (ReportedIdentity.last_key == Given("last_key")))


@prepared
def _of_ids() -> Any:
    # In this order names that fit alike are shown as who was reported last.
    return _where(among(ReportedIdentity.id, "ids")).order_by(ReportedIdentity.id)


@prepared
def _names_of_sound() -> Any:
    return _names(ReportedIdentity.last_sound == Given("sound"))


@prepared
def _names_of_key() -> Any:
    return _names(ReportedIdentity.last_key == Given("last_key"))


def _names(called_so: Any) -> Any:
    """Give the names of a day, and of some days' people who are called so.

    Those of a day stand in one index: their rows lie all over the table.
    """
    table: Any = ReportedIdentity
    names = table.select(*(getattr(table, name) for name in _Named._fields))
    days = among(table.birth_date, "days")
    both = names.where(table.birth_date == Given("day")) + names.where(called_so & days)
    return both.tuples()


def _named(row: Row) -> _Named:
    return _Named(
        id=row["id"],
        last_name=row["last_name"],
        first_name=row["first_name"],
        last_key=name_key(row["last_name"]),
        first_key=name_key(row["first_name"]),
        zip=row["zip"],
        birth_date=row["birth_date"],
    )


def _fit(named: _Named, typed: _Typed) -> _Fit | None:
    """Tell how a person's name, birth date and ZIP code fit; None if they do not."""
    same_day = named.birth_date == typed.birth_date
    last = _near(typed.last_name, named.last_name)
    is_swapped = typed.keys == (named.last_key, named.first_key)
    if not last and not is_swapped and not typed.zip:
        return None  # most of a birth date's people
    first = _near(typed.first_name, named.first_name, given_name=True)
    is_exact = same_day and first is last is Near.SAME
    if is_swapped and not is_exact:
        swapped = "First and last name are swapped."
        return _Fit.of(_SWAPPED, swapped, same_day=same_day)
    lives_there = bool(typed.zip) and named.zip[:5] == typed.zip
    if not last and first >= Near.NICKNAME and same_day and lives_there:
        same = (f"First name {WORDS[first]}.", "ZIP code is the same.")
        return _Fit.of(int(first), "The last name is another.", *same, same_day=True)
    if not first or not last or (not same_day and first < Near.NICKNAME):
        return None
    reasons = (f"Last name {WORDS[last]}.", f"First name {WORDS[first]}.")
    return _Fit.of(first + last, *reasons, same_day=same_day, is_exact=is_exact)


def _near(typed: str, reported: str, *, given_name: bool = False) -> Near:
    found = near(name_key(typed), name_key(reported), given_name=given_name)
    if found < Near.DOUBLE and share_a_part(name_parts(typed), name_parts(reported)):
        return Near.DOUBLE
    return found


def _candidate(row: Row, fit: _Fit) -> Candidate:
    parts = (row["street"], row["city"], row["state"])
    return Candidate(
        patient_id=row["patient"],
        name=wording.person_name(
            row["last_name"], row["first_name"], row["middle_name"]
        ),
        first_name=row["first_name"],
        last_name=row["last_name"],
        birth_date=row["birth_date"],
        sex=row["sex"],
        place=", ".join(part for part in parts if part),
        is_animal=row["species"] is Species.ANIMAL,
        is_exact=fit.is_exact,
        rank=fit.rank,
        why=fit.why,
        last_fill=as_date(row["last_fill"]),
    )


def _narrowed(
    found: list[Candidate], zip_code: str, hidden: set[int]
) -> list[Candidate]:
    """Keep those reported in a ZIP code; all, as candidates, if none of them was."""
    if not zip_code or not found:
        return found
    there = _patients_in(zip_code, [each.patient_id for each in found], hidden)
    if near_by := [each for each in found if each.patient_id in there]:
        return near_by
    why = f"No address in {zip_code} was reported."
    return [replace(each, is_exact=False, why=(*each.why, why)) for each in found]


def _patients_in(
    zip_code: str, patient_ids: Iterable[int], hidden: set[int]
) -> set[int]:
    """Give who was reported in a ZIP code, but for `hidden` identities."""
    rows: Any = (
        ReportedIdentity.select(ReportedIdentity.id, ReportedIdentity.patient)
        .where(
            ReportedIdentity.patient.in_(list(patient_ids))
            & (fn.SUBSTR(ReportedIdentity.zip, 1, 5) == zip_code)
        )
        .tuples()
    )
    return {patient for number, patient in rows if number not in hidden}
