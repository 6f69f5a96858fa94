"""Sign-in, first sign-in by letter, and one's own password."""

from wtforms import HiddenField, PasswordField, RadioField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from models import ReceiptPolicy
from pmp.accounts.passwords import LONGEST
from portal.forms import Form

# Long enough for any paste; a megabyte is refused before it is hashed.
LONGEST_SECRET = 1024


class SignInForm(Form):
    username = StringField(
        "User name", validators=[InputRequired("Enter your user name"), Length(max=150)]
    )
    password = PasswordField(
        "Password",
        validators=[InputRequired("Enter your password"), Length(max=LONGEST_SECRET)],
    )
    next = HiddenField()


class LetterForm(Form):
    username = StringField(
        "User name",
        description="As printed in the letter",
        validators=[
            InputRequired("Enter the user name of the letter"),
            Length(max=150),
        ],
    )
    secret = StringField(
        "Password of the letter",
        description="It can be used once",
        validators=[
            InputRequired("Enter the password of the letter"),
            Length(max=LONGEST),
        ],
    )
    code = StringField(
        "Registration code",
        description="It is on the confirmation page that you signed and faxed",
        validators=[Length(max=40)],
    )


class OwnPasswordForm(Form):
    password = PasswordField(
        "New password",
        validators=[InputRequired("Enter a new password"), Length(max=LONGEST_SECRET)],
    )


class ReceiptsForm(Form):
    receipts = RadioField(
        "Receipts for submissions",
        description="How a file that you submitted ended, by email or fax",
        choices=[
            SelectChoice(ReceiptPolicy.EVERY.value, "For every submission"),
            SelectChoice(
                ReceiptPolicy.PROBLEMS.value, "Only when something is to be corrected"
            ),
            SelectChoice(ReceiptPolicy.NONE.value, "None"),
        ],
        validators=[InputRequired("Choose which receipts you want")],
    )


class ChangePasswordForm(Form):
    current = PasswordField(
        "Current password",
        validators=[
            InputRequired("Enter your current password"),
            Length(max=LONGEST_SECRET),
        ],
    )
    password = PasswordField(
        "New password",
        validators=[InputRequired("Enter a new password"), Length(max=LONGEST_SECRET)],
    )
