"""Tells somebody who was sent a threshold report that an entry in it has changed.

By email a notice and a link; by fax, letter and sealed email which report, which row,
what changed and whether the report still holds. Nothing else of it is sent again.
"""

from gateway import documents, messages
from gateway.message import Message
from models import ChannelName, Delivery, DeliveryAttempt
from pmp import settings
from pmp.deliveries import certificates, protections
from pmp.thresholds import correction_notices
from pmp.thresholds.correction_notices import Correction

SUBJECT = "Correction to a Patient Threshold Report"


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the notice of a correction."""
    notice = correction_notices.get(delivery.subject_id)
    protection = protections.of(delivery, at=attempt.started_at)
    if delivery.channel == ChannelName.EMAIL and not protection:
        certificates.refuse_link(delivery)
        link = (
            f"{settings.current().public_url}/threshold-reports/{notice.recipient.id}"
        )
        return messages.mail(delivery, "correction_notice", link=link)
    at = attempt.started_at
    body = correction_notices.copy(notice, draw=draw, at=at)
    correction_notices.sending(notice, address=delivery.address, at=at)
    if protection:
        name = "correction_notice_sealed"
        return messages.sealed(delivery, name, pdf=body, protection=protection)
    return Message(address=delivery.address, subject=SUBJECT, pdf=body, has_cover=True)


def draw(correction: Correction) -> bytes:
    """Draw the notice as a PDF behind a cover sheet."""
    return documents.pdf("correction_notice", correction=correction)
