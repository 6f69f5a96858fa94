"""The rows of the outbox: how one comes about, changes state, fails and falls back.

Every other module about deliveries builds on these; rules elsewhere use
pmp.deliveries. All but `request` want a delivery that was got by `taken`, inside a
transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from peewee import IntegrityError

from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    DeliveryState,
    Document,
    ErrorClass,
)
from pmp import audit, database, settings
from pmp.deliveries import barred, fax_hours, retries
from pmp.deliveries.lines import LONGEST_ERROR, is_withdrawn, line, note

__all__ = [
    "FINAL",
    "Route",
    "change",
    "changed",
    "doubt",
    "end_attempt",
    "expire",
    "fail",
    "fall_back",
    "is_withdrawn",
    "last_attempt",
    "lease",
    "line",
    "note",
    "on_change",
    "on_request",
    "request",
    "soon",
    "taken",
    "wake",
    "ways_left",
]

# States that nothing changes any more, but for a letter that the post brings back.
FINAL = frozenset(
    {
        DeliveryState.SENT,
        DeliveryState.DELIVERED,
        DeliveryState.MAILED,
        DeliveryState.RETURNED,
        DeliveryState.FAILED,
        DeliveryState.CANCELLED,
        DeliveryState.EXPIRED,
    }
)


@dataclass(frozen=True)
class Route:
    """A way to reach somebody: an email address, a +1 number, or postal lines.

    `awaits` says why a message by it is held until something has happened.
    """

    channel: ChannelName
    address: str
    awaits: str = ""


_nudges: list[Callable[[int], None]] = []
_watchers: dict[DeliveryKind, list[Callable[[Delivery, datetime], None]]] = {}


def on_request(nudge: Callable[[int], None]) -> None:
    """Have `nudge(delivery_id)` called after each commit that makes a delivery due."""
    if nudge not in _nudges:
        _nudges.append(nudge)


def on_change(
    kind: DeliveryKind, watcher: Callable[[Delivery, datetime], None]
) -> None:
    """Have `watcher(delivery, at)` called in the transaction of each change of state.

    For the rule that owns the kind: a letter is mailed, so the application's
    credentials are. Registered when its module is imported.
    """
    watchers = _watchers.setdefault(kind, [])
    if watcher not in watchers:
        watchers.append(watcher)


def request(  # noqa: PLR0913 - what, about whom, by which ways, when
    *,
    kind: DeliveryKind,
    subject_id: int,
    routes: Sequence[Route],
    dedupe_key: str,
    at: datetime,
    priority: int = 5,
    document: Document | None = None,
) -> Delivery:
    """Put a message in the outbox, in the transaction of its cause.

    The first route is used, the others are tried in order after it gave up; with no
    route at all it is held for staff. The same `dedupe_key` gives the same delivery
    again. A lower `priority` goes first; a fax waits for the hours of faxes.
    """
    first, *others = routes or (Route(ChannelName.LETTER, ""),)
    is_held = not first.address or bool(first.awaits)
    own = fax_hours.number_of(kind, first.address)
    try:
        with database.atomic():
            delivery: Delivery = Delivery.create(
                kind=kind,
                subject_id=subject_id,
                channel=first.channel,
                address=first.address,
                further_routes=[[way.channel.value, way.address] for way in others],
                dedupe_key=dedupe_key,
                priority=priority,
                state=DeliveryState.HELD if is_held else DeliveryState.QUEUED,
                needs_staff=is_held,
                error_text=first.awaits,
                due_at=fax_hours.within(first.channel, at, key=dedupe_key, number=own),
                deadline_at=at + retries.DEADLINES[first.channel],
                document=document,
                created_at=at,
            )
            _record_request(delivery, at=at)
    except IntegrityError:
        known: Delivery | None = Delivery.get_or_none(dedupe_key=dedupe_key)
        if known is None:
            raise
        return known
    return delivery


def taken(delivery_id: int) -> Delivery:
    """Read a delivery so that nobody changes it before this transaction ends."""
    query = Delivery.select().where(Delivery.id == delivery_id)
    if not database.is_sqlite():  # SQLite's transactions are IMMEDIATE
        query = query.for_update()
    delivery: Delivery = query.get()
    return delivery


def last_attempt(delivery: Delivery) -> DeliveryAttempt | None:
    """Give the newest attempt, if there was one."""
    attempt: DeliveryAttempt | None = (
        DeliveryAttempt.select()
        .where(DeliveryAttempt.delivery == delivery)
        .order_by(DeliveryAttempt.number.desc())
        .first()
    )
    return attempt


def change(
    delivery: Delivery,
    to: DeliveryState,
    *,
    source: str,
    at: datetime,
    text: str = "",
    attempt: DeliveryAttempt | None = None,
) -> None:
    """Move a delivery (got by `taken`) to a state, with its history and watchers."""
    before = delivery.state
    delivery.state = to
    delivery.revision += 1
    if not delivery.needs_staff:
        delivery.told_at = None  # if it needs them again, they are told again
    if to != DeliveryState.SENDING:
        delivery.lease_owner = delivery.lease_until = None
    if to in FINAL:
        delivery.final_at = at
    delivery.save()
    changed(delivery, before, source=source, at=at, text=text, attempt=attempt)


def changed(
    delivery: Delivery,
    before: DeliveryState,
    *,
    source: str,
    at: datetime,
    text: str = "",
    attempt: DeliveryAttempt | None = None,
) -> None:
    """Write down, and tell the watchers, in which state a stored delivery was."""
    line(delivery, before, source=source, at=at, text=text, attempt=attempt)
    if delivery.state in FINAL:
        audit.record(
            audit.Event.DELIVERY_CHANGED,
            actor="system" if source in {"worker", "call-back", "poll"} else source,
            subject=f"delivery:{delivery.id}",
            at=at,
            detail={"state": delivery.state.value},
        )
    for watcher in _watchers.get(delivery.kind, []):
        watcher(delivery, at)
    if delivery.state == DeliveryState.QUEUED:
        wake(delivery, at=at)


def doubt(
    delivery: Delivery, attempt: DeliveryAttempt, *, text: str, at: datetime
) -> None:
    """Have the carrier asked, a little later, whether it has the message.

    A withdrawn letter is cancelled, which has it looked for and stopped.
    """
    stop = delivery.channel == ChannelName.LETTER and is_withdrawn(delivery)
    to = DeliveryState.CANCELLED if stop else DeliveryState.IN_DOUBT
    delivery.error_class = ErrorClass.IN_DOUBT
    delivery.error_text = text[:LONGEST_ERROR]
    delivery.due_at = at + soon()
    change(
        delivery,
        to,
        source="worker",
        text=text,
        at=at,
        attempt=attempt,
    )


def fail(  # noqa: PLR0913 - what failed, how, and what the carrier asked for
    delivery: Delivery,
    attempt: DeliveryAttempt | None,
    error_class: ErrorClass,
    *,
    text: str,
    at: datetime,
    retry_after: timedelta | None = None,
    source: str = "worker",
) -> None:
    """Queue another try, or give up: the next route, or staff's attention.

    What was withdrawn meanwhile ends here.
    """
    delivery.error_class = error_class
    delivery.error_text = text[:LONGEST_ERROR]
    if is_withdrawn(delivery):
        delivery.needs_staff, text = False, f"not sent again: {text}"
        to = DeliveryState.CANCELLED
        change(delivery, to, source=source, text=text, at=at, attempt=attempt)
        return
    key = attempt.idempotency_key if attempt else f"{delivery.id}"
    pause = retries.wait(error_class, _failures(delivery, error_class), key=key)
    if pause is None:
        _give_up(delivery, attempt, source=source, text=text, at=at)
        return
    if retry_after is not None:
        pause = max(pause, retries.asked(retry_after, key=key))
    delivery.due_at = fax_hours.next_try(delivery, at + pause, key=key)
    if delivery.due_at > delivery.deadline_at:
        _give_up(delivery, attempt, source=source, text=text, at=at, late=True)
        return
    delivery.needs_staff = error_class == ErrorClass.CONFIGURATION
    change(
        delivery,
        DeliveryState.QUEUED,
        source=source,
        text=text,
        at=at,
        attempt=attempt,
    )


def expire(delivery_id: int, *, at: datetime) -> bool:
    """Give up a delivery that waited past its deadline; False if it does not any more.

    It goes on by the next route, or staff are asked: so does what waits for a carrier
    that is not called.
    """
    with database.atomic():
        delivery = taken(delivery_id)
        late = delivery.deadline_at <= at
        if delivery.state != DeliveryState.QUEUED or not late:
            return False
        _give_up(delivery, None, source="worker", text="out of time", at=at)
    return True


def ways_left(delivery: Delivery) -> list[Route]:
    """Give the routes to try next: none to a stranger's, none for what is withdrawn."""
    if is_withdrawn(delivery):
        return []
    closed = barred.among(address for _, address in delivery.further_routes)
    return [
        Route(ChannelName(name), address)
        for name, address in delivery.further_routes
        if address not in closed
    ]


def fall_back(delivery: Delivery, *, at: datetime) -> Delivery | None:
    """Have a message sent by the next of its routes; None where there is none."""
    ways = ways_left(delivery)
    if not ways:
        return None
    child = request(
        kind=delivery.kind,
        subject_id=delivery.subject_id,
        routes=ways,
        dedupe_key=f"{delivery.dedupe_key}>{delivery.id}",
        at=at,
        priority=delivery.priority,
        document=delivery.document,
    )
    child.parent = delivery
    child.save(only=[Delivery.parent])
    return child


def wake(delivery: Delivery, *, at: datetime) -> None:
    """Nudge the worker after the commit, if the delivery is due by now."""
    if delivery.due_at > at:
        return
    for nudge in _nudges:
        database.after_commit(partial(nudge, delivery.id))


def end_attempt(
    attempt: DeliveryAttempt, error_class: ErrorClass, *, at: datetime
) -> None:
    """Write down how an attempt failed; when it ended stays as it was if known."""
    attempt.error_class = error_class
    attempt.outcome = error_class.value
    attempt.ended_at = attempt.ended_at or at
    attempt.save(
        only=[
            DeliveryAttempt.error_class,
            DeliveryAttempt.outcome,
            DeliveryAttempt.ended_at,
        ]
    )


def soon() -> timedelta:
    """Give how long to wait before the carrier is asked about a message."""
    return min(timedelta(seconds=60), lease())


def lease() -> timedelta:
    """Give for how long a worker may hold a delivery."""
    return timedelta(seconds=settings.current().lease_seconds)


def _record_request(delivery: Delivery, *, at: datetime) -> None:
    text = f"requested; {delivery.error_text}" if delivery.error_text else "requested"
    note(delivery, None, source="system", at=at, text=text)
    audit.record(
        audit.Event.DELIVERY_REQUESTED,
        actor="system",
        subject=f"delivery:{delivery.id}",
        at=at,
        detail={"kind": delivery.kind.value, "channel": delivery.channel.value},
    )
    if delivery.state == DeliveryState.QUEUED:
        wake(delivery, at=at)


def _failures(delivery: Delivery, error_class: ErrorClass) -> int:
    count: int = (
        DeliveryAttempt.select()
        .where(DeliveryAttempt.delivery == delivery)
        .where(DeliveryAttempt.error_class == error_class)
        .count()
    )
    return max(count, 1)


def _give_up(
    delivery: Delivery,
    attempt: DeliveryAttempt | None,
    *,
    source: str,
    text: str,
    at: datetime,
    late: bool = False,
) -> None:
    late = late or at >= delivery.deadline_at
    to = DeliveryState.EXPIRED if late else DeliveryState.FAILED
    wrong_number = delivery.error_class in {ErrorClass.REJECTED, ErrorClass.NOT_A_FAX}
    is_text = delivery.channel == ChannelName.SMS  # it came beside another message
    delivery.needs_staff = not is_text and (not ways_left(delivery) or wrong_number)
    change(delivery, to, source=source, text=text, at=at, attempt=attempt)
    fall_back(delivery, at=at)
