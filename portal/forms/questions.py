"""What a pharmacy answers to a question of the program."""

from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length

from portal.forms import Form
from portal.forms.tickets import LONGEST


class ExplainForm(Form):
    text = TextAreaField(
        "Your answer",
        description="As the prescription, the log or the label says.",
        validators=[InputRequired("Write the answer"), Length(max=LONGEST)],
    )
