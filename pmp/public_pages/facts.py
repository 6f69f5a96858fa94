"""What `{name}` stands for in the texts of public pages: the program's settings.

So a text is another state's as soon as its settings are.
"""

from collections.abc import Callable, Iterable

from models import DispenserKind
from pmp import clock, reported_drugs, settings
from pmp.reported_drugs import Audience
from pmp.reporting import schedules
from pmp.wording import phone

_PLAIN = (
    "state_name", "system_name", "short_name", "department", "department_short",
    "help_email", "web_site", "portal_name", "hipaa_site", "statutes", "reporting_law",
    "treatment_line", "registration_days", "credential_days", "lock_after",
    "lock_minutes", "idle_minutes", "password_min_length", "ticket_days",
    "written_request_days", "access_rule",
)  # fmt: skip


def names() -> list[str]:
    """List the names that a text may use, in alphabetical order."""
    return sorted(_FACTS)


def facts(wanted: Iterable[str] | None = None) -> dict[str, str]:
    """Give the facts by name: those that are wanted, else all."""
    chosen = names() if wanted is None else [each for each in wanted if each in _FACTS]
    return {name: _FACTS[name]() for name in chosen}


def _setting(name: str) -> Callable[[], str]:
    return lambda: str(getattr(settings.current(), name))


def _phone(name: str) -> Callable[[], str]:
    return lambda: phone(getattr(settings.current(), name))


def _office() -> str:
    return ", ".join(settings.current().office_lines.splitlines())


def _reporting() -> str:
    terms = schedules.terms_now(today=clock.today())[DispenserKind.PHARMACY]
    words = schedules.sentence(terms)
    return words[0].lower() + words[1:]


def _asap_versions() -> str:
    return _listed(settings.current().asap_versions.split(","))


def _drugs() -> str:
    """Say which drugs are reported: Schedules II, III, IV and V, and gabapentin."""
    audiences = reported_drugs.parse(settings.current().reported_drugs)
    seen = [word for word, whom in audiences.items() if whom is Audience.EVERYONE]
    numbers = [word[1:] for word in seen if word in reported_drugs.SCHEDULES]
    others = [word for word in seen if word not in reported_drugs.SCHEDULES]
    said = []
    if numbers:
        noun = "Schedule" if len(numbers) == 1 else "Schedules"
        said.append(f"{noun} {_listed(numbers)}")
    if others:
        said.append(_listed(others))
    return ", and ".join(said)


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


_FACTS: dict[str, Callable[[], str]] = {
    **{name: _setting(name) for name in _PLAIN},
    "asap_versions": _asap_versions,
    "office": _office,
    "reporting": _reporting,
    "drugs": _drugs,
    "program_phone": _phone("program_phone"),
    "program_phone_link": _setting("program_phone"),
    "fax_number": _phone("fax_number"),
    "help_phone": _phone("help_phone"),
    "help_phone_link": _setting("help_phone"),
}
