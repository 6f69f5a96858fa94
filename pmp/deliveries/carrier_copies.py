"""What carriers know of our messages, and the copies that they are to destroy.

A carrier keeps what it sent until it is told otherwise. Ten minutes after a delivery is
over its copies are to go; a carrier that does not do it is asked again, ever less often
but without end.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from models import ChannelName, Delivery, DeliveryAttempt, DeliveryState, ErrorClass
from pmp.deliveries import outbox

KEPT_AT_CARRIER = timedelta(minutes=10)
SHORTEST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=6)


def to_forget(*, carrier: str, at: datetime, limit: int = 50) -> list[int]:
    """Give the attempts whose copy the carrier is to destroy now, the oldest first.

    What is cancelled goes at once: it may not be out yet. A cancelled fax that may be
    there, though its number never came, is to be looked for first.
    """
    rested = (Delivery.final_at < at - KEPT_AT_CARRIER) | (
        Delivery.state == DeliveryState.CANCELLED
    )
    query = (
        DeliveryAttempt.select(DeliveryAttempt.id)
        .join(Delivery)
        .where(DeliveryAttempt.carrier == carrier)
        .where(
            DeliveryAttempt.carrier_reference.is_null(is_null=False) | _may_be_there()
        )
        .where(DeliveryAttempt.forgotten_at.is_null())
        .where(
            DeliveryAttempt.forget_due_at.is_null()
            | (DeliveryAttempt.forget_due_at <= at)
        )
        .where(Delivery.state.in_(outbox.FINAL))
        .where(rested)
        .order_by(DeliveryAttempt.id)
        .limit(limit)
    )
    return [each.id for each in query]


def finished(attempt_id: int) -> DeliveryAttempt | None:
    """Give an attempt whose delivery is over and whose copy is, or may be, there."""
    attempt: DeliveryAttempt | None = (
        DeliveryAttempt.select(DeliveryAttempt, Delivery)
        .join(Delivery)
        .where(DeliveryAttempt.id == attempt_id)
        .where(
            DeliveryAttempt.carrier_reference.is_null(is_null=False) | _may_be_there()
        )
        .where(DeliveryAttempt.forgotten_at.is_null())
        .where(Delivery.state.in_(outbox.FINAL))
        .first()
    )
    return attempt


def forgotten(attempt_id: int, *, at: datetime) -> None:
    """Record that the carrier has destroyed its copy."""
    (
        DeliveryAttempt.update(forgotten_at=at)
        .where(DeliveryAttempt.id == attempt_id)
        .execute()
    )


def not_forgotten(attempt: DeliveryAttempt, *, at: datetime) -> None:
    """Set when to ask again: after half the time that has gone by since the end."""
    again = at + pause(at - (attempt.delivery.final_at or at))
    (
        DeliveryAttempt.update(forget_due_at=again)
        .where(DeliveryAttempt.id == attempt.id)
        .execute()
    )


def pause(since: timedelta) -> timedelta:
    """Give how long to wait, so long after the copy should have gone."""
    return min(max(since / 2, SHORTEST_PAUSE), LONGEST_PAUSE)


def known(references: Sequence[str], *, carrier: str) -> set[str]:
    """Give those of a carrier's references that belong to an attempt of ours."""
    query = (
        DeliveryAttempt.select(DeliveryAttempt.carrier_reference)
        .where(DeliveryAttempt.carrier == carrier)
        .where(DeliveryAttempt.carrier_reference.in_(list(references)))
    )
    return {attempt.carrier_reference or "" for attempt in query}


def began_at(media_sha256: str) -> datetime | None:
    """Give when the attempt with a media token began; None if there is none."""
    attempt: DeliveryAttempt | None = DeliveryAttempt.get_or_none(
        DeliveryAttempt.media_sha256 == media_sha256
    )
    return attempt.started_at if attempt else None


def _may_be_there() -> Any:
    """Give the condition that a cancelled fax was called in, and nobody knows the end.

    What surely failed has an error of another class.
    """
    called = (DeliveryAttempt.number < Delivery.attempts) | (
        Delivery.called_at.is_null(is_null=False)
    )
    open_end = DeliveryAttempt.error_class.is_null() | (
        DeliveryAttempt.error_class == ErrorClass.IN_DOUBT
    )
    cancelled = Delivery.state == DeliveryState.CANCELLED
    return (Delivery.channel == ChannelName.FAX) & cancelled & called & open_end
