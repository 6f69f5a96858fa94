"""A roster file to be read, what is decided on it, and on users' licences."""

from typing import Any

from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    HiddenField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, ValidationError

from models import FindingVerdict, RosterKind, RosterState
from pmp.roster import import_lists
from pmp.roster.import_lists import Wanted
from portal.forms import Form
from portal.forms.filters import FilterForm, menu_of, one_of
from portal.numbers import whole

NO_FILE = SelectChoice("", "None")


class ImportsForm(FilterForm):
    text = StringField(
        "Find", description="File or user name", validators=[Length(max=100)]
    )
    kind = menu_of("What", RosterKind, import_lists.KIND_WORDS)
    state = menu_of("State", RosterState, import_lists.STATE_WORDS)

    def wanted(self, sort: str) -> Wanted:
        """Give what to list."""
        return Wanted(
            text=self.text.data or "",
            kind=one_of(RosterKind, self.kind.data),
            state=one_of(RosterState, self.state.data),
            sort=sort,
        )


class RosterFileForm(Form):
    """One file: chosen on this computer, or by its name on the server."""

    file = FileField(
        "File on your computer",
        description="CSV or text, as downloaded; it may be zipped",
    )
    name = SelectField("File on the server", choices=[NO_FILE], default="")

    def offer(self, names: list[tuple[str, str]]) -> None:
        """List the files of the folder on the server: name, and words."""
        self["name"].choices = [NO_FILE, *(SelectChoice(*each) for each in names)]

    def validate_file(self, field: FileField) -> None:
        # Text under the name of the file is no file.
        given = bool(field.data and not isinstance(field.data, str))
        if given and self["name"].data:
            raise ValidationError(
                f"Choose one file: {field.data.filename} or {self['name'].data}"
            )
        if not given and not self["name"].data:
            raise ValidationError("Choose a file")


class ApplyForm(Form):
    accept_gone = BooleanField(
        "The file is whole: these licences are not in it any more"
    )


class UndoForm(Form):
    reason = TextAreaField(
        "Why it is undone",
        description="Such as: it was the file of last month",
        validators=[InputRequired("Say why the import is undone"), Length(max=1000)],
    )


class FindingsForm(Form):
    """Findings that were chosen, and what is to become of them."""

    findings = SelectMultipleField("Licences", validate_choice=False, coerce=str)
    verdict = HiddenField()
    reason = TextAreaField(
        "Why",
        description="For the audit record; the user is not shown it",
        validators=[Length(max=1000)],
    )
    confirmed = HiddenField()

    def numbers(self) -> list[int]:
        """Give the findings' numbers; what is none is left out."""
        found = []
        for text in self.findings.data or []:
            try:
                found.append(whole(text))
            except ValueError:
                continue
        return found

    def chosen_verdict(self) -> FindingVerdict | None:
        """Give the verdict, if it is one."""
        words: Any = {each.value: each for each in FindingVerdict}
        verdict: FindingVerdict | None = words.get(self.verdict.data or "")
        return verdict
