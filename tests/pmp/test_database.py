"""Opening a database: what an earlier one held is let go."""

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
