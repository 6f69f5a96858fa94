"""Tells a user that the account is suspended for its licence, or active again.

It quotes what the Department's file says of the licence, and nothing that staff wrote.
"""

from gateway import documents, messages
from gateway.message import Message
from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    FindingVerdict,
    LicenceFinding,
)

SUSPENDED = "Your account is suspended"
REINSTATED = "Your account is active again"


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the news as mail, or as a page for fax and letter."""
    finding: LicenceFinding = LicenceFinding.get_by_id(delivery.subject_id)
    user = finding.user
    is_suspended = finding.verdict == FindingVerdict.SUSPENDED
    subject = SUSPENDED if is_suspended else REINSTATED
    context = {
        "subject": subject,
        "is_suspended": is_suspended,
        "code": user.licence.code if user.licence else "",
        "standing": finding.after,
        "settled_at": finding.settled_at,
    }
    if delivery.channel == ChannelName.EMAIL:
        return messages.mail(delivery, "licence_notice", **context)
    is_letter = delivery.channel == ChannelName.LETTER
    lines = delivery.address.splitlines() if is_letter else [user.name]
    body = documents.pdf(
        "licence_notice", to_lines=lines, at=attempt.started_at, **context
    )
    return Message(
        address=delivery.address, subject=subject, pdf=body, to_name=user.name
    )
