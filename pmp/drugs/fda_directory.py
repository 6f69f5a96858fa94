"""Reads FDA's NDC directory: product.txt and package.txt, loose or in the zip.

Pure. Both are tab separated, Windows-1252 with CRLF, under a header whose columns vary
from year to year: columns are found by name. A product has several packages, each with
its own NDC; several ingredients stand in parallel lists, separated by "; ".
"""

import csv
import io
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import IO, NamedTuple

from pmp import drug_classes, identifiers
from pmp.drugs.drug_files import (
    ProductFacts,
    Unreadable,
    amount,
    product_facts,
    unit_of,
    unit_words,
)
from pmp.mme import amount_per_unit, plain

_ENCODING = "cp1252"
_BYTE_ORDER_MARKS = ("\ufeff", "ï»¿")


class Directory(NamedTuple):
    """Where the two files are: each by itself, or both the same zip as downloaded."""

    product: Path
    package: Path


class _Product(NamedTuple):
    """The columns of product.txt that are needed, in this order."""

    proprietary: str
    suffix: str
    common: str
    form: str
    route: str
    substances: str
    strengths: str
    units: str
    schedule: str


# Name of a column → whether a file without it is refused.
_COLUMNS = {
    "PROPRIETARYNAME": True,
    "PROPRIETARYNAMESUFFIX": False,
    "NONPROPRIETARYNAME": True,
    "DOSAGEFORMNAME": True,
    "ROUTENAME": True,
    "SUBSTANCENAME": True,
    "ACTIVE_NUMERATOR_STRENGTH": True,
    "ACTIVE_INGRED_UNIT": True,
    "DEASCHEDULE": True,
}


class _Part(NamedTuple):
    name: str
    strength: Decimal | None
    unit: str


class _Line(list[str]):
    """The cells of a line, of which the last may be missing."""

    def at(self, place: int | None) -> str:
        if place is None or place >= len(self):
            return ""
        return sys.intern(self[place].strip())


def read(directory: Directory) -> Iterator[ProductFacts | Unreadable]:
    """Read the directory: one product for each package, in the order of package.txt.

    An NDC that is listed again is left out. Raises KeyError with the column's name if a
    file lacks one that is needed, zipfile.BadZipFile for a damaged zip, and
    FileNotFoundError if a zip lacks one of the two.
    """
    products = _products(directory.product)
    seen: set[str] = set()
    with _open(directory.package, "package.txt") as lines:
        place = _columns(lines, ("PRODUCTNDC", "NDCPACKAGECODE"))
        for number, cells in _cells(lines):
            code, package = map(cells.at, place)
            found = products.get(code)
            if found is None:
                reason = f"package.txt names product {code}, not in product.txt"
                yield Unreadable(number, reason)
                continue
            try:
                ndc = identifiers.parse_ndc(package)
            except ValueError as fault:
                yield Unreadable(number, str(fault))
                continue
            if ndc not in seen:
                seen.add(ndc)
                yield _facts(ndc, found)


def _products(file: Path) -> dict[str, _Product]:
    """Keep what is needed of each product: the packages come in an order of their own.

    The same words stand in many lines, so that they are kept once.
    """
    needed = ["PRODUCTNDC", *(name for name, must in _COLUMNS.items() if must)]
    with _open(file, "product.txt") as lines:
        places = _columns(lines, needed, tuple(_COLUMNS))
        products: dict[str, _Product] = {}
        for _, cells in _cells(lines):
            code, *words = map(cells.at, places)
            products.setdefault(code, _Product(*words))
    return products


@contextmanager
def _open(file: Path, name: str) -> Iterator[IO[str]]:
    if zipfile.is_zipfile(file):
        with (
            zipfile.ZipFile(file) as archive,
            archive.open(_member(archive, name)) as content,
        ):
            yield io.TextIOWrapper(
                content, encoding=_ENCODING, errors="replace", newline=""
            )
    else:
        with file.open(encoding=_ENCODING, errors="replace", newline="") as lines:
            yield lines


def _member(archive: zipfile.ZipFile, name: str) -> str:
    for member in archive.namelist():
        if member.rpartition("/")[2].lower() == name:
            return member
    raise FileNotFoundError(f"The zip file holds no {name}.")


def _columns(
    lines: IO[str], needed: Sequence[str], wanted: Sequence[str] = ()
) -> list[int | None]:
    """Read the header; give where each needed and wanted column is."""
    header = [
        _without_mark(name).strip().upper() for name in next(lines, "").split("\t")
    ]
    for name in needed:
        if name not in header:
            raise KeyError(name)
    names = dict.fromkeys([needed[0], *(wanted or needed[1:])])
    return [header.index(name) if name in header else None for name in names]


def _without_mark(name: str) -> str:
    for mark in _BYTE_ORDER_MARKS:
        name = name.removeprefix(mark)
    return name


def _cells(lines: IO[str]) -> Iterator[tuple[int, _Line]]:
    reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    for number, cells in enumerate(reader, start=2):
        if any(cells):
            yield number, _Line(cells)


def _facts(ndc: str, product: _Product) -> ProductFacts:
    parts = _parts(product)
    kind = drug_classes.kind_of("; ".join(part.name for part in parts), "").drug_class
    # The ingredients that make the class come first, and give the strength.
    active = [part for part in parts if drug_classes.is_of(part.name, kind)]
    others = [part for part in parts if part not in active]
    strength, unit = _strength(kind, active or parts)
    unit = unit_of(unit, product.form)
    words = (
        product.proprietary or product.common,
        product.suffix,
        "-".join(plain(part.strength) for part in active + others if part.strength),
        unit.upper(),
        product.form,
    )
    return product_facts(
        ndc=ndc,
        name=" ".join(word for word in words if word),
        ingredient="; ".join(part.name for part in active + others) or product.common,
        strength=(strength, unit),
        shape=(product.form, product.route),
        schedule=product.schedule,
        acetaminophen=_acetaminophen(parts),
    )


def _parts(product: _Product) -> list[_Part]:
    """Give the ingredients with their strengths, in the order of the lists."""
    names = product.substances.split(";") if product.substances else []
    lists = (names, product.strengths.split(";"), product.units.split(";"))
    rows = zip_longest(*lists, fillvalue="")
    return [
        _Part(name.strip(), amount(strength), unit_words(unit))
        for name, strength, unit in rows
        if name.strip()
    ]


def _strength(kind: str, active: list[_Part]) -> tuple[Decimal | None, str]:
    """Give the strength of the class: of several salts of a stimulant their sum."""
    if not active:
        return None, ""
    first = active[0]
    same_unit = len({part.unit for part in active}) == 1
    if kind == "stimulant" and same_unit and all(part.strength for part in active):
        return sum((part.strength or Decimal(0) for part in active), Decimal(0)), (
            first.unit
        )
    return first.strength, first.unit


def _acetaminophen(parts: list[_Part]) -> Decimal | None:
    for part in parts:
        if part.name.upper() == "ACETAMINOPHEN":
            return amount_per_unit(part.strength, part.unit)
    return None
