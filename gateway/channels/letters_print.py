"""Letters join the print queue: staff print them in runs and take them to the post.

What is printed is the document kept with the delivery; this channel only refuses a
letter that does not fit its envelope, or whose address the post would not take.
"""

from gateway import letters_check, windows
from gateway.message import DeliveryError, Message
from models import ErrorClass

CARRIER = "print"
REPEATABLE = True


def send(message: Message) -> str:
    """Check the letter; give the attempt's key as its place in the print queue."""
    check(message)
    return message.key


def check(message: Message) -> None:
    """Refuse a letter that cannot be mailed as it is, with the reason for staff.

    DeliveryError: REJECTED where the address is at fault, DOCUMENT where the page is.
    """
    if message.pdf is None:
        raise DeliveryError(ErrorClass.DOCUMENT, "there is no letter to print")
    try:
        windows.block(message.address)
    except windows.AddressFault as fault:
        raise DeliveryError(ErrorClass.REJECTED, str(fault)) from None
    if faults := letters_check.problems(message.pdf, address=message.address):
        raise DeliveryError(ErrorClass.DOCUMENT, " ".join(faults))
