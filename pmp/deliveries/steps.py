"""The SQL of an attempt's usual steps, put together once: they are nearly all steps.

Each of them changes rows only where the lease is held, and says whether it did. What
is out of the usual goes by the rows of `outbox`.
"""

from typing import Any

from peewee import fn

from models import (
    ChannelName,
    Circuit,
    Delivery,
    DeliveryAttempt,
    DeliveryState,
)
from pmp.prepared import Given, prepared

ACCEPTED = "accepted"


@prepared
def take() -> Any:
    """Lease a delivery that is due, if nothing is wrong with its carrier."""
    troubled = (
        Circuit.select(Circuit.id)
        .where(Circuit.carrier == Given("carrier"))
        .where(Circuit.channel == Delivery.channel)
        .where(Circuit.troubled)
    )
    return _leased().where(~fn.EXISTS(troubled)).returning(Delivery)


@prepared
def take_to_try() -> Any:
    """Lease a delivery that is due, whatever is wrong with its carrier."""
    return _leased().returning(Delivery)


def _leased() -> Any:
    """Lease what is due; a fax only if it was due at `resting` or later."""
    return (
        Delivery.update(
            state=DeliveryState.SENDING,
            attempts=Delivery.attempts + 1,
            revision=Delivery.revision + 1,
            lease_owner=Given("owner"),
            lease_until=Given("until", into=Delivery.lease_until),
            called_at=None,
        )
        .where(Delivery.id == Given("delivery"))
        .where(Delivery.state == DeliveryState.QUEUED)
        .where(Delivery.due_at <= Given("at"))
        .where(
            (Delivery.channel != ChannelName.FAX)
            | (Delivery.due_at >= Given("resting"))
        )
    )


@prepared
def write_down() -> Any:
    """Add an attempt."""
    return DeliveryAttempt.insert(
        delivery=Given("delivery"),
        number=Given("number"),
        idempotency_key=Given("idempotency_key"),
        carrier=Given("carrier"),
        media_sha256=Given("media_sha256"),
        media_until=Given("media_until", into=DeliveryAttempt.media_until),
        started_at=Given("started_at", into=DeliveryAttempt.started_at),
    )


@prepared
def call() -> Any:
    """Say that the carrier is about to be called; a lease that is held begins anew."""
    return (
        Delivery.update(
            lease_until=Given("until", into=Delivery.lease_until),
            called_at=Given("at", into=Delivery.called_at),
        )
        .where(Delivery.id == Given("delivery"))
        .where(Delivery.state == DeliveryState.SENDING)
        .where(Delivery.lease_owner == Given("owner"))
    )


@prepared
def accept() -> Any:
    """Move a delivery that is still held to where a carrier's yes takes it."""
    return (
        Delivery.update(
            state=Given("to"),
            revision=Delivery.revision + 1,
            lease_owner=None,
            lease_until=None,
            submitted_at=Given("at", into=Delivery.submitted_at),
            due_at=Given("due_at", into=Delivery.due_at),
            final_at=Given("final_at", into=Delivery.final_at),
            error_class=None,
            error_text="",
            needs_staff=False,
            told_at=None,
        )
        .where(Delivery.id == Given("delivery"))
        .where(Delivery.state == DeliveryState.SENDING)
        .where(Delivery.lease_owner == Given("owner"))
        .returning(Delivery)
    )


@prepared
def end_well() -> Any:
    """End an attempt that the carrier took, unless a call-back has told of it."""
    return (
        DeliveryAttempt.update(
            carrier_reference=Given("reference"),
            ended_at=Given("at", into=DeliveryAttempt.ended_at),
            error_class=None,
            outcome=ACCEPTED,
        )
        .where(DeliveryAttempt.id == Given("attempt"))
        .where(DeliveryAttempt.ended_at.is_null())
        .where(DeliveryAttempt.carrier_reference.is_null())
    )
