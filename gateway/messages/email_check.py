"""Asks whether an email address is the user's: a link that only they can follow."""

from gateway import messages
from gateway.message import Message
from models import ContactCheck, Delivery, DeliveryAttempt
from pmp import settings
from pmp.errors import RuleError
from pmp.reaching import checks


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the mail; RuleError if its link is no longer asked for."""
    check = ContactCheck.get_by_id(delivery.subject_id)
    if not checks.is_open(check, at=attempt.started_at):
        raise RuleError("The link of this mail is no longer asked for.")
    path = f"/account/reaching/email/{check.id}/{checks.seal_of(check)}"
    return messages.mail(
        delivery,
        "email_check",
        link=f"{settings.current().public_url}{path}",
        until=check.expires_at,
    )
