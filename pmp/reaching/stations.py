"""How the machine at a fax number calls itself, and that another one answers now.

A fax machine gives a name or number of its own (CSI) when it answers. The last one is
kept for each number. Another one may be a new machine, or a stranger's: staff say.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import (
    ChannelName,
    Delivery,
    FaxNumber,
    StationChange,
    StationVerdict,
    User,
)
from pmp import audit, database
from pmp.deliveries import outbox
from pmp.errors import ConflictError, NotFoundError
from pmp.reaching import fax_numbers, held_faxes

CHANGED = "the machine that answered calls itself “{after}”; before: “{before}”"


@dataclass(frozen=True)
class Settled:
    """What followed from staff's word: the change, and the message that goes on."""

    change: StationChange
    goes_on: Delivery | None = None


def seen(delivery: Delivery, station: str, *, at: datetime) -> StationChange | None:
    """Keep how a machine called itself; give the change, if it is another than before.

    In the caller's transaction, before the audit record is taken. The same other
    machine once more is no further change.
    """
    name = plain(station)
    if not name or delivery.channel != ChannelName.FAX:
        return None
    row = fax_numbers.row_of(delivery.address)
    before = row.station
    row.station, row.station_at = name, at
    row.save(only=[FaxNumber.station, FaxNumber.station_at])
    if not before or same(before, name):
        return None
    change: StationChange = StationChange.create(
        number=row, before=before, after=name, delivery=delivery, noticed_at=at
    )
    return change


def flag(delivery: Delivery, change: StationChange, *, at: datetime) -> None:
    """Have staff look at a fax that another machine took; after it changed state."""
    text = CHANGED.format(after=change.after, before=change.before)
    delivery.needs_staff = True
    delivery.save(only=[Delivery.needs_staff])
    outbox.note(delivery, None, source="system", at=at, text=text)
    audit.record(
        audit.Event.STATION_CHANGED,
        actor="system",
        subject=f"fax_number:{change.number.number}",
        at=at,
        detail={"change": change.id, "delivery": delivery.id},
    )


def unjudged() -> Any:
    """Give the query of the changes that nobody has judged."""
    return (
        StationChange.select(StationChange, FaxNumber)
        .join(FaxNumber)
        .where(StationChange.verdict.is_null())
    )


def open_changes() -> list[StationChange]:
    """Give the changes that nobody has judged, the oldest first."""
    return list(unjudged().order_by(StationChange.id))


def changes_of(number: str) -> list[StationChange]:
    """Give every change at a number, the newest first."""
    query = (
        StationChange.select(StationChange, FaxNumber)
        .join(FaxNumber)
        .where(FaxNumber.number == number)
        .order_by(StationChange.id.desc())
    )
    return list(query)


def of_delivery(delivery: Delivery) -> StationChange | None:
    """Give the change that a fax met with; None if it met with none."""
    change: StationChange | None = (
        StationChange.select()
        .where(StationChange.delivery == delivery)
        .order_by(StationChange.id.desc())
        .first()
    )
    return change


def settle(
    change_id: int, verdict: StationVerdict, *, by: User, at: datetime
) -> Settled:
    """Take staff's word on a change: a new machine of the same office, or a stranger's.

    A wrong number is blocked, and the message goes by its recipient's next way.
    ConflictError if another has said so already.
    """
    known: StationChange | None = StationChange.get_or_none(id=change_id)
    if known is None:
        raise NotFoundError("There is no such change.")
    with database.atomic():
        if verdict == StationVerdict.WRONG_NUMBER:
            held_faxes.waiting_for(known.number.number)  # in order, with its own
        delivery = outbox.taken(known.delivery.id)
        moved = (
            StationChange.update(verdict=verdict, settled_by=by.username, settled_at=at)
            .where(StationChange.id == change_id)
            .where(StationChange.verdict.is_null())
            .execute()
        )
        change = StationChange.get_by_id(change_id)
        if not moved:
            raise ConflictError(f"{change.settled_by} has settled this already.")
        goes_on = None
        if verdict == StationVerdict.WRONG_NUMBER:
            goes_on = _send_elsewhere(delivery, change, by=by, at=at)
        elif not delivery.error_class:
            delivery.needs_staff = False
            delivery.save(only=[Delivery.needs_staff])
        audit.record(
            audit.Event.STATION_SETTLED,
            actor=by.username,
            subject=f"fax_number:{change.number.number}",
            at=at,
            detail={"change": change.id, "verdict": verdict.value},
        )
    return Settled(change, goes_on)


def plain(station: str) -> str:
    """Give a machine's name as it is kept: one line, no odd signs."""
    return " ".join("".join(c for c in station if c.isprintable()).split())[:60]


def same(one: str, other: str) -> bool:
    """Tell whether two names are one machine's: blanks, marks and +1 do not matter."""
    return _key(one) == _key(other)


def _key(station: str) -> str:
    signs = "".join(sign for sign in station.upper() if sign.isalnum())
    return signs[-10:] if signs.isdigit() else signs


def _send_elsewhere(
    delivery: Delivery, change: StationChange, *, by: User, at: datetime
) -> Delivery | None:
    """Block the number and have the message sent by the next way, if there is one."""
    why = CHANGED.format(after=change.after, before=change.before)
    fax_numbers.block(change.number.number, why=why, by=by.username, at=at)
    if delivery.state not in outbox.FINAL:  # blocking has seen to it
        return None
    child = outbox.fall_back(delivery, at=at)
    delivery.needs_staff = child is None
    delivery.save(only=[Delivery.needs_staff])
    text = "wrong number: it goes by the next way" if child else "wrong number"
    outbox.note(delivery, None, source=by.username, at=at, text=text)
    return child
