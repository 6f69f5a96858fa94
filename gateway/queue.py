"""The one queue, where the settings say: a SQLite file, Postgres or Redis.

It only wakes workers; what is to be done stands in the tables. A task holds ids and
its message is signed with the secret key, since huey reads it with pickle.
"""

from pathlib import Path
from typing import Any

from huey import Huey
from huey.serializer import SignedSerializer
from huey.storage import (
    MemoryStorage,
    PostgresStorage,
    PriorityRedisStorage,
    SqliteStorage,
)

from pmp import settings

NAME = "pmp"


class _Queue(Huey):  # type: ignore[misc] # huey has no types
    """A Huey that reads the settings when it is first used, not when imported."""

    def __init__(self) -> None:
        self._opened: dict[str, Any] = {}
        self._fixed: Any = None
        super().__init__(NAME, results=False)

    def create_storage(self) -> Any:
        return MemoryStorage(NAME) if self.immediate else None

    @property
    def storage(self) -> Any:
        if self._fixed is not None:
            return self._fixed
        address = settings.current().queue_address
        if address not in self._opened:
            self.close()
            self._opened = {address: _storage(address)}
        return self._opened[address]

    @storage.setter
    def storage(self, storage: Any) -> None:
        self._fixed = storage

    def close(self) -> None:
        """Close this thread's connection to the store; the next use opens it again."""
        for opened in self._opened.values():
            opened.close()
        self._opened = {}

    @property
    def serializer(self) -> SignedSerializer:
        key = settings.current().secret_key.get_secret_value()
        return SignedSerializer(secret=key, salt="queue")

    @serializer.setter
    def serializer(self, _: Any) -> None:
        """Ignore the one that Huey makes for itself: ours follows the settings."""


def _storage(address: str) -> Any:
    if address.startswith("sqlite:///"):
        path = Path(address.removeprefix("sqlite:///"))
        path.parent.mkdir(parents=True, exist_ok=True)
        return SqliteStorage(NAME, filename=str(path), fsync=True)
    if address.startswith("postgresql://"):
        return PostgresStorage(NAME, dsn=address)
    return PriorityRedisStorage(NAME, url=address)


huey = _Queue()
