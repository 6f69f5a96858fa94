"""Takes a batch of records in: decides what becomes of each, in order, and stores it.

Each record has one outcome (a `RecordStatus`) and any number of remarks that its reader
could not know: whether the product, the fill or the pharmacy is known.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import models
from models import RecordStatus, ZeroReport
from pmp import asap, bulk, database, drugs, matching, reporters
from pmp.dispensations import frozen
from pmp.reporters import Coverage, PharmacyKey, PrescriberKey
from pmp.reporting import arrivals
from pmp.uploads.standing import Fill, Ledger, Outcome, Remark

# A supply of 48 hours or less is not reported (Regs. Conn. State Agencies 21a-254-2).
SHORTEST_DAYS = 3
COMPOUND = "06"
# Any number but those of the migrations and the audit record.
ADVISORY_LOCK = 20572


@dataclass(frozen=True)
class Decided:
    """What became of a record."""

    record: asap.Record
    status: RecordStatus
    remarks: tuple[Remark, ...] = ()
    fill: Fill | None = None


@dataclass
class Intake:
    """Where the records of one submission go; a dry run stores none of them."""

    submission: int
    by: str
    coverage: Coverage
    at: datetime
    dry: bool
    ledger: Ledger = field(default_factory=Ledger)


@dataclass(frozen=True)
class Known:
    """What the tables know of the pharmacies, people and products of a batch.

    A key that they do not know stands for itself, which equals nothing stored.
    """

    pharmacies: Mapping[PharmacyKey, Any]
    prescribers: Mapping[PrescriberKey, Any]
    patients: Mapping[asap.PatientIdentity, tuple[Any, Any]]
    products: Mapping[str, drugs.ProductFacts]


def take_in(intake: Intake, records: Sequence[asap.Record]) -> list[Decided]:
    """Decide on records in their order, and store them unless this is a dry run.

    In a transaction of the caller's, which holds no more than this batch.
    """
    reported = [
        found
        for record in records
        if (found := record.dispensing) and intake.coverage.covers(record.pharmacy)
    ]
    if not intake.dry:
        # Two files of one pharmacy take turns.
        keys = [reporters.pharmacy_key(record.pharmacy) for record in records]
        take_turn(":".join(key) for key in keys)
        intake.ledger.forget()
    known = _known(intake, reported)
    _load(intake.ledger, known, reported)
    decided = [_decide(intake, known, record) for record in records]
    if not intake.dry:
        _store(intake, decided)
    return decided


def take_turn(keys: Iterable[str]) -> None:
    """Wait for other transactions that hold one of these keys, and hold them all.

    On SQLite there is one writer anyway.
    """
    if not database.is_sqlite():
        for key in sorted(set(keys)):
            models.database.execute_sql(
                "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (ADVISORY_LOCK, key)
            )


def _known(intake: Intake, reported: Sequence[asap.Dispensing]) -> Known:
    kept = [each for each in reported if each.status is not asap.Status.VOID]
    codes = {each.ndc for each in kept}
    codes |= {part.ndc for each in kept for part in each.ingredients}
    products = drugs.facts_for(codes - {""})
    kept = [each for each in kept if not _not_reportable(each, products)]
    make = not intake.dry
    stored = {reporters.pharmacy_key(each.pharmacy): each.pharmacy for each in kept}
    others = {reporters.pharmacy_key(each.pharmacy): each.pharmacy for each in reported}
    prescribers = {
        reporters.prescriber_key(each.prescriber): each.prescriber for each in kept
    }
    return Known(
        pharmacies=reporters.pharmacy_ids(others, make=False)
        | reporters.pharmacy_ids(stored, make=make),
        prescribers=reporters.prescriber_ids(prescribers, make=make),
        patients=_patients({each.patient for each in kept}, intake),
        products=products,
    )


def _patients(
    reported: set[asap.PatientIdentity], intake: Intake
) -> dict[asap.PatientIdentity, tuple[Any, Any]]:
    """Give the identity's and the patient's row of each reported person."""
    people = list(reported)
    identities = [_identity(person) for person in people]
    if intake.dry:
        found = matching.known(identities)
        return {
            person: (found.get(identity.fingerprint, identity.fingerprint), None)
            for person, identity in zip(people, identities, strict=True)
        }
    links = matching.link(identities, at=intake.at)
    return {
        person: (link.identity_id, link.patient_id)
        for person, link in zip(people, links, strict=True)
    }


def _identity(person: asap.PatientIdentity) -> matching.Identity:
    born = person.birth_date
    if born is None:  # on a void alone, which needs no person
        raise ValueError("a patient without a birth date")
    return matching.Identity(
        last=person.last,
        first=person.first,
        middle=person.middle,
        suffix=person.suffix,
        birth_date=born,
        sex=person.sex,
        street=" ".join(filter(None, (person.street, person.street_2))),
        city=person.city,
        state=person.state,
        zip=person.zip,
        phone=person.phone,
        species=person.species,
        animal_name=person.animal_name,
    )


def _load(ledger: Ledger, known: Known, reported: Iterable[asap.Dispensing]) -> None:
    wanted = {
        (pharmacy, _prescription_number(each))
        for each in reported
        if (pharmacy := known.pharmacies.get(reporters.pharmacy_key(each.pharmacy)))
    }
    ledger.load(wanted)


def _decide(intake: Intake, known: Known, record: asap.Record) -> Decided:
    if record.held:
        return Decided(record, RecordStatus.HELD)
    if not intake.coverage.covers(record.pharmacy):
        return Decided(record, RecordStatus.HELD, (_not_covered(record.pharmacy),))
    reported = record.dispensing
    if reported is None:
        return Decided(record, RecordStatus.ZERO_REPORT)
    if reported.status is asap.Status.VOID:
        return _decided(record, intake.ledger.void(_key_row(reported, known)))
    if remark := _not_reportable(reported, known.products):
        return Decided(record, RecordStatus.NOT_REPORTABLE, (remark,))
    row = _row(intake, known, record, reported)
    ledger = intake.ledger
    apply = ledger.revise if reported.status is asap.Status.REVISE else ledger.new
    return _decided(record, apply(row), *_unknown_products(reported, known.products))


def _decided(record: asap.Record, outcome: Outcome, *remarks: Remark) -> Decided:
    if outcome.remark:
        remarks = (*remarks, outcome.remark)
    status = outcome.status
    if status is RecordStatus.STORED and (record.problems or remarks):
        status = RecordStatus.STORED_WITH_WARNING
    return Decided(record, status, remarks, outcome.fill)


def _key_row(reported: asap.Dispensing, known: Known) -> dict[str, Any]:
    key = reporters.pharmacy_key(reported.pharmacy)
    return {
        "pharmacy": known.pharmacies.get(key, key),
        "prescription_number": _prescription_number(reported),
        "filled_on": reported.filled_on,
        "fill_number": reported.fill_number,
        "partial": reported.partial_number,
        "product_code": _product_code(reported),
        "quantity": reported.quantity,
    }


def _row(
    intake: Intake, known: Known, record: asap.Record, reported: asap.Dispensing
) -> dict[str, Any]:
    prescriber = reporters.prescriber_key(reported.prescriber)
    identity, patient = known.patients[reported.patient]
    return {
        **_key_row(reported, known),
        "patient": patient,
        "identity": identity,
        "prescriber": known.prescribers.get(prescriber, prescriber),
        "submission": intake.submission,
        "record_number": record.number,
        "segment_number": record.segment_number,
        "status": "current",
        "version": 1,
        "corrected": False,
        "product_qualifier": COMPOUND if reported.compound else "01",
        "written_on": reported.written_on,
        "sold_on": reported.sold_on,
        "days_supply": reported.days_supply,
        "units": reported.unit,
        "refills_authorized": reported.refills_authorised,
        "payment": reported.payment,
        "stored_at": intake.at,
        **_facts(reported, known.products),
    }


def _facts(
    reported: asap.Dispensing, products: Mapping[str, drugs.ProductFacts]
) -> dict[str, Any]:
    if not reported.compound:
        return frozen(products.get(reported.ndc), reported.ndc)
    parts = [
        products[part.ndc] for part in reported.ingredients if part.ndc in products
    ]
    # The strictest schedule speaks for the whole; CII sorts before CV, none comes last.
    parts.sort(key=lambda facts: (not facts.schedule, facts.schedule))
    if not parts:
        return frozen(None, reported.product_id) | {"drug_name": "Compound"}
    # A compound's strength is not the ingredient's: its dose is unknown, never zero.
    return frozen(parts[0], "") | {
        "drug_name": "Compound: " + ", ".join(part.ingredient for part in parts),
        "strength": None,
        "strength_unit": "",
        "mme_key": "",
        "acetaminophen_mg": None,
    }


def _not_reportable(
    reported: asap.Dispensing, products: Mapping[str, drugs.ProductFacts]
) -> Remark | None:
    if reported.days_supply < SHORTEST_DAYS:
        message = "A supply of 48 hours or less is not reported. It was set aside."
        value = str(reported.days_supply)
        return Remark("P06", message, "", "DSP10", value)
    facts = products.get(reported.ndc)
    if facts and not facts.reportable:
        message = f"{facts.drug_name} is not reported. The record was set aside."
        return Remark("P07", message, "", "DSP08", reported.ndc)
    return None


def _unknown_products(
    reported: asap.Dispensing, products: Mapping[str, drugs.ProductFacts]
) -> list[Remark]:
    codes = [part.ndc for part in reported.ingredients] or [reported.ndc]
    element = "CDI03" if reported.ingredients else "DSP08"
    return [
        Remark(
            "P05",
            "The drug table has no product with this NDC, so no dose is computed.",
            "Check the NDC; revise the record if it is wrong.",
            element,
            code,
        )
        for code in codes
        if code and code not in products
    ]


def _not_covered(pharmacy: asap.Pharmacy) -> Remark:
    name, number = reporters.pharmacy_key(pharmacy)
    return Remark(
        "F09",
        f"Your account may not report for the pharmacy with {name.upper()} {number}.",
        "Correct the pharmacy's number, or call to have the pharmacy added.",
        {"dea": "PHA03", "ncpdp": "PHA02", "npi": "PHA01"}[name],
        number,
    )


def _prescription_number(reported: asap.Dispensing) -> str:
    return reported.prescription_number.strip().upper()


def _product_code(reported: asap.Dispensing) -> str:
    return reported.product_id if reported.compound else reported.ndc


def _store(intake: Intake, decided: Sequence[Decided]) -> None:
    intake.ledger.write(submission=intake.submission, by=intake.by, at=intake.at)
    _note_pharmacies(intake, decided)
    zeros = [
        zero
        for each in decided
        if each.status is RecordStatus.ZERO_REPORT and (zero := each.record.zero_report)
    ]
    wanted = {reporters.pharmacy_key(zero.pharmacy): zero.pharmacy for zero in zeros}
    pharmacies = reporters.pharmacy_ids(wanted, make=True)
    rows = [
        {
            "pharmacy": pharmacies[reporters.pharmacy_key(zero.pharmacy)],
            "first_day": zero.since,
            "last_day": zero.until,
            "submission": intake.submission,
            "reported_by": intake.by,
            "reported_at": intake.at,
        }
        for zero in zeros
    ]
    bulk.insert(ZeroReport, rows, unless=["pharmacy", "first_day", "last_day"])


# A void and a zero report say nothing about what was dispensed in days of their own.
_NO_ARRIVAL = {
    RecordStatus.VOIDED,
    RecordStatus.VOID_NOT_FOUND,
    RecordStatus.ZERO_REPORT,
}


def _note_pharmacies(intake: Intake, decided: Sequence[Decided]) -> None:
    """Write down whose fills came, held ones too: those are chased by themselves."""
    had, wanted = [], {}
    for each in decided:
        reported = each.record.pharmacy
        key = reporters.pharmacy_key(reported)
        if each.status in _NO_ARRIVAL or not (
            key[1] and intake.coverage.covers(reported)
        ):
            continue
        wanted[key] = reported
        had.append(arrivals.Had(key, _filled_on(each.record)))
    pharmacies = reporters.pharmacy_ids(wanted, make=True)
    arrivals.note(intake.submission, had, pharmacies=pharmacies)


def _filled_on(record: asap.Record) -> date | None:
    if record.dispensing:
        return record.dispensing.filled_on
    try:
        return datetime.strptime(record.elements.get("DSP05", ""), "%Y%m%d").date()  # noqa: DTZ007 - a day
    except ValueError:
        return None
