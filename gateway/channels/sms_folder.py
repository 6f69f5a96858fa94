"""Text messages as files in <data dir>/outgoing/sms/: for a demo, a trial, a test."""

from gateway.channels import folder
from gateway.message import DeliveryError, Message
from models import ErrorClass
from pmp import settings

CARRIER = "folder"
REPEATABLE = True


def send(message: Message) -> str:
    """Write <delivery>.txt; give the attempt's key as reference."""
    if message.pdf is not None:
        raise DeliveryError(ErrorClass.DOCUMENT, "a text message is words alone")
    path = settings.current().data_dir / "outgoing" / "sms"
    text = f"To: {message.address}\n\n{message.text}"
    try:
        folder.write(path / f"{message.delivery_id}.txt", text.encode())
    except OSError as error:
        raise DeliveryError(ErrorClass.CONFIGURATION, error.strerror or "") from error
    return message.key
