"""Inaccuracy tickets: somebody who was shown an entry says that it is wrong.

A ticket has an owner and a clock. While it is open the entry is marked "accuracy under
review". Its resolution corrects or voids the entry, re-counts the threshold cases, and
tells everyone who was sent the wrong entry, and the reporter.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from peewee import IntegrityError

from models import (
    CorrectionNotice,
    Delivery,
    DeliveryKind,
    Dispensation,
    LookUp,
    LookUpOutcome,
    ThresholdCase,
    Ticket,
    TicketMessage,
    TicketOutcome,
    TicketProblem,
    TicketStatus,
    User,
)
from pmp import audit, clock, database, deliveries, dispensations, reporters, settings
from pmp.deliveries import contacts
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.matching import whereabouts
from pmp.permissions import Permission, can
from pmp.thresholds import case_recipients

STAFF_KEY = "ticket-new"
REPORTER_KEY = "ticket-outcome"
CHANGING = (TicketOutcome.VOIDED, TicketOutcome.CORRECTED, TicketOutcome.IDENTITY_FIXED)


@dataclass(frozen=True)
class Shown:
    """An entry that a user has been shown, and the case whose report showed it."""

    dispensation: Dispensation
    case: ThresholdCase | None


# --- What the reporter does


def find_shown(row_code: str, *, by: User) -> Shown:
    """Find an entry among those that a user has been shown; else NotFoundError.

    In a Patient Threshold Report they were sent, in a report they looked up, in their
    own dispensing; staff, who are told codes on the phone, may name any.
    """
    refused = NotFoundError(
        "No entry that you have been shown has this row code.", field="row_code"
    )
    try:
        entry = dispensations.find_by_row_code(row_code)
    except NotFoundError:
        raise refused from None
    received = case_recipients.received_entry(entry, by=by)
    if received is not None:
        return Shown(entry, received.case)
    if _own(entry, by) or _may_see(entry, by):
        return Shown(entry, None)
    raise refused


def open_ticket(
    shown: Shown, *, problem: TicketProblem, note: str, by: User, at: datetime
) -> Ticket:
    """Open a ticket about an entry; one open at a time for each reporter.

    `shown` comes from `find_shown`. Staff are told by email: the number, nothing else.
    """
    if problem == TicketProblem.OTHER and not note.strip():
        raise RuleError("Describe what is wrong", field="note")
    try:
        with database.atomic():
            ticket = _new(shown, problem=problem, note=note, by=by, at=at)
            _say(ticket, note or "Reported.", by=by.username, at=at)
            detail = {"entry": shown.dispensation.row_code, "problem": problem.value}
            _record(audit.Event.TICKET_OPENED, ticket, by=by, at=at, detail=detail)
            _tell_staff(ticket, at=at)
    except IntegrityError as twice:
        message = "You have reported this entry already; that ticket is still open."
        raise RuleError(message, field="problem") from twice
    return ticket


def mine(user: User) -> list[Ticket]:
    """Give a user's own tickets, newest first."""
    return list(
        Ticket.select().where(Ticket.opened_by == user).order_by(Ticket.id.desc())
    )


def own(number: str, *, by: User) -> Ticket:
    """Give one of a user's own tickets; NotFoundError for anybody else's."""
    ticket: Ticket | None = Ticket.get_or_none(number=number, opened_by=by)
    if ticket is None:
        raise NotFoundError("There is no such ticket among yours.")
    return ticket


# --- What both do


def say(ticket: Ticket, *, text: str, by: User, at: datetime) -> None:
    """Add a line to a ticket's thread."""
    if not text.strip():
        raise RuleError("Write a message", field="text")
    if ticket.resolved_at is not None:
        raise RuleError("This ticket is closed; report the entry again if need be.")
    with database.atomic():
        _say(ticket, text, by=by.username, at=at)
        _record(audit.Event.TICKET_MESSAGE, ticket, by=by, at=at, detail={})


def thread(ticket: Ticket) -> list[TicketMessage]:
    """Give the lines of a ticket, the oldest first."""
    return list(
        TicketMessage.select()
        .where(TicketMessage.ticket == ticket)
        .order_by(TicketMessage.at, TicketMessage.id)
    )


def is_under_review(dispensation: Dispensation) -> bool:
    """Tell whether an open ticket disputes an entry."""
    found: bool = (
        Ticket.select()
        .where(Ticket.dispensation == dispensation)
        .where(Ticket.resolved_at.is_null())
        .exists()
    )
    return found


# --- What staff do


def get(number: str) -> Ticket:
    """Give a ticket by its number; NotFoundError."""
    ticket: Ticket | None = Ticket.get_or_none(number=number)
    if ticket is None:
        raise NotFoundError("There is no such ticket.")
    return ticket


def take(ticket: Ticket, *, by: User, at: datetime, revision: int) -> None:
    """Make a ticket one's own; ConflictError if somebody changed it meanwhile."""
    with database.atomic():
        status = ticket.status
        if status == TicketStatus.NEW:
            status = TicketStatus.TRIAGED
        _change(ticket, revision, assigned_to=by, status=status)
        _record(audit.Event.TICKET_TAKEN, ticket, by=by, at=at, detail={})


def ask_dispenser(
    ticket: Ticket, *, text: str, by: User, at: datetime, revision: int
) -> None:
    """Note that the pharmacy was asked: the ticket now waits for its answer."""
    if not text.strip():
        raise RuleError("Write what you asked the pharmacy", field="text")
    with database.atomic():
        _change(ticket, revision, status=TicketStatus.WITH_DISPENSER)
        _say(ticket, text, by=by.username, at=at)
        _record(audit.Event.TICKET_MESSAGE, ticket, by=by, at=at, detail={})


def resolve(  # noqa: PLR0913 - an outcome, what changes, and who says so
    ticket: Ticket,
    *,
    outcome: TicketOutcome,
    note: str,
    by: User,
    at: datetime,
    revision: int,
    changes: Mapping[str, object] | None = None,
    change: Callable[[str], None] | None = None,
) -> list[CorrectionNotice]:
    """End a ticket: void, correct or uphold its entry, and tell whom it concerns.

    Gives the notices to those who were sent a report with the entry. `changes` is as
    for dispensations.correct; `change`, given the reason, does more than that: it
    splits a patient. ConflictError, with nothing done, if somebody changed the
    ticket since `revision` was read.
    """
    if not note.strip():
        raise RuleError("Say why: the reporter will read it", field="note")
    entry = ticket.dispensation
    with database.atomic():
        _change(
            ticket,
            revision,
            status=TicketStatus.RESOLVED,
            outcome=outcome,
            outcome_note=note,
            resolved_at=at,
            resolved_by=by.username,
        )
        reason = f"Ticket {ticket.number}: {note}"
        if change is not None:
            change(reason)
        elif outcome == TicketOutcome.VOIDED:
            dispensations.void(entry, reason=reason, by=by, at=at)
        elif outcome in CHANGING:
            _correct(entry, changes or {}, reason=reason, by=by, at=at)
        told = _notices(entry) if outcome in CHANGING else []
        _say(ticket, f"{_OUTCOMES[outcome]} {note}", by=by.username, at=at)
        detail = {"outcome": outcome.value, "told": len(told)}
        _record(audit.Event.TICKET_RESOLVED, ticket, by=by, at=at, detail=detail)
        _tell_reporter(ticket, at=at)
        Ticket.update(status=TicketStatus.TOLD).where(Ticket.id == ticket.id).execute()
        ticket.status = TicketStatus.TOLD
    return told


_OUTCOMES = {
    TicketOutcome.CORRECTED: "The entry was corrected.",
    TicketOutcome.VOIDED: "The entry was removed.",
    TicketOutcome.UPHELD: "The entry is right as it stands.",
    TicketOutcome.IDENTITY_FIXED: "The entry now belongs to the right person.",
    TicketOutcome.REFERRED: "The matter was handed on.",
}


def outcome_words(outcome: TicketOutcome) -> str:
    """Say an outcome in a sentence."""
    return _OUTCOMES[outcome]


def is_for_staff(delivery: Delivery) -> bool:
    """Tell a notice to staff of a new ticket from one to the reporter."""
    return delivery.dedupe_key.startswith(f"{STAFF_KEY}:")


# --- Only here


def _new(
    shown: Shown, *, problem: TicketProblem, note: str, by: User, at: datetime
) -> Ticket:
    ticket: Ticket = Ticket.create(
        number=f"new {shown.dispensation.id} {by.id}",
        dispensation=shown.dispensation,
        case=shown.case,
        opened_by=by,
        opened_at=at,
        due_at=at + timedelta(days=settings.current().ticket_days),
        problem=problem,
        note=note,
    )
    ticket.number = f"T{clock.day_of(at):%y%m%d}-{ticket.id}"
    ticket.save(only=[Ticket.number])
    return ticket


def _own(entry: Dispensation, by: User) -> bool:
    is_dispenser = entry.pharmacy in reporters.pharmacies_of(by)
    return is_dispenser or entry.prescriber in reporters.prescribers_of(by)


def _may_see(entry: Dispensation, by: User) -> bool:
    if entry.withheld:
        return can(by.role, Permission.WITHHELD_READ)
    return can(by.role, Permission.TICKET_WORK) or _looked_up(entry, by)


def _looked_up(entry: Dispensation, by: User) -> bool:
    """Tell whether a report that a user looked up showed an entry.

    Under whichever patient the entry stood then; a report is open for hours and shows
    what came since the look-up.
    """
    found_under = whereabouts.stays([entry.__data__["identity"]])
    stayed = [replace(stay, since=None) for stay in found_under]
    found: Any = (
        LookUp.select()
        .where(LookUp.user == by)
        .where(whereabouts.whose(stayed, LookUp.patient, LookUp.at))
        .where(LookUp.outcome == LookUpOutcome.REPORT)
        .where(LookUp.since <= entry.filled_on)
        .where(LookUp.until >= entry.filled_on)
        .exists()
    )
    return bool(found)


def _correct(
    entry: Dispensation,
    changes: Mapping[str, object],
    *,
    reason: str,
    by: User,
    at: datetime,
) -> None:
    if not changes:
        raise RuleError("Change at least one field, or choose another outcome.")
    dispensations.correct(entry, changes=changes, reason=reason, by=by, at=at)


def _notices(entry: Dispensation) -> list[CorrectionNotice]:
    return list(
        CorrectionNotice.select()
        .where(CorrectionNotice.dispensation == entry)
        .where(CorrectionNotice.version == entry.version)
        .order_by(CorrectionNotice.id)
    )


def _change(ticket: Ticket, revision: int, **columns: object) -> None:
    """Change a ticket unless somebody did since `revision`: the second is told."""
    changed = (
        Ticket.update(**columns, revision=Ticket.revision + 1)
        .where(Ticket.id == ticket.id)
        .where(Ticket.revision == revision)
        .where(Ticket.resolved_at.is_null())
        .execute()
    )
    if not changed:
        raise ConflictError(
            "Somebody else has changed this ticket meanwhile. Nothing was done; look "
            "at it again."
        )
    for name, value in columns.items():
        setattr(ticket, name, value)
    ticket.revision = revision + 1


def _say(ticket: Ticket, text: str, *, by: str, at: datetime) -> None:
    TicketMessage.create(ticket=ticket, at=at, by=by, text=text)


def _record(
    event: audit.Event,
    ticket: Ticket,
    *,
    by: User,
    at: datetime,
    detail: dict[str, Any],
) -> None:
    subject = f"ticket:{ticket.number}"
    audit.record(event, actor=by.username, subject=subject, at=at, detail=detail)


def _tell_staff(ticket: Ticket, *, at: datetime) -> None:
    for number, route in enumerate(contacts.staff_routes()):
        deliveries.request(
            kind=DeliveryKind.TICKET_NOTICE,
            subject_id=ticket.id,
            routes=[route],
            dedupe_key=f"{STAFF_KEY}:{ticket.id}:{number}",
            at=at,
        )


def _tell_reporter(ticket: Ticket, *, at: datetime) -> None:
    if not (routes := contacts.routes_of_user(ticket.opened_by)):
        return  # they see the outcome in the portal, where they reported it
    deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=ticket.id,
        routes=routes,
        dedupe_key=f"{REPORTER_KEY}:{ticket.id}",
        at=at,
    )
