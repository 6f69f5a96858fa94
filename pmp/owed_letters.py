"""Which requests of patients have a letter that is not printed yet."""

from typing import Any

from peewee import JOIN, fn

from models import (
    DenialReview,
    Document,
    PartDenial,
    PatientRequest,
    PatientRequestState,
)


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
    part = (PatientRequest.state != PatientRequestState.WITHDRAWN) & _with_part()
    return (
        PatientRequest.select()
        .join(
            of_denial, JOIN.LEFT_OUTER, on=PatientRequest.denial_letter == of_denial.id
        )
        .where(more_time | denial | part | _with_review())
        .order_by(PatientRequest.id)
    )


def _with_part() -> Any:
    """Give the condition that a part is denied, and the patient not told."""
    untold: Any = PartDenial.letter.is_null()
    return PatientRequest.id.in_(PartDenial.select(PartDenial.request).where(untold))


def _with_review() -> Any:
    """Give the condition that the last review has ended, and the patient not told."""
    of_request: Any = DenialReview.select(fn.MAX(DenialReview.id)).where(
        DenialReview.ended_at.is_null(is_null=False)
    )
    last = of_request.group_by(DenialReview.request)
    untold = DenialReview.letter.is_null() & DenialReview.id.in_(last)
    told_of = DenialReview.select(DenialReview.request).where(untold)
    return PatientRequest.id.in_(told_of)
