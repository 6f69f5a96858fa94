"""How the program reaches somebody: numbers, addresses, codes that come back."""

from collections.abc import Iterable

from wtforms import (
    BooleanField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TelField,
)
from wtforms.fields import EmailField
from wtforms.validators import InputRequired, Length

from pmp import clock_hours
from pmp.registration.answers import ANY_CHANNEL, NOTICE_WAYS
from portal.forms import Form

LONGEST = 200


def _choices(first: str, hours: Iterable[int]) -> list[SelectChoice]:
    said = [SelectChoice(str(hour), clock_hours.spoken(hour)) for hour in hours]
    return [SelectChoice("", first), *said]


class FaxForm(Form):
    fax = TelField(
        "Fax number",
        description="With area code, such as (860) 555-0123",
        validators=[InputRequired("Enter the fax number"), Length(max=40)],
    )
    anyway = BooleanField("Use this number all the same")
    warned = False


class EmailForm(Form):
    email = EmailField(
        "Email address",
        validators=[InputRequired("Enter the email address"), Length(max=LONGEST)],
    )


class MobileForm(Form):
    mobile = TelField(
        "Mobile number",
        description="With area code, such as (860) 555-0123",
        validators=[InputRequired("Enter the mobile number"), Length(max=40)],
    )
    agreed = BooleanField(
        "Text messages may be sent to this mobile: codes for the account and where a"
        " registration stands. Message and data rates may apply. STOP ends them."
    )


class CodeForm(Form):
    code = StringField(
        "Code", validators=[InputRequired("Type the code"), Length(max=40)]
    )


class PreferredForm(Form):
    channel = RadioField(
        "Threshold reports come first by",
        choices=[
            SelectChoice("", ANY_CHANNEL),
            *(SelectChoice(way.value, way.value.capitalize()) for way in NOTICE_WAYS),
        ],
        default="",
    )


class FaxHoursForm(Form):
    """Hours of the day in which a fax may come; neither: at any of ours."""

    start = SelectField("Not before", choices=_choices("any hour", range(24)))
    end = SelectField("Not after", choices=_choices("any hour", range(1, 25)))


class ToldCodeForm(Form):
    code = StringField(
        "Code on the page",
        description="Such as FXT-7K3Q-9XW4, as the caller reads it",
        validators=[InputRequired("Type the code of the page"), Length(max=40)],
    )


class FindNumberForm(Form):
    """Which number to look at; sent by POST, for it may be a patient's."""

    fax = TelField(
        "Fax number",
        description="With area code, such as (860) 555-0123",
        validators=[InputRequired("Enter the fax number"), Length(max=40)],
    )


class WrongNumberForm(Form):
    why = StringField(
        "How you know that it is wrong",
        description="Such as: a shop called and has had two faxes of ours",
        validators=[
            InputRequired("Say how you know that it is wrong"),
            Length(max=LONGEST),
        ],
    )
