"""Whether this host can do its work: database, schema, queue, disk.

The words name the part that fails and never an address or a password.
"""

import os
import shutil
import sqlite3
from pathlib import Path

import psycopg
import redis

from pmp import database, settings

LEAST_FREE_BYTES = 200 * 1024 * 1024
SECONDS = 2


def problems() -> list[str]:
    """Name each part that does not work; an empty list means ready."""
    checks = {"database": _database, "queue": _queue, "disk": _disk}
    found = []
    for part, check in checks.items():
        try:
            words = check()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not ready
            words = type(error).__name__
        if words:
            found.append(f"{part}: {words}")
    return found


def _database() -> str:
    with database.connected():
        if names := database.pending():
            return f"migrations are pending: {', '.join(names)}"
        if names := database.unknown():
            return f"migrations are newer than this code: {', '.join(names)}"
    return ""


def _queue() -> str:
    url = settings.current().queue_address
    if url.startswith("sqlite:///"):
        return _queue_file(Path(url.removeprefix("sqlite:///")))
    if url.startswith("redis"):
        redis.Redis.from_url(url, socket_timeout=SECONDS).ping()
    else:
        with psycopg.connect(url, connect_timeout=SECONDS) as store:
            store.execute("SELECT 1")
    return ""


def _queue_file(path: Path) -> str:
    if not path.exists():
        return "" if os.access(path.parent, os.W_OK) else "its folder is not writable"
    store = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=SECONDS)
    try:
        store.execute("SELECT 1 FROM sqlite_master").fetchone()
    finally:
        store.close()
    return ""


def _disk() -> str:
    free = shutil.disk_usage(settings.current().data_dir).free
    return "" if free >= LEAST_FREE_BYTES else f"only {free // 1024**2} MB are free"
