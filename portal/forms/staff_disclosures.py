"""Whom an accounting is about, what a patient asks for, and how that ended."""

from datetime import date
from typing import Any

from wtforms import (
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
)
from wtforms.fields import TextAreaField
from wtforms.validators import (
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)

from gateway import documents
from models import PatientAsk, PatientRequestState
from pmp.disclosures import patient_requests, request_lists
from pmp.disclosures.denials import GROUNDS, Ground
from pmp.disclosures.patient_requests import Told
from pmp.disclosures.request_lists import PatientWanted
from pmp.errors import RuleError
from portal.forms import Form, UsDateField
from portal.forms.filters import FilterForm, menu_of, one_of

LONGEST = 2000
MOST_NUMBER = 2**31 - 1
ASKS = [
    SelectChoice(PatientAsk.BOTH.value, "Their record, and who was told"),
    SelectChoice(PatientAsk.RECORD.value, "Their record"),
    SelectChoice(PatientAsk.ACCOUNTING.value, "Who was told (accounting)"),
]
ENDS = [
    SelectChoice(PatientRequestState.GIVEN.value, "The paper was handed over"),
    SelectChoice(PatientRequestState.MAILED.value, "The paper was mailed"),
    SelectChoice(PatientRequestState.DENIED.value, "Denied"),
    SelectChoice(PatientRequestState.WITHDRAWN.value, "They do not want it any more"),
]


def day_in(field: UsDateField) -> date:
    """Give the day of a field that must hold one, of a form that is valid."""
    day: date | None = field.data
    if day is None:
        raise RuleError("Write this day.", field=field.name)
    return day


class NumberForm(Form):
    """A patient's number, as other pages of staff show it."""

    number = IntegerField(
        "Patient number",
        validators=[
            InputRequired("Write the patient's number"),
            NumberRange(min=1, max=MOST_NUMBER, message="There is no such number"),
        ],
    )


class DaysForm(FilterForm):
    since = UsDateField("From", validators=[Optional()])
    until = UsDateField("To", validators=[Optional()])


class RequestsForm(FilterForm):
    """Which of patients' own requests to list; it names no patient."""

    state = menu_of("State", PatientRequestState, request_lists.PATIENT_STATES)
    asks = menu_of("What they want", PatientAsk, patient_requests.WHAT)
    since = UsDateField("Asked from", validators=[Optional()])
    until = UsDateField("To", validators=[Optional()])

    def wanted(self, sort: str) -> PatientWanted:
        """Give what to list."""
        return PatientWanted(
            state=one_of(PatientRequestState, self.state.data),
            asks=one_of(PatientAsk, self.asks.data),
            since=self.since.data,
            until=self.until.data,
            sort=sort,
        )


class PatientRequestForm(Form):
    asked_by = StringField(
        "Name of who asks",
        validators=[InputRequired("Write the name of who asks"), Length(max=200)],
    )
    represents = StringField(
        "If it is not the patient: why they may ask",
        description="Parent of a minor, guardian, power of attorney; the paper you saw",
        validators=[Optional(), Length(max=200)],
    )
    identity_paper = SelectField(
        "Which paper shows who they are?",
        description="You have seen it. Keep no copy and write no number down.",
        choices=[],
        validate_choice=False,
        validators=[InputRequired("Say which paper you have seen.")],
    )
    asks = RadioField("What they want", choices=ASKS, default=PatientAsk.BOTH.value)
    since = UsDateField("From", validators=[InputRequired("Write the first day")])
    until = UsDateField("To", validators=[InputRequired("Write the last day")])
    address = TextAreaField(
        "Mail it to",
        description="Street, city, state and ZIP, without the name; empty if they fetch"
        " it here",
        validators=[Optional(), Length(max=250)],
    )
    received_on = UsDateField(
        "Asked on", validators=[InputRequired("Write the day on which they asked")]
    )

    def offer(self) -> None:
        """List the papers that show who somebody is."""
        papers = patient_requests.identity_papers()
        self.identity_paper.choices = [
            SelectChoice("", "Choose"),
            *(SelectChoice(each, each) for each in papers),
        ]

    def validate_address(self, field: Any) -> None:
        """Refuse what would not show in an envelope's window."""
        lines = (field.data or "").splitlines()
        fault = documents.address_fault([self.asked_by.data or "", *lines])
        if lines and fault:
            raise ValidationError(fault)

    def told(self) -> Told:
        """Give what was typed; only of a form that is valid."""
        return Told(
            asks=PatientAsk(self.asks.data),
            asked_by=self.asked_by.data or "",
            represents=self.represents.data or "",
            identity_paper=self.identity_paper.data or "",
            address=self.address.data or "",
            since=day_in(self.since),
            until=day_in(self.until),
            received_on=day_in(self.received_on),
        )


class ExtendForm(Form):
    reason = TextAreaField(
        "Why more time is needed",
        description="The patient is told, in writing, with the new day",
        validators=[InputRequired("Say why more time is needed"), Length(max=LONGEST)],
    )


class EndForm(Form):
    state = RadioField(
        "How did it end?", choices=ENDS, validators=[InputRequired("Say how it ended")]
    )
    ground = SelectField(
        "If it is denied: on what ground",
        description="The letter to the patient explains it in plain words",
        choices=[
            SelectChoice("", "Choose"),
            *(SelectChoice(key.value, each.words) for key, each in GROUNDS.items()),
        ],
        validators=[Optional()],
    )
    note = TextAreaField(
        "Note",
        description="Who fetched it, with which paper. Of a denial: the reason in your"
        " own words, which the letter prints after the ground",
        validators=[Optional(), Length(max=LONGEST)],
    )

    def chosen_ground(self) -> Ground | None:
        """Give the ground of a denial; only of a form that is valid."""
        return Ground(self.ground.data) if self.ground.data else None
