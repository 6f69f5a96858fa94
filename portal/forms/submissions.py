"""Submitting a file, correcting a held record."""

from collections.abc import Iterable, Mapping

from wtforms import BooleanField, FileField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import Length, ValidationError

from models import DrugClass, SubmissionStatus
from pmp.asap import elements
from pmp.wording import words
from portal.forms import Form, UsDateField

LONGEST_VALUE = 300


class UploadForm(Form):
    file = FileField(
        "File", description="ASAP 4.2, 4.2A or 4.2B, as your software makes it"
    )
    dry_run = BooleanField("Dry run: check the file and store nothing")

    def validate_file(self, field: FileField) -> None:
        # Text under the name of the file is no file.
        if not getattr(field.data, "filename", ""):
            raise ValidationError("Choose the file to submit")


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


def record_form(version: str, given: Mapping[str, str]) -> Form:
    """Make the form of one record: every element of its version that could matter.

    `given` are the record's elements; a segment that it lacks is there too, empty, but
    for the ones that few records have.
    """
    fields = {
        name: StringField(
            f"{elements.label(name, version)} ({name})",
            validators=[Length(max=LONGEST_VALUE)],
            default=given.get(name, ""),
        )
        for name in _names(version, given)
    }
    kind: type[Form] = type("RecordForm", (Form,), fields)
    return kind()


def _names(version: str, given: Mapping[str, str]) -> Iterable[str]:
    present = {name[:3] for name in given}
    names = [
        element.id
        for segment, layout in elements.layout(version).items()
        if segment in {"PHA", "PAT", "DSP", "PRE"} or segment in present
        for element in layout
        if segment not in {"TH", "IS", "TP", "TT"}
    ]
    return [*names, *sorted(given.keys() - set(names))]
