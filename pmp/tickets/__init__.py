"""Inaccuracy tickets: somebody who was shown an entry says that it is wrong.

A ticket has an owner and a clock. While it is open the entry is marked "accuracy under
review". Its resolution corrects or voids the entry, re-counts the threshold cases, and
tells everyone who was sent the wrong entry, and the reporter.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from peewee import IntegrityError

from models import (
    Audience,
    CorrectionNotice,
    Dispensation,
    Ticket,
    TicketMessage,
    TicketOutcome,
    TicketProblem,
    TicketStatus,
    User,
)
from pmp import audit, clock, database, dispensations
from pmp.errors import NotFoundError, RuleError
from pmp.tickets import clocks, routing, telling, writing
from pmp.tickets.shown import Shown, find_shown
from pmp.tickets.telling import is_for_staff

__all__ = [
    "Shown",
    "ask_dispenser",
    "find_shown",
    "get",
    "is_for_staff",
    "is_under_review",
    "mine",
    "open_ticket",
    "outcome_words",
    "own",
    "resolve",
    "say",
    "thread",
]

CHANGING = (TicketOutcome.VOIDED, TicketOutcome.CORRECTED, TicketOutcome.IDENTITY_FIXED)


# --- What the reporter does


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
            writing.say(ticket, note or "Reported.", by=by.username, at=at)
            detail = {"entry": shown.dispensation.row_code, "problem": problem.value}
            writing.record(
                audit.Event.TICKET_OPENED, ticket, by=by, at=at, detail=detail
            )
            telling.tell_opened(ticket, at=at)
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


def say(
    ticket: Ticket,
    *,
    text: str,
    by: User,
    at: datetime,
    audience: Audience = Audience.REPORTER,
) -> None:
    """Add a line to a ticket's thread, for staff and its audience."""
    if not text.strip():
        raise RuleError("Write a message", field="text")
    if ticket.resolved_at is not None:
        raise RuleError("This ticket is closed; report the entry again if need be.")
    with database.atomic():
        writing.say(ticket, text, by=by.username, at=at, audience=audience)
        detail = {"audience": audience.value}
        writing.record(audit.Event.TICKET_MESSAGE, ticket, by=by, at=at, detail=detail)


def thread(
    ticket: Ticket, *, audience: Audience = Audience.REPORTER
) -> list[TicketMessage]:
    """Give the lines that an audience reads, the oldest first; staff read them all."""
    query = TicketMessage.select().where(TicketMessage.ticket == ticket)
    if audience is not Audience.STAFF:
        query = query.where(TicketMessage.audience == audience)
    return list(query.order_by(TicketMessage.at, TicketMessage.id))


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


def ask_dispenser(
    ticket: Ticket, *, text: str, by: User, at: datetime, revision: int
) -> None:
    """Ask the pharmacy: the ticket now waits for its answer, and a clock runs."""
    if not text.strip():
        raise RuleError("Write what you asked the pharmacy", field="text")
    with database.atomic():
        writing.change(
            ticket,
            revision,
            status=TicketStatus.WITH_DISPENSER,
            asked_at=at,
            dispenser_due_at=clocks.dispenser_due(at),
        )
        audience = Audience.DISPENSER
        writing.say(ticket, text, by=by.username, at=at, audience=audience)
        detail = {"audience": audience.value}
        writing.record(audit.Event.TICKET_MESSAGE, ticket, by=by, at=at, detail=detail)


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
        writing.change(
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
        changes_it = change is not None or outcome in CHANGING
        told = _notices(entry) if changes_it else []
        writing.say(ticket, f"{_OUTCOMES[outcome]} {note}", by=by.username, at=at)
        detail = {"outcome": outcome.value, "told": len(told)}
        writing.record(audit.Event.TICKET_RESOLVED, ticket, by=by, at=at, detail=detail)
        telling.tell_reporter(ticket, at=at)
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
        due_at=clocks.outcome_due(at),
        triage_due_at=clocks.triage_due(at),
        assigned_to=routing.choose(problem),
        problem=problem,
        note=note,
    )
    ticket.number = f"T{clock.day_of(at):%y%m%d}-{ticket.id}"
    ticket.save(only=[Ticket.number])
    return ticket


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
