"""Reporting an inaccurate entry, and talking about it."""

from wtforms import RadioField, SelectChoice, StringField
from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from models import TicketProblem
from portal.forms import Form

LONGEST = 2000
PROBLEMS = [
    SelectChoice(problem.value, words)
    for problem, words in {
        TicketProblem.NOT_MY_PATIENT: "This person is not my patient or customer",
        TicketProblem.DID_NOT_WRITE: "I did not write, or fill, this prescription",
        TicketProblem.WRONG_DRUG: "The drug or its strength is wrong",
        TicketProblem.WRONG_QUANTITY: "The quantity is wrong",
        TicketProblem.WRONG_DAYS: "The days supply is wrong",
        TicketProblem.WRONG_DATE: "A date is wrong",
        TicketProblem.RETURNED_TO_STOCK: "It was not picked up, or was returned",
        TicketProblem.DUPLICATE: "It is there twice",
        TicketProblem.WRONG_PERSON: "It belongs to another person",
        TicketProblem.POSSIBLE_FORGERY: "The prescription may be forged",
        TicketProblem.OTHER: "Something else",
    }.items()
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


class PhonedProblemForm(ReportProblemForm):
    row_code = StringField(
        "Row code",
        description="As the caller reads it: D-7K3Q9XT",
        validators=[InputRequired("Enter the row code"), Length(max=20)],
    )


class MessageForm(Form):
    text = TextAreaField(
        "Message", validators=[InputRequired("Write a message"), Length(max=LONGEST)]
    )
