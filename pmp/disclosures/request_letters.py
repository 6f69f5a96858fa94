"""Letters that a patient is owed: more time, a denial of all or a part, a review.

45 CFR 164.524(b)(2)(ii), (d)(2) and (d)(4) want them in writing. A letter is drawn
once, kept sealed with its request, and handed over or mailed by staff as the paper is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from models import (
    DenialReview,
    Document,
    DocumentKind,
    LetterMailing,
    PartDenial,
    PatientAsk,
    PatientRequest,
    PatientRequestState,
    User,
)
from pmp import audit, database, documents, owed_letters
from pmp.disclosures import patient_requests
from pmp.disclosures.denials import GROUNDS, Explained, Ground, part_of
from pmp.documents import DocumentLostError
from pmp.errors import ConflictError, NotFoundError

CHANGED = "This letter is made already, or the request has changed. Look at it again."


class LetterKind(StrEnum):
    """What a letter says; the word stands in a page's address."""

    MORE_TIME = "more-time"
    DENIAL = "denial"
    PART = "part"
    REVIEW = "review"


WORDS = {
    LetterKind.MORE_TIME: "More time",
    LetterKind.DENIAL: "Denial",
    LetterKind.PART: "Denial of a part",
    LetterKind.REVIEW: "Review",
}
CAUSES = {
    LetterKind.MORE_TIME: "extended on",
    LetterKind.DENIAL: "denied on",
    LetterKind.PART: "denied in part on",
    LetterKind.REVIEW: "reviewed on",
}
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


class Cause(NamedTuple):
    """What a letter is about, and the row's column that keeps it.

    `since` is when that happened; None where there is nothing to tell any more.
    """

    row: Any
    column: Any
    since: datetime | None
    reason: str
    ground: str = ""

    @property
    def document(self) -> Document | None:
        """The letter as it was printed last."""
        found: Document | None = getattr(self.row, self.column.name)
        return found

    @property
    def is_owed(self) -> bool:
        """Tell whether it is to be printed, or once more."""
        if self.since is None:
            return False
        return self.document is None or self.document.created_at < self.since

    @property
    def mark(self) -> tuple[int, int | None, datetime | None]:
        """Give what is another once somebody has changed it."""
        document = self.document
        return self.row.id, document.id if document else None, self.since


@dataclass(frozen=True)
class Standing:
    """How a letter of a request stands: as it was printed last, and what is owed."""

    kind: LetterKind
    words: str
    document: Document | None
    is_owed: bool
    since: datetime | None = None
    mailing: LetterMailing | None = None

    @property
    def cause(self) -> str:
        """What is to be told, in words that a day follows."""
        return CAUSES[self.kind]


@dataclass(frozen=True)
class Letter:
    """What a letter says: `law` of more time, `explained` the ground of a denial.

    `cause.row` is the review, or the denial of a part, where it tells of one.
    """

    kind: LetterKind
    request: PatientRequest
    what: str
    law: str
    reason: str
    explained: Explained | None
    cause: Cause
    made_by: User
    made_at: datetime


def standing(request: PatientRequest) -> Sequence[Standing]:
    """List the letters of a request: those that are owed, and those that were made.

    Requests that were denied before grounds were written down are owed none.
    """
    found = [(kind, _CAUSES[kind](request)) for kind in LetterKind]
    return [
        Standing(
            kind,
            WORDS[kind],
            cause.document,
            cause.is_owed,
            cause.since,
            _mailing_of(cause.document),
        )
        for kind, cause in found
        if cause is not None and (cause.document or cause.is_owed)
    ]


def owed() -> list[tuple[PatientRequest, Standing]]:
    """List the letters that are not printed yet, with their request, oldest first."""
    return [
        (request, each)
        for request in owed_letters.requests()
        for each in standing(request)
        if each.is_owed
    ]


def gather(request_id: int, kind: LetterKind, *, by: User, at: datetime) -> Letter:
    """Collect what a letter says. ConflictError where it is not owed, or no more."""
    request = patient_requests.get(request_id)
    cause = _CAUSES[kind](request)
    if cause is None or not cause.is_owed:
        raise ConflictError(CHANGED)
    return Letter(
        kind=kind,
        request=request,
        what=TOLD[request.asks],
        law=LAWS[request.asks],
        reason=cause.reason,
        explained=GROUNDS[Ground(cause.ground)] if cause.ground else None,
        cause=cause,
        made_by=by,
        made_at=at,
    )


def keep(letter: Letter, *, body: bytes) -> None:
    """Keep a letter that was drawn, before anybody has it; on the audit record.

    That of a denial takes the place of one from before the request was opened again.
    ConflictError if somebody was quicker, or the request has changed.
    """
    kind, at = letter.kind, letter.made_at
    with database.atomic():
        request = patient_requests.held(letter.request.id)
        cause = _CAUSES[kind](request)
        if cause is None or cause.mark != letter.cause.mark:
            raise ConflictError(CHANGED)
        before = cause.document
        document = documents.keep(
            kind=DocumentKind.PATIENT_REPORT,
            media_type="application/pdf",
            body=body,
            at=at,
        )
        setattr(cause.row, cause.column.name, document)
        cause.row.save(only=[cause.column])
        if before is not None:
            documents.purge(before, at=at)
        detail = {"letter": kind.value, "sha256": document.sha256}
        event = audit.Event.PATIENT_REQUEST_LETTER_MADE
        patient_requests.record(event, request, letter.made_by, at, **detail)


def open_letter(request_id: int, kind: LetterKind, *, by: User, at: datetime) -> bytes:
    """Give a letter as it was made; on the audit record first. NotFoundError."""
    request = patient_requests.get(request_id)
    cause = _CAUSES[kind](request)
    if cause is None or cause.document is None:
        raise NotFoundError("This letter is not made yet.")
    detail = {"letter": kind.value}
    event = audit.Event.PATIENT_REQUEST_LETTER_OPENED
    patient_requests.record(event, request, by, at, **detail)
    try:
        return documents.read(cause.document)
    except DocumentLostError as lost:
        raise NotFoundError("This letter is no longer kept.") from lost


def _more_time(request: PatientRequest) -> Cause:
    is_open = request.state == PatientRequestState.OPEN
    return Cause(
        request,
        PatientRequest.extension_letter,
        request.extended_at if is_open else None,
        request.extended_reason,
    )


def _denial(request: PatientRequest) -> Cause:
    is_told = request.state == PatientRequestState.DENIED and request.denied_ground
    return Cause(
        request,
        PatientRequest.denial_letter,
        request.ended_at if is_told else None,
        request.ended_note,
        request.denied_ground,
    )


def _part(request: PatientRequest) -> Cause | None:
    part = part_of(request)
    if part is None:
        return None
    is_told = request.state != PatientRequestState.WITHDRAWN
    since = part.denied_at if is_told else None
    return Cause(part, PartDenial.letter, since, part.reason, part.ground)


def _review(request: PatientRequest) -> Cause | None:
    """Give the last review that has ended."""
    ended: Any = DenialReview.ended_at.is_null(is_null=False)
    last: DenialReview | None = (
        DenialReview.select()
        .where(DenialReview.request == request, ended)
        .order_by(DenialReview.id.desc())
        .first()
    )
    if last is None:
        return None
    return Cause(last, DenialReview.letter, last.ended_at, last.reason)


_CAUSES: dict[LetterKind, Callable[[PatientRequest], Cause | None]] = {
    LetterKind.MORE_TIME: _more_time,
    LetterKind.DENIAL: _denial,
    LetterKind.PART: _part,
    LetterKind.REVIEW: _review,
}


def _mailing_of(document: Document | None) -> LetterMailing | None:
    found: LetterMailing | None = (
        LetterMailing.get_or_none(LetterMailing.document == document)
        if document
        else None
    )
    return found
