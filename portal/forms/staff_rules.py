"""A threshold rule's next version, what becomes of a case, and an answer by fax."""

from wtforms import (
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectMultipleField,
    StringField,
)
from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange

from models import Connective, RuleStatus
from pmp.thresholds import threshold_rules
from pmp.thresholds.threshold_rules import Terms
from portal.forms import Form

SCHEDULES = [SelectChoice(each, each) for each in threshold_rules.SCHEDULES]
CONNECTIVES = [
    SelectChoice(Connective.AND.value, "And: both numbers must be reached"),
    SelectChoice(Connective.OR.value, "Or: one of the two is enough"),
]
STATUSES = [
    SelectChoice(RuleStatus.ACTIVE.value, "Active: reports are sent"),
    SelectChoice(RuleStatus.SILENT.value, "Silent: cases are kept, nothing is sent"),
    SelectChoice(RuleStatus.OFF.value, "Off"),
]


def _number(label: str, what: str, most: int) -> IntegerField:
    words = f"Enter a number of {what} from 1 to {most}"
    return IntegerField(
        label,
        validators=[InputRequired(words), NumberRange(min=1, max=most, message=words)],
    )


class RuleForm(Form):
    name = StringField(
        "Name",
        description="An existing name makes its next version",
        validators=[InputRequired("Give the rule a name"), Length(max=100)],
    )
    prescribers = _number("Prescribers, at least", "prescribers", threshold_rules.MOST)
    pharmacies = _number("Pharmacies, at least", "pharmacies", threshold_rules.MOST)
    connective = RadioField(
        "Both numbers, or one of them?", choices=CONNECTIVES, default="and"
    )
    window_days = _number("Days of the window", "days", threshold_rules.LONGEST_WINDOW)
    schedules = SelectMultipleField("Schedules; none: all", choices=SCHEDULES)
    status = RadioField("Status", choices=STATUSES, default="silent")
    reason = TextAreaField(
        "Reason",
        description="For the next reader",
        validators=[InputRequired("Say why"), Length(max=1000)],
    )
    confirmed = HiddenField()

    def offer(self, terms: Terms) -> None:
        """Fill in what a rule says now."""
        for name in ("name", "prescribers", "pharmacies", "window_days"):
            self[name].data = getattr(terms, name)
        self.connective.data = terms.connective.value
        self.schedules.data = list(terms.schedules)
        self.status.data = terms.status.value

    def terms(self) -> Terms:
        """Give what was entered, as the rules want it."""
        return Terms(
            name=self.name.data or "",
            prescribers=self.prescribers.data or 0,
            pharmacies=self.pharmacies.data or 0,
            connective=Connective(self.connective.data),
            window_days=self.window_days.data or 0,
            schedules=tuple(self.schedules.data or ()),
            status=RuleStatus(self.status.data),
        )


class CloseForm(Form):
    reason = TextAreaField(
        "Why it is closed", validators=[InputRequired("Say why"), Length(max=1000)]
    )


class ReplyForm(Form):
    code = StringField(
        "Reply code",
        description="On the reply page: RPL-7K3Q9-XW4M7",
        validators=[InputRequired("Enter the reply code"), Length(max=40)],
    )
