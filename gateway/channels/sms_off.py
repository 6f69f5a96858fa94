"""No text messages: PMP_SMS_URL is empty. What was asked for goes another way."""

from gateway.message import DeliveryError, Message
from models import ErrorClass

CARRIER = "none"
REPEATABLE = True


def send(message: Message) -> str:  # noqa: ARG001 - every channel's form
    """Refuse: the message's next way is taken, if it has one."""
    raise DeliveryError(ErrorClass.REJECTED, "text messages are switched off")
