"""What a fill supplies: how it is taken, and what that comes to in MME and milligrams.

Most of a report's fills are refills of another: of those that are alike in drug,
quantity and days, it is worked out once.
"""

from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter
from typing import Any

from models import DrugClass
from pmp import mme, wording
from pmp.asap.codes import COMPOUND
from pmp.drug_classes import product_key
from pmp.mme import Dose, Mme, RuleSet

_NOUNS = ("tablet", "capsule", "patch", "film", "lozenge", "suppository")
_UNITS = {"02": "mL", "03": "g"}
_alike = itemgetter(
    "product_qualifier",
    "drug_name",
    "ingredient",
    "form",
    "drug_class",
    "mme_key",
    "strength",
    "strength_unit",
    "acetaminophen_mg",
    "quantity",
    "units",
    "days_supply",
)


@dataclass(frozen=True)
class Supply:
    """`drug_class` is that of the arithmetic: empty while nobody knows what it is.

    `dose` is frequency and MME as one sum: "… = 4 a day x 10 mg x 1.5 = 60 MME/day";
    the frequency alone where no MME was computed, or for other days than reported.
    """

    drug_class: str
    strength: str
    frequency: str
    product: str
    mme: Mme
    dose: str
    daily_mg: Decimal | None
    daily_acetaminophen_mg: Decimal | None


class Supplies:
    """What the rows of one report supply, under a rule set."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._known: dict[tuple[Any, ...], Supply] = {}

    def of(self, row: dict[str, Any]) -> Supply:
        """Give what a row of `pmp.history.rows` supplies."""
        alike = _alike(row)
        found = self._known.get(alike)
        if found is None:
            found = self._known[alike] = _supply(row, self._rules)
        return found


def _supply(row: dict[str, Any], rules: RuleSet) -> Supply:
    drug_class, often, strength = _class(row), frequency(row), _strength(row)
    amount = mme.daily(_dose(row, drug_class), rules)
    per_unit = mme.amount_per_unit(row["strength"], row["strength_unit"])
    return Supply(
        drug_class=drug_class,
        strength=strength,
        frequency=often,
        product=product_key(
            row["ingredient"] or row["drug_name"], strength, row["form"]
        ),
        mme=amount,
        dose=_with_mme(often, amount),
        daily_mg=_daily(per_unit, row),
        daily_acetaminophen_mg=_daily(row["acetaminophen_mg"], row),
    )


def frequency(row: dict[str, Any]) -> str:
    """Write how much is taken: "60 tablets for 15 days = 4 a day x 10 mg".

    An amount a day that does not come out even is given to 0.1 and called "about"; less
    than one a day is "1 every 3 days" where that comes out even.
    """
    quantity, days = row["quantity"], row["days_supply"]
    if quantity <= 0 or days <= 0:
        return "The quantity or the days supply is not known"
    length = "1 day" if days == 1 else f"{days} days"
    words = f"{wording.amount(quantity)}{_noun(row)} for {length} = {_rate(row)}"
    strength = _strength(row)
    return f"{words} × {strength}" if strength else words  # noqa: RUF001


def _class(row: dict[str, Any]) -> str:
    if row["product_qualifier"] == COMPOUND:
        return ""
    unknown = row["drug_class"] is DrugClass.OTHER and not row["ingredient"]
    return "" if unknown else str(row["drug_class"].value)


def _dose(row: dict[str, Any], drug_class: str) -> Dose:
    return Dose(
        key=row["mme_key"],
        drug_class=drug_class,
        strength=row["strength"],
        strength_unit=row["strength_unit"],
        quantity=row["quantity"],
        days=row["days_supply"],
        counted=_noun(row).strip(),
    )


def _with_mme(often: str, amount: Mme) -> str:
    if amount.factor is None or amount.note:
        return often
    factor = wording.amount(amount.factor)
    return f"{often} × {factor} = {amount.shown} MME/day"  # noqa: RUF001


def _daily(per_unit: Decimal | None, row: dict[str, Any]) -> Decimal | None:
    if not per_unit or row["days_supply"] <= 0:
        return None
    daily: Decimal = per_unit * row["quantity"] / row["days_supply"]
    return daily


def _strength(row: dict[str, Any]) -> str:
    """Write a strength: "10 mg", "25 mcg/hr"; empty if it is not known."""
    if row["strength"] is None:
        return ""
    return f"{wording.amount(row['strength'])} {row['strength_unit']}".strip()


def _rate(row: dict[str, Any]) -> str:
    quantity, days = row["quantity"], row["days_supply"]
    unit = f" {_UNITS[row['units']]}" if row["units"] in _UNITS else ""
    if quantity < days and days % quantity == 0:
        return f"1{unit} every {wording.amount(days / quantity)} days"
    daily = quantity / days
    shown = round(daily, 1)
    about = "" if shown == daily else "about "
    return f"{about}{wording.amount(shown)}{unit} a day"


def _noun(row: dict[str, Any]) -> str:
    if row["units"] in _UNITS:
        return f" {_UNITS[row['units']]}"
    form = row["form"].lower()
    noun = next((noun for noun in _NOUNS if noun in form), "")
    if not noun or row["quantity"] == 1:
        return f" {noun}" if noun else ""
    if noun == "suppository":
        return " suppositories"
    return f" {noun}es" if noun == "patch" else f" {noun}s"
