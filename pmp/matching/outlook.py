"""What a decision would do, found by doing it and taking all of it back.

Nothing is kept and nothing is sent; whoever reads it sees what will happen, no guess.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from peewee import fn

from models import (
    CaseStatus,
    DecidedIdentity,
    Delivery,
    DeliveryKind,
    Dispensation,
    DispensationStatus,
    MatchDecision,
    Table,
    ThresholdCase,
    ThresholdRule,
)
from pmp import bulk, database
from pmp.thresholds.reached import counted_words
from pmp.thresholds.threshold_rules import sentence


@dataclass(frozen=True)
class Change:
    """A threshold case before and after: words, and counts of the numbers."""

    case_id: int | None
    rule: str
    becomes: str


@dataclass(frozen=True)
class Outlook:
    """What would happen: who moves with how many fills, cases, who is written to."""

    identities: int
    fills: int
    cases: list[Change]
    reports: int
    notices: int


def outlook(act: Callable[[], object], patient_ids: Iterable[int]) -> Outlook:
    """Give what an act on these patients would do; RuleError as it would in earnest.

    An undo gives no decision, but a plan that tells whom it moves.
    """
    with database.atomic() as attempt:
        before = _cases(ThresholdCase.patient.in_(sorted(patient_ids)))
        last_case, last_delivery = _last(ThresholdCase), _last(Delivery)
        decision = act()
        moved = _moved(decision) if isinstance(decision, MatchDecision) else []
        known = ThresholdCase.id.in_(list(before))
        found = Outlook(
            identities=len(moved),
            fills=_fills(moved),
            cases=_changes(before, _cases(known | (ThresholdCase.id > last_case))),
            reports=_requested(DeliveryKind.THRESHOLD_REPORT, last_delivery),
            notices=_requested(DeliveryKind.CORRECTION_NOTICE, last_delivery),
        )
        attempt.rollback()
    return found


def _cases(wanted: Any) -> dict[int, ThresholdCase]:
    query = ThresholdCase.select(ThresholdCase, ThresholdRule).join(ThresholdRule)
    return {case.id: case for case in query.where(wanted).order_by(ThresholdCase.id)}


def _changes(
    before: dict[int, ThresholdCase], after: dict[int, ThresholdCase]
) -> list[Change]:
    """Say what becomes of each case that stands before or after."""
    gone = CaseStatus.WITHDRAWN
    return [
        Change(
            case_id if case_id in before else None,
            sentence(case.rule),
            _becomes(before.get(case_id), case),
        )
        for case_id, case in after.items()
        if case.status != gone or (case_id in before and before[case_id].status != gone)
    ]


def _becomes(before: ThresholdCase | None, after: ThresholdCase) -> str:
    numbers = counted_words(after)
    if before is None:
        return f"is new: {numbers}"
    if after.status == CaseStatus.WITHDRAWN:
        return f"ends: {after.withdrawn_reason}"
    if before.status == CaseStatus.WITHDRAWN:
        return f"stands again: {numbers}"
    was = counted_words(before)
    if was == numbers:
        return f"stays: {numbers}"
    return f"changes from {was} to {numbers}"


def _last(table: type[Table]) -> int:
    return int(table.select(fn.MAX(table.id)).scalar() or 0)


def _requested(kind: DeliveryKind, last: int) -> int:
    query = Delivery.select().where(Delivery.id > last, Delivery.kind == kind)
    return int(query.where(Delivery.parent.is_null()).count())


def _moved(decision: MatchDecision) -> list[int]:
    rows: Any = (
        DecidedIdentity.select(DecidedIdentity.identity)
        .where(DecidedIdentity.decision == decision)
        .where(DecidedIdentity.before != DecidedIdentity.after)
        .tuples()
    )
    return [identity for (identity,) in rows]


def _fills(identities: list[int]) -> int:
    table: Any = Dispensation
    wanted = bulk.among(table.identity, identities)
    current = table.status == DispensationStatus.CURRENT
    return int(table.select().where(wanted, current).count())
