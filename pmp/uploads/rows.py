"""A reported record as a row of the table of dispensations."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from models import DispensationStatus
from pmp import asap, drugs
from pmp.asap.codes import COMPOUND
from pmp.care import care_of
from pmp.dispensations import frozen
from pmp.uploads.standing import Row

_PLACES = Decimal("0.001")


def key_row(reported: asap.Dispensing, pharmacy: Any) -> Row:
    """Give what a fill is known by, with its quantity; `pharmacy` is its id."""
    return {
        "pharmacy": pharmacy,
        "prescription_number": prescription_number(reported),
        "filled_on": reported.filled_on,
        "fill_number": reported.fill_number,
        "partial": reported.partial_number,
        "product_code": reported.product_id if reported.compound else reported.ndc,
        "quantity": _kept(reported.quantity),
    }


def content(reported: asap.Dispensing) -> Row:
    """Give what a record says of its fill beside key, people and product."""
    return {
        "product_qualifier": COMPOUND if reported.compound else "01",
        "written_on": reported.written_on,
        "sold_on": reported.sold_on,
        "days_supply": reported.days_supply,
        "units": reported.unit,
        "refills_authorized": reported.refills_authorised,
        "payment": reported.payment,
        "care": care_of(reported.treatment, reported.diagnosis),
        "status": DispensationStatus.CURRENT.value,
        "version": 1,
        "corrected": False,
    }


def facts_of(
    reported: asap.Dispensing,
    products: Mapping[str, drugs.ProductFacts],
    ready: Mapping[str, Row],
) -> Row:
    """Give the facts of a record's product, or of its ingredients, to be frozen.

    `ready` are those of `products`, made once.
    """
    if not reported.compound:
        return ready.get(reported.ndc) or frozen(None, reported.ndc)
    parts = [
        products[part.ndc] for part in reported.ingredients if part.ndc in products
    ]
    # The strictest schedule speaks for the whole; CII sorts before CV, none comes last.
    parts.sort(key=lambda facts: (not facts.schedule, facts.schedule))
    if not parts:
        return frozen(None, reported.product_id) | {"drug_name": "Compound"}
    all_known = len(parts) == len(reported.ingredients)
    # A compound's strength is not the ingredient's: its dose is unknown, never zero.
    return frozen(parts[0], "") | {
        "drug_name": "Compound: " + ", ".join(part.ingredient for part in parts),
        "strength": None,
        "strength_unit": "",
        "mme_key": "",
        "acetaminophen_mg": None,
        **({} if all_known else {"withheld": None}),
    }


def prescription_number(reported: asap.Dispensing) -> str:
    """Give a prescription number as compared: without blanks, in upper case."""
    return reported.prescription_number.strip().upper()


def _kept(quantity: Decimal) -> Decimal:
    """Give a quantity as the table keeps it, so that both can be compared."""
    kept = quantity.quantize(_PLACES, ROUND_HALF_UP)
    return quantity if quantity == kept else kept
