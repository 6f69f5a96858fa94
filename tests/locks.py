"""Two at once: one goes on when it is certain that the other waits for it."""

from threading import Thread
from time import monotonic, sleep

import models
from pmp import database

PATIENCE_SECONDS = 20
# Else a transaction is told again and again who was connected when it first asked.
_FORGET = "SELECT pg_stat_clear_snapshot()"
_WAITS = """
SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE datname = current_database() AND NOT granted
"""


def somebody_waits() -> bool:
    """Tell whether a connection waits for another's lock, from inside a transaction."""
    if database.is_sqlite():
        return True  # a transaction is open here, so whoever writes does
    models.database.execute_sql(_FORGET)
    return bool(models.database.execute_sql(_WAITS).fetchall())


def until_it_waits(thread: Thread) -> None:
    """Let the other get as far as it can."""
    deadline = monotonic() + PATIENCE_SECONDS
    while not somebody_waits():
        assert thread.is_alive()
        assert monotonic() < deadline
        sleep(0.02)
