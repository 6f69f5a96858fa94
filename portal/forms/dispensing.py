"""Reviewing a pharmacy's own dispensing: what to show, and what shall be changed."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
)
from wtforms.fields import SelectChoice, TextAreaField
from wtforms.validators import (
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)

from models import Dispensation, DrugClass, Pharmacy, Species
from pmp.asap.codes import COMPOUND
from pmp.asap.draft import parse_day
from pmp.dispensations import day_counts, own_corrections
from pmp.dispensations.dispensing import SORTS, Wanted
from pmp.history.entries import PAYMENTS
from pmp.wording import ndc, us_date, words
from portal.forms import Form, UsDateField, typed_date
from portal.numbers import whole

LONGEST_REASON = 500
CLASSES = [
    SelectChoice("", "All"),
    *(SelectChoice(word.value, words(word)) for word in DrugClass),
]
WRITTEN_NDC = re.compile(r"\d{5}-\d{4}-\d\d", re.ASCII)  # as the page writes it
SORT_KEYS = frozenset({*SORTS, *(f"-{key}" for key in SORTS)})


class OwnForm(Form):
    """A question about one of the pharmacies that the account covers."""

    pharmacy = SelectField("Pharmacy", coerce=whole, validators=[Optional()])

    def offer(self, pharmacies: Iterable[Pharmacy]) -> None:
        """Fill in the pharmacies to choose from; the first is the usual one."""
        found = list(pharmacies)
        self.pharmacy.choices = [
            SelectChoice(each.id, each.name or f"DEA {each.dea}") for each in found
        ]
        if found and self.pharmacy.data is None:
            self.pharmacy.data = found[0].id
        if not found:
            del self.pharmacy

    @property
    def chosen(self) -> int | None:
        """The id of the pharmacy; None where there is nothing to choose."""
        return self.pharmacy.data if "pharmacy" in self else None


class DispensingForm(OwnForm):
    """What to show of a pharmacy's own dispensations; sent by POST: it names people."""

    since = UsDateField("Filled from", validators=[Optional()])
    until = UsDateField("to", validators=[Optional()])
    drug_class = SelectField("Class", choices=CLASSES, default="")
    drug = StringField("Drug or NDC", validators=[Length(max=60)])
    patient = StringField("Patient", validators=[Length(max=60)])
    prescriber = StringField("Prescriber or DEA number", validators=[Length(max=60)])
    number = StringField("Rx number", validators=[Length(max=25)])
    submission = IntegerField(
        "Submission number", validators=[Optional(), NumberRange(1, 2**31 - 1)]
    )
    size = SelectField(
        "Rows on a page",
        coerce=whole,
        choices=[SelectChoice(size, str(size)) for size in (50, 200, 500)],
        default=50,
    )
    also_voided = BooleanField("Also removed entries")
    only = HiddenField(validators=[Length(max=60)])
    sort = HiddenField(default="-filled")

    def forget_days(self) -> None:
        """Ask for every day, whatever was typed."""
        for part in (self.since, self.until):
            part.data = part.raw_data = None

    def wanted(self, sort: str | None = None) -> Wanted:
        """Give what is asked for; a date of birth may stand among a patient's names."""
        sort = sort or self.sort.data
        self.sort.data = sort if sort in SORT_KEYS else "-filled"
        patient, born = without_a_date(self.patient.data or "")
        return Wanted(
            pharmacy=self.chosen,
            since=self.since.data,
            until=self.until.data,
            drug_class=self.drug_class.data or "",
            patient=patient,
            born=born,
            prescriber=self.prescriber.data or "",
            drug=self.drug.data or "",
            number=self.number.data or "",
            submission=self.submission.data,
            only=self.only.data or "",
            also_voided=bool(self.also_voided.data),
            sort=str(self.sort.data),
        )


def without_a_date(text: str) -> tuple[str, date | None]:
    """Part a date of birth from the words of a name."""
    names, born = [], None
    for word in text.split():
        try:
            born = typed_date(word)
        except ValueError:
            names.append(word)
    return " ".join(names), born


class PatternsForm(OwnForm):
    """The days that patterns are looked for in."""

    since = UsDateField("Filled from", validators=[Optional()])
    until = UsDateField("to", validators=[Optional()])


class LogForm(OwnForm):
    """A pharmacy's own counts, by day or pasted; compared and never kept."""

    month = HiddenField()
    lines = TextAreaField(
        "Paste your log",
        description="A line for each day: the date, a comma, the number of fills,"
        " such as 11/03/2026, 42. A spreadsheet's two columns can be pasted too.",
        validators=[Length(max=20_000)],
    )

    def log(self, typed: dict[date, str], first: date) -> dict[date, int]:
        """Give the counts by day; what was typed at a day goes over what was pasted."""
        found = day_counts.pasted(self.lines.data or "", year=first.year)
        for line in found.unread:
            self.lines.errors = [
                *self.lines.errors,
                f"Line {line} is no day and number. Write it as 11/03/2026, 42.",
            ]
        counts = dict(found.counts)
        for day, text in typed.items():
            if text.isdecimal() and len(text) < 7:
                counts[day] = int(text)
            elif text:
                message = f"Write the fills of {us_date(day)} as a number"
                self.month.errors = [*self.month.errors, message]
        return counts


class ReasonForm(Form):
    """Why an entry is changed; `version` is of the entry as it was seen."""

    version = HiddenField()
    reason = TextAreaField(
        "Reason",
        description="Kept with the entry. Name no patient.",
        validators=[InputRequired("Say why"), Length(max=LONGEST_REASON)],
    )

    @property
    def seen(self) -> int:
        """The version that the user saw; 0 for none that there is."""
        text = str(self.version.data or "")
        return int(text) if text.isdecimal() and len(text) < 9 else 0


class RestoreForm(ReasonForm):
    pass


class RemoveForm(Form):
    version = HiddenField()
    why = RadioField(
        "Why is it removed?",
        choices=[
            SelectChoice(text, text)
            for text in (
                "Returned to stock: it was not picked up",
                "Entered for the wrong patient",
                "Entered twice",
                "Another reason",
            )
        ],
        validators=[InputRequired("Say why it is removed")],
    )
    other = StringField(
        "Another reason, or more about it",
        description="Kept with the entry. Name no patient.",
        validators=[Length(max=LONGEST_REASON)],
    )

    seen = ReasonForm.seen

    def validate_other(self, field: StringField) -> None:
        if self.why.data == "Another reason" and not field.data:
            raise ValidationError("Write the reason")

    @property
    def reason(self) -> str:
        """The reason in words."""
        more = self.other.data or ""
        if self.why.data == "Another reason":
            return more
        return f"{self.why.data}. {more}".strip() if more else str(self.why.data)


def _choices(known: dict[str, str]) -> list[SelectChoice]:
    return [SelectChoice("", "Not given")] + [
        SelectChoice(code, f"{text} ({code})") for code, text in known.items()
    ]


class CorrectEntryForm(ReasonForm):
    """An entry's elements, by their names in the standard; dates as people write them.

    `step` is “review” once the form was sound, “save” on the review page.
    """

    step = HiddenField()
    DSP02 = StringField("Prescription number")
    DSP06 = StringField("Fill number", description="0 for the first fill")
    DSP13 = StringField("Partial fill", description="0 for a whole fill")
    DSP04 = StringField("Refills authorized")
    DSP03 = UsDateField("Written", validators=[Optional()])
    DSP05 = UsDateField("Filled", validators=[Optional()])
    DSP17 = UsDateField("Sold", validators=[Optional()])
    DSP08 = StringField("NDC", description="11 digits, as on the package")
    DSP09 = StringField("Quantity")
    DSP10 = StringField("Days supply")
    DSP11 = SelectField(
        "Unit", choices=_choices({"01": "Each", "02": "mL", "03": "Grams"})
    )
    DSP16 = SelectField("Payment", choices=_choices(PAYMENTS))
    PRE02 = StringField("Prescriber's DEA number")
    PRE03 = StringField(
        "Suffix of the DEA number", description="Of a resident at a hospital"
    )
    PAT07 = StringField("Last name")
    PAT08 = StringField("First name")
    PAT09 = StringField("Middle name")
    PAT11 = StringField("Name suffix", description="JR, III")
    PAT18 = UsDateField("Date of birth", validators=[Optional()])
    PAT19 = SelectField(
        "Sex", choices=_choices({"F": "Female", "M": "Male", "U": "Unknown"})
    )
    PAT12 = StringField("Street")
    PAT14 = StringField("City")
    PAT15 = StringField("State")
    PAT16 = StringField("ZIP code")
    PAT17 = StringField("Phone")
    PAT23 = StringField("Name of the animal")

    def offer(self, entry: Dispensation) -> None:
        """Leave out what this entry has not; fill in what it says, unless sent."""
        if entry.product_qualifier == COMPOUND:
            del self.DSP08
        if entry.identity.species is not Species.ANIMAL:
            del self.PAT23
        given = own_corrections.elements_of(entry)
        for part in self:
            if part.name in own_corrections.OFFERED:
                self._offer(part, given.get(part.name, ""))
        if not self.is_submitted():
            self.version.data = str(entry.version)

    def _offer(self, part: Any, given: str) -> None:
        if isinstance(part, SelectField) and given not in dict(_pairs(part)):
            part.choices = [*part.choices, SelectChoice(given, given)]
        if self.is_submitted():
            return
        if isinstance(part, UsDateField):
            part.data = parse_day(given)
        else:
            part.data = ndc(given) if part.name == "DSP08" else given

    def typed(self) -> dict[str, str]:
        """Give the elements as a record has them: dates as CCYYMMDD."""
        return {
            part.name: _element_text(part)
            for part in self
            if part.name in own_corrections.OFFERED
        }


def _pairs(part: SelectField) -> Iterable[tuple[str, str]]:
    return ((choice.value, choice.label) for choice in part.choices)


def _element_text(part: Any) -> str:
    if isinstance(part, UsDateField):
        return f"{part.data:%Y%m%d}" if part.data else ""
    text = str(part.data or "")
    if part.name == "PAT17":
        return "".join(sign for sign in text if sign.isdigit())
    if part.name == "DSP08" and WRITTEN_NDC.fullmatch(text):
        return text.replace("-", "")
    return text
