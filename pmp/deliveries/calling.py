"""Whether a carrier is called: one that is down is left alone, and tried now and then.

Several deliveries in a row that found it down open its circuit, one that found our
settings wrong does so at once. Then nothing is claimed for it: no attempt is used up,
while deadlines run on. After a pause, longer each time, one delivery may try it; if the
carrier answers, the others follow. All of it stands in the database, so that workers on
every host agree. What staff see and do about it is in `circuits`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from models import (
    ChannelName,
    Circuit,
    CircuitState,
    Delivery,
    DeliveryAttempt,
    ErrorClass,
)
from pmp import audit, database
from pmp.prepared import Given, prepared

WINDOW = timedelta(minutes=10)
ENOUGH = 3
# After so long without trouble the pauses begin small again.
STEADY = timedelta(minutes=30)
LONGEST_WHY = 200
_MINUTES = (1, 2, 5, 10, 20, 30)
_CONFIGURATION_MINUTES = (5, 15, 30, 60)
_DOWN = frozenset({ErrorClass.CARRIER_DOWN, ErrorClass.THROTTLED, ErrorClass.IN_DOUBT})
# Told about the recipient or the line: whoever tells it is there.
_ANSWERS = frozenset(
    {
        ErrorClass.BUSY,
        ErrorClass.NO_ANSWER,
        ErrorClass.NOT_A_FAX,
        ErrorClass.LINE_DROPPED,
        ErrorClass.REJECTED,
    }
)
SHUT = (CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.PAUSED)


def use(carriers: Mapping[ChannelName, str], *, at: datetime) -> None:
    """Note which carriers the settings name; others hold nothing up any more."""
    known = {(row.channel, row.carrier): row for row in Circuit.select()}
    for channel, carrier in carriers.items():
        if (channel.value, carrier) not in known:
            _made(channel, carrier, at=at)
    for (name, carrier), row in known.items():
        wanted = carriers.get(ChannelName(name)) == carrier
        if row.in_use != wanted:
            Circuit.update(in_use=wanted).where(Circuit.id == row.id).execute()


def shut_channels(*, at: datetime) -> set[ChannelName]:
    """Give the channels for which nothing can be claimed now."""
    return {
        ChannelName(row.channel)
        for row in Circuit.select().where(Circuit.in_use)
        if not _admits(row.state, row.until, at=at)
    }


def probed_channels() -> set[ChannelName]:
    """Give the channels where one delivery may be claimed, and no second."""
    query = Circuit.select(Circuit.channel).where(Circuit.in_use)
    shut = query.where(Circuit.state.in_(SHUT))
    return {ChannelName(row.channel) for row in shut}


def may_call(channel: ChannelName, carrier: str, *, at: datetime) -> bool:
    """Tell whether a carrier may be called, as far as can be seen without a lock."""
    row = _state.one(channel=channel.value, carrier=carrier)
    return row is None or _admits(*row[:2], at=at)


def enter(channel: ChannelName, carrier: str, *, until: datetime, at: datetime) -> bool:
    """Take part in calling a carrier, in the transaction of the claim.

    Where its circuit is open and the pause is over, whoever comes first is the one to
    try it, with time until `until`; False for everybody else.
    """
    row = _state.one(channel=channel.value, carrier=carrier)
    if row is None or row[0] == CircuitState.CLOSED:
        return True
    state, ends, number = row
    if not _admits(state, ends, at=at):
        return False
    took: int = (
        Circuit.update(state=CircuitState.HALF_OPEN, until=until)
        .where(Circuit.id == number)
        .where(Circuit.state == state)
        .where(Circuit.until == ends)
        .execute()
    )
    return bool(took)


def answered(delivery: Delivery, attempt: DeliveryAttempt, *, at: datetime) -> None:
    """Note that a carrier took a message, or said what is wrong with one of them.

    That closes a circuit which this attempt was to try.
    """
    row = _to_settle(delivery, attempt)
    if row is None or not row.troubled:
        return
    with database.atomic():
        row = locked(row)
        row.failures = []
        row.troubled = row.state != CircuitState.CLOSED
        if row.troubled and _is_probe(row, attempt):
            close(row, by="system", at=at, event=audit.Event.CARRIER_WORKS)
        row.save()


def failed(
    delivery: Delivery,
    attempt: DeliveryAttempt,
    error_class: ErrorClass,
    *,
    text: str,
    at: datetime,
    retry_after: timedelta | None = None,
) -> None:
    """Note how a call failed, after the transaction that recorded it (lock order).

    Opens the circuit after three deliveries in ten minutes between which the carrier
    took none, at once where our settings are wrong, and again where the one that tried
    found it no better.
    """
    if error_class in _ANSWERS:
        answered(delivery, attempt, at=at)
        return
    grave = error_class == ErrorClass.CONFIGURATION
    if not grave and error_class not in _DOWN:
        unused(delivery, attempt, at=at)
        return
    known = _to_settle(delivery, attempt)
    with database.atomic():
        row = locked(known or _made(delivery.channel, attempt.carrier, at=at))
        row.failures, row.troubled = _recent(row.failures, delivery.id, at=at), True
        probed = row.state == CircuitState.HALF_OPEN and _is_probe(row, attempt)
        enough = grave or len(row.failures) >= ENOUGH
        if probed or (row.state == CircuitState.CLOSED and enough):
            _open(row, error_class, text=text, at=at, retry_after=retry_after)
        row.save()


def unused(delivery: Delivery, attempt: DeliveryAttempt, *, at: datetime) -> None:
    """Let another delivery try the carrier: this one did not get so far."""
    row = _to_settle(delivery, attempt)
    if row is None or row.state != CircuitState.HALF_OPEN:
        return
    if _is_probe(row, attempt):
        (
            Circuit.update(state=CircuitState.OPEN, until=at)
            .where(Circuit.id == row.id)
            .where(Circuit.state == CircuitState.HALF_OPEN)
            .where(Circuit.until == row.until)
            .execute()
        )


def _admits(state: str, until: datetime | None, *, at: datetime) -> bool:
    if state == CircuitState.CLOSED:
        return True
    return state != CircuitState.PAUSED and until is not None and until <= at


@prepared
def _state() -> Any:
    return (
        Circuit.select(Circuit.state, Circuit.until, Circuit.id)
        .where(Circuit.channel == Given("channel"))
        .where(Circuit.carrier == Given("carrier"))
        .where(Circuit.in_use)
        .limit(1)
        .tuples()
    )


@prepared
def _row() -> Any:
    return (
        Circuit.select()
        .where(Circuit.channel == Given("channel"))
        .where(Circuit.carrier == Given("carrier"))
        .limit(1)
    )


def _to_settle(delivery: Delivery, attempt: DeliveryAttempt) -> Circuit | None:
    found: Circuit | None = _row.one(
        channel=delivery.channel.value, carrier=attempt.carrier
    )
    return found


def _made(channel: ChannelName, carrier: str, *, at: datetime) -> Circuit:
    (
        Circuit.insert(channel=channel.value, carrier=carrier, since=at)
        .on_conflict_ignore()
        .execute()
    )
    row: Circuit = Circuit.get(channel=channel.value, carrier=carrier)
    return row


def locked(row: Circuit) -> Circuit:
    """Read a circuit so that nobody changes it before this transaction ends."""
    query = Circuit.select().where(Circuit.id == row.id)
    if not database.is_sqlite():  # SQLite's transactions are IMMEDIATE
        query = query.for_update()
    again: Circuit = query.get()
    return again


def _is_probe(row: Circuit, attempt: DeliveryAttempt) -> bool:
    """Tell whether an attempt began after the circuit had opened: it was let in."""
    probe: bool = row.state != CircuitState.PAUSED and attempt.started_at > row.since
    return probe


def _recent(failures: list[Any], delivery_id: int, *, at: datetime) -> list[Any]:
    """Give the failures of the last ten minutes, each delivery's newest, with this."""
    since = (at - WINDOW).isoformat()
    kept = [[one, when] for one, when in failures if when > since]
    others = [[one, when] for one, when in kept if one != delivery_id]
    return [*others, [delivery_id, at.isoformat()]][-ENOUGH:]


def _open(
    row: Circuit,
    error_class: ErrorClass,
    *,
    text: str,
    at: datetime,
    retry_after: timedelta | None,
) -> None:
    if row.state == CircuitState.CLOSED and at - row.since > STEADY:
        row.openings = 0
    grave = error_class == ErrorClass.CONFIGURATION
    minutes = _CONFIGURATION_MINUTES if grave else _MINUTES
    pause = timedelta(minutes=minutes[min(row.openings, len(minutes) - 1)])
    first = row.state == CircuitState.CLOSED
    row.state = CircuitState.OPEN
    row.until = at + max(pause, retry_after or pause)
    row.openings += 1
    row.error_class, row.why = error_class, text[:LONGEST_WHY]
    if first:
        row.since = at
        note(row, audit.Event.CARRIER_LEFT_ALONE, by="system", at=at)


def close(row: Circuit, *, by: str, at: datetime, event: audit.Event) -> None:
    """Have a carrier called again; the caller saves the row."""
    row.state, row.since, row.until = CircuitState.CLOSED, at, None
    row.failures, row.error_class, row.troubled = [], None, False
    row.why = row.changed_by = ""
    note(row, event, by=by, at=at)


def note(row: Circuit, event: audit.Event, *, by: str, at: datetime) -> None:
    """Write down in the audit record what becomes of a circuit."""
    audit.record(
        event,
        actor=by,
        subject=f"carrier:{row.channel}:{row.carrier}",
        at=at,
        detail={"why": row.why} if row.why else {},
    )
