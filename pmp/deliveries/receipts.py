"""What is still to be learned from a carrier that took a message, or to be undone."""

from datetime import datetime, timedelta

from models import ChannelName, Delivery, DeliveryState
from pmp import database
from pmp.deliveries import barred, outbox
from pmp.deliveries.lines import STOPPED, note_once

LONGEST_PAUSE = timedelta(hours=1)
# After so long without an end staff should know, though asking goes on.
SILENCE = timedelta(hours=24)


def silent(*, at: datetime, limit: int = 100) -> list[int]:
    """Give the faxes and texts whose carrier should be asked what became of them."""
    query = (
        Delivery.select(Delivery.id)
        .where(Delivery.state == DeliveryState.SUBMITTED)
        .where(Delivery.channel.in_((ChannelName.FAX, ChannelName.SMS)))
        .where(Delivery.due_at <= at)
        .order_by(Delivery.due_at, Delivery.id)
        .limit(limit)
    )
    return [each.id for each in query]


def is_unwanted(delivery: Delivery) -> bool:
    """Tell whether what a carrier has taken should not arrive, if that can still be.

    It was withdrawn, or its address is somebody else's by now.
    """
    return outbox.is_withdrawn(delivery) or barred.closes(delivery)


def ask_soon(number: str, *, at: datetime) -> None:
    """Have the carrier asked, after the commit, about what it is faxing to a number.

    For a number that turns out to be wrong: what is on its way there is stopped. Not
    before the commit: who holds other deliveries must not wait for these.
    """
    query = (
        Delivery.update(due_at=at)
        .where(Delivery.address == number)
        .where(Delivery.channel == ChannelName.FAX)
        .where(Delivery.state == DeliveryState.SUBMITTED)
    )
    database.after_commit(query.execute)


def stopped(delivery_id: int, *, can_stop: bool, at: datetime) -> None:
    """Write down, once, that a carrier was asked to stop a message, or cannot."""
    text = "the carrier is asked to stop it"
    if not can_stop:
        text = "this carrier cannot stop what it has taken: it will say how it ended"
    with database.atomic():
        delivery = outbox.taken(delivery_id)
        if delivery.state == DeliveryState.SUBMITTED:
            note_once(delivery, STOPPED, source="worker", text=text, at=at)


def ask_later(delivery_id: int, *, at: datetime) -> None:
    """Set when to ask again: after half the time that has gone by, at most an hour."""
    with database.atomic():
        delivery = outbox.taken(delivery_id)
        if delivery.state != DeliveryState.SUBMITTED:
            return
        since = at - (delivery.submitted_at or at)
        delivery.due_at = at + min(max(since / 2, outbox.soon()), LONGEST_PAUSE)
        if since > SILENCE and delivery.channel == ChannelName.SMS:
            # Not every mobile carrier says that a text arrived; nobody waits for it.
            text = "the carrier says no more"
            outbox.change(
                delivery, DeliveryState.SENT, source="worker", text=text, at=at
            )
        elif since > SILENCE and not delivery.needs_staff:
            delivery.needs_staff = True
            outbox.note(
                delivery, None, source="worker", at=at, text="no word from the carrier"
            )
        delivery.save()
