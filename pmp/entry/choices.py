"""What can be found for a box of the form: drugs, prescribers, pharmacies.

The same for a list that shows while one types and for a step with a Find button.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from models import Product, User
from pmp.drugs import product_search
from pmp.entry import pharmacies, prescriber_search, summary
from pmp.entry.reading import PHARMACY
from pmp.errors import RuleError

PRESCRIBER = "PRE02"
_LIQUIDS = ("SOLUTION", "SYRUP", "LIQUID", "SUSPENSION", "ELIXIR", "INJECTION")
_CREAMS = ("CREAM", "OINTMENT", "GEL", "POWDER")


@dataclass(frozen=True)
class Choice:
    """Something to choose: what goes into its box, its words, what else it fills in.

    `key` stands for it when it is asked for again.
    """

    key: str
    value: str
    words: str
    more: Mapping[str, str] = field(default_factory=dict)


def find(element: str, text: str, *, by: User) -> list[Choice]:
    """Give at most ten choices for the text in a box; none for a box that has none."""
    if _is_product(element):
        return [_product(element, each) for each in product_search.find(text)]
    if element == PRESCRIBER:
        return [_prescriber(each) for each in prescriber_search.find(text)]
    if element == PHARMACY:
        return [_pharmacy(each) for each in pharmacies.find(text, by=by)]
    return []


def chosen(element: str, key: str, *, by: User) -> Choice | None:
    """Give the choice that a key stands for; None if there is no such."""
    if _is_product(element):
        product = product_search.named(key)
        return _product(element, product) if product else None
    if element == PRESCRIBER:
        known = prescriber_search.named(key)
        return _prescriber(known) if known else None
    try:
        return _pharmacy(pharmacies.named(key, by=by))
    except RuleError:
        return None


def _is_product(element: str) -> bool:
    return element.partition(".")[0] in {"DSP08", "CDI03"}


def _product(element: str, product: Product) -> Choice:
    base, dot, nth = element.partition(".")
    unit = "DSP11" if base == "DSP08" else "CDI05"
    more = {f"{unit}{dot}{nth}": _unit(product.form.upper())}
    return Choice(product.ndc, product.ndc, summary.product_words(product), more)


def _unit(form: str) -> str:
    if any(word in form for word in _LIQUIDS):
        return "02"
    return "03" if any(word in form for word in _CREAMS) else "01"


def _prescriber(found: prescriber_search.Found) -> Choice:
    more = {name: text for name, text in found.elements.items() if name != PRESCRIBER}
    return Choice(found.number, found.elements[PRESCRIBER], found.words, more)


def _pharmacy(found: pharmacies.Dispenser) -> Choice:
    return Choice(found.number, found.number, found.words, {"PAT15": found.state})
