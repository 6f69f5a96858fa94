"""Whom a reported identity may be: what they share brings two together to be judged.

Pure: no database.  Comparing everyone with everyone is out of the question, so only
those in a common block are: one date of birth, one name, one first name and phone, or
one ZIP code and sound of the last name.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pmp.matching.identities import Identity
from pmp.matching.likeness import Band, Likeness, compare

_MOST_REVIEWS = 3

Doubt = tuple[int, Likeness]
"""A patient whom the staff should look at, and why."""


@dataclass(frozen=True)
class Kept:
    """An identity whose patient is known."""

    identity: Identity
    patient_id: int


class Pool:
    """Identities that a new one may be compared with, found by what they share."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[object, ...], dict[str, Kept]] = defaultdict(dict)

    def add(self, kept: Kept) -> None:
        """Take an identity in; equal ones count once."""
        for block in _blocks_of(kept.identity):
            self._blocks[block][kept.identity.fingerprint] = kept

    def near(self, identity: Identity) -> Iterable[Kept]:
        """Give those that share a block with an identity."""
        found: dict[str, Kept] = {}
        for block in _blocks_of(identity):
            found |= self._blocks.get(block, {})
        return found.values()

    def decide(self, identity: Identity) -> tuple[int, Likeness | None, list[Doubt]]:
        """Give the patient that it is (0: a new one), how sure, and the doubts.

        Of two patients that both fit, the likelier is taken and the other doubted; of
        equals, the one who came first.
        """
        best: dict[int, Likeness] = {}
        for kept in self.near(identity):
            likeness = compare(identity, kept.identity)
            before = best.get(kept.patient_id)
            if before is None or _rank(likeness) > _rank(before):
                best[kept.patient_id] = likeness
        ranked = sorted(best.items(), key=lambda each: each[0])
        ranked.sort(key=lambda each: _rank(each[1]), reverse=True)
        same = [each for each in ranked if each[1].band is Band.SAME]
        if same:
            return *same[0], same[1 : 1 + _MOST_REVIEWS]
        doubtful = [each for each in ranked if each[1].band is Band.REVIEW]
        return 0, None, doubtful[:_MOST_REVIEWS]


def _rank(likeness: Likeness) -> tuple[int, float]:
    order = (Band.DIFFERENT, Band.REVIEW, Band.SAME)
    return order.index(likeness.band), likeness.bits


def _blocks_of(identity: Identity) -> Iterator[tuple[object, ...]]:
    species = identity.species
    yield species, "born", identity.birth_date
    yield species, "named", identity.last_key, identity.first_key
    if identity.phone:
        yield species, "phone", identity.phone, identity.first_key
    if identity.zip_key and identity.last_sound:
        yield species, "lives", identity.zip_key, identity.last_sound
