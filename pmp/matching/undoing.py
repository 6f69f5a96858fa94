"""Taking a decision back: what stood before stands again.

Identities that it moved go back with all their fills, also those that came since. What
was reported for the first time since goes to the part that it is more like. A later
decision that moved the same identities must be undone first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import (
    DecidedIdentity,
    DecisionKind,
    DecisionSide,
    Dispensation,
    MatchDecision,
    ReportedIdentity,
    TicketOutcome,
    User,
)
from pmp import audit, bulk, database, readers
from pmp.errors import ConflictError, RuleError
from pmp.matching import apart, moves
from pmp.matching.comparison import is_nearer
from pmp.matching.turns import change_links
from pmp.thresholds import moved_cases

MOVING = (DecisionKind.JOIN, DecisionKind.SPLIT)


@dataclass(frozen=True)
class Plan:
    """What an undo does: who goes from where to where, and what came since.

    `arrived` are identities that were reported for the first time since the decision;
    `going` those of them that go along.
    """

    back: Sequence[ReportedIdentity]
    source: int
    target: int
    arrived: Sequence[ReportedIdentity] = ()
    going: Sequence[ReportedIdentity] = ()
    fills: int = 0

    @property
    def staying(self) -> list[ReportedIdentity]:
        """Give those that came since and stay."""
        gone = {row.id for row in self.going}
        return [row for row in self.arrived if row.id not in gone]


def undo(decision: MatchDecision, *, by: User, at: datetime) -> Plan:
    """Take a decision back; ConflictError if it was, or a later one must be first."""
    with database.atomic():
        change_links()
        decision = MatchDecision.get_by_id(decision.id)
        if decision.undone_at is not None:
            raise ConflictError("This decision was undone already. Nothing was done.")
        _refuse_before_later(decision)
        plan = plan_of(decision)
        shown: readers.Found = {}
        if decision.kind in MOVING:
            _refuse_in_part(decision, plan)
            shown = _carry_out(decision, plan, at=at)
        moves.put_reviews_back(decision.besides.get("reviews", []))
        decision.undone_by, decision.undone_at = by.username, at
        decision.save(only=[MatchDecision.undone_by, MatchDecision.undone_at])
        _record(decision, plan, by=by, at=at)
        if decision.kind in MOVING:
            patients = (plan.source, plan.target)
            moved_cases.put_back(decision.besides.get("cases", []), at=at)
            moves.settle(patients, at=at)
            readers.tell(shown, _outcomes(decision, shown), at=at, but=by)
    return plan


def plan_of(decision: MatchDecision) -> Plan:
    """Tell what an undo would do, as things stand."""
    source, target = _way_back(decision)
    if decision.kind not in MOVING:
        return Plan((), source, target)
    rows = moves.identities_of(source)
    decided = _decided(decision)
    back = [row for row in rows if decided.get(row.id) == DecisionSide.OTHER]
    since = _came_since(decision, rows)
    stayed = [row for row in rows if row not in back and row not in since]
    going = [row for row in since if not stayed or is_nearer(row, stayed, back)]
    fills = _fills_since([*back, *going], decision.decided_at)
    return Plan(back, source, target, since, going, fills)


def later(decision: MatchDecision) -> MatchDecision | None:
    """Give the newest later decision that stands and must be undone before this one.

    It moved the same identities, or some that came since and stand where this one led.
    """
    if decision.kind not in MOVING:
        return None
    own: Any = DecidedIdentity.alias()
    same = own.select(own.identity).where(own.decision == decision)
    source, _ = _way_back(decision)
    arrived = _came_since(decision, moves.identities_of(source))
    found: MatchDecision | None = (
        MatchDecision.select(MatchDecision)
        .join(DecidedIdentity)
        .where(
            DecidedIdentity.identity.in_(same)
            | bulk.among(DecidedIdentity.identity, [row.id for row in arrived])
        )
        .where(MatchDecision.id > decision.id, MatchDecision.undone_at.is_null())
        .where(MatchDecision.kind.in_(MOVING))
        .order_by(MatchDecision.id.desc())
        .first()
    )
    return found


def _way_back(decision: MatchDecision) -> tuple[int, int]:
    """Give from which patient an undo takes identities, and to which."""
    if decision.kind == DecisionKind.SPLIT:
        return decision.other.id, decision.patient.id
    return decision.patient.id, decision.other.id


def _came_since(
    decision: MatchDecision, rows: Sequence[ReportedIdentity]
) -> list[ReportedIdentity]:
    """Keep those that were reported for the first time since a decision."""
    last = decision.besides["last_identity"]
    return [row for row in rows if row.id > last]


def _refuse_before_later(decision: MatchDecision) -> None:
    if (newer := later(decision)) is not None:
        raise ConflictError(
            f"Decision {newer.id} came later and moved the same reports. Undo that "
            "one first, or split the patient."
        )


def _refuse_in_part(decision: MatchDecision, plan: Plan) -> None:
    """Refuse an undo that would leave some of those who moved where they are."""
    sides = _decided(decision).items()
    moved = {number for number, side in sides if side == DecisionSide.OTHER}
    if moved != {row.id for row in plan.back}:
        raise ConflictError(
            f"Some of what decision {decision.id} moved is with another patient by now."
            " Nothing was done; split the patient instead."
        )


def _carry_out(decision: MatchDecision, plan: Plan, *, at: datetime) -> readers.Found:
    """Move them back; give to whom their fills were shown as the other person's."""
    going = [row.id for row in (*plan.back, *plan.going)]
    shown = (
        readers.find_told(going)
        if decision.kind is DecisionKind.SPLIT
        else readers.find_under(plan.source, going, at=at)
    )
    moves.take_turn((plan.source, plan.target))
    there = [row.id for row in moves.identities_of(plan.target)]
    pairs = apart.within([*going, *there], but=decision.id)
    if pairs:
        raise RuleError(
            f"Decision {pairs[0].decision_id} keeps some of these apart. Undo it first."
        )
    # Those that came since were where the decision had led to.
    side = DecisionSide.OTHER
    moves.note_sides(decision, plan.going, side, after=plan.source)
    table: Any = DecidedIdentity
    table.update(returned=plan.target).where(
        table.decision == decision, bulk.among(table.identity, going)
    ).execute()
    moves.move(going, plan.target)
    return shown


def _outcomes(
    decision: MatchDecision, shown: readers.Found
) -> dict[int, TicketOutcome]:
    """Say what an undone decision is to readers: fills come back, or part again."""
    back = decision.kind is DecisionKind.SPLIT
    outcome = TicketOutcome.CORRECTED if back else TicketOutcome.IDENTITY_FIXED
    return dict.fromkeys(shown, outcome)


def _decided(decision: MatchDecision) -> dict[int, DecisionSide]:
    rows = DecidedIdentity.select().where(DecidedIdentity.decision == decision)
    return {row.__data__["identity"]: row.side for row in rows}


def _fills_since(rows: Sequence[ReportedIdentity], since: datetime) -> int:
    table: Any = Dispensation
    wanted = bulk.among(table.identity, [row.id for row in rows])
    return int(table.select().where(wanted, table.stored_at >= since).count())


def _record(decision: MatchDecision, plan: Plan, *, by: User, at: datetime) -> None:
    sides = decision.patient.id, decision.other.id
    for here, there in (sides, sides[::-1]):
        audit.record(
            audit.Event.MATCH_DECISION_UNDONE,
            actor=by.username,
            subject=f"patient:{here}",
            at=at,
            detail={
                "decision": decision.id,
                "other": there,
                "identities": [row.id for row in plan.back],
                "came_since": [row.id for row in plan.arrived],
            },
        )
