"""Requests of law enforcement and other offices: one prepares, another releases.

A request names the case, the agency, the officer, what the law bases it on, whom it is
about, which days and which classes of drugs. Nobody releases what they have prepared;
the table itself refuses it. See docs/decisions/0044.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from peewee import IntegrityError

from models import (
    OfficialRequest,
    OfficialRequestPatient,
    OfficialState,
    Suspension,
    User,
)
from pmp import audit, clock, database, disclosure_settings, settings
from pmp.disclosures import accountings, extracts
from pmp.errors import ConflictError, NotFoundError, RuleError

MOST_PATIENTS = 50
CHANGED = "Somebody else has changed this request meanwhile. Look at it again."
OPEN = (OfficialState.PREPARING, OfficialState.WAITING)


@dataclass(frozen=True)
class Asked:
    """What an office asks for, and what it says of telling the patient."""

    case_number: str
    agency: str
    officer: str
    contact: str
    address: str
    legal_basis: str
    reason: str
    received_on: date
    since: date
    until: date
    classes: list[str]
    suspension: Suspension | None
    suspended_until: date | None


def legal_bases() -> list[str]:
    """Give what the law may base a request on, in the programme's own list."""
    return disclosure_settings.choices(settings.current().official_bases)


def take(asked: Asked, *, by: User, at: datetime) -> OfficialRequest:
    """Begin a request; whoever does prepares it. RuleError at its fields."""
    _check(asked, at=at)
    with database.atomic():
        request: OfficialRequest = OfficialRequest.create(
            **asdict(asked), prepared_by=by.username, prepared_at=at
        )
        record(audit.Event.OFFICIAL_REQUEST_TAKEN, request, by, at)
    return request


def get(request_id: int) -> OfficialRequest:
    """Give a request; NotFoundError if there is none."""
    found: OfficialRequest | None = OfficialRequest.get_or_none(
        OfficialRequest.id == request_id
    )
    if found is None:
        raise NotFoundError("There is no such request.")
    return found


def under_way() -> Sequence[OfficialRequest]:
    """List the requests that nobody has decided, the newest first."""
    query: Any = OfficialRequest.select().where(OfficialRequest.state.in_(OPEN))
    return list(query.order_by(OfficialRequest.id.desc()))


def persons_of(request: OfficialRequest) -> Sequence[OfficialRequestPatient]:
    """List whom a request is about, in the order in which they were added."""
    return list(_persons(request).order_by(OfficialRequestPatient.id))


def change(
    request_id: int, asked: Asked, *, revision: int, by: User, at: datetime
) -> None:
    """Write another version of a request that is being prepared."""
    request = _own(request_id, by)
    _check(asked, at=at)
    with database.atomic():
        move(request, revision, OfficialState.PREPARING, **asdict(asked))
        record(audit.Event.OFFICIAL_REQUEST_CHANGED, request, by, at)


def add_patient(request_id: int, patient_id: int, *, by: User, at: datetime) -> None:
    """Put a person on a request; RuleError where they are on it, or one too many."""
    request = _own(request_id, by)
    patient = accountings.patient_now(patient_id)
    if _persons(request).count() >= MOST_PATIENTS:
        message = f"A request is about at most {MOST_PATIENTS} people: begin another."
        raise RuleError(message, field="number")
    try:
        with database.atomic():
            OfficialRequestPatient.create(request=request, patient=patient, added_at=at)
            move(request, request.revision, OfficialState.PREPARING)
            detail = {"added": patient.id}
            record(audit.Event.OFFICIAL_REQUEST_CHANGED, request, by, at, **detail)
    except IntegrityError as twice:
        message = f"Patient {patient.id} is on this request already."
        raise RuleError(message, field="number") from twice


def remove_patient(request_id: int, patient_id: int, *, by: User, at: datetime) -> None:
    """Take a person off a request that is being prepared."""
    request = _own(request_id, by)
    with database.atomic():
        gone = (
            OfficialRequestPatient.delete()
            .where(OfficialRequestPatient.request == request)
            .where(OfficialRequestPatient.patient == patient_id)
            .execute()
        )
        if not gone:
            raise NotFoundError("This person is not on the request.")
        move(request, request.revision, OfficialState.PREPARING)
        detail = {"removed": patient_id}
        record(audit.Event.OFFICIAL_REQUEST_CHANGED, request, by, at, **detail)


def hand_on(request_id: int, *, revision: int, by: User, at: datetime) -> None:
    """Give a prepared request to a second person; RuleError where nobody is on it."""
    request = _own(request_id, by)
    if not _persons(request).exists():
        raise RuleError("Add whom the request is about first.")
    with database.atomic():
        state = OfficialState.WAITING
        move(request, revision, OfficialState.PREPARING, state=state)
        record(audit.Event.OFFICIAL_REQUEST_HANDED_ON, request, by, at)


def take_back(request_id: int, *, by: User, at: datetime) -> None:
    """Take one's own request back from the second person, to change it."""
    request = get(request_id)
    if request.prepared_by != by.username:
        raise RuleError("Whoever prepares a request may take it back.")
    with database.atomic():
        state = OfficialState.PREPARING
        move(request, request.revision, OfficialState.WAITING, state=state)
        record(audit.Event.OFFICIAL_REQUEST_CHANGED, request, by, at, state=state.value)


def withdraw(request_id: int, *, by: User, at: datetime) -> None:
    """End one's own request that nobody has decided: nothing is disclosed."""
    request = get(request_id)
    if request.prepared_by != by.username:
        raise RuleError("Whoever prepares a request may withdraw it.")
    if request.state not in OPEN:
        raise ConflictError(CHANGED)
    with database.atomic():
        state = OfficialState.WITHDRAWN
        move(request, request.revision, request.state, state=state)
        record(audit.Event.OFFICIAL_REQUEST_DECIDED, request, by, at, state=state.value)


def move(
    request: OfficialRequest, revision: int, was: OfficialState, **changes: Any
) -> None:
    """Change a request that is in a state, as it was seen; ConflictError otherwise."""
    changed = (
        OfficialRequest.update(revision=OfficialRequest.revision + 1, **changes)
        .where(OfficialRequest.id == request)
        .where(OfficialRequest.state == was)
        .where(OfficialRequest.revision == revision)
        .execute()
    )
    if not changed:
        raise ConflictError(CHANGED)


def record(
    event: audit.Event, request: OfficialRequest, by: User, at: datetime, **detail: Any
) -> None:
    """Put what was done with a request on the audit record."""
    audit.record(
        event,
        actor=by.username,
        subject=f"official_request:{request.id}",
        at=at,
        detail=detail,
    )


def check_suspension(
    suspension: Suspension | None, until: date | None, *, said_on: date
) -> None:
    """Refuse a suspension without a day, or an oral one of more than the law allows.

    45 CFR 164.528(a)(2): 30 days from the statement unless a written one comes.
    """
    if suspension is None:
        if until is not None:
            message = "Say how they asked not to tell the patient, or leave this empty."
            raise RuleError(message, field="suspended_until")
        return
    if until is None or until <= said_on:
        message = "Write the day until which the patient is not told."
        raise RuleError(message, field="suspended_until")
    days = settings.current().oral_suspension_days
    if suspension == Suspension.ORAL and until > said_on + timedelta(days=days):
        message = f"What was only said holds for {days} days at most: ask for a letter."
        raise RuleError(message, field="suspended_until")


def _persons(request: OfficialRequest) -> Any:
    return OfficialRequestPatient.select().where(
        OfficialRequestPatient.request == request
    )


def _own(request_id: int, by: User) -> OfficialRequest:
    """Give a request that somebody prepares; RuleError for anybody else's."""
    request = get(request_id)
    if request.prepared_by != by.username:
        raise RuleError(f"Only {request.prepared_by}, who prepares it, may change it.")
    if request.state != OfficialState.PREPARING:
        raise ConflictError("It is not being prepared any more: take it back first.")
    return request


def _check(asked: Asked, *, at: datetime) -> None:
    """Refuse what cannot be, at the field it is about."""
    for field, words in (
        ("case_number", "Write the number of the case."),
        ("agency", "Write which agency asks."),
        ("officer", "Write which officer asks."),
    ):
        if not getattr(asked, field).strip():
            raise RuleError(words, field=field)
    if asked.legal_basis not in legal_bases():
        raise RuleError("Choose what the request is based on.", field="legal_basis")
    if asked.since > asked.until:
        raise RuleError("The first day is after the last.", field="since")
    if asked.received_on > clock.day_of(at):
        raise RuleError("This day has not come yet.", field="received_on")
    if not set(asked.classes) <= set(extracts.classes()):
        raise RuleError("Choose classes that are listed.", field="classes")
    check_suspension(asked.suspension, asked.suspended_until, said_on=asked.received_on)
