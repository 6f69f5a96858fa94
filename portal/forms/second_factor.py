"""Codes of the second factor, how it is set up, what staff say about a lost one."""

from wtforms import HiddenField, PasswordField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from portal.forms import Form
from portal.forms.account import LONGEST_SECRET

LONGEST_CODE = 40


class CodeForm(Form):
    """The second step of sign-in: the app's code, or a recovery code."""

    code = StringField(
        "Code",
        description="The six digits that your app shows now, or a recovery code",
        validators=[
            DataRequired("Enter the code that your app shows"),
            Length(max=LONGEST_CODE),
        ],
    )


class AppCodeForm(Form):
    """A code of the app, to set it up or to change something about it."""

    code = StringField(
        "Code",
        description="The six digits that your app shows now",
        validators=[
            DataRequired("Enter the six digits that your app shows"),
            Length(max=LONGEST_CODE),
        ],
    )


class BeginForm(Form):
    """Who has been signed in for a while types the password once more."""

    current = PasswordField(
        "Your password",
        validators=[InputRequired("Enter your password"), Length(max=LONGEST_SECRET)],
    )


class PasskeyForm(Form):
    """A passkey that the browser made; `answer` is filled in by the script."""

    name = StringField(
        "Name of the passkey",
        description="So that you know it again, such as: my phone",
        validators=[DataRequired("Give it a name"), Length(max=60)],
    )
    code = StringField(
        "Code of your app",
        description="The six digits that it shows now",
        validators=[
            DataRequired("Enter the six digits that your app shows"),
            Length(max=LONGEST_CODE),
        ],
    )
    answer = HiddenField()


class PasskeyAnswerForm(Form):
    """What a passkey signed at sign-in; filled in by the script."""

    answer = HiddenField(validators=[InputRequired("No passkey answered")])


class FindUserForm(Form):
    username = StringField(
        "User name",
        validators=[DataRequired("Enter a user name"), Length(max=150)],
    )


class LostFactorForm(Form):
    reason = TextAreaField(
        "How did you make sure that it is this person?",
        description=(
            "Such as: called back at the office number of the licence file. This is"
            " kept on the audit record."
        ),
        validators=[DataRequired("Say how you made sure"), Length(max=250)],
    )


class ReopenForm(Form):
    reason = StringField(
        "Why is the account opened again?",
        validators=[DataRequired("Say why"), Length(max=250)],
    )
