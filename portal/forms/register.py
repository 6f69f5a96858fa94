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


class _AnswersForm(Form):
    """The fields that both professions share; a rule knows what each must be."""

    profession: Profession

    attested = BooleanField(
        "I alone will use this account. I will not let anyone else use it: access may"
        " not be delegated."
    )

    def answers(self) -> Answers:
        """Give what was typed; what this profession is not asked stays empty."""
        names = {field.name for field in fields(Answers)} & set(self._fields)
        return Answers(**{name: self[name].data or "" for name in names})

    def validate(self, extra_validators: Any = None) -> bool:
        """Put each problem that the rule names at its field."""
        fine = super().validate(extra_validators)
        for name, problem in problems(self.profession, self.answers()).items():
            self[name].errors = [*self[name].errors, problem]
            fine = False
        return bool(fine)


def _channels() -> RadioField:
    choices = [
        SelectChoice("", ANY_CHANNEL),
        *(SelectChoice(way.value, way.value.capitalize()) for way in NOTICE_WAYS),
    ]
    return RadioField(LABELS["preferred_channel"], choices=choices, default="")


class PractitionerForm(_AnswersForm):
    profession = Profession.PRACTITIONER

    first_name = _text("first_name")
    middle_name = _text("middle_name")
    last_name = _text("last_name", hint="As on your licence")
    degree = _text("degree", hint="Such as MD, DMD, APRN, PA")
    specialty = _text("specialty")
    practice_name = _text("practice_name")
    licence_number = _text(
        "licence_number",
        hint="Of your controlled substance registration, such as CSP.0012345",
    )
    dea = _text("dea", hint="Two letters and seven digits")
    npi = _text("npi", hint="Ten digits")
    street = _text("street", hint="Of your practice")
    city = _text("city")
    state = _text("state", hint="Two letters")
    zip = _text("zip")
    phone = _text("phone", TelField)
    fax = _text("fax", TelField)
    email = _text("email", EmailField)
    mobile = _text("mobile", TelField, hint=CONSENT)
    preferred_channel = _channels()


class PharmacyForm(_AnswersForm):
    profession = Profession.PHARMACY

    pharmacy_name = _text("pharmacy_name", hint="As on the permit")
    pharmacist_in_charge = _text(
        "pharmacist_in_charge", hint="First and last name of who signs and uses it"
    )
    licence_number = _text(
        "licence_number", hint="Of the pharmacy permit, such as PCY.0001234"
    )
    dea = _text("dea", hint="Two letters and seven digits")
    ncpdp = _text("ncpdp", hint="Seven digits")
    npi = _text("npi", hint="Ten digits")
    software_vendor = _text("software_vendor", hint="Who makes your pharmacy software")
    street = _text("street")
    city = _text("city")
    state = _text("state", hint="Two letters")
    zip = _text("zip")
    phone = _text("phone", TelField)
    fax = _text("fax", TelField)
    email = _text("email", EmailField)
    mobile = _text("mobile", TelField, hint=CONSENT)
    preferred_channel = _channels()


FORMS: dict[Profession, type[PractitionerForm | PharmacyForm]] = {
    Profession.PRACTITIONER: PractitionerForm,
    Profession.PHARMACY: PharmacyForm,
}


class FindForm(Form):
    code = StringField(
        "Registration code",
        description="Printed on your confirmation page",
        validators=[InputRequired("Enter the registration code"), Length(max=40)],
    )
    name = StringField(
        "Last name, or name of the pharmacy",
        validators=[
            InputRequired("Enter the name you registered"),
            Length(max=LONGEST),
        ],
    )
