"""How far two identities agree, field by field, and what each agreement weighs.

Pure: no database.  A weight is log2(m/u): how much likelier it is for a field to agree
so for one person than for two; a rare name weighs more than a common one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from itertools import takewhile

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from pmp.matching import placeholders
from pmp.matching.identities import Identity, name_parts
from pmp.matching.name_frequencies import (
    FIRST,
    LAST,
    RARE_FIRST,
    RARE_LAST,
)
from pmp.matching.short_forms import are_short_forms, is_short_for, of_one_name

BIRTH_BITS = 14.8
_NEW_YEAR_BITS = 10.0  # many whose day nobody knows were given 1 January
_LONGEST_YEAR_SLIP = 10
_TYPO_LIKENESS = 0.88
_COMMON_BITS = 9.0
_RARE_BITS = 11.5


class Name(StrEnum):
    """How far two names agree."""

    SAME = "same"
    SHORT = "a short form"
    SHORTS = "two short forms of one name"
    PART = "one is part of the other"
    SLIP = "a slip apart"
    INITIAL = "an initial"
    ALIKE = "alike, but names of two people"
    MISSING = "not given"
    DIFFERENT = "different"


class Birth(StrEnum):
    """How far two dates of birth agree."""

    SAME = "same"
    CLOSE = "a slip apart"
    PLACEHOLDER = "a date that stands for none"
    MISSING = "not given"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Reason:
    """What one field says: in words, about which value, with which weight in bits."""

    field: str
    says: str
    bits: float
    value: str = ""

    @property
    def text(self) -> str:
        """As the staff read it: “same (KOWALSKI, rare: +14.2)”."""
        return f"{self.says} ({self.value}{self.bits:+.1f})"


@dataclass(frozen=True)
class Frequencies:
    """How common a name is among all people, as a share; by name as compared.

    `heard` are the first names of more than one, where enough people were asked.
    """

    last: Mapping[str, float] = field(default_factory=lambda: LAST)
    first: Mapping[str, float] = field(default_factory=lambda: FIRST)
    heard: frozenset[str] | None = None

    def last_bits(self, name: str) -> float:
        """Give what an equal last name weighs."""
        return -math.log2(self.last.get(name, RARE_LAST))

    def first_bits(self, name: str) -> float:
        """Give what an equal first name weighs."""
        return -math.log2(self.first.get(name, RARE_FIRST))

    def is_first_name(self, name: str) -> bool:
        """Whether it is a name that parents give, and no slip of the keyboard."""
        return name in FIRST or name in (
            self.first if self.heard is None else self.heard
        )

    def is_no_name(self, name: str) -> bool:
        """Whether hardly anybody is called so, as far as anybody was asked."""
        return self.heard is not None and not self.is_first_name(name)


COMMON = Frequencies()
"""Shares in the population of the United States."""


def last_names(
    one: Identity, other: Identity, known: Frequencies
) -> tuple[Name, Reason]:
    """Compare last names."""
    a, b = one.last_key, other.last_key
    if not a or not b:
        return Name.MISSING, Reason("last name", Name.MISSING, 0.0)
    if a == b:
        return Name.SAME, _same("last name", a, known.last_bits(a))
    weight = min(known.last_bits(a), known.last_bits(b))
    parts, others = name_parts(one.last), name_parts(other.last)
    if len(parts) != len(others) and set(parts) & set(others):
        return Name.PART, Reason("last name", Name.PART, weight * 0.7)
    if typo(a, b):
        return Name.SLIP, Reason("last name", Name.SLIP, weight * 0.5 - 1.0)
    return Name.DIFFERENT, Reason("last name", Name.DIFFERENT, -6.0)


def first_names(
    one: Identity, other: Identity, known: Frequencies
) -> tuple[Name, Reason]:
    """Compare first names; whatever may be the names of twins is not a slip."""
    a, b = one.first_key, other.first_key
    if not a or not b:
        return Name.MISSING, Reason("first name", Name.MISSING, 0.0)
    if a == b:
        return Name.SAME, _same("first name", a, known.first_bits(a))
    weight = min(known.first_bits(a), known.first_bits(b))
    if with_middle(one, other):
        return Name.PART, Reason("first name", "with the middle name", weight * 0.7)
    parts = _parts_of_both(one, other)
    agrees = _double_names(*parts, known) if parts else _single_names(a, b, known)
    bits = _FIRST_BITS.get(agrees, weight * _FIRST_SHARES.get(agrees, 0.5))
    return agrees, Reason("first name", agrees, bits)


def _single_names(one: str, other: str, known: Frequencies) -> Name:
    if is_short_for(one, other):
        return Name.SHORT
    if of_one_name(one, other):
        return Name.SHORTS if are_short_forms(one, other) else Name.ALIKE
    if 1 in {len(one), len(other)} and one[0] == other[0]:
        return Name.INITIAL
    if typo(one, other):
        return Name.SLIP if _slip_of_a_name(one, other, known) else Name.ALIKE
    return Name.DIFFERENT


def _parts_of_both(
    one: Identity, other: Identity
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Give the parts of two double names: MARY, ANN and MARY, JANE; None if not both.

    One written as one word, MARYJANE, is parted where the other's first part ends.
    """
    parts, others = name_parts(one.first), name_parts(other.first)
    if min(len(parts), len(others)) == 1 < max(len(parts), len(others)):
        (whole,), double = sorted((parts, others), key=len)
        if not whole.startswith(double[0]) or whole == double[0]:
            return None
        cut = len(double[0])
        return (whole[:cut], whole[cut:]), (double[0], "".join(double[1:]))
    return (parts, others) if min(len(parts), len(others)) > 1 else None


def _double_names(
    parts: tuple[str, ...], others: tuple[str, ...], known: Frequencies
) -> Name:
    """Compare part by part: MARY ANN and MARY JANE may be twins, slips or none.

    Of a part few are asked what it is: only inside a known name is it a slip.
    """
    alike = Name.ALIKE if typo("".join(parts), "".join(others)) else Name.DIFFERENT
    if len(parts) != len(others):
        return alike
    differing = [(a, b) for a, b in zip(parts, others, strict=True) if a != b]
    found = {_single_names(a, b, known) for a, b in differing}
    if Name.SLIP in found and not all(
        is_short_for(a, b) or _slip_inside(a, b, known) for a, b in differing
    ):
        found.add(Name.ALIKE)
    if Name.DIFFERENT in found:
        return alike
    worst = (Name.ALIKE, Name.INITIAL, Name.SHORTS, Name.SLIP, Name.SHORT)
    return next(each for each in worst if each in found)


def with_middle(one: Identity, other: Identity) -> bool:
    """Whether one has the middle name, or its initial, in the first: MARY ANN, MARY."""
    parts, others = name_parts(one.first), name_parts(other.first)
    if len(parts) == len(others) or not parts or not others:
        return False
    short, long = sorted((parts, others), key=len)
    if long[: len(short)] != short:
        return False
    middle = (one if parts == short else other).middle_key
    rest = "".join(long[len(short) :])
    return not middle or middle.startswith(rest) or rest.startswith(middle)


def birth_dates(one: date, other: date) -> tuple[Birth, Reason]:
    """Compare dates of birth."""
    if placeholders.NO_DATE in {one, other}:
        return Birth.MISSING, Reason("date of birth", Birth.MISSING, 0.0)
    if placeholders.is_birth_date(one) or placeholders.is_birth_date(other):
        return Birth.PLACEHOLDER, Reason("date of birth", Birth.PLACEHOLDER, 0.0)
    if one == other:
        new_year = (one.month, one.day) == (1, 1)
        bits = _NEW_YEAR_BITS if new_year else BIRTH_BITS
        return Birth.SAME, Reason("date of birth", Birth.SAME, bits)
    if birth_dates_close(one, other):
        return Birth.CLOSE, Reason("date of birth", Birth.CLOSE, BIRTH_BITS / 2)
    return Birth.DIFFERENT, Reason("date of birth", Birth.DIFFERENT, -10.0)


def birth_dates_close(one: date, other: date) -> bool:
    """Whether two dates differ as one slip of the pen makes them differ.

    Day and month swapped, one digit of day or month wrong or two swapped, the day
    before or after, or one digit of the year within ten years; 1968 for 1986 may be
    father and son.
    """
    if one == other:
        return False
    if abs(one.toordinal() - other.toordinal()) == 1:
        return True
    if one.year == other.year:
        if (one.month, one.day) == (other.day, other.month):
            return True
        return one_slip(
            f"{one.month:02}{one.day:02}", f"{other.month:02}{other.day:02}"
        )
    if (one.month, one.day) != (other.month, other.day):
        return False
    apart = sum(a != b for a, b in zip(str(one.year), str(other.year), strict=False))
    return apart == 1 and abs(one.year - other.year) <= _LONGEST_YEAR_SLIP


def sexes(one: Identity, other: Identity) -> list[Reason]:
    """Compare the sexes, where both are known."""
    if one.sex not in _SEXES or other.sex not in _SEXES:
        return []
    if one.sex == other.sex:
        return [Reason("sex", "same", 0.9)]
    return [Reason("sex", "different", -5.0)]


def homes(one: Identity, other: Identity, *, shared: bool) -> list[Reason]:
    """Compare ZIP code and street; a home that very many share weighs nothing."""
    if shared and one.street_key == other.street_key:
        return [Reason("address", "one that many people share", 0.0)]
    reasons = []
    if one.zip_key and other.zip_key:
        same = one.zip_key == other.zip_key
        says = "same" if same else "different"
        reasons.append(Reason("ZIP code", says, 6.0 if same else -2.0))
        if not same and one.city_key and one.city_key == other.city_key:
            reasons.append(Reason("city", "same", 3.0))
    if one.street_key and other.street_key:
        if one.street_key == other.street_key:
            reasons.append(Reason("street", "same", 8.0))
        elif streets_alike(one.street_key, other.street_key):
            reasons.append(Reason("street", "a slip apart", 6.0))
        else:
            reasons.append(Reason("street", "different", -2.0))
    return reasons


def phones(one: Identity, other: Identity, *, shared: bool) -> list[Reason]:
    """Compare telephone numbers; one that very many share weighs nothing."""
    if not one.phone_key or not other.phone_key:
        return []
    if one.phone_key != other.phone_key:
        return [Reason("phone", "different", -1.0)]
    if shared:
        return [Reason("phone", "one that many people share", 0.0)]
    return [Reason("phone", "same", 6.0)]


def middle_names(one: Identity, other: Identity) -> list[Reason]:
    """Compare middle names, or their initials, where both are given."""
    a, b = one.middle_key, other.middle_key
    if not a or not b:
        return []
    if a == b:
        return [Reason("middle name", "same", 2.0 + min(len(a), 3))]
    if middles_differ(a, b):
        return [Reason("middle name", "different", -6.0)]
    return [Reason("middle name", "same initial", 3.0)]


def middles_differ(one: str, other: str) -> bool:
    """Whether two middle names, or initials, as compared, cannot be one."""
    if not one or not other or one == other:
        return False
    if min(len(one), len(other)) == 1:
        return one[0] != other[0]
    return not typo(one, other) and not of_one_name(one, other)


def streets_alike(one: str, other: str) -> bool:
    """Whether two streets as compared are one with slips; 12 is not 14."""
    numbers = [takewhile(str.isdigit, text) for text in (one, other)]
    number, other_number = ("".join(digits) for digits in numbers)
    if number != other_number:
        return False
    if min(len(one), len(other)) < len("12ELM"):
        return False
    return JaroWinkler.similarity(one, other, score_cutoff=0.9) > 0


@lru_cache(maxsize=65536)
def typo(one: str, other: str) -> bool:
    """Whether one slip of the keyboard, or little more in a long name, is between."""
    shorter = min(len(one), len(other))
    if shorter < len("LEE") or abs(len(one) - len(other)) > 2:
        return False
    distance = DamerauLevenshtein.distance(one, other, score_cutoff=2)
    if distance <= 1:
        return True
    long = shorter >= len("ROBERT")
    return (
        long and distance == 2 and JaroWinkler.similarity(one, other) >= _TYPO_LIKENESS
    )


def one_slip(one: str, other: str) -> bool:
    """Whether one key is wrong, missing or too many, or two are swapped."""
    return DamerauLevenshtein.distance(one, other, score_cutoff=1) <= 1


def _slip_of_a_name(one: str, other: str, known: Frequencies) -> bool:
    """Whether one is a first name and the other that name mistyped: JHON is John.

    Jayden and Hayden, Maria and Mariah, Eric and Erica may be twins: so not both are
    names, and one is, unless many were asked and nobody is called either.  At the first
    letter or in the end it is a slip only if many are called the one, nobody the other.
    """
    names = known.is_first_name(one), known.is_first_name(other)
    if all(names) or _doubles_as_one_word(one, other, known):
        return False
    inside = _differ_inside(one, other)
    if inside and (any(names) or known.heard is not None):
        return True
    return any(names) and known.is_no_name(other if names[0] else one)


def _slip_inside(one: str, other: str, known: Frequencies) -> bool:
    """Whether one is a first name, and the other that one mistyped within."""
    names = known.is_first_name(one), known.is_first_name(other)
    return (
        any(names)
        and not all(names)
        and typo(one, other)
        and _differ_inside(one, other)
    )


def _differ_inside(one: str, other: str) -> bool:
    """Whether two names differ neither at the first letter nor in the end alone."""
    alike = _beginning(one, other)
    return alike > 0 and alike < max(len(one), len(other)) - 2


def _beginning(one: str, other: str) -> int:
    """Count the letters with which both begin."""
    pairs = zip(one, other, strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))


def _doubles_as_one_word(one: str, other: str, known: Frequencies) -> bool:
    """Whether both are double names written as one word: MARYANN and MARYJANE."""
    return any(
        all(map(known.is_first_name, (one[:cut], one[cut:], other[cut:])))
        for cut in range(len("ANN"), _beginning(one, other) + 1)
    )


def _same(name: str, value: str, bits: float) -> Reason:
    how = "common" if bits < _COMMON_BITS else "rare" if bits > _RARE_BITS else "usual"
    return Reason(name, "same", bits, f"{value}, {how}: ")


_SEXES = frozenset({"F", "M"})
_FIRST_BITS = {Name.DIFFERENT: -6.0, Name.INITIAL: 2.0}
_FIRST_SHARES = {Name.SHORT: 0.7, Name.SHORTS: 0.7}
