"""After a restore: what may have been sent since the back-up is not sent again.

The back-up knows nothing of what left the house after it was taken. Faxes and letters
with patient data that it holds as not yet delivered wait for staff; an email goes again
with the same Message-ID, marked as a possible duplicate: it is a notice without names.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import ChannelName, Delivery, DeliveryState, ErrorClass
from pmp import audit, database
from pmp.deliveries import outbox

TEXT = "may have been sent after the back-up"
_PAPER = (ChannelName.FAX, ChannelName.LETTER)
_UNDERWAY = (
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.SUBMITTED,
    DeliveryState.IN_DOUBT,
    DeliveryState.BATCHED,
    DeliveryState.PRINTED,
)


@dataclass(frozen=True)
class Restored:
    """How many were held for staff, and how many notices may come twice."""

    held: int
    marked: int


def hold_doubtful(*, at: datetime) -> Restored:
    """Hold every fax and letter that has not ended, and mark other messages.

    To be run after a restore, before a worker starts; it may be run again.
    """
    papers = _ids(Delivery.channel.in_(_PAPER), at=at)
    notices = _ids(
        Delivery.channel.not_in(_PAPER) & ~Delivery.possible_duplicate, at=at
    )
    held = sum(_held(delivery_id, at=at) for delivery_id in papers)
    with database.atomic():
        marked: int = (
            Delivery.update(possible_duplicate=True)
            .where(Delivery.id.in_(notices))
            .execute()
        )
        audit.record(
            audit.Event.DELIVERIES_HELD_AFTER_RESTORE,
            actor="command line",
            subject="deliveries",
            at=at,
            detail={"held": held, "marked": marked},
        )
    return Restored(held, marked)


def _ids(which: Any, *, at: datetime) -> list[int]:
    query = (
        Delivery.select(Delivery.id)
        .where(which)
        .where(Delivery.state.in_(_UNDERWAY))
        .where(Delivery.created_at <= at)
        .order_by(Delivery.id)
    )
    return [each.id for each in query]


def _held(delivery_id: int, *, at: datetime) -> bool:
    with database.atomic():
        delivery = outbox.taken(delivery_id)
        if delivery.state not in _UNDERWAY:
            return False
        delivery.needs_staff = delivery.possible_duplicate = True
        delivery.error_class, delivery.error_text = ErrorClass.IN_DOUBT, TEXT
        outbox.change(
            delivery, DeliveryState.HELD, source="command line", text=TEXT, at=at
        )
    return True
