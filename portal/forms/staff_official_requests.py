"""What law enforcement or another office asks for, as staff write it down."""

from datetime import date

from wtforms import (
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from models import OfficialRequest, OfficialState, Suspension
from pmp.disclosures import extracts, official_requests
from pmp.disclosures.official_requests import Asked
from pmp.disclosures.request_lists import OFFICIAL_STATES, OfficialWanted
from portal.forms import Form, UsDateField
from portal.forms.filters import SealedFilterForm, menu_of, one_of
from portal.forms.staff_disclosures import day_in

LONGEST = 2000
NOT_ASKED = ""
SUSPENSIONS = [
    SelectChoice(NOT_ASKED, "They did not ask for that"),
    SelectChoice(Suspension.WRITTEN.value, "In writing"),
    SelectChoice(Suspension.ORAL.value, "They only said so"),
]


class OfficialFilterForm(SealedFilterForm):
    """Which official requests to list; the case may be called by a patient's name."""

    sealed = "text"
    text = StringField(
        "Find",
        description="Case number, agency or officer",
        validators=[Length(max=100)],
    )
    state = menu_of("State", OfficialState, OFFICIAL_STATES)

    def wanted(self, sort: str) -> OfficialWanted:
        """Give what to list."""
        return OfficialWanted(
            state=one_of(OfficialState, self.state.data),
            text=self.text.data or "",
            sort=sort,
        )


class SuspensionForm(Form):
    """Whether, and until when, the patient's accounting leaves the request out."""

    suspension = RadioField(
        "Did they ask not to tell the patient yet?",
        description="Law enforcement and health oversight may, where telling would"
        " impede their work (45 CFR 164.528(a)(2))",
        choices=SUSPENSIONS,
        default=NOT_ASKED,
    )
    suspended_until = UsDateField(
        "Until",
        description="The patient is told from this day on",
        validators=[Optional()],
    )

    def chosen(self) -> tuple[Suspension | None, date | None]:
        """Give what was chosen; the day only if they asked."""
        word = self.suspension.data
        return Suspension(word) if word else None, self.suspended_until.data


class OfficialRequestForm(SuspensionForm):
    case_number = StringField(
        "Case number",
        validators=[InputRequired("Write the number of the case"), Length(max=100)],
    )
    agency = StringField(
        "Agency",
        validators=[InputRequired("Write which agency asks"), Length(max=200)],
    )
    officer = StringField(
        "Officer",
        description="Name and rank or badge",
        validators=[InputRequired("Write which officer asks"), Length(max=200)],
    )
    contact = StringField(
        "Telephone or email", validators=[Optional(), Length(max=200)]
    )
    address = TextAreaField("Postal address", validators=[Optional(), Length(max=250)])
    legal_basis = SelectField(
        "What the law bases it on",
        choices=[],
        validate_choice=False,
        validators=[InputRequired("Choose what the request is based on.")],
    )
    reason = TextAreaField(
        "What it is needed for",
        description="No patient's name",
        validators=[Optional(), Length(max=LONGEST)],
    )
    received_on = UsDateField(
        "Came on", validators=[InputRequired("Write the day on which it came")]
    )
    since = UsDateField(
        "Fills from", validators=[InputRequired("Write the first day of the scope")]
    )
    until = UsDateField(
        "Fills to", validators=[InputRequired("Write the last day of the scope")]
    )
    classes = SelectMultipleField(
        "Which drugs",
        description="None ticked: all that is reported. No more than was asked for.",
        choices=[],
        validate_choice=False,
    )
    revision = HiddenField()

    def offer(self) -> None:
        """List what the law may base it on, and the classes of drugs."""
        self.legal_basis.choices = [
            SelectChoice("", "Choose"),
            *(SelectChoice(each, each) for each in official_requests.legal_bases()),
        ]
        self.classes.choices = [
            SelectChoice(each, each if each.isupper() else each.capitalize())
            for each in extracts.classes()
        ]

    def begin_with(self, request: OfficialRequest) -> None:
        """Show a request as it stands."""
        for name in self._asked():
            self[name].data = getattr(request, name)
        self.suspension.data = request.suspension.value if request.suspension else ""
        self.revision.data = str(request.revision)

    def asked(self) -> Asked:
        """Give what was typed; only of a form that is valid."""
        suspension, until = self.chosen()
        typed = {name: self[name].data or "" for name in self._words()}
        return Asked(
            **typed,
            received_on=day_in(self.received_on),
            since=day_in(self.since),
            until=day_in(self.until),
            classes=list(self.classes.data or []),
            suspension=suspension,
            suspended_until=until,
        )

    @staticmethod
    def _words() -> tuple[str, ...]:
        return (
            *("case_number", "agency", "officer", "contact"),
            *("address", "legal_basis", "reason"),
        )

    def _asked(self) -> tuple[str, ...]:
        days = ("received_on", "since", "until", "suspended_until")
        return (*self._words(), *days, "classes")


class ReleaseForm(Form):
    """The second person has read what is in it."""

    revision = HiddenField()


class DecideForm(Form):
    decision = RadioField(
        "What then?",
        choices=[
            SelectChoice("give_back", "Give it back to be changed"),
            SelectChoice("deny", "Deny it"),
        ],
        validators=[InputRequired("Say what happens with it")],
    )
    reason = TextAreaField(
        "Why", validators=[InputRequired("Say why"), Length(max=LONGEST)]
    )
    revision = HiddenField()
