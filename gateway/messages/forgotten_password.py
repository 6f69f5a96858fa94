"""The email with a user name and a link to a new password, or to the first one."""

from gateway import messages
from gateway.message import Message
from models import Delivery, DeliveryAttempt, ForgottenPassword
from pmp.accounts import forgotten
from pmp.errors import RuleError


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:
    """Give the mail; RuleError if its link was used or replaced meanwhile."""
    row = ForgottenPassword.get_by_id(delivery.subject_id)
    if not forgotten.is_open(row, at=attempt.started_at):
        raise RuleError("The link of this mail is no longer asked for.")
    user = forgotten.user_of(row)
    return messages.mail(
        delivery,
        "forgotten_password",
        username=user.username,
        is_first=forgotten.is_first(user),
        link=forgotten.link(row),
        until=row.expires_at,
        by_staff=bool(row.asked_by),
    )
