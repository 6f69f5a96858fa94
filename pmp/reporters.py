"""The pharmacies and prescribers of submitted records: found by their numbers or made.

A pharmacy is known by its DEA number, else its NCPDP number, else its NPI; a prescriber
by DEA number and suffix.  A new row is tied to the licence that has the same number.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from models import CoveredPharmacy, Licence, Pharmacy, Prescriber, Role, User
from pmp import asap, bulk
from pmp.permissions import Permission, can

PharmacyKey = tuple[str, str]  # ("dea", "BP1234563"), ("ncpdp", …) or ("npi", …)
PrescriberKey = tuple[str, str]  # DEA number and suffix


@dataclass(frozen=True)
class Coverage:
    """The pharmacies that a user may report for."""

    everyone: bool
    numbers: frozenset[PharmacyKey]

    def covers(self, reported: asap.Pharmacy) -> bool:
        return self.everyone or pharmacy_key(reported) in self.numbers


def coverage_of(user: User) -> Coverage:
    """Give whom a user may report for: its own and those granted; staff, all."""
    everyone = can(user.role, Permission.SUBMISSION_READ_ALL)
    return Coverage(everyone, frozenset(_known_numbers(user)))


def covered(user: User) -> list[Pharmacy | Licence]:
    """Give the pharmacies, or their licences, that a user's account itself covers."""
    if not can(user.role, Permission.SUBMIT):
        return []
    granted = CoveredPharmacy.select().where(CoveredPharmacy.user == user)
    further = [each.licence for each in granted]
    return [each for each in (user.pharmacy, user.licence, *further) if each]


def own_pharmacy(user: User) -> Pharmacy | None:
    """Give the pharmacy that a user reports for, if records name one already."""
    if user.pharmacy:
        return user.pharmacy
    if not user.licence or not can(user.role, Permission.SUBMIT):
        return None
    return _find(sorted(_numbers(user.licence)))


def pharmacies_of(user: User) -> list[Pharmacy]:
    """List the pharmacies whose records a user may review and change, its own first.

    Each is known by the number that its records are known by; another number that it
    shares with somebody, by a slip of typing, does not open it. Staff have none here.
    """
    numbers = _known_numbers(user)
    by_name = {
        name: [number for each, number in numbers if each == name]
        for name in ("dea", "ncpdp", "npi")
    }
    query = Pharmacy.select().where(
        (Pharmacy.id == user.pharmacy)
        | Pharmacy.dea.in_(by_name["dea"])
        | (Pharmacy.dea.is_null() & Pharmacy.ncpdp.in_(by_name["ncpdp"]))
        | (
            Pharmacy.dea.is_null()
            & Pharmacy.ncpdp.is_null()
            & Pharmacy.npi.in_(by_name["npi"])
        )
    )
    own = own_pharmacy(user)
    return sorted(query, key=lambda each: (each != own, each.name, each.id))


def prescribers_of(user: User) -> list[Prescriber]:
    """List the prescribers, as reported, that a practitioner's user is.

    Its own row, those with its licence, and that with the licence's DEA number. A
    number with a suffix is somebody's else: of all who write under a hospital's.
    """
    if user.role is not Role.PRACTITIONER:
        return []
    theirs = Prescriber.id == user.prescriber
    if user.licence:
        theirs |= Prescriber.licence == user.licence
        if user.licence.dea:
            theirs |= (Prescriber.dea == user.licence.dea) & (
                Prescriber.dea_suffix == ""
            )
    return list(Prescriber.select().where(theirs).order_by(Prescriber.id))


def ensure_own_pharmacy(user: User) -> Pharmacy | None:
    """Give the pharmacy that a user reports for, made from its licence if need be."""
    found = own_pharmacy(user)
    licence = user.licence
    if found or not licence or not can(user.role, Permission.SUBMIT):
        return found
    return ensure_of_licence(licence)


def ensure_of_licence(licence: Licence) -> Pharmacy:
    """Give the pharmacy of a licence: the one with its numbers, else a new row.

    One that records made before its licence was known is tied to it.
    """
    found = _find(sorted(_numbers(licence)))
    if found is None:
        made: Pharmacy = Pharmacy.create(
            **{name: getattr(licence, name) for name in _LICENCE_FACTS}, licence=licence
        )
        return made
    if found.licence is None:
        found.licence = licence
        found.save(only=[Pharmacy.licence])
    return found


def pharmacies_of_licences(licences: Iterable[Licence]) -> list[Pharmacy]:
    """Give the pharmacies with these licences or their numbers that have a row."""
    wanted = list(licences)
    if not wanted:
        return []
    theirs = Pharmacy.licence.in_([each.id for each in wanted])
    for name in ("dea", "ncpdp", "npi"):
        if numbers := [getattr(each, name) for each in wanted if getattr(each, name)]:
            theirs |= getattr(Pharmacy, name).in_(numbers)
    return list(Pharmacy.select().where(theirs).order_by(Pharmacy.id))


_LICENCE_FACTS = (
    "dea", "ncpdp", "npi", "name", "street", "city", "state", "zip", "phone", "fax",
    "email",
)  # fmt: skip


def pharmacy_key(reported: asap.Pharmacy) -> PharmacyKey:
    """Give what a reported pharmacy is known by."""
    if reported.dea:
        return "dea", reported.dea.upper()
    return ("ncpdp", reported.ncpdp) if reported.ncpdp else ("npi", reported.npi)


def prescriber_key(reported: asap.Prescriber) -> PrescriberKey:
    """Give what a reported prescriber is known by."""
    return reported.dea.upper(), reported.dea_suffix.upper()


def pharmacy_ids(
    wanted: Mapping[PharmacyKey, asap.Pharmacy], *, make: bool
) -> dict[PharmacyKey, int]:
    """Give the row of each reported pharmacy; with `make` those unknown are added.

    In the transaction of the records that name them.
    """
    found = {key: row.id for key in wanted if (row := _find([key]))}
    if make:
        for key in wanted.keys() - found.keys():
            found[key] = _make_pharmacy(wanted[key]).id
    return found


def prescriber_ids(
    wanted: Mapping[PrescriberKey, asap.Prescriber], *, make: bool
) -> dict[PrescriberKey, int]:
    """Give the row of each reported prescriber; with `make` those unknown are added."""
    found = _prescribers(wanted)
    missing = wanted.keys() - found.keys()
    if make and missing:
        licences = _licences("dea", {dea for dea, _ in missing})
        rows = [_prescriber_row(key, wanted[key], licences) for key in sorted(missing)]
        bulk.insert(Prescriber, rows, unless=["dea", "dea_suffix"])
        found |= _prescribers(dict.fromkeys(missing))
    return found


def _known_numbers(user: User) -> set[PharmacyKey]:
    return {number for known in covered(user) for number in _numbers(known)}


def _numbers(known: Pharmacy | Licence) -> set[PharmacyKey]:
    names = ("dea", "ncpdp", "npi")
    return {(name, number) for name in names if (number := getattr(known, name))}


def _find(keys: Iterable[PharmacyKey]) -> Pharmacy | None:
    for name, number in keys:
        column = getattr(Pharmacy, name)
        query = Pharmacy.select().where(column == number).order_by(Pharmacy.id)
        row: Pharmacy | None = query.first()
        if row:
            return row
    return None


def _make_pharmacy(reported: asap.Pharmacy) -> Pharmacy:
    name, number = pharmacy_key(reported)
    made: Pharmacy = Pharmacy.create(
        dea=reported.dea.upper() or None,
        ncpdp=reported.ncpdp or None,
        npi=reported.npi or None,
        name=reported.name,
        street=" ".join(filter(None, (reported.street, reported.street_2))),
        city=reported.city,
        state=reported.state,
        zip=reported.zip,
        phone=reported.phone or None,
        licence=_licences(name, {number}).get(number),
    )
    return made


def _prescriber_row(
    key: PrescriberKey, reported: asap.Prescriber, licences: Mapping[str, int]
) -> dict[str, Any]:
    dea, suffix = key
    return {
        "dea": dea,
        "dea_suffix": suffix,
        "npi": reported.npi or None,
        "last_name": reported.last,
        "first_name": reported.first,
        "phone": reported.phone or None,
        # A suffix names a resident under a hospital's number, not the licensee.
        "licence": None if suffix else licences.get(dea),
    }


def _prescribers(keys: Iterable[PrescriberKey]) -> dict[PrescriberKey, int]:
    query: Any = (
        Prescriber.select(Prescriber.dea, Prescriber.dea_suffix, Prescriber.id)
        .where(bulk.among(Prescriber.dea, {dea for dea, _ in keys}))
        .tuples()
    )
    return {(dea, suffix): number for dea, suffix, number in query}


def _licences(name: str, numbers: set[str]) -> dict[str, int]:
    column = getattr(Licence, name)
    query: Any = (
        Licence.select(column, Licence.id)
        .where(column.in_(sorted(numbers)))
        .order_by(Licence.active, Licence.id)  # an active one wins
        .tuples()
    )
    return dict(query)
