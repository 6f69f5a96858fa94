"""A drug product as staff write it, a search, and a period to count."""

from decimal import Decimal

from wtforms import HiddenField, SelectChoice, SelectField, StringField
from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from pmp.dispensations.drug_changes import Standing, Wanted
from pmp.drugs import drug_files
from pmp.drugs.drug_files import ProductFacts
from pmp.drugs.staff_products import Typed
from pmp.reported_drugs import SCHEDULES
from pmp.wording import amount
from portal.forms import Form, UsDateField
from portal.forms.filters import FilterForm, menu_of, one_of

SCHEDULE_CHOICES = [
    SelectChoice("", "Not scheduled"),
    *(SelectChoice(each, each) for each in SCHEDULES),
]
UNITS = ("mg", "mcg", "mcg/hr", "mg/mL", "mg/5mL", "mg/15mL", "g")


class _Number(StringField):
    """A positive number, typed as people do; empty is none."""

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        self.number = drug_files.amount(self.data or "")

    def pre_validate(self, form: Form) -> None:  # noqa: ARG002 - WTForms calls it so
        if self.data and self.number is None:
            raise ValidationError("Write a number above 0, such as 7.5")

    number: Decimal | None = None


class ProductForm(Form):
    """What is typed stays when something is refused."""

    name = StringField(
        "Name",
        description="As on the package, with strength and form",
        validators=[InputRequired("Write the name as on the package"), Length(max=255)],
    )
    ingredient = StringField(
        "Ingredient",
        description="Such as oxycodone hydrochloride; acetaminophen",
        validators=[InputRequired("Write the ingredient"), Length(max=255)],
    )
    strength = _Number(
        "Strength",
        description="Of the controlled ingredient, in one tablet, patch or mL",
        validators=[Length(max=14)],
    )
    strength_unit = StringField(
        "Unit",
        description="mg, mcg, mcg/hr, mg/mL, mg/5mL …",
        validators=[Length(max=20)],
    )
    form = StringField(
        "Form",
        description="Such as TABLET, EXTENDED RELEASE",
        validators=[InputRequired("Write the form"), Length(max=100)],
    )
    route = StringField(
        "Route",
        description="Such as ORAL, NASAL, TRANSDERMAL",
        validators=[Length(max=100)],
    )
    schedule = SelectField("DEA schedule", choices=SCHEDULE_CHOICES, default="")
    acetaminophen = _Number(
        "Acetaminophen, mg",
        description="In one tablet or mL, if there is any",
        validators=[Length(max=10)],
    )
    reason = TextAreaField(
        "How you know",
        description="Such as: read to us from the package by the pharmacy",
        validators=[InputRequired("Say how you know"), Length(max=1000)],
    )
    confirmed = HiddenField()

    def offer(self, facts: ProductFacts) -> None:
        """Fill in what the table says now."""
        self["name"].data = facts.drug_name
        for name in ("ingredient", "strength_unit", "form", "route", "schedule"):
            self[name].data = getattr(facts, name)
        self.strength.data = amount(facts.strength)
        self.acetaminophen.data = amount(facts.acetaminophen_mg)

    def typed(self) -> Typed:
        """Give what was entered, as the rule wants it."""
        return Typed(
            name=self["name"].data or "",
            ingredient=self.ingredient.data or "",
            form=self["form"].data or "",
            route=self.route.data or "",
            strength=self.strength.number,
            strength_unit=self.strength_unit.data or "",
            schedule=self.schedule.data or "",
            acetaminophen_mg=self.acetaminophen.number,
        )


class NdcForm(FilterForm):
    """An NDC or the beginning of a name, to find a product by."""

    q = StringField("NDC, name or ingredient", validators=[Length(max=80)], default="")


class ChangesForm(FilterForm):
    """Which changes of the drug table to list."""

    text = StringField(
        "Find", description="NDC, user name or reason", validators=[Length(max=100)]
    )
    standing = menu_of("State", Standing)

    def wanted(self, sort: str) -> Wanted:
        """Give what to list."""
        return Wanted(
            text=self.text.data or "",
            standing=one_of(Standing, self.standing.data),
            sort=sort,
        )


class PeriodForm(FilterForm):
    """The days to count, both included."""

    since = UsDateField("From")
    until = UsDateField("Through")
