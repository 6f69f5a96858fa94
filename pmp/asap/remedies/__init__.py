"""What a wrong value most likely means: guesses to offer at the field, never to apply.

Pure: the element's text and its record in, guesses out, the likeliest first.  What
needs a table (does this NDC exist, whose DEA number is it) begins with the readings of
`numbers` and ends in `pmp.uploads.suggestions`, which also drops every guess that the
rules would refuse.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from pmp.asap.remedies import amounts, coded, days, numbers

__all__ = ["Guess", "guesses", "numbers"]

DATES = frozenset({"PAT18", "DSP03", "DSP05", "DSP17"})
AMOUNTS = frozenset({"DSP09", "DSP22", "DSP29", "CDI04"})
COUNTS = frozenset({"DSP04", "DSP06", "DSP10", "DSP13"})
STATES = frozenset({"PAT15", "PHA08", "PAT01", "PRE10", "PRE14", "AIR01"})
ZIP_CODES = frozenset({"PAT16", "PHA09", "PRE15"})
PHONES = frozenset({"PAT17", "PHA10", "PRE08"})
NUMBERS = frozenset({"PHA01", "PHA02", "PHA03", "PRE01", "PRE02", "DSP14"})


@dataclass(frozen=True, slots=True)
class Guess:
    """A value to put in place of another, why, and the rule that found it.

    `rule` is the same for values that were changed in the same way, so that a change
    can be made to other records too.
    """

    value: str
    why: str
    rule: str


def guesses(
    element: str, elements: Mapping[str, str], *, today: date
) -> Iterator[Guess]:
    """Give what an element of a record may have meant to say.

    `element` is like “DSP09” or “CDI04.2”; `elements` the record's, as given.
    """
    base, text = element.partition(".")[0], elements.get(element, "").strip()
    for value, why, rule in _found(base, text, elements, today):
        if value != text:
            yield Guess(value, why, rule)


def _found(
    base: str, text: str, elements: Mapping[str, str], today: date
) -> Iterator[tuple[str, str, str]]:
    if base in DATES:
        return days.readings(text, base, elements, today=today)
    if base in COUNTS:
        return amounts.counts(text, base, elements)
    if base in STATES:
        return coded.states(text, base, elements)
    return _OF_TEXT.get(base, coded.codes_for)(text, base)


_OF_TEXT: dict[str, Callable[[str, str], Iterator[tuple[str, str, str]]]] = {
    **dict.fromkeys(AMOUNTS, amounts.quantities),
    **dict.fromkeys(ZIP_CODES, numbers.zip_codes),
    **dict.fromkeys(PHONES, numbers.phones),
    **dict.fromkeys(NUMBERS, numbers.without_blanks),
}
