"""A pharmacy corrects an entry on the page: the checks of a submission, one entry.

The entry is written out as the elements of an ASAP record, what was typed goes over
them, and `asap.recheck` judges as it judges a file. Elements that an entry does not
keep (directions, ingredients of a compound) are not judged: nobody can mend them here.
See docs/decisions/0014.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from models import (
    Dispensation,
    Licence,
    Pharmacy,
    Prescriber,
    ReportedIdentity,
    Species,
    User,
)
from pmp import (
    asap,
    clock,
    database,
    dispensations,
    drugs,
    matching,
    reporters,
    wording,
)
from pmp.asap.codes import COMPOUND
from pmp.asap.draft import parse_day
from pmp.dispensations import own_entries
from pmp.dispensations.own_entries import Done
from pmp.dispensations.pattern_counts import prescriber_name
from pmp.errors import RuleError
from pmp.history.entries import PAYMENTS
from pmp.thresholds.correction_notices import Field
from pmp.uploads.intake import take_turn
from pmp.uploads.programme import programme
from pmp.uploads.reportable import SHORTEST_DAYS

VERSION = "5.0"
"""Of the elements that an entry is written out as: the longest lengths."""

STREET_LENGTH = 35
COLUMNS = {
    "DSP02": ("prescription_number", "Prescription number"),
    "DSP03": ("written_on", "Written"),
    "DSP04": ("refills_authorized", "Refills authorized"),
    "DSP05": ("filled_on", "Filled"),
    "DSP06": ("fill_number", "Fill number"),
    "DSP08": ("product_code", "NDC"),
    "DSP09": ("quantity", "Quantity"),
    "DSP10": ("days_supply", "Days supply"),
    "DSP11": ("units", "Unit"),
    "DSP13": ("partial", "Partial fill"),
    "DSP16": ("payment", "Payment"),
    "DSP17": ("sold_on", "Sold"),
}
"""Elements of an entry that may be corrected: column, and its words."""

PATIENT = {
    "PAT07": "last name",
    "PAT08": "first name",
    "PAT09": "middle name",
    "PAT11": "suffix",
    "PAT18": "date of birth",
    "PAT19": "sex",
    "PAT12": "street",
    "PAT14": "city",
    "PAT15": "state",
    "PAT16": "ZIP code",
    "PAT17": "phone",
    "PAT23": "name of the animal",
}
"""Elements of the patient that may be corrected; the street is one here."""

PRESCRIBER = ("PRE02", "PRE03")
OFFERED = frozenset({*COLUMNS, *PATIENT, *PRESCRIBER})
_UNITS = {"01": "each", "02": "mL", "03": "g"}


@dataclass(frozen=True)
class Fault:
    """What is wrong with what was typed, and at which element."""

    element: str
    words: str


@dataclass(frozen=True)
class Proposed:
    """What a correction would do: its faults, else each field before and after."""

    faults: Sequence[Fault]
    remarks: Sequence[str] = ()
    fields: Sequence[Field] = ()
    columns: Mapping[str, Any] = field(default_factory=dict)
    reported: asap.Dispensing | None = None


def elements_of(entry: Dispensation) -> dict[str, str]:
    """Write an entry out as the elements of a record that revises it.

    The street is whole, however long it is.
    """
    found = {
        **_pharmacy_elements(entry.pharmacy),
        **_patient_elements(entry.identity),
        "DSP01": "01",
        "DSP07": COMPOUND if _is_compound(entry) else "01",
        "PRE02": entry.prescriber.dea,
        "PRE03": entry.prescriber.dea_suffix,
    }
    for element, (column, _) in COLUMNS.items():
        found[element] = _text(getattr(entry, column))
    return {element: text for element, text in found.items() if text}


def propose(entry: Dispensation, typed: Mapping[str, str], *, at: datetime) -> Proposed:
    """Check what was typed (element id → text; a date as CCYYMMDD). Writes nothing."""
    before = elements_of(entry)
    after = before | {name: text for name, text in typed.items() if name in OFFERED}
    record = asap.recheck(
        after | _street(after),
        version=VERSION,
        today=clock.day_of(at),
        programme=programme(),
    )
    judged = tuple(each for each in record.problems if _offered(each) in OFFERED)
    errors = [each for each in judged if each.severity is not asap.Severity.WARNING]
    if errors:
        return Proposed([Fault(_offered(e), f"{e.message} {e.fix}") for e in errors])
    record.problems = judged
    reported = record.dispensing
    if reported is None:
        raise RuleError("This entry cannot be corrected here. Report an error instead.")
    columns = _changed_columns(entry, reported)
    if faults := _not_stored(reported, columns):
        return Proposed(faults)
    return Proposed(
        faults=[],
        remarks=[f"{each.message} {each.fix}".strip() for each in judged],
        fields=_fields(entry, reported, columns, before, after),
        columns=columns,
        reported=reported,
    )


def correct(
    row_code: str,
    typed: Mapping[str, str],
    *,
    version: int,
    reason: str,
    by: User,
    at: datetime,
) -> Done:
    """Correct one of a user's own entries as proposed; all of it or nothing.

    Raises RuleError where the proposal has faults or changes nothing, ConflictError if
    the entry changed since the user saw `version`, else as `dispensations.correct`.
    """
    with database.atomic():
        entry = own_entries.seen(row_code, version=version, by=by)
        take_turn([_turn(entry.pharmacy)])
        proposed = propose(entry, typed, at=at)
        for fault in proposed.faults:
            raise RuleError(fault.words, field=fault.element)
        if not proposed.fields or proposed.reported is None:
            raise RuleError("Nothing differs from what the entry says.")
        changes = dict(proposed.columns)
        changes |= _people(entry, proposed.reported, proposed.fields, at=at)
        dispensations.correct(entry, changes=changes, reason=reason, by=by, at=at)
        names = ", ".join(each.name for each in proposed.fields)
        words = f"The pharmacy corrected this entry: {names}."
        return own_entries.done(entry, words, by=by, at=at)


def _turn(pharmacy: Pharmacy) -> str:
    """Name the turn that files of the pharmacy wait for, as their intake does."""
    for name in ("dea", "ncpdp", "npi"):
        if number := getattr(pharmacy, name):
            return f"{name}:{number}"
    return ""


def _people(
    entry: Dispensation,
    reported: asap.Dispensing,
    fields: Sequence[Field],
    *,
    at: datetime,
) -> dict[str, Any]:
    """Find or make the prescriber and the identity, where they are others than now."""
    found: dict[str, Any] = {}
    key = reporters.prescriber_key(reported.prescriber)
    if key != _key(entry.prescriber):
        ids = reporters.prescriber_ids({key: reported.prescriber}, make=True)
        found["prescriber"] = Prescriber.get_by_id(ids[key])
    if any(each.name.startswith("Patient") for each in fields):
        (link,) = matching.link([_identity(reported.patient)], at=at)
        found["identity"] = ReportedIdentity.get_by_id(link.identity_id)
    return found


def _key(prescriber: Prescriber) -> tuple[str, str]:
    return prescriber.dea.upper(), prescriber.dea_suffix.upper()


def _identity(person: asap.PatientIdentity) -> matching.Identity:
    if person.birth_date is None:
        raise RuleError("Enter the date of birth.", field="PAT18")
    return matching.Identity(
        last=person.last,
        first=person.first,
        middle=person.middle,
        suffix=person.suffix,
        birth_date=person.birth_date,
        sex=person.sex,
        street=" ".join(filter(None, (person.street, person.street_2))),
        city=person.city,
        state=person.state,
        zip=person.zip,
        phone=person.phone,
        species=person.species,
        animal_name=person.animal_name,
    )


def _is_compound(entry: Dispensation) -> bool:
    return bool(entry.product_qualifier == COMPOUND)


def _changed_columns(entry: Dispensation, reported: asap.Dispensing) -> dict[str, Any]:
    now = {
        "prescription_number": reported.prescription_number.strip().upper(),
        "written_on": reported.written_on,
        "refills_authorized": reported.refills_authorised,
        "filled_on": reported.filled_on,
        "fill_number": reported.fill_number,
        "quantity": reported.quantity,
        "days_supply": reported.days_supply,
        "units": reported.unit,
        "partial": reported.partial_number,
        "payment": reported.payment,
        "sold_on": reported.sold_on,
    }
    if not _is_compound(entry):
        now["product_code"] = reported.ndc
    return {name: it for name, it in now.items() if it != getattr(entry, name)}


def _not_stored(reported: asap.Dispensing, columns: Mapping[str, Any]) -> list[Fault]:
    """Say what a file's record would be set aside or remarked for."""
    faults = []
    if "days_supply" in columns and reported.days_supply < SHORTEST_DAYS:
        words = (
            "A supply of 48 hours or less is not reported. Remove the entry instead."
        )
        faults.append(Fault("DSP10", words))
    if ndc := columns.get("product_code"):
        facts = drugs.facts_for([ndc]).get(ndc)
        if facts is None:
            words = "The drug table has no product with this NDC. Compare the package."
            faults.append(Fault("DSP08", words))
        elif drugs.audience_of(facts) is drugs.Audience.NOBODY:
            words = f"{facts.drug_name} is not reported. Remove the entry instead."
            faults.append(Fault("DSP08", words))
    return faults


def _fields(
    entry: Dispensation,
    reported: asap.Dispensing,
    columns: Mapping[str, Any],
    before: Mapping[str, str],
    after: Mapping[str, str],
) -> list[Field]:
    found = [
        Field(words, _shown(name, getattr(entry, name)), _shown(name, columns[name]))
        for name, words in COLUMNS.values()
        if name in columns
    ]
    if reporters.prescriber_key(reported.prescriber) != _key(entry.prescriber):
        names = prescriber_name(entry.prescriber), _new_prescriber(reported.prescriber)
        found.append(Field("Prescriber", *names))
    return found + [
        Field(f"Patient's {words}", *(_patient(each, name) for each in (before, after)))
        for name, words in PATIENT.items()
        if _plain(before, name) != _plain(after, name)
    ]


def _offered(problem: asap.Problem) -> str:
    """Give the element of a problem as it is offered: the street is one."""
    return "PAT12" if problem.element == "PAT13" else problem.element


def _patient(elements: Mapping[str, str], name: str) -> str:
    text = elements.get(name, "")
    born = parse_day(text) if name == "PAT18" else None
    return wording.us_date(born) if born else text


def _plain(elements: Mapping[str, str], name: str) -> str:
    return " ".join(elements.get(name, "").upper().split())


def _new_prescriber(reported: asap.Prescriber) -> str:
    dea, suffix = reporters.prescriber_key(reported)
    known = Prescriber.get_or_none(dea=dea, dea_suffix=suffix)
    if known is not None:
        return prescriber_name(known)
    licence = Licence.get_or_none(dea=dea)
    name = licence.name if licence and not suffix else "not in the roster"
    return f"DEA {dea} {suffix}".strip() + f" ({name})"


def _shown(name: str, value: Any) -> str:
    if name == "product_code":
        facts = drugs.facts_for([value]).get(value)
        return wording.ndc(value) + (f", {facts.drug_name}" if facts else "")
    if name == "payment":
        return PAYMENTS.get(value, "Not given")
    if name == "units":
        return _UNITS.get(value, "Not given")
    if isinstance(value, date):
        return wording.us_date(value)
    return wording.amount(value) if name == "quantity" else _text(value)


def _text(value: Any) -> str:
    """Write a value as an element: a day as CCYYMMDD, a quantity without zeros."""
    if value is None:
        return ""
    if isinstance(value, date):
        return f"{value:%Y%m%d}"
    return value if isinstance(value, str) else wording.amount(value)


def _pharmacy_elements(pharmacy: Pharmacy) -> dict[str, str]:
    return {
        "PHA01": pharmacy.npi or "",
        "PHA02": pharmacy.ncpdp or "",
        "PHA03": pharmacy.dea or "",
        "PHA04": pharmacy.name,
    }


def _patient_elements(identity: ReportedIdentity) -> dict[str, str]:
    return {
        "PAT07": identity.last_name,
        "PAT08": identity.first_name,
        "PAT09": identity.middle_name,
        "PAT11": identity.suffix,
        "PAT12": identity.street,
        "PAT14": identity.city,
        "PAT15": identity.state,
        "PAT16": identity.zip,
        "PAT17": identity.phone,
        "PAT18": _text(identity.birth_date),
        "PAT19": identity.sex,
        "PAT20": "02" if identity.species is Species.ANIMAL else "01",
        "PAT23": identity.animal_name,
    }


def _street(elements: Mapping[str, str]) -> dict[str, str]:
    """Part a street that is longer than its element at a blank, into two."""
    street = " ".join(elements.get("PAT12", "").split())
    if len(street) <= STREET_LENGTH:
        return {"PAT12": street, "PAT13": ""}
    cut = street.rfind(" ", 0, STREET_LENGTH + 1)
    cut = cut if cut > 0 else STREET_LENGTH
    return {"PAT12": street[:cut], "PAT13": street[cut:].strip()}
