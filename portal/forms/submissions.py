"""Submitting files, finding submissions."""

from collections.abc import Iterable, Iterator

from flask_wtf.file import MultipleFileField
from wtforms import BooleanField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import Length, Optional, ValidationError

from models import Severity, SubmissionSource, SubmissionStatus
from pmp.uploads.arrivals import MOST_FILES, Arrival
from pmp.uploads.problem_kinds import ProblemKind
from pmp.uploads.submissions import SOURCE_WORDS, STATUS_WORDS, Wanted
from portal.forms import Form, UsDateField
from portal.forms.filters import EVERY, FilterForm, menu, menu_of, one_of


def _choices(values: Iterable[str]) -> list[SelectChoice]:
    return [EVERY, *(SelectChoice(value, value) for value in sorted(values))]


class UploadForm(Form):
    file = MultipleFileField("Files")
    dry_run = BooleanField("Dry run: check the files and store nothing")

    def validate_file(self, field: MultipleFileField) -> None:
        # Text under the name of the file is no file.
        if not field.data:
            raise ValidationError("Choose the file to submit")
        if len(field.data) > MOST_FILES:
            raise ValidationError(f"Submit at most {MOST_FILES} files at once")

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Give name and bytes of each file, and let go of it when the next is asked."""
        for file in self.file.data:
            yield file.filename, file.read()
            file.close()

    def refuse(self, arrivals: Iterable[Arrival]) -> None:
        """Say at the field which files were refused, and why."""
        several = len(self.file.data) > 1
        self.file.errors = [
            f"{each.filename}: {each.refusal}" if several else each.refusal
            for each in arrivals
            if each.refusal
        ]


class SubmissionsForm(FilterForm):
    status = menu_of("Result", SubmissionStatus, STATUS_WORDS)
    source = menu_of("Came by", SubmissionSource, SOURCE_WORDS)
    since = UsDateField("Received from", validators=[Optional()])
    until = UsDateField("to", validators=[Optional()])

    def wanted(self) -> Wanted:
        """Give what was asked for; all of it where a word or a day is not known."""
        if not self.validate():
            return Wanted()
        return Wanted(
            status=one_of(SubmissionStatus, self.status.data),
            source=one_of(SubmissionSource, self.source.data),
            since=self.since.data,
            until=self.until.data,
            username=self.username.data or "" if "username" in self else "",
        )


class StaffSubmissionsForm(SubmissionsForm):
    username = StringField("User name", validators=[Length(max=150)])


class ProblemsForm(FilterForm):
    """Which problems of a submission are listed; a value is never in an address."""

    severity = menu_of("Severity", Severity)
    code = menu("Code", [])
    element = menu("Element", [])

    def offer(self, kinds: Iterable[ProblemKind]) -> None:
        """List the codes and elements that there are."""
        kinds = list(kinds)
        self.code.choices = _choices({kind.code for kind in kinds})
        self.element.choices = _choices({kind.element for kind in kinds} - {""})

    def chosen_severity(self) -> Severity | None:
        """Give the severity that was chosen."""
        return one_of(Severity, self.severity.data)
