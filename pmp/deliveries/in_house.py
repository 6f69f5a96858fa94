"""Letters that the house prints itself, whoever prints the others."""

from models import ChannelName, Delivery, DeliveryKind, DeliveryState
from pmp import settings

CARRIER = "print"
# Of letters: printed or not, they are in the house, or a company can still stop them.
NOT_MAILED = (DeliveryState.SUBMITTED, DeliveryState.BATCHED, DeliveryState.PRINTED)
# They hold a single-use password: no company sees it, unless the settings say so.
SECRET = DeliveryKind.CREDENTIAL_LETTER


def prints(delivery: Delivery) -> bool:
    """Tell whether a letter is printed here though a company may print the others."""
    is_secret = delivery.channel == ChannelName.LETTER and delivery.kind == SECRET
    return bool(is_secret and settings.current().letters_credentials == CARRIER)
