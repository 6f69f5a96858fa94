"""Tells somebody, where they were reached until now, that this was changed.

It says neither the new number nor the new address: the old one may be a stranger's.
"""

from gateway import documents, messages
from gateway.message import Message
from models import ChannelName, Delivery, DeliveryAttempt, User

SUBJECT = "Where your reports go was changed"


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the news as mail, or as a page for fax and letter."""
    user = User.get_by_id(delivery.subject_id)
    context = {"changed_at": delivery.created_at, "subject": SUBJECT}
    if delivery.channel == ChannelName.EMAIL:
        return messages.mail(delivery, "contact_change", **context)
    is_letter = delivery.channel == ChannelName.LETTER
    lines = delivery.address.splitlines() if is_letter else [user.name]
    body = documents.pdf(
        "contact_change", to_lines=lines, at=attempt.started_at, **context
    )
    return Message(address=delivery.address, subject=SUBJECT, pdf=body)
