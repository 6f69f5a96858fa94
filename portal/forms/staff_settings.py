"""The settings of one group, each typed in one field, and why they change."""

from typing import Any

from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import Length

from pmp import kept_settings, settings
from pmp.kept_settings import editable, typed_values
from pmp.kept_settings.editable import Editable, Group, Kind
from pmp.wording import phone
from portal.forms import Form

LONG = {Kind.LINES, Kind.TEXT}


class SettingsForm(Form):
    """Made for a group by `form_for`; `seen` is the last change that was known."""

    reason = TextAreaField(
        "Why", description="Kept on the audit record", validators=[Length(max=500)]
    )
    seen = HiddenField()
    confirmed = HiddenField()

    def typed(self) -> dict[str, str]:
        """Give what was typed, by the setting's name."""
        return {
            name: self[name].data or "" for name in editable.BY_NAME if name in self
        }

    def show_problems(self, problems: dict[str, str]) -> None:
        """Put each problem at its field."""
        for name, words in problems.items():
            if name in self:
                self[name].errors = [words]
            else:
                self.form_errors = [words]

    @property
    def number_seen(self) -> int:
        text = self.seen.data or ""
        return int(text) if text.isdecimal() and len(text) < 10 else 0


def form_for(group: Group) -> Any:
    """Give the form of a group; on a first visit it holds what is in force."""
    fields = {
        each.name: _field(each)
        for each in group.settings
        if editable.may_change(each.name)
    }
    made = type("GroupForm", (SettingsForm,), fields)()
    if not made.is_submitted():
        for name in fields:
            made[name].data = _as_typed(name)
    if not made.seen.data:
        made.seen.data = str(kept_settings.last_number())
    return made


def _field(each: Editable) -> Any:
    hint = each.hint
    if limits := typed_values.bounds(each.name):
        hint = f"A number {limits}"
    kind = TextAreaField if each.kind in LONG else StringField
    keywords = {"inputmode": "numeric"} if each.kind == Kind.NUMBER else {}
    if each.kind in LONG:
        keywords = {"rows": "4"}
    return kind(each.label, description=hint, render_kw=keywords)


def _as_typed(name: str) -> str:
    value = kept_settings.text_of(settings.current(), name)
    return phone(value) if editable.BY_NAME[name].kind == Kind.PHONE else value
