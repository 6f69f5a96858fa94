"""How near a name or a birth date as typed is to one as reported. Pure.

Names are compared as keys (`identities.name_key`): no case, accents or punctuation,
so that a wildcard typed into a form is nothing but a sign that drops out.
"""

from collections.abc import Callable, Iterator
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
    length, heard = len(typed), _sound(typed)

    def tell(reported: str) -> bool:
        other = len(reported)
        shorter, longer = (typed, reported) if length < other else (reported, typed)
        if not shorter:
            return False
        is_part = len(shorter) >= FEWEST_FOR_PART and longer.startswith(shorter)
        if is_part or typed == reported or heard == _sound(reported) != "":
            return True
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
    digits = f"{day:%m%d%Y}"
    texts = set(_changed(digits)) | {digits[2:4] + digits[:2] + digits[4:]}
    return {slip for text in texts if (slip := _day(text))} - {day}


def _changed(digits: str) -> Iterator[str]:
    for place, digit in enumerate(digits):
        for other in "0123456789":
            if other != digit:
                yield digits[:place] + other + digits[place + 1 :]
    for place in range(len(digits) - 1):
        pair = digits[place + 1] + digits[place]
        yield digits[:place] + pair + digits[place + 2 :]


def _day(digits: str) -> date | None:
    month, day, year = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    # Most are none, or of a century whose days no report may name.
    if not 1 <= month <= 12 or not 1 <= day <= 31 or year not in _BORN:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
