"""The history of a delivery: a line for each step, never changed."""

from datetime import datetime
from typing import Any

from models import Delivery, DeliveryAttempt, DeliveryEvent, DeliveryState
from pmp.prepared import Given, prepared

LONGEST_ERROR = 200


def note(
    delivery: Delivery,
    attempt: DeliveryAttempt | None,
    *,
    source: str,
    at: datetime,
    text: str = "",
) -> None:
    """Add a line to a delivery's history that changes nothing."""
    line(delivery, delivery.state, source=source, at=at, text=text, attempt=attempt)


def line(
    delivery: Delivery,
    before: DeliveryState,
    *,
    source: str,
    at: datetime,
    text: str = "",
    attempt: DeliveryAttempt | None = None,
) -> None:
    """Add a line to a delivery's history, from a state to the one that it is in now.

    Lines are never changed.
    """
    _add_event.add(
        delivery=delivery.id,
        attempt=attempt.id if attempt else None,
        source=source,
        from_state=before.value,
        to_state=delivery.state.value,
        note=text[:LONGEST_ERROR],
        at=at,
    )


def withdraw(delivery: Delivery, *, source: str, text: str, at: datetime) -> None:
    """Write down, once, that a message under way is not to be sent again.

    Whatever else its row comes to say, this line stays.
    """
    if not is_withdrawn(delivery):
        DeliveryEvent.create(
            delivery=delivery,
            event_key=_withdrawn(delivery),
            source=source,
            from_state=delivery.state.value,
            to_state=delivery.state.value,
            note=f"withdrawn while it was under way: {text}"[:LONGEST_ERROR],
            at=at,
        )


def is_withdrawn(delivery: Delivery) -> bool:
    """Tell whether a message was withdrawn while it was under way."""
    key = _withdrawn(delivery)
    return bool(DeliveryEvent.select().where(DeliveryEvent.event_key == key).exists())


def _withdrawn(delivery: Delivery) -> str:
    return f"withdrawn:{delivery.id}"


@prepared
def _add_event() -> Any:
    return DeliveryEvent.insert(
        delivery=Given("delivery"),
        attempt=Given("attempt"),
        source=Given("source"),
        from_state=Given("from_state"),
        to_state=Given("to_state"),
        note=Given("note"),
        at=Given("at", into=DeliveryEvent.at),
    )
