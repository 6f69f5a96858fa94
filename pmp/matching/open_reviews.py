"""Which questions wait for the staff: one query for queue, tile and gauge."""

from typing import Any

from models import MatchReview, ReportedIdentity, ReviewStatus


def waiting() -> Any:
    """Give the query of reviews that wait: both sides still there, and two."""
    there = ReportedIdentity.alias()
    return (
        MatchReview.select(MatchReview, ReportedIdentity)
        .join(ReportedIdentity)
        .where(MatchReview.status == ReviewStatus.OPEN)
        .where(MatchReview.candidate != ReportedIdentity.patient)
        .where(MatchReview.candidate.in_(there.select(there.patient)))
    )
