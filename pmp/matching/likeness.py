"""Whether two reported identities are one person: a weight in bits, and a gate.

Pure: no database.  `agreement` weighs each field; here the sum is compared with what
is needed among so many people.  The gate is above the sum: unless the names agree and
the dates of birth are equal or a slip apart, nothing makes two identities one.  A false
join shows a stranger's drugs, so twins, fathers and sons, and owners and animals are
kept apart whatever the sum says, and placeholders join nobody.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from pmp.matching import agreement, rough
from pmp.matching.agreement import (
    COMMON,
    Birth,
    Frequencies,
    Name,
    Reason,
    birth_dates_close,
)
from pmp.matching.identities import Identity

__all__ = [
    "COMMON",
    "STATE",
    "Band",
    "Crowd",
    "Frequencies",
    "Likeness",
    "birth_dates_close",
    "compare",
]

_JOIN_AT, _AMONG = 24.0, 2_000_000
_FEWEST = 20_000
_REVIEW_BELOW = 7.0
_ANIMAL_BITS = (8.0, -20.0)
_NAMES_AGREE = frozenset({Name.SAME, Name.SHORT, Name.PART, Name.SLIP})


class Band(StrEnum):
    """What a likeness leads to."""

    SAME = "same"
    REVIEW = "review"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Crowd:
    """Among whom two are compared.

    Two strangers alike are the likelier the more `people` there are.  In a list with
    `gaps` some have no date of birth, or no first or last name: they are judged by the
    rest; where everybody must have them, one who has not is joined with nobody.  Only
    a list that is known to have no `relatives` in it is judged without the gate.
    """

    people: int = _AMONG
    gaps: bool = False
    relatives: bool = True

    @property
    def join_at(self) -> float:
        """Bits at which two are one person, the gate permitting."""
        if not self.relatives:
            return rough.join_at(self.people)
        return _JOIN_AT + math.log2(max(self.people, _FEWEST) / _AMONG)

    @property
    def review_at(self) -> float:
        """Bits at which a person of the staff is asked."""
        return self.join_at - _REVIEW_BELOW


STATE = Crowd()
"""Two million people, every one with name and date of birth."""


@dataclass
class Likeness:
    """The sum in bits, what it leads to, in which words, and the reason for each.

    `by_home` says that the two are one only because home or phone is the same.
    """

    bits: float = 0.0
    band: Band = Band.DIFFERENT
    rule: str = ""
    reasons: list[Reason] = field(default_factory=list)
    by_home: bool = False

    @property
    def evidence(self) -> dict[str, str]:
        """What each field says, with its weight: for a person to read."""
        return {reason.field: reason.text for reason in self.reasons}

    def add(self, reasons: Iterable[Reason]) -> None:
        """Count what fields say."""
        for reason in reasons:
            self.reasons.append(reason)
            self.bits += reason.bits


@dataclass(frozen=True)
class _Agreed:
    last: Name
    first: Name
    birth: Birth
    home: bool

    @property
    def gaps(self) -> int:
        """How many of the three are not given."""
        return [self.last, self.first, self.birth].count(Name.MISSING)

    @property
    def exact(self) -> bool:
        return self.last == self.first == Name.SAME and self.birth is Birth.SAME


def compare(
    one: Identity,
    other: Identity,
    frequencies: Frequencies = COMMON,
    *,
    crowd: Crowd = STATE,
    shared_phone: bool = False,
    shared_home: bool = False,
) -> Likeness:
    """Judge whether two identities are one person, or one animal of one owner.

    `shared_phone` and `shared_home` say that very many people have that of `one`.
    """
    if one.species != other.species:
        return Likeness(rule="a person and an animal")
    if not crowd.relatives and one.species == "human":
        return _by_weights_alone(one, other, frequencies, crowd)
    likeness = Likeness()
    last, says_last = agreement.last_names(one, other, frequencies)
    first, says_first = agreement.first_names(one, other, frequencies)
    if last is first is Name.DIFFERENT and _swapped(one, other):
        last = first = Name.SAME
        bits = frequencies.last_bits(one.last_key)
        bits += frequencies.first_bits(one.first_key)
        likeness.add([Reason("name", "first and last swapped", bits)])
    else:
        likeness.add([says_last, says_first])
    birth, says_birth = agreement.birth_dates(one.birth_date, other.birth_date)
    likeness.add([says_birth])
    if Name.DIFFERENT is first or Birth.DIFFERENT is birth:
        likeness.rule = "different first name or date of birth"
        if one.species == "human":  # the rest could change nothing
            return likeness
    likeness.add(agreement.sexes(one, other))
    likeness.add(agreement.homes(one, other, shared=shared_home))
    likeness.add(agreement.phones(one, other, shared=shared_phone))
    likeness.add(agreement.middle_names(one, other))
    home = _lives_there(one, other, shared_phone=shared_phone, shared_home=shared_home)
    agreed = _Agreed(last, first, birth, home)
    if one.species == "animal":
        _decide_animals(one, other, likeness, agreed)
    else:
        _decide(one, other, likeness, agreed, crowd, frequencies)
    return likeness


def apart(one: Identity, other: Identity, frequencies: Frequencies = COMMON) -> str:
    """Give why two can never be one person, in words; “” if they can.

    Of all identities of a patient no two may be apart by what matching decides: John
    senior and John junior are not one because a John without a suffix is like both.
    """
    if one.species != other.species:
        return "a person and an animal"
    if one.species == "animal":
        keys = {one.animal_key, other.animal_key} - {""}
        return "different animals" if len(keys) > 1 else ""
    if _generations_differ(one, other):
        return "different generations of one name (Jr, Sr)"
    birth, _ = agreement.birth_dates(one.birth_date, other.birth_date)
    if birth is Birth.DIFFERENT:
        return "different date of birth"
    return _names_apart(one, other, birth, frequencies)


def _names_apart(
    one: Identity, other: Identity, birth: Birth, frequencies: Frequencies
) -> str:
    first, _ = agreement.first_names(one, other, frequencies)
    if first in {Name.DIFFERENT, Name.ALIKE} and not _crossed(one, other):
        return "different first name"
    if agreement.middles_differ(one.middle_key, other.middle_key):
        whole = min(len(one.middle_key), len(other.middle_key)) > 1
        if whole or birth is not Birth.SAME:
            return "different middle name"
    if _sex_differs(one, other) and first is not Name.SAME:
        return "different sex"
    return ""


def _by_weights_alone(
    one: Identity, other: Identity, frequencies: Frequencies, crowd: Crowd
) -> Likeness:
    likeness = Likeness(rule="not enough alike")
    likeness.add(rough.reasons(one, other, frequencies))
    if likeness.bits >= crowd.join_at:
        likeness.band, likeness.rule = Band.SAME, "most of what is given agrees"
    elif likeness.bits >= crowd.review_at:
        likeness.band, likeness.rule = Band.REVIEW, "some of what is given agrees"
    return likeness


def _decide(
    one: Identity,
    other: Identity,
    likeness: Likeness,
    agreed: _Agreed,
    crowd: Crowd,
    frequencies: Frequencies,
) -> None:
    if _generations_differ(one, other):
        likeness.rule = "different generations of one name (Jr, Sr)"
        return
    if agreed.last is Name.DIFFERENT:
        _ask_about_surname(likeness, agreed)
        return
    refused = _refused(one, other, agreed, crowd, frequencies)
    if not refused and likeness.bits >= crowd.join_at:
        likeness.band, likeness.rule = Band.SAME, _rule_in_words(agreed)
        likeness.by_home = agreed.birth is not Birth.SAME or agreed.gaps > 0
    elif likeness.bits >= crowd.review_at:
        likeness.band = Band.REVIEW
        likeness.rule = refused or "alike, but not enough to be one without a look"
    else:
        likeness.rule = "not enough alike"


def _refused(
    one: Identity,
    other: Identity,
    agreed: _Agreed,
    crowd: Crowd,
    frequencies: Frequencies,
) -> str:
    """Give why a person must look, however much is alike; “” if nobody need."""
    named = _NAMES_AGREE | ({Name.MISSING} if crowd.gaps else set())
    reasons = (
        (one.is_nobody or other.is_nobody, "a name that stands for nobody"),
        (
            agreed.birth is Birth.PLACEHOLDER,
            "a date of birth that stands for none",
        ),
        (agreed.gaps > int(crowd.gaps), "a name or date of birth is not given"),
        (
            agreed.first not in named or agreed.last not in named,
            "first names alike, but perhaps of two people",
        ),
    )
    refused = next((words for holds, words in reasons if holds), "")
    if refused:
        return refused
    if reason := apart(one, other, frequencies):
        return f"much alike, but {reason}"
    if not agreed.exact and _told_apart(one, other):
        return "much alike, but sex or middle initial differs"
    return _refused_by_home(one, other, agreed)


def _refused_by_home(one: Identity, other: Identity, agreed: _Agreed) -> str:
    """Give why home and generation do not make up for a date of birth with a slip."""
    if agreed.birth is Birth.SAME and not agreed.gaps:
        return ""
    if bool(one.generation) != bool(other.generation):
        return "one of them is Jr or Sr, and the date of birth is not the same"
    return "" if agreed.home else "date of birth a slip apart, and another home"


def _generations_differ(one: Identity, other: Identity) -> bool:
    return len({one.generation, other.generation} - {""}) > 1


def _rule_in_words(agreed: _Agreed) -> str:
    if agreed.gaps:
        return "all that is given agrees"
    same = agreed.last == agreed.first == Name.SAME
    names = "same name" if same else "name agrees"
    born = (
        "same date of birth"
        if agreed.birth is Birth.SAME
        else "date of birth a slip apart"
    )
    return f"{names}, {born}"


def _ask_about_surname(likeness: Likeness, agreed: _Agreed) -> None:
    """Ask the staff where everything but the last name says one person."""
    if agreed.first is Name.SAME and agreed.birth is Birth.SAME and agreed.home:
        likeness.band = Band.REVIEW
        likeness.rule = "same first name, date of birth and home; last name differs"
    else:
        likeness.rule = "different last name"


def _decide_animals(
    one: Identity, other: Identity, likeness: Likeness, agreed: _Agreed
) -> None:
    """Judge two animals: one owner's name, one name, one home or date of birth."""
    likeness.rule = "different animals"
    named = one.animal_key and one.animal_key == other.animal_key
    if one.animal_key and other.animal_key:
        bits = _ANIMAL_BITS[0 if named else 1]
        likeness.add([Reason("animal", "same" if named else "different", bits)])
    home = agreed.home or agreed.birth is Birth.SAME
    if one.is_nobody or other.is_nobody:
        return
    if agreed.last == agreed.first == Name.SAME and named and home:
        likeness.band, likeness.rule = Band.SAME, "same owner, same animal"


def _lives_there(
    one: Identity, other: Identity, *, shared_phone: bool, shared_home: bool
) -> bool:
    """Whether the two share street and ZIP code, or a phone, that few others have."""
    if one.phone_key and one.phone_key == other.phone_key and not shared_phone:
        return True
    street, others = one.street_key, other.street_key
    if shared_home or not street or not others:
        return False
    same_zip = one.zip_key == other.zip_key
    if street == others:
        return same_zip or (one.city_key == other.city_key != "")
    return same_zip and agreement.streets_alike(street, others)


def _told_apart(one: Identity, other: Identity) -> bool:
    middles = agreement.middles_differ(one.middle_key, other.middle_key)
    return middles or _sex_differs(one, other)


def _sex_differs(one: Identity, other: Identity) -> bool:
    return {one.sex, other.sex} == {"F", "M"}


def _swapped(one: Identity, other: Identity) -> bool:
    same = (one.last_key, one.first_key) == (other.first_key, other.last_key)
    return same and one.birth_date == other.birth_date


def _crossed(one: Identity, other: Identity) -> bool:
    """Whether first and last name are swapped, a slip in either let be."""
    pairs = (one.last_key, other.first_key), (one.first_key, other.last_key)
    return all(a == b or agreement.typo(a, b) for a, b in pairs)
