"""Settings that administrators changed on the page, laid over the environment's.

Each change is a row that names what it was and what it became; the last that names a
setting holds. Every portal process looks before each request whether there is a newer
row, the worker every second: one small query. Of two changes at once the second finds
its place taken (`follows`) and is told.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import IntegrityError
from pydantic import ValidationError

from models import Delivery, DeliveryState, SettingChange, User
from pmp import audit, database, settings
from pmp.deliveries import letters
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.kept_settings import editable, typed_values
from pmp.kept_settings.editable import BY_NAME, Group
from pmp.prepared import prepared
from pmp.settings import Settings
from pmp.wording import us_time

logger = logging.getLogger("pmp")
_laid: tuple[int, Settings] | None = None  # the last change, and what it came to


@dataclass(frozen=True)
class Difference:
    """A setting that would change: its words, what it is and what it becomes."""

    name: str
    label: str
    before: str
    after: str


def refresh() -> None:
    """Have this process follow what is kept; call it with the database open."""
    global _laid  # noqa: PLW0603 - what this process has seen
    number = last_number()
    if _laid is not None and _laid[0] == number and _laid[1] is settings.current():
        return
    _lay_over(values())
    _laid = (number, settings.current())


def last_number() -> int:
    """Give the number of the last change, 0 before the first."""
    last = _last.one()
    return int(last[0]) if last else 0


def values() -> dict[str, str]:
    """Give what is kept and may be, by the setting's name."""
    found: dict[str, str | None] = {}
    for change in SettingChange.select().order_by(SettingChange.id):
        found |= change.after
    return {
        name: value
        for name, value in found.items()
        if value is not None and editable.may_change(name)
    }


def review(group: Group, typed: Mapping[str, str]) -> list[Difference]:
    """Say what would change; RuleError if something is wrong or nothing differs."""
    new = _tried(group, typed)
    now = settings.current()
    found = [
        Difference(each.name, each.label, before, after)
        for each in group.settings
        if (before := text_of(now, each.name)) != (after := text_of(new, each.name))
    ]
    if not found:
        raise RuleError("Nothing here differs from what is in force.")
    _refuse_beside_letters(each.name for each in found)
    return found


def trial(group: Group, typed: Mapping[str, str]) -> Settings:
    """Give the settings as they would be, to see a letter; RuleError as `review`."""
    return _tried(group, typed)


def keep(
    group: Group,
    typed: Mapping[str, str],
    *,
    reason: str,
    seen: int,
    by: User,
    at: datetime,
) -> SettingChange:
    """Put settings in force, for good; `seen` is the last change that was known.

    RuleError where something is wrong, nothing differs, or without a reason;
    ConflictError, with what changed, if somebody changed one of the same meanwhile.
    """
    if not reason.strip():
        raise RuleError("Say why: it is kept on the audit record.", field="reason")
    last = last_number()
    refresh()
    differences = review(group, typed)
    _refuse_overlap({each.name for each in differences}, since=seen)
    given = settings.given()
    after = {
        each.name: None if each.after == text_of(given, each.name) else each.after
        for each in differences
    }
    return _write(after, follows=last, reason=reason.strip(), by=by, at=at)


def undo(change_id: int, *, by: User, at: datetime) -> SettingChange:
    """Bring back what was before a change; that is a change as well.

    ConflictError if one of its settings was changed since, RuleError if what was before
    will not do any more.
    """
    change, last = get(change_id), last_number()
    refresh()
    _refuse_overlap(set(change.after), since=change.id)
    _refuse_beside_letters(change.after)
    _require_good({**values(), **_kept(change.before)})
    reason = f"undoes change {change.id}"
    return _write(
        change.before, follows=last, reason=reason, by=by, at=at, undoes=change
    )


def get(change_id: int) -> SettingChange:
    """Give a change by its number; NotFoundError if there is none."""
    change: SettingChange | None = SettingChange.get_or_none(
        SettingChange.id == change_id
    )
    if change is None:
        raise NotFoundError("There is no such change.")
    return change


def text_of(chosen: Settings, name: str) -> str:
    """Write a setting as it is kept and typed."""
    return str(getattr(chosen, name))


@prepared
def _last() -> Any:
    return (
        SettingChange.select(SettingChange.id)
        .order_by(SettingChange.id.desc())
        .limit(1)
        .tuples()
    )


def problems(group: Group, typed: Mapping[str, str]) -> dict[str, str]:
    """Give a sentence for each setting that was typed wrong, by its name."""
    return typed_values.read(group, typed, beside=values())[0]


def _tried(group: Group, typed: Mapping[str, str]) -> Settings:
    problems, new = typed_values.read(group, typed, beside=values())
    if new is None:
        name, words = next(iter(problems.items()))
        raise RuleError(words, field=name)
    return new


def _kept(some: Mapping[str, str | None]) -> dict[str, str]:
    """Give values to lay over; what was the environment's is the environment's."""
    given = settings.given()
    return {
        name: text_of(given, name) if value is None else value
        for name, value in some.items()
    }


def _refuse_beside_letters(names: Iterable[str]) -> None:
    """Refuse other lines of the office while letters with the old ones wait.

    The envelope's upper window shows the lines that a letter was drawn with: it would
    not be printed any more.
    """
    if "office_lines" not in names or settings.current().envelope != "double10":
        return
    drawn = [DeliveryState.SUBMITTED, DeliveryState.BATCHED]
    waiting = letters.to_mail().where(Delivery.state.in_(drawn)).count()
    if waiting:
        wait = "letter that waits" if waiting == 1 else "letters that wait"
        raise RuleError(
            f"The {waiting} {wait} to be printed show the old lines in the envelope's"
            " window. Print them first, then change the lines.",
            field="office_lines",
        )


def _require_good(kept: Mapping[str, str]) -> None:
    try:
        settings.with_values(kept)
    except ValidationError as error:
        words = str(error.errors()[0]["msg"])
        raise RuleError(f"What was before will not do any more: {words}") from error


def _refuse_overlap(names: set[str], *, since: int) -> None:
    newer = SettingChange.select().where(SettingChange.id > since)
    told = [
        f"{change.changed_by} changed {label} to “{_kept(change.after)[name]}” on"
        f" {us_time(change.changed_at)}"
        for change in newer.order_by(SettingChange.id)
        for name in sorted(names & set(change.after))
        if (label := BY_NAME[name].label.lower() if name in BY_NAME else name)
    ]
    if told:
        raise ConflictError(f"Nothing was changed: meanwhile {'; '.join(told)}.")


def _write(
    after: Mapping[str, str | None],
    *,
    follows: int,
    reason: str,
    by: User,
    at: datetime,
    undoes: SettingChange | None = None,
) -> SettingChange:
    now = values()
    before = {name: now.get(name) for name in after}
    try:
        with database.atomic():
            change: SettingChange = SettingChange.create(
                follows=follows,
                before=before,
                after=dict(after),
                reason=reason,
                changed_by=by.username,
                changed_at=at,
                undoes=undoes,
            )
            was, becomes = _kept(before), _kept(after)
            audit.record(
                audit.Event.SETTINGS_CHANGED,
                actor=by.username,
                subject=f"setting_change:{change.id}",
                at=at,
                detail={"reason": reason}
                | {name: f"{was[name]} → {becomes[name]}" for name in after},
            )
    except IntegrityError as taken:  # follows, or undone before
        message = "Somebody changed settings just now. Look again."
        raise ConflictError(message) from taken
    return change


def _lay_over(kept: Mapping[str, str]) -> None:
    """Lay values over the environment's; leave out what will not do any more."""
    try:
        settings.lay_over(kept)
    except ValidationError as error:
        bad = {str(each["loc"][0]) for each in error.errors() if each["loc"]}
        logger.exception("settings that are kept will not do: %s", sorted(bad))
        good = {name: value for name, value in kept.items() if name not in bad}
        _lay_over(good if len(good) < len(kept) else {})
