"""Reporting an inaccurate entry or record, and talking about it."""

from collections.abc import Collection

from flask_wtf.file import FileField
from wtforms import RadioField, SelectChoice, StringField
from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from models import TicketProblem
from portal.forms import Form

LONGEST = 2000
WORDS = {
    TicketProblem.NOT_MY_PATIENT: "This person is not my patient or customer",
    TicketProblem.DID_NOT_WRITE: "I did not write, or fill, this prescription",
    TicketProblem.WRONG_DRUG: "The drug or its strength is wrong",
    TicketProblem.WRONG_QUANTITY: "The quantity is wrong",
    TicketProblem.WRONG_DAYS: "The days supply is wrong",
    TicketProblem.WRONG_DATE: "A date is wrong",
    TicketProblem.RETURNED_TO_STOCK: "It was not picked up, or was returned",
    TicketProblem.DUPLICATE: "It is there twice",
    TicketProblem.WRONG_PERSON: "It belongs to another person",
    TicketProblem.POSSIBLE_FORGERY: "The prescription may be forged or stolen",
    TicketProblem.OTHER: "Something else",
}
PROBLEMS = [SelectChoice(problem.value, words) for problem, words in WORDS.items()]
OF_A_RECORD = [
    SelectChoice(TicketProblem.MISSING.value, "A prescription is missing"),
    SelectChoice(
        TicketProblem.NOT_MY_PATIENT.value, "This person is not my patient or customer"
    ),
    SelectChoice(TicketProblem.WRONG_PERSON.value, "It mixes two people"),
    SelectChoice(TicketProblem.OTHER.value, "Something else"),
]


class ReportProblemForm(Form):
    problem = RadioField(
        "What is wrong with this entry?",
        choices=PROBLEMS,
        validators=[InputRequired("Say what is wrong with this entry")],
    )
    note = TextAreaField(
        "What should it say, and how do you know?",
        validators=[Length(max=LONGEST)],
    )

    def validate_note(self, field: TextAreaField) -> None:
        """Ask for words where no choice says it."""
        if self.problem.data == TicketProblem.OTHER and not field.data:
            raise ValidationError("Describe what is wrong")


NEED_WORDS: Collection[TicketProblem] = (
    TicketProblem.MISSING,
    TicketProblem.WRONG_PERSON,
    TicketProblem.OTHER,
)


class ReportRecordForm(Form):
    problem = RadioField(
        "What is wrong?",
        choices=OF_A_RECORD,
        validators=[InputRequired("Say what is wrong with this report")],
    )
    note = TextAreaField(
        "What is missing or wrong, and how do you know?",
        description="Of a missing prescription: drug, day, pharmacy, prescriber.",
        validators=[Length(max=LONGEST)],
    )

    def validate_note(self, field: TextAreaField) -> None:
        """Ask for words where staff could not begin without."""
        if self.problem.data in NEED_WORDS and not (field.data or "").strip():
            raise ValidationError("Describe what is missing or wrong")


class PaperForm(Form):
    file = FileField("File", description="PDF, PNG, JPEG or TIFF")
    what = StringField(
        "What is it?",
        description="Such as: the label. Name no patient.",
        validators=[InputRequired("Say what it is"), Length(max=100)],
    )


class MessageForm(Form):
    text = TextAreaField(
        "Message", validators=[InputRequired("Write a message"), Length(max=LONGEST)]
    )
