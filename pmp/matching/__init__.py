"""Which reported identities are one person: linked, never merged, always explained.

An identity that was reported before is found by its fingerprint.  A new one is compared
with those that share its date of birth, its name, its first name and phone, or its ZIP
code and the sound of its last name; `likeness` judges.  One person: it is linked to
that patient.  Doubtful: it becomes a new patient, and a `MatchReview` asks the staff.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import models
from models import MatchReview, Patient, ReportedIdentity
from pmp import bulk, database
from pmp.matching import apart, stored
from pmp.matching.candidates import Kept
from pmp.matching.identities import Identity
from pmp.matching.likeness import Likeness, compare
from pmp.matching.turns import hold_links

__all__ = ["Identity", "Link", "compare", "known", "link"]

_BATCH = 500
_ADVISORY_LOCK = 20573


@dataclass(frozen=True)
class Link:
    """Where a reported identity is kept, and the patient it belongs to."""

    identity_id: int
    patient_id: int
    is_new: bool


def known(identities: Iterable[Identity]) -> dict[str, int]:
    """Find identities that were reported before: fingerprint → id of the identity."""
    return {mark: found.identity_id for mark, found in _known(identities).items()}


def link(identities: Sequence[Identity], *, at: datetime) -> list[Link]:
    """Give each identity its row and its patient, in the order given.

    Writes identities, patients and reviews in the caller's transaction (or its own).
    An identity that was reported before keeps its link, whatever has changed since;
    until the transaction ends, no decision of the staff changes the links given.
    """
    with database.atomic():
        hold_links()
        found = _known(identities)
        new = _unknown(identities, found)
        if new:
            found |= _take_in(new, at=at)
    return [found[identity.fingerprint] for identity in identities]


def _take_in(new: Sequence[Identity], *, at: datetime) -> dict[str, Link]:
    """Match and store identities that the table did not have a moment ago."""
    _take_turn()
    found = _known(new)
    rest = _unknown(new, found)
    for batch in _batches(rest):
        found |= _match(batch, at=at)
    return found


def _take_turn() -> None:
    # Two files that bring the same new person must not each make a patient of them.
    if not database.is_sqlite():
        models.database.execute_sql(
            "SELECT pg_advisory_xact_lock(%s)", (_ADVISORY_LOCK,)
        )


def _unknown(identities: Iterable[Identity], found: dict[str, Link]) -> list[Identity]:
    new = {each.fingerprint: each for each in identities}
    return [each for mark, each in new.items() if mark not in found]


def _known(identities: Iterable[Identity]) -> dict[str, Link]:
    table: Any = ReportedIdentity
    found: dict[str, Link] = {}
    for batch in _batches(sorted({each.fingerprint for each in identities})):
        rows = (
            table.select(table.fingerprint, table.id, table.patient)
            .where(bulk.among(table.fingerprint, batch))
            .tuples()
        )
        found |= {mark: Link(row, patient, is_new=False) for mark, row, patient in rows}
    return found


def _match(batch: Sequence[Identity], *, at: datetime) -> dict[str, Link]:
    """Decide on new identities one after another, so that they can match each other."""
    pool = stored.pool_for(batch)
    rows = bulk.next_ids(ReportedIdentity, len(batch))
    patients = iter(bulk.next_ids(Patient, len(batch)))
    links: dict[str, Link] = {}
    made: list[dict[str, Any]] = []
    reported: list[dict[str, Any]] = []
    reviews: list[dict[str, Any]] = []
    for row, identity in zip(rows, batch, strict=True):
        patient, best, doubtful = apart.heeded(pool.decide(identity))
        if not patient:
            patient = next(patients)
            made.append({"id": patient, "created_at": at})
        pool.add(Kept(identity, patient))
        links[identity.fingerprint] = Link(row, patient, is_new=True)
        reported.append(row_of(row, identity, patient, best, at))
        reviews += [_review(row, other, like, at) for other, like in doubtful]
    bulk.insert(Patient, made)
    bulk.insert(ReportedIdentity, reported)
    bulk.insert(MatchReview, reviews)
    return links


def row_of(
    row: int, identity: Identity, patient: int, best: Likeness | None, at: datetime
) -> dict[str, Any]:
    return {
        "id": row,
        "fingerprint": identity.fingerprint,
        "patient": patient,
        "last_name": identity.last,
        "first_name": identity.first,
        "middle_name": identity.middle,
        "suffix": identity.suffix,
        "birth_date": identity.birth_date,
        "sex": identity.sex,
        "street": identity.street,
        "city": identity.city,
        "state": identity.state,
        "zip": identity.zip,
        "phone": identity.phone,
        "species": models.Species(identity.species),
        "animal_name": identity.animal_name,
        "last_key": identity.last_key,
        "first_key": identity.first_key,
        "last_sound": identity.last_sound,
        "link_rule": best.rule if best else "first report of this person",
        "link_score": _bits(best) if best else None,
        "link_evidence": best.evidence if best else {},
        "linked_by": "matching",
        "linked_at": at,
    }


def _review(row: int, patient: int, likeness: Likeness, at: datetime) -> dict[str, Any]:
    return {
        "identity": row,
        "candidate": patient,
        "score": _bits(likeness),
        "evidence": {"why": likeness.rule, **likeness.evidence},
        "opened_at": at,
    }


def _bits(likeness: Likeness) -> Decimal:
    return Decimal(str(round(likeness.bits, 2)))


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
