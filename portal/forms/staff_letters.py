"""What staff choose and say about letters: print runs, the post, what came back."""

from datetime import date

from flask_wtf.file import FileField
from wtforms import (
    IntegerField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from pmp.deliveries import print_runs
from pmp.deliveries.print_runs import Letter
from pmp.deliveries.run_lists import Wanted
from pmp.wording import words
from portal.forms import Form, UsDateField
from portal.forms.filters import FilterForm, menu
from portal.numbers import whole

USUAL = 50
# What the post writes on a letter that it brings back; as in USPS DMM 507.1.5.1.
REASONS = (
    "",
    "Moved, left no address",
    "Attempted, not known",
    "No such number or street",
    "Insufficient address",
    "Vacant",
    "Unclaimed",
    "Refused",
    "Forwarding time over: a new address is on it",
    "Deceased",
)


class OpenRunForm(Form):
    """Which letters to put in a run."""

    kind = SelectField("Which letters", default="", choices=[])
    most = IntegerField(
        "At most",
        default=USUAL,
        validators=[
            InputRequired("Say how many letters at most"),
            NumberRange(
                1,
                print_runs.MOST_LETTERS,
                f"A run has 1 to {print_runs.MOST_LETTERS} letters.",
            ),
        ],
    )

    def offer(self, kinds: list[tuple[str, int]]) -> None:
        """Offer the kinds of which letters wait, with their numbers."""
        total = sum(count for _, count in kinds)
        self.kind.choices = [
            SelectChoice("", f"All kinds ({total})"),
            *(SelectChoice(kind, f"{words(kind)} ({count})") for kind, count in kinds),
        ]


class RunsForm(FilterForm):
    """Which print runs to list."""

    state = menu(
        "Where it stands",
        [SelectChoice("open", "To do"), SelectChoice("closed", "Done")],
    )
    opened_by = StringField("Opened by", validators=[Length(max=150)])
    since = UsDateField("Opened from", validators=[Optional()])
    until = UsDateField("To", validators=[Optional()])

    def wanted(self, sort: str) -> Wanted:
        """Give what to list."""
        return Wanted(
            is_open={"open": True, "closed": False}.get(self.state.data),
            opened_by=self.opened_by.data or "",
            since=self.since.data,
            until=self.until.data,
            sort=sort,
        )


class PrintedForm(Form):
    """Which letters of a run did not come out of the printer."""

    jammed = SelectMultipleField("These did not come out well", coerce=whole)

    def offer(self, found: list[Letter]) -> None:
        """Offer the letters of a run that are to come out."""
        self.jammed.choices = [
            SelectChoice(
                each.delivery.id, f"{each.row.place}. {each.name} ({each.code})"
            )
            for each in found
            if each.to_print
        ]


class MailedForm(Form):
    """The day on which a run was taken to the post."""

    on = UsDateField(
        "Taken to the post on",
        validators=[InputRequired("Say on which day they were taken to the post")],
    )

    def default_to(self, day: date) -> None:
        """Offer a day until somebody writes one."""
        if not self.is_submitted():
            self.on.data = day


class ReturnedForm(Form):
    """The code of a letter that came back, and what the post wrote on it."""

    code = StringField(
        "Code of the letter",
        validators=[InputRequired("Scan the code, or type it"), Length(max=80)],
    )
    why = SelectField(
        "What the post wrote on it",
        default="",
        choices=[
            SelectChoice(each, each or "Nothing, or not looked at") for each in REASONS
        ],
    )


class ScanForm(Form):
    """A scan or photograph of envelopes that came back."""

    file = FileField("Scan or photograph", description="PDF, TIFF, PNG or JPEG")
