"""What staff see and do about carriers: how each stands, pause it, resume it.

When one is left alone by itself, and when it is tried again, is in `calling`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import (
    ChannelName,
    Circuit,
    CircuitState,
    Delivery,
    DeliveryState,
    ErrorClass,
    User,
)
from pmp import audit, database
from pmp.deliveries import in_house
from pmp.deliveries.calling import LONGEST_WHY, SHUT, close, locked, note
from pmp.errors import NotFoundError, RuleError

_WORDS = {
    CircuitState.CLOSED: "Working",
    CircuitState.OPEN: "Not called: it does not work",
    CircuitState.HALF_OPEN: "Being tried with one message",
    CircuitState.PAUSED: "Paused by staff",
}
_CHANNELS = {
    ChannelName.EMAIL: "Email",
    ChannelName.FAX: "Fax",
    ChannelName.LETTER: "Letters",
    ChannelName.SMS: "Text messages",
}


@dataclass(frozen=True)
class Standing:
    """How it stands with a carrier, and how many deliveries wait in its channel.

    `until` is when one message may try it again; None: not by itself. `why` is what
    it answered last, or the reason that staff gave; `by` is who paused it.
    """

    channel: ChannelName
    carrier: str
    state: CircuitState
    since: datetime
    until: datetime | None
    why: str
    by: str
    error_class: ErrorClass | None
    waiting: int

    @property
    def is_shut(self) -> bool:
        """Whether deliveries wait for it."""
        return self.state in SHUT

    @property
    def channel_words(self) -> str:
        """The channel, for people."""
        return _CHANNELS.get(self.channel, self.channel.value)

    @property
    def state_words(self) -> str:
        """How it stands, for people."""
        return _WORDS[self.state]


def standing() -> list[Standing]:
    """Give the carriers in use, by channel, those not called first."""
    rows = Circuit.select().where(Circuit.in_use).order_by(Circuit.channel, Circuit.id)
    found = [
        Standing(
            channel=ChannelName(row.channel),
            carrier=row.carrier,
            state=row.state,
            since=row.since,
            until=row.until,
            why=row.why,
            by=row.changed_by,
            error_class=row.error_class,
            waiting=_waiting(ChannelName(row.channel)),
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: not each.is_shut)


def waiting_words(delivery: Delivery) -> str:
    """Say that a delivery waits for its carrier, and why; nothing if it does not."""
    if delivery.state != DeliveryState.QUEUED:
        return ""
    row = _shut(delivery.channel).first()
    if row is None or (in_house.prints(delivery) and row.carrier != in_house.CARRIER):
        return ""
    if row.state == CircuitState.PAUSED:
        return f"Waits: {row.changed_by} paused {row.carrier} ({row.why})."
    return f"Waits: {row.carrier} does not work now and is tried again by itself."


def pause(
    carrier: str,
    *,
    by: User | None,
    at: datetime,
    reason: str,
    channel: ChannelName | None = None,
) -> None:
    """Have nothing sent by a carrier until staff resume it; RuleError without a reason.

    What is with the carrier stays there. `channel` tells apart carriers of one name.
    """
    if not reason.strip():
        raise RuleError("Say why it is paused.", field="reason")
    with database.atomic():
        for row in _named(carrier, channel):
            if row.state == CircuitState.PAUSED:
                raise RuleError(f"{row.changed_by} has paused {carrier} already.")
            row.state, row.since, row.until = CircuitState.PAUSED, at, None
            row.why, row.changed_by = reason.strip()[:LONGEST_WHY], _name(by)
            row.told_at, row.troubled = at, True
            row.save()
            note(row, audit.Event.CARRIER_PAUSED, by=_name(by), at=at)


def resume(
    carrier: str,
    *,
    by: User | None,
    at: datetime,
    channel: ChannelName | None = None,
) -> None:
    """Have a carrier called again at once, whoever or whatever stopped that."""
    with database.atomic():
        rows = [row for row in _named(carrier, channel) if row.state in SHUT]
        if not rows:
            raise RuleError(f"{carrier} is being called: there is nothing to resume.")
        for row in rows:
            close(row, by=_name(by), at=at, event=audit.Event.CARRIER_RESUMED)
            row.openings = 0
            row.save()


def _named(carrier: str, channel: ChannelName | None) -> list[Circuit]:
    query = Circuit.select().where(Circuit.carrier == carrier).where(Circuit.in_use)
    if channel is not None:
        query = query.where(Circuit.channel == channel.value)
    rows = [locked(row) for row in query.order_by(Circuit.id)]
    if not rows:
        raise NotFoundError("There is no such carrier.")
    return rows


def _shut(channel: ChannelName) -> Any:
    return (
        Circuit.select()
        .where(Circuit.channel == channel.value)
        .where(Circuit.in_use)
        .where(Circuit.state.in_(SHUT))
    )


def _waiting(channel: ChannelName) -> int:
    count: int = (
        Delivery.select()
        .where(Delivery.state == DeliveryState.QUEUED)
        .where(Delivery.channel == channel)
        .count()
    )
    return count


def _name(by: User | None) -> str:
    """Name who acts: a user, or whoever sits at the command line."""
    return by.username if by else "command line"
