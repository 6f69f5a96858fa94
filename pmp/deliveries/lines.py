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
