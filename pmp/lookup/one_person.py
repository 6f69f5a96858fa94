"""A user says that several candidates are one person: the staff decide, not the user.

A wrong join would show everybody a stranger's drugs, so nothing changes by it.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from models import LookUp, MatchReview, ReportedIdentity, User
from pmp import audit, database


def ask(
    look_up: LookUp, patient_ids: Sequence[int], *, by: User, at: datetime
) -> list[int]:
    """Open a review for each further patient beside the first; give the new ones' ids.

    A pair of which a review exists, whatever came of it, is not asked about again.
    """
    first, *others = patient_ids
    opened = []
    with database.atomic():
        for other in others:
            identity = _newest(other)
            if identity is None or _is_asked(identity, first):
                continue
            review = MatchReview.create(
                identity=identity,
                candidate=first,
                score=Decimal(0),
                evidence={"why": "a user says that they are one person"},
                opened_at=at,
            )
            opened.append(review.id)
        audit.record(
            audit.Event.IDENTITY_DOUBTED,
            actor=by.username,
            subject=f"look_up:{look_up.id}",
            at=at,
            detail={"one_person": list(patient_ids), "reviews": opened},
        )
    return opened


def _newest(patient_id: int) -> ReportedIdentity | None:
    found: ReportedIdentity | None = (
        ReportedIdentity.select()
        .where(ReportedIdentity.patient == patient_id)
        .order_by(ReportedIdentity.id.desc())
        .first()
    )
    return found


def _is_asked(identity: ReportedIdentity, patient_id: int) -> bool:
    query = MatchReview.select().where(
        (MatchReview.identity == identity) & (MatchReview.candidate == patient_id)
    )
    return bool(query.exists())
