"""Tells a user by email that an entry changed which a look-up of theirs had shown."""

from gateway import messages
from gateway.message import Message
from models import Delivery, DeliveryAttempt
from pmp import settings


def compose(delivery: Delivery, attempt: DeliveryAttempt) -> Message:  # noqa: ARG001 - each composer's
    """Give the notice: where to look, and nothing else."""
    link = f"{settings.current().public_url}/look-ups/changed"
    return messages.mail(delivery, "look_up_correction", link=link)
