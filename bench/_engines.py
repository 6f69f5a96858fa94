"""A fresh database on each engine, in turn."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

POSTGRES = os.environ.get("PMP_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432")


def engines() -> Iterator[tuple[str, str]]:
    """Give name and address of empty databases: SQLite, Postgres if it answers."""
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", f"sqlite:///{folder}/pmp.db"
    if _postgres_answers():
        with _fresh_postgres() as url:
            yield "Postgres", url


def _postgres_answers() -> bool:
    try:
        psycopg.connect(f"{POSTGRES}/postgres", connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def _fresh_postgres() -> Iterator[str]:
    name = f"pmp_bench_{secrets.token_hex(6)}"
    with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield f"{POSTGRES}/{name}"
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
