"""Asking for a delegate, ending one, and the staff's list of them."""

from wtforms import BooleanField, EmailField, StringField, TelField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from models import DelegationStatus
from pmp.delegates.asking import Person
from pmp.delegates.lists import SORTS, Wanted
from pmp.sorting import known
from portal.forms import Form
from portal.forms.filters import FilterForm, menu_of, one_of

LONGEST = 500


class AskForm(Form):
    """Who is to look up for a user; a rule knows what each answer must be."""

    name = StringField("First and last name", validators=[Length(max=100)])
    position = StringField(
        "What they do for you",
        description="Such as medical assistant, nurse or pharmacy technician",
        validators=[DataRequired("Say what they do for you"), Length(max=100)],
    )
    email = EmailField(
        "Their own work email",
        description="Where they alone read mail: the link to their first password goes"
        " there. Left empty, a letter goes to your address of record",
        validators=[Length(max=200)],
    )
    phone = TelField("Their telephone", validators=[Length(max=30)])
    username = StringField(
        "User name, if they are a delegate already",
        description="Of another practitioner or pharmacy. They keep their account:"
        " write the name above as it stands there",
        validators=[Length(max=40)],
    )
    answers = BooleanField(
        "This person works for me. I answer for what they look up on my behalf, I look"
        " at it, and I end their access on the day on which they leave.",
        validators=[InputRequired("Confirm that you answer for them")],
    )

    def person(self) -> Person:
        return Person(
            name=self.name.data or "",
            position=self.position.data or "",
            email=self.email.data or "",
            phone=self.phone.data or "",
            username=self.username.data or "",
        )


class EndForm(Form):
    reason = TextAreaField("Why it ends", validators=[Length(max=LONGEST)])


class DeclineDelegateForm(Form):
    reason = TextAreaField(
        "Why it is declined",
        description="The supervisor reads this",
        validators=[DataRequired("Say why it is declined"), Length(max=LONGEST)],
    )


class DelegateFilterForm(FilterForm):
    text = StringField("Name", validators=[Length(max=100)])
    state = menu_of("State", DelegationStatus)

    def wanted(self, sort: str) -> Wanted:
        """Give what is asked for, in one of the list's orders."""
        return Wanted(
            text=self.text.data or "",
            status=one_of(DelegationStatus, self.state.data),
            sort=known(sort, SORTS, otherwise=Wanted.sort),
        )
