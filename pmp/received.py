"""Through when data have come in, as each report says."""

from datetime import date
from typing import Any

from models import Submission, SubmissionStatus
from pmp import clock
from pmp.prepared import Question, prepared


def last_day() -> date | None:
    """Give the day, in the programme's zone, of the last submission dealt with."""
    last = _last_received.one()
    return clock.day_of(last[0]) if last else None


def last_day_asked() -> Question:
    """Give what `last_day` asks, for `pmp.prepared.ahead`."""
    return _last_received.asked()


@prepared
def _last_received() -> Any:
    done = [
        SubmissionStatus.PROCESSED,
        SubmissionStatus.PROCESSED_WITH_ERRORS,
        SubmissionStatus.RESOLVED,
    ]
    return (
        Submission.select(Submission.received_at)
        .where(
            Submission.status.in_(done)
            & (Submission.dry_run == False)  # noqa: E712 - a column
            & (Submission.test == False)  # noqa: E712
        )
        .order_by(Submission.received_at.desc())
        .limit(1)
        .tuples()
    )
