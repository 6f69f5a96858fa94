"""The six digits that prove a mobile, by text message: good once, for an hour."""

from gateway import messages
from gateway.message import Message
from models import ContactCheck, Delivery, DeliveryAttempt
from pmp.errors import RuleError
from pmp.reaching import checks


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the text; RuleError if its code is no longer asked for."""
    check = ContactCheck.get_by_id(delivery.subject_id)
    if not checks.is_open(check, at=attempt.started_at):
        raise RuleError("The code of this text is no longer asked for.")
    return messages.sms(delivery, "mobile_code", code=check.code)
