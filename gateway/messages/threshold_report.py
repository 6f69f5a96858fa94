"""A Patient Threshold Report, to one recipient.

By email a notice and a link, without a word about the patient. By fax and letter, and
by email to whom it can be sealed for, the whole report behind a cover sheet: the same
copy that the portal gives, drawn once.
"""

from gateway import documents, messages
from gateway.message import Message
from models import (
    CaseRecipient,
    CaseStatus,
    ChannelName,
    Delivery,
    DeliveryAttempt,
)
from pmp import settings
from pmp.deliveries import certificates, protections
from pmp.errors import RuleError
from pmp.thresholds import concerned, threshold_copies, threshold_reports

SUBJECT = "Patient Threshold Report"


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the notice or the report.

    RuleError if its case was withdrawn meanwhile, or does not concern them any more.
    """
    recipient = CaseRecipient.get_by_id(delivery.subject_id)
    if recipient.case.status in {CaseStatus.WITHDRAWN, CaseStatus.CLOSED}:
        raise RuleError("The case has ended; its report is not sent any more.")
    if not concerned.is_concerned(recipient):
        raise RuleError("The case does not concern its recipient any more.")
    at = attempt.started_at
    body = threshold_copies.copy(recipient, draw=documents.threshold_report, at=at)
    if protection := protections.of(delivery, at=at):
        threshold_reports.sending(recipient, address=delivery.address, at=at)
        name = "threshold_report_sealed"
        return messages.sealed(delivery, name, pdf=body, protection=protection)
    if delivery.channel == ChannelName.EMAIL:
        certificates.refuse_link(delivery)
        link = f"{settings.current().public_url}/threshold-reports/{recipient.id}"
        return messages.mail(delivery, "threshold_report", link=link)
    threshold_reports.sending(recipient, address=delivery.address, at=at)
    return Message(address=delivery.address, subject=SUBJECT, pdf=body, has_cover=True)
