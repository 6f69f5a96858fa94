"""Unusual look-ups: which to show, what to ask; and whom to protect."""

from typing import Any

from wtforms import SelectChoice, SelectField, StringField
from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from pmp.lookup.unusual_desk import KIND_WORDS, STATUS_WORDS, WAITING, Wanted
from portal.forms import Form, UsDateField
from portal.forms.filters import FilterForm, SealedFilterForm
from portal.forms.look_up import BirthDateField

LONGEST = 2000


class UnusualForm(FilterForm):
    """Which of them to list; it names no patient."""

    status = SelectField(
        "State",
        choices=[
            SelectChoice(WAITING, "All not explained"),
            *(SelectChoice(word.value, words) for word, words in STATUS_WORDS.items()),
            SelectChoice("", "All"),
        ],
        default=WAITING,
    )
    kind = SelectField(
        "Why",
        choices=[
            SelectChoice("", "Anything"),
            *(SelectChoice(word.value, words) for word, words in KIND_WORDS.items()),
        ],
        default="",
    )
    who = StringField("User name", validators=[Optional(), Length(max=150)])
    since = UsDateField("From", validators=[Optional()])
    until = UsDateField("To", validators=[Optional()])

    def wanted(self, sort: str = "") -> Wanted:
        """Give what is asked for."""
        return Wanted(
            status=self.status.data,
            kind=self.kind.data or "",
            username=self.who.data or "",
            since=self.since.data,
            until=self.until.data,
            sort=sort,
        )

    def in_address(self) -> dict[str, Any]:
        """Give what was typed; the state always: all of them is not its default."""
        return {**super().in_address(), "status": self.status.data}


class ProtectedFilterForm(SealedFilterForm):
    """Whom of the list to show: by a name, so it stands in no address."""

    sealed = "text"
    text = StringField(
        "Find", description="Part of a name or reason", validators=[Length(max=100)]
    )


class UnusualMessageForm(Form):
    text = TextAreaField(
        "Question or note",
        description="A question is shown to the user at the next look-up. Do not say in"
        " it that somebody is protected.",
        validators=[InputRequired("Write a question or a note"), Length(max=LONGEST)],
    )


class ProtectedPersonForm(Form):
    last_name = StringField(
        "Last name", validators=[InputRequired("Enter the last name"), Length(max=100)]
    )
    first_name = StringField(
        "First name",
        validators=[InputRequired("Enter the first name"), Length(max=100)],
    )
    birth_date = BirthDateField(
        "Date of birth",
        validators=[InputRequired("Enter the date of birth, such as 04/28/1971")],
    )
    reason = StringField(
        "Why",
        validators=[
            InputRequired("Say why this person is protected"),
            Length(max=500),
        ],
    )
