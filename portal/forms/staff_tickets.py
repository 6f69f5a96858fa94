"""What staff do with a ticket: ask, answer, resolve."""

from typing import Any

from wtforms import DecimalField, HiddenField, IntegerField, StringField
from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from models import Dispensation
from portal.forms import Form, UsDateField

LONGEST = 2000
MOST_QUANTITY = 99_999_999


class ResolveForm(Form):
    """The reason; `confirmed` is set on the review page."""

    note = TextAreaField(
        "Reason",
        description="The reporter reads it. Name no patient.",
        validators=[InputRequired("Give the reason"), Length(max=LONGEST)],
    )
    revision = HiddenField()
    confirmed = HiddenField()

    def changes(self) -> dict[str, Any]:
        """Give what the entry shall say; nothing for an outcome that changes none."""
        return {}


class CorrectForm(ResolveForm):
    """The fields of an entry that staff may correct, as they are now."""

    filled_on = UsDateField("Filled on", validators=[Optional()])
    written_on = UsDateField("Written on", validators=[Optional()])
    product_code = StringField(
        "NDC", description="11 digits", validators=[Optional(), Length(max=13)]
    )
    quantity = DecimalField(
        "Quantity",
        places=None,
        validators=[Optional(), NumberRange(min=0, max=MOST_QUANTITY)],
    )
    days_supply = IntegerField(
        "Days supply", validators=[Optional(), NumberRange(min=0, max=999)]
    )
    refills_authorized = IntegerField(
        "Refills authorized", validators=[Optional(), NumberRange(min=0, max=99)]
    )
    prescription_number = StringField(
        "Prescription number", validators=[Optional(), Length(max=25)]
    )

    def offer(self, entry: Dispensation) -> None:
        """Fill in what the entry says now."""
        for name in FIELDS:
            self[name].data = getattr(entry, name)

    def changes(self) -> dict[str, Any]:
        """Give each field as it shall be; an empty one is left as it is."""
        wanted = {name: self[name].data for name in FIELDS if self[name].data}
        if code := wanted.get("product_code"):
            wanted["product_code"] = code.replace("-", "")
        return wanted


FIELDS = (
    "filled_on",
    "written_on",
    "product_code",
    "quantity",
    "days_supply",
    "refills_authorized",
    "prescription_number",
)
