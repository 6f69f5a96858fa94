"""The drug table: what a product is, looked up by NDC, seeded and imported.

The facts are frozen on each dispensation when it is stored, because NDCs are re-used
and schedules change; so an import never changes what a stored fill says.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from models import Product
from pmp import audit, database
from pmp.drugs import drug_files
from pmp.drugs.drug_files import ProductFacts, Unreadable

__all__ = ["Imported", "ProductFacts", "facts_for", "import_fda", "seed"]

Row = TypeVar("Row")

BATCH = 500


@dataclass
class Imported:
    """How many products a file added, changed and left alone; what it could not say."""

    new: int = 0
    changed: int = 0
    same: int = 0
    invalid: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return {
            "new": self.new,
            "changed": self.changed,
            "same": self.same,
            "invalid": len(self.invalid),
        }


def facts_for(ndcs: Iterable[str]) -> dict[str, ProductFacts]:
    """Give the facts of each 11-digit NDC that the table knows; unknown ones lack."""
    return {
        product.ndc: _facts_of(product)
        for batch in _batches(sorted(set(ndcs)))
        for product in Product.select().where(Product.ndc.in_(batch))
    }


def seed(*, at: datetime) -> Imported:
    """Add the common controlled substances that the table lacks; change none."""
    with database.atomic():
        known = {product.ndc for product in Product.select(Product.ndc)}
        missing = [facts for facts in drug_files.read_seed() if facts.ndc not in known]
        return _store(missing, source="seed", at=at, by="system")


def import_fda(
    product: Path,
    package: Path,
    *,
    mme: Path | None = None,
    by: str = "system",
    at: datetime,
) -> Imported:
    """Add and renew products from FDA's NDC directory, all of it or nothing.

    `mme` may name CDC's table of 2018: it adds only NDCs that FDA's files lack. Raises
    KeyError with its name if a needed column is missing, OSError if a file is.
    """
    with database.atomic():
        found = _store(
            drug_files.read_fda(product, package), source="fda", at=at, by=by
        )
        if mme is not None:
            known = {row.ndc for row in Product.select(Product.ndc)}
            missing = (
                row
                for row in drug_files.read_cdc(mme)
                if isinstance(row, Unreadable) or row.ndc not in known
            )
            older = _store(missing, source="cdc-2018", at=at, by=by)
            found.new += older.new
            found.invalid += older.invalid
    return found


def _store(
    rows: Iterable[ProductFacts | Unreadable], *, source: str, at: datetime, by: str
) -> Imported:
    imported = Imported()
    good = _readable(rows, imported)
    for batch in _batches(good):
        _store_batch({facts.ndc: facts for facts in batch}, source, imported)
    audit.record(
        audit.Event.PRODUCTS_IMPORTED,
        actor=by,
        subject=f"products:{source}",
        at=at,
        detail=imported.counts(),
    )
    return imported


def _readable(
    rows: Iterable[ProductFacts | Unreadable], imported: Imported
) -> Iterator[ProductFacts]:
    for row in rows:
        if isinstance(row, Unreadable):
            imported.invalid.append(f"line {row.line}: {row.reason}")
        else:
            yield row


def _store_batch(
    batch: dict[str, ProductFacts], source: str, imported: Imported
) -> None:
    known = facts_for(batch)
    changed = [facts for ndc, facts in batch.items() if known.get(ndc) != facts]
    imported.new += len(batch.keys() - known.keys())
    imported.changed += len(changed) - len(batch.keys() - known.keys())
    imported.same += len(batch) - len(changed)
    rows = [_row(facts, source) for facts in changed]
    if rows:
        kept = [getattr(Product, name) for name in rows[0] if name != "ndc"]
        (
            Product.insert_many(rows)
            .on_conflict(conflict_target=[Product.ndc], preserve=kept)
            .execute()
        )


def _facts_of(product: Product) -> ProductFacts:
    same = {
        column.name: getattr(product, column.name)
        for column in fields(ProductFacts)
        if column.name != "drug_name"
    }
    return ProductFacts(drug_name=product.name, **same)


def _row(facts: ProductFacts, source: str) -> dict[str, Any]:
    row = asdict(facts)
    return {"name": row.pop("drug_name"), **row, "source": source}


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield batch
