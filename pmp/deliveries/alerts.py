"""Telling staff, once, that deliveries need them or that a carrier is not called.

One email for each time that a carrier is given up, and one an hour for all deliveries
that came to need a person: numbers and a link, nobody's name. Where email itself is
what fails, one waits until it works again, and no second is made meanwhile; an alert
that fails is no reason for another.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from models import (
    AlertKind,
    Circuit,
    CircuitState,
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorClass,
    StaffAlert,
)
from pmp import database
from pmp.deliveries import contacts, outbox

# A carrier that fails and works by turns is told of once in so long.
QUIET = timedelta(hours=1)
MOST_AT_ONCE = 5_000
URGENT = 1
_ON_THEIR_WAY = (
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.IN_DOUBT,
)
_MAY_BE_SENT = "may have been sent: look before it is sent again"
_WORDS = {
    DeliveryState.HELD: "held for staff",
    DeliveryState.SUBMITTED: "with a carrier that says nothing for a day",
    DeliveryState.FAILED: "failed, with something for staff to see to",
    DeliveryState.EXPIRED: "given up: out of time",
    DeliveryState.RETURNED: "came back in the mail",
}
_OTHERS = "need a look"


def tell_of_carriers(*, at: datetime) -> list[StaffAlert]:
    """Tell staff of each carrier that is not called any more, the first time."""
    query = (
        Circuit.select()
        .where(Circuit.in_use)
        .where(Circuit.state.in_((CircuitState.OPEN, CircuitState.HALF_OPEN)))
        .where(Circuit.told_at.is_null() | (Circuit.told_at < Circuit.since))
        .order_by(Circuit.id)
    )
    return [alert for row in query if (alert := _tell_of(row, at=at))]


def tell_of_deliveries(*, at: datetime) -> StaffAlert | None:
    """Tell staff, in one email, of the deliveries that they were not told of yet."""
    if _is_on_its_way(f"{AlertKind.DIGEST}:"):
        return None
    with database.atomic():
        rows = _untold()
        if not rows:
            return None
        counts = Counter(_words(row) for row in rows)
        alert = StaffAlert.create(
            kind=AlertKind.DIGEST, content=dict(counts.most_common()), made_at=at
        )
        (
            Delivery.update(told_at=at)
            .where(Delivery.id.in_([row.id for row in rows]))
            .execute()
        )
        _send(alert, key=f"{AlertKind.DIGEST}:{alert.id}", at=at)
    return alert


def _tell_of(row: Circuit, *, at: datetime) -> StaffAlert | None:
    if row.told_at is not None and at - row.told_at < QUIET:
        return None
    key = f"{AlertKind.CARRIER}:{row.id}"
    if _is_on_its_way(f"{key}:"):
        return None
    kind = row.error_class or ErrorClass.CARRIER_DOWN
    content = {
        "channel": row.channel,
        "carrier": row.carrier,
        "since": row.since.isoformat(),
        "error_class": kind.value,
    }
    with database.atomic():
        told: int = (
            Circuit.update(told_at=at)
            .where(Circuit.id == row.id)
            .where(
                Circuit.told_at.is_null()
                if row.told_at is None
                else Circuit.told_at == row.told_at
            )
            .execute()
        )
        if not told:
            return None  # another host has just done so
        alert: StaffAlert = StaffAlert.create(
            kind=AlertKind.CARRIER, circuit=row, content=content, made_at=at
        )
        _send(alert, key=f"{key}:{alert.id}", at=at)
    return alert


def _send(alert: StaffAlert, *, key: str, at: datetime) -> None:
    for number, route in enumerate(contacts.staff_routes()):
        outbox.request(
            kind=DeliveryKind.STAFF_ALERT,
            subject_id=alert.id,
            routes=[route],
            dedupe_key=f"alert:{key}:{number}",
            priority=URGENT,
            at=at,
        )


def _is_on_its_way(key: str) -> bool:
    """Tell whether an earlier one has not left yet: the mail may be what fails."""
    query = (
        Delivery.select()
        .where(Delivery.kind == DeliveryKind.STAFF_ALERT)
        .where(Delivery.dedupe_key.startswith(f"alert:{key}"))
        .where(Delivery.state.in_(_ON_THEIR_WAY))
    )
    return bool(query.exists())


def _untold() -> Sequence[Delivery]:
    """Take those to tell of, in the order in which all rules take deliveries.

    Not what is tried again by itself, and no alert.
    """
    query: Any = (
        Delivery.select(Delivery.id, Delivery.state, Delivery.error_class)
        .where(Delivery.needs_staff)
        .where(Delivery.told_at.is_null())
        .where(Delivery.kind != DeliveryKind.STAFF_ALERT)
        .where(Delivery.state.not_in((DeliveryState.QUEUED, DeliveryState.SENDING)))
        .order_by(Delivery.id)
        .limit(MOST_AT_ONCE)
    )
    if not database.is_sqlite():  # SQLite's transactions are IMMEDIATE
        query = query.for_update()
    return list(query)


def _words(row: Delivery) -> str:
    if row.state == DeliveryState.HELD and row.error_class == ErrorClass.IN_DOUBT:
        return _MAY_BE_SENT
    return _WORDS.get(row.state, _OTHERS)
