"""The search for a patient."""

import re
from datetime import date
from typing import Any

from wtforms import BooleanField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from models import Purpose, User
from pmp import lookup
from pmp.lookup import Criteria
from portal.forms import Form, UsDateField

MONTHS = ("12", "24", "36")
_SHORT_YEAR = re.compile(r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{2})")


class BirthDateField(UsDateField):
    """A birth date in one box; the year may have two digits where that is clear."""

    def process_formdata(self, valuelist: list[str]) -> None:
        short = _SHORT_YEAR.fullmatch(valuelist[0].strip()) if valuelist else None
        if short:
            month, day, year = short.groups()
            if int(year) <= date.today().year % 100:  # noqa: DTZ011 - only the century
                raise ValueError("Write the year of birth with four digits")
            valuelist = [f"{month}/{day}/19{year}"]
        super().process_formdata(valuelist)


class LookUpForm(Form):
    first_name = StringField(
        "First name",
        validators=[InputRequired("Enter the patient's first name"), Length(max=100)],
    )
    last_name = StringField(
        "Last name",
        validators=[InputRequired("Enter the patient's last name"), Length(max=100)],
    )
    birth_date = BirthDateField(
        "Date of birth",
        validators=[
            InputRequired("Enter the patient's date of birth, such as 04/28/1971")
        ],
    )
    purpose = SelectField("What do you need this report for?")
    months = SelectField(
        "Prescriptions filled in",
        choices=[SelectChoice(n, f"the last {n} months") for n in MONTHS],
        default=MONTHS[0],
    )
    since = UsDateField("From", validators=[Optional()])
    until = UsDateField("To", validators=[Optional()])
    similar = BooleanField("Also similar spellings, nicknames and one wrong digit")

    def offer(self, user: User, latest: Purpose | None) -> None:
        """Offer the purposes of the user's role, the one used last first."""
        allowed = sorted(lookup.purposes(user), key=lambda each: each is not latest)
        self.purpose.choices = [
            SelectChoice(each.value, lookup.PURPOSE_WORDS[each]) for each in allowed
        ]

    def criteria(self, today: date) -> Criteria:
        """Give what was asked; the period ends today unless days were typed."""
        born: Any = self.birth_date.data
        until: Any = self.until.data or today
        since: Any = self.since.data or _months_before(until, int(self.months.data))
        return Criteria(
            first_name=self.first_name.data,
            last_name=self.last_name.data,
            birth_date=born,
            purpose=Purpose(self.purpose.data),
            since=since,
            until=until,
            similar=bool(self.similar.data),
        )


def _months_before(day: date, months: int) -> date:
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, min(day.day, 28))
