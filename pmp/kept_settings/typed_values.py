"""What somebody typed for settings, read as the program reads the environment."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from pmp import identifiers, mail_settings, settings
from pmp.kept_settings import editable
from pmp.kept_settings.editable import Editable, Group, Kind
from pmp.settings import Settings

MOST = 2000
ONE_LINE = 200


def read(
    group: Group, typed: Mapping[str, str], *, beside: Mapping[str, str]
) -> tuple[dict[str, str], Settings | None]:
    """Read what was typed for a group, beside what else is kept.

    Gives a sentence for each wrong one by its name, or the settings as they would be.
    """
    problems: dict[str, str] = {}
    wanted: dict[str, str] = dict(beside)
    for each in group.settings:
        if each.name not in typed or not editable.may_change(each.name):
            continue
        try:
            wanted[each.name] = _plain(each, typed[each.name])
        except ValueError as wrong:
            problems[each.name] = str(wrong)
    problems |= _refused(wanted, known=problems)
    if problems:
        return problems, None
    return {}, settings.with_values(wanted)


def bounds(name: str) -> str:
    """Say which numbers a setting may be: from 1 to 60; empty for a text."""
    limits = {}
    for rule in Settings.model_fields[name].metadata:
        for side in ("ge", "gt", "le", "lt"):
            if (limit := getattr(rule, side, None)) is not None:
                limits[side] = limit
    if "le" in limits:
        return f"from {limits.get('ge', 0)} to {limits['le']}"
    if "ge" in limits:
        return f"{limits['ge']} or more"
    return f"more than {limits['gt']}" if "gt" in limits else ""


def _plain(each: Editable, text: str) -> str:
    """Bring typed text to how it is kept; ValueError, in words, where it cannot be."""
    lines = each.kind == Kind.LINES
    clean = "\n".join(text.splitlines()).strip() if lines else " ".join(text.split())
    if not clean and not each.may_be_empty:
        raise ValueError(f"{each.label}: write something.")
    longest = ONE_LINE if each.kind == Kind.LINE else MOST
    if len(clean) > longest:
        raise ValueError(f"{each.label}: write at most {longest} characters.")
    if each.kind == Kind.PHONE and clean:
        number = identifiers.e164(clean)
        if number is None:
            raise ValueError(identifiers.not_a_number(clean))
        return number
    if each.kind == Kind.EMAIL:
        return mail_settings.address(clean)
    return clean


def _refused(wanted: Mapping[str, str], *, known: Mapping[str, str]) -> dict[str, str]:
    """Ask the model that reads the environment; say what it refuses, in words."""
    try:
        new = settings.with_values(wanted)
    except ValidationError as error:
        found = {str(each["loc"][0]): each for each in error.errors() if each["loc"]}
        return {
            name: _words(name, each)
            for name, each in found.items()
            if name not in known
        }
    if new.mme_caution >= new.mme_high:
        return {
            "mme_caution": f"{new.mme_caution} is not below {new.mme_high}, from which"
            " a report warns strongly. Write a smaller number."
        }
    return {}


def _words(name: str, error: Any) -> str:
    label = editable.BY_NAME[name].label
    value, limits = error["input"], bounds(name)
    if limits:
        return f"{label}: “{value}” will not do. Write a number {limits}."
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{label}: “{value}” will not do: {message}."
