"""How a ticket is changed: once for each revision, a line at a time, on the record."""

from datetime import datetime
from typing import Any

from models import Audience, Ticket, TicketMessage, User
from pmp import audit
from pmp.errors import ConflictError


def change(ticket: Ticket, revision: int, **columns: object) -> None:
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


def say(
    ticket: Ticket,
    text: str,
    *,
    by: str,
    at: datetime,
    audience: Audience = Audience.REPORTER,
) -> None:
    """Add a line that staff and its audience read."""
    TicketMessage.create(ticket=ticket, at=at, by=by, text=text, audience=audience)


def record(
    event: audit.Event,
    ticket: Ticket,
    *,
    by: User,
    at: datetime,
    detail: dict[str, Any],
) -> None:
    """Put what somebody did with a ticket on the audit record."""
    subject = f"ticket:{ticket.number}"
    audit.record(event, actor=by.username, subject=subject, at=at, detail=detail)
