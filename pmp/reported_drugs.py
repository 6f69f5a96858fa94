"""Which drugs are reported, and who may see them: the programme's own list.

Pure. `PMP_REPORTED_DRUGS` names schedules, classes and ingredients,
each for everyone or for administrators alone: a state adds gabapentin by a word, and
keeps naloxone out of look-ups by another.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache, lru_cache

from pmp import drug_classes

SCHEDULES = ("CII", "CIII", "CIV", "CV")
_INGREDIENT = re.compile(r"[a-z]{3,40}")


class Audience(StrEnum):
    """Who sees the records of a drug; `no`: it is not reported at all."""

    EVERYONE = "everyone"
    ADMINISTRATORS = "administrators"
    NOBODY = "no"


def parse(text: str) -> dict[str, Audience]:
    """Read "CII,CV,gabapentin,naloxone=administrators"; a word alone is for everyone.

    Words are schedules, classes of `models.DrugClass`, or a word of an ingredient, in
    any case. Raises ValueError, with a sentence that names the word, for others.
    """
    audiences: dict[str, Audience] = {}
    for each in filter(None, (part.strip() for part in text.split(","))):
        word, sign, whom = (part.strip() for part in each.partition("="))
        key = word.upper() if word.upper() in SCHEDULES else word.lower()
        if key not in SCHEDULES and not _INGREDIENT.fullmatch(key):
            raise ValueError(
                f"{word!r} is no schedule ({', '.join(SCHEDULES)}), no class of drugs"
                " and no ingredient's name in letters"
            )
        if sign and whom not in set(Audience):
            raise ValueError(f"{each!r}: use {', '.join(Audience)} after the =")
        audiences[key] = Audience(whom) if sign else Audience.EVERYONE
    if not audiences:
        raise ValueError("name at least one schedule, class or ingredient")
    return audiences


@lru_cache(maxsize=10_000)
def audience(
    policy: str, *, schedule: str, drug_class: str, ingredient: str
) -> Audience:
    """Tell who sees a product under a policy, a text as `parse` reads.

    An ingredient that is named "no" is not reported whatever its schedule. Otherwise
    whatever lets everyone see it wins over what lets administrators: pentazocine with
    naloxone is CIV.
    """
    audiences = _parsed(policy)
    words = drug_classes.words_of(ingredient) | {drug_class, schedule}
    found = {audiences[word] for word in words if word in audiences}
    if Audience.NOBODY in found or not found:
        return Audience.NOBODY
    return Audience.EVERYONE if Audience.EVERYONE in found else Audience.ADMINISTRATORS


@cache
def _parsed(text: str) -> Mapping[str, Audience]:
    return parse(text)
