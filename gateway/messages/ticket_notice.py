"""Tells staff of a ticket that waits for them, and its reporter how it ends.

The number and a link, by email; a reporter without email has it by fax or letter, and
who cannot sign in the outcome itself. Never a word about the patient or the entry.
"""

from gateway import documents, messages
from gateway.message import Message
from models import ChannelName, Delivery, DeliveryAttempt, Ticket
from pmp import settings, tickets
from pmp.errors import RuleError
from pmp.tickets import clocks, telling

SUBJECTS = {
    telling.Notice.NEW: "New inaccuracy ticket {}",
    telling.Notice.ASSIGNED: "Ticket {} is yours",
    telling.Notice.ESCALATED: "Ticket {} is escalated to you",
    telling.Notice.OVERDUE: "Ticket {} is overdue",
    telling.Notice.OUTCOME: "Ticket {} is resolved",
    telling.Notice.REOPENED: "Ticket {} is open again",
    telling.Notice.MESSAGE: "A message about ticket {}",
    telling.Notice.WROTE: "The reporter has written: ticket {}",
    telling.Notice.ANSWERED: "The pharmacy has answered: ticket {}",
}


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the notice to staff or to the reporter."""
    ticket = Ticket.get_by_id(delivery.subject_id)
    notice = telling.notice_of(delivery)
    for_staff = telling.is_for_staff(delivery)
    path = "staff/tickets" if for_staff else "tickets"
    subject = SUBJECTS[notice].format(ticket.number)
    context = {
        "ticket": ticket,
        "notice": notice.value,
        "for_staff": for_staff,
        "subject": subject,
        "due": next(iter(clocks.running(ticket)), None),
        "link": f"{settings.current().public_url}/{path}/{ticket.number}",
    }
    if delivery.channel == ChannelName.EMAIL:
        return messages.mail(delivery, "ticket_notice", **context)
    signs_in = telling.signs_in(ticket)
    if notice is telling.Notice.OUTCOME and not signs_in and ticket.outcome is None:
        raise RuleError("This ticket has no outcome any more.")
    letter = delivery.channel == ChannelName.LETTER
    name = telling.reporter_name(ticket)
    lines = delivery.address.splitlines() if letter else [name]
    body = documents.pdf(
        "ticket_notice",
        to_lines=lines,
        at=attempt.started_at,
        signs_in=signs_in,
        outcome=tickets.outcome_of(ticket),
        **context,
    )
    return Message(address=delivery.address, subject=subject, pdf=body, to_name=name)
