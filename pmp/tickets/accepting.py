"""Ending a ticket by what has become of its entry already: its pharmacy changed it."""

from datetime import datetime

from models import (
    CorrectionNotice,
    Dispensation,
    DispensationStatus,
    DispensationVersion,
    Ticket,
    TicketOutcome,
    User,
)
from pmp import tickets
from pmp.errors import RuleError


def was_changed(ticket: Ticket) -> bool:
    """Tell whether the entry of a ticket has changed since it was reported."""
    found: bool = (
        DispensationVersion.select()
        .where(DispensationVersion.dispensation == ticket.dispensation)
        .where(DispensationVersion.changed_at >= ticket.opened_at)
        .exists()
    )
    return ticket.dispensation is not None and found


def accept(
    ticket: Ticket,
    *,
    note: str,
    by: User,
    at: datetime,
    revision: int,
    version: int | None = None,
) -> list[CorrectionNotice]:
    """End a ticket as corrected, or as removed, by a change that was made since.

    Who was sent the entry was told of the change then. RuleError if there was none.
    """
    entry: Dispensation | None = ticket.dispensation
    if entry is None or not was_changed(ticket):
        raise RuleError("The entry has not changed since it was reported.")
    is_gone = entry.status is DispensationStatus.VOIDED
    return tickets.resolve(
        ticket,
        outcome=TicketOutcome.VOIDED if is_gone else TicketOutcome.CORRECTED,
        note=note,
        by=by,
        at=at,
        revision=revision,
        version=version,
        change=lambda _reason: None,
    )
