"""An address as it is printed for the post, from the address of record as it stands.

The rules are those of USPS Publication 28: capitals, hardly a sign but letters and
digits, suffixes and units abbreviated, the attention line on top, city, state and ZIP
on the last line. The record keeps its own words; only the print is brought into form.
A line that is too long is abbreviated and broken at a word, never cut: what cannot be
shown whole is refused, with the line and what to do about it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pmp.deliveries.postal_words import BUSINESS, DIRECTIONS, SUFFIXES, UNITS
from pmp.identifiers import STATE_NAMES, STATES

FEWEST_LINES, MOST_LINES = 2, 5
_COUNTRY = frozenset(
    {"USA", "US", "U S A", "UNITED STATES", "UNITED STATES OF AMERICA"}
)
_ZIP = re.compile(r"(?:^| )(\d{5})[- ]?(\d{4})?$", re.ASCII)
_ATTENTION = re.compile(r"^(?:ATTN|ATTENTION)\b[ :]*")
_CARE_OF = re.compile(r"^(?:C/O|CARE OF|%)[ :]*")
_PO_BOX = re.compile(
    r"^(?:P ?O|POST OFFICE|POSTAL)? ?(?:BOX|DRAWER|LOCKBOX)(?: NO| NUMBER)? ?#? ?(\S+)$"
)
_HOUSE = re.compile(r"^(?:\d|RR \d|HC \d|PO BOX )", re.ASCII)
# Between digits a point, a slash or a hyphen has a meaning: 39.2 RD, 12 1/2, 289-01.
_SIGNS = re.compile(r"(?<=\d)\.(?=\d)|(?<=\w)[-/](?=\w)|[\w&#% ]")


class AddressFault(ValueError):  # noqa: N818 - what is wrong with it, for a person
    """An address cannot be printed; the text names the line and what to do."""


@dataclass(frozen=True)
class Block:
    """An address ready to be printed, and its parts for a carrier that wants them.

    `name` is the first line, `streets` are those between it and the last.
    """

    lines: tuple[str, ...]
    city: str
    state: str
    zip: str

    @property
    def name(self) -> str:
        return self.lines[0]

    @property
    def streets(self) -> tuple[str, ...]:
        return self.lines[1:-1]


@dataclass(frozen=True)
class _Line:
    number: int  # in the address as it was given, the first is 1
    text: str


def block(
    address: str,
    *,
    fits: Callable[[str], bool],
    prints: Callable[[str], bool] = str.isprintable,
) -> Block:
    """Bring an address into the form that the post wants; AddressFault if it cannot.

    `fits` tells whether a line is short enough for the window, `prints` whether the
    fonts have a sign.
    """
    given = [
        _Line(number, _plain(number, text, prints))
        for number, text in enumerate(address.splitlines(), start=1)
        if text.strip()
    ]
    while given and given[-1].text in _COUNTRY:
        given.pop()
    if not given:
        raise AddressFault("There is no address: write down name, street and town.")
    above, city, state, zip_code = _last_line(given)
    last = f"{city} {state} {zip_code}"
    if not above:
        raise AddressFault("The address has one line only: the name or street lacks.")
    if not fits(last):
        raise AddressFault(_too_long(given[-1].number, last))
    lines = [*_fitted(_ordered(above), fits), last]
    if not FEWEST_LINES <= len(lines) <= MOST_LINES:
        raise AddressFault(
            f"The address takes {len(lines)} lines and the window shows {MOST_LINES}:"
            " leave out a line that the post does not need, or shorten the name."
        )
    return Block(tuple(lines), city, state, zip_code)


def _plain(number: int, text: str, prints: Callable[[str], bool]) -> str:
    """Write a line in capitals, without the signs that the post does not want."""
    for sign in text.strip():
        if not prints(sign) and not sign.isspace():
            raise AddressFault(
                f"Line {number} has a sign that cannot be printed: “{sign}”"
                f" (U+{ord(sign):04X}). Write the line in Latin letters."
            )
    upper = text.upper().replace("C/O", "%")
    for apart in ",;:()":
        upper = upper.replace(apart, " ")
    kept = "".join(_SIGNS.findall(upper)).replace("_", " ")
    return " ".join(kept.replace("%", "C/O ").replace("#", "# ").split())


def _last_line(given: list[_Line]) -> tuple[list[_Line], str, str, str]:
    """Read city, state and ZIP from the end; give what stands above them too."""
    *above, last = given
    found = _ZIP.search(last.text)
    if found is None:
        raise AddressFault(
            f"Line {last.number}, “{last.text}”, has no ZIP code at its end:"
            " write city, state and ZIP there."
        )
    zip_code = f"{found[1]}-{found[2]}" if found[2] else found[1]
    place = last.text[: found.start()].strip()
    if not place and above:  # the ZIP has a line of its own
        last = above.pop()
        place = last.text
    city, state = _city_and_state(last, place)
    if not city and above:  # so has the city
        city = above.pop().text
    if not city or any(sign.isdigit() for sign in city):
        raise AddressFault(
            f"Line {last.number}, “{last.text}”, names no city before the state"
            f" {state}: write city, state and ZIP there."
        )
    return above, city, state, zip_code


def _city_and_state(line: _Line, place: str) -> tuple[str, str]:
    words = place.split()
    for count in (3, 2, 1):
        named = STATE_NAMES.get(" ".join(words[-count:]))
        if named and len(words) >= count:
            return " ".join(words[:-count]), named
    if words and words[-1] in STATES:
        return " ".join(words[:-1]), words[-1]
    wrong = words[-1] if words else "nothing"
    raise AddressFault(
        f"Line {line.number}, “{line.text}”: “{wrong}” is not a state. Write its"
        " two-letter code before the ZIP, such as CT."
    )


def _ordered(above: list[_Line]) -> list[_Line]:
    """Put attention lines on top and each unit with its street; abbreviate those."""
    attention = [
        _Line(line.number, _ATTENTION.sub("ATTN ", line.text))
        for line in above
        if _ATTENTION.match(line.text)
    ]
    others = [line for line in above if not _ATTENTION.match(line.text)]
    name, *rest = others or [_Line(1, "")]
    lines: list[_Line] = []
    for line in (_Line(each.number, _delivery_line(each.text)) for each in rest):
        before = lines[-1] if lines else None
        if before and _is_unit(line.text) and _HOUSE.match(before.text):
            lines[-1] = _Line(before.number, f"{before.text} {line.text}")
        elif before and _is_unit(before.text) and _HOUSE.match(line.text):
            lines[-1] = _Line(line.number, f"{line.text} {before.text}")
        else:
            lines.append(line)
    first = [name] if name.text else []
    return [*attention, *first, *lines]


def _delivery_line(text: str) -> str:
    """Abbreviate a line that names a street, a box or a unit; leave others alone."""
    if box := _PO_BOX.match(text):
        return f"PO BOX {box[1]}"
    text = re.sub(r"^RURAL (?:ROUTE|RT) ", "RR ", text)
    words = text.split()
    if not (_HOUSE.match(text) or words[0] in UNITS or words[0] == "#"):
        return text
    at = _unit_place(words)
    return " ".join([*_street(words[:at]), *_unit(words[at:])])


def _unit_place(words: Sequence[str]) -> int:
    """Give where the unit begins: SUITE 3, # 4; at the end of the line if none."""
    for place, word in enumerate(words):
        followed = place + 1 < len(words)
        begins = place == 0 or place > 1
        if begins and followed and (word == "#" or word in UNITS):
            # 5 KEY WEST is a street: a unit's name has a digit, or is one letter.
            named = words[place + 1]
            if word == "#" or any(map(str.isdigit, named)) or len(named) == 1:
                return place
    return len(words)


def _unit(words: Sequence[str]) -> list[str]:
    return [UNITS.get(word, word) for word in words]


def _street(words: Sequence[str]) -> list[str]:
    """Abbreviate suffix and directions, but never the street's name itself."""
    street = list(words)
    end = len(street) - 1
    if end > 2 and street[end] in DIRECTIONS and street[end - 1] in SUFFIXES:
        street[end] = DIRECTIONS[street[end]]
        end -= 1
    if end > 1 and street[end] in SUFFIXES:
        street[end] = SUFFIXES[street[end]]
        if end > 2 and street[1] in DIRECTIONS:
            street[1] = DIRECTIONS[street[1]]
    return street


def _is_unit(text: str) -> bool:
    words = text.split()
    return words[0] == "#" or (words[0] in UNITS.values() and len(words) > 1)


def _fitted(lines: list[_Line], fits: Callable[[str], bool]) -> list[str]:
    return [part for line in lines for part in _parts(line, fits)]


def _parts(line: _Line, fits: Callable[[str], bool]) -> list[str]:
    """Give a line, or what it becomes where it is too long for the window."""
    if fits(line.text):
        return [line.text]
    words = line.text.split()
    if _HOUSE.match(line.text):
        at = _unit_place(words)
        street, unit = " ".join(words[:at]), " ".join(words[at:])
        # The unit goes above the street, which stays next to the town.
        if unit and fits(street) and fits(unit):
            return [unit, street]
        raise AddressFault(_too_long(line.number, line.text))
    short = [BUSINESS.get(word, word) for word in words]
    if fits(" ".join(short)):
        return [" ".join(short)]
    for count in range(len(short) - 1, 0, -1):
        above, below = " ".join(short[:count]), " ".join(short[count:])
        if fits(above):
            if fits(below):
                return [above, below]
            break
    raise AddressFault(_too_long(line.number, line.text))


def _too_long(number: int, text: str) -> str:
    return (
        f"Line {number}, “{text}”, is too long for the envelope's window even when"
        " abbreviated: shorten it in the record."
    )
