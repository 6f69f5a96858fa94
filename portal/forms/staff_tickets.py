"""What staff do with a ticket: write, hand over, resolve; and which they look at."""

from typing import Any

from flask_wtf.file import FileField
from wtforms import (
    DecimalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from models import Audience, Dispensation, TicketProblem, User
from pmp.ticket_wordings import Wording
from pmp.tickets import board
from pmp.wording import words
from portal.forms import Form, UsDateField
from portal.forms.filters import FilterForm

LONGEST = 2000
MOST_QUANTITY = 99_999_999


KINDS = [SelectChoice(problem.value, words(problem)) for problem in TicketProblem]


class StaffMessageForm(Form):
    text = TextAreaField(
        "Message or note",
        description="Name no patient.",
        validators=[InputRequired("Write a message"), Length(max=LONGEST)],
    )
    to = RadioField(
        "Who reads it",
        choices=[
            SelectChoice(Audience.STAFF.value, "Only staff"),
            SelectChoice(Audience.REPORTER.value, "The reporter, and staff"),
            SelectChoice(
                Audience.DISPENSER.value,
                "The pharmacy, and staff: it is asked, and its time begins to run",
            ),
        ],
        default=Audience.STAFF.value,
        validators=[InputRequired("Choose who reads it")],
    )
    pharmacy = StringField(
        "Which pharmacy to ask",
        description="DEA, NCPDP or NPI number; of a ticket that names no entry",
        validators=[Optional(), Length(max=20)],
    )
    revision = HiddenField()


class HandOverForm(Form):
    """To whom and why; `people` are those to choose from."""

    to = SelectField("To", coerce=int, validate_choice=False)
    reason = TextAreaField(
        "Why",
        description="Only staff read it. Name no patient.",
        validators=[InputRequired("Say why"), Length(max=LONGEST)],
    )
    revision = HiddenField()

    def offer(self, people: list[User], load: dict[int, int]) -> None:
        """Give the people to choose from, each with the open tickets they have."""
        self.to.choices = [
            SelectChoice(each.id, f"{each.name}: {load[each.id]} open")
            for each in people
        ]


class ReopenForm(Form):
    reason = TextAreaField(
        "Why",
        description="The reporter reads it. Name no patient.",
        validators=[InputRequired("Say why"), Length(max=LONGEST)],
    )
    revision = HiddenField()


class AttachmentForm(Form):
    file = FileField("File", description="PDF, PNG, JPEG or TIFF")
    what = StringField(
        "What is it?",
        description="Such as: the prescription, as faxed. Name no patient.",
        validators=[InputRequired("Say what it is"), Length(max=100)],
    )
    audience = RadioField(
        "Who may open it",
        choices=[
            SelectChoice(Audience.STAFF.value, "Only staff"),
            SelectChoice(Audience.REPORTER.value, "The reporter, and staff"),
            SelectChoice(Audience.DISPENSER.value, "The pharmacy, and staff"),
        ],
        default=Audience.STAFF.value,
        validators=[InputRequired("Choose who may open it")],
    )
    pharmacy = StringField(
        "Which pharmacy",
        description="DEA, NCPDP or NPI number, if several were asked",
        validators=[Optional(), Length(max=20)],
    )


class EvidenceForm(Form):
    recipient = StringField(
        "For whom",
        description="Office, and name if you know it. It goes on the accounting of"
        " disclosures.",
        validators=[InputRequired("Say who gets it"), Length(max=200)],
    )
    reason = TextAreaField(
        "What for",
        validators=[InputRequired("Say what it is needed for"), Length(max=LONGEST)],
    )


class BoardForm(FilterForm):
    """Which tickets to list; it names no patient."""

    queue = SelectField(
        "List",
        choices=[SelectChoice(name, said) for name, said in board.QUEUES.items()],
        default="open",
    )
    problem = SelectField(
        "What is wrong", choices=[SelectChoice("", "Anything"), *KINDS], default=""
    )
    owner = SelectField("Owner", validate_choice=False, default="")
    older = SelectField(
        "Opened",
        coerce=int,
        choices=[
            SelectChoice(days, f"More than {days} days ago" if days else "At any time")
            for days in board.AGES
        ],
        default=0,
    )
    pharmacy = StringField(
        "Pharmacy", description="Part of its name", validators=[Length(max=100)]
    )

    def offer(self, people: list[User]) -> None:
        """Give the owners to choose from."""
        self.owner.choices = [
            SelectChoice("", "Anybody"),
            SelectChoice(board.NOBODY, "Nobody"),
            *(SelectChoice(each.username, each.username) for each in people),
        ]

    def wanted(self, sort: str = "") -> board.Wanted:
        """Give what is asked for."""
        problem = self.problem.data
        return board.Wanted(
            queue=self.queue.data or "open",
            problem=TicketProblem(problem) if problem else None,
            owner=self.owner.data or "",
            older=self.older.data or 0,
            pharmacy=self.pharmacy.data or "",
            sort=sort,
        )


class OutcomesForm(FilterForm):
    """The days on which tickets were opened."""

    since = UsDateField("Opened from", validators=[Optional()])
    until = UsDateField("To", validators=[Optional()])


class RoutingForm(Form):
    """For each kind whoever takes it; one field a kind."""

    def offer(self, people: list[User]) -> None:
        """Give the people to choose from."""
        for problem in TicketProblem:
            self[problem.value].choices = [
                SelectChoice(each.id, each.username) for each in people
            ]

    def chosen(self) -> dict[TicketProblem, list[int]]:
        """Give the ids of whoever takes each kind."""
        return {problem: self[problem.value].data or [] for problem in TicketProblem}


for _problem in TicketProblem:
    _takers = SelectMultipleField(words(_problem), coerce=int, validate_choice=False)
    setattr(RoutingForm, _problem.value, _takers)


class ResolveForm(Form):
    """The reason; `confirmed` is set on the review page."""

    wording = SelectField("Begin with a wording", validate_choice=False, default="")
    note = TextAreaField(
        "Reason",
        description="The reporter reads it. Name no patient.",
        validators=[InputRequired("Give the reason"), Length(max=LONGEST)],
    )
    revision = HiddenField()
    version = HiddenField()  # of the entry, as it stands beside the form
    confirmed = HiddenField()

    def offer_wordings(self, wordings: list[Wording]) -> None:
        """Give the wordings to choose from."""
        self.wording.choices = [SelectChoice(each.key, each.title) for each in wordings]

    def offer(self, entry: Dispensation) -> None:
        """Fill in what the entry says now: nothing of it is asked for here."""

    def changes(self) -> dict[str, Any]:
        """Give what the entry shall say; nothing for an outcome that changes none."""
        return {}


class CorrectForm(ResolveForm):
    """The fields of an entry that staff may correct, as they are now."""

    filled_on = UsDateField("Filled on", validators=[Optional()])
    written_on = UsDateField("Written on", validators=[Optional()])
    product_code = StringField(
        "NDC", description="11 digits", validators=[Optional(), Length(max=13)]
    )
    quantity = DecimalField(
        "Quantity",
        places=None,
        validators=[Optional(), NumberRange(min=0, max=MOST_QUANTITY)],
    )
    days_supply = IntegerField(
        "Days supply", validators=[Optional(), NumberRange(min=0, max=999)]
    )
    refills_authorized = IntegerField(
        "Refills authorized", validators=[Optional(), NumberRange(min=0, max=99)]
    )
    prescription_number = StringField(
        "Prescription number", validators=[Optional(), Length(max=25)]
    )

    def offer(self, entry: Dispensation) -> None:
        """Fill in what the entry says now."""
        for name in FIELDS:
            self[name].raw_data = None  # what was typed would be shown again
            self[name].data = getattr(entry, name)

    def changes(self) -> dict[str, Any]:
        """Give each field as it shall be; an empty one is left as it is."""
        typed = {name: self[name].data for name in FIELDS}
        wanted = {k: value for k, value in typed.items() if value not in {None, ""}}
        if code := wanted.get("product_code"):
            wanted["product_code"] = code.replace("-", "")
        return wanted


FIELDS = (
    "filled_on",
    "written_on",
    "product_code",
    "quantity",
    "days_supply",
    "refills_authorized",
    "prescription_number",
)
