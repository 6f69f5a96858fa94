"""The hours in which faxes are sent: at night they ring in homes that share a line.

PMP_FAX_HOURS, in the programme's zone. What the system times lies within them; what
staff want sent at once, outside of them, is sent at once. A fax that is only written
to a folder rings nowhere and knows no hours.
"""

from datetime import UTC, datetime, timedelta

from models import ChannelName
from pmp import clock, clock_hours, settings
from pmp.deliveries import retries

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_MOST_HOURS = 48
# Whoever waited for the morning comes within so long of its beginning.
SPREAD = timedelta(minutes=15)


def within(channel: ChannelName, at: datetime, *, key: str) -> datetime:
    """Give the time itself, or for a fax at night one soon after the hours begin.

    `key` spreads those that wait for the same morning, the same each time.
    """
    if not _is_closed(channel, at):
        return at
    return opening(at) + SPREAD * retries.part(key)


def opening(at: datetime) -> datetime:
    """Give when the hours begin that come after a time outside of them, in UTC."""
    hours, hour = _hours(), _whole_hour(at)
    for _ in range(_MOST_HOURS):
        hour += _HOUR  # of the wall clock
        if hour.hour in hours:
            break
    return hour.astimezone(UTC)


def closed_since(channel: ChannelName, at: datetime) -> datetime | None:
    """Give since when a channel rests at a time; None where it does not.

    A delivery that was due before that waits; one that is due later is one that staff
    want sent all the same.
    """
    if not _is_closed(channel, at):
        return None
    hours, hour = _hours(), _whole_hour(at)
    for _ in range(_MOST_HOURS):
        if (hour - _HOUR).hour in hours:
            break
        hour -= _HOUR
    return hour.astimezone(UTC)


def _is_closed(channel: ChannelName, at: datetime) -> bool:
    if channel != ChannelName.FAX or not settings.current().fax_rings:
        return False
    return clock.local(at).hour not in _hours()


def _hours() -> frozenset[int]:
    return clock_hours.parse(settings.current().fax_hours)


def _whole_hour(at: datetime) -> datetime:
    return clock.local(at).replace(minute=0, second=0, microsecond=0)
