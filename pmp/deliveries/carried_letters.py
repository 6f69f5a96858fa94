"""Letters that a print-and-mail company has: what is to be asked, and taken back."""

from datetime import datetime, timedelta
from typing import Any

from models import ChannelName, Delivery, DeliveryAttempt, DeliveryState
from pmp import database
from pmp.deliveries import letters, outbox

PAUSE = timedelta(hours=12)
# After so long without having been mailed staff should know.
SILENCE = timedelta(days=7)
# The post brings back what it cannot deliver within a month or so.
LONGEST_RETURN = timedelta(days=45)
TOO_LATE = "too late"


def to_ask_about(*, at: datetime, limit: int = 50) -> list[int]:
    """Give the letters whose company should be asked now: under way, or in the post."""
    query = (
        _at_companies()
        .where(
            (Delivery.state == DeliveryState.SUBMITTED)
            | (
                (Delivery.state == DeliveryState.MAILED)
                & (Delivery.submitted_at > at - LONGEST_RETURN)
            )
        )
        .where(Delivery.due_at <= at)
        .order_by(Delivery.due_at, Delivery.id)
        .limit(limit)
    )
    return [attempt.delivery.id for attempt in query]


def ask_later(delivery_id: int, *, at: datetime) -> None:
    """Set when to ask again: half a day later."""
    with database.atomic():
        delivery = outbox.taken(delivery_id)
        if delivery.state not in {DeliveryState.SUBMITTED, DeliveryState.MAILED}:
            return
        delivery.due_at = at + PAUSE
        waits = delivery.state == DeliveryState.SUBMITTED
        late = at - (delivery.submitted_at or at) > SILENCE
        if waits and late and not delivery.needs_staff:
            delivery.needs_staff = True
            text = "not mailed yet, says the carrier"
            outbox.note(delivery, None, source="worker", at=at, text=text)
        delivery.save()


def to_take_back(*, limit: int = 50) -> list[int]:
    """Give the attempts that a company has, or may have, though they were cancelled.

    Also those whose worker stopped in the middle: nobody knows how they ended.
    """
    query = (
        _at_companies()
        .where(Delivery.state == DeliveryState.CANCELLED)
        .where(DeliveryAttempt.outcome != TOO_LATE)
        .where(DeliveryAttempt.forgotten_at.is_null())
        .order_by(DeliveryAttempt.id)
        .limit(limit)
    )
    return [attempt.id for attempt in query]


def too_late(attempt_id: int, *, at: datetime) -> None:
    """Say that a cancelled letter is printed and goes out all the same."""
    with database.atomic():
        attempt = DeliveryAttempt.get_by_id(attempt_id)
        delivery = outbox.taken(attempt.delivery.id)
        attempt.outcome = TOO_LATE
        attempt.save(only=[DeliveryAttempt.outcome])
        if delivery.state != DeliveryState.CANCELLED:
            return
        delivery.needs_staff = True
        delivery.final_at = None
        outbox.change(
            delivery,
            DeliveryState.SUBMITTED,
            source="worker",
            text="too late to cancel: the carrier has printed it, and it goes out",
            at=at,
            attempt=attempt,
        )


def _at_companies() -> Any:
    """Give the query of the last attempts of letters that we do not print ourselves."""
    return (
        DeliveryAttempt.select(DeliveryAttempt, Delivery)
        .join(Delivery)
        .where(Delivery.channel == ChannelName.LETTER)
        .where(DeliveryAttempt.number == Delivery.attempts)
        .where(DeliveryAttempt.carrier != letters.OURS)
    )
