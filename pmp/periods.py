"""A periodic job runs once in each period, on however many hosts it is due.

So is what strangers cause written down once in each period, and counted after that.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from peewee import IntegrityError, fn

from models import ScheduledRun
from pmp import clock, database

KEPT = timedelta(days=7)
COUNTED = "counted:"
"""Begins what is counted: it is no job of a worker's."""


def claim(job: str, *, period: str, at: datetime) -> bool:
    """Take a job's period; False if another host, or this one, has taken it."""
    try:
        with database.atomic():
            ScheduledRun.create(job=job, period=period, started_at=at)
    except IntegrityError:
        return False
    return True


def claim_or_count(what: str, *, period: str, at: datetime) -> bool:
    """Take the period of something that happens; count it, and give False, if taken.

    In the transaction of what follows from it; `counts` gives what was counted.
    """
    job = COUNTED + what
    if _count(job, period):
        return False
    return claim(job, period=period, at=at) or not _count(job, period)


def counts(what: str, *, before: datetime) -> list[ScheduledRun]:
    """Give the periods of something that began before a time and saw it again."""
    query = ScheduledRun.select().where(
        ScheduledRun.job.startswith(COUNTED + what),
        ScheduledRun.more.is_null(is_null=False),
        ScheduledRun.started_at < before,
    )
    return list(query.order_by(ScheduledRun.id))


def take_count(run: ScheduledRun) -> bool:
    """Take what was counted as told; False where it is another number by now."""
    changed = (
        ScheduledRun.update(more=None)
        .where(ScheduledRun.id == run.id, ScheduledRun.more == run.more)
        .execute()
    )
    return bool(changed)


def last_begun() -> datetime | None:
    """Give when a periodic job was begun last; None if none ever was."""
    last: ScheduledRun | None = (
        ScheduledRun.select()
        .where(~ScheduledRun.job.startswith(COUNTED))
        .order_by(ScheduledRun.started_at.desc())
        .first()
    )
    return last.started_at if last else None


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
    """Drop the claims of a week ago; give how many. A count that is not told stays."""
    old = (ScheduledRun.started_at < at - KEPT) & ScheduledRun.more.is_null()
    count: int = ScheduledRun.delete().where(old).execute()
    return count


def _count(job: str, period: str) -> bool:
    more: Any = fn.COALESCE(ScheduledRun.more, 0)
    return bool(
        ScheduledRun.update(more=more + 1)
        .where(ScheduledRun.job == job, ScheduledRun.period == period)
        .execute()
    )
