"""A part of a record is denied, the rest is given: 45 CFR 164.524(d)(1).

Staff choose the entries. The request stays open: its paper is made without them, and a
letter tells the patient why, as of any denial. Who asks for an accounting of
disclosures gets all of it: the law knows no ground to deny a part.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from models import PartDenial, PatientAsk, PatientRequest, PatientRequestState, User
from pmp import audit, database, documents
from pmp.disclosures import extracts, patient_requests
from pmp.disclosures.denials import OF_A_PART, Ground, is_under_review, part_of
from pmp.errors import ConflictError, RuleError
from pmp.history.entries import Entry
from pmp.matching import whereabouts

CHANGED = "Somebody else has changed what is denied of this request. Look at it again."


def is_possible(request: PatientRequest) -> bool:
    """Tell whether a part of a request can be denied now."""
    is_open = request.state == PatientRequestState.OPEN
    is_record = request.asks != PatientAsk.ACCOUNTING
    return is_open and is_record and part_of(request) is None


def entries(request_id: int, *, by: User, at: datetime) -> Sequence[Entry]:
    """Give the entries to choose from, newest first; on the audit record first.

    ConflictError where no part can be denied (any more).
    """
    request = patient_requests.get(request_id)
    _require_possible(request)
    event = audit.Event.PATIENT_REQUEST_RECORD_READ
    patient_requests.record(event, request, by, at)
    return _entries(request, at=at)


def deny(
    request_id: int,
    codes: Collection[str],
    *,
    ground: Ground | None,
    reason: str,
    by: User,
    at: datetime,
) -> None:
    """Deny some entries, by their row codes; a paper that was made is destroyed.

    RuleError, at its field, without entries, ground or reason, or for all entries;
    ConflictError where the request has ended, or a part is denied already.
    """
    with database.atomic():
        request = patient_requests.held(request_id)
        _require_possible(request)
        known = [each.row_code for each in _entries(request, at=at)]
        _check(codes, known, ground)
        if not reason.strip():
            raise RuleError("Say why: the patient is told.", field="reason")
        chosen = [code for code in known if code in codes]
        PartDenial.create(
            request=request,
            entries=chosen,
            ground=ground,
            reason=reason.strip(),
            denied_by=by.username,
            denied_at=at,
        )
        _drop_paper(request, at=at)
        detail = {"ground": ground, "entries": chosen}
        event = audit.Event.PATIENT_REQUEST_PART_DENIED
        patient_requests.record(event, request, by, at, **detail)


def give_all(request_id: int, *, by: User, at: datetime) -> None:
    """Take the denial of a part back; its letter and the paper are destroyed.

    ConflictError where the request has ended, or no part is denied, or a review waits.
    """
    with database.atomic():
        request = patient_requests.held(request_id)
        part = part_of(request)
        if part is None or request.state != PatientRequestState.OPEN:
            raise ConflictError(CHANGED)
        if is_under_review(request, denied_at=part.denied_at):
            raise ConflictError(
                "A review of this denial waits. Write down how it ended: if it decided"
                " for the patient, all is given by itself."
            )
        part.delete_instance()
        if part.letter is not None:
            documents.purge(part.letter, at=at)
        _drop_paper(request, at=at)
        detail = {"ground": part.ground, "entries": part.entries}
        event = audit.Event.PATIENT_REQUEST_PART_GIVEN
        patient_requests.record(event, request, by, at, **detail)


def _require_possible(request: PatientRequest) -> None:
    if not is_possible(request):
        raise ConflictError(CHANGED)


def _entries(request: PatientRequest, *, at: datetime) -> Sequence[Entry]:
    number: int = request.__data__["patient"]
    patient_id = whereabouts.now(number, request.taken_at, until=at)
    found = extracts.extract(
        patient_id, since=request.since, until=request.until, at=at
    )
    return found.entries


def _check(
    codes: Collection[str], known: Collection[str], ground: Ground | None
) -> None:
    if not codes:
        raise RuleError("Tick what is denied.", field="entries")
    if not set(codes) <= set(known):
        message = "An entry is not in this record any more. Look at them again."
        raise RuleError(message, field="entries")
    if set(codes) == set(known):
        message = "These are all entries. Deny the request itself: How it ended."
        raise RuleError(message, field="entries")
    if ground not in OF_A_PART:
        message = "Say on what ground it is denied: the patient is told."
        raise RuleError(message, field="ground")


def _drop_paper(request: PatientRequest, *, at: datetime) -> None:
    """Destroy the paper that was made: it says too much, or too little."""
    if request.document is None:
        return
    documents.purge(request.document, at=at)
    request.document = request.code = request.made_at = None
    request.pages = 0
    request.save(
        only=[
            PatientRequest.document,
            PatientRequest.code,
            PatientRequest.made_at,
            PatientRequest.pages,
        ]
    )
