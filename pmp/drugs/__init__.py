"""The drug table: what a product is, looked up by NDC, seeded and imported.

The facts are frozen on each dispensation when it is stored, because NDCs are re-used
and schedules change; so an import never changes what a stored fill says.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from models import Product
from pmp import audit, database, reported_drugs, settings
from pmp.drugs import cdc_table, drug_files, fda_directory
from pmp.drugs.cdc_table import Published
from pmp.drugs.comparison import Comparison
from pmp.drugs.drug_files import ProductFacts, Unreadable
from pmp.drugs.fda_directory import Directory
from pmp.reported_drugs import Audience

__all__ = [
    "Audience",
    "Directory",
    "Imported",
    "ProductFacts",
    "audience_of",
    "facts_for",
    "import_files",
    "seed",
]

Row = TypeVar("Row")

BATCH = 500
STAFF = "staff"
"""The source of a product that a person wrote: no file changes it."""

# A fact of a product → how a list of changes calls it.
WORDS = {
    "drug_name": "name",
    "strength_unit": "unit",
    "drug_class": "class",
    "long_acting": "long-acting",
    "mme_key": "MME key",
    "acetaminophen_mg": "acetaminophen",
}


@dataclass
class Imported:
    """What files did to the table, counted and in lines.

    `kept` are products that staff wrote and a file describes otherwise; `gone` those
    that came from FDA once and are no longer listed. None of them is changed.
    """

    new: int = 0
    changed: int = 0
    same: int = 0
    kept: int = 0
    gone: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    comparison: Comparison | None = None

    def counts(self) -> dict[str, int]:
        return {
            "new": self.new,
            "changed": self.changed,
            "same": self.same,
            "kept": self.kept,
            "gone": len(self.gone),
            "invalid": len(self.invalid),
        }


def facts_for(ndcs: Iterable[str]) -> dict[str, ProductFacts]:
    """Give the facts of each 11-digit NDC that the table knows; unknown ones lack."""
    return {
        product.ndc: facts_of(product)
        for batch in _batches(sorted(set(ndcs)))
        for product in Product.select().where(Product.ndc.in_(batch))
    }


def audience_of(facts: ProductFacts) -> Audience:
    """Tell who may see the records of a product, by the programme's list."""
    return reported_drugs.audience(
        settings.current().reported_drugs,
        schedule=facts.schedule,
        drug_class=facts.drug_class,
        ingredient=facts.ingredient,
    )


def seed(*, at: datetime) -> Imported:
    """Add the common controlled substances that the table lacks; change none."""
    imported = Imported()
    with database.atomic():
        _import(
            drug_files.read_seed(),
            imported,
            source="seed",
            at=at,
            by="system",
            add=True,
        )
    return imported


def import_files(
    *,
    directory: Directory | None = None,
    cdc: Path | None = None,
    dry_run: bool = False,
    by: str = "system",
    at: datetime,
) -> Imported:
    """Add and renew products from FDA's NDC directory, all of it or nothing.

    `cdc` may name CDC's table of 2018: it adds only the NDCs that are lacking, and the
    table is compared with it. A dry run gives the same answer and changes nothing.
    Raises KeyError with its name if a needed column is missing, OSError if a file is,
    zipfile.BadZipFile for a damaged zip.
    """
    imported = Imported()
    with database.atomic() as transaction:
        if directory:
            _import_fda(directory, imported, at=at, by=by)
        if cdc:
            _import_cdc(cdc, imported, at=at, by=by)
        if dry_run:
            transaction.rollback()
    return imported


def facts_of(product: Product) -> ProductFacts:
    """Give the facts that a row of the table holds."""
    same = {
        column.name: getattr(product, column.name)
        for column in fields(ProductFacts)
        if column.name != "drug_name"
    }
    return ProductFacts(drug_name=product.name, **same)


def columns_of(facts: ProductFacts, source: str) -> dict[str, Any]:
    """Give facts as columns of a row of the table."""
    row = asdict(facts)
    return {"name": row.pop("drug_name"), **row, "source": source}


def differences(before: ProductFacts, after: ProductFacts) -> list[str]:
    """Write what differs between the facts of a product: "schedule CIII → CII"."""
    one, other = asdict(before), asdict(after)
    return [
        f"{WORDS.get(name, name)} {_shown(one[name])} → {_shown(other[name])}"
        for name in one
        if one[name] != other[name]
    ]


def _import_fda(
    directory: Directory, imported: Imported, *, at: datetime, by: str
) -> None:
    listed: Any = Product.select(Product.ndc).where(Product.source == "fda").tuples()
    before = {ndc for (ndc,) in listed}

    def seen(batch: Mapping[str, ProductFacts]) -> None:
        before.difference_update(batch)

    rows = fda_directory.read(directory)
    _import(rows, imported, source="fda", at=at, by=by, seen=seen)
    imported.gone += sorted(before)


def _import_cdc(file: Path, imported: Imported, *, at: datetime, by: str) -> None:
    imported.comparison = comparison = Comparison()
    rows: list[Published] = []

    def published() -> Iterator[ProductFacts | Unreadable]:
        for row in cdc_table.read(file):
            if isinstance(row, Published):
                rows.append(row)
                yield row.facts
            else:
                yield row

    def seen(batch: Mapping[str, ProductFacts]) -> None:
        comparison.add(rows, facts_for(batch))
        rows.clear()

    _import(published(), imported, source="cdc-2018", at=at, by=by, add=True, seen=seen)


def _import(  # noqa: PLR0913 - what differs between the sources
    rows: Iterable[ProductFacts | Unreadable],
    imported: Imported,
    *,
    source: str,
    at: datetime,
    by: str,
    add: bool = False,
    seen: Callable[[Mapping[str, ProductFacts]], None] | None = None,
) -> None:
    """Store what is readable, a batch at a time; `add`: change no row that is there.

    `seen` is called with each batch once it is stored.
    """
    for batch in _batches(_readable(rows, imported)):
        facts = {each.ndc: each for each in batch}
        _store(facts, source, imported, add=add)
        if seen:
            seen(facts)
    audit.record(
        audit.Event.PRODUCTS_IMPORTED,
        actor=by,
        subject=f"products:{source}",
        at=at,
        detail=imported.counts(),
    )


def _readable(
    rows: Iterable[ProductFacts | Unreadable], imported: Imported
) -> Iterator[ProductFacts]:
    for row in rows:
        if isinstance(row, Unreadable):
            imported.invalid.append(f"line {row.line}: {row.reason}")
        else:
            yield row


def _store(
    batch: dict[str, ProductFacts], source: str, imported: Imported, *, add: bool
) -> None:
    known = {row.ndc: row for row in Product.select().where(Product.ndc.in_([*batch]))}
    fresh = [facts for ndc, facts in batch.items() if ndc not in known]
    imported.new += len(fresh)
    changed = []
    for ndc, row in known.items():
        before, after = facts_of(row), batch[ndc]
        if add or before == after:
            imported.same += not add
        elif row.source == STAFF:
            imported.kept += 1
        else:
            changed.append(after)
            imported.changes.append(f"{ndc}: {', '.join(differences(before, after))}")
    imported.changed += len(changed)
    if rows := [columns_of(facts, source) for facts in (*fresh, *changed)]:
        kept = [getattr(Product, name) for name in rows[0] if name != "ndc"]
        (
            Product.insert_many(rows)
            .on_conflict(conflict_target=[Product.ndc], preserve=kept)
            .execute()
        )


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "none"
    return str(value)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield batch
