"""What staff write down for somebody who is no user: a call, a written request."""

from datetime import date
from typing import Any

from wtforms import (
    RadioField,
    SelectChoice,
    SelectMultipleField,
    StringField,
)
from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from models import ChannelName, Dispensation, OutsideKind, TicketProblem
from pmp.tickets import call_list
from pmp.tickets.call_list import Wanted
from pmp.tickets.outside import Person
from pmp.wording import amount, us_date
from portal.forms import Form, UsDateField
from portal.forms.filters import SealedFilterForm, menu_of, one_of
from portal.forms.tickets import LONGEST, PROBLEMS, ReportProblemForm

CALL = "call"
WAYS = [
    SelectChoice(CALL, "Call them back"),
    SelectChoice(ChannelName.LETTER.value, "Letter"),
    SelectChoice(ChannelName.FAX.value, "Fax"),
]


class OutsideForm(Form):
    """Who reports, and how they are answered."""

    name = StringField("Name", validators=[Optional(), Length(max=200)])
    relation = StringField(
        "Who they are",
        description="Office nurse, pharmacist, the patient's mother",
        validators=[Optional(), Length(max=200)],
    )
    answer_by = RadioField("How to answer", choices=WAYS, default=CALL)
    phone = StringField("Telephone", validators=[Optional(), Length(max=30)])
    fax = StringField("Fax", validators=[Optional(), Length(max=30)])
    address = TextAreaField(
        "Postal address",
        description="Street and town, without the name: at most four lines",
        validators=[Optional(), Length(max=400)],
    )

    @property
    def answered_by(self) -> ChannelName | None:
        """The way they chose; None: a call."""
        chosen = self.answer_by.data
        return None if chosen == CALL else ChannelName(chosen)

    def person(self, kind: OutsideKind, received_on: date) -> Person:
        """Give who reports, as typed."""
        return Person(
            kind=kind,
            name=self.name.data or "",
            relation=self.relation.data or "",
            phone=self.phone.data or "",
            fax=self.fax.data or "",
            address=self.address.data or "",
            answer_by=self.answered_by,
            received_on=received_on,
        )


class PhonedProblemForm(ReportProblemForm, OutsideForm):
    """A call: a row code, and who rings; without a name it is the staff's own."""

    row_code = StringField(
        "Row code",
        description="As the caller reads it: D-7K3Q9XT",
        validators=[InputRequired("Enter the row code"), Length(max=20)],
    )


class RequestForm(OutsideForm):
    """A patient's request in writing, or a call about a record as a whole."""

    kind = RadioField(
        "Who reports it",
        choices=[
            SelectChoice(OutsideKind.PATIENT.value, "The patient, in writing"),
            SelectChoice(OutsideKind.CALLER.value, "A caller"),
        ],
        default=OutsideKind.PATIENT.value,
    )
    received_on = UsDateField(
        "Received on", validators=[InputRequired("Write the day it came")]
    )
    problem = RadioField(
        "What is wrong?",
        choices=[
            SelectChoice(TicketProblem.MISSING.value, "A prescription is missing"),
            *PROBLEMS,
        ],
        validators=[InputRequired("Say what is wrong")],
    )
    entries = SelectMultipleField("Rows", coerce=int)
    note = TextAreaField(
        "What they ask for",
        validators=[InputRequired("Write down what they ask for"), Length(max=LONGEST)],
    )

    def offer(self, rows: list[Dispensation], today: date) -> None:
        """Give the rows to choose from, and today as the day it came."""
        self.entries.choices = [SelectChoice(row.id, _line(row)) for row in rows]
        if not self.is_submitted():
            self.received_on.data = today

    def asked(self) -> dict[str, Any]:
        """Give what they ask for, as the rule takes it."""
        return {
            "entries": self.entries.data or [],
            "problem": TicketProblem(self.problem.data),
            "note": self.note.data or "",
        }


def _line(row: Dispensation) -> str:
    return (
        f"{us_date(row.filled_on)}, {row.drug_name}, {amount(row.quantity)} for "
        f"{row.days_supply} days, {row.pharmacy.name}, {row.row_code}"
    )


class CallsForm(SealedFilterForm):
    """Which calls to list: who waits for one may be a patient."""

    sealed = "text"
    text = StringField(
        "Find",
        description="Name, telephone number or ticket",
        validators=[Length(max=100)],
    )
    kind = menu_of("Reported by", OutsideKind, call_list.KIND_WORDS)

    def wanted(self, sort: str = "") -> Wanted:
        """Give what to list."""
        return Wanted(
            kind=one_of(OutsideKind, self.kind.data),
            text=self.text.data or "",
            sort=sort,
        )
