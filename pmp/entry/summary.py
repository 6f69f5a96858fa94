"""What a checked record says, in words, for a last look before it is submitted."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from models import Product
from pmp.asap import plain_codes
from pmp.asap.draft import parse_day
from pmp.drugs import product_search
from pmp.entry.reading import COMPOUND, INGREDIENTS
from pmp.wording import amount, ndc, person_name, phone, us_date, zip_code

_IN_UNITS = {"01": "", "02": "ml", "03": "g"}
_MILLIGRAMS = "mg"


def of(elements: Mapping[str, str]) -> list[tuple[str, str]]:
    """Give labels and sentences, in the order of the form."""
    word = {
        name: plain_codes.SHOWN[name].get(elements.get(name, ""), "")
        for name in plain_codes.SHOWN
    }
    return [
        ("This is", _ask(word["DSP01"])),
        ("Pharmacy", elements.get("PHA04", "")),
        ("Patient", _patient(elements, word)),
        ("Address", _address(elements)),
        ("Prescription", _prescription(elements)),
        ("Drug", _drug(elements)),
        ("Dose", _dose(elements)),
        ("Paid", word["DSP16"]),
        ("Prescriber", _prescriber(elements)),
    ]


def product_words(product: Product | None) -> str:
    """Name a product for people: its name, NDC and schedule."""
    if product is None:
        return ""
    return " · ".join(filter(None, (product.name, ndc(product.ndc), product.schedule)))


def _ask(status: str) -> str:
    return {
        "revise": "a change to a record that was sent before",
        "void": "a void: the record sent before is taken back",
    }.get(status, "a new record")


def _patient(elements: Mapping[str, str], word: Mapping[str, str]) -> str:
    name = person_name(*(elements.get(f"PAT{n}", "") for n in ("07", "08", "09")))
    born = us_date(parse_day(elements.get("PAT18", "")))
    animal = elements.get("PAT23", "")
    if elements.get("PAT20") == "02":
        name = f"{animal or 'an animal'}, owner {name}"
    parts = (name, born and f"born {born}", word["PAT19"])
    return ", ".join(filter(None, parts))


def _address(elements: Mapping[str, str]) -> str:
    parts = [elements.get(f"PAT{n}", "") for n in ("12", "13", "14", "15")]
    return ", ".join(
        filter(
            None,
            (
                *parts,
                zip_code(elements.get("PAT16", "")),
                phone(elements.get("PAT17")),
            ),
        )
    )


def _prescription(elements: Mapping[str, str]) -> str:
    written, filled, sold = (
        us_date(parse_day(elements.get(name, "")))
        for name in ("DSP03", "DSP05", "DSP17")
    )
    fill = elements.get("DSP06", "")
    which = "original fill" if not fill.strip("0") else f"refill {fill}"
    parts = (
        f"number {elements.get('DSP02', '')}",
        written and f"written {written}",
        filled and f"filled {filled}",
        sold and f"sold {sold}",
        which,
        f"{elements.get('DSP04', '0').lstrip('0') or 'no'} refills authorized",
    )
    return ", ".join(filter(None, parts))


def _drug(elements: Mapping[str, str]) -> str:
    if elements.get("DSP07") == COMPOUND:
        return "Compound: " + "; ".join(_ingredients(elements))
    code = elements.get("DSP08", "")
    known = product_search.named(code)
    return product_words(known) or f"{ndc(code)}, which the drug table does not know"


def _ingredients(elements: Mapping[str, str]) -> list[str]:
    found = []
    for nth in INGREDIENTS:
        code = elements.get(f"CDI03{nth}", "")
        if code:
            name = product_words(product_search.named(code)) or ndc(code)
            unit = _IN_UNITS.get(elements.get(f"CDI05{nth}", ""), "")
            found.append(f"{elements.get(f'CDI04{nth}', '')} {unit} {name}")
    return [" ".join(each.split()) for each in found]


def _dose(elements: Mapping[str, str]) -> str:
    """Say the quantity, how long it lasts, and how much a day that is."""
    quantity, days = elements.get("DSP09", ""), elements.get("DSP10", "")
    unit = _IN_UNITS.get(elements.get("DSP11", ""), "")
    words = " ".join(filter(None, (quantity, unit, f"for {days} days")))
    try:
        a_day = Decimal(quantity) / Decimal(days)
    except (InvalidOperation, ZeroDivisionError):
        return words
    each = " ".join(filter(None, (amount(round(a_day, 2)), unit, "a day")))
    return f"{words}: {each}{_strength(elements, a_day)}"


def _strength(elements: Mapping[str, str], a_day: Decimal) -> str:
    product = product_search.named(elements.get("DSP08", ""))
    if product is None or product.strength_unit != _MILLIGRAMS or not product.strength:
        return ""
    return f", {amount(round(a_day * Decimal(product.strength), 1))} mg a day"


def _prescriber(elements: Mapping[str, str]) -> str:
    name = person_name(elements.get("PRE05", ""), elements.get("PRE06", ""))
    parts = (
        name,
        f"DEA {elements.get('PRE02', '')}",
        elements.get("PRE03") and f"suffix {elements['PRE03']}",
        phone(elements.get("PRE08")),
    )
    return ", ".join(filter(None, parts))
