"""What waits for an address that is somebody else's: it goes by its next way."""

from datetime import datetime

from models import Delivery, DeliveryState
from pmp.deliveries import contacts, outbox

HELD_BEFORE = "held before, for another address"
UNPROVEN = (
    "No test page has proven this number. Sent now, patient data is faxed to a machine"
    " of which nobody has said that it is the recipient's."
)


def awaits_test_page(delivery: Delivery) -> bool:
    """Tell whether a delivery is held only because its number is not proven."""
    is_held = delivery.state == DeliveryState.HELD
    return bool(is_held and delivery.error_text == contacts.AWAITS_TEST_PAGE)


def unproven_words(delivery: Delivery) -> str:
    """Say what speaks against sending a delivery that is held so; "" if it is not."""
    return UNPROVEN if awaits_test_page(delivery) else ""


def stop(delivery: Delivery, *, why: str, by: str, at: datetime) -> None:
    """Keep a delivery (got by `taken`) from its address, which is closed by now.

    It goes on by its next way; without one it is held: staff must find one. Whoever
    held it has yet to release what takes its place, and what may have been received
    already stays marked so.
    """
    by_hand = delivery.state == DeliveryState.HELD and not awaits_test_page(delivery)
    goes_on = outbox.ways_left(delivery)
    delivery.needs_staff = not goes_on
    delivery.error_text = why
    to = DeliveryState.CANCELLED if goes_on else DeliveryState.HELD
    outbox.change(delivery, to, source=by, text=why, at=at)
    child = outbox.fall_back(delivery, at=at) if goes_on else None
    if child is None:
        return
    if delivery.possible_duplicate:
        child.possible_duplicate = True
        child.save(only=[Delivery.possible_duplicate])
    if by_hand:
        child.needs_staff = True
        to = DeliveryState.HELD
        outbox.change(child, to, source=by, text=HELD_BEFORE, at=at)
