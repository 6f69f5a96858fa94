"""A program of its own for a benchmark, on SQLite and on Postgres where one answers."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

import models
from pmp import database, settings

POSTGRES = os.environ.get("PMP_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432")


def each_engine() -> Iterator[tuple[str, str]]:
    """Give the name of each engine and the address of an empty database on it."""
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", f"sqlite:///{folder}/pmp.db"
    if _postgres_answers():
        with _fresh_postgres() as url:
            yield "Postgres", url


@contextmanager
def program(url: str) -> Iterator[None]:
    """Use a database, with all tables made, until the end of the block."""
    given = {
        "PMP_SECRET_KEY": secrets.token_hex(32),
        "PMP_DOCUMENT_KEY": secrets.token_hex(32),
        "PMP_DATABASE_URL": url,
        "PMP_UPLOAD_MEGABYTES": "1024",
    }
    settings.use(settings.load(given))
    database.begin_use()
    with models.database.connection_context():
        models.database.create_tables(models.TABLES)
        yield
    models.database.obj.close()
    if not database.is_sqlite():
        models.database.obj.close_all()


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
