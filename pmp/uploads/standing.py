"""What stands, and what a new, revised or voided record does to it.

Follows the ASAP standard's practice (DSP01).  A fill is known by pharmacy, prescription
number, day filled, fill number, partial number and product.  Records are applied in the
order of their file, in memory; `write` then puts a whole batch into the tables.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from peewee import SQL

import models
from models import Dispensation, DispensationStatus, DispensationVersion, RecordStatus
from pmp import bulk, database
from pmp.dispensations import content_of
from pmp.dispensations.row_codes import row_code
from pmp.wording import us_date

Row = dict[str, Any]
KEY = (
    "pharmacy",
    "prescription_number",
    "filled_on",
    "fill_number",
    "partial",
    "product_code",
)
COMPARED = (
    "identity",
    "prescriber",
    "written_on",
    "sold_on",
    "quantity",
    "days_supply",
    "units",
    "refills_authorized",
    "payment",
)
SAID = {"identity": "patient", "written_on": "day written", "sold_on": "day sold"}
CURRENT, VOIDED = DispensationStatus.CURRENT.value, DispensationStatus.VOIDED.value
# The index of what stands is partial: its condition must be there in so many words.
STANDS = SQL("status = 'current'")


@dataclass
class Fill:
    """A dispensation as it stands within a batch; `row` has no id while it is new."""

    row: Row
    versions: list[Row] = field(default_factory=list)

    @property
    def stored(self) -> bool:
        return "id" in self.row

    @property
    def stands(self) -> bool:
        return bool(self.row["status"] == CURRENT)


@dataclass(frozen=True)
class Remark:
    """What a technician should know about an outcome, and what to do."""

    code: str
    message: str
    fix: str = ""
    element: str = ""
    value: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a record."""

    status: RecordStatus
    fill: Fill | None = None
    remark: Remark | None = None


class Ledger:
    """The fills that share pharmacy and prescription number with a batch's records."""

    def __init__(self) -> None:
        self._fills: dict[tuple[Any, str], list[Fill]] = {}
        self._touched: list[Fill] = []

    def load(self, wanted: Iterable[tuple[int, str]]) -> None:
        """Read what stands under these pharmacies and prescription numbers."""
        by_pharmacy: dict[int, set[str]] = {}
        for pharmacy, number in wanted:
            if (pharmacy, number) not in self._fills:
                by_pharmacy.setdefault(pharmacy, set()).add(number)
                self._fills[pharmacy, number] = []
        for pharmacy, numbers in by_pharmacy.items():
            for row in _stored_rows(pharmacy, numbers):
                fill = Fill(row)
                self._fills[pharmacy, row["prescription_number"]].append(fill)

    def new(self, row: Row) -> Outcome:
        """Add a fill, unless the same one stands."""
        fills = self._of(row)
        for fill in fills:
            if fill.stands and _same(fill.row, row, KEY):
                return _already_there(fill, row)
        return Outcome(RecordStatus.STORED, self._add(fills, row))

    def revise(self, row: Row) -> Outcome:
        """Change the fill with the row's key, else the only one with its number.

        That other is of the same prescription and fill number: what is revised may be
        the day or the product.
        """
        fills = [fill for fill in self._of(row) if fill.stands]
        found = [fill for fill in fills if _same(fill.row, row, KEY)] or [
            fill for fill in fills if _same(fill.row, row, ("fill_number",))
        ]
        if len(found) != 1:
            fill = self._add(self._of(row), row)
            return Outcome(RecordStatus.STORED, fill, _revised_nothing(found))
        (fill,) = found
        if _same(fill.row, row, KEY + COMPARED):
            return _already_there(fill, row)
        self._keep_version(fill)
        fill.row |= {**row, "version": fill.row["version"] + 1}
        return Outcome(RecordStatus.REVISED, fill)

    def void(self, row: Row) -> Outcome:
        """Void the fill with the row's key and quantity.

        Else the only one of its prescription, day and fill number with that quantity.
        """
        fills = [fill for fill in self._of(row) if fill.stands]
        loose = ("filled_on", "fill_number")
        found = [fill for fill in fills if _same(fill.row, row, KEY)] or [
            fill for fill in fills if _same(fill.row, row, loose)
        ]
        if len(found) != 1 or found[0].row["quantity"] != row["quantity"]:
            return Outcome(RecordStatus.VOID_NOT_FOUND, None, _voided_nothing(fills))
        (fill,) = found
        self._keep_version(fill)
        fill.row |= {"status": VOIDED, "version": fill.row["version"] + 1}
        return Outcome(RecordStatus.VOIDED, fill)

    def write(self, *, submission: int, by: str, at: datetime) -> set[int]:
        """Put what changed into the tables; give the patients it concerns."""
        touched, self._touched = self._touched, []
        fresh = [fill for fill in touched if not fill.stored]
        changed = [fill for fill in touched if fill.stored]
        ids = bulk.next_ids(Dispensation, len(fresh)) if fresh else []
        for fill, number in zip(fresh, ids, strict=True):
            fill.row |= {"id": number, "row_code": row_code(number)}
        if changed:
            _update(changed)
        bulk.insert(Dispensation, [fill.row for fill in fresh])
        bulk.insert(DispensationVersion, _versions(touched, submission, by, at))
        patients = {fill.row["patient"] for fill in touched}
        return patients | {old["patient"] for f in touched for old in f.versions}

    def forget(self) -> None:
        """Let go of what was read: another transaction may change it."""
        self._fills.clear()

    def _of(self, row: Row) -> list[Fill]:
        return self._fills.setdefault((row["pharmacy"], row["prescription_number"]), [])

    def _add(self, fills: list[Fill], row: Row) -> Fill:
        fill = Fill(row)
        fills.append(fill)
        self._touched.append(fill)
        return fill

    def _keep_version(self, fill: Fill) -> None:
        if fill.stored and not fill.versions:
            self._touched.append(fill)
        fill.versions.append(dict(fill.row))


def _update(changed: list[Fill]) -> None:
    """Write fills anew, one by one: revisions and voids are few beside new fills."""
    # First out of the way of each other: one may take the key that another left.
    ids = [fill.row["id"] for fill in changed]
    Dispensation.update(status=VOIDED).where(Dispensation.id.in_(ids)).execute()
    for fill in changed:
        columns = {name: fill.row[name] for name in fill.row if name != "id"}
        (
            Dispensation.update(**columns)
            .where(Dispensation.id == fill.row["id"])
            .execute()
        )


def _stored_rows(pharmacy: int, numbers: Iterable[str]) -> list[Row]:
    ids = _standing_ids(pharmacy, sorted(numbers))
    if not ids:
        return []
    query: Any = (
        Dispensation.select()
        .where(Dispensation.id.in_(ids))
        .order_by(Dispensation.id)
        .dicts()
    )
    return list(query)


def _standing_ids(pharmacy: int, numbers: list[str]) -> list[int]:
    if not database.is_sqlite():
        found = models.database.execute_sql(_POSTGRES_IDS, (numbers, pharmacy))
        return [number for (number,) in found]
    query: Any = (
        Dispensation.select(Dispensation.id)
        .where(
            Dispensation.pharmacy == pharmacy,
            Dispensation.prescription_number.in_(numbers),
            STANDS,
        )
        .tuples()
    )
    return [number for (number,) in query]


# One descent of the index for each number.  Postgres may else read every fill of the
# pharmacy and compare it with all numbers; OFFSET 0 keeps it from turning this around.
_POSTGRES_IDS = """
    SELECT fill.id
    FROM unnest(%s::text[]) AS wanted (number)
    CROSS JOIN LATERAL (
        SELECT id
        FROM dispensation
        WHERE pharmacy_id = %s
            AND prescription_number = wanted.number
            AND status = 'current'
        OFFSET 0
    ) AS fill
"""


def _same(
    one: Mapping[str, Any], other: Mapping[str, Any], names: Iterable[str]
) -> bool:
    return all(one[name] == other[name] for name in names)


def _already_there(fill: Fill, row: Row) -> Outcome:
    changed = [name for name in COMPARED if fill.row[name] != row[name]]
    if not changed:
        remark = Remark("P01", "This fill was reported before. It is counted once.")
        return Outcome(RecordStatus.DUPLICATE, fill, remark)
    names = ", ".join(SAID.get(name, name.replace("_", " ")) for name in changed)
    remark = Remark(
        "P02",
        f"This fill was reported before with another {names}. The first stands.",
        "If this record is right, send it as a revision (DSP01 is 01).",
    )
    return Outcome(RecordStatus.DUPLICATE, fill, remark)


def _revised_nothing(found: list[Fill]) -> Remark:
    why = "several records" if found else "no record"
    return Remark(
        "P03",
        f"The revision fits {why} of this prescription and fill number, so it was"
        " stored as a new fill.",
        "If it should have replaced another record, void that one.",
    )


def _voided_nothing(near: list[Fill]) -> Remark:
    if not near:
        message = "No record of this prescription stands that could be voided."
        return Remark("P04", message, "Check prescription number and pharmacy.")
    nearest = "; ".join(
        f"filled {us_date(fill.row['filled_on'])}, fill {fill.row['fill_number']},"
        f" quantity {fill.row['quantity']:f}"
        for fill in near[:3]
    )
    return Remark(
        "P04",
        f"The void fits no record. Of this prescription stand: {nearest}.",
        "Send the void with the day, fill number and quantity as they were reported.",
    )


def _versions(touched: list[Fill], submission: int, by: str, at: datetime) -> list[Row]:
    return [
        {
            "dispensation": fill.row["id"],
            "version": old["version"],
            "content": content_of(old),
            "changed_by": by,
            "changed_at": at,
            "reason": "revised or voided by the pharmacy's submission",
            "submission": submission,
        }
        for fill in touched
        for old in fill.versions
    ]
