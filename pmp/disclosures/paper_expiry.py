"""Papers and letters of requests are kept for years, and then destroyed, on the record.

45 CFR 164.530(j) has a program keep what it wrote for six years. Counted from when the
request ended, or was decided, and not from before the paper was made: the letter about
a review comes after the end. What is open keeps its papers. That there was one, its
code, its SHA-256, and what was disclosed to whom stay.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from models import (
    DenialReview,
    Document,
    OfficialRequest,
    PartDenial,
    PatientRequest,
    PatientRequestState,
)
from pmp import audit, clock, database, documents, settings
from pmp.disclosures.accountings import years_before

AT_ONCE = 200
# What the audit record calls each of a patient's request.
_OF_PATIENTS = {
    "paper": PatientRequest.document,
    "more-time": PatientRequest.extension_letter,
    "denial": PatientRequest.denial_letter,
    "part": PartDenial.letter,
    "review": DenialReview.letter,
}


def purge(*, at: datetime) -> int:
    """Destroy the papers whose time is over; give how many, two hundred of a kind."""
    day = years_before(clock.day_of(at), settings.current().request_paper_years)
    limit = clock.start_of(day)
    count = 0
    for column in (*_OF_PATIENTS.values(), OfficialRequest.document):
        for row in _old(column, limit):
            count += _destroy(row, column, limit, at=at)
    return count


def _old(column: Any, limit: datetime) -> Iterator[Any]:
    """Give the requests that ended before a time and have such a paper still."""
    yield from (
        _ended(column.model, limit)
        .join(Document, on=column == Document.id)
        .where(Document.purged_at.is_null(), Document.created_at < limit)
        .order_by(column.model.id)
        .limit(AT_ONCE)
    )


def _ended(table: Any, limit: datetime) -> Any:
    if table is OfficialRequest:
        return table.select().where(table.decided_at < limit)
    query = table.select()
    if table is not PatientRequest:
        query = query.join(PatientRequest).switch(table)
    is_over = PatientRequest.state != PatientRequestState.OPEN
    return query.where(is_over, PatientRequest.ended_at < limit)


def _destroy(row: Any, column: Any, limit: datetime, *, at: datetime) -> int:
    """Destroy one paper; none where somebody has opened the request again meanwhile."""
    document = getattr(row, column.name)
    table = column.model
    request = row.request if table in (PartDenial, DenialReview) else row
    with database.atomic():
        if not _ended(table, limit).where(table.id == row.id).exists():
            return 0
        documents.purge(document, at=at)
        detail = {"code": request.code or "", "sha256": document.sha256}
        if table is OfficialRequest:
            event = audit.Event.OFFICIAL_REQUEST_PAPER_DESTROYED
            subject = f"official_request:{request.id}"
        else:
            event = audit.Event.PATIENT_REQUEST_PAPER_DESTROYED
            subject = f"patient:{request.__data__['patient']}"
            detail |= {"request": request.id, "what": _what(column)}
        audit.record(event, actor="system", subject=subject, at=at, detail=detail)
    return 1


def _what(column: Any) -> str:
    return next(word for word, each in _OF_PATIENTS.items() if each is column)
