"""What is denied of a patient's record, what a review decided, what was mailed."""

from collections.abc import Iterable

from wtforms import RadioField, SelectChoice, SelectField, SelectMultipleField
from wtforms.fields import StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from models import ReviewOutcome
from pmp import clock
from pmp.disclosures.denials import GROUNDS, OF_A_PART, Ground
from pmp.disclosures.request_letters import Standing
from pmp.history.entries import Entry
from pmp.wording import us_date
from portal.forms import Form, UsDateField

LONGEST = 2000
OUTCOMES = [
    SelectChoice(ReviewOutcome.UPHELD.value, "The denial stays"),
    SelectChoice(ReviewOutcome.OVERTURNED.value, "The patient gets what was denied"),
]


class PartForm(Form):
    entries = SelectMultipleField(
        "What is denied?", description="All others are given", validate_choice=False
    )
    ground = SelectField(
        "On what ground",
        description="The letter to the patient explains it in plain words",
        choices=[
            SelectChoice("", "Choose"),
            *(SelectChoice(each.value, GROUNDS[each].words) for each in OF_A_PART),
        ],
        validators=[Optional()],
    )
    reason = TextAreaField(
        "Reason, in your own words",
        description="The letter prints it after the ground. Do not say what is in it",
        validators=[Optional(), Length(max=LONGEST)],
    )

    def offer(self, entries: Iterable[Entry]) -> None:
        """List the entries to tick."""
        self.entries.choices = [
            SelectChoice(each.row_code, _line(each)) for each in entries
        ]

    def chosen_ground(self) -> Ground | None:
        """Give the ground; only of a form that is valid."""
        return Ground(self.ground.data) if self.ground.data else None


class ReviewAskedForm(Form):
    asked_on = UsDateField(
        "The patient asked for it on",
        default=clock.today,
        validators=[InputRequired("Write the day on which they asked")],
    )


class ReviewForm(Form):
    reviewer = StringField(
        "Who reviewed it",
        description="A licensed health care professional who had no part in the denial",
        validators=[
            InputRequired("Write the name of the professional who has reviewed it."),
            Length(max=200),
        ],
    )
    outcome = RadioField(
        "What was decided?",
        choices=OUTCOMES,
        validators=[InputRequired("Say what was decided")],
    )
    review_reason = TextAreaField(
        "Why",
        description="The patient is told, in writing",
        validators=[
            InputRequired("Say why: the patient is told."),
            Length(max=LONGEST),
        ],
    )


class MailedForm(Form):
    letter = SelectField("Which letter", choices=[], validate_choice=False)
    mailed_on = UsDateField(
        "Mailed on",
        default=clock.today,
        validators=[InputRequired("Write the day on which it was mailed")],
    )

    def offer(self, letters: Iterable[Standing]) -> None:
        """List the letters that can have been mailed."""
        self.letter.choices = [
            SelectChoice(each.kind.value, each.words) for each in letters
        ]


def _line(entry: Entry) -> str:
    drug = f"{entry.drug} {entry.schedule}".strip()
    who = f"{entry.prescriber.name}; {entry.pharmacy.name}"
    return f"{us_date(entry.filled_on)} {entry.row_code}: {drug}. {who}"
