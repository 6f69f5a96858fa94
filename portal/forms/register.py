"""What a practitioner or a pharmacy is asked, and how to find a registration again."""

from dataclasses import fields
from typing import Any

from wtforms import (
    BooleanField,
    EmailField,
    RadioField,
    SelectChoice,
    StringField,
    TelField,
)
from wtforms.validators import InputRequired, Length

from models import Profession
from pmp.registration.answers import (
    ANY_CHANNEL,
    LABELS,
    NOTICE_WAYS,
    Answers,
    problems,
)
from pmp.registration.drafts import Step
from portal.forms import Form

LONGEST = 200
CONSENT = (
    "Whoever gives it agrees to text messages about this registration, without names."
    " Message and data rates may apply; STOP ends them."
)


class ProfessionForm(Form):
    profession = RadioField(
        "I am a",
        choices=[
            SelectChoice(Profession.PRACTITIONER.value, "Practitioner"),
            SelectChoice(Profession.PHARMACY.value, "Pharmacy"),
        ],
        validators=[
            InputRequired("Choose whether you are a practitioner or a pharmacy")
        ],
    )


def _text(name: str, kind: type[StringField] = StringField, hint: str = "") -> Any:
    return kind(LABELS[name], description=hint, validators=[Length(max=LONGEST)])


def _channels() -> RadioField:
    choices = [
        SelectChoice("", ANY_CHANNEL),
        *(SelectChoice(way.value, way.value.capitalize()) for way in NOTICE_WAYS),
    ]
    return RadioField(LABELS["preferred_channel"], choices=choices, default="")


class StepForm(Form):
    """The fields of one step; a rule knows what each answer must be."""

    profession: Profession

    def typed(self) -> dict[str, str]:
        """Give what was typed, as it was typed."""
        names = {field.name for field in fields(Answers)} & set(self._fields)
        return {name: self[name].data or "" for name in names}

    def validate(self, extra_validators: Any = None) -> bool:
        """Put each problem that the rule names at its field."""
        fine = super().validate(extra_validators)
        for name, problem in problems(self.profession, Answers(**self.typed())).items():
            if name in self:
                self[name].errors = [*self[name].errors, problem]
                fine = False
        return bool(fine)


class PractitionerForm(StepForm):
    profession = Profession.PRACTITIONER

    first_name = _text("first_name")
    middle_name = _text("middle_name")
    last_name = _text("last_name", hint="As on your licence")
    degree = _text("degree", hint="Such as MD, DMD, APRN, PA")
    specialty = _text("specialty")
    practice_name = _text("practice_name")


class PharmacyForm(StepForm):
    profession = Profession.PHARMACY

    pharmacy_name = _text("pharmacy_name", hint="As on the permit")
    pharmacist_in_charge = _text(
        "pharmacist_in_charge", hint="First and last name of who signs and uses it"
    )
    software_vendor = _text("software_vendor", hint="Who makes your pharmacy software")


class PractitionerNumbersForm(StepForm):
    profession = Profession.PRACTITIONER

    licence_number = _text(
        "licence_number",
        hint="Of your controlled substance registration, such as CSP.0012345",
    )
    dea = _text("dea", hint="Two letters and seven digits")
    npi = _text("npi", hint="Ten digits")


class PharmacyNumbersForm(StepForm):
    profession = Profession.PHARMACY

    licence_number = _text(
        "licence_number", hint="Of the pharmacy permit, such as PCY.0001234"
    )
    dea = _text("dea", hint="Two letters and seven digits")
    ncpdp = _text("ncpdp", hint="Seven digits")
    npi = _text("npi", hint="Ten digits")


class _ReachForm(StepForm):
    street = _text("street", hint="Of your practice or pharmacy")
    city = _text("city")
    state = _text("state", hint="Two letters")
    zip = _text("zip")
    phone = _text("phone", TelField)
    fax = _text("fax", TelField)
    anyway = BooleanField("This number answers faxes: use it all the same")
    email = _text("email", EmailField)
    mobile = _text("mobile", TelField, hint=CONSENT)
    preferred_channel = _channels()
    warned = False


class PractitionerReachForm(_ReachForm):
    profession = Profession.PRACTITIONER


class PharmacyReachForm(_ReachForm):
    profession = Profession.PHARMACY


FORMS: dict[Profession, dict[Step, type[StepForm]]] = {
    Profession.PRACTITIONER: {
        Step.WHO: PractitionerForm,
        Step.NUMBERS: PractitionerNumbersForm,
        Step.REACH: PractitionerReachForm,
    },
    Profession.PHARMACY: {
        Step.WHO: PharmacyForm,
        Step.NUMBERS: PharmacyNumbersForm,
        Step.REACH: PharmacyReachForm,
    },
}


class ReviewForm(Form):
    """What is confirmed before a registration is submitted, one thing at a time."""

    attested = BooleanField(
        validators=[InputRequired("Confirm that you alone will use the account")]
    )
    purpose = BooleanField(
        "I will look up people only to care for my own patients or customers, never for"
        " another purpose.",
        validators=[InputRequired("Confirm what you will use the information for")],
    )
    disclosure = BooleanField(
        validators=[InputRequired("Confirm to whom you will disclose it")]
    )

    def __init__(self, *, own_use: str, statutes: str) -> None:
        super().__init__()
        self.attested.label.text = own_use
        self.disclosure.label.text = (
            f"I will disclose what I see to nobody but as the law allows: {statutes}."
        )


class FindForm(Form):
    code = StringField(
        "Registration code",
        description="Shown when you began, and printed on your confirmation page",
        validators=[InputRequired("Enter the registration code"), Length(max=40)],
    )
    name = StringField(
        "Last name, or name of the pharmacy",
        validators=[
            InputRequired("Enter the name you registered"),
            Length(max=LONGEST),
        ],
    )
