"""A second person decides an official request: what is in it, released or denied.

What is released is a PDF of exactly the scope, kept sealed under the code on its pages,
and a disclosure of each person in it, written down before anybody has the paper.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from models import (
    Disclosure,
    DocumentKind,
    OfficialRequest,
    OfficialRequestPatient,
    OfficialState,
    Patient,
    Suspension,
    User,
)
from pmp import audit, clock, database, disclosures, documents
from pmp.disclosures import extracts, names, official_requests
from pmp.disclosures.extracts import Extract
from pmp.disclosures.official_requests import CHANGED, move, record
from pmp.documents import DocumentLostError
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.matching import whereabouts
from pmp.permissions import Permission, can

LONGEST = 255
"""Letters of a text of a disclosure; the request itself has all of it."""
OWN = "You have prepared this request: somebody else releases it."


@dataclass(frozen=True)
class Gathered:
    """What a paper says: one extract for each person of the request."""

    request: OfficialRequest
    extracts: Sequence[Extract]
    code: str
    made_by: User
    made_at: datetime


def may_decide(request: OfficialRequest, by: User) -> bool:
    """Tell whether a user may release or deny a request as it stands."""
    return (
        can(by.role, Permission.DISCLOSURE_RELEASE)
        and request.state == OfficialState.WAITING
        and request.prepared_by != by.username
    )


def gather(request_id: int, *, by: User, at: datetime) -> Gathered:
    """Collect what a request would release, for the second person's eyes.

    On the audit record first. RuleError for one's own; NotFoundError where staff have
    divided one of the persons since they were added.
    """
    request = official_requests.get(request_id)
    _require_second(request, by)
    record(audit.Event.OFFICIAL_REQUEST_REVIEWED, request, by, at)
    return Gathered(
        request=request,
        extracts=[
            extracts.extract(
                patient_id,
                since=request.since,
                until=request.until,
                classes=request.classes,
                at=at,
            )
            for patient_id in dict.fromkeys(_persons(request, at).values())
        ],
        code=names.new_code("O"),
        made_by=by,
        made_at=at,
    )


def release(gathered: Gathered, *, revision: int, body: bytes, pages: int) -> None:
    """Release a paper that was drawn; ConflictError if the request was changed since.

    A suspension that has run out by now is none.
    """
    request, by, at = gathered.request, gathered.made_by, gathered.made_at
    _require_second(request, by)
    people = sorted(each.patient_id for each in gathered.extracts)
    with database.atomic():
        patients = [Patient.get_by_id(number) for number in people]
        for patient in patients:
            disclosures.hold(patient)
        now = _persons(request, at)
        if people != sorted(set(now.values())):
            raise ConflictError(CHANGED)
        document = documents.keep(
            kind=DocumentKind.PATIENT_REPORT,
            media_type="application/pdf",
            body=body,
            at=at,
        )
        move(
            request,
            revision,
            OfficialState.WAITING,
            state=OfficialState.RELEASED,
            decided_by=by.username,
            decided_at=at,
            document=document,
            code=gathered.code,
            pages=pages,
        )
        for patient in patients:
            disclosure = _disclose(request, patient, gathered.code, by=by, at=at)
            rows = [row for row, number in now.items() if number == patient.id]
            OfficialRequestPatient.update(disclosure=disclosure).where(
                OfficialRequestPatient.id.in_(rows)
            ).execute()
        detail = {"code": gathered.code, "sha256": document.sha256, "persons": people}
        _decided(request, OfficialState.RELEASED, by, at, **detail)


def deny(
    request_id: int, *, reason: str, revision: int, by: User, at: datetime
) -> None:
    """Deny a request, or give it back; the reason is for the one who prepared it."""
    _decide(request_id, OfficialState.DENIED, reason, revision=revision, by=by, at=at)


def give_back(
    request_id: int, *, reason: str, revision: int, by: User, at: datetime
) -> None:
    """Give a request back to the one who prepares it, with what is to be changed."""
    state = OfficialState.PREPARING
    _decide(request_id, state, reason, revision=revision, by=by, at=at)


def suspend(
    request_id: int,
    suspension: Suspension | None,
    until: date | None,
    *,
    by: User,
    at: datetime,
) -> None:
    """Change until when the patients of a released request are not told of it.

    An oral statement counts from the day of the request; a written one may come later.
    """
    request = official_requests.get(request_id)
    if request.state != OfficialState.RELEASED:
        raise ConflictError("Only what was released is kept from an accounting.")
    official_requests.check_suspension(suspension, until, said_on=request.received_on)
    with database.atomic():
        move(
            request,
            request.revision,
            OfficialState.RELEASED,
            suspension=suspension,
            suspended_until=until,
        )
        made = OfficialRequestPatient.select(OfficialRequestPatient.disclosure).where(
            OfficialRequestPatient.request == request
        )
        Disclosure.update(suspended_until=until).where(
            Disclosure.id.in_(made)
        ).execute()
        detail = {"suspended_until": str(until or "")}
        record(audit.Event.OFFICIAL_REQUEST_CHANGED, request, by, at, **detail)


def open_paper(request_id: int, *, by: User, at: datetime) -> bytes:
    """Give the paper as it was released; on the audit record first. NotFoundError."""
    request = official_requests.get(request_id)
    if request.document is None:
        raise NotFoundError("This request has no paper.")
    event = audit.Event.OFFICIAL_REQUEST_PAPER_OPENED
    record(event, request, by, at, code=request.code)
    try:
        return documents.read(request.document)
    except DocumentLostError as lost:
        raise NotFoundError("This paper is no longer kept.") from lost


def _persons(request: OfficialRequest, at: datetime) -> dict[int, int]:
    """Give under whom each person of a request is found today, by the row's id."""
    return {
        each.id: whereabouts.now(each.__data__["patient"], each.added_at, until=at)
        for each in official_requests.persons_of(request)
    }


def _disclose(
    request: OfficialRequest, patient: Patient, code: str, *, by: User, at: datetime
) -> Disclosure:
    until = request.suspended_until
    return disclosures.record(
        patient=patient,
        recipient=f"{request.officer}, {request.agency}"[:LONGEST],
        address=request.address or request.contact,
        what=f"prescription records for an official request ({code})",
        purpose=f"Case {request.case_number}: {request.legal_basis}"[:LONGEST],
        at=at,
        actor=by.username,
        suspended_until=until if until and until > clock.day_of(at) else None,
    )


def _decide(
    request_id: int,
    state: OfficialState,
    reason: str,
    *,
    revision: int,
    by: User,
    at: datetime,
) -> None:
    request = official_requests.get(request_id)
    _require_second(request, by)
    if not reason.strip():
        raise RuleError("Say why.", field="reason")
    with database.atomic():
        move(
            request,
            revision,
            OfficialState.WAITING,
            state=state,
            decided_by=by.username,
            decided_at=at,
            decided_note=reason.strip(),
        )
        _decided(request, state, by, at)


def _decided(
    request: OfficialRequest,
    state: OfficialState,
    by: User,
    at: datetime,
    **detail: object,
) -> None:
    event = audit.Event.OFFICIAL_REQUEST_DECIDED
    record(event, request, by, at, state=state.value, **detail)


def _require_second(request: OfficialRequest, by: User) -> None:
    """Refuse who may not decide; the table refuses a preparer who gets past."""
    if request.prepared_by == by.username:
        raise RuleError(OWN)
    if not may_decide(request, by):
        raise ConflictError(CHANGED)
