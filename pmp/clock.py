"""The one place that reads the wall clock; rules are handed the time."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from pmp import settings


def now() -> datetime:
    """Give the time, aware, in UTC."""
    return datetime.now(UTC)


def zone() -> ZoneInfo:
    """Give the programme's own time zone."""
    return ZoneInfo(settings.current().time_zone)


def local(at: datetime) -> datetime:
    """Give an aware time in the programme's zone."""
    return at.astimezone(zone())


def day_of(at: datetime) -> date:
    """Give the day that an aware time falls on in the programme's zone."""
    return local(at).date()


def start_of(day: date) -> datetime:
    """Give the time, in UTC, at which a day of the programme's zone begins."""
    return datetime.combine(day, time(), tzinfo=zone()).astimezone(UTC)


def today() -> date:
    """Give the day it is now in the programme's zone."""
    return day_of(now())
