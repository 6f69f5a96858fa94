"""Which questions wait for the staff: one query for queue, tile and gauge."""

from typing import Any

from peewee import fn

from models import MatchReview, ReportedIdentity, ReviewStatus


def waiting() -> Any:
    """Give the query of reviews that wait: both sides still there, and two."""
    there = ReportedIdentity.alias()
    someone = there.select(there.id).where(there.patient == MatchReview.candidate)
    return (
        MatchReview.select(MatchReview, ReportedIdentity)
        .join(ReportedIdentity)
        .where(MatchReview.status == ReviewStatus.OPEN)
        .where(MatchReview.candidate != ReportedIdentity.patient)
        .where(fn.EXISTS(someone))
    )
