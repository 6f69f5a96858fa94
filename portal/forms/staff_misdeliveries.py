"""What staff write down of a message that reached the wrong person."""

from wtforms import BooleanField, RadioField, SelectChoice, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from models import WhatBecame
from pmp.misdeliveries import Told
from pmp.misdelivery_lists import Wanted
from portal.forms import Form
from portal.forms.filters import FilterForm, menu

BECAME = [
    SelectChoice(WhatBecame.DESTROYED.value, "They say that they destroyed all pages"),
    SelectChoice(WhatBecame.RETURNED.value, "They send them back to us"),
    SelectChoice(WhatBecame.KEPT.value, "They keep them"),
    SelectChoice(WhatBecame.UNKNOWN.value, "We do not know"),
]


class IncidentsForm(FilterForm):
    show = menu("Show", [SelectChoice("open", "To assess")])

    def wanted(self, sort: str) -> Wanted:
        """Give what to list."""
        return Wanted(open_only=self.show.data == "open", sort=sort)


class MisdeliveryForm(Form):
    told_by = StringField(
        "Who has it",
        description="Name and telephone, as far as they say",
        validators=[
            InputRequired("Say who has it, and how to reach them"),
            Length(max=200),
        ],
    )
    became = RadioField(
        "What became of the pages?",
        choices=BECAME,
        validators=[InputRequired("Say what became of the pages")],
    )
    note = TextAreaField(
        "What else is known",
        description="Which pages were read, by whom; no patient's name",
        validators=[Length(max=2000)],
    )
    bar_address = BooleanField(
        "Send nothing more to this number or address", default=True
    )

    def told(self) -> Told:
        """Give what was typed."""
        return Told(
            by=self.told_by.data or "",
            became=WhatBecame(self.became.data),
            note=self.note.data or "",
            bar_address=bool(self.bar_address.data),
        )


class FindForm(Form):
    """What a caller can read out; never in a page's address."""

    text = StringField(
        "What the caller can read out",
        description=(
            "The fax number, email address or a whole line of the postal address that"
            " it was sent to, or a number on the page: delivery, letter, report, reply"
            " or test code, ticket"
        ),
        validators=[
            InputRequired("Write where it was sent to, or a number on the page"),
            Length(max=254),
        ],
    )


class AssessmentForm(Form):
    breach = RadioField(
        "Is it a breach of the patient's privacy?",
        choices=[
            SelectChoice("yes", "Yes: it counts in the year's log"),
            SelectChoice("no", "No: the risk is low, or no patient was in it"),
        ],
        validators=[InputRequired("Say whether it is a breach")],
    )
    assessment = TextAreaField(
        "What was decided",
        description="The risk to the patient, whether the patient is told, and why",
        validators=[InputRequired("Write down what was decided"), Length(max=4000)],
    )
    bar_address = BooleanField("Send nothing more to this number or address")
