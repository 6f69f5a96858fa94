"""Faxes that wait until their number is proven, or that a wrong number must not get."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from models import ChannelName, Delivery, DeliveryState
from pmp import database
from pmp.deliveries import contacts, outbox, retries

ITS_NUMBER = "its number is somebody else's"
WAITING = (DeliveryState.HELD, DeliveryState.QUEUED)


def release(number: str, *, at: datetime) -> int:
    """Send what was held for a number's test page; give how many.

    What staff hold for another reason stays held. In the caller's transaction, before
    the audit record is taken.
    """
    held = [
        delivery
        for delivery in _taken(number, (DeliveryState.HELD,))
        if delivery.error_text == contacts.AWAITS_TEST_PAGE
    ]
    for delivery in held:
        delivery.due_at, delivery.error_text = at, ""
        delivery.needs_staff = False
        delivery.deadline_at = at + retries.DEADLINES[ChannelName.FAX]
        text = "its number is proven"
        to = DeliveryState.QUEUED
        outbox.change(delivery, to, source="system", text=text, at=at)
    return len(held)


def waiting_for(number: str) -> list[Delivery]:
    """Take what waits for a number: before the number, as a carrier's report does."""
    return _taken(number, WAITING)


def stop(waiting: Sequence[Delivery], *, by: str, at: datetime) -> int:
    """Send what waits for a wrong number by its next way; give how many waited.

    What has no other way is held for staff. The number is blocked already.
    """
    for delivery in waiting:
        goes_on = outbox.ways_left(delivery)
        delivery.needs_staff = not goes_on
        delivery.error_text = ITS_NUMBER
        to = DeliveryState.CANCELLED if goes_on else DeliveryState.HELD
        outbox.change(delivery, to, source=by, text=ITS_NUMBER, at=at)
        if goes_on:
            outbox.fall_back(delivery, at=at)
    return len(waiting)


def _taken(number: str, states: Iterable[DeliveryState]) -> list[Delivery]:
    """Take what waits to be faxed to a number, in order: no deadlock."""
    query = (
        Delivery.select(Delivery.id)
        .where(Delivery.channel == ChannelName.FAX)
        .where(Delivery.address == number)
        .where(Delivery.state.in_(list(states)))
        .order_by(Delivery.id)
    )
    if not database.is_sqlite():
        query = query.for_update()
    taken = [outbox.taken(each.id) for each in query]
    return [delivery for delivery in taken if delivery.state in states]
