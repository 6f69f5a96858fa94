"""What the recipient of a threshold report answers, on the page or on paper."""

from collections.abc import Iterable
from typing import Any

from wtforms import RadioField, SelectChoice, SelectField, SelectMultipleField
from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length

from models import (
    RecipientAnswer,
    RecipientReply,
    ReplyChannel,
    TicketProblem,
)
from pmp.thresholds import answers, care_notes, faxed_replies
from pmp.thresholds.answers import Reply
from portal.forms import Form
from portal.forms.tickets import PROBLEMS

ROW = "row_"
ANSWERS = [
    SelectChoice(RecipientAnswer.MY_PATIENT.value, "My patient or customer"),
    SelectChoice(RecipientAnswer.NOT_MY_PATIENT.value, "Not my patient or customer"),
]
DONE = [SelectChoice(name, words) for name, words in answers.DONE.items()]
ROW_PROBLEMS = [SelectChoice("", "Nothing is wrong"), *PROBLEMS]
CHANNELS = [
    SelectChoice(ReplyChannel.PHONE.value, "On the telephone"),
    SelectChoice(ReplyChannel.FAX.value, "On paper, by fax or letter"),
]
REASONS = [SelectChoice(each.value, say) for each, say in faxed_replies.REASONS.items()]


class PaperAnswerForm(Form):
    """What is marked on a reply page; the first question may be left open there."""

    answer = RadioField(
        "Is this person your patient or customer?",
        choices=ANSWERS,
        validate_choice=False,
    )
    done = SelectMultipleField("What else?", choices=DONE)
    note = TextAreaField("Note", validators=[Length(max=answers.LONGEST_NOTE)])

    def offer(self, kept: RecipientReply | None) -> None:
        """Show what was answered before; a call that was made is not asked for."""
        if kept is None or self.is_submitted():
            return
        said = answers.as_reply(kept)
        self.answer.data = said.answer.value if said.answer else None
        self.done.data = sorted(
            said.done - ({"please_call"} if kept.called_at else set())
        )
        self.note.data = said.note
        for code, problem in said.wrong_rows.items():
            if ROW + code in self:
                self[ROW + code].data = problem.value

    def row(self, code: str) -> Any:
        """Give the field about one row."""
        return self[ROW + code]

    def says_a_row_is_wrong(self) -> bool:
        """Tell whether a row is marked, to show the rows at once."""
        return any(part.data for part in self if part.name.startswith(ROW))

    def reply(self) -> Reply:
        """Give what was entered, as the rules want it."""
        rows = {
            part.name.removeprefix(ROW): TicketProblem(part.data)
            for part in self
            if part.name.startswith(ROW) and part.data
        }
        chosen = self.answer.data
        return Reply(
            RecipientAnswer(chosen) if chosen in set(RecipientAnswer) else None,
            rows,
            frozenset(self.done.data or ()),
            self.note.data or "",
        )


class AnswerForm(PaperAnswerForm):
    answer = RadioField(
        "Is this person your patient or customer?",
        choices=ANSWERS,
        validators=[InputRequired("Say whether this is your patient or customer")],
    )


class SpokenAnswerForm(PaperAnswerForm):
    channel = RadioField(
        "How did they answer?",
        choices=CHANNELS,
        validators=[InputRequired("Say how they answered")],
    )


def with_rows(form: type[PaperAnswerForm], codes: Iterable[str]) -> Any:
    """Make a form that asks about each row, by its code, as well."""
    fields = {ROW + code: SelectField(code, choices=ROW_PROBLEMS) for code in codes}
    return type(form.__name__, (form,), fields)()


class SetAsideForm(Form):
    reason = RadioField(
        "Why it is put aside",
        choices=REASONS,
        validators=[InputRequired("Say why it is put aside")],
    )
    note = TextAreaField("More", validators=[Length(max=answers.LONGEST_NOTE)])


class CareNoteForm(Form):
    text = TextAreaField(
        "Your note",
        description=f"At most {care_notes.LONGEST:,} characters",
        validators=[InputRequired("Write a note"), Length(max=care_notes.LONGEST)],
    )
