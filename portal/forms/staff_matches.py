"""Who is one person: filters of the queue, a decision, a split, finding a patient."""

from wtforms import (
    HiddenField,
    IntegerField,
    SelectChoice,
    SelectMultipleField,
    StringField,
)
from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from pmp.matching import reviews
from pmp.matching.reviews import Wanted
from portal.forms import Form, UsDateField
from portal.forms.filters import FilterForm, menu
from portal.numbers import whole

LONGEST = 2000


class QueueForm(FilterForm):
    band = menu(
        "How alike",
        [SelectChoice(name, words) for name, (words, _, _) in reviews.BANDS.items()],
        SelectChoice("", "Any"),
    )
    species = menu(
        "Who",
        [SelectChoice("human", "People"), SelectChoice("animal", "Animals")],
        SelectChoice("", "People and animals"),
    )
    age = menu(
        "Waiting",
        [SelectChoice(name, words) for name, (words, _) in reviews.AGES.items()],
        SelectChoice("", "Any time"),
    )

    def wanted(self, sort: str = "") -> Wanted:
        """Give what the queue is narrowed to."""
        return Wanted(
            band=self.band.data or "",
            species=self.species.data or "",
            age=self.age.data or "",
            sort=sort,
        )


class DecideForm(Form):
    """The reason; `seen` is what the page showed, `confirmed` is set on the review."""

    reason = TextAreaField(
        "Reason",
        description="It stays with the record; staff read it.",
        validators=[Length(max=LONGEST)],
    )
    seen = HiddenField()
    confirmed = HiddenField()


class SplitForm(Form):
    """Who goes, where to, and why; `ticket` is the one that the split resolves."""

    identities = SelectMultipleField(
        "Who is another person?", coerce=whole, choices=[], validate_choice=False
    )
    to = IntegerField(
        "Patient number they belong to",
        description="Leave it empty to make a new patient.",
        validators=[Optional(), NumberRange(min=1, max=2**31 - 1)],
    )
    reason = TextAreaField(
        "Reason", validators=[InputRequired("Give the reason"), Length(max=LONGEST)]
    )
    seen = HiddenField()
    confirmed = HiddenField()
    ticket = HiddenField()
    revision = HiddenField()


class SameAsForm(Form):
    other = IntegerField(
        "Number of the other patient",
        validators=[
            InputRequired("Enter the number of the other patient"),
            NumberRange(min=1, max=2**31 - 1),
        ],
    )


class RowCodeForm(Form):
    row_code = StringField(
        "Row code",
        description="As it stands on a report: D-7K3Q9XT",
        validators=[InputRequired("Enter the row code"), Length(max=20)],
    )


class NameForm(Form):
    first_name = StringField(
        "First name", validators=[InputRequired("Enter the first name"), Length(max=60)]
    )
    last_name = StringField(
        "Last name", validators=[InputRequired("Enter the last name"), Length(max=60)]
    )
    birth_date = UsDateField(
        "Date of birth", validators=[InputRequired("Enter the date of birth")]
    )
