"""Asks a dispenser about an entry that it reported.

By email a notice and a link; by fax and letter the question and by which prescription
to find the entry: no name, no drug.
"""

from dataclasses import replace

from gateway import documents, messages
from gateway.message import Message
from models import ChannelName, Delivery, DeliveryAttempt
from pmp import settings
from pmp.tickets import question_letters

SUBJECT = "A question about a prescription that you reported"


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the question to a pharmacy."""
    letter = question_letters.letter(delivery.subject_id)
    link = f"{settings.current().public_url}/questions/{delivery.subject_id}"
    if delivery.channel == ChannelName.EMAIL:
        due_at = letter.due_at
        return messages.mail(delivery, "ticket_question", due_at=due_at, link=link)
    if delivery.channel == ChannelName.LETTER:
        letter = replace(letter, to_lines=delivery.address.splitlines())
    at = attempt.started_at
    question_letters.sending(letter, address=delivery.address, at=at)
    body = documents.pdf("ticket_question", letter=letter, made_at=at, link=link)
    return Message(address=delivery.address, subject=SUBJECT, pdf=body, has_cover=True)
