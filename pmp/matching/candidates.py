"""Whom a reported identity may be: what they share brings two together to be judged.

Pure: no database.  Comparing everyone with everyone is out of the question, so only
those in a common block are: one date of birth, one name, one first name and phone, one
ZIP code and sound of the last name; in a list with gaps one street, or one first name
and ZIP code, as well.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pmp.matching import placeholders
from pmp.matching.identities import Identity
from pmp.matching.likeness import (
    COMMON,
    Band,
    Crowd,
    Frequencies,
    Likeness,
    apart,
    compare,
)

SHARED_BY = 12
"""A phone or a home of more patients than this weighs nothing."""

CLEARLY = 6.0
"""Bits that make one of two patients clearly the likelier: a phone, a ZIP code."""

_MOST_REVIEWS = 3

Doubt = tuple[int, Likeness]
"""A patient whom the staff should look at, and why."""

Shared = tuple[str, ...]
"""A phone, or a ZIP code and street as compared."""


@dataclass(frozen=True)
class Kept:
    """An identity whose patient is known."""

    identity: Identity
    patient_id: int


class Pool:
    """Identities that a new one may be compared with, found by what they share.

    `crowd` is that of which the pool is a part, or all; `frequencies` are its names'.
    `again`: the same two are judged several times, and others count what is shared.
    """

    def __init__(
        self,
        crowd: Crowd,
        frequencies: Frequencies = COMMON,
        *,
        again: bool = False,
    ) -> None:
        self._crowd = crowd
        self._frequencies = frequencies
        self._again = again
        self._blocks: dict[tuple[object, ...], dict[str, Kept]] = defaultdict(dict)
        self._members: dict[int, dict[str, Kept]] = defaultdict(dict)
        self._patients: dict[Shared, set[int]] = defaultdict(set)
        self._shared: set[Shared] = set()
        self._kept_apart: set[frozenset[int]] = set()
        self._judged: dict[tuple[str, str], Likeness] = {}

    def add(self, kept: Kept) -> None:
        """Take an identity in; equal ones count once."""
        identity = kept.identity
        for block in self._blocks_of(identity):
            self._blocks[block][identity.fingerprint] = kept
        self.add_member(kept)
        if not self._again:
            self._count(kept)

    def _count(self, kept: Kept) -> None:
        for shared in _shareable(kept.identity):
            patients = self._patients[shared]
            patients.add(kept.patient_id)
            if len(patients) == SHARED_BY + 1:
                self.share([shared])

    def add_member(self, kept: Kept) -> None:
        """Take in an identity of a patient that no block need find."""
        self._members[kept.patient_id][kept.identity.fingerprint] = kept

    def share(self, shared: Iterable[Shared]) -> None:
        """Take in phones and homes of so many that they tell nobody."""
        before = len(self._shared)
        self._shared.update(shared)
        if len(self._shared) > before:
            self._judged.clear()

    def keep_apart(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Take in pairs of patients of whom the staff said that they are two."""
        self._kept_apart.update(frozenset(pair) for pair in pairs)

    def near(self, identity: Identity) -> Collection[Kept]:
        """Give those that share a block with an identity."""
        found: dict[str, Kept] = {}
        for block in self._blocks_of(identity):
            if block in self._blocks:
                found |= self._blocks[block]
        return found.values()

    def fits(self, identity: Identity) -> Iterator[tuple[int, Likeness]]:
        """Give the patients that it may be, or may have to be asked about."""
        for kept in self.near(identity):
            likeness = self._judge(identity, kept.identity)
            if likeness.band is not Band.DIFFERENT:
                yield kept.patient_id, likeness

    def decide(self, identity: Identity) -> tuple[int, Likeness | None, list[Doubt]]:
        """Give the patient that it is (0: a new one), how sure, and the doubts.

        Of two patients that both fit, the clearly likelier is taken and the other
        doubted; if neither is, it is a new one and both are doubted.
        """
        ranked = self._ranked(identity)
        same = [each for each in ranked if each[1].band is Band.SAME]
        if same and self._clear(same):
            patient, likeness = same[0]
            doubted = [
                each
                for each in same[1:]
                if frozenset((patient, each[0])) not in self._kept_apart
            ]
            return patient, likeness, doubted[:_MOST_REVIEWS]
        doubtful = [each for each in ranked if each[1].band is not Band.DIFFERENT]
        if len(same) > 1:
            doubtful = [_torn(each) for each in same]
        return 0, None, doubtful[:_MOST_REVIEWS]

    def _clear(self, same: Sequence[Doubt]) -> bool:
        if len(same) == 1 or not self._crowd.relatives:
            return True
        return same[0][1].bits - same[1][1].bits >= CLEARLY

    def _ranked(self, identity: Identity) -> list[tuple[int, Likeness]]:
        """Give each patient's best likeness, the likeliest patient first."""
        best: dict[int, tuple[Likeness, Identity]] = {}
        for kept in self.near(identity):
            likeness = self._judge(identity, kept.identity)
            before = best.get(kept.patient_id)
            if before is None or _rank(likeness) > _rank(before[0]):
                best[kept.patient_id] = likeness, kept.identity
        ranked = [
            (patient, self._unless_apart(identity, patient, likeness, like))
            for patient, (likeness, like) in best.items()
        ]
        ranked.sort(key=lambda each: each[0])
        ranked.sort(key=lambda each: _rank(each[1]), reverse=True)
        return ranked

    def _unless_apart(
        self, identity: Identity, patient: int, likeness: Likeness, like: Identity
    ) -> Likeness:
        """Doubt a patient of whom another identity is apart from this one.

        Where the very identity that it is like is apart from that other, the staff
        have joined these two, and it is no news.
        """
        if likeness.band is not Band.SAME or not self._crowd.relatives:
            return likeness
        for kept in self._members[patient].values():
            reason = apart(identity, kept.identity, self._frequencies)
            if reason and not apart(like, kept.identity, self._frequencies):
                rule = f"like one report of this patient, but another has: {reason}"
                return replace(likeness, band=Band.REVIEW, rule=rule)
        return likeness

    def _judge(self, one: Identity, other: Identity) -> Likeness:
        pair = one.fingerprint, other.fingerprint
        found = self._judged.get(pair)
        if found is None:
            phone = ("phone", one.phone_key) in self._shared
            home = ("home", one.zip_key, one.street_key) in self._shared
            found = compare(
                one,
                other,
                self._frequencies,
                crowd=self._crowd,
                shared_phone=phone,
                shared_home=home,
            )
            if self._again:
                self._judged[pair] = found
        return found

    def _blocks_of(self, identity: Identity) -> Iterator[tuple[object, ...]]:
        species, born = identity.species, identity.birth_date
        last, first = identity.last_key, identity.first_key
        if not placeholders.is_birth_date(born) and born != placeholders.NO_DATE:
            yield species, "born", born
        if last and first and not identity.is_nobody:
            yield species, "named", last, first
        if identity.phone_key:
            yield species, "phone", identity.phone_key, first[:1]
        if identity.zip_key and identity.last_sound:
            yield species, "lives", identity.zip_key, identity.last_sound
        if self._crowd.gaps and identity.street_key:
            yield species, "street", identity.street_key
        if not self._crowd.relatives:
            for block in _rough_blocks(identity):
                yield species, *block


def _rough_blocks(identity: Identity) -> Iterator[tuple[object, ...]]:
    """Give what else brings together rows in which anything may be wrong or missing."""
    last, first = identity.last_key, identity.first_key
    yield "swapped", *sorted((last, first))
    for name in {last, first} - {""}:
        yield "name and ZIP", name, identity.zip_key
        yield "name and city", name, identity.city_key
    yield "born and ZIP", identity.birth_date.year, identity.zip_key
    road = identity.street_key.lstrip("0123456789")
    yield "road", road[:6], identity.zip_key


def _torn(doubt: Doubt) -> Doubt:
    rule = f"{doubt[1].rule}, but it fits more than one patient"
    return doubt[0], replace(doubt[1], band=Band.REVIEW, rule=rule)


def _rank(likeness: Likeness) -> tuple[int, float]:
    return _ORDER[likeness.band], likeness.bits


def _shareable(identity: Identity) -> Iterator[Shared]:
    if identity.phone_key:
        yield "phone", identity.phone_key
    if identity.street_key:
        yield "home", identity.zip_key, identity.street_key


_ORDER = {Band.DIFFERENT: 0, Band.REVIEW: 1, Band.SAME: 2}
