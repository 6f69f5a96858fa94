"""Reporting that nothing was dispensed."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from wtforms import SelectChoice, SelectField
from wtforms.validators import InputRequired

from models import Pharmacy
from portal.forms import Form, UsDateField
from portal.numbers import whole

OWN = 0  # the user's own pharmacy, which no record has named yet


class ZeroReportForm(Form):
    pharmacy = SelectField(
        "Pharmacy", coerce=whole, validate_choice=True, choices=[], default=OWN
    )
    first = UsDateField("First day", validators=[InputRequired("Enter the first day")])
    last = UsDateField("Last day", validators=[InputRequired("Enter the last day")])

    def __init__(
        self, pharmacies: Sequence[Pharmacy], *args: Any, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.pharmacy.choices = [
            SelectChoice(each.id or OWN, each.name or f"DEA {each.dea}")
            for each in pharmacies
        ]
        if self.pharmacy.data is None or not self.is_submitted():
            self.pharmacy.data = self.pharmacy.data or pharmacies[0].id or OWN

    def offer(self, pharmacy: Pharmacy, first: date, last: date) -> None:
        """Fill in what is open, or what a notice asks about."""
        self.pharmacy.data = pharmacy.id or OWN
        self.first.data, self.last.data = first, last
