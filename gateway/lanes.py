"""No channel has all threads of a worker: a slow carrier holds up its own messages.

So do faxes that take long to read.

A task that finds its channel's lane full ends at once. Nothing is lost by it: whoever
is in the lane goes on with what is due, and the sweep finds the rest.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

READING = "reading"  # of faxes that came in: a file may take minutes
_lock = threading.Lock()
_taken: Counter[str] = Counter()
_share = 1


def divide(threads: int) -> None:
    """Give each lane half of a worker's threads, and one at least."""
    global _share  # noqa: PLW0603 - of this process
    _share = max(1, threads // 2)


@contextmanager
def entered(lane: str) -> Iterator[bool]:
    """Be in a channel's lane, or READING, for the block; gives False if it is full."""
    with _lock:
        free = _taken[lane] < _share
        if free:
            _taken[lane] += 1
    try:
        yield free
    finally:
        if free:
            with _lock:
                _taken[lane] -= 1
