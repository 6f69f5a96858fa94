"""A reporter takes a report back, and takes that back: it had been a mistake."""

from datetime import datetime

from peewee import IntegrityError

from models import Ticket, TicketStatus, User
from pmp import audit, database
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.tickets import clocks, dispenser_questions, telling, writing

WITHDRAWN = "The reporter has withdrawn the report."
REOPENED = "The reporter stands by the report after all."


def is_withdrawn(ticket: Ticket) -> bool:
    """Tell whether a ticket ended because its reporter took it back."""
    return ticket.resolved_at is not None and ticket.outcome is None


def withdraw(ticket: Ticket, *, by: User, at: datetime) -> None:
    """End one's own ticket; ConflictError if staff have changed it meanwhile."""
    _require_own(ticket, by)
    with database.atomic():
        dispenser_questions.withdraw(ticket, by=by, at=at)
        writing.change(
            ticket,
            ticket.revision,
            status=TicketStatus.CLOSED,
            outcome_note=WITHDRAWN,
            resolved_at=at,
            resolved_by=by.username,
        )
        writing.say(ticket, WITHDRAWN, by=by.username, at=at)
        event = audit.Event.TICKET_WITHDRAWN
        writing.record(event, ticket, by=by, at=at, detail={})


def undo(ticket: Ticket, *, by: User, at: datetime) -> None:
    """Open a ticket again that one had withdrawn: it is new, and its clocks begin.

    Its owner is told. RuleError for one that staff ended, and where the same was
    reported anew since.
    """
    _require_own(ticket, by)
    if not is_withdrawn(ticket):
        raise RuleError("You have not withdrawn this report.")
    try:
        with database.atomic():
            changed = (
                Ticket.update(
                    status=TicketStatus.NEW,
                    triage_due_at=clocks.triage_due(at),
                    due_at=clocks.outcome_due(at),
                    outcome_note="",
                    resolved_at=None,
                    resolved_by="",
                    revision=Ticket.revision + 1,
                )
                .where(Ticket.id == ticket.id, Ticket.revision == ticket.revision)
                .execute()
            )
            if not changed:
                raise ConflictError("Somebody has changed this ticket. Look again.")
            writing.say(ticket, REOPENED, by=by.username, at=at)
            event = audit.Event.TICKET_REOPENED
            writing.record(event, ticket, by=by, at=at, detail={})
            telling.tell_opened(Ticket.get_by_id(ticket.id), at=at)
    except IntegrityError as twice:
        raise RuleError(
            "You have reported the same again since: that ticket is open."
        ) from twice


def _require_own(ticket: Ticket, by: User) -> None:
    if ticket.reporter != f"user:{by.id}":
        raise NotFoundError("There is no such ticket among yours.")
