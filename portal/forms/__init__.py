"""What every form of the portal shares: trimmed text, dates as people write them.

A form checks what can be told from the form alone; a rule in `pmp` decides the rest
and `rule_errors` puts its words at the field they are about.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from wtforms import DateField, PasswordField, StringField

from pmp.accounts.lock_out import ThrottledError
from pmp.errors import RuleError

YEARS = range(1880, 2201)
"""The years of days that somebody may mean."""


def trimmed(value: Any) -> Any:
    """Take the blanks off both ends of typed text."""
    return value.strip() if isinstance(value, str) else value


class _Words:
    """The library's own refusals in our words: what to do, not what a field is."""

    OURS = {
        "Not a valid choice.": "Choose one of those that are listed.",
        "Invalid Choice: could not coerce.": "Choose one of those that are listed.",
        "Not a valid integer value.": "Write a whole number in figures.",
        "Not a valid decimal value.": "Write a number in figures.",
        "This field is required.": "Fill this in.",
        "Invalid email address.": "Write an address such as name@example.org.",
        "Field cannot be longer than %(max)d characters.": (
            "Write at most %(max)d characters."
        ),
    }

    def gettext(self, words: str) -> str:
        return self.OURS.get(words, words)

    def ngettext(self, one: str, more: str, number: int) -> str:
        return self.gettext(one if number == 1 else more)


class Form(FlaskForm):
    """A form whose text fields are trimmed; a password keeps each of its blanks."""

    class Meta(FlaskForm.Meta):
        def get_translations(self, form: Any) -> Any:  # noqa: ARG002 - the library's
            return _Words()

        def bind_field(self, form: Any, unbound_field: Any, options: Any) -> Any:
            kind = unbound_field.field_class
            if issubclass(kind, StringField) and not issubclass(kind, PasswordField):
                filters = unbound_field.kwargs.get("filters", ())
                options = {**options, "filters": (trimmed, *filters)}
            return super().bind_field(form, unbound_field, options)


@contextmanager
def rule_errors(form: Any) -> Iterator[None]:
    """Show a rule's refusal at the field it names, or above the form.

    A throttle's refusal is about no field: it goes on and becomes a page of its own.
    """
    try:
        yield
    except ThrottledError:
        raise
    except RuleError as refusal:
        if refusal.field and refusal.field in form:
            part = form[refusal.field]
            part.errors = [*part.errors, refusal.message]
        else:
            form.form_errors = [*form.form_errors, refusal.message]


def typed_date(text: str) -> date:
    """Read a day typed as 04/28/1971, 4-28-1971, 04281971 or 1971-04-28.

    Raises ValueError, with a sentence for the person, for anything else and for a year
    that nobody means: rules count days and months before and after what is typed.
    """
    words = text.strip()
    if match := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", words):
        year, month, day = match.groups()
    elif match := (
        re.fullmatch(r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})", words)
        or re.fullmatch(r"(\d\d)(\d\d)(\d{4})", words)
    ):
        month, day, year = match.groups()
    else:
        raise ValueError("Write the date as month, day and year, such as 04/28/1971")
    try:
        day_meant = date(int(year), int(month), int(day))
    except ValueError:
        raise ValueError("There is no such day. Write it as 04/28/1971") from None
    if day_meant.year not in YEARS:
        raise ValueError(
            f"Check the year: {year} is not between {YEARS[0]} and {YEARS[-1]}."
            " Write the date as 04/28/1971"
        )
    return day_meant


class UsDateField(DateField):
    """A day in one text box: typing is quicker than three menus, and can be pasted."""

    def __init__(self, label: str | None = None, **options: Any) -> None:
        keywords = {"inputmode": "numeric", "maxlength": 10, "data-date": True}
        options["render_kw"] = {
            "type": "text",
            **keywords,
            **options.get("render_kw", {}),
        }
        super().__init__(label, format="%m/%d/%Y", **options)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if valuelist and valuelist[0].strip():
            self.data = typed_date(valuelist[0])
