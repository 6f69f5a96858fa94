"""Letters that a patient is owed: more time is needed, or the request is denied.

45 CFR 164.524(b)(2)(ii) and (d)(2) want both in writing. A letter is drawn once, kept
sealed with its request, and handed over or mailed by staff as the paper itself is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from models import (
    Document,
    DocumentKind,
    PatientAsk,
    PatientRequest,
    PatientRequestState,
    User,
)
from pmp import audit, database, documents
from pmp.disclosures import patient_requests
from pmp.disclosures.denials import GROUNDS, Explained, Ground
from pmp.documents import DocumentLostError
from pmp.errors import ConflictError, NotFoundError

CHANGED = "This letter is made already, or the request has changed. Look at it again."


class LetterKind(StrEnum):
    """What a letter says; the word stands in a page's address."""

    MORE_TIME = "more-time"
    DENIAL = "denial"


WORDS = {LetterKind.MORE_TIME: "More time", LetterKind.DENIAL: "Denial"}
TOLD = {
    PatientAsk.BOTH: "the record that pharmacies reported and a list of who was told",
    PatientAsk.RECORD: "the record that pharmacies reported",
    PatientAsk.ACCOUNTING: "a list of who was told what",
}
LAWS = {
    PatientAsk.RECORD: "45 CFR 164.524(b)(2)",
    PatientAsk.ACCOUNTING: "45 CFR 164.528(c)(1)",
    PatientAsk.BOTH: "45 CFR 164.524(b)(2) and 164.528(c)(1)",
}
"""What lets the program take more time, by what is asked for."""
_COLUMNS = {
    LetterKind.MORE_TIME: PatientRequest.extension_letter,
    LetterKind.DENIAL: PatientRequest.denial_letter,
}


@dataclass(frozen=True)
class Standing:
    """How a letter of a request stands: as it was printed last, and what is owed."""

    kind: LetterKind
    words: str
    document: Document | None
    is_owed: bool


@dataclass(frozen=True)
class Letter:
    """What a letter says: `law` of more time, `explained` the ground of a denial."""

    kind: LetterKind
    request: PatientRequest
    what: str
    law: str
    reason: str
    explained: Explained | None
    made_by: User
    made_at: datetime


def standing(request: PatientRequest) -> Sequence[Standing]:
    """List the letters of a request: those that are owed, and those that were made.

    Requests that were denied before grounds were written down are owed none.
    """
    found = [_standing(request, kind) for kind in LetterKind]
    return [each for each in found if each is not None]


def gather(request_id: int, kind: LetterKind, *, by: User, at: datetime) -> Letter:
    """Collect what a letter says. ConflictError where it is not owed, or no more."""
    request = patient_requests.get(request_id)
    found = _standing(request, kind)
    if found is None or not found.is_owed:
        raise ConflictError(CHANGED)
    is_denial = kind == LetterKind.DENIAL
    return Letter(
        kind=kind,
        request=request,
        what=TOLD[request.asks],
        law=LAWS[request.asks],
        reason=request.ended_note if is_denial else request.extended_reason,
        explained=GROUNDS[Ground(request.denied_ground)] if is_denial else None,
        made_by=by,
        made_at=at,
    )


def keep(letter: Letter, *, body: bytes) -> None:
    """Keep a letter that was drawn, before anybody has it; on the audit record.

    That of a denial takes the place of one from before the request was opened again.
    ConflictError if somebody was quicker, or the request has changed.
    """
    request, kind, at = letter.request, letter.kind, letter.made_at
    column: Any = _COLUMNS[kind]
    before = getattr(request, column.name)
    with database.atomic():
        document = documents.keep(
            kind=DocumentKind.PATIENT_REPORT,
            media_type="application/pdf",
            body=body,
            at=at,
        )
        changed = (
            PatientRequest.update({column: document})
            .where(PatientRequest.id == request)
            .where(column.is_null() if before is None else column == before)
            .where(_ended_when(request))
            .execute()
        )
        if not changed:
            raise ConflictError(CHANGED)
        if before is not None:
            documents.purge(before, at=at)
        detail = {"letter": kind.value, "sha256": document.sha256}
        event = audit.Event.PATIENT_REQUEST_LETTER_MADE
        patient_requests.record(event, request, letter.made_by, at, **detail)


def open_letter(request_id: int, kind: LetterKind, *, by: User, at: datetime) -> bytes:
    """Give a letter as it was made; on the audit record first. NotFoundError."""
    request = patient_requests.get(request_id)
    document = getattr(request, _COLUMNS[kind].name)
    if document is None:
        raise NotFoundError("This letter is not made yet.")
    detail = {"letter": kind.value}
    event = audit.Event.PATIENT_REQUEST_LETTER_OPENED
    patient_requests.record(event, request, by, at, **detail)
    try:
        return documents.read(document)
    except DocumentLostError as lost:
        raise NotFoundError("This letter is no longer kept.") from lost


def _standing(request: PatientRequest, kind: LetterKind) -> Standing | None:
    document: Document | None = getattr(request, _COLUMNS[kind].name)
    if kind == LetterKind.MORE_TIME:
        is_open = request.state == PatientRequestState.OPEN
        is_owed = request.extended_at is not None and is_open and document is None
    else:
        is_owed = (
            request.state == PatientRequestState.DENIED
            and bool(request.denied_ground)
            and request.ended_at is not None
            and (document is None or document.created_at < request.ended_at)
        )
    if document is None and not is_owed:
        return None
    return Standing(kind, WORDS[kind], document, is_owed)


def _ended_when(request: PatientRequest) -> Any:
    """Give the condition that a request has ended when it had, if it had."""
    ended: Any = PatientRequest.ended_at
    return ended.is_null() if request.ended_at is None else ended == request.ended_at
