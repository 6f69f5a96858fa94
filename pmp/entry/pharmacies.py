"""For which pharmacies a user may type records, and what their PHA segment says.

A pharmacy's user chooses among those that its account covers; staff, who key paper
forms, find any pharmacy by name or number.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from models import CoveredPharmacy, Licence, Pharmacy, Profession, User
from pmp.errors import RuleError
from pmp.permissions import Permission, can

MOST = 10
SHORTEST = 2
_ELEMENTS = {
    "PHA01": "npi",
    "PHA02": "ncpdp",
    "PHA03": "dea",
    "PHA04": "name",
    "PHA05": "street",
    "PHA07": "city",
    "PHA08": "state",
    "PHA09": "zip",
    "PHA10": "phone",
}


@dataclass(frozen=True)
class Dispenser:
    """A pharmacy to choose: `number` names it (DEA, else NCPDP, else NPI)."""

    number: str
    name: str
    words: str
    state: str
    elements: dict[str, str]


def find_any(user: User) -> bool:
    """Tell whether a user may type records for every pharmacy."""
    return can(user.role, Permission.SUBMISSION_READ_ALL)


def of(user: User) -> list[Dispenser]:
    """Give the pharmacies that a user's account covers: its own first."""
    granted = CoveredPharmacy.select().where(CoveredPharmacy.user == user)
    further = sorted((each.licence for each in granted), key=lambda each: each.name)
    known = [user.pharmacy, user.licence, *further]
    return _unique(known)


def named(number: str, *, by: User) -> Dispenser:
    """Give the pharmacy of a DEA, NCPDP or NPI number that a user may report for.

    RuleError at “PHA” if there is none, or the account does not cover it.
    """
    wanted = number.strip().upper()
    if find_any(by):
        found = _unique(_with_number(wanted))
    else:
        found = [each for each in of(by) if wanted in each.elements.values()]
    if not found:
        message = "Choose the pharmacy: find it by its name or its DEA number."
        raise RuleError(message, field="PHA")
    return found[0]


def find(text: str, *, by: User) -> list[Dispenser]:
    """Give staff the pharmacies whose name has the text, or number begins with it."""
    wanted = " ".join(text.split())[:80]
    if not find_any(by) or len(wanted) < SHORTEST:
        return []
    found: list[Any] = []
    for table in (Pharmacy, Licence):
        query = table.select().where(
            table.name.contains(wanted)
            | table.dea.startswith(wanted)
            | table.ncpdp.startswith(wanted)
            | table.npi.startswith(wanted)
        )
        if table is Licence:
            query = query.where(Licence.profession == Profession.PHARMACY)
        found += list(query.order_by(table.name).limit(MOST))
    return _unique(found)[:MOST]


def _with_number(number: str) -> Iterable[Any]:
    for table in (Pharmacy, Licence):
        for column in (table.dea, table.ncpdp, table.npi):
            query = table.select().where(column == number)
            if table is Licence:
                query = query.where(Licence.profession == Profession.PHARMACY)
            yield from query.order_by(table.id).limit(1)


def _unique(known: Iterable[Any]) -> list[Dispenser]:
    """Give each once; the same pharmacy is licensed and has reported."""
    found: dict[str, Dispenser] = {}
    for row in known:
        if row is not None and (made := _dispenser(row)):
            found.setdefault(made.number, made)
    return list(found.values())


def _dispenser(row: Any) -> Dispenser | None:
    number = row.dea or row.ncpdp or row.npi
    if not number:
        return None
    elements = {
        element: str(text)
        for element, name in _ELEMENTS.items()
        if (text := getattr(row, name))
    }
    if phone := elements.get("PHA10"):
        elements["PHA10"] = phone.removeprefix("+1")
    numbers = [
        f"{label} {text}"
        for label, text in (("DEA", row.dea), ("NCPDP", row.ncpdp), ("NPI", row.npi))
        if text
    ]
    words = " · ".join([row.name, *numbers])
    return Dispenser(number, row.name, words, row.state, elements)
