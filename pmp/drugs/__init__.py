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
from pmp import audit, bulk, database, reported_drugs, settings
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
    imported, plan = Imported(), Plan()
    _look_through(drug_files.read_seed(), plan, imported, source="seed", add=True)
    _write(plan, imported, by="system", at=at)
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
    imported, plan = Imported(), Plan()
    if directory:
        _look_through_fda(directory, plan, imported)
    if cdc:
        _look_through_cdc(cdc, plan, imported)
    if not dry_run:
        _write(plan, imported, by=by, at=at)
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


@dataclass
class Plan:
    """What is to be written: NDC → facts and where they are from.

    Files are read and compared before anything is written, so that the database is
    not held while they are read.
    """

    rows: dict[str, tuple[ProductFacts, str]] = field(default_factory=dict)
    changing: set[str] = field(default_factory=set)
    sources: list[str] = field(default_factory=list)

    def known(self, ndcs: Iterable[str]) -> dict[str, tuple[ProductFacts, str]]:
        """Give what is planned or in the table of each NDC."""
        wanted = [*ndcs]
        there = Product.select().where(Product.ndc.in_(wanted))
        found = {row.ndc: (facts_of(row), row.source) for row in there}
        return found | {ndc: self.rows[ndc] for ndc in wanted if ndc in self.rows}


def _look_through_fda(directory: Directory, plan: Plan, imported: Imported) -> None:
    listed: Any = Product.select(Product.ndc).where(Product.source == "fda").tuples()
    before = {ndc for (ndc,) in listed}

    def seen(batch: Mapping[str, ProductFacts]) -> None:
        before.difference_update(batch)

    rows = fda_directory.read(directory)
    _look_through(rows, plan, imported, source="fda", seen=seen)
    imported.gone += sorted(before)


def _look_through_cdc(file: Path, plan: Plan, imported: Imported) -> None:
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
        known = plan.known(batch)
        comparison.add(rows, {ndc: facts for ndc, (facts, _) in known.items()})
        rows.clear()

    _look_through(published(), plan, imported, source="cdc-2018", add=True, seen=seen)


def _look_through(
    rows: Iterable[ProductFacts | Unreadable],
    plan: Plan,
    imported: Imported,
    *,
    source: str,
    add: bool = False,
    seen: Callable[[Mapping[str, ProductFacts]], None] | None = None,
) -> None:
    """Plan what a source adds and changes, a batch at a time; `add`: changes nothing.

    `seen` is called with each batch once it is planned.
    """
    plan.sources.append(source)
    for batch in _batches(_readable(rows, imported)):
        facts = {each.ndc: each for each in batch}
        known = plan.known(facts)
        for ndc, after in facts.items():
            if ndc not in known:
                imported.new += 1
                plan.rows[ndc] = after, source
            elif not add:
                _compare(*known[ndc], after, plan, imported, source=source)
        if seen:
            seen(facts)


def _compare(
    before: ProductFacts,
    written_by: str,
    after: ProductFacts,
    plan: Plan,
    imported: Imported,
    *,
    source: str,
) -> None:
    if before == after:
        imported.same += 1
    elif written_by == STAFF:
        imported.kept += 1
    else:
        imported.changed += 1
        imported.changes.append(f"{after.ndc}: {', '.join(differences(before, after))}")
        plan.rows[after.ndc] = after, source
        plan.changing.add(after.ndc)


def _write(plan: Plan, imported: Imported, *, by: str, at: datetime) -> None:
    rows = [columns_of(facts, source) for facts, source in plan.rows.values()]
    fresh = [row for row in rows if row["ndc"] not in plan.changing]
    changed = [row for row in rows if row["ndc"] in plan.changing]
    with database.atomic():
        for batch in _batches(fresh):
            bulk.insert(Product, batch, unless=["ndc"])
        for batch in _batches(changed):
            kept = [getattr(Product, name) for name in batch[0] if name != "ndc"]
            (
                Product.insert_many(batch)
                .on_conflict(
                    conflict_target=[Product.ndc],
                    preserve=kept,
                    # Whatever was written meanwhile.
                    where=Product.source != STAFF,
                )
                .execute()
            )
        audit.record(
            audit.Event.PRODUCTS_IMPORTED,
            actor=by,
            subject=f"products:{','.join(plan.sources)}",
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


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "none"
    return str(value)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield batch
