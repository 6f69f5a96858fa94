"""What staff see and do about deliveries: try again, hold, cancel, settle."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryEvent,
    DeliveryState,
    ErrorClass,
    User,
)
from pmp import audit, database
from pmp.deliveries import barred, letters, outbox, retries
from pmp.errors import NotFoundError, RuleError

PAGE_SIZE = 50

_STATES = {
    DeliveryState.HELD: "Held for staff",
    DeliveryState.QUEUED: "Waiting to be sent",
    DeliveryState.SENDING: "Being sent",
    DeliveryState.SUBMITTED: "With the carrier",
    DeliveryState.IN_DOUBT: "May have been sent: asking the carrier",
    DeliveryState.SENT: "Sent",
    DeliveryState.DELIVERED: "Delivered",
    DeliveryState.BATCHED: "In a print run",
    DeliveryState.PRINTED: "Printed, to be mailed",
    DeliveryState.MAILED: "Mailed",
    DeliveryState.RETURNED: "Came back in the mail",
    DeliveryState.FAILED: "Failed",
    DeliveryState.CANCELLED: "Cancelled",
    DeliveryState.EXPIRED: "Given up: out of time",
}
_ERRORS = {
    ErrorClass.BUSY: "The number was busy.",
    ErrorClass.NO_ANSWER: "Nobody answered.",
    ErrorClass.NOT_A_FAX: "No fax machine answered: check the number.",
    ErrorClass.LINE_DROPPED: "The line was cut.",
    ErrorClass.REJECTED: "The address was refused: check it.",
    ErrorClass.DOCUMENT: "The document could not be made, or does not fit.",
    ErrorClass.CARRIER_DOWN: "The carrier or mail server was out of reach.",
    ErrorClass.THROTTLED: "The carrier asked us to wait.",
    ErrorClass.CONFIGURATION: "Our settings for this carrier are wrong.",
    ErrorClass.IN_DOUBT: "The line was lost while it was sent.",
    ErrorClass.UNKNOWN: "It failed for a reason that we do not know.",
}
_HERE = frozenset({DeliveryState.HELD, DeliveryState.QUEUED, DeliveryState.IN_DOUBT})
_LETTERS_HERE = frozenset(
    {DeliveryState.SUBMITTED, DeliveryState.BATCHED, DeliveryState.PRINTED}
)
_OVER = frozenset({DeliveryState.FAILED, DeliveryState.EXPIRED})


@dataclass(frozen=True)
class Wanted:
    """Which deliveries to list; None: all."""

    state: DeliveryState | None = None
    channel: ChannelName | None = None
    needs_staff: bool = False


def listed(wanted: Wanted, *, page: int) -> tuple[list[Delivery], int]:
    """Give a page of deliveries, the newest first, and how many there are in all."""
    query = Delivery.select()
    if wanted.state:
        query = query.where(Delivery.state == wanted.state)
    if wanted.channel:
        query = query.where(Delivery.channel == wanted.channel)
    if wanted.needs_staff:
        query = query.where(Delivery.needs_staff)
    rows = query.order_by(Delivery.id.desc()).paginate(page, PAGE_SIZE)
    return list(rows), query.count()


def get(delivery_id: int) -> Delivery:
    """Give a delivery; NotFoundError if there is none."""
    delivery: Delivery | None = Delivery.get_or_none(Delivery.id == delivery_id)
    if delivery is None:
        raise NotFoundError("There is no such delivery.")
    return delivery


def history(delivery: Delivery) -> list[DeliveryEvent]:
    """Give every step of a delivery, the first first."""
    query = (
        DeliveryEvent.select()
        .where(DeliveryEvent.delivery == delivery)
        .order_by(DeliveryEvent.id)
    )
    return list(query)


def attempts(delivery: Delivery) -> list[DeliveryAttempt]:
    """Give every attempt at a delivery, the first first."""
    query = (
        DeliveryAttempt.select()
        .where(DeliveryAttempt.delivery == delivery)
        .order_by(DeliveryAttempt.number)
    )
    return list(query)


def state_words(delivery: Delivery) -> str:
    """Say where a delivery stands, for people."""
    waits = delivery.state == DeliveryState.SUBMITTED
    if (
        waits
        and delivery.channel == ChannelName.LETTER
        and not letters.is_with_carrier(delivery)
    ):
        return "Waiting to be printed"
    return _STATES[delivery.state]


def error_words(delivery: Delivery) -> str:
    """Say what went wrong last, for people; nothing if nothing did."""
    return _ERRORS[delivery.error_class] if delivery.error_class else ""


def may_retry(delivery: Delivery) -> bool:
    """Tell whether staff can have it sent now."""
    return bool(delivery.address) and delivery.state in _HERE | _OVER


def may_hold(delivery: Delivery) -> bool:
    """Tell whether staff can stop it from being sent for now."""
    return bool(delivery.state == DeliveryState.QUEUED)


def may_cancel(delivery: Delivery) -> bool:
    """Tell whether it has not left the house for good."""
    letter = delivery.channel == ChannelName.LETTER
    return delivery.state in _HERE or (letter and delivery.state in _LETTERS_HERE)


def may_settle(delivery: Delivery) -> bool:
    """Tell whether it is over and still waits for a person to look at it."""
    return bool(delivery.needs_staff and delivery.state in outbox.FINAL)


def retry(delivery_id: int, *, by: User | None, at: datetime) -> None:
    """Have a delivery sent now: a held one, a waiting one, one that failed.

    One that may have been sent is marked as a possible duplicate. RuleError if it is
    on its way, is done, has no address, or one that is somebody else's.
    """
    with database.atomic():
        delivery = _taken(delivery_id, may_retry, "It cannot be sent again now.")
        if barred.among([delivery.address]):
            raise RuleError(
                "A message to this address has reached somebody else;"
                " close the incident first."
            )
        _note_action(delivery, "retry", by=by, at=at)
        if delivery.state == DeliveryState.IN_DOUBT:
            delivery.possible_duplicate = True
        delivery.due_at = at
        delivery.final_at = None
        delivery.needs_staff = False
        deadline = at + retries.DEADLINES[delivery.channel]
        delivery.deadline_at = max(delivery.deadline_at, deadline)
        outbox.change(
            delivery,
            DeliveryState.QUEUED,
            source=_name(by),
            text="to be sent now",
            at=at,
        )


def hold(delivery_id: int, *, by: User | None, at: datetime) -> None:
    """Keep a waiting delivery from being sent until staff release it."""
    with database.atomic():
        delivery = _taken(delivery_id, may_hold, "It is not waiting to be sent.")
        _note_action(delivery, "hold", by=by, at=at)
        outbox.change(delivery, DeliveryState.HELD, source=_name(by), at=at)


def cancel(delivery_id: int, *, reason: str, by: User | None, at: datetime) -> None:
    """Never send a delivery; RuleError without a reason, or if it has left."""
    if not reason.strip():
        raise RuleError("Say why it is cancelled.", field="reason")
    with database.atomic():
        delivery = _taken(delivery_id, may_cancel, "It has left already.")
        _note_action(delivery, "cancel", by=by, at=at)
        delivery.needs_staff = False
        outbox.change(
            delivery,
            DeliveryState.CANCELLED,
            source=_name(by),
            text=reason.strip(),
            at=at,
        )


def settle(delivery_id: int, *, by: User | None, at: datetime) -> None:
    """Take a failed delivery off staff's list: a person has seen to it."""
    with database.atomic():
        delivery = _taken(delivery_id, may_settle, "Nothing waits for staff here.")
        _note_action(delivery, "settle", by=by, at=at)
        delivery.needs_staff = False
        delivery.revision += 1
        delivery.save()
        outbox.note(delivery, None, source=_name(by), at=at, text="seen to")


def _taken(delivery_id: int, may: Callable[[Delivery], bool], refusal: str) -> Delivery:
    get(delivery_id)
    delivery = outbox.taken(delivery_id)
    if not may(delivery):
        raise RuleError(f"{refusal} Its state: {state_words(delivery).lower()}.")
    return delivery


def _name(by: User | None) -> str:
    """Name who acts: a user, or whoever sits at the command line."""
    return by.username if by else "command line"


def _note_action(
    delivery: Delivery, action: str, *, by: User | None, at: datetime
) -> None:
    audit.record(
        audit.Event.DELIVERY_STAFF_ACTION,
        actor=_name(by),
        subject=f"delivery:{delivery.id}",
        at=at,
        detail={"action": action, "state": delivery.state.value},
    )
