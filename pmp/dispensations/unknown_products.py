"""Products that pharmacies report and the drug table does not know.

Their fills are stored and their dose is unknown, never zero. Staff add the product;
then its stored fills are given the facts, once: facts that a fill has never change.
Each change of the table is kept with what was before, and the last can be undone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from peewee import SQL, fn

from models import (
    Dispensation,
    DispensationStatus,
    DispensationVersion,
    Pharmacy,
    Product,
    ProductChange,
    User,
)
from pmp import audit, bulk, database, downloads, drugs, sorting, thresholds
from pmp.dispensations import FACTS, content_of, frozen
from pmp.downloads import Listing
from pmp.drugs import ProductFacts, staff_products
from pmp.drugs.staff_products import Typed
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.matching.turns import hold_links

BATCH = 500
FREQUENT = "-fills"
SORTS: dict[str, Any] = {
    "ndc": lambda row: row.ndc,
    "fills": lambda row: row.fills,
    "pharmacies": lambda row: row.pharmacies,
    "filled": lambda row: row.last,
    "waits": lambda row: row.since,
}
FILE = Listing("unknown_drugs", "NDCs")
BY_IMPORT = "The drug table has this product now; its facts were filled in."


@dataclass(frozen=True)
class Unknown:
    """An NDC without facts among the stored fills. `since`: when the first came."""

    ndc: str
    fills: int
    pharmacies: int
    first: date
    last: date
    since: datetime
    is_known_now: bool = False


@dataclass(frozen=True)
class Source:
    """A pharmacy that reported an NDC, to call, and how it reported it."""

    pharmacy: Pharmacy
    fills: int
    least: Decimal
    most: Decimal
    days_least: int
    days_most: int
    units: str


def waiting() -> list[Unknown]:
    """List the unknown NDCs of the fills that stand, the most frequent first."""
    fills = fn.COUNT(Dispensation.id)
    rows: Any = (
        Dispensation.select(
            Dispensation.product_code,
            fills,
            fn.COUNT(Dispensation.pharmacy.distinct()),
            fn.MIN(Dispensation.filled_on),
            fn.MAX(Dispensation.filled_on),
            fn.MIN(Dispensation.stored_at),
        )
        .where(_without_facts())
        .where(Dispensation.status == DispensationStatus.CURRENT)
        .group_by(Dispensation.product_code)
        .order_by(fills.desc(), Dispensation.product_code)
        .tuples()
    )
    found = [Unknown(*row) for row in rows]
    known = drugs.facts_for([each.ndc for each in found])
    return [
        Unknown(**{**vars(each), "is_known_now": each.ndc in known}) for each in found
    ]


def listed(sort: str = "") -> list[Unknown]:
    """List the unknown NDCs in the order that is wanted, one of SORTS or turned round.

    Else the most frequent come first.
    """
    order = sorting.known(sort, SORTS, otherwise=FREQUENT)
    return sorting.rows_in_order(waiting(), order, SORTS)


def file_of(sort: str, *, by: User, at: datetime) -> list[Unknown]:
    """Give the list for a file; kept on record. RuleError if it is too long for one."""
    return downloads.rows_of(listed(sort), FILE, by=by, at=at)


def sources(ndc: str) -> list[Source]:
    """List the pharmacies that reported an unknown NDC, the most fills first."""
    fills = fn.COUNT(Dispensation.id)
    rows: Any = (
        Dispensation.select(
            Dispensation.pharmacy,
            fills,
            fn.MIN(Dispensation.quantity),
            fn.MAX(Dispensation.quantity),
            fn.MIN(Dispensation.days_supply),
            fn.MAX(Dispensation.days_supply),
            fn.MIN(Dispensation.units),
        )
        .where(_without_facts())
        .where(Dispensation.product_code == ndc)
        .where(Dispensation.status == DispensationStatus.CURRENT)
        .group_by(Dispensation.pharmacy)
        .order_by(fills.desc(), Dispensation.pharmacy)
        .tuples()
    )
    found = list(rows)
    pharmacies = Pharmacy.select().where(Pharmacy.id.in_([row[0] for row in found]))
    by_id = {pharmacy.id: pharmacy for pharmacy in pharmacies}
    return [Source(by_id[first], *others) for first, *others in found]


def stored(ndc: str) -> int:
    """Count the stored fills of an NDC that have no facts, voided ones as well."""
    query = Dispensation.select().where(_without_facts())
    count: int = query.where(Dispensation.product_code == ndc).count()
    return count


def write(
    ndc: str, typed: Typed, *, reason: str, by: str, at: datetime
) -> ProductChange:
    """Add a product, or change what the table says of it, and fill in its fills.

    A fill that has facts keeps them; one without gets these, and the cases of the
    patients are counted again. RuleError, with the field, for what is unfit, without a
    reason, and where nothing differs.
    """
    if not reason.strip():
        raise RuleError("Say how you know.", field="reason")
    facts = staff_products.facts_of(ndc, typed)
    with database.atomic():
        hold_links()  # before any fill or patient is taken, as those who move them do
        before = drugs.facts_for([ndc]).get(ndc)
        if before == facts and not stored(ndc):
            raise RuleError("Nothing differs from what the table says.")
        kept = _kept(before)  # with its source, before that becomes ours
        _put(facts)
        change: ProductChange = ProductChange.create(
            ndc=ndc,
            before=kept,
            after=_kept(facts),
            reason=reason,
            changed_by=by,
            changed_at=at,
        )
        filled = _fill_in(facts, why=_words(change), by=by, at=at)
        if filled:
            change.filled = filled
            change.save(only=[ProductChange.filled])
        audit.record(
            audit.Event.PRODUCT_WRITTEN,
            actor=by,
            subject=f"product:{ndc}",
            at=at,
            detail={"change": change.id, "filled": filled, "reason": reason},
        )
    return change


def fill_in(*, by: str, at: datetime) -> int:
    """Give their facts to all fills that lack them though the table knows the product.

    So it is after an import, and where a fill was stored while its product was added.
    Gives how many fills; running it again does nothing.
    """
    filled = 0
    for each in [each for each in waiting() if each.is_known_now]:
        with database.atomic():
            hold_links()
            facts = drugs.facts_for([each.ndc])[each.ndc]
            number = _fill_in(facts, why=BY_IMPORT, by=by, at=at)
            audit.record(
                audit.Event.PRODUCT_FILLED_IN,
                actor=by,
                subject=f"product:{each.ndc}",
                at=at,
                detail={"filled": number},
            )
        filled += number
    return filled


def undo(change_id: int, *, by: str, at: datetime) -> ProductChange:
    """Take back the last change of a product.

    Of an added product the fills are unknown again, those that were stored since as
    well. NotFoundError if there is no such change, ConflictError if it was undone or
    is not the last.
    """
    with database.atomic():
        hold_links()
        change: ProductChange | None = ProductChange.get_or_none(
            ProductChange.id == change_id
        )
        if change is None:
            raise NotFoundError("There is no such change.")
        if not can_be_undone(change):
            raise ConflictError("Only the last change of a product can be undone.")
        if change.before is None:
            Product.delete().where(Product.ndc == change.ndc).execute()
            _empty(change, by=by, at=at)
        else:
            source = change.before.get("source", drugs.STAFF)
            _put(_facts(change.before), source=source)
        change.undone_by, change.undone_at = by, at
        change.save(only=[ProductChange.undone_by, ProductChange.undone_at])
        audit.record(
            audit.Event.PRODUCT_UNDONE,
            actor=by,
            subject=f"product:{change.ndc}",
            at=at,
            detail={"change": change.id},
        )
    return change


def can_be_undone(change: ProductChange) -> bool:
    """Tell whether a change is the last of its product that stands."""
    last = (
        ProductChange.select(fn.MAX(ProductChange.id))
        .where((ProductChange.ndc == change.ndc) & ProductChange.undone_at.is_null())
        .scalar()
    )
    return bool(last == change.id)


def changes(ndc: str, *, most: int = 50) -> list[ProductChange]:
    """List the changes of a product, the latest first."""
    query = ProductChange.select().where(ProductChange.ndc == ndc)
    return list(query.order_by(ProductChange.id.desc()).limit(most))


def difference(change: ProductChange) -> list[str]:
    """Write what a change did: one line for each fact."""
    after = _facts(change.after)
    if change.before is None:
        return ["added to the drug table"]
    return drugs.differences(_facts(change.before), after)


def _without_facts() -> Any:
    # As the index says it, so that the index serves: no parameters.
    return SQL("ingredient = '' AND product_qualifier = '01'")


def _words(change: ProductChange) -> str:
    return f"Staff added the product to the drug table (change {change.id})."


def _put(facts: ProductFacts, *, source: str = drugs.STAFF) -> None:
    row = drugs.columns_of(facts, source)
    kept = [getattr(Product, name) for name in row if name != "ndc"]
    Product.insert(row).on_conflict(
        conflict_target=[Product.ndc], preserve=kept
    ).execute()


def _kept(facts: ProductFacts | None) -> dict[str, Any] | None:
    """Give facts as JSON keeps them, with where they came from."""
    if facts is None:
        return None
    row = {
        name: str(value) if isinstance(value, Decimal) else value
        for name, value in asdict(facts).items()
    }
    product = Product.get_or_none(Product.ndc == facts.ndc)
    return row | {"source": product.source if product else drugs.STAFF}


def _facts(kept: dict[str, Any]) -> ProductFacts:
    row = {name: value for name, value in kept.items() if name != "source"}
    for name in ("strength", "acetaminophen_mg"):
        row[name] = None if row[name] is None else Decimal(row[name])
    return ProductFacts(**row)


def _fill_in(facts: ProductFacts, *, why: str, by: str, at: datetime) -> int:
    rows = _rows(_without_facts() & (Dispensation.product_code == facts.ndc))
    _change(rows, frozen(facts, facts.ndc), why=why, by=by, at=at)
    return len(rows)


def _empty(change: ProductChange, *, by: str, at: datetime) -> None:
    """Make unknown again what has its facts from a change that added the product."""
    facts = _facts(change.after)
    same: Any = Dispensation.product_code == change.ndc
    for name in FACTS:
        value = getattr(facts, name)
        column = getattr(Dispensation, name)
        same &= column.is_null() if value is None else column == value
    why = f"Staff took back the product (change {change.id})."
    _change(_rows(same), frozen(None, change.ndc), why=why, by=by, at=at)


def _rows(condition: Any) -> list[dict[str, Any]]:
    query: Any = Dispensation.select().where(condition).order_by(Dispensation.id)
    if not database.is_sqlite():  # SQLite's transactions are IMMEDIATE
        query = query.for_update()
    return list(query.dicts())


def _change(
    rows: Sequence[dict[str, Any]],
    columns: dict[str, Any],
    *,
    why: str,
    by: str,
    at: datetime,
) -> None:
    """Set the columns of fills, keep what each said before, and count cases again."""
    for batch in _batches(rows):
        bulk.insert(
            DispensationVersion,
            [
                {
                    "dispensation": row["id"],
                    "version": row["version"],
                    "content": content_of(row),
                    "changed_by": by,
                    "changed_at": at,
                    "reason": why,
                }
                for row in batch
            ],
        )
        (
            Dispensation.update(**columns, version=Dispensation.version + 1)
            .where(Dispensation.id.in_([row["id"] for row in batch]))
            .execute()
        )
    thresholds.evaluate({row["patient"] for row in rows}, at=at)


def _batches(
    rows: Sequence[dict[str, Any]],
) -> Iterable[Sequence[dict[str, Any]]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]
