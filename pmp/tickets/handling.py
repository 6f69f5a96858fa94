"""What staff do with a ticket on its way: take, hand over, escalate, open again."""

from datetime import datetime, timedelta

from peewee import IntegrityError

from models import (
    Audience,
    CorrectionNotice,
    Dispensation,
    Ticket,
    TicketOutcome,
    TicketStatus,
    User,
)
from pmp import audit, database, dispensations, settings, tickets
from pmp.errors import ConflictError, RuleError
from pmp.tickets import clocks, routing, telling, writing

STAYS = {
    TicketOutcome.CORRECTED: (
        "The correction stays, and so do the notices of it. Correct the entry once more"
        " to take it back."
    ),
    TicketOutcome.VOIDED: (
        "The entry stays removed, and whoever was told of it stays told. Put the entry"
        " back to have it stand again."
    ),
    TicketOutcome.UPHELD: "The entry is marked as under review again.",
    TicketOutcome.IDENTITY_FIXED: (
        "The patients stay split. Undo the split on the patient's page if it was wrong."
    ),
    TicketOutcome.REFERRED: (
        "What was sent cannot be called back. Tell whom it was referred to."
    ),
}
"""What opening a ticket again does not undo."""


def take(ticket: Ticket, *, by: User, at: datetime, revision: int) -> None:
    """Make a ticket one's own; ConflictError if somebody changed it meanwhile."""
    with database.atomic():
        columns = {"assigned_to": by, "status": _taken_up(ticket)}
        writing.change(ticket, revision, **columns)
        writing.record(audit.Event.TICKET_TAKEN, ticket, by=by, at=at, detail={})


def assign(
    ticket: Ticket, *, to: int, reason: str, by: User, at: datetime, revision: int
) -> None:
    """Hand a ticket to somebody else of the desk, who is told by email."""
    receiver = next(
        (user for user in routing.desk(ticket.dispensation) if user.id == to), None
    )
    if receiver is None:
        raise RuleError("Choose somebody who works on tickets.", field="to")
    if not reason.strip():
        raise RuleError("Say why, for who gets it.", field="reason")
    with database.atomic():
        writing.change(ticket, revision, assigned_to=receiver)
        text = f"Handed to {receiver.username}: {reason}"
        _note(ticket, text, by=by, at=at)
        detail = {"to": receiver.username}
        writing.record(audit.Event.TICKET_ASSIGNED, ticket, by=by, at=at, detail=detail)
        telling.tell_assigned(ticket, at=at)


def escalate(
    ticket: Ticket, *, to: int, reason: str, by: User, at: datetime, revision: int
) -> None:
    """Put a ticket before an administrator, who is told; it is flagged from then on."""
    receiver = next((each for each in routing.administrators() if each.id == to), None)
    if receiver is None:
        raise RuleError("Choose an administrator.", field="to")
    if not reason.strip():
        raise RuleError("Say what has to be decided.", field="reason")
    with database.atomic():
        writing.change(
            ticket,
            revision,
            assigned_to=receiver,
            escalated_at=at,
            status=_taken_up(ticket),
        )
        _note(ticket, f"Escalated to {receiver.username}: {reason}", by=by, at=at)
        detail = {"to": receiver.username}
        event = audit.Event.TICKET_ESCALATED
        writing.record(event, ticket, by=by, at=at, detail=detail)
        telling.tell_assigned(ticket, at=at, notice=telling.Notice.ESCALATED)


def put_back(
    ticket: Ticket,
    *,
    note: str,
    by: User,
    at: datetime,
    revision: int,
    version: int | None = None,
) -> list[CorrectionNotice]:
    """End a ticket by letting its removed entry stand again; who was told is told."""
    entry: Dispensation | None = ticket.dispensation
    if entry is None:
        raise RuleError("This ticket names no entry that could stand again.")

    def restore(reason: str) -> None:
        dispensations.restore(entry, reason=reason, by=by, at=at)

    return tickets.resolve(
        ticket,
        outcome=TicketOutcome.UPHELD,
        note=note,
        by=by,
        at=at,
        revision=revision,
        version=version,
        change=restore,
    )


def may_reopen(ticket: Ticket, *, at: datetime) -> bool:
    """Tell whether a ticket is resolved, and not too long ago to open it again."""
    if ticket.resolved_at is None:
        return False
    last: datetime = ticket.resolved_at + timedelta(
        days=settings.current().ticket_reopen_days
    )
    return at <= last


def reopen(
    ticket: Ticket, *, reason: str, by: User, at: datetime, revision: int
) -> bool:
    """Open a resolved ticket again. What changed stays changed.

    True if a message to its reporter goes out; an outcome that waits does not.
    ConflictError if somebody was quicker; RuleError when it is too late, and if the
    reporter has reported the entry anew meanwhile.
    """
    if not reason.strip():
        raise RuleError("Say why: the reporter will read it.", field="reason")
    if not may_reopen(ticket, at=at):
        raise RuleError("This ticket cannot be opened again. Open a new one.")
    was = ticket.outcome
    try:
        with database.atomic():
            telling.take_back_outcome(ticket, by=by, at=at)
            _open_again(ticket, revision, at=at)
            text = f"Opened again: {reason}"
            writing.say(ticket, text, by=by.username, at=at)
            detail = {"outcome": was.value if was else ""}
            event = audit.Event.TICKET_REOPENED
            writing.record(event, ticket, by=by, at=at, detail=detail)
            return telling.tell_reporter(ticket, at=at, notice=telling.Notice.REOPENED)
    except IntegrityError as twice:
        raise RuleError(
            "The reporter has opened another ticket about this entry since. Work on"
            " that one."
        ) from twice


def _open_again(ticket: Ticket, revision: int, *, at: datetime) -> None:
    columns = {
        "status": TicketStatus.TRIAGED,
        "outcome": None,
        "outcome_note": "",
        "resolved_at": None,
        "resolved_by": "",
        "due_at": clocks.outcome_due(at),
    }
    changed = (
        Ticket.update(**columns, revision=Ticket.revision + 1)
        .where(Ticket.id == ticket.id)
        .where(Ticket.revision == revision)
        .where(~Ticket.resolved_at.is_null())
        .execute()
    )
    if not changed:
        raise ConflictError("Somebody else has changed this ticket. Look at it again.")
    for name, value in columns.items():
        setattr(ticket, name, value)
    ticket.revision = revision + 1


def _taken_up(ticket: Ticket) -> TicketStatus:
    is_new = ticket.status is TicketStatus.NEW
    return TicketStatus.TRIAGED if is_new else ticket.status


def _note(ticket: Ticket, text: str, *, by: User, at: datetime) -> None:
    """Add a line that only staff read."""
    writing.say(ticket, text, by=by.username, at=at, audience=Audience.STAFF)
