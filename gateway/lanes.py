"""No channel has all threads of a worker: a slow carrier holds up its own messages.

A task that finds its channel's lane full ends at once. Nothing is lost by it: whoever
is in the lane goes on with what is due, and the sweep finds the rest.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from models import ChannelName

_lock = threading.Lock()
_taken: Counter[ChannelName] = Counter()
_share = 1


def divide(threads: int) -> None:
    """Give each channel half of a worker's threads, and one at least."""
    global _share  # noqa: PLW0603 - of this process
    _share = max(1, threads // 2)


@contextmanager
def entered(channel: ChannelName) -> Iterator[bool]:
    """Be in a channel's lane for the block; gives False where it is full."""
    with _lock:
        free = _taken[channel] < _share
        if free:
            _taken[channel] += 1
    try:
        yield free
    finally:
        if free:
            with _lock:
                _taken[channel] -= 1
