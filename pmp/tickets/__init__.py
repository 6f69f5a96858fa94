"""Inaccuracy tickets: somebody who was shown an entry says that it is wrong.

A ticket has an owner and a clock. It is about one entry, or about a patient's record
as a whole. While it is open the entry is marked "accuracy under review". Its resolution
corrects or voids the entry, re-counts the threshold cases, and tells everyone who was
sent the wrong entry, and the reporter.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

from peewee import IntegrityError

from models import (
    Audience,
    CorrectionNotice,
    Dispensation,
    Pharmacy,
    Ticket,
    TicketMessage,
    TicketOutcome,
    TicketProblem,
    TicketStatus,
    User,
)
from pmp import audit, clock, database, dispensations, withheld
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.tickets import (
    clocks,
    dispenser_questions,
    report_limits,
    routing,
    telling,
    whole_records,
    whose,
    writing,
)
from pmp.tickets.shown import Shown, find_shown
from pmp.tickets.telling import is_for_staff

__all__ = [
    "Shown",
    "ask_dispenser",
    "find_shown",
    "get",
    "is_for_staff",
    "is_under_review",
    "of_desk",
    "open_ticket",
    "outcome_of",
    "outcome_words",
    "own",
    "resolve",
    "say",
    "thread",
]

CHANGING = (TicketOutcome.VOIDED, TicketOutcome.CORRECTED, TicketOutcome.IDENTITY_FIXED)


# --- What the reporter does


def open_ticket(  # noqa: PLR0913 - who reports what, of which entry, for whom
    shown: Shown,
    *,
    problem: TicketProblem,
    note: str,
    by: User,
    at: datetime,
    reporter: str = "",
    is_limited: bool = True,
) -> Ticket:
    """Open a ticket about an entry or a record; one open for each reporter.

    `shown` comes from `find_shown` or `whole_records`. `reporter` says who it was, if
    `by` writes it down for somebody: one word for each, as `phone:+18605550123`. Staff
    are told by email: the number, nothing else. RuleError where a user reports more
    than anybody does in a day.
    """
    if problem == TicketProblem.OTHER and not note.strip():
        raise RuleError("Describe what is wrong", field="note")
    reporter = reporter or f"user:{by.id}"
    try:
        with database.atomic():
            if is_limited:
                report_limits.hold(by=by, at=at)
            ticket = _new(
                shown, problem=problem, note=note, by=by, at=at, reporter=reporter
            )
            writing.say(ticket, note or "Reported.", by=by.username, at=at)
            detail = {"about": shown.words, "problem": problem.value}
            writing.record(
                audit.Event.TICKET_OPENED, ticket, by=by, at=at, detail=detail
            )
            telling.tell_opened(ticket, at=at)
    except report_limits.TooManyError:
        report_limits.refused(by=by, at=at)
        raise
    except IntegrityError as twice:
        what = "entry" if shown.dispensation else "problem"
        message = f"You have reported this {what} already; that ticket is still open."
        raise RuleError(message, field="problem") from twice
    return ticket


def own(number: str, *, by: User) -> Ticket:
    """Give one of a user's own tickets; NotFoundError for anybody else's."""
    ticket: Ticket | None = Ticket.get_or_none(
        (Ticket.number == number) & whose.reported_by(by)
    )
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
    """Add a line to a ticket's thread, for staff and its audience.

    Staff are told where the reporter wrote it; see `correspondence` for the reverse.
    """
    if not text.strip():
        raise RuleError("Write a message", field="text")
    if ticket.resolved_at is not None:
        raise RuleError("This ticket is closed; report the entry again if need be.")
    with database.atomic():
        writing.say(ticket, text, by=by.username, at=at, audience=audience)
        detail = {"audience": audience.value}
        writing.record(audit.Event.TICKET_MESSAGE, ticket, by=by, at=at, detail=detail)
        if audience is Audience.REPORTER and whose.is_reporter(ticket, by):
            telling.tell_written(ticket, at=at)


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


def of_desk(number: str, *, by: User) -> Ticket:
    """Give a ticket to staff; NotFoundError also where its entry is withheld."""
    found = get(number)
    if not withheld.may_see(found.dispensation, by):
        raise NotFoundError("There is no such ticket.")
    return found


def ask_dispenser(
    ticket: Ticket,
    *,
    text: str,
    by: User,
    at: datetime,
    revision: int,
    pharmacy: Pharmacy | None = None,
) -> None:
    """Ask the pharmacy: the ticket now waits for its answer, and a clock runs.

    The entry's own; `pharmacy` is for a ticket about a whole record.
    """
    if not text.strip():
        raise RuleError("Write what you asked the pharmacy", field="text")
    due_at = clocks.dispenser_due(at)
    with database.atomic():
        writing.change(
            ticket,
            revision,
            status=TicketStatus.WITH_DISPENSER,
            asked_at=at,
            dispenser_due_at=due_at,
        )
        dispenser_questions.ask(
            ticket, pharmacy=pharmacy, text=text, by=by, at=at, due_at=due_at
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
    version: int | None = None,
) -> list[CorrectionNotice]:
    """End a ticket: void, correct or uphold its entry, and tell whom it concerns.

    Gives the notices to those who were sent a report with the entry. `changes` is as
    for dispensations.correct; `change`, given the reason, does more than that: it
    splits a patient. ConflictError, with nothing done, if somebody changed the
    ticket since `revision` was read, or the entry since `version` was.
    """
    if not note.strip():
        raise RuleError("Say why: the reporter will read it", field="note")
    entry = _as_seen(ticket, version)
    with database.atomic():
        dispenser_questions.withdraw(ticket, by=by, at=at)
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
        elif entry is None:
            whole_records.require_possible(outcome)
        elif outcome == TicketOutcome.VOIDED:
            dispensations.void(entry, reason=reason, by=by, at=at)
        elif outcome in CHANGING:
            _correct(entry, changes or {}, reason=reason, by=by, at=at)
        told = _notices(entry) if entry and (change or outcome in CHANGING) else []
        said = outcome_words(outcome, of_record=entry is None)
        writing.say(ticket, f"{said} {note}", by=by.username, at=at)
        detail = {"outcome": outcome.value, "told": len(told)}
        writing.record(audit.Event.TICKET_RESOLVED, ticket, by=by, at=at, detail=detail)
        _tell(ticket, at=at)
    return told


_OUTCOMES = {
    TicketOutcome.CORRECTED: "The entry was corrected.",
    TicketOutcome.VOIDED: "The entry was removed.",
    TicketOutcome.UPHELD: "The entry is right as it stands.",
    TicketOutcome.IDENTITY_FIXED: "The entry now belongs to the right person.",
    TicketOutcome.REFERRED: "The matter was handed on.",
}


def outcome_words(outcome: TicketOutcome, *, of_record: bool = False) -> str:
    """Say an outcome in a sentence; of a ticket about a whole record, if so."""
    said = _OUTCOMES[outcome]
    return said.replace("The entry", "The record") if of_record else said


def outcome_of(ticket: Ticket) -> str:
    """Say how a ticket ended; empty while it is open, and if it was withdrawn."""
    if ticket.outcome is None:
        return ""
    return outcome_words(ticket.outcome, of_record=ticket.dispensation is None)


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
        due_at=clocks.outcome_due(at),
        triage_due_at=clocks.triage_due(at),
        assigned_to=routing.choose(problem, shown.dispensation),
        problem=problem,
        note=note,
    )
    ticket.number = f"T{clock.day_of(at):%y%m%d}-{ticket.id}"
    ticket.save(only=[Ticket.number])
    return ticket


def _tell(ticket: Ticket, *, at: datetime) -> None:
    """Tell the reporter how their ticket ended."""
    telling.tell_reporter(ticket, at=at)
    Ticket.update(status=TicketStatus.TOLD).where(Ticket.id == ticket.id).execute()
    ticket.status = TicketStatus.TOLD


def _as_seen(ticket: Ticket, version: int | None) -> Dispensation | None:
    """Give a ticket's entry; ConflictError if it is not as somebody saw it."""
    entry: Dispensation | None = ticket.dispensation
    if entry is not None and version is not None and entry.version != version:
        raise ConflictError(
            "The entry has changed meanwhile. Nothing was done; look at it again."
        )
    return entry


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
