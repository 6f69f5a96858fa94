"""Sending: claim, begin and mark, beside the two UPDATEs that no outbox can do without.

Two thousand deliveries wait, then a hundred thousand (scale 1). Of these some are taken
one after another, each with all that is promised: the attempt on disk before the call,
a line of history for each step, the sealed audit record of the end. Beside it the same
number of rows is claimed and marked by an UPDATE each, in a transaction each: the
limit. And what it costs to find who is next, which must not grow with who waits.
"""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

import psycopg

import models
from bench import Measure
from bench._engines import each_engine, program
from models import ChannelName, Delivery, DeliveryKind, DeliveryState
from pmp import bulk, clock, database, deliveries, settings
from pmp.deliveries import turns

PART = "outbox"
FEW, MANY = 2_000, 100_000
"""Deliveries that wait."""
SENT = 25
"""In each round; the quickest counts, whatever else the machine does."""
ROUNDS = 20
LOOKS = 10
TARGET = 1 / 3
FLAT = 2.0
_ADDRESSES = {
    ChannelName.EMAIL: "doctor@example.org",
    ChannelName.FAX: "+18605550123",
    ChannelName.LETTER: "Dr. A\n1 Main Street\nHartford, CT 06106",
}


def run(scale: float) -> list[Measure]:
    """Measure SQLite, and Postgres where one answers, with few and many waiting."""
    measures: list[Measure] = []
    many = max(FEW * 2, round(MANY * scale))
    for engine, url in each_engine():
        looks, speeds = [], []
        for waiting in (FEW, many):
            with program(url):
                models.database.execute_sql("DELETE FROM delivery")
                _load(waiting, at=clock.now())
                sent, bare, look = _measured()
            looks.append(look)
            speeds.append(sent)
            name = f"sent, {waiting:,} waiting, {engine}"
            measures.append(
                Measure(PART, name, sent, bare, sent / bare, TARGET, "messages/s")
            )
        name = f"who is next, {many:,} to {FEW:,}, {engine}"
        ratio = looks[1] / looks[0]
        measures.append(Measure(PART, name, looks[1], looks[0], ratio, -FLAT, "us"))
    return measures


def _measured() -> tuple[float, float, float]:
    """Give messages a second sent and barely marked, and µs to find who is next."""
    ids = iter(_ids())
    sent, bare, looks = [], [], []
    for _ in range(ROUNDS):
        looks.append(_look())
        sent.append(_seconds(_send, [next(ids) for _ in range(SENT)]))
        bare.append(_seconds(_mark_barely, [next(ids) for _ in range(SENT)]))
    return SENT / min(sent), SENT / min(bare), min(looks) / LOOKS * 1e6


def _look() -> float:
    start = perf_counter()
    for _ in range(LOOKS):
        turns.following(ChannelName.EMAIL, at=clock.now())
    return perf_counter() - start


def _ids() -> list[int]:
    rows: Any = Delivery.select(Delivery.id).order_by(Delivery.id).tuples()
    return [number for (number,) in rows.limit(2 * ROUNDS * SENT)]


def _seconds(work: Callable[[int], None], ids: list[int]) -> float:
    _queue(ids)
    start = perf_counter()
    for number in ids:
        work(number)
    return perf_counter() - start


def _queue(ids: list[int]) -> None:
    """Have rows wait that an earlier round has sent."""
    (
        Delivery.update(state=DeliveryState.QUEUED, due_at=clock.now())
        .where(Delivery.id.in_(ids))
        .where(Delivery.state != DeliveryState.QUEUED)
        .execute()
    )


def _send(number: int) -> None:
    claimed = deliveries.claim(number, carrier="bench", at=clock.now())
    if claimed is None or not deliveries.begin(claimed, pdf=None, at=clock.now()):
        raise AssertionError("a delivery that waits cannot be taken")
    deliveries.mark_sent(claimed, reference=secrets.token_hex(8), at=clock.now())


def _mark_barely(number: int) -> None:
    """Claim and mark as an outbox must, in two transactions, and promise nothing."""
    owner, now = secrets.token_hex(16), clock.now()
    with database.atomic():
        claimed = (
            Delivery.update(
                state=DeliveryState.SENDING, lease_owner=owner, lease_until=now
            )
            .where(Delivery.id == number)
            .where(Delivery.state == DeliveryState.QUEUED)
            .where(Delivery.due_at <= now)
            .execute()
        )
    with database.atomic():
        marked = (
            Delivery.update(state=DeliveryState.SENT, lease_owner=None, final_at=now)
            .where(Delivery.id == number)
            .where(Delivery.state == DeliveryState.SENDING)
            .where(Delivery.lease_owner == owner)
            .execute()
        )
    if (claimed, marked) != (1, 1):
        raise AssertionError("a delivery that waits cannot be taken")


def _load(count: int, *, at: datetime) -> None:
    """Put deliveries of every channel and several priorities into the outbox."""
    channels = list(_ADDRESSES)
    rows = [
        {
            "id": number,
            "kind": DeliveryKind.TICKET_NOTICE,
            "subject_id": number,
            "channel": channels[number % len(channels)],
            "address": _ADDRESSES[channels[number % len(channels)]],
            "dedupe_key": f"bench:{number}",
            "priority": (1, 3, 5, 7)[number % 4],
            "state": DeliveryState.QUEUED,
            "due_at": at - timedelta(seconds=number % 3600),
            "deadline_at": at + timedelta(days=4),
            "created_at": at,
        }
        for number in range(1, count + 1)
    ]
    with database.atomic():
        bulk.insert(Delivery, rows)
    _tidy()


def _tidy() -> None:
    """Let the engine learn what it holds, as it does of itself within the hour."""
    if database.is_sqlite():
        models.database.execute_sql("ANALYZE")
        return
    models.database.commit()
    with psycopg.connect(settings.current().database_url, autocommit=True) as own:
        own.execute("VACUUM (ANALYZE)")
