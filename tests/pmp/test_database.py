"""Opening a database: what an earlier one held is let go."""

import sqlite3
from pathlib import Path

import psycopg

import models
from pmp import database


def test_binding_anew_leaves_no_idle_connection_behind(database_url: str) -> None:
    database.use(database_url)
    with database.connected():
        assert models.database.execute_sql("SELECT 1").fetchone() == (1,)
    database.use(database_url)
    if not database.is_sqlite():
        with psycopg.connect(database_url) as server:
            count = server.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
        assert count == (0,)


def test_a_connection_is_kept_for_whoever_comes_next(database_url: str) -> None:
    database.use(database_url)
    with database.connected():
        first = models.database.connection()
    with database.connected():
        assert models.database.connection() is first


def test_a_reading_that_was_not_finished_does_not_hide_what_came_since(
    tmp_path: Path,
) -> None:
    database.use(f"sqlite:///{tmp_path}/pmp.db")
    ask = "SELECT number FROM seen ORDER BY number"
    with database.connected():
        models.database.execute_sql("CREATE TABLE seen (number INTEGER)")
        models.database.execute_sql("INSERT INTO seen VALUES (1), (2), (3)")
    with database.connected():
        unfinished = models.database.execute_sql(ask)
        assert unfinished.fetchone() == (1,)
    with sqlite3.connect(tmp_path / "pmp.db") as other:
        other.execute("INSERT INTO seen VALUES (4)")
    other.close()
    with database.connected():
        found = models.database.execute_sql(ask).fetchall()
        assert found == [(1,), (2,), (3,), (4,)]
