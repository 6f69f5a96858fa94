"""What staff answer at the fax desk and about a registration."""

from typing import Any

from wtforms import (
    RadioField,
    SelectChoice,
    SelectMultipleField,
    StringField,
)
from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length

from models import Profession
from pmp.registration.application_lists import Wanted
from pmp.registration.approval import RETURN_WORDS, Check, ReturnReason
from portal.forms import Form
from portal.forms.filters import FilterForm, menu_of, one_of

LONGEST = 1000
REASONS = [SelectChoice(reason.value, RETURN_WORDS[reason]) for reason in ReturnReason]
CHECKS = [
    SelectChoice(Check.SIGNED.value, "It is signed, by this person"),
    SelectChoice(Check.DATED.value, "The signature has a date"),
    SelectChoice(Check.UNALTERED.value, "Nothing on it was changed by hand"),
]


def _words(label: str, wanted: str, hint: str = "") -> Any:
    return TextAreaField(
        label,
        description=hint,
        validators=[InputRequired(wanted), Length(max=LONGEST)],
    )


def _code() -> StringField:
    return StringField(
        "Registration code",
        validators=[InputRequired("Enter a registration code"), Length(max=40)],
    )


def _reason() -> RadioField:
    return RadioField(
        "What the applicant is told",
        choices=REASONS,
        validators=[InputRequired("Choose what the applicant is told")],
    )


def _note() -> TextAreaField:
    return TextAreaField(
        "More, for the applicant",
        description="Shown on their status page",
        validators=[Length(max=LONGEST)],
    )


class RegistrationFilterForm(FilterForm):
    text = StringField(
        "Find",
        description="Code, name, licence, DEA, NPI or NCPDP number",
        validators=[Length(max=100)],
    )
    kind = menu_of("Kind", Profession)

    def wanted(self, which: str, sort: str = "") -> Wanted:
        """Give what to list; an answer that is none of the choices counts as all."""
        return Wanted(
            which,
            text=self.text.data or "",
            kind=one_of(Profession, self.kind.data),
            sort=sort,
        )


class ApproveForm(Form):
    checked = SelectMultipleField("On the faxed page, I have seen that", choices=CHECKS)


class OverrideForm(Form):
    reason = _words(
        "Why it may be approved all the same", "Say why it may be approved all the same"
    )


class ReturnForm(Form):
    reason = _reason()
    note = _note()


class RejectForm(Form):
    reason = _words("Why", "Say why", "The applicant reads it on their status page")


class NewLetterForm(Form):
    reason = _words("Why a new letter is needed", "Say why a new letter is needed")


class CloseAccountForm(Form):
    reason = _words(
        "Why the account is closed",
        "Say why the account is closed",
        "Such as a change of owner, with the day; kept on the audit record",
    )


class CoverForm(Form):
    licence = StringField(
        "Licence number of a further pharmacy",
        description="Such as PCY.0001234",
        validators=[
            InputRequired("Enter the licence number of the pharmacy"),
            Length(max=40),
        ],
    )


class AttachForm(Form):
    code = _code()


class ReturnFaxForm(Form):
    code = _code()
    reason = _reason()
    note = _note()


class DismissForm(Form):
    note = _words("Why it is put aside", "Say why it is put aside", "Name no patient.")
