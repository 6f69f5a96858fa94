"""Tells users what staff did about their account: suspended, opened, another role.

It names neither the user name nor a reason: whoever reads the mail may be a stranger.
"""

from gateway import documents, messages
from gateway.message import Message
from models import AuditEvent, ChannelName, Delivery, DeliveryAttempt
from pmp.accounts import account_news


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the news as mail, or as a page for fax and letter."""
    event = AuditEvent.get_by_id(delivery.subject_id)
    subject, sentences = account_news.news(event)
    context = {"subject": subject, "sentences": sentences}
    if delivery.channel == ChannelName.EMAIL:
        return messages.mail(delivery, "account_news", **context)
    is_letter = delivery.channel == ChannelName.LETTER
    name = account_news.whom(event).name
    lines = delivery.address.splitlines() if is_letter else [name]
    body = documents.pdf(
        "account_news", to_lines=lines, at=attempt.started_at, **context
    )
    return Message(address=delivery.address, subject=subject, pdf=body)
