"""Reads drug products from files: the program's own, FDA's NDC directory, CDC's table.

Pure: files in, `ProductFacts` out. FDA publishes `product.txt` and `package.txt`, tab
separated, Windows-1252, with a header whose columns vary from year to year: columns are
found by name. CDC's table of September 2018 knows products that have left the market.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from pathlib import Path

from pmp import drug_classes, identifiers

SEED = Path(__file__).parent / "seed" / "products.csv"
REPORTED_SCHEDULES = frozenset({"CII", "CIII", "CIV", "CV"})
_FDA_ENCODING = "cp1252"
_ROMAN = {"1": "I", "2": "II", "3": "III", "4": "IV", "5": "V"}
_PER_MILLILITRE = re.compile(r"mg/(\d+(?:\.\d+)?)?ml", re.IGNORECASE)


@dataclass(frozen=True)
class ProductFacts:
    """What is frozen on a dispensation of a product, under the names it has there.

    `strength` is in `strength_unit` ("mg", "mg/5mL", "mcg/hr"); `acetaminophen_mg` is
    per tablet or per mL; `schedule` is CII to CV, or empty.
    """

    ndc: str
    drug_name: str
    ingredient: str
    strength: Decimal | None
    strength_unit: str
    form: str
    route: str
    schedule: str
    drug_class: str
    long_acting: bool
    mme_key: str
    acetaminophen_mg: Decimal | None
    reportable: bool


@dataclass(frozen=True)
class Unreadable:
    """A line of a file that holds no product, and why."""

    line: int
    reason: str


def schedule_word(text: str) -> str:
    """Write CII, C-II, II or 2 as CII; empty for anything else."""
    word = text.strip().upper().removeprefix("C").removeprefix("-")
    word = _ROMAN.get(word, word)
    return f"C{word}" if word in _ROMAN.values() else ""


def read_seed() -> Iterator[ProductFacts]:
    """Read the common controlled substances that ship with the program."""
    with SEED.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield _facts(
                ndc=row["ndc"],
                name=row["name"],
                ingredient=row["ingredient"],
                strength=(_number(row["strength"]), row["strength_unit"]),
                shape=(row["form"], row["route"]),
                schedule=row["schedule"],
                acetaminophen=_number(row["acetaminophen_mg"]),
            )


def read_cdc(file: Path) -> Iterator[ProductFacts | Unreadable]:
    """Read CDC's oral MME table as CSV (columns NDC, Product_Name, Master_Form, …)."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), start=2):
            try:
                ndc = identifiers.parse_ndc(row["NDC"].zfill(11))
            except (ValueError, KeyError) as fault:
                yield Unreadable(number, str(fault))
                continue
            strength = _number(row["Strength_Per_Unit"])
            form, unit = row["Master_Form"].upper(), row["UOM"]
            yield _facts(
                ndc=ndc,
                name=f"{row['Product_Name']} {row['Strength_Per_Unit']} {unit} {form}",
                ingredient=row["Generic_Drug_Name"].upper().replace("/", "; "),
                strength=(strength, _unit(unit)),
                shape=(form, "TRANSDERMAL" if "PATCH" in form else ""),
                schedule=row["DEAClassCode"],
            )


def read_fda(product: Path, package: Path) -> Iterator[ProductFacts | Unreadable]:
    """Read FDA's directory: one product for each package.

    Raises KeyError with the column's name if a file lacks one that is needed.
    """
    products = {row["PRODUCTNDC"]: row for _, row in _fda_rows(product)}
    for number, row in _fda_rows(package):
        try:
            found = products[row["PRODUCTNDC"]]
            ndc = identifiers.parse_ndc(row["NDCPACKAGECODE"])
        except KeyError:
            yield Unreadable(number, "package.txt names a product not in product.txt")
        except ValueError as fault:
            yield Unreadable(number, str(fault))
        else:
            yield _from_fda(ndc, found)


def _fda_rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with file.open(encoding=_FDA_ENCODING, errors="replace", newline="") as lines:
        reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        header = [name.strip().upper() for name in next(reader, [])]
        if "PRODUCTNDC" not in header:
            raise KeyError("PRODUCTNDC")
        for number, cells in enumerate(reader, start=2):
            if cells:
                named = zip_longest(header, map(str.strip, cells), fillvalue="")
                yield number, dict(named)


def _from_fda(ndc: str, row: dict[str, str]) -> ProductFacts:
    names = row["SUBSTANCENAME"].split("; ")
    strengths = row["ACTIVE_NUMERATOR_STRENGTH"].split("; ")
    units = row["ACTIVE_INGRED_UNIT"].split("; ")
    form, route = row["DOSAGEFORMNAME"], row["ROUTENAME"]
    parts = list(zip(names, strengths, units, strict=False))
    parts.sort(key=lambda part: _of_interest(part[0]))
    active = parts[0] if parts else ("", "", "")
    return _facts(
        ndc=ndc,
        name=" ".join(
            word
            for word in (
                row["PROPRIETARYNAME"],
                row.get("PROPRIETARYNAMESUFFIX", ""),
                "-".join(part[1] for part in parts if part[1]),
                _unit(active[2]).upper(),
                form,
            )
            if word
        ),
        ingredient="; ".join(part[0] for part in parts) or row["NONPROPRIETARYNAME"],
        strength=(_number(active[1]), _unit(active[2])),
        shape=(form, route),
        schedule=row["DEASCHEDULE"],
        acetaminophen=_acetaminophen(parts),
    )


def _of_interest(ingredient: str) -> bool:
    """Sort the ingredient whose class counts before the others."""
    return drug_classes.kind_of(ingredient, "").drug_class == "other"


def _acetaminophen(parts: list[tuple[str, str, str]]) -> Decimal | None:
    for name, strength, unit in parts:
        amount = _number(strength)
        if name.upper() == "ACETAMINOPHEN" and amount is not None:
            if unit == "mg/1":
                return amount
            if volume := _PER_MILLILITRE.fullmatch(unit):
                return amount / Decimal(volume[1] or 1)
    return None


def _facts(  # noqa: PLR0913 - the columns that every source has
    *,
    ndc: str,
    name: str,
    ingredient: str,
    strength: tuple[Decimal | None, str],
    shape: tuple[str, str],
    schedule: str,
    acetaminophen: Decimal | None = None,
) -> ProductFacts:
    form, route = shape
    kind = drug_classes.kind_of(ingredient, f"{form} {route}")
    word = schedule_word(schedule)
    listed = drug_classes.words_of(ingredient) & drug_classes.REPORTED_WITHOUT_SCHEDULE
    return ProductFacts(
        ndc=ndc,
        drug_name=name.upper()[:255],
        ingredient=ingredient.upper()[:255],
        strength=strength[0],
        strength_unit=strength[1],
        form=form.upper(),
        route=route.upper()[:255],
        schedule=word,
        drug_class=kind.drug_class,
        long_acting=kind.long_acting,
        mme_key=kind.mme_key,
        acetaminophen_mg=acetaminophen,
        reportable=word in REPORTED_SCHEDULES or bool(listed),
    )


def _unit(text: str) -> str:
    """Write FDA's "mg/1" as "mg", CDC's MG as "mg", mL with its capital."""
    return text.removesuffix("/1").lower().replace("ml", "mL")


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number > 0 else None
