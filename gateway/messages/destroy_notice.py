"""Asking whoever got a message by mistake to destroy it."""

from gateway import documents
from gateway.channels import Message
from models import Delivery, DeliveryAttempt
from pmp import destroy_notices, misdeliveries

SUBJECT = "A message that was not for you"


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the page; it names nobody."""
    incident = misdeliveries.get(delivery.subject_id)
    sheet = destroy_notices.sheet(incident, at=attempt.started_at)
    body = documents.pdf("destroy_notice", sheet=sheet)
    # A page alone: whoever had one of ours by mistake needs no cover sheet before it.
    return Message(address=delivery.address, subject=SUBJECT, pdf=body, has_cover=True)
