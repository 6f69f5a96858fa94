"""Tells staff of a new inaccuracy ticket, and its reporter of the outcome.

The number and a link, by email; a reporter without email has it by fax or letter. Never
a word about the patient or the entry.
"""

from gateway import documents, messages
from gateway.message import Message
from models import ChannelName, Delivery, DeliveryAttempt, Ticket
from pmp import settings, tickets


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the notice to staff or to the reporter."""
    ticket = Ticket.get_by_id(delivery.subject_id)
    for_staff = tickets.is_for_staff(delivery)
    path = "staff/tickets" if for_staff else "tickets"
    context = {
        "ticket": ticket,
        "for_staff": for_staff,
        "link": f"{settings.current().public_url}/{path}/{ticket.number}",
    }
    if delivery.channel == ChannelName.EMAIL:
        return messages.mail(delivery, "ticket_notice", **context)
    letter = delivery.channel == ChannelName.LETTER
    lines = delivery.address.splitlines() if letter else [ticket.opened_by.name]
    body = documents.pdf(
        "ticket_notice", to_lines=lines, at=attempt.started_at, **context
    )
    subject = f"Ticket {ticket.number} is resolved"
    return Message(address=delivery.address, subject=subject, pdf=body)
