"""A patient at the counter: who they are, what they want, by when, what they got.

The program has 30 days and may take 30 more once, with a reason (45 CFR 164.524(b)(2)).
Of the identity paper its kind is kept and who saw it: no number, no copy.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from models import (
    DocumentKind,
    Patient,
    PatientAsk,
    PatientRequest,
    PatientRequestState,
    User,
)
from pmp import (
    audit,
    clock,
    database,
    disclosure_settings,
    disclosures,
    documents,
    settings,
)
from pmp.disclosures import accountings, extracts, names
from pmp.disclosures.accountings import Accounting
from pmp.disclosures.denials import Ground, is_under_review, part_of
from pmp.disclosures.extracts import Extract
from pmp.documents import DocumentLostError
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.matching import whereabouts

WHAT = {
    PatientAsk.BOTH: "Own record and accounting of disclosures",
    PatientAsk.RECORD: "Own record",
    PatientAsk.ACCOUNTING: "Accounting of disclosures",
}
PURPOSE = "The patient's own request (45 CFR 164.524, 164.528)"
HANDED = (PatientRequestState.GIVEN, PatientRequestState.MAILED)
CHANGED = "Somebody else has ended this request meanwhile."
OTHER_ENTRIES = (
    "What is denied of this request is not as it was: somebody has changed it, or an"
    " entry was taken back. Give all, or deny a part anew, and make the paper then."
)


@dataclass(frozen=True)
class Told:
    """What the patient says and shows; `represents` is empty for the patient."""

    asks: PatientAsk
    asked_by: str
    represents: str
    identity_paper: str
    address: str
    since: date
    until: date
    received_on: date


@dataclass(frozen=True)
class Gathered:
    """What a paper says; of record and accounting what was asked for.

    `left_out` has the row codes of entries that are denied: they are not in `record`.
    """

    request: PatientRequest
    patient_id: int
    name: str
    birth_date: date
    record: Extract | None
    accounting: Accounting | None
    code: str
    made_by: User
    made_at: datetime
    left_out: Sequence[str] = ()


def identity_papers() -> list[str]:
    """Give the kinds of papers that show who somebody is."""
    return disclosure_settings.choices(settings.current().identity_papers)


def take(patient_id: int, told: Told, *, by: User, at: datetime) -> PatientRequest:
    """Write a request down; `by` has seen the identity paper. RuleError."""
    _check(told, at=at)
    patient = accountings.patient_now(patient_id)
    days = timedelta(days=settings.current().patient_request_days)
    with database.atomic():
        request: PatientRequest = PatientRequest.create(
            patient=patient,
            **asdict(told),
            paper_seen_by=by.username,
            due_on=told.received_on + days,
            taken_by=by.username,
            taken_at=at,
        )
        detail = {"asks": told.asks.value, "due": str(request.due_on)}
        record(audit.Event.PATIENT_REQUEST_TAKEN, request, by, at, **detail)
    return request


def get(request_id: int) -> PatientRequest:
    """Give a request; NotFoundError if there is none."""
    found: PatientRequest | None = PatientRequest.get_or_none(
        PatientRequest.id == request_id
    )
    if found is None:
        raise NotFoundError("There is no such request.")
    return found


def held(request_id: int) -> PatientRequest:
    """Give a request as it is now, and keep it so until this transaction ends.

    NotFoundError if there is none.
    """
    request = get(request_id)
    if database.is_sqlite():  # its transactions are IMMEDIATE
        return request
    query: Any = PatientRequest.select().where(PatientRequest.id == request_id)
    locked: PatientRequest = query.for_update().get()
    return locked


def waiting() -> Any:
    """Give the query of those that are open, the first due first."""
    return (
        PatientRequest.select()
        .where(PatientRequest.state == PatientRequestState.OPEN)
        .order_by(PatientRequest.due_on, PatientRequest.id)
    )


def of_patient(patient_id: int) -> Sequence[PatientRequest]:
    """List a person's requests, the newest first, also of before a join."""
    stayed = whereabouts.stays_of(patient_id)
    query = PatientRequest.select().where(
        whereabouts.whose(stayed, PatientRequest.patient, PatientRequest.taken_at)
    )
    return list(query.order_by(PatientRequest.id.desc()))


def extend(request_id: int, *, reason: str, by: User, at: datetime) -> None:
    """Take more days, once, before it is due, for a reason that the patient is told."""
    request = get(request_id)
    if not reason.strip():
        raise RuleError("Say why more time is needed.", field="reason")
    if request.extended_at is not None:
        raise RuleError("It was extended already; the law allows it once.")
    if clock.day_of(at) > request.due_on:
        raise RuleError("It is overdue: it can be extended only before it is due.")
    due = request.due_on + timedelta(
        days=settings.current().patient_request_extension_days
    )
    with database.atomic():
        changed = (
            PatientRequest.update(
                due_on=due,
                extended_at=at,
                extended_by=by.username,
                extended_reason=reason.strip(),
            )
            .where(PatientRequest.id == request, PatientRequest.extended_at.is_null())
            .where(PatientRequest.state == PatientRequestState.OPEN)
            .execute()
        )
        if not changed:
            raise ConflictError("Somebody else has extended or ended it meanwhile.")
        detail = {"due": str(due)}
        record(audit.Event.PATIENT_REQUEST_EXTENDED, request, by, at, **detail)


def gather(request_id: int, *, by: User, at: datetime) -> Gathered:
    """Collect what was asked for, as the record stands now.

    Without what is denied of it. NotFoundError where the person's record was divided
    since the request, ConflictError where what is denied is not in the record any more.
    """
    request = get(request_id)
    if request.state != PatientRequestState.OPEN:
        raise ConflictError(CHANGED)
    patient_id = whereabouts.now(_number(request), request.taken_at, until=at)
    name, birth_date = names.of_patient(patient_id)
    days = (request.since, request.until)
    record = accounting = None
    if request.asks != PatientAsk.ACCOUNTING:
        record = extracts.extract(patient_id, since=days[0], until=days[1], at=at)
    left_out = _denied(request)
    if request.asks != PatientAsk.RECORD:
        accounting = accountings.open_accounting(
            patient_id, what=f"request {request.id}", days=days, by=by, at=at
        )
    return Gathered(
        request=request,
        patient_id=patient_id,
        name=name,
        birth_date=birth_date,
        record=_without(left_out, record),
        accounting=accounting,
        code=names.new_code("A"),
        made_by=by,
        made_at=at,
        left_out=left_out,
    )


def keep(gathered: Gathered, *, body: bytes, pages: int) -> None:
    """Keep the paper that was drawn, and account for it, before anybody has it.

    It takes the place of one that was made before. ConflictError if the request has
    ended meanwhile, or what is denied of it has changed.
    """
    request, by, at = gathered.request, gathered.made_by, gathered.made_at
    patient = Patient.get_by_id(gathered.patient_id)
    with database.atomic():
        disclosures.hold(patient)
        before = get(request.id).document
        document = documents.keep(
            kind=DocumentKind.PATIENT_REPORT,
            media_type="application/pdf",
            body=body,
            at=at,
        )
        changed = (
            PatientRequest.update(
                document=document, code=gathered.code, pages=pages, made_at=at
            )
            .where(PatientRequest.id == request)
            .where(PatientRequest.state == PatientRequestState.OPEN)
            .execute()
        )
        if not changed:
            raise ConflictError(CHANGED)
        if _denied(request) != gathered.left_out:
            raise ConflictError(OTHER_ENTRIES)
        if before is not None:
            documents.purge(before, at=at)
        in_part = ", in part" if gathered.left_out else ""
        disclosures.record(
            patient=patient,
            recipient=request.asked_by,
            address=request.address,
            what=f"{WHAT[request.asks]}{in_part} ({gathered.code})",
            purpose=PURPOSE,
            at=at,
            actor=by.username,
        )
        detail = {"code": gathered.code, "sha256": document.sha256}
        record(audit.Event.PATIENT_REQUEST_PAPER_MADE, request, by, at, **detail)


def is_kept(request: PatientRequest) -> bool:
    """Tell whether a request has a paper that can be opened."""
    return request.document is not None and request.document.purged_at is None


def open_paper(request_id: int, *, by: User, at: datetime) -> bytes:
    """Give the paper as it was made; on the audit record first. NotFoundError."""
    request = get(request_id)
    if request.document is None:
        raise NotFoundError("This request has no paper yet.")
    detail = {"code": request.code}
    record(audit.Event.PATIENT_REQUEST_PAPER_OPENED, request, by, at, **detail)
    try:
        return documents.read(request.document)
    except DocumentLostError as lost:
        raise NotFoundError("This paper is no longer kept.") from lost


def end(
    request_id: int,
    state: PatientRequestState,
    *,
    note: str = "",
    ground: Ground | None = None,
    by: User,
    at: datetime,
) -> None:
    """Say how a request ended: handed over, mailed, denied with a reason, withdrawn.

    Of a denial the letter tells the ground and the note.
    """
    request = get(request_id)
    denied = state == PatientRequestState.DENIED
    if state in HANDED and not is_kept(request):
        raise RuleError("Make the paper first.", field="state")
    if state == PatientRequestState.MAILED and not request.address:
        raise RuleError("This request has no address to mail to.", field="state")
    if denied and ground is None:
        message = "Say on what ground it is denied: the patient is told."
        raise RuleError(message, field="ground")
    if denied and not note.strip():
        raise RuleError("Say why it is denied: the patient is told.", field="note")
    with database.atomic():
        changed = (
            PatientRequest.update(
                state=state,
                ended_by=by.username,
                ended_at=at,
                ended_note=note.strip(),
                denied_ground=ground.value if denied and ground else "",
            )
            .where(PatientRequest.id == request)
            .where(PatientRequest.state == PatientRequestState.OPEN)
            .execute()
        )
        if not changed:
            raise ConflictError(CHANGED)
        if denied and part_of(request) is not None:
            message = "A part is denied already. To deny it all, give all first."
            raise RuleError(message, field="state")
        detail = {"state": state.value}
        if denied and ground:
            detail["ground"] = ground.value
        record(audit.Event.PATIENT_REQUEST_ENDED, request, by, at, **detail)


def reopen(request_id: int, *, by: User, at: datetime) -> None:
    """Undo how a request was ended, where that was a slip; it is due as before.

    ConflictError if it is open, or a review of its denial waits: that may open it.
    """
    request = get(request_id)
    with database.atomic():
        changed = (
            PatientRequest.update(
                state=PatientRequestState.OPEN,
                ended_by="",
                ended_at=None,
                ended_note="",
                denied_ground="",
            )
            .where(PatientRequest.id == request)
            .where(PatientRequest.state == request.state)
            .where(PatientRequest.state != PatientRequestState.OPEN)
            .execute()
        )
        if not changed:
            raise ConflictError("This request is open already.")
        if request.ended_at and is_under_review(request, denied_at=request.ended_at):
            raise ConflictError(
                "A review of this denial waits. Write down how it ended: if it decided"
                " for the patient, the request opens by itself."
            )
        detail = {"was": request.state.value}
        record(audit.Event.PATIENT_REQUEST_REOPENED, request, by, at, **detail)


def record(
    event: audit.Event, request: PatientRequest, by: User, at: datetime, **detail: Any
) -> None:
    """Put what was done with a request on the audit record."""
    audit.record(
        event,
        actor=by.username,
        subject=f"patient:{_number(request)}",
        at=at,
        detail={"request": request.id, **detail},
    )


def _check(told: Told, *, at: datetime) -> None:
    """Refuse what cannot be, at the field it is about."""
    if not told.asked_by.strip():
        raise RuleError("Write the name of who asks.", field="asked_by")
    if told.identity_paper not in identity_papers():
        raise RuleError("Say which paper you have seen.", field="identity_paper")
    if told.since > told.until:
        raise RuleError("The first day is after the last.", field="since")
    if told.received_on > clock.day_of(at):
        raise RuleError("This day has not come yet.", field="received_on")


def _denied(request: PatientRequest) -> tuple[str, ...]:
    part = part_of(request)
    return tuple(part.entries) if part else ()


def _without(left_out: Sequence[str], record: Extract | None) -> Extract | None:
    if record is None or not left_out:
        return record
    rest = [each for each in record.entries if each.row_code not in left_out]
    if len(rest) != len(record.entries) - len(left_out):
        raise ConflictError(OTHER_ENTRIES)
    return replace(record, entries=rest)


def _number(request: PatientRequest) -> int:
    number: int = request.__data__["patient"]
    return number
