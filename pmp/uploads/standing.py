"""What stands, and what a new, revised or voided record does to it.

Follows the ASAP standard's practice (DSP01).  A fill is known by pharmacy, prescription
number, day filled, fill number, partial number and product.  Records are applied in the
order of their file, in memory; `write` then puts a whole batch into the tables.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from peewee import SQL, fn

import models
from models import Dispensation, DispensationStatus, DispensationVersion, RecordStatus
from pmp import bulk, database
from pmp.dispensations import content_of
from pmp.dispensations.row_codes import row_code
from pmp.uploads import remarks
from pmp.uploads.remarks import Remark

Row = dict[str, Any]
Prescription = tuple[Any, str]
"""A pharmacy's id (or the key of one that is not stored) and a prescription number."""

KEY = (
    "pharmacy",
    "prescription_number",
    "filled_on",
    "fill_number",
    "partial",
    "product_code",
)
LOOSE_KEY = ("filled_on", "fill_number")
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
    "care",
)
SAID = {
    "care": "treatment or diagnosis",
    "identity": "patient",
    "written_on": "day written",
    "sold_on": "day sold",
}
CURRENT, VOIDED = DispensationStatus.CURRENT.value, DispensationStatus.VOIDED.value
# The indexes of what stands and of what is voided are partial: their condition must be
# there in so many words.
STANDS = SQL("status = 'current'")
GONE = SQL("status = 'voided'")


@dataclass(frozen=True)
class Change:
    """The record that changes fills: of which submission and segment, sent by whom."""

    submission: int
    record_number: int
    segment_number: int
    by: str
    reason: str


@dataclass
class Fill:
    """A dispensation as it stands within a batch; `row` has no id while it is new.

    `versions` are what it said before each of `changes`; `voided_at` is when a fill
    was voided that was voided before the batch.
    """

    row: Row
    versions: list[Row] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    voided_at: datetime | None = None

    @property
    def stored(self) -> bool:
        return "id" in self.row

    @property
    def stands(self) -> bool:
        return bool(self.row["status"] == CURRENT)


@dataclass(frozen=True)
class Outcome:
    """What became of a record."""

    status: RecordStatus
    fill: Fill | None = None
    remark: Remark | None = None


class Ledger:
    """The fills that share pharmacy and prescription number with a batch's records."""

    def __init__(self) -> None:
        self._fills: dict[Prescription, list[Fill]] = {}
        self._with_voided: set[Prescription] = set()
        self._touched: list[Fill] = []

    def load(
        self, wanted: Iterable[Prescription], *, voided: Iterable[Prescription] = ()
    ) -> None:
        """Read what stands under these numbers, and what is voided under some."""
        new = {each for each in wanted if each not in self._fills}
        self._fills |= {each: [] for each in new}
        for pharmacy, numbers in _by_pharmacy(new).items():
            for row in _stored_rows(pharmacy, numbers, CURRENT):
                self._of(row).append(Fill(row))
        gone = set(voided) - self._with_voided
        self._with_voided |= gone
        for pharmacy, numbers in _by_pharmacy(gone).items():
            rows = _stored_rows(pharmacy, numbers, VOIDED)
            times = _voided_at([row["id"] for row in rows])
            for row in rows:
                self._of(row).append(Fill(row, voided_at=times.get(row["id"])))

    def standing(self, prescription: Prescription) -> list[Fill]:
        """Give the fills of a prescription number that stand."""
        return [fill for fill in self._fills.get(prescription, ()) if fill.stands]

    def new(self, row: Row) -> Outcome:
        """Add a fill, unless the same one stands."""
        fills = self._of(row)
        for fill in fills:
            if fill.stands and _same(fill.row, row, KEY):
                return _already_there(fill, row)
        return Outcome(RecordStatus.STORED, self._add(fills, row))

    def revise(self, row: Row, change: Change) -> Outcome:
        """Change the fill with the row's key, else the only one with its number.

        That other is of the same prescription and fill number: what is revised may be
        the day or the product.
        """
        fills = [fill for fill in self._of(row) if fill.stands]
        found = _revisable(fills, row)
        if len(found) != 1:
            remark = _revised_nothing(found, self._of(row), row)
            fill = self._add(self._of(row), row)
            return Outcome(RecordStatus.STORED, fill, remark)
        (fill,) = found
        if _same(fill.row, row, KEY + COMPARED):
            return _already_there(fill, row)
        self._keep_version(fill, change)
        fill.row |= {**row, "version": fill.row["version"] + 1}
        return Outcome(RecordStatus.REVISED, fill)

    def void(self, row: Row, change: Change, *, wait_hours: int) -> Outcome:
        """Void the fill that is meant (see `meant_by`).

        One that is voided already is a duplicate; `wait_hours` are said where nothing
        is found.
        """
        fills = [fill for fill in self._of(row) if fill.stands]
        if fill := meant_by(row, fills):
            self.take_out(fill, change)
            return Outcome(RecordStatus.VOIDED, fill)
        if gone := _voided_before(self._of(row), row):
            by = gone.changes[-1].record_number if gone.changes else 0
            remark = remarks.voided_before(gone.voided_at, by)
            return Outcome(RecordStatus.DUPLICATE, gone, remark)
        near = [fill.row for fill in fills]
        remark = remarks.voided_nothing(near, wait_hours=wait_hours)
        return Outcome(RecordStatus.VOID_NOT_FOUND, None, remark)

    def take_out(self, fill: Fill, change: Change) -> None:
        """Void a fill that stands."""
        self._keep_version(fill, change)
        fill.row |= {"status": VOIDED, "version": fill.row["version"] + 1}

    def write(self, *, at: datetime) -> None:
        """Put what changed into the tables."""
        touched, self._touched = self._touched, []
        fresh = [fill for fill in touched if not fill.stored]
        changed = [fill for fill in touched if fill.stored]
        ids = bulk.next_ids(Dispensation, len(fresh)) if fresh else []
        for fill, number in zip(fresh, ids, strict=True):
            fill.row |= {"id": number, "row_code": row_code(number)}
        if changed:
            _update(changed)
        bulk.insert(Dispensation, [fill.row for fill in fresh])
        bulk.insert(DispensationVersion, _versions(touched, at))

    def forget(self) -> None:
        """Let go of what was read: another transaction may change it."""
        self._fills.clear()
        self._with_voided.clear()

    def _of(self, row: Row) -> list[Fill]:
        return self._fills.setdefault((row["pharmacy"], row["prescription_number"]), [])

    def _add(self, fills: list[Fill], row: Row) -> Fill:
        fill = Fill(row)
        fills.append(fill)
        self._touched.append(fill)
        return fill

    def _keep_version(self, fill: Fill, change: Change) -> None:
        if fill.stored and not fill.versions:
            self._touched.append(fill)
        fill.versions.append(dict(fill.row))
        fill.changes.append(change)


def meant_by(row: Row, fills: Sequence[Fill]) -> Fill | None:
    """Give the fill that a void means: the one with its key and quantity.

    Else the only one of its prescription, day and fill number with that quantity.
    """
    found = [fill for fill in fills if _same(fill.row, row, KEY)] or [
        fill for fill in fills if _same(fill.row, row, LOOSE_KEY)
    ]
    if len(found) == 1 and found[0].row["quantity"] == row["quantity"]:
        return found[0]
    return None


def _voided_before(fills: Sequence[Fill], row: Row) -> Fill | None:
    """Give the last of the voided fills that a void fits as `meant_by` says."""
    gone = [fill for fill in fills if not fill.stands]
    same = [fill for fill in gone if _same(fill.row, row, (*KEY, "quantity"))]
    return same[-1] if same else meant_by(row, gone)


def _revisable(fills: Sequence[Fill], row: Row) -> list[Fill]:
    return [fill for fill in fills if _same(fill.row, row, KEY)] or [
        fill for fill in fills if _same(fill.row, row, ("fill_number",))
    ]


def _revised_nothing(found: Sequence[Fill], fills: Sequence[Fill], row: Row) -> Remark:
    gone = [fill for fill in fills if not fill.stands]
    if not found and (meant := _revisable(gone, row)):
        return remarks.revised_voided(meant[-1].voided_at)
    return remarks.revised_nothing(several=bool(found))


def _already_there(fill: Fill, row: Row) -> Outcome:
    changed = [name for name in COMPARED if fill.row[name] != row[name]]
    names = ", ".join(SAID.get(name, name.replace("_", " ")) for name in changed)
    remark = remarks.conflict(names) if changed else remarks.counted_once()
    return Outcome(RecordStatus.DUPLICATE, fill, remark)


def _same(
    one: Mapping[str, Any], other: Mapping[str, Any], names: Iterable[str]
) -> bool:
    return all(one[name] == other[name] for name in names)


def _by_pharmacy(wanted: Iterable[Prescription]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for pharmacy, number in sorted(wanted):
        found.setdefault(pharmacy, []).append(number)
    return found


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


def _versions(touched: list[Fill], at: datetime) -> list[Row]:
    return [
        {
            "dispensation": fill.row["id"],
            "version": old["version"],
            "content": content_of(old),
            "changed_by": change.by,
            "changed_at": at,
            "reason": change.reason,
            "submission": change.submission,
            "record_number": change.record_number,
            "segment_number": change.segment_number,
        }
        for fill in touched
        for old, change in zip(fill.versions, fill.changes, strict=True)
    ]


def _stored_rows(pharmacy: int, numbers: list[str], status: str) -> list[Row]:
    ids = _ids(pharmacy, numbers, status)
    if not ids:
        return []
    query: Any = (
        Dispensation.select()
        .where(bulk.among(Dispensation.id, ids))
        .order_by(Dispensation.id)
        .dicts()
    )
    return list(query)


def _ids(pharmacy: int, numbers: list[str], status: str) -> list[int]:
    if not database.is_sqlite():
        sql = _POSTGRES_IDS[status]
        found = models.database.execute_sql(sql, (numbers, pharmacy))
        return [number for (number,) in found]
    query: Any = (
        Dispensation.select(Dispensation.id)
        .where(
            Dispensation.pharmacy == pharmacy,
            bulk.among(Dispensation.prescription_number, numbers),
            STANDS if status == CURRENT else GONE,
        )
        .tuples()
    )
    return [number for (number,) in query]


def _voided_at(ids: list[int]) -> dict[int, datetime]:
    """Give when each of these fills was voided: its last change."""
    version = DispensationVersion
    query: Any = (
        version.select(version.dispensation, fn.MAX(version.changed_at))
        .where(version.dispensation.in_(ids))
        .group_by(version.dispensation)
        .tuples()
    )
    return dict(query) if ids else {}


# One descent of the index for each number.  Postgres may else read every fill of the
# pharmacy and compare it with all numbers; OFFSET 0 keeps it from turning this around.
_EACH_NUMBER = """
    SELECT fill.id
    FROM unnest(%s::text[]) AS wanted (number)
    CROSS JOIN LATERAL (
        SELECT id
        FROM dispensation
        WHERE pharmacy_id = %s
            AND prescription_number = wanted.number
            AND status = '<status>'
        OFFSET 0
    ) AS fill
"""
_POSTGRES_IDS = {
    status: _EACH_NUMBER.replace("<status>", status) for status in (CURRENT, VOIDED)
}
