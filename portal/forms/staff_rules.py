"""A threshold rule's next version, what becomes of a case, and an answer by fax.

Each kind of rule has a form of its own: nobody is asked for what does not count.
"""

from dataclasses import fields, replace
from typing import Any, ClassVar

from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectMultipleField,
    StringField,
)
from wtforms.fields import TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange

from models import (
    Care,
    Connective,
    DrugClass,
    RuleKind,
    RuleStatus,
)
from pmp.thresholds import rule_sentences, threshold_rules
from pmp.thresholds.threshold_rules import Terms
from portal.forms import Form

SCHEDULES = [SelectChoice(each, each) for each in threshold_rules.SCHEDULES]
CLASSES = [
    SelectChoice(each.value, rule_sentences.CLASS_WORDS[each].capitalize())
    for each in DrugClass
]
EXCLUSIONS = [
    SelectChoice(each.value, rule_sentences.CARE_WORDS[each].capitalize())
    for each in Care
]
CONNECTIVES = [
    SelectChoice(Connective.AND.value, "And: both numbers must be reached"),
    SelectChoice(Connective.OR.value, "Or: one of the two is enough"),
]
STATUSES = [
    SelectChoice(RuleStatus.ACTIVE.value, "Active: reports are sent"),
    SelectChoice(RuleStatus.SILENT.value, "Silent: cases are kept, nothing is sent"),
    SelectChoice(RuleStatus.OFF.value, "Off: nothing is counted"),
]


def _number(
    label: str, what: str, most: int, *, least: int = 1, **options: Any
) -> IntegerField:
    words = f"Enter a number of {what} from {least} to {most}"
    return IntegerField(
        label,
        validators=[
            InputRequired(words),
            NumberRange(min=least, max=most, message=words),
        ],
        **options,
    )


def _window(label: str, description: str = "") -> IntegerField:
    longest = threshold_rules.LONGEST_WINDOW
    return _number(label, "days", longest, default=90, description=description)


def _amount(label: str, what: str, kind: RuleKind) -> IntegerField:
    return _number(label, what, threshold_rules.MOST_OF[kind])


class RuleForm(Form):
    """What every kind asks for.

    `numbers` and `options` are the fields of a kind of rule: on the page, and folded
    away. `terms` reads them all.
    """

    numbers: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[tuple[str, ...]] = ()

    kind = HiddenField()
    confirmed = HiddenField()
    replaces = HiddenField()  # the id of the version that was looked at; empty: none
    name = StringField(
        "Name",
        description="An existing name makes its next version",
        validators=[InputRequired("Give the rule a name"), Length(max=100)],
    )
    exclusions = SelectMultipleField(
        "Do not count fills for",
        choices=EXCLUSIONS,
        description="Where the pharmacy reported it. Animals never count.",
    )
    cool_down_days = _number(
        "Days after a report without another",
        "days",
        threshold_rules.LONGEST_WINDOW,
        least=0,
        default=0,
        description="About the same patient; 0: every case is sent",
    )
    send_when_worse = BooleanField(
        "Send all the same if the numbers are higher", default=True
    )
    status = RadioField("Status", choices=STATUSES, default="silent")
    reason = TextAreaField(
        "Reason",
        description="For the next reader",
        validators=[InputRequired("Say why"), Length(max=1000)],
    )

    def offer(self, terms: Terms) -> None:
        """Fill in what a rule says now."""
        for each in fields(terms):
            if each.name in self:
                self[each.name].data = getattr(terms, each.name)

    @property
    def has_options(self) -> bool:
        """Tell whether an option counts or is wrong: then none is folded away."""
        own = [self[name] for name in (*self.options, "exclusions", "cool_down_days")]
        return any(
            each.errors or (each.data and each.data != each.default) for each in own
        )

    def terms(self) -> Terms:
        """Give what was entered, as the rules want it."""
        typed: dict[str, Any] = {
            each.name: self[each.name].data
            for each in fields(Terms)
            if each.name in self
        }
        words = {"kind": RuleKind, "status": RuleStatus, "connective": Connective}
        for name, enumeration in words.items():
            if name in typed:
                typed[name] = enumeration(typed[name])
        for name in ("schedules", "drug_classes", "exclusions"):
            if name in typed:
                typed[name] = tuple(typed[name] or ())
        return replace(Terms(self.name.data or ""), **typed)


class ProvidersForm(RuleForm):
    numbers = ("prescribers", "pharmacies", "connective", "window_days", "schedules")
    options = ("drug_classes", "minimum_fills", "practices_once")

    prescribers = _number("Prescribers, at least", "prescribers", threshold_rules.MOST)
    pharmacies = _number("Pharmacies, at least", "pharmacies", threshold_rules.MOST)
    connective = RadioField(
        "Both numbers, or one of them?", choices=CONNECTIVES, default="and"
    )
    window_days = _window("Within so many days")
    schedules = SelectMultipleField("Schedules; none: all", choices=SCHEDULES)
    drug_classes = SelectMultipleField("Only these drugs; none: all", choices=CLASSES)
    minimum_fills = _number("Fills, at least", "fills", threshold_rules.MOST, default=1)
    practices_once = BooleanField(
        "Count prescribers of one practice once",
        description=(
            "One practice: the same address of record on the licence and the same "
            "telephone. All of them get the report."
        ),
    )


_BELOW = "A higher dose after so many days below is a new case"


class DailyMmeForm(RuleForm):
    numbers = ("amount", "window_days")

    amount = _amount("MME a day, at least", "MME", RuleKind.DAILY_MME)
    window_days = _window("Days below that end a case", _BELOW)


class TogetherForm(RuleForm):
    numbers = ("amount", "window_days")

    amount = _amount("Days with both, at least", "days", RuleKind.OPIOID_BENZODIAZEPINE)
    window_days = _window("Within so many days")


class LongUseForm(RuleForm):
    numbers = ("amount", "gap_days")

    amount = _amount("Days in a row, at least", "days", RuleKind.LONG_OPIOID_USE)
    gap_days = _number(
        "Days without supply that are passed over",
        "days",
        threshold_rules.LONGEST_GAP,
        least=0,
        default=0,
        description="They do not count themselves",
    )


class MethadoneForm(RuleForm):
    numbers = ("amount", "window_days")

    amount = _amount("Milligrams a day, at least", "milligrams", RuleKind.METHADONE)
    window_days = _window("Days below that end a case", _BELOW)


_FORMS: dict[RuleKind, type[RuleForm]] = {
    RuleKind.PROVIDERS: ProvidersForm,
    RuleKind.DAILY_MME: DailyMmeForm,
    RuleKind.OPIOID_BENZODIAZEPINE: TogetherForm,
    RuleKind.LONG_OPIOID_USE: LongUseForm,
    RuleKind.METHADONE: MethadoneForm,
}


def rule_form(kind: RuleKind) -> RuleForm:
    """Give the form of a kind of rule."""
    form = _FORMS[kind]()
    form.kind.data = kind.value
    return form


class SwitchForm(Form):
    confirmed = HiddenField()
    status = RadioField(
        "From now on it is",
        choices=STATUSES,
        validators=[InputRequired("Say what the rule is to be")],
    )
    reason = TextAreaField(
        "Reason",
        description="For the next reader",
        validators=[InputRequired("Say why"), Length(max=1000)],
    )


def switch_form(now: RuleStatus) -> SwitchForm:
    """Give the form that makes a rule something else than it is."""
    form = SwitchForm()
    form.status.choices = [each for each in STATUSES if each.value != now]
    return form


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
