"""From what was typed to the elements of the standard, names looked up on the way."""

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from models import User
from pmp import clock
from pmp.asap import plain
from pmp.drugs import product_search
from pmp.entry import pharmacies, prescriber_search
from pmp.errors import RuleError
from pmp.registration.names import name_key

INGREDIENTS = ("", ".2", ".3", ".4", ".5")
"""What stands behind “CDI03” for each ingredient of a compound."""
COMPOUND = "06"
_VOID = "02"
COMPOUND_ID = "99999999999"
PHARMACY = "PHA"
"""Under this name a typed record has the pharmacy's number."""

_LETTER = re.compile(r"[^\W\d_]{2}")


def read(
    typed: Mapping[str, str], *, by: User, at: datetime
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Give the elements that were typed, and what could not be understood.

    The second maps element ids to sentences for the person.
    """
    faults: dict[str, list[str]] = defaultdict(list)
    today = clock.day_of(at)
    elements: dict[str, str] = {}
    for element, text in _wanted(typed).items():
        try:
            value = plain.read(element, text, today=today)
        except ValueError as fault:
            faults[element].append(_to_choose(element, text) or str(fault))
            value = plain.tidy(text)
        if value:
            elements[element] = value
    _name_product(elements, faults)
    _name_prescriber(elements, faults)
    _list_ingredients(elements, faults)
    try:
        pharmacy = pharmacies.named(typed.get(PHARMACY, ""), by=by)
        elements |= pharmacy.elements
    except RuleError as refusal:
        faults[PHARMACY].append(refusal.message)
    return elements, faults


def _wanted(typed: Mapping[str, str]) -> dict[str, str]:
    """Leave out the ingredients of what is no compound, and the reverse."""
    wanted = {name: text for name, text in typed.items() if name != PHARMACY}
    if wanted.get("DSP07") == COMPOUND:
        return {**wanted, "DSP08": COMPOUND_ID}
    return {
        **{name: text for name, text in wanted.items() if name[:3] != "CDI"},
        "DSP07": "01",
    }


def _to_choose(element: str, text: str) -> str:
    """Say to choose, where a name was typed instead of a number."""
    if element.startswith(("DSP08", "CDI03")) and _LETTER.search(text):
        return "Choose the drug: press Find and pick it, or type its NDC."
    return ""


def _name_product(elements: dict[str, str], faults: dict[str, list[str]]) -> None:
    """Bring NDCs of ten digits to eleven where the drug table has but one of them."""
    if not elements.get("DSP08"):
        faults["DSP08"].append("Type the drug's name or NDC, and choose it.")
    named = [name for name in elements if name.startswith(("DSP08", "CDI03"))]
    whole = product_search.whole_ndcs(elements[name] for name in named)
    for name in named:
        found = whole.get(elements[name], [])
        if len(found) == 1:
            elements[name] = found[0]
        elif found:
            faults[name].append(
                f"The NDC {elements[name]} can be {len(found)} products. Press Find"
                " and pick the right one."
            )


def _name_prescriber(elements: dict[str, str], faults: dict[str, list[str]]) -> None:
    """Fill in what is known of the prescriber and was not typed."""
    number = elements.get("PRE02", "")
    if not number:
        if elements.get("DSP01") != _VOID:
            faults["PRE02"].append("Type the prescriber's name or DEA number.")
        return
    if not any(sign.isdigit() for sign in number):
        words = "Choose the prescriber: press Find and pick, or type the DEA number."
        faults["PRE02"].append(words)
        return
    known = _known_prescriber(elements)
    if known and not elements.get("PRE05"):
        for name, text in known.elements.items():
            if text:
                elements.setdefault(name, text)


def doubts(elements: Mapping[str, str]) -> dict[str, list[str]]:
    """Give what is odd beyond the rules of files: a number that is another person's."""
    known = _known_prescriber(elements)
    typed = elements.get("PRE05", "")
    if known is None or not typed or not known.elements["PRE05"]:
        return {}
    if name_key(known.elements["PRE05"]) == name_key(typed):
        return {}
    words = f"This DEA number is known here as another name: {known.words}."
    return {"PRE02": [words]}


def _known_prescriber(elements: Mapping[str, str]) -> prescriber_search.Found | None:
    number, suffix = elements.get("PRE02", ""), elements.get("PRE03", "")
    return prescriber_search.named(f"{number}/{suffix}" if suffix else number)


def _list_ingredients(elements: dict[str, str], faults: dict[str, list[str]]) -> None:
    """List the ingredients of a compound by number; a unit alone is none."""
    if elements.get("DSP07") != COMPOUND:
        return
    listed = []
    for nth in INGREDIENTS:
        names = [f"CDI{place}{nth}" for place in ("03", "04", "05")]
        parts = [elements.pop(name, "") for name in names]
        if parts[0] or parts[1]:
            listed.append((nth, parts))
    for place, (nth, parts) in enumerate(listed, start=1):
        elements |= {f"CDI01{nth}": str(place), f"CDI02{nth}": "01"}
        for number, text in zip(("03", "04", "05"), parts, strict=True):
            if text:
                elements[f"CDI{number}{nth}"] = text
    if not listed:
        words = "List each controlled ingredient of the compound with its quantity."
        faults["CDI03"].append(words)
