"""What the tables know of the pharmacies, people and products of a batch of records."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import ReportedIdentity
from pmp import asap, drugs, matching, reporters
from pmp.dispensations import frozen
from pmp.reporters import PharmacyKey, PrescriberKey
from pmp.uploads import rows, waiting_voids
from pmp.uploads.reportable import not_reportable
from pmp.uploads.standing import Prescription, Row
from pmp.uploads.waiting_voids import Void


@dataclass(frozen=True)
class Known:
    """What is known, and made where it was not; in a dry run nothing is made.

    A key that the tables do not know stands for itself, which equals nothing stored.
    `kept` are the records that are to be stored; `changing` the prescriptions that
    others void or revise; `facts` are columns of a row, by NDC; `voids` wait for
    records like these.
    """

    kept: Sequence[asap.Dispensing]
    pharmacies: Mapping[PharmacyKey, Any]
    prescribers: Mapping[PrescriberKey, Any]
    patients: Mapping[asap.PatientIdentity, tuple[Any, Any]]
    products: Mapping[str, drugs.ProductFacts]
    facts: Mapping[str, Row]
    prescriptions: set[Prescription]
    changing: set[Prescription]
    voids: dict[Prescription, list[Void]]


def know(reported: Sequence[asap.Dispensing], *, at: datetime, dry: bool) -> Known:
    """Ask the tables about records, and add the people that they lack."""
    kept = [each for each in reported if each.status is not asap.Status.VOID]
    codes = {each.ndc for each in kept}
    codes |= {part.ndc for each in kept for part in each.ingredients}
    products = drugs.facts_for(codes - {""})
    kept = [each for each in kept if not not_reportable(each, products)]
    pharmacies = _pharmacies(reported, kept, make=not dry)
    coming = _prescriptions(kept, pharmacies)
    # Before the people are matched: whoever waits for a submission holds no more.
    voids = waiting_voids.for_records(coming, at=at, lock=not dry)
    prescribers = {
        reporters.prescriber_key(each.prescriber): each.prescriber for each in kept
    }
    changing = [each for each in reported if each.status is not asap.Status.NEW]
    return Known(
        kept=kept,
        pharmacies=pharmacies,
        prescribers=reporters.prescriber_ids(prescribers, make=not dry),
        patients=_patients({each.patient for each in kept}, at=at, dry=dry),
        products=products,
        facts={ndc: frozen(facts, ndc) for ndc, facts in products.items()},
        prescriptions=coming,
        changing=_prescriptions(changing, pharmacies),
        voids=voids,
    )


def _prescriptions(
    reported: Iterable[asap.Dispensing], pharmacies: Mapping[PharmacyKey, int]
) -> set[Prescription]:
    return {
        (pharmacy, rows.prescription_number(each))
        for each in reported
        if (pharmacy := pharmacies.get(reporters.pharmacy_key(each.pharmacy)))
    }


def _pharmacies(
    reported: Sequence[asap.Dispensing], kept: Sequence[asap.Dispensing], *, make: bool
) -> dict[PharmacyKey, int]:
    named = {reporters.pharmacy_key(each.pharmacy): each.pharmacy for each in reported}
    found = reporters.pharmacy_ids(named, make=False)
    if make and len(found) < len(named):
        # A pharmacy whose records all void or are set aside need not have a row.
        stored = {reporters.pharmacy_key(each.pharmacy) for each in kept}
        lacking = {key: named[key] for key in stored - found.keys()}
        found |= reporters.pharmacy_ids(lacking, make=True)
    return found


def _patients(
    reported: set[asap.PatientIdentity], *, at: datetime, dry: bool
) -> dict[asap.PatientIdentity, tuple[Any, Any]]:
    """Give the identity's and the patient's row of each reported person."""
    people = list(reported)
    identities = [_identity(person) for person in people]
    if dry:
        found = matching.known(identities)
        patients = _patients_of(found.values())
        keys = [found.get(each.fingerprint, each.fingerprint) for each in identities]
        pairs = [(key, patients.get(key)) for key in keys]
    else:
        links = matching.link(identities, at=at)
        pairs = [(link.identity_id, link.patient_id) for link in links]
    return dict(zip(people, pairs, strict=True))


def _patients_of(identities: Iterable[int]) -> dict[Any, int]:
    table: Any = ReportedIdentity
    wanted = table.id.in_(sorted(identities))
    return dict(table.select(table.id, table.patient).where(wanted).tuples())


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
