"""Finding things in the audit record: who, what, about whom, when. The search is kept.

A patient is named by number: the record itself holds no patient's name.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any

from peewee import JOIN, fn

from models import (
    AuditEvent,
    Disclosure,
    Dispensation,
    LookUp,
    OfficialRequestPatient,
    ThresholdCase,
    Ticket,
    User,
)
from pmp import audit, clock, disclosures, sorting, spreadsheets, wording
from pmp.matching import whereabouts

PAGE_SIZE = 100
MOST_ROWS = 50_000  # of a CSV; narrow the search for more
CHAIN = "audit:chain"
NEWEST = "-number"
SORTS: dict[str, Any] = {"number": AuditEvent.id}
HEADER = ("Number", "Time", "Event", "Who", "About", "Address", "Detail")


@dataclass(frozen=True)
class Search:
    """What to look for; an empty part does not narrow. `event` may be its noun alone.

    `since` and `until` are days in the programme's zone, both included. `sort` is one
    of SORTS; else the newest is first.
    """

    actor: str = ""
    event: str = ""
    subject: str = ""
    patient_id: int | None = None
    since: date | None = None
    until: date | None = None
    address: str = ""
    sort: str = ""

    @property
    def order(self) -> str:
        return sorting.known(self.sort, SORTS, otherwise=NEWEST)


@dataclass(frozen=True)
class Looker:
    """Somebody who did something with a patient's record: how often, since when."""

    actor: str
    name: str
    events: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Checked:
    """When somebody last checked that the chain is whole, and the faults it had."""

    at: datetime
    by: str
    faults: int


@dataclass(frozen=True)
class Found:
    """A page of events, how many there are, and a patient's accounting.

    `disclosures` are those about the patient that was searched for, `lookers` whoever
    the events are of, the last first; both else empty.
    """

    events: list[AuditEvent]
    total: int
    disclosures: list[Disclosure]
    lookers: list[Looker]


def search(wanted: Search, *, by: User, at: datetime, page: int = 1) -> Found:
    """Find events; the search itself is put on the record first."""
    _record(wanted, by=by, at=at, what="page")
    query = _query(wanted)
    about = disclosures.accounting(wanted.patient_id) if wanted.patient_id else []
    lookers = _lookers(wanted) if wanted.patient_id else []
    return Found(list(query.paginate(page, PAGE_SIZE)), query.count(), about, lookers)


def csv_of(wanted: Search, *, by: User, at: datetime) -> str:
    """Give what a search finds as CSV that no spreadsheet runs, in its order."""
    _record(wanted, by=by, at=at, what="CSV")
    return spreadsheets.csv_text(HEADER, _rows(wanted))


def events() -> list[str]:
    """Give every kind of event, in order."""
    return sorted(event.value for event in audit.Event)


def verify(*, by: User, at: datetime) -> list[str]:
    """Check the whole chain; one sentence for each fault, none if it is whole."""
    faults = audit.verify()
    audit.record(
        audit.Event.AUDIT_SEARCHED,
        actor=by.username,
        subject=CHAIN,
        at=at,
        detail={"what": "verify", "faults": len(faults)},
    )
    return faults


def last_check() -> Checked | None:
    """Give when the chain was last checked on the page; None if it never was."""
    last: AuditEvent | None = (
        AuditEvent.select()
        .where(AuditEvent.subject == CHAIN)
        .order_by(AuditEvent.id.desc())
        .first()
    )
    return Checked(last.at, last.actor, last.detail["faults"]) if last else None


def detail_words(event: AuditEvent) -> str:
    """Write what an event holds besides as words, each name with its value."""
    told = {name: _value_words(value) for name, value in event.detail.items()}
    return ", ".join(
        f"{name.replace('_', ' ')}: {words}" for name, words in told.items() if words
    )


def _value_words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value)


def _rows(wanted: Search) -> Iterator[tuple[Any, ...]]:
    for event in _query(wanted).limit(MOST_ROWS):
        yield (
            event.id,
            wording.us_time(event.at),
            event.event,
            event.actor,
            event.subject,
            event.address,
            detail_words(event),
        )


def _lookers(wanted: Search) -> list[Looker]:
    """Give whose the events are that a search finds, one row each."""
    event = AuditEvent
    first, last = fn.MIN(event.at), fn.MAX(event.at)
    rows = (
        _narrowed(event.select(event.actor, fn.COUNT(event.id), first, last), wanted)
        .group_by(event.actor)
        .order_by(last.desc())
        .tuples()
    )
    found = list(rows)
    names = {
        user.username: user.name
        for user in User.select().where(User.username.in_([row[0] for row in found]))
    }
    return [Looker(row[0], names.get(row[0], ""), *row[1:]) for row in found]


def _query(wanted: Search) -> Any:
    query = _narrowed(AuditEvent.select(), wanted)
    return sorting.in_order(query, wanted.order, SORTS, then=AuditEvent.id)


def _narrowed(query: Any, wanted: Search) -> Any:
    if wanted.actor:
        query = query.where(AuditEvent.actor == wanted.actor)
    if wanted.event:
        query = query.where(
            (AuditEvent.event == wanted.event)
            | AuditEvent.event.startswith(f"{wanted.event}:")
        )
    if wanted.subject:
        query = query.where(AuditEvent.subject == wanted.subject)
    if wanted.address:
        query = query.where(AuditEvent.address == wanted.address)
    if wanted.patient_id:
        query = query.where(_about(wanted.patient_id))
    if wanted.since:
        query = query.where(AuditEvent.at >= _midnight(wanted.since))
    if wanted.until:
        query = query.where(AuditEvent.at < _midnight(wanted.until + timedelta(days=1)))
    return query


def _about(patient_id: int) -> Any:
    """Give the condition that an event is about a person.

    Also events under another patient's number, of the time when one of this person's
    reported identities was with that patient.
    """
    here = AuditEvent.subject.in_(_subjects(patient_id))
    elsewhere = [
        stay.during(AuditEvent.at)
        & AuditEvent.subject.in_(_seen_under(stay.patient_id))
        for stay in whereabouts.stays_of(patient_id)
        if stay.patient_id != patient_id
    ]
    return reduce(or_, elsewhere, here)


def _subjects(patient_id: int) -> list[str]:
    """Name everything that is about a patient, as the record does."""
    tickets = (
        Ticket.select(Ticket.number)
        .join(Dispensation, JOIN.LEFT_OUTER)
        .where((Dispensation.patient == patient_id) | (Ticket.patient == patient_id))
    )
    return [
        f"patient:{patient_id}",
        *_named("case", ThresholdCase, patient_id),
        *_named("look_up", LookUp, patient_id),
        *_named("dispensation", Dispensation, patient_id),
        *(f"ticket:{ticket.number}" for ticket in tickets),
        *_official(patient_id),
    ]


def _official(patient_id: int) -> list[str]:
    """Name the official requests that a patient is on."""
    table: Any = OfficialRequestPatient
    rows = table.select(table.request).where(table.patient == patient_id).tuples()
    return [f"official_request:{number}" for (number,) in rows]


def _seen_under(patient_id: int) -> list[str]:
    """Name what shows a whole patient: fills and tickets are found where they are."""
    return [f"patient:{patient_id}", *_named("look_up", LookUp, patient_id)]


def _named(word: str, table: Any, patient_id: int) -> list[str]:
    rows = table.select(table.id).where(table.patient == patient_id).tuples()
    return [f"{word}:{number}" for (number,) in rows]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=clock.zone())


def _record(wanted: Search, *, by: User, at: datetime, what: str) -> None:
    filters = {name: str(value) for name, value in asdict(wanted).items() if value}
    audit.record(
        audit.Event.AUDIT_SEARCHED,
        actor=by.username,
        subject=f"patient:{wanted.patient_id}" if wanted.patient_id else "audit",
        at=at,
        detail={"what": what, **filters},
    )
