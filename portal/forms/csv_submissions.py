"""Sending a spreadsheet, and saying what its columns are."""

from typing import Any

from wtforms import FileField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import Length, ValidationError

from models import User
from pmp.asap import plain_codes
from pmp.csv_submissions.columns import COLUMNS
from pmp.csv_submissions.csv_reader import Sheet
from pmp.csv_submissions.csv_records import Layout
from pmp.entry import pharmacies
from pmp.entry.reading import PHARMACY
from portal.forms import Form

_COLUMN = "column-"
_FIXED = "fixed-"
_FIXED_TEXTS = ("PRE02", "DSP04", "DSP06", "PAT15")
_FIXED_LISTS = ("DSP11", "DSP12", "DSP16", "PAT20")


class CsvFileForm(Form):
    file = FileField("Spreadsheet")

    def validate_file(self, field: FileField) -> None:
        # Text under the name of the file is no file.
        if not getattr(field.data, "filename", ""):
            raise ValidationError("Choose the spreadsheet to send")


def layout_form(sheet: Sheet, layout: Layout, *, user: User) -> Form:
    """Make the form of a layout: a list for each column, boxes for all rows."""
    fields: dict[str, Any] = {}
    meanings = [SelectChoice("", "Leave this column out"), *_meanings()]
    for place, heading in enumerate(sheet.headings):
        fields[f"{_COLUMN}{place}"] = SelectField(
            heading, choices=meanings, default=layout.columns.get(heading, "")
        )
    for element, part in _fixed(user).items():
        default = layout.fixed.get(element, "")
        kind, label, options = part
        fields[f"{_FIXED}{element}"] = kind(label, default=default, **options)
    made: type[Form] = type("LayoutForm", (Form,), fields)
    return made()


def layout_of(form: Form, sheet: Sheet) -> Layout:
    """Give what was chosen."""
    columns = {
        heading: form[f"{_COLUMN}{place}"].data or ""
        for place, heading in enumerate(sheet.headings)
    }
    fixed = {
        part.name.removeprefix(_FIXED): part.data or ""
        for part in form
        if part.name.startswith(_FIXED)
    }
    return Layout(columns, fixed)


def column_fields(form: Form) -> list[Any]:
    """Give the lists of the columns, in the order of the file."""
    return [part for part in form if part.name.startswith(_COLUMN)]


def fixed_fields(form: Form) -> list[Any]:
    """Give the boxes of what all rows share."""
    return [part for part in form if part.name.startswith(_FIXED)]


def _meanings() -> list[SelectChoice]:
    return [
        SelectChoice(
            column.element,
            f"{column.words}{' (required)' if column.required else ''}",
            optgroup=column.group,
        )
        for column in COLUMNS.values()
    ]


def _fixed(user: User) -> dict[str, tuple[Any, str, dict[str, Any]]]:
    """Give element → kind of field, label, options."""
    nothing = SelectChoice("", "Not the same for all")
    covered = [SelectChoice(each.number, each.words) for each in pharmacies.of(user)]
    found: dict[str, tuple[Any, str, dict[str, Any]]] = {
        PHARMACY: (SelectField, "Pharmacy", {"choices": [nothing, *covered]})
    }
    for element in _FIXED_TEXTS:
        render = {"autocomplete": "off"}
        options = {"validators": [Length(max=30)], "render_kw": render}
        found[element] = (StringField, COLUMNS[element].words, options)
    for element in _FIXED_LISTS:
        words = plain_codes.SHOWN[element].items()
        choices = [nothing, *(SelectChoice(code, word) for code, word in words)]
        label = "Species" if element == "PAT20" else COLUMNS[element].words
        found[element] = (SelectField, label, {"choices": choices})
    return found
