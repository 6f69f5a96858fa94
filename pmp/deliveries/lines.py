"""The history of a delivery: a line for each step, never changed."""

from datetime import datetime
from typing import Any

from models import Delivery, DeliveryAttempt, DeliveryEvent, DeliveryState
from pmp.prepared import Given, prepared

LONGEST_ERROR = 200
# What makes a line single, with the number of its delivery.
WITHDRAWN, STOPPED = "withdrawn", "stopped"
BY_HAND = "cancelled by hand: "
_UNDER_WAY = "withdrawn while it was under way: "


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


def history(delivery: Delivery) -> list[DeliveryEvent]:
    """Give every step of a delivery, the first first."""
    query = (
        DeliveryEvent.select()
        .where(DeliveryEvent.delivery == delivery)
        .order_by(DeliveryEvent.id)
    )
    return list(query)


def last_step(delivery: Delivery) -> DeliveryEvent | None:
    """Give what happened to a delivery last."""
    last: DeliveryEvent | None = (
        DeliveryEvent.select()
        .where(DeliveryEvent.delivery == delivery)
        .order_by(DeliveryEvent.id.desc())
        .first()
    )
    return last


def withdraw(delivery: Delivery, *, source: str, text: str, at: datetime) -> None:
    """Write down, once, that a message under way is not to be sent again.

    Whatever else its row comes to say, this line stays. A carrier that has it is asked
    about it at once, and to stop it if it can (`receipts.is_unwanted`).
    """
    text = f"{_UNDER_WAY}{text}"
    if note_once(delivery, WITHDRAWN, source=source, text=text, at=at):
        delivery.revision += 1
        if delivery.state == DeliveryState.SUBMITTED:
            delivery.due_at = at
        delivery.save(only=[Delivery.revision, Delivery.due_at])


def is_withdrawn(delivery: Delivery) -> bool:
    """Tell whether a message was withdrawn while it was under way."""
    return _noted(delivery, WITHDRAWN) is not None


def is_withdrawn_by_hand(delivery: Delivery) -> bool:
    """Tell whether staff cancelled a message while it was under way."""
    line = _noted(delivery, WITHDRAWN)
    return line is not None and line.note.startswith(f"{_UNDER_WAY}{BY_HAND}")


def take_back_withdrawal(delivery: Delivery) -> None:
    """Have a message that was withdrawn count as any other; its line stays."""
    keys = [_key(delivery, word) for word in (WITHDRAWN, STOPPED)]
    query = DeliveryEvent.update(event_key=None).where(DeliveryEvent.event_key << keys)
    query.execute()


def note_once(
    delivery: Delivery, word: str, *, source: str, text: str, at: datetime
) -> bool:
    """Add a line that changes nothing unless there is one by this word; say if added.

    The delivery is the caller's (`outbox.taken`).
    """
    if _noted(delivery, word):
        return False
    state = delivery.state.value
    DeliveryEvent.create(
        delivery=delivery,
        event_key=_key(delivery, word),
        source=source,
        from_state=state,
        to_state=state,
        note=text[:LONGEST_ERROR],
        at=at,
    )
    return True


def _noted(delivery: Delivery, word: str) -> DeliveryEvent | None:
    key = _key(delivery, word)
    found: DeliveryEvent | None = DeliveryEvent.get_or_none(
        DeliveryEvent.event_key == key
    )
    return found


def _key(delivery: Delivery, word: str) -> str:
    return f"{word}:{delivery.id}"


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
