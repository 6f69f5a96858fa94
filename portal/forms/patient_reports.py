"""Asking whether a printed report is genuine."""

from wtforms import StringField
from wtforms.validators import InputRequired, Length

from portal.forms import Form


class VerifyForm(Form):
    code = StringField(
        "Verification code",
        description="At the foot of each page of the report, like V-7K3Q9X-2M4P7",
        validators=[
            InputRequired("Enter the code at the foot of the report"),
            Length(max=40, message="A code has twelve letters and digits"),
        ],
    )
