"""One call may bring several forms: where one ends and the next begins.

A clinic lays its whole out-tray into the machine. The pages that follow a form without
a code of their own belong to it, as do a cover sheet and whatever else comes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Sheet:
    """A page of a fax: its number in the file, the texts of its codes, how it looks.

    `look` is empty, or a drawing so coarse that nobody can read it: darkness from 0 to
    f, one for each field of a grid.
    """

    number: int
    codes: tuple[str, ...] = ()
    blank: bool = False
    look: str = ""


@dataclass(frozen=True)
class Part:
    """Sheets in a row that belong together."""

    sheets: tuple[Sheet, ...]

    @property
    def codes(self) -> list[str]:
        """The texts of all its codes, each once, in the order of its pages."""
        return list(dict.fromkeys(code for each in self.sheets for code in each.codes))

    @property
    def found_on(self) -> dict[str, int]:
        """The sheet on which each code stands first."""
        places: dict[str, int] = {}
        for sheet in self.sheets:
            for code in sheet.codes:
                places.setdefault(code, sheet.number)
        return places


def parts(sheets: Sequence[Sheet]) -> list[Part]:
    """Divide a fax where a page has a code that the page's form before it has not.

    `codes` of the sheets are of ours alone. A fax of no form or of one is one part.
    """
    found: list[list[Sheet]] = [[]]
    current: set[str] = set()
    for sheet in sheets:
        own = set(sheet.codes)
        if current and own - current:
            found.append([])
        current = own or current
        found[-1].append(sheet)
    return [Part(tuple(each)) for each in found if each]


# Two transmissions of one scan differ by a lost line or a speck; so does a form on
# which a box was ticked meanwhile. Pages that are alike are compared by a person.
MOST_SHADES = 2


def look_alike(one: Sequence[Sheet], other: Sequence[Sheet]) -> bool:
    """Tell whether two faxes look like one scan, blank pages left out."""
    mine, theirs = (
        [sheet.look for sheet in sheets if not sheet.blank] for sheets in (one, other)
    )
    return (
        bool(mine)
        and len(mine) == len(theirs)
        and all(_same_look(*pair) for pair in zip(mine, theirs, strict=True))
    )


def _same_look(one: str, other: str) -> bool:
    return (
        bool(one)
        and len(one) == len(other)
        and all(
            abs(int(a, 16) - int(b, 16)) <= MOST_SHADES
            for a, b in zip(one, other, strict=True)
        )
    )
