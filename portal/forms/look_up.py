"""The search for a patient, and the list of one's own searches."""

from datetime import date
from typing import Any

from wtforms import BooleanField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from models import LookUp, LookUpOutcome, Purpose, Role, User
from pmp import clock, delegates, lookup
from pmp.lookup import Criteria, birth_dates
from pmp.lookup.own_history import Wanted
from portal.forms import Form, UsDateField

MONTHS = ("12", "24", "36")
OUTCOMES = {
    LookUpOutcome.REPORT: "Report",
    LookUpOutcome.CANDIDATES: "Several people",
    LookUpOutcome.NONE: "No record found",
    LookUpOutcome.REFUSED: "Refused",
}
NOBODY = 0  # of those whom a delegate may choose
PERIODS = [SelectChoice(n, f"the last {n} months") for n in MONTHS]


class BirthDateField(UsDateField):
    """A birth date in one box, in any of the usual forms."""

    def __init__(self, label: str | None = None, **options: Any) -> None:
        keywords = {"maxlength": 24, **options.pop("render_kw", {})}
        super().__init__(label, render_kw=keywords, **options)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if valuelist and valuelist[0].strip():
            self.data = birth_dates.parse(valuelist[0], today=clock.today())


class OnBehalfForm(Form):
    """What a look-up, or a list of them, is for; of a delegate: on whose behalf."""

    on_behalf_of = SelectField("On behalf of", coerce=int)
    purpose = SelectField("What do you need this report for?")

    def offer(self, user: User, latest: LookUp | None) -> None:
        """Offer the purposes of the user's role, the one used last first.

        A delegate says for whom instead, of whom there may be several: what it is for
        follows from it.
        """
        if user.role is not Role.DELEGATE:
            del self.on_behalf_of
            last = latest.purpose if latest else None
            self.purpose.choices = purpose_choices(user, last)
            return
        del self.purpose
        found = delegates.usable(user, at=clock.now())
        choices = [SelectChoice(row.id, row.supervisor.name) for row in found]
        first = [SelectChoice(NOBODY, "Choose")] if len(found) > 1 else []
        self.on_behalf_of.choices = [*first, *choices]

    @property
    def delegation(self) -> int | None:
        """On whose behalf, by the number of the delegation; None for one's own."""
        chosen: int | None = self.on_behalf_of.data if self.on_behalf_of else None
        return chosen

    def chosen_purpose(self) -> Purpose:
        """Give what it is for; where it says on whose behalf, that person's care."""
        if self.purpose:
            return Purpose(self.purpose.data)
        return lookup.purpose_on_behalf_of(self.delegation)


class LookUpForm(OnBehalfForm):
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
    zip = StringField("ZIP code", validators=[Length(max=10)])
    months = SelectField("Prescriptions filled in", choices=PERIODS, default=MONTHS[0])
    since = UsDateField("From", validators=[Optional()])
    until = UsDateField("To", validators=[Optional()])
    similar = BooleanField("Also similar spellings, nicknames and one wrong digit")

    def criteria(self, today: date) -> Criteria:
        """Give what was asked; the period ends today unless days were typed."""
        born: Any = self.birth_date.data
        until: Any = self.until.data or today
        since: Any = self.since.data or months_before(until, int(self.months.data))
        return Criteria(
            first_name=self.first_name.data,
            last_name=self.last_name.data,
            birth_date=born,
            purpose=self.chosen_purpose(),
            since=since,
            until=until,
            similar=bool(self.similar.data),
            zip=self.zip.data or "",
            delegation=self.delegation,
        )


class OwnLookUpsForm(Form):
    """Which of one's own look-ups to list; sent by POST: it names people."""

    name = StringField("Name", validators=[Length(max=100)])
    since = UsDateField("Searched from", validators=[Optional()])
    until = UsDateField("to", validators=[Optional()])
    purpose = SelectField("Purpose", validate_choice=False)
    outcome = SelectField(
        "Result",
        choices=[
            SelectChoice("", "Any"),
            *(SelectChoice(word.value, words) for word, words in OUTCOMES.items()),
        ],
        default="",
    )

    def offer(self, user: User) -> None:
        """Offer the purposes of the user's role."""
        self.purpose.choices = [SelectChoice("", "Any"), *purpose_choices(user, None)]

    def wanted(self) -> Wanted:
        """Give what is asked for."""
        known = {word.value for word in Purpose}
        purpose, outcome = self.purpose.data, self.outcome.data
        return Wanted(
            name=self.name.data or "",
            since=self.since.data,
            until=self.until.data,
            purpose=Purpose(purpose) if purpose in known else None,
            outcome=LookUpOutcome(outcome) if outcome else None,
        )


def purpose_choices(user: User, latest: Purpose | None) -> list[SelectChoice]:
    """Give the purposes of a user's role, the one used last first."""
    every = lookup.purposes(user, at=clock.now())
    allowed = sorted(every, key=lambda each: each is not latest)
    return [SelectChoice(each.value, lookup.PURPOSE_WORDS[each]) for each in allowed]


def months_before(day: date, months: int) -> date:
    """Give the day so many months before; the 28th for a later day of the month."""
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, min(day.day, 28))
