"""What a product is, as the table of drugs keeps it, and the program's own products.

Pure: files in, `ProductFacts` out. FDA's directory is read by `fda_directory`, CDC's
table by `cdc_table`, what staff type by `staff_products`; all of them call
`product_facts`, so that class, long-acting and MME key are derived alike.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pmp import drug_classes

SEED = Path(__file__).parent / "seed" / "products.csv"
_ROMAN = {"1": "I", "2": "II", "3": "III", "4": "IV", "5": "V"}
_UNIT_WORDS = {"ug": "mcg", "µg": "mcg", "h": "hr", "hour": "hr", "ml": "mL"}


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
            yield product_facts(
                ndc=row["ndc"],
                name=row["name"],
                ingredient=row["ingredient"],
                strength=(amount(row["strength"]), row["strength_unit"]),
                shape=(row["form"], row["route"]),
                schedule=row["schedule"],
                acetaminophen=amount(row["acetaminophen_mg"]),
            )


def product_facts(  # noqa: PLR0913 - the columns that every source has
    *,
    ndc: str,
    name: str,
    ingredient: str,
    strength: tuple[Decimal | None, str],
    shape: tuple[str, str],
    schedule: str,
    acetaminophen: Decimal | None = None,
) -> ProductFacts:
    """Derive what a product is from what a source says of it.

    `strength` is with its unit in any writing, `shape` the form and the route; several
    ingredients are separated by "; ".
    """
    form, route = (" ".join(part.upper().split())[:255] for part in shape)
    kind = drug_classes.kind_of(ingredient, f"{form} {route}")
    # Without an ingredient a product would be taken for an unknown one.
    words = " ".join((ingredient.strip() or name).upper().split())
    return ProductFacts(
        ndc=ndc,
        drug_name=" ".join(name.upper().split())[:255],
        ingredient=words[:255],
        strength=strength[0],
        strength_unit=unit_of(strength[1], form),
        form=form,
        route=route,
        schedule=schedule_word(schedule),
        drug_class=kind.drug_class,
        long_acting=kind.long_acting,
        mme_key=kind.mme_key,
        acetaminophen_mg=acetaminophen,
    )


def unit_of(text: str, form: str) -> str:
    """Give the unit of a form's strength: a patch of "ug/1" is one of mcg/hr."""
    unit = unit_words(text)
    return "mcg/hr" if unit == "mcg" and "PATCH" in form.upper() else unit


def unit_words(text: str) -> str:
    """Write a unit as it is read here: "mg/1" is "mg", "ug/h" "mcg/hr"."""
    upper, slash, lower = text.strip().lower().removesuffix("/1").partition("/")
    number = lower[: len(lower) - len(lower.lstrip("0123456789."))]
    per = lower[len(number) :]
    number = "" if number == "1" else number
    return f"{_UNIT_WORDS.get(upper, upper)}{slash}{number}{_UNIT_WORDS.get(per, per)}"


def amount(text: str) -> Decimal | None:
    """Read a positive number; None of anything else."""
    try:
        number = Decimal(text.strip().replace(",", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() and number > 0 else None
