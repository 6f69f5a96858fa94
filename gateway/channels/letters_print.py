"""Letters join the print queue: staff print them in batches and take them to the post.

What is printed is the document kept with the delivery; this channel only refuses a
letter that does not fit its envelope.
"""

from gateway import letters_check
from gateway.message import DeliveryError, Message
from models import ErrorClass

CARRIER = "print"
REPEATABLE = True


def send(message: Message) -> str:
    """Check the letter; give the attempt's key as its place in the print queue."""
    if message.pdf is None:
        raise DeliveryError(ErrorClass.DOCUMENT, "there is no letter to print")
    if faults := letters_check.problems(message.pdf):
        raise DeliveryError(ErrorClass.DOCUMENT, " ".join(faults))
    return message.key
