"""What becomes of a message that may have been sent.

A lease that ran out before the carrier was called is simply tried again. After that
the carrier is asked first: found, the delivery goes on; surely not there, it is sent
again; no way to tell, an email goes again with the same Message-ID and is marked as a
possible duplicate, while a fax, which holds patient data, is left to staff.
"""

from datetime import datetime, timedelta

from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    ErrorClass,
)
from pmp import database
from pmp.deliveries import calling, fax_hours, outbox

# How long a carrier that cannot be asked is asked again before staff decide.
PATIENCE = timedelta(hours=6)
PAUSE = timedelta(minutes=5)
# A notice that came twice does no harm; a fax or a letter may hold patient data.
HARMLESS_TWICE = (ChannelName.EMAIL, ChannelName.SMS)
MOST_STOPS = 5


def end_leases(*, repeatable: frozenset[str], at: datetime) -> list[int]:
    """Take deliveries back from workers whose lease is over; give their ids.

    `repeatable` names the carriers where a second sending leaves one message.
    """
    query = (
        Delivery.select(Delivery.id)
        .where(Delivery.state == DeliveryState.SENDING)
        .where(Delivery.lease_until <= at)
    )
    ended = [each.id for each in query]
    return [id_ for id_ in ended if _end_lease(id_, repeatable=repeatable, at=at)]


def open_doubts(*, at: datetime, limit: int = 100) -> list[int]:
    """Give the deliveries in doubt that are to be asked about now, oldest first."""
    query = (
        Delivery.select(Delivery.id)
        .where(Delivery.state == DeliveryState.IN_DOUBT)
        .where(~Delivery.needs_staff)
        .where(Delivery.due_at <= at)
        .order_by(Delivery.due_at, Delivery.id)
        .limit(limit)
    )
    return [each.id for each in query]


def not_there(delivery_id: int, *, at: datetime) -> None:
    """Send again what the carrier surely has not got.

    At once where our worker stopped, after the usual wait where the carrier did not
    answer. Where it has fetched the pages all the same, staff decide.
    """
    with database.atomic():
        delivery = outbox.taken(delivery_id)
        attempt = outbox.last_attempt(delivery)
        if delivery.state != DeliveryState.IN_DOUBT or attempt is None:
            return
        if attempt.media_fetched_at is not None:
            _ask_staff(delivery, text="fetched, but not in the carrier's list", at=at)
            return
        if attempt.ended_at is None:
            _send_again(delivery, attempt, at=at)
            return
        outbox.end_attempt(attempt, ErrorClass.CARRIER_DOWN, at=at)
        outbox.fail(
            delivery,
            attempt,
            ErrorClass.CARRIER_DOWN,
            text="the carrier has not got it",
            at=at,
        )
    text = "it took nothing"
    calling.failed(delivery, attempt, ErrorClass.CARRIER_DOWN, text=text, at=at)


def cannot_tell(delivery_id: int, *, text: str, at: datetime) -> None:
    """Nobody can say now: ask again later, or send an email again, or ask staff."""
    with database.atomic():
        delivery = outbox.taken(delivery_id)
        attempt = outbox.last_attempt(delivery)
        if delivery.state != DeliveryState.IN_DOUBT or attempt is None:
            return
        if delivery.channel in HARMLESS_TWICE:
            delivery.possible_duplicate = True
            outbox.end_attempt(attempt, ErrorClass.IN_DOUBT, at=at)
            outbox.fail(delivery, attempt, ErrorClass.IN_DOUBT, text=text, at=at)
        elif at - attempt.started_at > PATIENCE:
            _ask_staff(delivery, text=text, at=at)
        else:
            delivery.due_at = at + PAUSE
            delivery.save()


def _end_lease(delivery_id: int, *, repeatable: frozenset[str], at: datetime) -> bool:
    with database.atomic():
        delivery = outbox.taken(delivery_id)
        attempt = outbox.last_attempt(delivery)
        over = delivery.lease_until is not None and delivery.lease_until <= at
        if delivery.state != DeliveryState.SENDING or not over or attempt is None:
            return False
        called = delivery.called_at is not None
        if called and attempt.carrier not in repeatable:
            outbox.doubt(delivery, attempt, text="the worker stopped", at=at)
            delivery.due_at = at
            delivery.save(only=[Delivery.due_at])
        else:
            _send_again(delivery, attempt, at=at)
    return True


def _send_again(delivery: Delivery, attempt: DeliveryAttempt, *, at: datetime) -> None:
    """Queue what a worker left undone, unless it is what stops the workers."""
    outbox.end_attempt(attempt, ErrorClass.UNKNOWN, at=at)
    if delivery.attempts >= MOST_STOPS:
        text = "the worker stopped each time that it was made"
        outbox.fail(delivery, attempt, ErrorClass.UNKNOWN, text=text, at=at)
        return
    withdrawn = outbox.is_withdrawn(delivery)
    key = attempt.idempotency_key
    delivery.due_at = fax_hours.next_try(delivery, at, key=key)
    outbox.change(
        delivery,
        DeliveryState.CANCELLED if withdrawn else DeliveryState.QUEUED,
        source="worker",
        text="the worker stopped before it was sent",
        at=at,
        attempt=attempt,
    )


def _ask_staff(delivery: Delivery, *, text: str, at: datetime) -> None:
    delivery.needs_staff = True
    delivery.possible_duplicate = True
    delivery.error_class = ErrorClass.IN_DOUBT
    delivery.error_text = text
    # What was withdrawn is nothing that staff could release.
    withdrawn = outbox.is_withdrawn(delivery)
    to = DeliveryState.CANCELLED if withdrawn else DeliveryState.HELD
    outbox.change(delivery, to, source="worker", text="may have been sent", at=at)
