"""A user name or a password that was forgotten."""

from wtforms import BooleanField, RadioField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length

from portal.forms import Form

EMAIL, LETTER = "email", "letter"


class ForgottenForm(Form):
    known = StringField(
        "User name, email address or licence number",
        description="Whichever of them you know",
        validators=[
            DataRequired("Enter your user name, email address or licence number"),
            Length(max=150),
        ],
    )
    way = RadioField(
        "How shall we send it?",
        choices=[
            SelectChoice(EMAIL, "By email, to the address that we have of you"),
            SelectChoice(LETTER, "By letter, to your address of record"),
        ],
        default=EMAIL,
        validators=[InputRequired("Choose email or letter")],
    )


class AttestationForm(Form):
    mine = BooleanField(
        "This account is mine. Nobody else knows its password or uses it.",
        validators=[InputRequired("Confirm that nobody else uses your account")],
    )
    care = BooleanField(
        "I use it for the purposes that the law allows, and for nothing else.",
        validators=[InputRequired("Confirm what you use it for")],
    )
