"""What the filters of lists share: GET forms that narrow a list and change nothing."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self, TypeVar

from flask import request
from wtforms import SelectChoice, SelectField

from pmp.deliveries import sealed_searches
from pmp.wording import words
from portal.forms import Form
from portal.paging import sort_asked_for

Word = TypeVar("Word", bound=StrEnum)

EVERY = SelectChoice("", "All")


class FilterForm(Form):
    """Which rows a list shows: read from the page's address, so without a token.

    What may name a patient stands in no address: see SealedFilterForm.
    """

    class Meta(Form.Meta):
        csrf = False  # the portal's own check holds for POST; GET changes nothing

    @property
    def is_sound(self) -> bool:
        """Whether each field can be read; what is refused above the form is none."""
        return not any(part.errors for part in self)

    def in_address(self) -> dict[str, Any]:
        """Give what was typed, for the links that lead on in the list."""
        typed = {part.name: (part.raw_data or [""])[0] for part in self}
        return {name: str(text) for name, text in typed.items() if str(text).strip()}

    def asked(self) -> dict[str, Any]:
        """Give that and the order as the address has it, to go on in the same list."""
        return {**self.in_address(), "sort": sort_asked_for() or None}


class SealedFilterForm(FilterForm):
    """One whose field `sealed` may name a patient: typed and sent by POST.

    The page's address holds everything else in clear, and that as a sealed word.
    """

    sealed = ""

    @classmethod
    def of_address(cls) -> Self:
        """Read what narrows the list from the page's address."""
        form = cls(request.args)
        form[cls.sealed].data = sealed_searches.opened(request.args.get("who", ""))
        return form

    def in_address(self) -> dict[str, Any]:
        """Give what was typed, for the address of a page."""
        found = super().in_address()
        found.pop(self.sealed, None)
        who = sealed_searches.seal(self[self.sealed].data or "")
        return {**found, "who": who} if who else found


def menu(label: str, choices: list[SelectChoice], first: SelectChoice = EVERY) -> Any:
    """Make a menu whose unknown words, in an address that was typed, are all."""
    choices = [first, *choices]
    return SelectField(label, choices=choices, default="", validate_choice=False)


def menu_of(
    label: str,
    kind: type[StrEnum],
    said: Mapping[Any, str] | None = None,
    first: SelectChoice = EVERY,
) -> Any:
    """Make a menu of all words of a kind, in `said` or their usual words."""
    names = said or {}
    some = [SelectChoice(word.value, names.get(word, words(word))) for word in kind]
    return menu(label, some, first)


def one_of(kind: type[Word], typed: str | None) -> Word | None:
    """Give the word that was typed; None, which is all, if it is none of its kind."""
    return kind(typed) if typed in {word.value for word in kind} else None
