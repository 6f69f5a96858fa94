"""Tells a user what happened to their own account, by email, fax or letter."""

from gateway import documents, messages
from gateway.message import Message
from models import AccountNotice, ChannelName, Delivery, DeliveryAttempt
from pmp.accounts import notice_words


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the notice as mail, or as a page for fax and letter."""
    notice: AccountNotice = AccountNotice.get_by_id(delivery.subject_id)
    subject, sentences = notice_words.of(notice)
    context = {"subject": subject, "sentences": sentences}
    if delivery.channel == ChannelName.EMAIL:
        return messages.mail(delivery, "account_notice", **context)
    name = notice.user.name
    is_letter = delivery.channel == ChannelName.LETTER
    lines = delivery.address.splitlines() if is_letter else [name]
    body = documents.pdf(
        "account_notice", to_lines=lines, at=attempt.started_at, **context
    )
    return Message(address=delivery.address, subject=subject, pdf=body, to_name=name)
