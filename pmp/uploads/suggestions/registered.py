"""Numbers that a register has: products, prescribers, the account's own pharmacies."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any

from models import Licence, Prescriber, Profession, User
from pmp import drugs, reporters
from pmp.asap.remedies import Guess, numbers
from pmp.registration.names import name_key, same_person
from pmp.wording import ndc as written_ndc

DEGREES = ("", "MD", "DO", "DDS", "DMD", "APRN", "PA", "NP", "DVM", "DPM", "OD", "CNM")
PHARMACY_NUMBERS = {"PHA01": "npi", "PHA02": "ncpdp", "PHA03": "dea"}
MOST_OF_A_NAME = 20
Found = list[tuple[str, str]]  # number, name


def guesses(element: str, elements: Mapping[str, str], *, by: User) -> Iterator[Guess]:
    """Give what a register has for a product's, prescriber's or pharmacy's number."""
    base = element.partition(".")[0]
    if base in {"DSP08", "CDI03"}:
        yield from _products(elements.get(element, ""))
    elif base == "PRE02":
        yield from _dea_numbers(elements)
    elif base == "PRE01":
        yield from _npis(elements)
    elif base in PHARMACY_NUMBERS:
        yield from _pharmacies(PHARMACY_NUMBERS[base], by)


def prescriber_name(dea: str) -> str:
    """Name who has a DEA number: as the roster does, else as it was reported; or “”."""
    if not dea:
        return ""
    found = _by_dea([dea.upper()])
    return found[0][1] if found else ""


def _products(text: str) -> Iterator[Guess]:
    readings = numbers.ndc_readings(text)
    facts = drugs.facts_for(readings)
    rule = "NDC with eleven digits"
    for ndc in readings:
        if ndc in facts:
            yield Guess(ndc, _product(facts[ndc]), rule)
    if not facts and len(readings) == 1 and "-" in text:
        yield Guess(readings[0], f"read as {written_ndc(readings[0])}", rule)
    if not facts:
        near = numbers.ndc_near(text)
        found = drugs.facts_for(near)
        for ndc in near:
            if ndc in found:
                yield Guess(ndc, f"{_product(found[ndc])}, one digit differs", "near")


def _product(facts: drugs.ProductFacts) -> str:
    schedule = f", {facts.schedule}" if facts.schedule else ""
    return f"{facts.drug_name}{schedule}"


def _dea_numbers(elements: Mapping[str, str]) -> Iterator[Guess]:
    last, first = elements.get("PRE05", ""), elements.get("PRE06", "")
    named = _named(last, first, elements.get("PRE07", ""))
    near = _by_dea(numbers.dea_near(elements.get("PRE02", "")))
    near.sort(key=lambda found: not _is_called(found[1], last, first))
    # Who is called so and whose number is nearly this comes before namesakes.
    named.sort(key=lambda found: found not in near)
    for number, name in named:
        yield Guess(number, f"{name}, as named in the record", "prescriber's name")
    if npi := elements.get("PRE01"):
        for number, name in _with("npi", npi):
            yield Guess(number, f"{name}, by the NPI {npi}", "prescriber's NPI")
    if licence := elements.get("PRE04"):
        for number, name in _with("code", licence):
            yield Guess(number, f"{name}, by the licence {licence}", "licence number")
    for number, name in near:
        yield Guess(number, f"{name}, one digit differs", "near")


def _npis(elements: Mapping[str, str]) -> Iterator[Guess]:
    dea = elements.get("PRE02", "").upper()
    if not dea:
        return
    rows = [
        *Licence.select().where(Licence.dea == dea),
        *Prescriber.select().where(Prescriber.dea == dea, Prescriber.dea_suffix == ""),
    ]
    for row in rows:
        if row.npi:
            yield Guess(row.npi, f"of the DEA number {dea}", "prescriber's DEA")


def _pharmacies(column: str, by: User) -> Iterator[Guess]:
    for known in reporters.covered(by):
        if number := getattr(known, column):
            yield Guess(number, f"{known.name}, of your account", "own pharmacy")


def _named(last: str, first: str, middle: str) -> Found:
    """Find prescribers of a name, in the roster and among those reported."""
    if not last or not first:
        return []
    listed = Licence.select().where(
        Licence.name.in_(_ways_to_list(last, first, middle)),
        Licence.profession == Profession.PRACTITIONER,
        Licence.active == True,  # noqa: E712 - SQL
    )
    reported = Prescriber.select().where(
        Prescriber.last_name.in_(_cases(last)),
        Prescriber.first_name.in_(_cases(first)),
        Prescriber.dea_suffix == "",
    )
    return _numbers_of(listed.limit(MOST_OF_A_NAME), reported.limit(MOST_OF_A_NAME))


def _ways_to_list(last: str, first: str, middle: str) -> list[str]:
    """Write a name in the ways of a roster: an index finds no part of a string."""
    given = [first, f"{first} {middle}", f"{first} {middle[:1]}"] if middle else [first]
    names = [
        " ".join(filter(None, (each, last, degree)))
        for each, degree in product(given, DEGREES)
    ]
    return sorted({way for name in names for way in (name.upper(), name)})


def _cases(name: str) -> list[str]:
    return sorted({name, name.upper(), name.title()})


def _with(column: str, number: str) -> Found:
    number = re.sub(r"\s", "", number.upper())
    listed = Licence.select().where(getattr(Licence, column) == number)
    if column != "npi":
        return _numbers_of(listed)
    reported = Prescriber.select().where(
        Prescriber.npi == number, Prescriber.dea_suffix == ""
    )
    return _numbers_of(listed, reported)


def _by_dea(wanted: Iterable[str]) -> Found:
    listed = Licence.select().where(Licence.dea.in_(list(wanted)))
    reported = Prescriber.select().where(
        Prescriber.dea.in_(list(wanted)), Prescriber.dea_suffix == ""
    )
    return _numbers_of(listed, reported)


def _numbers_of(*queries: Any) -> Found:
    """Give DEA number and name of each person once; the roster's words first."""
    found: dict[str, str] = {}
    for query in queries:
        for row in query:
            if row.dea:
                found.setdefault(row.dea, _name(row))
    return list(found.items())


def _name(row: Licence | Prescriber) -> str:
    if isinstance(row, Licence):
        return str(row.name).upper()
    return f"{row.first_name} {row.last_name}".strip().upper()


def _is_called(listed: str, last: str, first: str) -> bool:
    if not first:
        return bool(last) and name_key(last) in name_key(listed)
    return same_person(listed, last_name=last, first_name=first)
