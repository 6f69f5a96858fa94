"""Moving identities from patient to patient, and all that goes with them.

Fills go with their identity; cases follow their entries; questions to the staff follow
the patients. Look-ups, disclosures and audit rows stay: they say what was then. What
a move changes besides the identities is given back as it was, for its undo.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from models import (
    DecidedIdentity,
    DecisionSide,
    Dispensation,
    MatchDecision,
    MatchReview,
    Patient,
    ReportedIdentity,
    ReviewStatus,
    ThresholdCase,
)
from pmp import bulk, database, thresholds
from pmp.thresholds import case_recipients, moved_cases


def take_turn(patient_ids: Collection[int]) -> None:
    """Keep others from settling or sending the same patients' cases meanwhile."""
    if not database.is_sqlite():  # SQLite's transactions are IMMEDIATE
        cases = ThresholdCase.select(ThresholdCase.id)
        case_recipients.take_reports(
            cases.where(ThresholdCase.patient.in_(sorted(patient_ids)))
        )
        ids = sorted(patient_ids)
        query: Any = Patient.select(Patient.id).where(Patient.id.in_(ids))
        # Not FOR UPDATE: whoever stores a fill of theirs need not wait.
        list(query.order_by(Patient.id).for_update("FOR NO KEY UPDATE").tuples())


def identities_of(patient_id: int) -> list[ReportedIdentity]:
    """Give a patient's identities in the order of their coming."""
    return list(
        ReportedIdentity.select()
        .where(ReportedIdentity.patient == patient_id)
        .order_by(ReportedIdentity.id)
    )


def note_sides(
    decision: MatchDecision,
    rows: Iterable[ReportedIdentity],
    side: DecisionSide,
    *,
    after: int,
) -> None:
    """Write down who was on one side of a decision, and with whom they are after it."""
    bulk.insert(
        DecidedIdentity,
        [
            {
                "decision": decision.id,
                "identity": row.id,
                "side": side.value,
                "before": row.patient.id,
                "after": after,
            }
            for row in rows
        ],
    )


def move(identities: Iterable[int], to: int) -> None:
    """Link identities and their fills, voided ones too, to a patient."""
    wanted = sorted(identities)
    table: Any = ReportedIdentity
    table.update(patient=to).where(bulk.among(table.id, wanted)).execute()
    fills: Any = Dispensation
    fills.update(patient=to).where(bulk.among(fills.identity, wanted)).execute()


def settle(patient_ids: Collection[int], *, at: datetime) -> None:
    """Bring the cases of patients whose identities moved to what is true now."""
    moved_cases.follow(patient_ids, at=at)
    thresholds.evaluate(patient_ids, at=at)
    thresholds.tell_returned(patient_ids, at=at)


def close_reviews(
    one: int, other: int, status: ReviewStatus, *, by: str, at: datetime
) -> list[Any]:
    """Answer the open questions whether two patients are one; give them as noted."""
    found = [
        review
        for review in MatchReview.select(MatchReview, ReportedIdentity)
        .join(ReportedIdentity)
        .where(MatchReview.status == ReviewStatus.OPEN)
        .where(MatchReview.candidate.in_([one, other]))
        .where(ReportedIdentity.patient.in_([one, other]))
        if review.candidate.id != review.identity.patient.id
    ]
    for review in found:
        MatchReview.update(status=status, decided_by=by, decided_at=at).where(
            MatchReview.id == review.id
        ).execute()
    return [_noted(review, review.candidate.id, status) for review in found]


def pass_reviews(gone: int, kept: int) -> list[Any]:
    """Have questions about a patient who was joined be about the one who is kept."""
    noted = []
    rows = (
        MatchReview.select(MatchReview, ReportedIdentity)
        .join(ReportedIdentity)
        .where(MatchReview.candidate == gone)
        .where(MatchReview.status != ReviewStatus.JOINED)
        .where(ReportedIdentity.patient != kept)
        .order_by(MatchReview.id)
    )
    for review in rows:
        asked = MatchReview.get_or_none(identity=review.identity, candidate=kept)
        if asked is None:
            MatchReview.update(candidate=kept).where(
                MatchReview.id == review.id
            ).execute()
            noted.append(_noted(review, kept, review.status))
    return noted


def put_reviews_back(noted: Sequence[Any]) -> None:
    """Give reviews back what a decision changed, unless a later one has changed it."""
    for number, before, was, after, became in noted:
        review = MatchReview.get_by_id(number)
        columns: dict[str, Any] = {}
        if before != after and review.candidate.id == after:
            columns["candidate"] = before
        if was != became and review.status == became:
            columns |= {"status": was, "decided_by": "", "decided_at": None}
        if columns:
            MatchReview.update(**columns).where(MatchReview.id == number).execute()


def _noted(review: MatchReview, candidate: int, status: ReviewStatus) -> list[Any]:
    before: list[Any] = [review.id, review.candidate.id, review.status.value]
    return [*before, candidate, status.value]
