"""Typing one dispensation: a box for each element, named by its id."""

from collections.abc import Mapping
from typing import Any

from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import Length

from models import User
from pmp.asap import plain_codes
from pmp.entry import pharmacies
from pmp.entry.reading import COMPOUND, INGREDIENTS, PHARMACY
from portal.forms import Form

LONGEST = 200
FOUND_BOXES = (PHARMACY, "DSP08", "PRE02", *(f"CDI03{nth}" for nth in INGREDIENTS))
"""Boxes that have a list to choose from."""
_DATE = {"inputmode": "numeric", "maxlength": 10, "data-date": True}
_NUMBER = {"inputmode": "decimal"}
_STATUSES = {
    "00": "New record",
    "01": "Revise: change a record that was sent before",
    "02": "Void: take back a record that was sent before",
}


def _box(label: str, **render: Any) -> StringField:
    render.setdefault("autocomplete", "off")
    return StringField(label, validators=[Length(max=LONGEST)], render_kw=render)


def _list(element: str, label: str, *, blank: bool = True) -> SelectField:
    words = plain_codes.SHOWN[element].items()
    choices = [SelectChoice(code, _capital(word)) for code, word in words]
    first = [SelectChoice("", "Choose")] if blank else []
    return SelectField(label, choices=[*first, *choices], validate_choice=False)


def _capital(word: str) -> str:
    return word if len(word) <= 2 else word[:1].upper() + word[1:]


class EntryForm(Form):
    PHA = _box("Pharmacy")
    PAT07 = _box("Last name")
    PAT08 = _box("First name")
    PAT09 = _box("Middle name")
    PAT18 = _box("Date of birth", **_DATE)
    PAT19 = _list("PAT19", "Sex")
    PAT12 = _box("Street")
    PAT14 = _box("City")
    PAT15 = _box("State", maxlength=20)
    PAT16 = _box("ZIP code", inputmode="numeric", maxlength=10)
    PAT17 = _box("Phone", inputmode="tel", maxlength=20)
    PAT20 = BooleanField("The patient is an animal")
    PAT23 = _box("The animal's name")
    DSP01 = RadioField(
        "What is this?",
        choices=[SelectChoice(code, words) for code, words in _STATUSES.items()],
        default="00",
        validate_choice=False,
    )
    DSP02 = _box("Prescription number")
    DSP03 = _box("Date written", **_DATE)
    DSP05 = _box("Date filled", **_DATE)
    DSP17 = _box("Date sold", **_DATE)
    DSP04 = _box("Refills authorized", **_NUMBER)
    DSP06 = _box("Fill number", **_NUMBER)
    DSP08 = _box("Drug: name or NDC")
    DSP09 = _box("Quantity", **_NUMBER)
    DSP11 = _list("DSP11", "Unit", blank=False)
    DSP10 = _box("Days supply", **_NUMBER)
    DSP16 = _list("DSP16", "Paid by")
    DSP12 = _list("DSP12", "How the prescription came")
    DSP07 = BooleanField("This is a compound")
    PRE02 = _box("Prescriber: last name or DEA number")
    PRE03 = _box("Suffix of the DEA number")
    PRE05 = _box("Prescriber's last name")
    PRE06 = _box("Prescriber's first name")
    PRE08 = _box("Prescriber's phone", inputmode="tel", maxlength=20)
    seal = HiddenField()

    def offer(self, user: User) -> None:
        """Let a pharmacy's user choose among the pharmacies of the account."""
        self.dispensers = [] if pharmacies.find_any(user) else pharmacies.of(user)

    def typed(self) -> dict[str, str]:
        """Give element id → text of what was typed or chosen."""
        typed = {
            part.name: part.data or ""
            for part in self
            if part.name not in {"csrf_token", "seal"}
        }
        typed["PAT20"] = "02" if self.PAT20.data else "01"
        typed["DSP07"] = COMPOUND if self.DSP07.data else "01"
        return {name: str(text) for name, text in typed.items()}

    def fill_in(self, typed: Mapping[str, str]) -> None:
        """Put texts into the boxes, over what is there."""
        for name, text in typed.items():
            if name in self and name not in {"PAT20", "DSP07"}:
                self[name].data = text
        if "PAT20" in typed:
            self.PAT20.data = typed["PAT20"] == "02"
        if "DSP07" in typed:
            self.DSP07.data = typed["DSP07"] == COMPOUND

    def show(self, faults: Mapping[str, list[str]]) -> None:
        """Put each sentence at its box, or above the form."""
        for name, sentences in faults.items():
            if name in self:
                self[name].errors = [*self[name].errors, *sentences]
            else:
                whole: Any = self
                whole.form_errors = [*whole.form_errors, *sentences]


for _nth in INGREDIENTS:
    _place = _nth.removeprefix(".") or "1"
    setattr(EntryForm, f"CDI03{_nth}", _box(f"Ingredient {_place}: name or NDC"))
    setattr(EntryForm, f"CDI04{_nth}", _box(f"Quantity of ingredient {_place}"))
    setattr(
        EntryForm,
        f"CDI05{_nth}",
        _list("DSP11", f"Unit of ingredient {_place}", blank=False),
    )
