"""A user says that several candidates are one person: the staff decide, not the user.

A wrong join would show everybody a stranger's drugs, so nothing changes by it.
"""

from collections.abc import Sequence
from datetime import datetime

from models import LookUp, MatchReview, ReportedIdentity, User
from pmp import audit, database
from pmp.matching import apart, decisions

WHY = "a user says that they are one person"


def ask(
    look_up: LookUp, patient_ids: Sequence[int], *, by: User, at: datetime
) -> list[int]:
    """Open a review for each further patient beside the first; give the new ones' ids.

    A pair of which a review exists, whatever came of it, or whom staff keep apart, is
    not asked about again.
    """
    first, *others = patient_ids
    with database.atomic():
        opened = [
            decisions.ask(first, other, why=WHY, by=by, at=at).id
            for other in others
            if not _is_asked(first, other) and apart.between(first, other) is None
        ]
        audit.record(
            audit.Event.IDENTITY_DOUBTED,
            actor=by.username,
            subject=f"look_up:{look_up.id}",
            at=at,
            detail={"one_person": list(patient_ids), "reviews": opened},
        )
    return opened


def _is_asked(one: int, other: int) -> bool:
    """Whether there is a review of two patients, whichever of them it began with."""
    pair = [one, other]
    query = (
        MatchReview.select()
        .join(ReportedIdentity)
        .where(MatchReview.candidate.in_(pair))
        .where(ReportedIdentity.patient.in_(pair))
        .where(MatchReview.candidate != ReportedIdentity.patient)
    )
    return bool(query.exists())
