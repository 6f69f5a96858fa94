"""Inaccuracy tickets: somebody who was shown an entry says that it is wrong.

A ticket has an owner and a clock. It is about one entry, or about a patient's record
as a whole. While it is open the entry is marked "accuracy under review". Its resolution
corrects or voids the entry, re-counts the threshold cases, and tells everyone who was
sent the wrong entry, and the reporter.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from peewee import IntegrityError

from models import (
    CorrectionNotice,
    Dispensation,
    Ticket,
    TicketMessage,
    TicketOutcome,
    TicketProblem,
    TicketStatus,
    User,
)
from pmp import audit, clock, database, dispensations, settings
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.tickets import report_limits, telling, whole_records
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
    "take",
    "thread",
]

CHANGING = (TicketOutcome.VOIDED, TicketOutcome.CORRECTED, TicketOutcome.IDENTITY_FIXED)


# --- What the reporter does


def open_ticket(
    shown: Shown,
    *,
    problem: TicketProblem,
    note: str,
    by: User,
    at: datetime,
    reporter: str = "",
) -> Ticket:
    """Open a ticket about an entry or a record; one open for each reporter.

    `shown` comes from `find_shown` or `whole_records`. `reporter` says who it was, if
    `by` writes it down for somebody: one word for each, as `phone:+18605550123`. Staff
    are told by email: the number, nothing else. RuleError where a user reports more
    than anybody does in a day.
    """
    if problem == TicketProblem.OTHER and not note.strip():
        raise RuleError("Describe what is wrong", field="note")
    report_limits.check(by=by, at=at)
    reporter = reporter or f"user:{by.id}"
    try:
        with database.atomic():
            report_limits.hold(by=by, at=at)
            ticket = _new(
                shown, problem=problem, note=note, by=by, at=at, reporter=reporter
            )
            _say(ticket, note or "Reported.", by=by.username, at=at)
            detail = {"about": shown.words, "problem": problem.value}
            _record(audit.Event.TICKET_OPENED, ticket, by=by, at=at, detail=detail)
            telling.tell_staff(ticket, at=at)
    except IntegrityError as twice:
        what = "entry" if shown.dispensation else "problem"
        message = f"You have reported this {what} already; that ticket is still open."
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
    entry: Dispensation | None = ticket.dispensation
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
        elif entry is None:
            whole_records.require_possible(outcome)
        elif outcome == TicketOutcome.VOIDED:
            dispensations.void(entry, reason=reason, by=by, at=at)
        elif outcome in CHANGING:
            _correct(entry, changes or {}, reason=reason, by=by, at=at)
        told = _notices(entry) if entry and outcome in CHANGING else []
        _say(ticket, f"{_OUTCOMES[outcome]} {note}", by=by.username, at=at)
        detail = {"outcome": outcome.value, "told": len(told)}
        _record(audit.Event.TICKET_RESOLVED, ticket, by=by, at=at, detail=detail)
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
    shown: Shown,
    *,
    problem: TicketProblem,
    note: str,
    by: User,
    at: datetime,
    reporter: str,
) -> Ticket:
    ticket: Ticket = Ticket.create(
        number=f"new {secrets.token_hex(8)}",
        dispensation=shown.dispensation,
        patient=shown.patient,
        look_up=shown.look_up,
        case=shown.case,
        reporter=reporter,
        opened_by=by,
        opened_at=at,
        due_at=at + timedelta(days=settings.current().ticket_days),
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
