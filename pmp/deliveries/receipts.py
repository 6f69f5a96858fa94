"""What is still to be learned from a carrier that took a message."""

from datetime import datetime, timedelta

from models import ChannelName, Delivery, DeliveryState
from pmp import database
from pmp.deliveries import outbox

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
