"""When a message that failed is tried again, by what went wrong.

Pure: an error class and how often it has happened give a wait, or None: give up. A
class whose last wait repeats is tried until the delivery's deadline: a carrier that is
down all day is not the recipient's fault.
"""

from dataclasses import dataclass
from datetime import timedelta

from models import ChannelName, ErrorClass


@dataclass(frozen=True)
class Plan:
    """Minutes to wait after the first, second, … failure of one class."""

    minutes: tuple[int, ...]
    repeats: bool = False


_NEVER = Plan(())
_PLANS = {
    ErrorClass.BUSY: Plan((2, 5, 10, 20, 30, 60, 120)),
    ErrorClass.NO_ANSWER: Plan((10, 30, 60, 120, 240)),
    ErrorClass.NOT_A_FAX: Plan((15,)),
    ErrorClass.LINE_DROPPED: Plan((5, 15, 30, 60, 120)),
    ErrorClass.REJECTED: _NEVER,
    ErrorClass.DOCUMENT: _NEVER,
    ErrorClass.CARRIER_DOWN: Plan((1, 5, 15, 60, 240), repeats=True),
    ErrorClass.THROTTLED: Plan((1, 2, 5, 10, 30), repeats=True),
    ErrorClass.CONFIGURATION: Plan((5, 15, 60, 240), repeats=True),
    ErrorClass.IN_DOUBT: Plan((1, 5, 15, 60)),
    ErrorClass.UNKNOWN: Plan((5, 15, 60, 240, 480)),
}

DEADLINES = {
    ChannelName.EMAIL: timedelta(hours=96),
    ChannelName.FAX: timedelta(hours=72),
    ChannelName.LETTER: timedelta(days=30),
    ChannelName.SMS: timedelta(hours=24),
}


def wait(error_class: ErrorClass, failures: int) -> timedelta | None:
    """Give the wait after so many failures of a class (1 = the first); None: stop."""
    plan = _PLANS[error_class]
    if failures <= len(plan.minutes):
        return timedelta(minutes=plan.minutes[failures - 1])
    if plan.repeats:
        return timedelta(minutes=plan.minutes[-1])
    return None
