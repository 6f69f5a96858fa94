"""Judging a rough list without relatives: by weights alone.

Pure: no database.  Where nobody is anybody's twin, son or neighbour, one whose first
name differs but who agrees in all the rest is one person badly typed.  Nothing of this
is used for patients who are stored: there the gate of `likeness` stands.
"""

import math
from collections.abc import Callable

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from pmp.matching.agreement import Frequencies, Reason, streets_alike
from pmp.matching.identities import Identity
from pmp.matching.placeholders import NO_DATE

_FEWEST = 1000
_MARGIN = 4.5
_SWAPPED = -2.0
_MOST_BITS = {"last name": 11.0, "first name": 9.0}  # a slip is not a rare name
_VERY, _QUITE, _HARDLY = 0.92, 0.84, 0.74


def join_at(people: int) -> float:
    """Give the bits at which two rows are one, among so many."""
    return math.log2(max(people, _FEWEST)) + _MARGIN


def reasons(one: Identity, other: Identity, known: Frequencies) -> list[Reason]:
    """Compare every field that both have."""
    return [
        *_names(one, other, known),
        *_birth(one, other),
        *_home(one, other),
        *_rest(one, other),
    ]


def _names(one: Identity, other: Identity, known: Frequencies) -> list[Reason]:
    straight = [
        *_name("last name", one.last_key, other.last_key, known.last_bits),
        *_name("first name", one.first_key, other.first_key, known.first_bits),
    ]
    crossed = [
        *_name("last name", one.last_key, other.first_key, known.last_bits),
        *_name("first name", one.first_key, other.last_key, known.first_bits),
    ]
    if _sum(crossed) + _SWAPPED > _sum(straight):
        return [Reason("name", "first and last swapped", _sum(crossed) + _SWAPPED)]
    return straight


def _name(
    name: str, one: str, other: str, bits_of: Callable[[str], float]
) -> list[Reason]:
    if not one or not other:
        return []
    weight = min(bits_of(one), bits_of(other), _MOST_BITS[name])
    if one == other:
        return [Reason(name, "same", weight)]
    likeness = JaroWinkler.similarity(one, other)
    if likeness >= _VERY or DamerauLevenshtein.distance(one, other) == 1:
        return [Reason(name, "a slip apart", weight * 0.75)]
    if likeness >= _QUITE:
        return [Reason(name, "alike", weight * 0.5)]
    if likeness >= _HARDLY:
        return [Reason(name, "somewhat alike", 0.0)]
    return [Reason(name, "different", -3.5)]


def _birth(one: Identity, other: Identity) -> list[Reason]:
    if NO_DATE in {one.birth_date, other.birth_date}:
        return []
    if one.birth_date == other.birth_date:
        return [Reason("date of birth", "same", 14.0)]
    a, b = f"{one.birth_date:%Y%m%d}", f"{other.birth_date:%Y%m%d}"
    slips = DamerauLevenshtein.distance(a, b)
    if slips == 1:
        return [Reason("date of birth", "a slip apart", 9.0)]
    if slips == 2:
        return [Reason("date of birth", "two slips apart", 3.0)]
    return [Reason("date of birth", "different", -3.5)]


def _home(one: Identity, other: Identity) -> list[Reason]:
    found = []
    a, b = one.street_key, other.street_key
    if a and b:
        if a == b:
            found.append(Reason("street", "same", 11.0))
        elif streets_alike(a, b):
            found.append(Reason("street", "a slip apart", 9.0))
        elif _same_but_number(a, b):
            found.append(Reason("street", "another number", 6.0))
        else:
            found.append(Reason("street", "different", -1.5))
    a, b = one.zip_key, other.zip_key
    if a and b:
        slips = DamerauLevenshtein.distance(a, b)
        says = "same" if not slips else "a slip apart" if slips == 1 else "different"
        found.append(Reason("ZIP code", says, (8.0, 4.0)[slips] if slips < 2 else -2.0))
    a, b = one.city_key, other.city_key
    if a and b:
        likeness = JaroWinkler.similarity(a, b)
        same = a == b or likeness >= _VERY
        found.append(
            Reason("city", "same" if same else "different", 4.5 if same else -1.5)
        )
    return found


def _same_but_number(one: str, other: str) -> bool:
    roads = one.lstrip("0123456789"), other.lstrip("0123456789")
    return all(roads) and JaroWinkler.similarity(*roads) >= _VERY


def _rest(one: Identity, other: Identity) -> list[Reason]:
    found = []
    if one.phone_key and other.phone_key:
        same = one.phone_key == other.phone_key
        found.append(
            Reason("phone", "same" if same else "different", 10.0 if same else -1.0)
        )
    if one.sex and other.sex:
        same = one.sex == other.sex
        found.append(
            Reason("sex", "same" if same else "different", 0.9 if same else -3.0)
        )
    return found


def _sum(reasons_given: list[Reason]) -> float:
    return sum(reason.bits for reason in reasons_given)
