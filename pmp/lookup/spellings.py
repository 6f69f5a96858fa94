"""How near a name or a birth date as typed is to one as reported. Pure.

Names are compared as keys (`identities.name_key`): no case, accents or punctuation,
so that a wildcard typed into a form is nothing but a sign that drops out.
"""

from collections.abc import Callable
from datetime import date
from enum import IntEnum
from functools import lru_cache

import jellyfish

from pmp.matching.nicknames import of_one_name

FEWEST_FOR_PART = 3
_LONG = 8
_BORN = range(1850, 2101)
_SHORTEST_FOR_SLIP = 4


class Near(IntEnum):
    """How near two names are; higher is nearer."""

    NO = 0
    SLIP = 1
    SOUND = 2
    NICKNAME = 3
    PART = 4
    DOUBLE = 5
    SAME = 6


WORDS = {
    Near.SLIP: "is spelt nearly the same",
    Near.SOUND: "sounds the same",
    Near.NICKNAME: "is a short form",
    Near.PART: "begins the same",
    Near.DOUBLE: "is one of a double name",
    Near.SAME: "is the same",
}


def near(typed: str, reported: str, *, given_name: bool = False) -> Near:
    """Tell how near two name keys are; nicknames count for given names."""
    if not typed or not reported:
        return Near.NO
    if typed == reported:
        return Near.SAME
    shorter, longer = sorted((typed, reported), key=len)
    if len(shorter) >= FEWEST_FOR_PART and longer.startswith(shorter):
        return Near.PART
    if given_name and of_one_name(typed, reported):
        return Near.NICKNAME
    if _sound(typed) == _sound(reported) != "":
        return Near.SOUND
    return Near.SLIP if _is_slip(typed, reported) else Near.NO


def is_near_to(typed: str) -> Callable[[str], bool]:
    """Give what tells of many reported names, quickly, whether `near` is not NO."""
    heard, length = _sound(typed), len(typed)
    first, last = typed[:1], typed[-1:]

    def tell(reported: str) -> bool:
        if heard == _sound(reported) != "":
            return True
        if reported[:1] == first:
            if typed == reported:
                return first != ""
            other = len(reported)
            shorter, longer = (typed, reported) if length < other else (reported, typed)
            if len(shorter) >= FEWEST_FOR_PART and longer.startswith(shorter):
                return True
        elif reported[-1:] != last and (length < _LONG or len(reported) < _LONG):
            return False  # one slip leaves the first sign, or the last, as it was
        return _is_slip(typed, reported)

    return tell


@lru_cache(maxsize=65536)
def _sound(key: str) -> str:
    return str(jellyfish.metaphone(key))


def share_a_part(typed: tuple[str, ...], reported: tuple[str, ...]) -> bool:
    """Tell whether one of a double name's parts is the other name, or a part of it."""
    is_double = len(typed) > 1 or len(reported) > 1
    shared = set(typed) & set(reported)
    return is_double and any(len(part) >= FEWEST_FOR_PART for part in shared)


def _is_slip(typed: str, reported: str) -> bool:
    length = min(len(typed), len(reported))
    if length < _SHORTEST_FOR_SLIP:
        return False
    allowed = 2 if length >= _LONG else 1
    if abs(len(typed) - len(reported)) > allowed:
        return False  # as the comparison would find, but that takes longest
    return jellyfish.damerau_levenshtein_distance(typed, reported) <= allowed


def date_slips(day: date) -> set[date]:
    """Give the days that one wrong digit, or two swapped ones, make of a day.

    The day itself is not among them, nor one before 1850; a swapped month and day is.
    """
    month, number, year = f"{day:%m}", f"{day:%d}", f"{day:%Y}"
    slips = {
        *((other, day.day, day.year) for other in _slips(month)),
        *((day.month, other, day.year) for other in _slips(number)),
        *((day.month, day.day, other) for other in _slips(year)),
        (day.day, day.month, day.year),
        # Two swapped that stand on either side of a hyphen.
        (int(month[0] + number[0]), int(month[1] + number[1]), day.year),
        (day.month, int(number[0] + year[0]), int(number[1] + year[1:])),
    }
    return {slip for each in slips if (slip := _day(*each))} - {day}


@lru_cache(maxsize=1024)
def _slips(digits: str) -> tuple[int, ...]:
    """Give what one wrong digit, or two swapped ones, make of some digits."""
    wrong = [
        digits[:place] + other + digits[place + 1 :]
        for place in range(len(digits))
        for other in "0123456789"
    ]
    swapped = [
        digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
        for place in range(len(digits) - 1)
    ]
    return tuple({int(each) for each in wrong + swapped})


def _day(month: int, day: int, year: int) -> date | None:
    # Most are none, or of a century whose days no report may name.
    if not 1 <= month <= 12 or not 1 <= day <= 31 or year not in _BORN:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
