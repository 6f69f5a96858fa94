"""A product as staff type it: what is derived from it, and what it would come to.

The same derivation as an import's: class, long-acting and MME key follow from
ingredient, form and route, and are shown before anything is stored.
"""

from dataclasses import dataclass
from decimal import Decimal

from pmp import identifiers, mme, settings
from pmp.drugs import audience_of
from pmp.drugs.drug_files import ProductFacts, product_facts, unit_of
from pmp.errors import RuleError
from pmp.mme import Dose, Mme
from pmp.reported_drugs import SCHEDULES, Audience

DAYS = 30
MOST_STRENGTH = Decimal(1_000_000)


@dataclass(frozen=True)
class Typed:
    """What a person says of a product. `acetaminophen_mg` is per tablet or per mL."""

    name: str
    ingredient: str
    form: str
    route: str
    strength: Decimal | None = None
    strength_unit: str = ""
    schedule: str = ""
    acetaminophen_mg: Decimal | None = None


@dataclass(frozen=True)
class Preview:
    """What would be stored, who would see its fills, and what it comes to.

    `mme` is of one unit a day for 30 days (for patches: 10 patches).
    """

    facts: ProductFacts
    audience: Audience
    mme: Mme


def preview(ndc: str, typed: Typed) -> Preview:
    """Derive a product's facts and its MME. RuleError, with the field, if unfit."""
    facts = facts_of(ndc, typed)
    quantity = 10 if facts.mme_key == mme.PATCH_KEY else DAYS
    dose = Dose(
        facts.mme_key,
        facts.drug_class,
        facts.strength,
        facts.strength_unit,
        Decimal(quantity),
        DAYS,
        "patches" if facts.mme_key == mme.PATCH_KEY else "units",
    )
    rules = mme.rule_set(settings.current().mme_rule_set)
    return Preview(facts, audience_of(facts), mme.daily(dose, rules))


def facts_of(ndc: str, typed: Typed) -> ProductFacts:
    """Give the facts that follow from what was typed; RuleError names the field."""
    _check(ndc, typed)
    return product_facts(
        ndc=ndc,
        name=typed.name,
        ingredient="; ".join(filter(None, map(str.strip, typed.ingredient.split(";")))),
        strength=(typed.strength, typed.strength_unit),
        shape=(typed.form, typed.route),
        schedule=typed.schedule,
        acetaminophen=typed.acetaminophen_mg,
    )


def typed_of(facts: ProductFacts) -> Typed:
    """Give what a person would have typed for a product that is known."""
    return Typed(
        name=facts.drug_name,
        ingredient=facts.ingredient,
        form=facts.form,
        route=facts.route,
        strength=facts.strength,
        strength_unit=facts.strength_unit,
        schedule=facts.schedule,
        acetaminophen_mg=facts.acetaminophen_mg,
    )


def _check(ndc: str, typed: Typed) -> None:
    try:
        identifiers.parse_ndc(ndc) if len(ndc) != 12 else None
    except ValueError as fault:
        raise RuleError(str(fault), field="ndc") from fault
    for field, words in (
        ("name", "Write the name as on the package"),
        ("ingredient", "Write the ingredient, several with “; ” between"),
        ("form", "Write the form, such as TABLET or PATCH"),
    ):
        if len(getattr(typed, field).strip()) < 2:
            raise RuleError(f"{words}.", field=field)
    if typed.schedule and typed.schedule not in SCHEDULES:
        raise RuleError(f"Choose one of {', '.join(SCHEDULES)}.", field="schedule")
    _check_strength(typed)
    acetaminophen = typed.acetaminophen_mg
    if acetaminophen is not None and not 0 < acetaminophen < MOST_STRENGTH:
        raise RuleError(
            f"Write a number of mg above 0 and below {MOST_STRENGTH:,}.",
            field="acetaminophen",
        )


def _check_strength(typed: Typed) -> None:
    if typed.strength is None:
        if typed.strength_unit:
            raise RuleError("Write the strength, a number above 0.", field="strength")
        return
    if not 0 < typed.strength < MOST_STRENGTH:
        raise RuleError(
            f"Write the strength, a number above 0 and below {MOST_STRENGTH:,}.",
            field="strength",
        )
    unit = unit_of(typed.strength_unit, typed.form)
    key = mme.PATCH_KEY if unit == "mcg/hr" else ""
    if mme.amount_per_unit(typed.strength, unit, key=key) is None:
        raise RuleError(
            f"“{typed.strength_unit}” is no unit of strength. Write mg, mcg, mcg/hr,"
            " mg/mL or mg/5mL.",
            field="strength_unit",
        )
