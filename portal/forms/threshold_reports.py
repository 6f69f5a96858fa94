"""What the recipient of a threshold report answers."""

from wtforms import RadioField, SelectChoice
from wtforms.validators import InputRequired

from models import CaseRecipient, RecipientAnswer
from portal.forms import Form

ANSWERS = [
    SelectChoice(RecipientAnswer.MY_PATIENT.value, "Yes, my patient or customer"),
    SelectChoice(
        RecipientAnswer.NOT_MY_PATIENT.value,
        "No: next, choose the row that is wrong and report it",
    ),
]


class AnswerForm(Form):
    answer = RadioField(
        "Is this person your patient or customer?",
        choices=ANSWERS,
        validators=[InputRequired("Say whether this is your patient or customer")],
    )

    def offer(self, recipient: CaseRecipient) -> None:
        """Show the answer that was given before."""
        if self.answer.data is None and recipient.answer:
            self.answer.data = recipient.answer.value
