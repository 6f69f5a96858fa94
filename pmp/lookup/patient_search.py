"""Who a search may mean: patients found by name and birth date, each with the reason.

Every question is answered from an index: one birth date's names, or one sound with a
few birth dates. Names are compared here, among those. Same-named people with different
birth dates are offered, never taken. A search is two journeys to the database: who may
be meant, then all that is to be known of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
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
from pmp.prepared import Given, ahead, among, at_once, prepared

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


class _Typed(NamedTuple):
    first_name: str
    last_name: str
    birth_date: date
    zip: str

    @property
    def keys(self) -> tuple[str, str]:
        return name_key(self.first_name), name_key(self.last_name)


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
    if similar:
        others, same_day = _similar(typed)
    else:
        others, same_day = _of_name(born=birth_date, last_key=typed.keys[1]), {}
    fitting = _fitting(others, typed, similar=similar)
    patients = {each.patient_id for each in fitting.values()} | set(same_day.values())
    if not patients:
        return []
    numbers = list(same_day)
    with ahead(
        *([_of_ids.asked(ids=numbers)] if numbers else []),
        withheld.only_withheld_identities_asked(patients),
        _last_fills.asked(patients=patients),
    ):
        if numbers:
            fitting = _fitting(_of_ids(ids=numbers), typed, similar=True) | fitting
        hidden = withheld.only_withheld_identities(patients)
        last_fills = dict(_last_fills(patients=patients))
    best = _best(fitting, hidden)
    found = _narrowed(list(best.values()), typed.zip, hidden)
    ranked = sorted(found, key=lambda each: (-each.rank, each.name))[: MOST + 1]
    return [replace(each, last_fill=last_fills.get(each.patient_id)) for each in ranked]


def _fitting(
    rows: Iterable[Row], typed: _Typed, *, similar: bool
) -> dict[int, Candidate]:
    """Give whom of some identities may be meant, by the identity's id."""
    compared = ((row["id"], _compared(row, typed)) for row in rows)
    return {
        number: candidate
        for number, candidate in compared
        if candidate is not None and (similar or candidate.is_exact)
    }


def _best(fitting: Mapping[int, Candidate], hidden: set[int]) -> dict[int, Candidate]:
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
    return best


def _similar(typed: _Typed) -> tuple[list[Row], dict[int, int]]:
    """Give who is called so and was born on a day that is a slip, and who that day.

    The latter by identity and patient alone: they are few of many, and not yet read.
    Last and first name may be swapped and the date a slip, but not both.
    """
    slips, heard = sorted(date_slips(typed.birth_date)), sound(typed.last_name)
    # Who is called the same sounds the same, but for names without any sound.
    about = (
        _of_sound_about.asked(sound=heard, days=slips)
        if heard
        else _of_name_about.asked(last_key=typed.keys[1], days=slips)
    )
    others, born = at_once(about, _born.asked(day=typed.birth_date))
    return others, _alike(born, typed)


def _alike(born: Iterable[tuple[Any, ...]], typed: _Typed) -> dict[int, int]:
    """Give who of a birth date's people may be meant: identity and patient.

    Whoever is left out, `_compared` would leave out.
    """
    first_typed, last_typed = typed.keys
    is_double, is_near = len(name_parts(typed.last_name)) > 1, is_near_to(last_typed)
    return {
        number: patient
        for number, patient, last_name, last_key, first_key, zip_code in born
        if is_near(last_key)
        or (last_key, first_key) == (first_typed, last_typed)
        or (typed.zip and zip_code[:5] == typed.zip)
        or (
            (is_double or not last_name.isalpha()) and _near(typed.last_name, last_name)
        )
    }


def _where(condition: Any) -> Any:
    return ReportedIdentity.select(*_COLUMNS).where(condition).dicts()


@prepared
def _of_name() -> Any:
    born = ReportedIdentity.birth_date == Given("born")
    return _where(born & (ReportedIdentity.last_key == Given("last_key")))


@prepared
def _of_ids() -> Any:
    return _where(among(ReportedIdentity.id, "ids"))


@prepared
def _of_name_about() -> Any:
    days = among(ReportedIdentity.birth_date, "days")
    return _where((ReportedIdentity.last_key == Given("last_key")) & days)


@prepared
def _of_sound_about() -> Any:
    days = among(ReportedIdentity.birth_date, "days")
    return _where((ReportedIdentity.last_sound == Given("sound")) & days)


@prepared
def _born() -> Any:
    """Give of each what an index holds: their rows lie all over the table."""
    table: Any = ReportedIdentity
    return (
        table.select(
            table.id,
            table.patient,
            table.last_name,
            table.last_key,
            table.first_key,
            table.zip,
        )
        .where(table.birth_date == Given("day"))
        .tuples()
    )


def _compared(row: Row, typed: _Typed) -> Candidate | None:
    first_typed, last_typed = typed.keys
    first_key, last_key = name_key(row["first_name"]), name_key(row["last_name"])
    same_day = row["birth_date"] == typed.birth_date
    last = _near(typed.last_name, row["last_name"])
    is_swapped = (first_typed, last_typed) == (last_key, first_key)
    if not last and not is_swapped and not typed.zip:
        return None  # most of a birth date's people
    first = _near(typed.first_name, row["first_name"], given_name=True)
    is_exact = same_day and first is last is Near.SAME
    if is_swapped and not is_exact:
        swapped = ("First and last name are swapped.",)
        return _candidate(row, rank=_SWAPPED, why=swapped, same_day=same_day)
    if not last and first >= Near.NICKNAME and same_day and _lives_in(row, typed.zip):
        same = (f"First name {WORDS[first]}.", "ZIP code is the same.")
        why = ("The last name is another.", *same)
        return _candidate(row, rank=int(first), why=why, same_day=same_day)
    if not first or not last or (not same_day and first < Near.NICKNAME):
        return None
    reasons = (f"Last name {WORDS[last]}.", f"First name {WORDS[first]}.")
    return _candidate(
        row, rank=first + last, why=reasons, same_day=same_day, is_exact=is_exact
    )


def _near(typed: str, reported: str, *, given_name: bool = False) -> Near:
    found = near(name_key(typed), name_key(reported), given_name=given_name)
    if found < Near.DOUBLE and share_a_part(name_parts(typed), name_parts(reported)):
        return Near.DOUBLE
    return found


def _lives_in(row: Row, zip_code: str) -> bool:
    return bool(zip_code) and row["zip"][:5] == zip_code


def _candidate(
    row: Row,
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
        first_name=row["first_name"],
        last_name=row["last_name"],
        birth_date=row["birth_date"],
        sex=row["sex"],
        place=", ".join(part for part in parts if part),
        is_animal=row["species"] is Species.ANIMAL,
        is_exact=is_exact,
        rank=rank * 2 + (_SAME_DAY if same_day else 0),
        why=(*why, f"Birth date {day}."),
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


@prepared
def _last_fills() -> Any:
    return (
        Dispensation.select(Dispensation.patient, fn.MAX(Dispensation.filled_on))
        .where(
            among(Dispensation.patient, "patients")
            & (Dispensation.status == DispensationStatus.CURRENT)
            & withheld.shown()
        )
        .group_by(Dispensation.patient)
        .tuples()
    )
