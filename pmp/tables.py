"""Comparing the schema in the database with what models.py says."""

from typing import Any

from peewee import SqliteDatabase

import models
from pmp import database


def differences() -> list[str]:
    """Compare the open database with models.py; one sentence for each difference.

    The expected schema is made beside it (an in-memory SQLite, or a scratch schema in
    Postgres that is dropped again), so both are read back by the same means.
    """
    expected = _expected()
    found = _found(models.database.obj)
    lines = [f"missing: {line}" for line in sorted(expected - found)]
    return lines + [f"not expected: {line}" for line in sorted(found - expected)]


def _expected() -> set[str]:
    here = models.database.obj
    if database.is_sqlite():
        scratch = SqliteDatabase(":memory:")
        with scratch.bind_ctx(models.TABLES), scratch.connection_context():
            scratch.create_tables(models.TABLES)
            return _sqlite(scratch)
    with here.atomic() as attempt:
        here.execute_sql("CREATE SCHEMA pmp_expected")
        here.execute_sql("SET LOCAL search_path = pmp_expected")
        here.create_tables(models.TABLES, safe=False)
        expected = _postgres(here, "pmp_expected")
        attempt.rollback()
    return expected


def _found(here: Any) -> set[str]:
    return _sqlite(here) if database.is_sqlite() else _postgres(here, "public")


def _sqlite(connection: Any) -> set[str]:
    rows = connection.execute_sql(
        "SELECT name, sql FROM sqlite_master "
        "WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'sqlite_%' AND tbl_name <> ?",
        (database.HISTORY,),
    )
    lines = {_plain(sql) for name, sql in rows if not name.startswith(database.HISTORY)}
    # A table's columns one by one, so that a difference names the column.
    return {line for sql in lines for line in _parts(sql)}


def _parts(sql: str) -> list[str]:
    if not sql.startswith("CREATE TABLE"):
        return [sql]
    head, _, body = sql.partition("(")
    parts, depth, part = [], 0, ""
    for character in body.removesuffix(")"):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += character
    return [f"{head.strip()}: {each.strip()}" for each in [*parts, part]]


def _plain(sql: str) -> str:
    return " ".join(sql.replace("IF NOT EXISTS ", "").split())


def _postgres(connection: Any, schema: str) -> set[str]:
    queries = (
        (
            "SELECT table_name || ': ' || column_name || ' ' || data_type || ' ' || "
            "coalesce(character_maximum_length::text, '') || ' ' || "
            "is_nullable || ' ' || "
            "coalesce(numeric_precision::text, '') || ' ' || "
            "coalesce(numeric_scale::text, '') "
            "FROM information_schema.columns WHERE table_schema = %s"
        ),
        "SELECT tablename || ': ' || indexdef FROM pg_indexes WHERE schemaname = %s",
        (
            "SELECT conrelid::regclass::text || ': ' || conname || ' ' || "
            "pg_get_constraintdef(oid) "
            "FROM pg_constraint WHERE connamespace = to_regnamespace(%s)::oid"
        ),
    )
    lines = {
        row[0].replace(f"{schema}.", "")
        for query in queries
        for row in connection.execute_sql(query, (schema,))
    }
    return {line for line in lines if database.HISTORY not in line}
