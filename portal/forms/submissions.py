"""Submitting files, finding submissions."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from flask_wtf.file import MultipleFileField
from wtforms import BooleanField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import Length, Optional, ValidationError

from models import Severity, SubmissionSource, SubmissionStatus
from pmp.uploads.arrivals import MOST_FILES, Arrival
from pmp.uploads.problem_kinds import ProblemKind
from pmp.uploads.submissions import SOURCE_WORDS, STATUS_WORDS, Wanted
from pmp.wording import words
from portal.forms import Form, UsDateField

Word = TypeVar("Word", bound=StrEnum)


def _all_and(kind: type[StrEnum], said: Mapping[Any, str]) -> list[SelectChoice]:
    known = [SelectChoice(word.value, said.get(word, words(word))) for word in kind]
    return [SelectChoice("", "All"), *known]


def _filter(label: str, choices: list[SelectChoice]) -> SelectField:
    """Make a menu whose unknown words, in an address that was typed, are all."""
    return SelectField(label, choices=choices, default="", validate_choice=False)


def _known(kind: type[Word], typed: str) -> Word | None:
    return kind(typed) if typed in {word.value for word in kind} else None


def _choices(values: Iterable[str]) -> list[SelectChoice]:
    known = [SelectChoice(value, value) for value in sorted(values)]
    return [SelectChoice("", "All"), *known]


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


class SubmissionsForm(Form):
    """Which submissions a list shows: a filter, it changes nothing."""

    class Meta(Form.Meta):
        csrf = False

    status = _filter("Result", _all_and(SubmissionStatus, STATUS_WORDS))
    source = _filter("Came by", _all_and(SubmissionSource, SOURCE_WORDS))
    since = UsDateField("Received from", validators=[Optional()])
    until = UsDateField("to", validators=[Optional()])

    def wanted(self) -> Wanted:
        """Give what was asked for; all of it where a word or a day is not known."""
        if not self.validate():
            return Wanted()
        return Wanted(
            status=_known(SubmissionStatus, self.status.data),
            source=_known(SubmissionSource, self.source.data),
            since=self.since.data,
            until=self.until.data,
            username=self.username.data or "" if "username" in self else "",
        )


class StaffSubmissionsForm(SubmissionsForm):
    username = StringField("User name", validators=[Length(max=150)])


class ProblemsForm(Form):
    """Which problems of a submission are listed; a value is never in an address."""

    class Meta(Form.Meta):
        csrf = False

    severity = _filter("Severity", _all_and(Severity, {}))
    code = _filter("Code", [])
    element = _filter("Element", [])

    def offer(self, kinds: Iterable[ProblemKind]) -> None:
        """List the codes and elements that there are."""
        kinds = list(kinds)
        self.code.choices = _choices({kind.code for kind in kinds})
        self.element.choices = _choices({kind.element for kind in kinds} - {""})

    def chosen_severity(self) -> Severity | None:
        """Give the severity that was chosen."""
        return _known(Severity, self.severity.data)
