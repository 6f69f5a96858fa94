"""Submitting a file, reporting nothing dispensed, finding submissions."""

from wtforms import BooleanField, FileField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, ValidationError

from models import DrugClass, SubmissionStatus
from pmp.wording import words
from portal.forms import Form, UsDateField


class UploadForm(Form):
    file = FileField(
        "File", description="ASAP 4.2, 4.2A or 4.2B, as your software makes it"
    )
    dry_run = BooleanField("Dry run: check the file and store nothing")

    def validate_file(self, field: FileField) -> None:
        # Text under the name of the file is no file.
        if not getattr(field.data, "filename", ""):
            raise ValidationError("Choose the file to submit")


class ZeroReportForm(Form):
    first = UsDateField("First day", validators=[InputRequired("Enter the first day")])
    last = UsDateField("Last day", validators=[InputRequired("Enter the last day")])


class DispensingForm(Form):
    """What to show of a pharmacy's own dispensations; sent by POST: it names people."""

    since = UsDateField("Filled from")
    until = UsDateField("to")
    drug_class = SelectField(
        "Class",
        choices=[
            SelectChoice("", "All"),
            *(SelectChoice(word.value, words(word)) for word in DrugClass),
        ],
    )
    text = StringField("Name, drug or Rx number", validators=[Length(max=60)])


class StaffSubmissionsForm(Form):
    class Meta(Form.Meta):
        csrf = False  # a filter: it changes nothing

    status = SelectField(
        "Status",
        choices=[
            SelectChoice("", "All"),
            *(SelectChoice(word.value, words(word)) for word in SubmissionStatus),
        ],
    )
    username = StringField("User name", validators=[Length(max=150)])
