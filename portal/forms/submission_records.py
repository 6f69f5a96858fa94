"""Correcting a held record, giving others the same change, taking one back."""

from collections.abc import Iterable, Mapping

from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from pmp.asap import elements
from pmp.asap.codes import COMPOUND
from pmp.uploads.withdrawals import LONGEST_REASON
from portal.forms import Form

LONGEST_VALUE = 300
USUAL_SEGMENTS = {"PHA", "PAT", "DSP", "PRE"}
ENVELOPE = {"TH", "IS", "TP", "TT"}


class AlikeForm(Form):
    """The ticked records come as they are: their numbers, as many as there are."""


class WithdrawForm(Form):
    reason = TextAreaField(
        "Why should it not have been sent?",
        description="Such as: filled for another pharmacy, or never picked up."
        " Leave out the patient's name.",
        validators=[
            InputRequired("Say why the record should not have been sent"),
            Length(max=LONGEST_REASON),
        ],
    )


def record_form(version: str, now: Mapping[str, str]) -> Form:
    """Make the form of one record: every element of its version that could matter.

    `now` are the record's elements as they are now; a segment that it lacks is there
    too, empty, but for the ones that few records have.
    """
    fields = {
        name: StringField(
            elements.label(name, version),
            validators=[Length(max=LONGEST_VALUE)],
            default=now.get(name, ""),
        )
        for name in _names(version, now)
    }
    kind: type[Form] = type("RecordForm", (Form,), fields)
    return kind()


def _names(version: str, now: Mapping[str, str]) -> Iterable[str]:
    present = {name[:3] for name in now}
    if now.get("DSP07", "").zfill(2) == COMPOUND:
        present.add("CDI")
    if now.get("PAT07", "").upper() == "REPORT":
        now = {"IS03": "", **now}  # where a zero report has its days
    names = [
        element.id
        for segment, layout in elements.layout(version).items()
        if segment in USUAL_SEGMENTS or segment in present
        for element in layout
        if segment not in ENVELOPE
    ]
    return [*names, *sorted(now.keys() - set(names))]
