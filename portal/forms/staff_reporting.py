"""What staff choose and say about reporting: who is late, exemptions, the schedule."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    SelectChoice,
    SelectField,
    StringField,
)
from wtforms.fields import TextAreaField
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    ValidationError,
)

from models import DispenserKind, Frequency
from pmp.reporting import schedules
from pmp.reporting.calendars import Terms
from pmp.reporting.held_lists import Wanted
from pmp.reporting.late_list import LONGEST_NOTE
from portal.forms import Form, UsDateField, typed_date
from portal.forms.filters import FilterForm, menu

KINDS = [
    SelectChoice(kind.value, schedules.ONE_OF_KIND[kind]) for kind in DispenserKind
]
FREQUENCIES = [
    SelectChoice(each.value, schedules.FREQUENCY_WORDS[each]) for each in Frequency
]
LONGEST_REASON = 1000
LATEST_YEAR = 2100


class LateFilterForm(FilterForm):
    """Whom to list; it names no patient."""

    show = menu(
        "Show",
        [SelectChoice("all", "All that must report")],
        SelectChoice("", "Those that are late"),
    )
    kind = menu("Kind", KINDS)
    text = StringField("Name, town or DEA number", validators=[Length(max=60)])


class HeldFilterForm(FilterForm):
    """Which submissions with held records to list."""

    text = StringField(
        "Find", description="Sender or submission", validators=[Length(max=100)]
    )
    told = menu("Told", [SelectChoice("no", "Not told yet")])

    def wanted(self, sort: str) -> Wanted:
        """Give what to list."""
        return Wanted(
            text=self.text.data or "", untold=self.told.data == "no", sort=sort
        )


class NoteForm(Form):
    text = TextAreaField(
        "Note",
        description="What you agreed or whom you told; staff alone read it",
        validators=[
            InputRequired("Write what you did or agreed"),
            Length(max=LONGEST_NOTE),
        ],
    )


class ExemptionForm(Form):
    first = UsDateField("First day", validators=[InputRequired("Enter the first day")])
    last = UsDateField("Last day", description="Empty: until you end it")
    reason = TextAreaField(
        "Reason",
        validators=[InputRequired("Say why it need not report"), Length(max=1000)],
    )


class EndExemptionForm(Form):
    last = UsDateField("Last day", validators=[InputRequired("Enter the last day")])


class KindForm(Form):
    kind = SelectField("Kind of dispenser", choices=KINDS)


class _ScheduleForm(Form):
    starts_on = UsDateField(
        "From", validators=[InputRequired("Enter the day from which it holds")]
    )
    reason = TextAreaField(
        "Reason",
        description="The law or decision behind it, for the next reader",
        validators=[DataRequired("Say why"), Length(max=LONGEST_REASON)],
    )
    confirmed = HiddenField()

    def offer(self, terms: Mapping[DispenserKind, Terms], starts_on: date) -> None:
        """Fill in terms: those in force, or a preset's."""
        self.starts_on.data = starts_on
        for kind, each in terms.items():
            self[f"{kind.value}_frequency"].data = each.frequency.value
            self[f"{kind.value}_grace_days"].data = each.grace_days
            self[f"{kind.value}_business_days"].data = each.business_days

    def terms(self) -> dict[DispenserKind, Terms]:
        """Give what was entered, as the rules want it."""
        return {
            kind: Terms(
                Frequency(self[f"{kind.value}_frequency"].data),
                self[f"{kind.value}_grace_days"].data,
                bool(self[f"{kind.value}_business_days"].data),
            )
            for kind in DispenserKind
        }

    def parts(self, kind: DispenserKind) -> list[Any]:
        """Give the three fields of a kind of dispenser."""
        names = ("frequency", "grace_days", "business_days")
        return [self[f"{kind.value}_{name}"] for name in names]


def _of_kind(kind: DispenserKind) -> dict[str, Any]:
    most = schedules.MOST_GRACE
    words = f"Enter a number of days from 0 to {most}"
    return {
        f"{kind.value}_frequency": SelectField("How often", choices=FREQUENCIES),
        f"{kind.value}_grace_days": IntegerField(
            "Due so many days later",
            validators=[
                InputRequired(words),
                NumberRange(min=0, max=most, message=words),
            ],
        ),
        f"{kind.value}_business_days": BooleanField("Count business days only"),
    }


ScheduleForm: Any = type(
    "ScheduleForm",
    (_ScheduleForm,),
    {name: part for kind in DispenserKind for name, part in _of_kind(kind).items()},
)


class ClosedDayForm(Form):
    day = UsDateField("Day", validators=[InputRequired("Enter the day")])
    name = StringField(
        "Name",
        validators=[
            InputRequired("Give the day a name, such as Good Friday"),
            Length(max=100),
        ],
    )


class ClosedDaysForm(Form):
    lines = TextAreaField(
        "Days, one a line",
        description="The date, then its name: 04/03/2026 Good Friday",
        validators=[InputRequired("Paste the days, one a line"), Length(max=20_000)],
    )

    def validate_lines(self, field: TextAreaField) -> None:
        self.days: list[tuple[date, str]] = []
        for number, line in enumerate((field.data or "").splitlines(), start=1):
            if line.strip():
                self.days.append(_closed_day(number, line))


class FederalForm(Form):
    year = IntegerField(
        "Year",
        validators=[
            InputRequired("Enter a year"),
            NumberRange(min=2000, max=LATEST_YEAR, message="Enter a year such as 2027"),
        ],
    )


def _closed_day(number: int, line: str) -> tuple[date, str]:
    typed, _, name = line.strip().replace("\t", " ").partition(" ")
    try:
        day = typed_date(typed.strip(",;"))
    except ValueError as wrong:
        raise ValidationError(f"Line {number}: {wrong}") from None
    name = name.strip(" ,;-\u2013")
    if not name:
        raise ValidationError(f"Line {number}: give the day a name after its date")
    return day, name
