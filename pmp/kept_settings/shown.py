"""The settings as the page lists them: in words, where each comes from, no secrets."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from models import SettingChange
from pmp import kept_settings, settings
from pmp.kept_settings import editable
from pmp.kept_settings.editable import BY_NAME, Editable, Kind
from pmp.settings import PREFIX
from pmp.wording import phone, us_date

# These may hold a password, though they need none.
ADDRESSES = frozenset({"database_url", "queue_url"})
DEFAULT = "As it comes"
ENVIRONMENT = "The environment"


@dataclass(frozen=True)
class Shown:
    """A setting in force: its words, its value, and who says so."""

    name: str
    variable: str
    label: str
    value: str
    source: str


def of_group(group: editable.Group) -> list[Shown]:
    """Give the settings of a group as they are in force."""
    changed = _last_changes()
    kept = kept_settings.values()
    return [_shown(each, changed, kept) for each in group.settings]


def others() -> list[Shown]:
    """Give the settings that only the environment sets, by name."""
    return [
        Shown(name, _variable(name), "", _told(name), _from_environment(name))
        for name in sorted(settings.Settings.model_fields)
        if name not in BY_NAME
    ]


def history() -> list[SettingChange]:
    """Give every change, the newest first."""
    return list(SettingChange.select().order_by(SettingChange.id.desc()))


def lines(change: SettingChange) -> list[tuple[str, str, str]]:
    """Give what a change changed: the setting's words, what it was and what it became.

    Where it was the environment's, it says so: that may be another value by now.
    """
    return [
        (
            BY_NAME[name].label if name in BY_NAME else name,
            in_words(name, change.before.get(name)),
            in_words(name, value),
        )
        for name, value in change.after.items()
    ]


def in_words(name: str, value: str | None) -> str:
    """Write a kept value for people."""
    if value is None:
        return "the environment's"
    each = BY_NAME.get(name)
    return phone(value) if each and each.kind == Kind.PHONE else value


def _shown(
    each: Editable, changed: Mapping[str, SettingChange], kept: Mapping[str, str]
) -> Shown:
    source = _from_environment(each.name)
    if editable.is_fixed(each.name):
        source = f"{source}; fixed there"
    elif each.name in kept:
        last = changed[each.name]
        source = f"{last.changed_by}, {us_date(last.changed_at)}"
    value = kept_settings.text_of(settings.current(), each.name)
    words = in_words(each.name, value)
    return Shown(each.name, _variable(each.name), each.label, words, source)


def _last_changes() -> dict[str, SettingChange]:
    found: dict[str, SettingChange] = {}
    for change in reversed(history()):
        found |= dict.fromkeys(change.after, change)
    return found


def _from_environment(name: str) -> str:
    is_set = name in settings.given().model_fields_set
    return ENVIRONMENT if is_set else DEFAULT


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def _told(name: str) -> str:
    value = getattr(settings.given(), name)
    if isinstance(value, SecretStr):
        return "set, not shown" if value.get_secret_value() else "empty"
    if name in ADDRESSES and value:
        return f"{urlsplit(str(value)).scheme}, not shown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) or "empty"
