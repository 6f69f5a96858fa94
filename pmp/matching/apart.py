"""Whom staff keep apart: neither the matcher nor a later decision joins them.

A decision to keep apart and a split hold for the identities that were on its two sides,
wherever these are now, until it is undone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from models import DecidedIdentity, DecisionKind, DecisionSide, MatchDecision
from models import ReportedIdentity as Reported
from pmp import bulk
from pmp.matching.candidates import Doubt
from pmp.matching.likeness import Band, Likeness

KEEPING = (DecisionKind.KEEP_APART, DecisionKind.SPLIT)
CLEARLY = 6.0
"""Bits by which a new identity must be likelier one of two whom staff keep apart."""


@dataclass(frozen=True)
class Pair:
    """Two identities that stand on the two sides of a decision."""

    decision_id: int
    one: int
    other: int


def between(one: int, other: int) -> MatchDecision | None:
    """Give the decision that keeps two patients apart, the newest; None if none."""
    sides, others = DecidedIdentity.alias(), DecidedIdentity.alias()
    here, there = Reported.alias(), Reported.alias()
    found: MatchDecision | None = (
        MatchDecision.select(MatchDecision)
        .join(sides, on=(sides.decision == MatchDecision.id))
        .join(here, on=(sides.identity == here.id))
        .switch(MatchDecision)
        .join(others, on=(others.decision == MatchDecision.id))
        .join(there, on=(others.identity == there.id))
        .where(here.patient.in_([one, other]), there.patient.in_([one, other]))
        .where(here.patient != there.patient)
        .where(sides.side == DecisionSide.PATIENT, others.side == DecisionSide.OTHER)
        .where(MatchDecision.kind.in_(KEEPING), MatchDecision.undone_at.is_null())
        .order_by(MatchDecision.id.desc())
        .first()
    )
    return found


def within(identities: Iterable[int], *, but: int = 0) -> list[Pair]:
    """Give the pairs among identities that are kept apart by a decision, but one's."""
    wanted = sorted(set(identities))
    table: Any = DecidedIdentity
    sides, others = table.alias(), table.alias()
    rows: Any = (
        MatchDecision.select(MatchDecision.id, sides.identity, others.identity)
        .join(sides, on=(sides.decision == MatchDecision.id))
        .switch(MatchDecision)
        .join(others, on=(others.decision == MatchDecision.id))
        .where(bulk.among(sides.identity, wanted), bulk.among(others.identity, wanted))
        .where(sides.side == DecisionSide.PATIENT, others.side == DecisionSide.OTHER)
        .where(MatchDecision.kind.in_(KEEPING), MatchDecision.undone_at.is_null())
        .where(MatchDecision.id != but)
        .tuples()
    )
    return [Pair(*row) for row in rows]


def heeded(
    decided: tuple[int, Likeness | None, list[Doubt]],
) -> tuple[int, Likeness | None, list[Doubt]]:
    """Give a matcher's decision about a new identity as staff's decisions leave it.

    It is not asked again whether two are one whom staff keep apart.  An identity that
    fits both goes to the likelier; if neither is clearly likelier, staff are asked.
    """
    patient, best, doubts = decided
    if not patient or best is None or not doubts:
        return decided
    settled = [each for each in doubts if between(patient, each[0]) is not None]
    if any(
        like.band is Band.SAME and best.bits - like.bits < CLEARLY
        for _, like in settled
    ):
        return 0, None, [(patient, best), *doubts]
    return patient, best, [each for each in doubts if each not in settled]
