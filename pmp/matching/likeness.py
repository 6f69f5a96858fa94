"""How alike two reported identities are: a weight in bits, reasons, and a gate.

Pure: no database.  Each field that agrees adds log2(m/u): how much likelier it is to
agree for one person than for two; rare names weigh more than common ones.  The gate is
above the sum: unless the names agree and the dates of birth are equal or a slip apart,
nothing makes two identities one.  A false join shows a stranger's drugs, so twins,
fathers and sons, and owners and animals are kept apart whatever the sum says.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from itertools import takewhile

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from pmp.matching.identities import Identity, name_parts
from pmp.matching.name_frequencies import FIRST, LAST, RARE, same_nickname

JOIN_AT = 24.0
"""Bits at which two identities are one, the gate permitting (2 million people)."""

REVIEW_AT = 17.0
"""Bits at which a person of the staff is asked."""

_TYPO_LIKENESS = 0.9
_BIRTH_BITS = 14.8
_LONGEST_YEAR_SLIP = 10


class Band(StrEnum):
    """What a likeness leads to."""

    SAME = "same"
    REVIEW = "review"
    DIFFERENT = "different"


@dataclass
class Likeness:
    """The sum in bits, what it leads to, in which words, and the reason for each."""

    bits: float = 0.0
    band: Band = Band.DIFFERENT
    rule: str = ""
    evidence: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, says: str, bits: float) -> None:
        """Count one field."""
        self.bits += bits
        self.evidence[name] = f"{says} ({bits:+.1f})"


@dataclass(frozen=True)
class Frequencies:
    """How common a name is among all people, as a share; by name as compared."""

    last: Mapping[str, float] = field(default_factory=lambda: LAST)
    first: Mapping[str, float] = field(default_factory=lambda: FIRST)

    def last_bits(self, name: str) -> float:
        """Give what an equal last name weighs."""
        return -math.log2(self.last.get(name, RARE))

    def first_bits(self, name: str) -> float:
        """Give what an equal first name weighs."""
        return -math.log2(self.first.get(name, RARE))

    def is_first_name(self, name: str) -> bool:
        """Whether it is a name that parents give, and no slip of the keyboard."""
        return name in self.first or name in FIRST


COMMON = Frequencies()
"""Shares in the population of the United States."""


def compare(
    one: Identity, other: Identity, frequencies: Frequencies = COMMON
) -> Likeness:
    """Judge whether two identities are one person, or one animal of one owner."""
    if one.species != other.species:
        return Likeness(rule="a person and an animal")
    if one.species == "animal":
        return _compare_animals(one, other, frequencies)
    likeness = Likeness()
    last = _compare_last(one, other, likeness, frequencies)
    first = _compare_first(one, other, likeness, frequencies)
    if {last, first} == {"different"} and _swapped(one, other):
        likeness.bits = frequencies.last_bits(one.last_key)
        likeness.bits += frequencies.first_bits(one.first_key)
        likeness.evidence = {"name": f"first and last swapped ({likeness.bits:+.1f})"}
        last = first = "same"
    birth = _compare_birth(one.birth_date, other.birth_date, likeness)
    _compare_rest(one, other, likeness)
    _decide(one, other, likeness, (last, first, birth))
    return likeness


def birth_dates_close(one: date, other: date) -> bool:
    """Whether two dates differ as one slip of the pen makes them differ.

    Day and month swapped, one digit of day or month wrong or two swapped, or one
    digit of the year within ten years; 1968 for 1986 may be father and son.
    """
    if one == other:
        return False
    if one.year == other.year:
        swapped = (one.month, one.day) == (other.day, other.month)
        return swapped or _one_slip(f"{one:%m%d}", f"{other:%m%d}")
    same_day = (one.month, one.day) == (other.month, other.day)
    apart = sum(a != b for a, b in zip(f"{one:%Y}", f"{other:%Y}", strict=True))
    return same_day and apart == 1 and abs(one.year - other.year) <= _LONGEST_YEAR_SLIP


def _decide(
    one: Identity, other: Identity, likeness: Likeness, agreed: tuple[str, str, str]
) -> None:
    last, first, birth = agreed
    generations = {one.generation, other.generation} - {""}
    if len(generations) > 1:
        likeness.rule = "different generations of one name (Jr, Sr)"
        return
    if birth == "different" or first == "different":
        likeness.rule = "different first name or date of birth"
        return
    if last == "different":
        _ask_about_surname(one, other, likeness, agreed)
        return
    names_agree = first != "similar name"
    one_generation = bool(one.generation) == bool(other.generation)
    sure = birth == "same" or (one_generation and _lives_there(one, other))
    told_apart = _middle_differs(one, other) or _sex_differs(one, other)
    exact = last == first == birth == "same"
    if names_agree and sure and likeness.bits >= JOIN_AT and (exact or not told_apart):
        likeness.band, likeness.rule = Band.SAME, _rule_in_words(agreed)
    elif likeness.bits >= REVIEW_AT:
        likeness.band = Band.REVIEW
        likeness.rule = "alike, but not enough to be one person without a look"


def _rule_in_words(agreed: tuple[str, str, str]) -> str:
    last, first, birth = agreed
    names = "same name" if last == first == "same" else "name agrees"
    born = "same date of birth" if birth == "same" else "date of birth a slip apart"
    return f"{names}, {born}"


def _ask_about_surname(
    one: Identity, other: Identity, likeness: Likeness, agreed: tuple[str, str, str]
) -> None:
    """Ask the staff where everything but the last name says one person."""
    _, first, birth = agreed
    if first == birth == "same" and _lives_there(one, other):
        likeness.band = Band.REVIEW
        likeness.rule = "same first name, date of birth and home; last name differs"
    else:
        likeness.rule = "different last name"


def _compare_last(
    one: Identity, other: Identity, likeness: Likeness, frequencies: Frequencies
) -> str:
    a, b = one.last_key, other.last_key
    weight = min(frequencies.last_bits(a), frequencies.last_bits(b))
    if a == b and a:
        likeness.add("last name", "same", weight)
        return "same"
    parts, others = name_parts(one.last), name_parts(other.last)
    if len(parts) != len(others) and set(parts) & set(others):
        likeness.add("last name", "one is part of the other", weight * 0.7)
        return "part"
    if _typo(a, b):
        likeness.add("last name", "a slip apart", weight * 0.5)
        return "typo"
    likeness.add("last name", "different", -6.0)
    return "different"


def _compare_first(
    one: Identity, other: Identity, likeness: Likeness, frequencies: Frequencies
) -> str:
    a, b = one.first_key, other.first_key
    weight = min(frequencies.first_bits(a), frequencies.first_bits(b))
    if a == b and a:
        likeness.add("first name", "same", weight)
        return "same"
    if same_nickname(a, b):
        likeness.add("first name", "a short form", weight * 0.7)
        return "nickname"
    if _typo(a, b):
        likeness.add("first name", "a slip apart", weight * 0.5)
        return "typo" if _slip_of_a_name(a, b, frequencies) else "similar name"
    likeness.add("first name", "different", -6.0)
    return "different"


def _slip_of_a_name(one: str, other: str, frequencies: Frequencies) -> bool:
    """Whether one is a first name and the other that name mistyped: JHON is John.

    Jayden and Hayden, Maria and Mariah, Eric and Erica may be twins: so exactly one
    is a known name, and the difference is neither at the first letter nor in the end.
    """
    known = frequencies.is_first_name(one) + frequencies.is_first_name(other)
    longer = max(len(one), len(other))
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    ending = len(list(alike)) >= longer - 2
    return known == 1 and one[0] == other[0] and not ending


def _compare_birth(one: date, other: date, likeness: Likeness) -> str:
    if one == other:
        likeness.add("date of birth", "same", _BIRTH_BITS)
        return "same"
    if birth_dates_close(one, other):
        likeness.add("date of birth", "a slip apart", _BIRTH_BITS / 2)
        return "close"
    likeness.add("date of birth", "different", -10.0)
    return "different"


def _compare_rest(one: Identity, other: Identity, likeness: Likeness) -> None:
    if one.sex in {"F", "M"} and other.sex in {"F", "M"}:
        same = one.sex == other.sex
        likeness.add("sex", "same" if same else "different", 0.9 if same else -5.0)
    _compare_key("ZIP code", (one.zip_key, other.zip_key), (6.0, -2.0), likeness)
    _compare_key("street", (one.street_key, other.street_key), (8.0, -2.0), likeness)
    _compare_key("phone", (one.phone, other.phone), (6.0, -1.0), likeness)
    middle = one.middle_key, other.middle_key
    if all(middle):
        if middle[0] == middle[1]:
            likeness.add("middle name", "same", 2.0 + min(len(middle[0]), 3))
        elif _middle_differs(one, other):
            likeness.add("middle name", "different", -6.0)
        else:
            likeness.add("middle name", "same initial", 3.0)


def _compare_key(
    name: str, keys: tuple[str, str], bits: tuple[float, float], likeness: Likeness
) -> None:
    if all(keys):
        same = keys[0] == keys[1]
        likeness.add(name, "same" if same else "different", bits[0 if same else 1])


def _compare_animals(
    one: Identity, other: Identity, frequencies: Frequencies
) -> Likeness:
    """Judge two animals: one owner's name, one name, one home or date of birth."""
    likeness = Likeness(rule="different animals")
    last = _compare_last(one, other, likeness, frequencies)
    first = _compare_first(one, other, likeness, frequencies)
    _compare_key("animal", (one.animal_key, other.animal_key), (8.0, -20.0), likeness)
    _compare_birth(one.birth_date, other.birth_date, likeness)
    _compare_rest(one, other, likeness)
    named = one.animal_key and one.animal_key == other.animal_key
    home = _lives_there(one, other) or one.birth_date == other.birth_date
    if last == first == "same" and named and home:
        likeness.band, likeness.rule = Band.SAME, "same owner, same animal"
    return likeness


def _lives_there(one: Identity, other: Identity) -> bool:
    """Whether the two share street and ZIP code, or a phone."""
    street = one.street_key and one.street_key == other.street_key
    home = street and one.zip_key == other.zip_key
    return bool(home or (one.phone and one.phone == other.phone))


def _middle_differs(one: Identity, other: Identity) -> bool:
    a, b = one.middle_key, other.middle_key
    if not a or not b:
        return False
    return a[0] != b[0] or (min(len(a), len(b)) > 1 and a != b and not _typo(a, b))


def _sex_differs(one: Identity, other: Identity) -> bool:
    return {one.sex, other.sex} == {"F", "M"}


def _swapped(one: Identity, other: Identity) -> bool:
    same = (one.last_key, one.first_key) == (other.first_key, other.last_key)
    return same and one.birth_date == other.birth_date


@lru_cache(maxsize=65536)
def _typo(one: str, other: str) -> bool:
    """Whether one slip of the keyboard, or little more in a long name, is between."""
    if min(len(one), len(other)) < 4:
        return False
    if DamerauLevenshtein.distance(one, other, score_cutoff=1) <= 1:
        return True
    long = min(len(one), len(other)) >= 6
    close = DamerauLevenshtein.distance(one, other, score_cutoff=2) <= 2
    return long and close and JaroWinkler.similarity(one, other) >= _TYPO_LIKENESS


def _one_slip(one: str, other: str) -> bool:
    return DamerauLevenshtein.distance(one, other, score_cutoff=1) <= 1
