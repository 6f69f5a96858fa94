"""Opens the database, wraps transactions, and runs migrations under a lock.

SQLite: WAL, synchronous FULL, foreign keys, ten seconds of patience, IMMEDIATE
transactions (a deferred one that turns into a writer fails at once under load).
On both, connections are kept open in a pool: to open one costs as much as a small page.
"""

import fcntl
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from weakref import WeakSet

from peewee import SqliteDatabase
from peewee import __exception_wrapper__ as its_errors  # type: ignore[attr-defined]
from playhouse.migrations import Runner
from playhouse.pool import PooledPostgresqlDatabase, PooledSqliteDatabase

import models
from pmp import settings

MIGRATIONS = Path(__file__).parent.parent / "migrations"
HISTORY = "schema_migration"
# Any number; all hosts of one installation must agree on it.
ADVISORY_LOCK = 20570

_MAPPED_BYTES = 2_000_000_000
"""Of SQLite's file, read through the system's own cache."""
_CACHED_KILOBYTES = 16_000
"""Pages that each connection to SQLite keeps."""
_POOL: dict[str, Any] = {"max_connections": 32, "stale_timeout": 300, "timeout": 10}
"""So many at once, each for so many seconds, and the patience for one of them."""


class SchemaError(Exception):
    """The database is not at the migration that this code needs."""


class _SqliteConnection(sqlite3.Connection):
    """A connection that can let go of what was not read to its end.

    Until then it would show the next request the file as it was at that reading.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._cursors: WeakSet[sqlite3.Cursor] = WeakSet()

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        cursor = super().cursor(*args, **kwargs)
        self._cursors.add(cursor)
        return cursor

    def let_go(self) -> None:
        for cursor in list(self._cursors):
            cursor.close()
        self._cursors.clear()


class _SqlitePool(PooledSqliteDatabase):  # type: ignore[misc]
    def _can_reuse(self, conn: _SqliteConnection) -> bool:
        conn.let_go()
        return bool(super()._can_reuse(conn))


def open_database(url: str) -> Any:
    """Give the database at an address, not yet connected: a pool of connections.

    `url` is sqlite:///path or postgresql://user:password@host:port/name.
    """
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        path.parent.mkdir(parents=True, exist_ok=True)
        return _SqlitePool(
            str(path),
            pragmas={
                "busy_timeout": 10_000,
                "journal_mode": "wal",
                "synchronous": "full",
                "foreign_keys": 1,
                # Reads of pages here and there cost no call of the system each.
                "mmap_size": _MAPPED_BYTES,
                "cache_size": -_CACHED_KILOBYTES,
            },
            lock_type="IMMEDIATE",
            factory=_SqliteConnection,
            check_same_thread=False,  # one thread at a time, each after the other
            **_POOL,
        )
    parts = urlsplit(url)
    return PooledPostgresqlDatabase(
        parts.path.lstrip("/"),
        host=parts.hostname,
        port=parts.port or 5432,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or "") or None,
        prefer_psycopg3=True,
        **_POOL,
    )


def use(url: str) -> None:
    """Bind the tables to the database at an address, instead of an earlier one."""
    earlier = models.database.obj
    models.database.initialize(open_database(url))
    if earlier is not None:
        earlier.close_idle()


def begin_use() -> None:
    """Bind the tables to the database that the settings name."""
    use(settings.current().database_url)


def close_idle() -> None:
    """Close the connections that nobody uses: none may be there at a fork."""
    models.database.obj.close_idle()


@contextmanager
def connected() -> Iterator[None]:
    """Hold a connection for a task or a command."""
    with models.database.connection_context():
        yield


def atomic() -> Any:
    """Make what follows happen whole or not at all (nested: a savepoint)."""
    return models.database.atomic()


def together() -> Any:
    """Make what follows part of the transaction that is open, else of one of its own.

    It saves the two savepoints of `atomic`, where a failure is not caught before the
    whole is undone.
    """
    return nullcontext() if models.database.in_transaction() else atomic()


@contextmanager
def one_journey() -> Iterator[None]:
    """Send what is asked of Postgres within together; it answers at the end."""
    with its_errors, models.database.connection().pipeline():
        yield


def after_commit(call: Callable[[], None]) -> None:
    """Call once the outermost transaction is on disk; at once outside of one."""
    models.database.after_commit(call)


def is_sqlite() -> bool:
    """Tell which engine holds the tables."""
    return isinstance(models.database.obj, SqliteDatabase)


def pending() -> list[str]:
    """Name the migrations that have not been applied, in order."""
    return [m.name for m in _runner().status() if m.applied is None]


def unknown() -> list[str]:
    """Name applied migrations that this code does not have: it is too old."""
    return [m.name for m in _runner().status() if m.path is None]


def upgrade() -> list[str]:
    """Apply what is pending, one process at a time; give the names applied."""
    with _only_one():
        return list(_runner().up())


def require_current_schema() -> None:
    """Raise SchemaError unless the database is where this code needs it."""
    with connected():
        if names := pending():
            raise SchemaError(
                f"The database lacks {', '.join(names)}. "
                "Run: flask --app wsgi db upgrade"
            )
        if names := unknown():
            raise SchemaError(
                f"The database has {', '.join(names)}, which this version does not "
                "know. Install the newer version."
            )


def _runner() -> Runner:
    return Runner(models.database.obj, str(MIGRATIONS), table_name=HISTORY)


@contextmanager
def _only_one() -> Iterator[None]:
    """Hold a connection that no other process may use to change the tables."""
    database = models.database.obj
    if is_sqlite():
        # Before connecting: two that connect to a new file at once both want to turn
        # it to WAL, and the one that comes second is told at once that it is locked.
        with Path(f"{database.database}.migrating").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with connected():
                yield
        return
    with connected():
        database.execute_sql("SELECT pg_advisory_lock(%s)", (ADVISORY_LOCK,))
        try:
            yield
        finally:
            database.execute_sql("SELECT pg_advisory_unlock(%s)", (ADVISORY_LOCK,))
