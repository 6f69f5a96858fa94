"""Tells who reported an inaccuracy and is no user how it ended: by fax or letter.

The number, the outcome and the reason; never a word about the entry. A patient who
asked in writing also reads what they may do if they disagree (45 CFR 164.526).
"""

from gateway import documents
from gateway.message import Message
from models import Delivery, DeliveryAttempt, OutsideKind, TicketOutcome
from pmp import tickets
from pmp.errors import RuleError
from pmp.tickets import outside_answers


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the answer to an outside reporter."""
    reporter = outside_answers.get(delivery.subject_id)
    ticket = reporter.ticket
    if ticket.outcome is None:  # opened again since
        raise RuleError("This ticket has no outcome any more.")
    body = documents.pdf(
        "outside_answer",
        to_lines=[reporter.name, *reporter.address.splitlines()],
        at=attempt.started_at,
        reporter=reporter,
        ticket=ticket,
        outcome=tickets.outcome_of(ticket),
        denied=ticket.outcome == TicketOutcome.UPHELD
        and reporter.kind == OutsideKind.PATIENT,
    )
    subject = f"Ticket {ticket.number} is resolved"
    return Message(
        address=delivery.address, subject=subject, pdf=body, to_name=reporter.name
    )
