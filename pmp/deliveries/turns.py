"""Who is next: the urgent first, the old not last, and each channel by itself.

A step of priority is worth a quarter of an hour of waiting: a letter that is asked for
now goes before five thousand notices of this minute, and after those of yesterday. The
first few of each priority are read by index, so that it costs the same however many
wait. A carrier that is not called holds up nobody else's messages.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any

from peewee import SQL, fn

from models import ChannelName, Delivery
from pmp import settings
from pmp.deliveries import calling, fax_hours, in_house
from pmp.prepared import Given, prepared

# How long one waits to be as urgent as the next priority.
STEP = timedelta(minutes=15)


def due(*, at: datetime, limit: int = 200) -> list[int]:
    """Give the ids of deliveries to send now, the most urgent first.

    At most `limit` of each channel; one where a carrier is to be tried again, none
    where it is not called, but for letters that the house prints itself.
    """
    shut, probed = calling.shut_channels(at=at), calling.probed_channels()
    found = [
        _first(channel, 1 if channel in probed else limit, at=at)
        for channel in ChannelName
        if channel not in shut
    ]
    if ChannelName.LETTER in shut | probed:
        found.append(_printed_here(limit, at=at))
    return list(dict.fromkeys(delivery_id for _, delivery_id in merge(*found)))


def following(channel: ChannelName, *, at: datetime) -> int | None:
    """Give the delivery that is to be sent next by a channel, if there is one."""
    if channel not in calling.probed_channels():
        found = _first(channel, 1, at=at)
    elif channel == ChannelName.LETTER:
        found = _printed_here(1, at=at)
    else:
        found = []  # whoever tries the carrier does so alone
    return next((delivery_id for _, delivery_id in found), None)


def instead_of(delivery: Delivery, *, at: datetime) -> int:
    """Give the delivery of the same channel that is more urgent, or this one itself.

    A wake-up lies in the queue behind older ones; what it sends need not. A letter that
    the house prints gives way to none, which may wait for a company.
    """
    if in_house.prints(delivery):
        return delivery.id
    first = next(iter(_first(delivery.channel, 1, at=at)), None)
    if first is None:
        return delivery.id
    turn = delivery.due_at + STEP * delivery.priority
    return first[1] if first[0] <= turn - STEP else delivery.id


def late(*, at: datetime, limit: int = 200) -> list[int]:
    """Give the deliveries that waited past their deadline, the oldest first."""
    query = (
        Delivery.select(Delivery.id)
        .where(Delivery.state == _QUEUED)
        .where(Delivery.deadline_at <= at)
        .order_by(Delivery.deadline_at, Delivery.id)
        .limit(limit)
    )
    return [each.id for each in query]


def _first(
    channel: ChannelName, limit: int, *, at: datetime
) -> list[tuple[datetime, int]]:
    """Give a channel's next deliveries with the time that says whose turn it is."""
    since = fax_hours.closed_since(channel, at) or fax_hours.LONG_AGO
    levels = (
        [
            (due_at + STEP * priority, delivery_id)
            for due_at, delivery_id in _heads(
                channel=channel, priority=priority, since=since, at=at, limit=limit
            )
        ]
        for priority in _priorities(channel)
    )
    return list(islice(merge(*levels), limit))


def _printed_here(limit: int, *, at: datetime) -> list[tuple[datetime, int]]:
    """Give the letters to print here while a company that prints the others is shut."""
    company = settings.current().letters_credentials != in_house.CARRIER
    if company or not calling.may_call(ChannelName.LETTER, in_house.CARRIER, at=at):
        return []
    rows = _secret_letters(at=at, limit=limit)
    return sorted((due_at + STEP * level, number) for due_at, level, number in rows)


def _priorities(channel: ChannelName) -> Iterator[int]:
    """Give the priorities that somebody waits with, one look into the index each."""
    last: int | None = -1_000_000
    while True:
        ((last,),) = _next_priority(channel=channel, above=last)
        if last is None:
            return
        yield last


# Said in full, or no engine would look into the index of those that wait.
_QUEUED = SQL("'queued'")


@prepared
def _next_priority() -> Any:
    return (
        Delivery.select(fn.MIN(Delivery.priority))
        .where(Delivery.state == _QUEUED)
        .where(Delivery.channel == Given("channel"))
        .where(Delivery.priority > Given("above"))
        .tuples()
    )


@prepared
def _heads() -> Any:
    return (
        Delivery.select(Delivery.due_at, Delivery.id)
        .where(Delivery.state == _QUEUED)
        .where(Delivery.channel == Given("channel"))
        .where(Delivery.priority == Given("priority"))
        .where(Delivery.due_at >= Given("since"))
        .where(Delivery.due_at <= Given("at"))
        .order_by(Delivery.due_at, Delivery.id)
        .limit(Given("limit"))
        .tuples()
    )


@prepared
def _secret_letters() -> Any:
    return (
        Delivery.select(Delivery.due_at, Delivery.priority, Delivery.id)
        .where(Delivery.state == _QUEUED)
        .where(Delivery.channel == ChannelName.LETTER)
        .where(Delivery.kind == in_house.SECRET)
        .where(Delivery.due_at <= Given("at"))
        .order_by(Delivery.priority, Delivery.due_at, Delivery.id)
        .limit(Given("limit"))
        .tuples()
    )
