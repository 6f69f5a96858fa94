"""The hours in which faxes are sent: at night they ring in homes that share a line.

PMP_FAX_HOURS, in the programme's zone, and of these the hours that the recipient chose
for their number, if any. What the system times lies within them; what staff want sent
at once, outside of them, is sent at once. A fax that is only written to a folder rings
nowhere and knows no hours.
"""

from datetime import UTC, datetime, timedelta

from models import ChannelName, Delivery, DeliveryKind, DeliveryState, FaxNumber
from pmp import clock, clock_hours, database, settings
from pmp.deliveries import retries
from pmp.deliveries.lines import note

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_MOST_HOURS = 48
# Whoever waited for the morning comes within so long of its beginning.
SPREAD = timedelta(minutes=15)


def within(
    channel: ChannelName, at: datetime, *, key: str, number: str = ""
) -> datetime:
    """Give the time itself, or for a fax at night one soon after the hours begin.

    `key` spreads those that wait for the same morning, the same each time. `number`
    has hours of its own, perhaps.
    """
    if not _rings(channel):
        return at
    hours = hours_of(number)
    if clock.local(at).hour in hours:
        return at
    return opening(at, hours) + SPREAD * retries.part(key)


def next_try(delivery: Delivery, at: datetime, *, key: str) -> datetime:
    """Give when a delivery may be tried that is due at a time: as `within`."""
    number = number_of(delivery.kind, delivery.address)
    return within(delivery.channel, at, key=key, number=number)


def number_of(kind: DeliveryKind, address: str) -> str:
    """Give whose own hours count for a message; "": only the programme's.

    Whoever asks for a test page stands beside the machine.
    """
    return "" if kind == DeliveryKind.FAX_TEST_PAGE else address


def hours_of(number: str) -> frozenset[int]:
    """Give the hours of the day in which a number may be faxed, by the wall clock.

    The programme's, where the number has none or those are no longer among them.
    """
    programmes = clock_hours.parse(settings.current().fax_hours)
    row = FaxNumber.get_or_none(FaxNumber.number == number) if number else None
    own = clock_hours.parse(row.hours or "") if row else frozenset()
    return (programmes & own) or programmes


def put_off(delivery: Delivery, *, at: datetime) -> bool:
    """Have a due fax wait for the hours of its number; False if it may go now.

    It was due within them, and its turn comes after they are over.
    """
    number = number_of(delivery.kind, delivery.address)
    if not number or closed_since(delivery.channel, at) is not None:
        return False  # the programme's own hours keep everybody waiting
    since = closed_since(delivery.channel, at, number=number)
    if since is None or delivery.due_at >= since:
        return False
    due = next_try(delivery, at, key=delivery.dedupe_key)
    with database.atomic():
        moved = (
            Delivery.update(due_at=due, revision=Delivery.revision + 1)
            .where(Delivery.id == delivery.id)
            .where(Delivery.state == DeliveryState.QUEUED)
            .where(Delivery.due_at < since)
            .execute()
        )
        if moved:
            text = "waits for the hours of its number"
            note(delivery, None, source="worker", at=at, text=text)
    return bool(moved)


def opening(at: datetime, hours: frozenset[int] | None = None) -> datetime:
    """Give when the hours begin that come after a time outside of them, in UTC."""
    hours, hour = hours or hours_of(""), _whole_hour(at)
    for _ in range(_MOST_HOURS):
        hour += _HOUR  # of the wall clock
        if hour.hour in hours:
            break
    return hour.astimezone(UTC)


def closed_since(
    channel: ChannelName, at: datetime, *, number: str = ""
) -> datetime | None:
    """Give since when a channel rests at a time; None where it does not.

    A delivery that was due before that waits; one that is due later is one that staff
    want sent all the same.
    """
    if not _rings(channel):
        return None
    hours, hour = hours_of(number), _whole_hour(at)
    if hour.hour in hours:
        return None
    for _ in range(_MOST_HOURS):
        if (hour - _HOUR).hour in hours:
            break
        hour -= _HOUR
    return hour.astimezone(UTC)


def _rings(channel: ChannelName) -> bool:
    return channel == ChannelName.FAX and settings.current().fax_rings


def _whole_hour(at: datetime) -> datetime:
    return clock.local(at).replace(minute=0, second=0, microsecond=0)
