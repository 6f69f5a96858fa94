"""Numbers and contacts of a licence, and of the prescriber or pharmacy that it is.

A file fills what is empty and corrects what an earlier file said. What differs from
the earlier file was changed by the person, and stays.
"""

from collections.abc import Iterable
from typing import Any

from models import (
    Licence,
    Pharmacy,
    Prescriber,
    Profession,
    RosterTarget,
    RosterWhat,
)
from pmp import bulk
from pmp.registration.names import split_person
from pmp.roster.differences import Change, Columns, Step, differing, plain
from pmp.roster.roster_files import RowError

CONTACT = ("npi", "phone", "fax", "email")
Given = dict[str, str]
Someone = Prescriber | Pharmacy


class Filling:
    """Goes through a file: each licence and each DEA number once."""

    def __init__(self) -> None:
        self._licences: set[int] = set()
        self._deas: set[str] = set()
        self._prescribers: dict[str, Prescriber] = {}
        self._pharmacies: dict[str, Pharmacy] = {}

    def know(self, deas: Iterable[str]) -> None:
        """Find who is known under the DEA numbers of the rows that follow."""
        wanted = sorted(set(deas) - {""})
        self._prescribers = {
            each.dea: each
            for each in Prescriber.select(Prescriber, Licence)
            .left_outer_join(Licence)
            .where(bulk.among(Prescriber.dea, wanted), Prescriber.dea_suffix == "")
        }
        self._pharmacies = {
            str(each.dea): each
            for each in Pharmacy.select(Pharmacy, Licence)
            .left_outer_join(Licence)
            .where(bulk.among(Pharmacy.dea, wanted))
        }

    def take(
        self, step: Step, row: int, licence: Licence, given: Given, *, dea: str
    ) -> None:
        """Add to a step what a row changes; RowError if it cannot be used.

        `dea` names the prescriber or pharmacy that has the licence; empty: nobody.
        """
        if licence.id in self._licences:
            raise RowError(
                f"Licence {licence.code} is in the file twice; the first counts.",
                column="licence",
                value=licence.code,
            )
        if dea in self._deas:
            raise RowError(
                f"The DEA number {dea} is in the file twice; the first counts.",
                column="dea",
                value=dea,
            )
        changes = [
            *_of_licence(licence, given),
            *(self._of_person(dea, licence, given) if dea else ()),
        ]
        self._licences.add(licence.id)
        self._deas.update({dea} - {""})
        step.unchanged += not changes
        step.changes += [_numbered(change, row) for change in changes]

    def _of_person(self, dea: str, licence: Licence, given: Given) -> list[Change]:
        pharmacy = licence.profession == Profession.PHARMACY
        known: Any = self._pharmacies if pharmacy else self._prescribers
        person: Someone | None = known.get(dea)
        holder = person.licence if person else None
        if holder and holder.id != licence.id and holder.active:
            raise RowError(
                f"The DEA number {dea} belongs to licence {holder.code}.",
                column="dea",
                value=dea,
            )
        fresh: Someone = person or (
            Pharmacy(dea=dea) if pharmacy else Prescriber(dea=dea)
        )
        before, after = differing(fresh, _wanted(fresh, licence, given))
        if person and not after:
            return []
        return [
            Change(
                what=RosterWhat.CHANGED if person else RosterWhat.NEW,
                target=RosterTarget.PHARMACY if pharmacy else RosterTarget.PRESCRIBER,
                key=dea,
                label=f"{dea} {licence.name}"[:255],
                before=before if person else {},
                after=after if person else {"dea": dea, **after},
                target_id=person.id if person else None,
            )
        ]


def _of_licence(licence: Licence, given: Given) -> list[Change]:
    before, after = differing(licence, given)
    if not after:
        return []
    return [
        Change(
            what=RosterWhat.CHANGED,
            target=RosterTarget.LICENCE,
            key=licence.credential_id,
            label=f"{licence.code} {licence.name}"[:255],
            before=before,
            after=after,
            target_id=licence.id,
        )
    ]


def _wanted(person: Someone, licence: Licence, given: Given) -> Columns:
    """Give what a prescriber's or pharmacy's columns are to be."""
    wanted: Columns = {"licence": licence.id}
    for name in CONTACT:
        theirs = getattr(person, name) or ""
        listed = plain(getattr(licence, name)) or ""
        if given.get(name) and theirs in {"", listed}:
            wanted[name] = given[name]
    name = licence.name.upper()
    if isinstance(person, Pharmacy):
        if given.get("ncpdp"):
            wanted["ncpdp"] = given["ncpdp"]
        if not person.name:
            wanted["name"] = name
        if not person.street:
            parts = ("street", "city", "state", "zip")
            wanted |= {part: getattr(licence, part) for part in parts}
    elif not person.last_name:
        wanted["last_name"], wanted["first_name"] = split_person(name)
    return wanted


def _numbered(change: Change, row: int) -> Change:
    return Change(**{**vars(change), "row": row})
