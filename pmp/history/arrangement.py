"""Which of a report's prescriptions are listed, and in which order.

Pure. Chosen by words that name places in the report ("prescriber 2"), never a person,
so that they may stand in an address.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pmp.history import PatientReport
from pmp.history.entries import Contact, Entry

NEWEST_FIRST = "-filled"


@dataclass(frozen=True)
class Arrangement:
    """An order and what to keep; `prescriber`, `pharmacy` and `warning` count from 1.

    They count the report's own lists; 0 keeps everything.
    """

    sort: str = NEWEST_FIRST
    drug_class: str = ""
    active: int = 0
    prescriber: int = 0
    pharmacy: int = 0
    warning: int = 0

    @property
    def is_filtered(self) -> bool:
        return replace(self, sort=NEWEST_FIRST) != Arrangement()

    @property
    def filters(self) -> dict[str, str | int]:
        """Give what differs from a plain list, but for the order, for an address."""
        return {
            name: value
            for name, value in asdict(self).items()
            if name != "sort" and value
        }

    @property
    def words(self) -> str:
        """Say the order: "newest first", "by drug"."""
        name = self.sort.removeprefix("-")
        if name == "filled":
            return "newest first" if self.sort == NEWEST_FIRST else "oldest first"
        ends = {"mme": ("lowest", "highest"), "left": ("least", "most")}.get(name)
        backwards = self.sort.startswith("-")
        if ends:
            return f"{ends[backwards]} {_SAID[name]} first"
        return f"by {name}{', Z to A' if backwards else ''}"


_SAID = {"mme": "MME", "left": "supply left"}
_ORDERS: dict[str, Callable[[Entry], Any]] = {
    "filled": lambda entry: entry.filled_on,
    "drug": lambda entry: (entry.drug, entry.strength),
    "mme": lambda entry: -1 if entry.mme.value is None else entry.mme.value,
    "left": lambda entry: -1 if entry.days_left is None else entry.days_left,
    "prescriber": lambda entry: entry.prescriber.name,
    "pharmacy": lambda entry: entry.pharmacy.name,
}


def read(given: Mapping[str, str]) -> Arrangement:
    """Read an address's words; what cannot be read keeps everything."""
    sort = given.get("sort", NEWEST_FIRST)
    return Arrangement(
        sort=sort if sort.removeprefix("-") in _ORDERS else NEWEST_FIRST,
        drug_class=given.get("drug_class", ""),
        active=min(_number(given.get("active", "")), 1),
        prescriber=_number(given.get("prescriber", "")),
        pharmacy=_number(given.get("pharmacy", "")),
        warning=_number(given.get("warning", "")),
    )


def arrange(report: PatientReport, chosen: Arrangement) -> list[Entry]:
    """List the person's prescriptions as chosen; among equals the newest first."""
    kept = [
        entry
        for entry in report.own_entries
        if (not chosen.drug_class or entry.drug_class == chosen.drug_class)
        and (not chosen.active or entry.days_left is not None)
        and _is_of(entry.prescriber, report.prescribers, chosen.prescriber)
        and _is_of(entry.pharmacy, report.pharmacies, chosen.pharmacy)
        and (not chosen.warning or entry.row_code in rows(report, chosen))
    ]
    key = _ORDERS[chosen.sort.removeprefix("-")]
    return sorted(kept, key=key, reverse=chosen.sort.startswith("-"))


def rows(report: PatientReport, chosen: Arrangement) -> frozenset[str]:
    """Give the row codes of the chosen warning; empty if none is chosen."""
    if not 0 < chosen.warning <= len(report.warnings):
        return frozenset()
    return frozenset(report.warnings[chosen.warning - 1].rows)


def classes(report: PatientReport) -> list[str]:
    """List the drug classes in a report, by name."""
    return sorted({entry.drug_class for entry in report.own_entries})


def _is_of(contact: Contact, listed: Sequence[Contact], place: int) -> bool:
    if not place:
        return True
    return place <= len(listed) and listed[place - 1].key == contact.key


def _number(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 0
