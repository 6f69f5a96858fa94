"""Reads CDC's oral MME table of September 2018, saved as CSV (30,264 NDCs).

Pure. It knows products that have left the market, and says of each which factor CDC
gives it: a cross-check of what the program derives from ingredient, form and strength.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pmp import identifiers
from pmp.drugs.drug_files import ProductFacts, Unreadable, amount, product_facts

NEEDED = (
    "NDC",
    "Product_Name",
    "Generic_Drug_Name",
    "Master_Form",
    "DEAClassCode",
    "Strength_Per_Unit",
    "UOM",
)
# The only factor that CDC gives to a spray for the nose: the table has no routes.
_NASAL = Decimal("0.16")


@dataclass(frozen=True)
class Published:
    """A line of the table: our facts from it, and CDC's own word on them.

    `factor` and `long_acting` are None where CDC says nothing of them; `drug` is its
    name for the substance ("Oxycodone SA").
    """

    line: int
    facts: ProductFacts
    drug: str
    strength: Decimal | None
    factor: Decimal | None
    long_acting: bool | None


def read(file: Path) -> Iterator[Published | Unreadable]:
    """Read the table, a line at a time.

    Raises KeyError with a column's name if it lacks one that is needed.
    """
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        for name in NEEDED:
            if name not in (reader.fieldnames or ()):
                raise KeyError(name)
        for row in reader:
            cells = {name: value or "" for name, value in row.items() if name}
            try:
                ndc = identifiers.parse_ndc(cells["NDC"].zfill(11))
            except ValueError as fault:
                yield Unreadable(reader.line_num, str(fault))
            else:
                yield _published(reader.line_num, ndc, cells)


def _published(line: int, ndc: str, row: dict[str, str]) -> Published:
    factor = amount(row.get("MME_Conversion_Factor", ""))
    lasts = row.get("LongShortActing", "")
    strength, form, unit = row["Strength_Per_Unit"], row["Master_Form"], row["UOM"]
    return Published(
        line,
        product_facts(
            ndc=ndc,
            name=f"{row['Product_Name']} {strength} {unit} {form}",
            ingredient=row["Generic_Drug_Name"].replace("/", "; "),
            strength=(amount(strength), unit),
            shape=(form, _route(form.lower(), factor)),
            schedule=row["DEAClassCode"],
        ),
        row.get("Drug", ""),
        amount(strength),
        factor,
        lasts == "LA" if lasts else None,
    )


def _route(form: str, factor: Decimal | None) -> str:
    if "patch" in form:
        return "TRANSDERMAL"
    return "NASAL" if form == "spray" and factor == _NASAL else ""
