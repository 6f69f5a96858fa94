"""When a message that failed is tried again, by what went wrong.

Pure: an error class and how often it has happened give a wait, or None: give up. A
class whose last wait repeats is tried until the delivery's deadline: a carrier that is
down all day is not the recipient's fault. Each wait is a fifth longer or shorter, by
the attempt's key: a thousand that failed together do not come back together.
"""

import hashlib
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


JITTER = 0.2
_PARTS = 1 << 32


def wait(error_class: ErrorClass, failures: int, *, key: str) -> timedelta | None:
    """Give the wait after so many failures of a class (1 = the first); None: stop.

    `key` is the attempt's: the same one gives the same wait.
    """
    plan = _PLANS[error_class]
    if failures <= len(plan.minutes):
        minutes = plan.minutes[failures - 1]
    elif plan.repeats:
        minutes = plan.minutes[-1]
    else:
        return None
    return timedelta(minutes=minutes) * (1 - JITTER + 2 * JITTER * part(key))


def asked(wish: timedelta, *, key: str) -> timedelta:
    """Give the wait that a carrier asked for, or up to a fifth longer."""
    return wish * (1 + JITTER * part(key))


def part(key: str) -> float:
    """Give a number from 0 to 1 (never 1 itself) that looks random but is the key's."""
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:4], "big") / _PARTS
