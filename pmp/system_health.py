"""How the machine stands, at the foot of the staff console: words, good or bad.

The database and the queue answer, or nobody would read this page; a monitor asks
/readyz and /metrics.
"""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models import Delivery, DeliveryState, Submission, SubmissionStatus
from pmp import database, settings, statistics
from pmp.accounts import sign_in_watch
from pmp.wording import us_time

LEAST_FREE_BYTES = 200 * 1024 * 1024
GIGABYTE, MEGABYTE = 1024**3, 1024**2
OLDEST_BACK_UP = timedelta(hours=26)  # a day's, and the time it takes
BACK_UP_MARK = "last-backup"
"""A file of the data folder that whoever makes the back-up touches at its end."""


@dataclass(frozen=True)
class Part:
    """One part of the system, in words; `bad` is something to see to."""

    name: str
    words: str
    bad: bool = False


def parts(*, at: datetime) -> list[Part]:
    """Give how worker, queue, database, disk and back-up stand at a time."""
    return [
        _worker(at=at),
        _queue(at=at),
        _database(),
        _disk(),
        _back_up(at=at),
        _sign_ins(at=at),
    ]


def _worker(*, at: datetime) -> Part:
    seen = statistics.worker_seen()
    silent = statistics.worker_is_silent(at=at)
    if seen is None:
        return Part("Worker", "was never seen: nothing is sent or read", silent)
    seconds = max(0, int((at - seen).total_seconds()))
    unit = "second" if seconds == 1 else "seconds"
    ago = f"{seconds} {unit} ago" if seconds < 120 else f"on {us_time(seen)}"
    if silent:
        return Part("Worker", f"does not run: last seen {ago}", bad=True)
    return Part("Worker", f"runs, seen {ago}")


def _queue(*, at: datetime) -> Part:
    due = Delivery.select().where(
        (Delivery.state == DeliveryState.QUEUED) & (Delivery.due_at <= at)
    )
    reading = [SubmissionStatus.RECEIVED, SubmissionStatus.READING]
    files = Submission.select().where(Submission.status.in_(reading)).count()
    return Part("Queue", f"{due.count():,} messages to send, {files:,} files to read")


def _database() -> Part:
    if not database.is_sqlite():
        return Part("Database", "Postgres, answers")
    path = Path(settings.current().database_url.removeprefix("sqlite:///"))
    size = path.stat().st_size if path.exists() else 0
    return Part("Database", f"SQLite, {size / MEGABYTE:,.0f} MB, answers")


def _disk() -> Part:
    free = shutil.disk_usage(settings.current().data_dir).free
    return Part("Disk", f"{free / GIGABYTE:,.1f} GB free", free < LEAST_FREE_BYTES)


def _back_up(*, at: datetime) -> Part:
    mark = settings.current().data_dir / BACK_UP_MARK
    try:
        made = datetime.fromtimestamp(mark.stat().st_mtime, UTC)
    except OSError:
        return Part("Back-up", "not known here")
    return Part("Back-up", f"last made {us_time(made)}", at - made > OLDEST_BACK_UP)


def _sign_ins(*, at: datetime) -> Part:
    refused = sign_in_watch.last_day(at=at)
    words = f"{refused.count:,} refused since yesterday"
    if refused.warned_at is None:
        return Part("Sign-ins", words)
    when, place = us_time(refused.warned_at), refused.place
    return Part(
        "Sign-ins", f"{words}; on {when} many were tried from {place}", bad=True
    )
