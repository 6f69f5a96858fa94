"""A list of patients, pasted or as a file."""

from datetime import date

from flask_wtf.file import FileField
from wtforms import BooleanField, RadioField, SelectField
from wtforms.fields import TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from pmp.lookup import schedule_lines
from pmp.lookup.schedule_lines import Line
from portal.forms.look_up import (
    MONTHS,
    PERIODS,
    OnBehalfForm,
    months_before,
)

LONGEST = 50_000
FIRST_LAST, LAST_FIRST = "first_last", "last_first"


class ScheduleForm(OnBehalfForm):
    text = TextAreaField(
        "Names and birth dates, a line for each patient",
        description="Such as KOWALSKI, ANNA 04/28/1971, or as copied from a spreadsheet"
        " or an appointment list.",
        validators=[Length(max=LONGEST, message="This list is too long")],
    )
    file = FileField("Or a file", description="A CSV or text file with such lines.")
    order = RadioField(
        "Names without a comma are written",
        choices=[
            SelectChoice(FIRST_LAST, "first name, last name"),
            SelectChoice(LAST_FIRST, "last name, first name"),
        ],
        default=FIRST_LAST,
    )
    purpose = SelectField("What do you need these reports for?")
    months = SelectField("Prescriptions filled in", choices=PERIODS, default=MONTHS[0])
    similar = BooleanField("Also similar spellings where the name itself is not found")

    def take_file(self) -> None:
        """Put a file's text where it can be read and corrected."""
        sent = self.file.data
        if not sent or not getattr(sent, "filename", ""):
            return
        body = sent.read(LONGEST + 1)
        if len(body) > LONGEST:
            self.file.errors = ["This file is too large for a list of fifty people"]
        elif b"\0" in body:
            message = "This is no text file. Save the list as CSV, or paste it."
            self.file.errors = [message]
        else:
            try:
                self.text.data = body.decode("utf-8-sig")
            except UnicodeDecodeError:
                self.text.data = body.decode("cp1252", "replace")

    def lines(self, today: date) -> list[Line]:
        """Give each line as it was read."""
        return schedule_lines.read(
            self.text.data or "",
            last_first=self.order.data == LAST_FIRST,
            today=today,
        )

    def since(self, today: date) -> date:
        """Give the first day of the period."""
        return months_before(today, int(self.months.data))
