"""What a submission reports, typed: dispensations, zero reports, who and what."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from pmp import identifiers
from pmp.asap.advice import social_security_elements
from pmp.asap.dates import zero_days
from pmp.asap.draft import Draft


class Status(StrEnum):
    """DSP01: what the pharmacy asks for."""

    NEW = "new"
    REVISE = "revise"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Pharmacy:
    """The PHA segment.  An element that was not sent is “”."""

    dea: str
    ncpdp: str
    npi: str
    name: str
    street: str
    street_2: str
    city: str
    state: str
    zip: str
    phone: str
    contact: str
    site: str
    permit: str


@dataclass(frozen=True, slots=True)
class PatientIdentity:
    """The PAT segment, as the pharmacy wrote it, blanks trimmed.

    `sex` is F, M, U or “”; `species` is “human” or “animal”; `birth_date` is None
    only on a void.  A Social Security number is never carried: `id_number` is “”.
    """

    last: str
    first: str
    middle: str
    suffix: str
    birth_date: date | None
    sex: str
    street: str
    street_2: str
    city: str
    state: str
    zip: str
    phone: str
    country: str
    species: str
    animal_name: str
    id_jurisdiction: str
    id_qualifier: str
    id_number: str


@dataclass(frozen=True, slots=True)
class Prescriber:
    """The PRE segment; all “” when a void came without one."""

    dea: str
    dea_suffix: str
    npi: str
    licence: str
    licence_state: str
    last: str
    first: str
    middle: str
    phone: str


@dataclass(frozen=True, slots=True)
class Ingredient:
    """One CDI segment of a compound.  `ndc` has 11 digits, or is “” if it is no NDC."""

    sequence: int
    product_id: str
    ndc: str
    quantity: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Dispensing:
    """One DSP with its PAT, PRE, CDI and PHA, typed.

    `quantity` is metric, in `unit` (01 each, 02 ml, 03 g); `days_supply` is in days;
    `fill_number` is 0 for the original fill; `partial_number` is 0 for a full fill
    and n for the n-th partial, whatever the version's sense of DSP13 is; `ndc` has
    11 digits and is “” for a compound.  Codes (`unit`, `origin`, `payment`,
    `treatment`) are two digits or “”.
    """

    status: Status
    pharmacy: Pharmacy
    patient: PatientIdentity
    prescriber: Prescriber
    prescription_number: str
    written_on: date
    refills_authorised: int
    filled_on: date
    sold_on: date | None
    fill_number: int
    partial_number: int
    compound: bool
    product_id: str
    ndc: str
    quantity: Decimal
    days_supply: int
    unit: str
    origin: str
    payment: str
    treatment: str
    diagnosis: str
    directions: str
    ingredients: tuple[Ingredient, ...]


@dataclass(frozen=True, slots=True)
class ZeroReport:
    """“Nothing dispensed” by one pharmacy, for each day from `since` to `until`."""

    pharmacy: Pharmacy
    since: date
    until: date


_STATUSES = {"": Status.NEW, "00": Status.NEW, "01": Status.REVISE, "02": Status.VOID}
_FULL_FILL_AS_FLAG = {"4.0", "4.1"}


def status_of(draft: Draft) -> Status | None:
    """Read DSP01; None if it is none of the three.  Empty means new in 4.0 and 4.1."""
    return _STATUSES.get(draft["DSP01"] and draft["DSP01"].zfill(2))


def dispensing_of(draft: Draft, pharmacy: Pharmacy) -> Dispensing:
    """Give the typed view of a record that has no errors; a zero report has none."""
    return Dispensing(
        status=status_of(draft) or Status.NEW,
        pharmacy=pharmacy,
        patient=_patient_of(draft),
        prescriber=_prescriber_of(draft),
        prescription_number=draft["DSP02"],
        written_on=_day(draft, "DSP03"),
        refills_authorised=int(draft["DSP04"]),
        filled_on=_day(draft, "DSP05"),
        sold_on=draft.day("DSP17"),
        fill_number=int(draft["DSP06"]),
        partial_number=_partial_of(draft),
        compound=draft.compound,
        product_id=draft["DSP08"],
        ndc="" if draft.compound else identifiers.parse_ndc(draft["DSP08"]),
        quantity=Decimal(draft["DSP09"]),
        days_supply=int(draft["DSP10"]),
        unit=_code(draft, "DSP11"),
        origin=_code(draft, "DSP12"),
        payment=_code(draft, "DSP16"),
        treatment=_code(draft, "DSP24"),
        diagnosis=draft["DSP25"].replace(".", ""),
        directions=draft["DSP23"],
        ingredients=tuple(
            _ingredient_of(draft, nth, place)
            for place, nth in enumerate(draft.ingredients(), start=1)
        ),
    )


def pharmacy_of(draft: Draft) -> Pharmacy:
    """Give the PHA segment."""
    return Pharmacy(
        dea=draft["PHA03"].upper(),
        ncpdp=draft["PHA02"],
        npi=draft["PHA01"],
        name=draft["PHA04"],
        street=draft["PHA05"],
        street_2=draft["PHA06"],
        city=draft["PHA07"],
        state=draft["PHA08"].upper(),
        zip=draft["PHA09"],
        phone=draft["PHA10"],
        contact=draft["PHA11"],
        site=draft["PHA12"],
        permit=draft["PHA13"],
    )


def zero_report_of(draft: Draft, pharmacy: Pharmacy) -> ZeroReport:
    """Give the days of a zero report that has no errors."""
    since, until = zero_days(draft)
    if since is None or until is None:
        raise ValueError("the zero report has no days")
    return ZeroReport(pharmacy=pharmacy, since=since, until=until)


def _patient_of(draft: Draft) -> PatientIdentity:
    return PatientIdentity(
        last=draft["PAT07"],
        first=draft["PAT08"],
        middle=draft["PAT09"],
        suffix=draft["PAT11"],
        birth_date=draft.day("PAT18"),
        sex=draft["PAT19"].upper(),
        street=draft["PAT12"],
        street_2=draft["PAT13"],
        city=draft["PAT14"],
        state=draft["PAT15"].upper(),
        zip=draft["PAT16"],
        phone=draft["PAT17"],
        country=draft["PAT22"],
        species="animal" if draft.animal else "human",
        animal_name=draft["PAT23"],
        id_jurisdiction=draft["PAT01"],
        id_qualifier=_code(draft, "PAT02"),
        id_number="" if "PAT03" in social_security_elements(draft) else draft["PAT03"],
    )


def _prescriber_of(draft: Draft) -> Prescriber:
    return Prescriber(
        dea=draft["PRE02"].upper(),
        dea_suffix=draft["PRE03"],
        npi=draft["PRE01"],
        licence=draft["PRE04"],
        licence_state=draft["PRE10"],
        last=draft["PRE05"],
        first=draft["PRE06"],
        middle=draft["PRE07"],
        phone=draft["PRE08"],
    )


def _ingredient_of(draft: Draft, nth: str, place: int) -> Ingredient:
    product_id, number = draft[f"CDI03{nth}"], draft[f"CDI01{nth}"]
    is_ndc = _code(draft, f"CDI02{nth}") == "01"
    return Ingredient(
        sequence=int(number) if number.isdecimal() else place,
        product_id=product_id,
        ndc=identifiers.parse_ndc(product_id) if is_ndc else "",
        quantity=Decimal(draft[f"CDI04{nth}"]),
        unit=_code(draft, f"CDI05{nth}"),
    )


def _partial_of(draft: Draft) -> int:
    """Read DSP13: until 4.1 it says yes or no (01, 02), from 4.2 on which partial."""
    number = int(draft["DSP13"] or 0)
    if draft.version in _FULL_FILL_AS_FLAG:
        return 1 if number == 1 else 0
    return number


def _code(draft: Draft, element: str) -> str:
    text = draft[element]
    return text.zfill(2) if text else ""


def _day(draft: Draft, element: str) -> date:
    day = draft.day(element)
    if day is None:
        raise ValueError(f"{element} is not a date")
    return day
