"""Saying that some of a report's people are somebody else."""

from wtforms import SelectChoice, SelectMultipleField
from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length

from pmp.tickets.identity_tickets import Person
from pmp.wording import us_date
from portal.forms import Form
from portal.numbers import whole

LONGEST = 2000


class IdentityQuestionForm(Form):
    people = SelectMultipleField("Who is not your patient?", coerce=whole, choices=[])
    note = TextAreaField(
        "How do you know?",
        validators=[InputRequired("Say how you know"), Length(max=LONGEST)],
    )

    def offer(self, listed: list[Person]) -> None:
        """List how the patient was reported."""
        self.people.choices = [SelectChoice(each.key, _words(each)) for each in listed]


def _words(person: Person) -> str:
    who = person.identity
    parts = [f"{who.name}, born {us_date(who.birth_date)}", who.sex, who.place]
    number = len(person.entries)
    parts.append(f"{number} prescription{'' if number == 1 else 's'} in this report")
    return ", ".join(part for part in parts if part)
