"""The worker process: huey's consumer in threads, with our timer beside it.

It stops on TERM and INT once the task in hand is done, within 25 seconds; what is not
done by then has its lease run out and is found by the sweep.
"""

import logging
import os
import signal
import threading
import time
from typing import Any

from huey.consumer import Consumer

from gateway import lanes, schedule
from gateway.queue import huey
from pmp import database, kept_settings, logs

THREADS = 4
SHUTDOWN_SECONDS = 25
MOST_SECONDS_BETWEEN_LOOKS = 1.0


class _Worker(Consumer):  # type: ignore[misc] # huey has no types
    """A consumer with the timer thread of gateway.schedule."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._signal_actions[signal.SIGINT] = (False, True)  # as gentle as TERM
        self._ticking = threading.Event()

    def start(self) -> None:
        with database.connected():
            kept_settings.refresh()
        super().start()
        timer = threading.Thread(
            target=schedule.keep_ticking,
            args=(self._ticking,),
            name="timer",
            daemon=True,
        )
        timer.start()

    def stop(self, graceful: bool = False) -> None:  # noqa: FBT001, FBT002 - huey's
        self._ticking.set()
        super().stop(graceful)


def consumer(*, threads: int = THREADS) -> Any:
    """Make the consumer; its run() blocks until TERM or INT, in the main thread.

    The database must be bound (pmp.database.begin_use) before it runs. For a demo,
    serve the portal from a daemon thread and run this in the main one: the other way
    round, signals are lost.
    """
    os.environ["TZ"] = "UTC"
    time.tzset()
    logs.begin("gateway", "pmp")
    logs.begin("huey", level=logging.WARNING)
    lanes.divide(threads)
    return _Worker(
        huey,
        workers=threads,
        worker_type="thread",
        periodic=False,
        max_delay=MOST_SECONDS_BETWEEN_LOOKS,
        graceful_signal="TERM",
        shutdown_timeout=SHUTDOWN_SECONDS,
    )


def run_worker(*, threads: int = THREADS) -> None:
    """Run the worker until it is told to stop."""
    consumer(threads=threads).run()
