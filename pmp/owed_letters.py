"""Which requests of patients have a letter that is not printed yet."""

from typing import Any

from peewee import JOIN

from models import Document, PatientRequest, PatientRequestState


def requests() -> Any:
    """Give the query of requests with a letter that is not printed, oldest first."""
    of_denial: Any = Document.alias()
    more_time = (
        (PatientRequest.state == PatientRequestState.OPEN)
        & PatientRequest.extended_at.is_null(is_null=False)
        & PatientRequest.extension_letter.is_null()
    )
    denial = (
        (PatientRequest.state == PatientRequestState.DENIED)
        & (PatientRequest.denied_ground != "")
        & (
            PatientRequest.denial_letter.is_null()
            | (of_denial.created_at < PatientRequest.ended_at)
        )
    )
    return (
        PatientRequest.select()
        .join(
            of_denial, JOIN.LEFT_OUTER, on=PatientRequest.denial_letter == of_denial.id
        )
        .where(more_time | denial)
        .order_by(PatientRequest.id)
    )
