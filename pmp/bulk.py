"""The one place that writes many rows at once, past the cost of building SQL.

SQLite takes them by executemany, Postgres by COPY (through a stage where some rows may
be there already).  It runs in the caller's transaction and checks nothing itself: the
tables' constraints do.  `among` asks for many rows likewise.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from peewee import SQL, JSONField, Value, fn

import models
from models import Table
from pmp import database

Row = Mapping[str, Any]


def insert(
    table: type[Table],
    rows: Sequence[Row],
    *,
    unless: Sequence[str] = (),
) -> None:
    """Add rows that map every name of the first row to a value (foreign keys: ids).

    Columns that are not named get their model's defaults.  `unless` names the fields
    of a unique index: a row whose values are there already is left out; without it
    such a row raises peewee's or the driver's IntegrityError.
    """
    if not rows:
        return
    columns = _columns(table, rows[0])
    values = [column.value for column in columns]
    ready = [[value(row) for value in values] for row in rows]
    names = [column.name for column in columns]
    targets = [_field(table, name).column_name for name in unless]
    if database.is_sqlite():
        _insert_sqlite(table, names, ready, targets)
    else:
        _insert_postgres(table, names, ready, targets)


def next_ids(table: type[Table], count: int) -> list[int]:
    """Give ids that the rows about to be inserted may take; in a transaction.

    SQLite's transactions are IMMEDIATE, so whoever asks is the only writer.
    """
    name = _name(table)
    if database.is_sqlite():
        sql = f'SELECT COALESCE(MAX(id), 0) FROM "{name}"'  # noqa: S608
        (last,) = models.database.execute_sql(sql).fetchone()
        return list(range(last + 1, last + 1 + count))
    sql = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
    return [number for (number,) in models.database.execute_sql(sql, (name, count))]


def among(column: Any, values: Iterable[Any]) -> Any:
    """Give the condition that a column has one of many values: texts, or whole numbers.

    They go to the engine as one parameter, an array; by `in_` each is one of its own.
    """
    wanted = list(values)
    if database.is_sqlite():
        listed = SQL("(SELECT value FROM json_each(?))", [json.dumps(wanted)])
        return column.in_(listed)
    return column == fn.ANY(Value(wanted, converter=False, unpack=False))


class _Column:
    """A column to be written: its name, and a row's value as the driver takes it."""

    def __init__(self, table: type[Table], field_name: str, *, given: bool) -> None:
        field = _field(table, field_name)
        self.name = str(field.column_name)
        read: Callable[[Row], Any] = itemgetter(field_name) if given else _same(field)
        convert = _converter(field)
        self.value = (lambda row: convert(read(row))) if convert else read


def _same(field: Any) -> Callable[[Row], Any]:
    default = field.default
    return (lambda _row: default()) if callable(default) else (lambda _row: default)


def _columns(table: type[Table], row: Row) -> list[_Column]:
    given = [_Column(table, name, given=True) for name in row]
    rest = [
        _Column(table, name, given=False)
        for name, field in _meta(table).fields.items()
        if name not in row and field.default is not None
    ]
    return given + rest


def _converter(field: Any) -> Callable[[Any], Any] | None:
    if isinstance(field, JSONField):
        return _as_json
    if isinstance(field, models.UtcField):
        convert: Callable[[Any], Any] = field.db_value
        return convert
    return None


def _as_json(value: Any) -> str | None:
    if value == {}:
        return "{}"
    return None if value is None else _ENCODE(value)


# `json.dumps` with separators makes an encoder each time.
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode


def _insert_sqlite(
    table: type[Table],
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    targets: Sequence[str],
) -> None:
    places = ", ".join("?" * len(names))
    sql = (
        f'INSERT INTO "{_name(table)}" ({_quoted(names)}) VALUES ({places})'  # noqa: S608
        + _on_conflict(targets)
    )
    models.database.connection().executemany(sql, rows)


def _insert_postgres(
    table: type[Table],
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    targets: Sequence[str],
) -> None:
    name, columns = _name(table), _quoted(names)
    with models.database.connection().cursor() as cursor:
        into = f'"{name}"'
        if targets:
            into = '"bulk_stage"'
            cursor.execute(
                f"CREATE TEMPORARY TABLE {into} ON COMMIT DROP AS "  # noqa: S608
                f'SELECT {columns} FROM "{name}" WITH NO DATA'
            )
        with cursor.copy(f"COPY {into} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        if targets:
            cursor.execute(
                f'INSERT INTO "{name}" ({columns}) SELECT {columns} FROM {into}'  # noqa: S608
                + _on_conflict(targets)
            )
            cursor.execute(f"DROP TABLE {into}")


def _on_conflict(targets: Sequence[str]) -> str:
    return f" ON CONFLICT ({_quoted(targets)}) DO NOTHING" if targets else ""


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _name(table: type[Table]) -> str:
    return str(_meta(table).table_name)


def _field(table: type[Table], name: str) -> Any:
    return _meta(table).fields[name]


def _meta(table: type[Table]) -> Any:
    return table._meta  # noqa: SLF001 - peewee's documented way to a model's columns
