"""Staff decide who is one person: join, keep apart, split, and take each of it back.

Each decision is a row with its reason, is on the audit record, and settles threshold
cases and notices in its own transaction. One at a time, and never while a submission is
being stored (see `turns`). docs/decisions/0019 says what moves and why.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from peewee import fn

from models import (
    DecisionKind,
    DecisionSide,
    MatchDecision,
    MatchReview,
    Patient,
    ReportedIdentity,
    ReviewStatus,
    TicketOutcome,
    User,
)
from pmp import audit, database, readers
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.matching import apart, moves
from pmp.matching.comparison import nearest, one_kind, signs_against
from pmp.matching.turns import change_links
from pmp.thresholds import moved_cases

CHANGED = (
    "Somebody else has decided, or another report came meanwhile. Nothing was done; "
    "look at it again."
)
JOINABLE_AS_ONE_KIND = "A person and an animal are never one: keep them apart."


def join(
    review: MatchReview, *, reason: str, seen: str, by: User, at: datetime
) -> MatchDecision:
    """Make the two patients of a review one: the older one keeps its number.

    `seen` is what `mark_of` gave when the page was shown. RuleError without a reason
    against warning signs, ConflictError if anything changed since.
    """
    with database.atomic():
        change_links()
        review = _open(review, seen)
        kept, gone = sorted((review.identity.patient.id, review.candidate.id))
        moves.take_turn((kept, gone))
        stay, move = moves.identities_of(kept), moves.identities_of(gone)
        _check_join(stay, move, reason)
        decision = _write(
            DecisionKind.JOIN, kept, gone, review=review, reason=reason, by=by, at=at
        )
        moves.note_sides(decision, stay, DecisionSide.PATIENT, after=kept)
        moves.note_sides(decision, move, DecisionSide.OTHER, after=kept)
        cases = moved_cases.standing((kept, gone))
        noted = moves.close_reviews(
            kept, gone, ReviewStatus.JOINED, by=by.username, at=at
        )
        moves.move([row.id for row in move], kept)
        noted += moves.pass_reviews(gone, kept)
        _remember(decision, noted, cases)
        _record(audit.Event.IDENTITY_JOINED, decision, move, by=by, at=at)
        moves.settle((kept, gone), at=at)
    return decision


def keep_apart(
    review: MatchReview, *, reason: str, seen: str, by: User, at: datetime
) -> MatchDecision:
    """Keep the two patients of a review apart: nobody is asked about them again."""
    with database.atomic():
        change_links()
        review = _open(review, seen)
        one, other = review.candidate.id, review.identity.patient.id
        sides = moves.identities_of(one), moves.identities_of(other)
        decision = _write(
            DecisionKind.KEEP_APART,
            one,
            other,
            review=review,
            reason=reason,
            by=by,
            at=at,
        )
        moves.note_sides(decision, sides[0], DecisionSide.PATIENT, after=one)
        moves.note_sides(decision, sides[1], DecisionSide.OTHER, after=other)
        noted = moves.close_reviews(
            one, other, ReviewStatus.KEPT_APART, by=by.username, at=at
        )
        _remember(decision, noted, [])
        _record(audit.Event.IDENTITY_KEPT_APART, decision, sides[1], by=by, at=at)
    return decision


def split(  # noqa: PLR0913 - whom, where to, why, and who says so
    patient_id: int,
    identities: Collection[int],
    *,
    to: int | None = None,
    reason: str,
    seen: str,
    by: User,
    at: datetime,
) -> MatchDecision:
    """Part identities from a patient, to a new one or to `to`; the parts stay apart.

    `seen` is what `mark_of` gave for the patient. RuleError without a reason, for none
    or all of the identities, and where `to` is kept apart from them.
    """
    if not reason.strip():
        raise RuleError("Say why: it stays with the record.", field="reason")
    with database.atomic():
        change_links()
        if seen != mark_of(patient_id):
            raise ConflictError(CHANGED)
        rows = moves.identities_of(patient_id)
        move = [row for row in rows if row.id in identities]
        stay = [row for row in rows if row.id not in identities]
        _check_split(move, stay, to, patient_id)
        target = to or Patient.create(created_at=at).id
        # Readers before patients: who reports an entry takes the user first as well.
        shown = readers.find_under(patient_id, [row.id for row in move], at=at)
        moves.take_turn((patient_id, target))
        decision = _write(
            DecisionKind.SPLIT, patient_id, target, reason=reason, by=by, at=at
        )
        moves.note_sides(decision, stay, DecisionSide.PATIENT, after=patient_id)
        moves.note_sides(decision, move, DecisionSide.OTHER, after=target)
        cases = moved_cases.standing((patient_id, target))
        moves.move([row.id for row in move], target)
        noted = _settled_by_split(target, by=by, at=at)
        _remember(decision, noted, cases)
        _record(audit.Event.IDENTITY_SPLIT, decision, move, by=by, at=at)
        moves.settle((patient_id, target), at=at)
        parted = dict.fromkeys(shown, TicketOutcome.IDENTITY_FIXED)
        readers.tell(shown, parted, at=at, but=by)
    return decision


def ask(
    patient_id: int, other_id: int, *, why: str = "", by: User, at: datetime
) -> MatchReview:
    """Put it to the staff whether two patients are one; `why` is what they read.

    RuleError, at `other`, where there are not two, and where they are kept apart.
    """
    with database.atomic():
        change_links()
        here, there = moves.identities_of(patient_id), moves.identities_of(other_id)
        if patient_id == other_id or not here or not there:
            raise RuleError("There is no other patient with this number.", "other")
        if (standing := apart.between(patient_id, other_id)) is not None:
            raise RuleError(
                f"Decision {standing.id} keeps them apart. Undo it first, if it was "
                "wrong.",
                field="other",
            )
        _, likeness = nearest(there[-1], here)
        audit.record(
            audit.Event.MATCH_REVIEW_ASKED,
            actor=by.username,
            subject=f"patient:{patient_id}",
            at=at,
            detail={"other": other_id},
        )
        found: MatchReview | None = MatchReview.get_or_none(
            identity=there[-1], candidate=patient_id
        )
        review = found or MatchReview(identity=there[-1], candidate=patient_id)
        review.status, review.opened_at = ReviewStatus.OPEN, at
        review.decided_by, review.decided_at = "", None
        review.score = Decimal(str(round(likeness.bits, 2)))
        why = why or f"asked by {by.username}"
        review.evidence = {"why": why, **likeness.evidence}
        review.save()
    return review


def mark_of(*patient_ids: int) -> str:
    """Give what changes when identities come or go: a page sends it back."""
    query: Any = (
        ReportedIdentity.select(ReportedIdentity.patient, ReportedIdentity.id)
        .where(ReportedIdentity.patient.in_(patient_ids))
        .order_by(ReportedIdentity.patient, ReportedIdentity.id)
        .tuples()
    )
    return ".".join(f"{patient}-{identity}" for patient, identity in query)


def get(decision_id: int) -> MatchDecision:
    """Give a decision; NotFoundError."""
    found: MatchDecision | None = MatchDecision.get_or_none(id=decision_id)
    if found is None:
        raise NotFoundError("There is no such decision.")
    return found


def about(patient_id: int) -> list[MatchDecision]:
    """Give the decisions that a patient was part of, the newest first."""
    return list(
        MatchDecision.select()
        .where(
            (MatchDecision.patient == patient_id) | (MatchDecision.other == patient_id)
        )
        .order_by(MatchDecision.id.desc())
    )


def _open(review: MatchReview, seen: str) -> MatchReview:
    """Read a review anew; ConflictError unless it is open and as it was shown."""
    fresh: MatchReview = MatchReview.get_by_id(review.id)
    one, other = fresh.identity.patient.id, fresh.candidate.id
    if fresh.status != ReviewStatus.OPEN or one == other:
        raise ConflictError(CHANGED)
    if seen != mark_of(one, other):
        raise ConflictError(CHANGED)
    return fresh


def _check_join(
    stay: Sequence[ReportedIdentity], move: Sequence[ReportedIdentity], reason: str
) -> None:
    if not stay or not move:
        raise ConflictError(CHANGED)
    if not one_kind([*stay, *move]):
        raise RuleError(JOINABLE_AS_ONE_KIND)
    if found := apart.within(row.id for row in (*stay, *move)):
        number = found[0].decision_id
        raise RuleError(
            f"Decision {number} keeps some of these apart. Undo it first, if it was "
            "wrong."
        )
    if (signs := signs_against(stay, move)) and not reason.strip():
        raise RuleError(
            f"Say why they are one person in spite of {', '.join(signs)}.",
            field="reason",
        )


def _check_split(
    move: Sequence[ReportedIdentity],
    stay: Sequence[ReportedIdentity],
    to: int | None,
    patient_id: int,
) -> None:
    if not move:
        raise RuleError("Choose who is another person.", field="identities")
    if not stay:
        raise RuleError("Leave at least one with this patient.", field="identities")
    if to is None:
        return
    there = moves.identities_of(to)
    if to == patient_id or not there:
        raise RuleError("There is no other patient with this number.", field="to")
    if not one_kind([*move, *there]):
        raise RuleError(JOINABLE_AS_ONE_KIND, field="to")
    if found := apart.within(row.id for row in (*move, *there)):
        number = found[0].decision_id
        raise RuleError(
            f"Decision {number} keeps them apart from patient {to}. Undo it first, "
            "if it was wrong.",
            field="to",
        )


def _settled_by_split(target: int, *, by: User, at: datetime) -> list[Any]:
    """Answer the open questions whether what moved is the patient it moved to."""
    found = list(
        MatchReview.select()
        .join(ReportedIdentity)
        .where(MatchReview.status == ReviewStatus.OPEN)
        .where(MatchReview.candidate == target)
        .where(ReportedIdentity.patient == target)
    )
    for review in found:
        MatchReview.update(
            status=ReviewStatus.JOINED, decided_by=by.username, decided_at=at
        ).where(MatchReview.id == review.id).execute()
    status = ReviewStatus.JOINED.value
    return [[each.id, target, each.status.value, target, status] for each in found]


def _write(  # noqa: PLR0913 - a decision's columns
    kind: DecisionKind,
    patient: int,
    other: int,
    *,
    review: MatchReview | None = None,
    reason: str,
    by: User,
    at: datetime,
) -> MatchDecision:
    decision: MatchDecision = MatchDecision.create(
        kind=kind,
        patient=patient,
        other=other,
        review=review,
        reason=reason.strip(),
        decided_by=by.username,
        decided_at=at,
    )
    return decision


def _remember(decision: MatchDecision, reviews: list[Any], cases: list[Any]) -> None:
    """Keep what the undo needs: as `moves` and `moved_cases` noted it, and who came."""
    last = ReportedIdentity.select(fn.MAX(ReportedIdentity.id)).scalar()
    decision.besides = {"reviews": reviews, "cases": cases, "last_identity": last}
    decision.save(only=[MatchDecision.besides])


def _record(
    event: audit.Event,
    decision: MatchDecision,
    moved: Sequence[ReportedIdentity],
    *,
    by: User,
    at: datetime,
) -> None:
    """Put a decision on the record of both patients."""
    sides = decision.patient.id, decision.other.id
    for here, there in (sides, sides[::-1]):
        audit.record(
            event,
            actor=by.username,
            subject=f"patient:{here}",
            at=at,
            detail={
                "decision": decision.id,
                "other": there,
                "identities": [row.id for row in moved],
                "reason": decision.reason,
            },
        )
