"""What a registration asks, by profession, and what can be wrong with an answer."""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace

from models import NO_WAY_OF_REPORTS, Application, ChannelName, Profession
from pmp import identifiers
from pmp.wording import phone, words, zip_code

# What fits on one page, whatever is written: see the confirmation page's tests.
LONGEST = 60
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[a-z]{2,}", re.IGNORECASE)
_LICENCE = re.compile(r"[A-Z0-9][A-Z0-9 ./#-]{0,29}", re.ASCII)
_SOCIAL_SECURITY = re.compile(r"\d{3}-\d{2}-\d{4}")
NOTICE_WAYS = [way for way in ChannelName if way not in NO_WAY_OF_REPORTS]
_NOT_SAID = "Give {}."


@dataclass(frozen=True)
class Answers:
    """What an applicant gives, as typed; `tidied` brings it to its stored form."""

    last_name: str = ""
    first_name: str = ""
    middle_name: str = ""
    degree: str = ""
    specialty: str = ""
    practice_name: str = ""
    pharmacy_name: str = ""
    pharmacist_in_charge: str = ""
    software_vendor: str = ""
    licence_number: str = ""
    dea: str = ""
    npi: str = ""
    ncpdp: str = ""
    street: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    phone: str = ""
    fax: str = ""
    email: str = ""
    mobile: str = ""
    preferred_channel: str = ""


PRACTITIONER_ONLY = frozenset(
    {
        "last_name",
        "first_name",
        "middle_name",
        "degree",
        "specialty",
        "practice_name",
    }
)
PHARMACY_ONLY = frozenset(
    {"pharmacy_name", "pharmacist_in_charge", "software_vendor", "ncpdp"}
)
_REQUIRED = {
    "last_name": "your last name",
    "first_name": "your first name",
    "pharmacy_name": "the pharmacy's name, as on its permit",
    "pharmacist_in_charge": "the name of the pharmacist in charge",
    "licence_number": "the number of the licence or permit",
    "dea": "the DEA number",
    "ncpdp": "the NCPDP number",
    "street": "the street address",
    "city": "the city",
    "state": "the state",
    "zip": "the ZIP code",
    "phone": "a telephone number",
}


LABELS = {
    "last_name": "Last name",
    "first_name": "First name",
    "middle_name": "Middle name",
    "degree": "Degree",
    "specialty": "Specialty",
    "practice_name": "Practice",
    "pharmacy_name": "Pharmacy",
    "pharmacist_in_charge": "Pharmacist in charge",
    "software_vendor": "Pharmacy software",
    "licence_number": "Licence number",
    "dea": "DEA number",
    "npi": "NPI",
    "ncpdp": "NCPDP number",
    "street": "Street",
    "city": "City",
    "state": "State",
    "zip": "ZIP code",
    "phone": "Telephone",
    "fax": "Fax",
    "email": "Email",
    "mobile": "Mobile for text messages",
    "preferred_channel": "Notices by",
}
SELDOM = frozenset({"mobile"})  # shown only where it was given
ANY_CHANNEL = "Whatever reaches me first"


@dataclass(frozen=True)
class Shown:
    """An answer as it is shown to people."""

    name: str
    label: str
    value: str


def shown(profession: Profession, given: Answers | Application) -> list[Shown]:
    """Give a profession's answers in the order of the form, as people read them."""
    foreign = _foreign(profession)
    return [
        Shown(name, label, _SHOWN.get(name, str)(getattr(given, name) or ""))
        for name, label in LABELS.items()
        if name not in foreign and (name not in SELDOM or getattr(given, name))
    ]


def tidied(profession: Profession, answers: Answers) -> Answers:
    """Give the answers as they are stored, without those of the other profession."""
    foreign = _foreign(profession)
    plain = {
        name: "" if name in foreign else " ".join(value.split())
        for name, value in asdict(answers).items()
    }
    for name in ("licence_number", "dea", "state"):
        plain[name] = plain[name].upper()
    for name in ("dea", "npi", "ncpdp", "zip"):
        plain[name] = re.sub(r"[\s.-]", "", plain[name])
    for name in ("phone", "fax", "mobile"):
        plain[name] = identifiers.e164(plain[name]) or plain[name]
    return replace(answers, **plain)


def problems(profession: Profession, answers: Answers) -> dict[str, str]:
    """Say what is wrong with each field, in the order of the form; empty if nothing.

    Tells what can be told from the answers alone; the roster is not asked.
    """
    given = tidied(profession, answers)
    foreign = _foreign(profession)
    found = {
        field.name: problem
        for field in fields(Answers)
        if field.name not in foreign
        and (problem := _problem(field.name, getattr(given, field.name)))
    }
    channel = given.preferred_channel
    if channel in {"fax", "email"} and not getattr(given, channel):
        words = "fax number" if channel == "fax" else "email address"
        found.setdefault(channel, f"Give the {words} that notices shall go to.")
    return found


def is_social_security(value: str) -> bool:
    """Tell whether a text looks like a social security number: it is never kept."""
    return bool(_SOCIAL_SECURITY.fullmatch(value.strip()))


def _foreign(profession: Profession) -> frozenset[str]:
    pharmacy = profession == Profession.PHARMACY
    return PRACTITIONER_ONLY if pharmacy else PHARMACY_ONLY


def _problem(name: str, value: str) -> str | None:
    if not value:
        return _NOT_SAID.format(_REQUIRED[name]) if name in _REQUIRED else None
    if len(value) > LONGEST:
        return f"This is too long: at most {LONGEST} characters."
    if any(not sign.isprintable() for sign in value):
        return "There is a sign in it that cannot be printed."
    if is_social_security(value):
        return "This looks like a social security number. Do not give it here."
    return _CHECKS[name](value) if name in _CHECKS else None


def licence_problem(value: str) -> str | None:
    """Say what is wrong with a licence number as typed, whoever issued it."""
    if _LICENCE.fullmatch(value) and any(sign.isdigit() for sign in value):
        return None
    return (
        f"“{value}” is not a licence number: letters and digits are expected, such as"
        " CSP.0012345. Copy it from the licence or permit."
    )


def phone_problem(value: str) -> str | None:
    """Say what is wrong with a phone or fax number; None if nothing."""
    if identifiers.e164(value):
        return None
    return identifiers.not_a_number(value)


def email_problem(value: str) -> str | None:
    """Say what is wrong with an email address; None if nothing."""
    if _EMAIL.fullmatch(value):
        return None
    return f"“{value}” is not an email address, such as name@example.org."


def channel_problem(value: str) -> str | None:
    """Say what is wrong with the name of a channel; None if nothing."""
    return None if value in set(NOTICE_WAYS) else "Choose email, fax or letter."


_CHECKS: dict[str, Callable[[str], str | None]] = {
    "licence_number": licence_problem,
    "dea": identifiers.dea_problem,
    "npi": identifiers.npi_problem,
    "ncpdp": identifiers.ncpdp_problem,
    "state": identifiers.state_problem,
    "zip": identifiers.zip_problem,
    "phone": phone_problem,
    "fax": phone_problem,
    "mobile": phone_problem,
    "email": email_problem,
    "preferred_channel": channel_problem,
}
_SHOWN: dict[str, Callable[[str], str]] = {
    "phone": phone,
    "fax": phone,
    "mobile": phone,
    "zip": zip_code,
    "preferred_channel": lambda chosen: words(chosen) if chosen else ANY_CHANNEL,
}
