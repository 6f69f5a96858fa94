"""A periodic job runs once in each period, on however many hosts it is due."""

from datetime import UTC, datetime, timedelta

from peewee import IntegrityError

from models import ScheduledRun
from pmp import clock, database

KEPT = timedelta(days=7)


def claim(job: str, *, period: str, at: datetime) -> bool:
    """Take a job's period; False if another host, or this one, has taken it."""
    try:
        with database.atomic():
            ScheduledRun.create(job=job, period=period, started_at=at)
    except IntegrityError:
        return False
    return True


def every(seconds: int, *, at: datetime) -> str:
    """Name the period of so many seconds that a time lies in."""
    return f"{seconds}s:{int(at.timestamp()) // seconds}"


def nightly(*, at: datetime, hour: int = 2) -> str:
    """Name the night: a programme day that begins at an hour of its own zone."""
    return f"{clock.day_of(at - timedelta(hours=hour)):%Y-%m-%d}"


def hourly(*, at: datetime) -> str:
    """Name the hour, in UTC: one that clocks repeat or skip is an hour like others."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H}"


def forget_old(*, at: datetime) -> int:
    """Drop the claims of a week ago; give how many."""
    count: int = (
        ScheduledRun.delete().where(ScheduledRun.started_at < at - KEPT).execute()
    )
    return count
