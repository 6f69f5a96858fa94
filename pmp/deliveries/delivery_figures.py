"""Do the program's messages arrive? Counts by channel, now, today and in seven days."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from peewee import SQL, Case, fn

from models import ChannelName, Delivery, DeliveryAttempt, DeliveryState, ErrorClass
from pmp import clock
from pmp.chart.volumes import Day
from pmp.deliveries import delivery_lists
from pmp.deliveries.outbox import FINAL

DAYS = 7
LATELY = timedelta(hours=1)
# Enough tries to tell a carrier that is down from one number that is busy.
ENOUGH_TRIES = 3
# What a recipient's own machine or address does, not the carrier.
RECIPIENTS_OWN = frozenset(
    {
        ErrorClass.BUSY,
        ErrorClass.NO_ANSWER,
        ErrorClass.NOT_A_FAX,
        ErrorClass.LINE_DROPPED,
        ErrorClass.REJECTED,
        ErrorClass.DOCUMENT,
    }
)


@dataclass(frozen=True)
class Channel:
    """How one channel does.

    `waiting` counts what is to be sent, `oldest` is when the first of it was made;
    `held` waits for staff. `tries` and `faults` are of the last hour; a fault is one
    of the carrier or of our settings. `days` end today.
    """

    name: ChannelName
    waiting: int = 0
    oldest: datetime | None = None
    held: int = 0
    on_its_way: int = 0
    tries: int = 0
    faults: int = 0
    days: list[Day] = field(default_factory=list)

    @property
    def arrived_today(self) -> int:
        return self.days[-1].arrived

    @property
    def failed_today(self) -> int:
        return self.days[-1].failed

    @property
    def arrived(self) -> int:
        return sum(day.arrived for day in self.days)

    @property
    def failed(self) -> int:
        return sum(day.failed for day in self.days)

    @property
    def is_failing(self) -> bool:
        """Whether most of the last hour's tries failed through the carrier or us."""
        return self.tries >= ENOUGH_TRIES and self.faults * 2 > self.tries


@dataclass(frozen=True)
class Figures:
    """All channels that ever had a message, and what waits for a person."""

    channels: list[Channel]
    need_staff: int
    first_day: date
    today: date

    @property
    def failing(self) -> list[Channel]:
        return [each for each in self.channels if each.is_failing]


def figures(*, at: datetime) -> Figures:
    """Count everything anew, in four queries; days are of the program's zone."""
    today = clock.day_of(at)
    first = today - timedelta(days=DAYS - 1)
    standing, ended, tried = _standing(), _ended(first), _tried(at)
    channels = [
        _channel(name, standing, ended, tried, first)
        for name in ChannelName
        if any(name in known for known in (standing, ended))
    ]
    return Figures(channels, asked_queue().count(), first, today)


def failed_queue() -> Any:
    """Give those that did not arrive, and that nobody has seen to yet."""
    return asked_queue().where(Delivery.state.in_(delivery_lists.GROUPS["not_arrived"]))


def asked_queue() -> Any:
    """Give all that need a person: what failed, and what waits for a word."""
    return Delivery.select().where(Delivery.needs_staff)


def _channel(
    name: ChannelName, standing: Any, ended: Any, tried: Any, first: date
) -> Channel:
    now, days = standing.get(name, {}), ended.get(name, {})
    count: Counter[str] = Counter()
    for state, (number, _) in now.items():
        count[state] += number
    tries, faults = tried.get(name, (0, 0))
    return Channel(
        name=name,
        waiting=count[DeliveryState.QUEUED],
        oldest=now.get(DeliveryState.QUEUED, (0, None))[1],
        held=count[DeliveryState.HELD],
        on_its_way=sum(count[state] for state in delivery_lists.GROUPS["on_its_way"]),
        tries=tries,
        faults=faults,
        days=[
            Day(
                first + timedelta(days=number),
                _sum(days, number, delivery_lists.GROUPS["arrived"]),
                _sum(days, number, delivery_lists.GROUPS["not_arrived"]),
            )
            for number in range(DAYS)
        ],
    )


def _sum(days: Any, number: int, states: Iterable[DeliveryState]) -> int:
    return sum(days.get((number, state), 0) for state in states)


def _standing() -> dict[str, dict[str, tuple[int, datetime]]]:
    """Count what is not over, by channel and state, with when the oldest was made."""
    rows: Any = (
        Delivery.select(
            Delivery.channel,
            Delivery.state,
            fn.COUNT(Delivery.id),
            fn.MIN(Delivery.created_at),
        )
        .where(Delivery.state.not_in(sorted(FINAL)))
        .group_by(Delivery.channel, Delivery.state)
        .tuples()
    )
    found: dict[str, dict[str, tuple[int, datetime]]] = {}
    for channel, state, number, oldest in rows:
        found.setdefault(channel, {})[state] = number, oldest
    return found


def _ended(first: date) -> dict[str, dict[tuple[int, str], int]]:
    """Count what ended, by channel, day (0 is `first`) and state."""
    starts = [clock.start_of(first + timedelta(days=each)) for each in range(DAYS + 1)]
    day = Case(
        None,
        [(Delivery.final_at < starts[each + 1], each) for each in range(DAYS)],
        DAYS,
    ).alias("ended_day")
    rows: Any = (
        Delivery.select(Delivery.channel, day, Delivery.state, fn.COUNT(Delivery.id))
        .where(Delivery.final_at >= starts[0])
        .group_by(Delivery.channel, SQL("ended_day"), Delivery.state)
        .tuples()
    )
    found: dict[str, dict[tuple[int, str], int]] = {}
    for channel, number, state, total in rows:
        found.setdefault(channel, {})[number, state] = total
    return found


def _tried(at: datetime) -> dict[str, tuple[int, int]]:
    """Count the last hour's tries that ended, and those that our side failed."""
    ours = [each for each in ErrorClass if each not in RECIPIENTS_OWN]
    failed = Case(None, [(DeliveryAttempt.error_class.in_(ours), 1)], 0)
    rows: Any = (
        DeliveryAttempt.select(
            Delivery.channel, fn.COUNT(DeliveryAttempt.id), fn.SUM(failed)
        )
        .join(Delivery)
        .where(DeliveryAttempt.started_at > at - LATELY)
        .where(DeliveryAttempt.ended_at.is_null(is_null=False))
        .group_by(Delivery.channel)
        .tuples()
    )
    return {channel: (tries, int(faults or 0)) for channel, tries, faults in rows}
