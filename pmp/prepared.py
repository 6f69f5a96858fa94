"""Queries whose SQL is put together once: those that every report and search asks.

Such a query is written as any other, with `Given("name")` where a value of the moment
belongs, and called with those values. Peewee makes its text at the first call for an
engine; to make it each time costs more than to ask it. Nothing that was read is kept.

    @prepared
    def _numbers() -> Any:
        return Table.select(Table.id).where(Table.patient == Given("patient")).tuples()

    for (number,) in _numbers(patient=7): ...

UPDATE and INSERT likewise, by `change` and `add`, or with RETURNING as a query.

Each question to Postgres is a journey, which costs more than most answers. Those that
do not wait for one another go together: `at_once`, or `ahead` of where they are asked.

    numbers, names = at_once(_numbers.asked(patient=7), _names.asked(patient=7))
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import update_wrapper
from typing import Any, NamedTuple

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    CharField,
    ColumnBase,
    DateField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    ModelDictCursorWrapper,
    ModelTupleCursorWrapper,
    TextField,
    Value,
    fn,
)

import models
from pmp import database

# What both drivers give as Python wants it.
_AS_READ = {
    AutoField,
    BigIntegerField,
    CharField,
    ForeignKeyField,
    IntegerField,
    TextField,
}
Convert = Callable[[Any], Any]
_RECKONED_WITH = 10


@dataclass(frozen=True)
class _Place:
    """Where a value goes among the parameters, and how the column takes it."""

    name: str
    convert: Convert | None

    def of(self, given: dict[str, Any]) -> Any:
        value = given[self.name]
        return self.convert(value) if self.convert else value


class Given(ColumnBase):
    """A value that the query is called with, under this name.

    Compared with a column it is written as that one's values are; what is set or
    inserted says `into` which column it goes.
    """

    def __init__(self, name: str, *, into: Any = None) -> None:
        self.name = name
        self.into = into

    def __sql__(self, context: Any) -> Any:
        if isinstance(self.into, JSONField) and database.is_sqlite():
            written = Value(_Place(self.name, json.dumps), converter=False)
            return context.sql(fn.json(written))  # as the column writes its own
        convert = self.into.db_value if self.into else context.state.converter
        return context.value(_Place(self.name, convert), converter=False)


def among(column: Any, name: str) -> Any:
    """Give the condition that a column has one of the given values.

    They are texts, whole numbers or days, and go to the engine as one parameter.
    """
    if database.is_sqlite():
        place = _Place(name, _as_json)
        return column.in_(SQL("(SELECT value FROM json_each(?))", [place]))
    return column == fn.ANY(Value(_Place(name, _array), converter=False, unpack=False))


# What a wrapper of rows holds of one reading; the rest holds for each.
_OF_ONE_READING = {"cursor", "count", "index", "populated", "row_cache"}


@dataclass
class _Text:
    """A query as an engine is asked it, and how its rows are read."""

    query: Any
    sql: str
    parameters: list[Any]
    names: list[str] | None = None
    converts: list[tuple[int, Convert]] | None = None
    plan: dict[str, Any] | None = None

    def ask(self, given: dict[str, Any]) -> Any:
        values = [
            each.of(given) if isinstance(each, _Place) else each
            for each in self.parameters
        ]
        return models.database.execute_sql(self.sql, values)

    def read(self, cursor: Any) -> list[Any]:
        """Read all rows: nothing is left open."""
        if self.converts is not None:
            return self._read(cursor.fetchall())
        wrapper = self.query._get_cursor_wrapper(cursor)  # noqa: SLF001
        if type(wrapper) not in {ModelTupleCursorWrapper, ModelDictCursorWrapper}:
            return self._read_models(wrapper)
        wrapper.initialize()
        self.names = getattr(wrapper, "unique_columns", None)
        self.converts = _converts(wrapper.converters)
        return self._read(cursor.fetchall())

    def _read_models(self, wrapper: Any) -> list[Any]:
        """Read rows into models; which column goes where is found out once."""
        if self.plan is not None:
            vars(wrapper).update(self.plan)
            return list(wrapper)
        rows = list(wrapper)
        if wrapper.initialized:
            found = vars(wrapper).items()
            self.plan = {k: v for k, v in found if k not in _OF_ONE_READING}
        return rows

    def _read(self, found: list[Any]) -> list[Any]:
        names, converts = self.names, self.converts or []
        rows = []
        for each in found:
            row = list(each)
            for place, convert in converts:
                row[place] = convert(row[place])
            rows.append(dict(zip(names, row, strict=True)) if names else tuple(row))
        return rows


class Prepared:
    """A query to be called with what it is given; see this module."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._texts: dict[type, _Text] = {}
        update_wrapper(self, make)

    def __call__(self, **given: Any) -> list[Any]:
        """Give all rows, as the query says: tuples, dicts or models."""
        known = _known_ahead(self, given)
        if known is not None:
            return known
        text = self._text()
        return text.read(text.ask(given))

    def asked(self, **given: Any) -> "Question":
        """Give the question that the query is with these values, for `at_once`."""
        return Question(self, given)

    def one(self, **given: Any) -> Any:
        """Give the first row, or None. The query says how many it wants at most."""
        rows = self(**given)
        return rows[0] if rows else None

    def change(self, **given: Any) -> int:
        """Run an UPDATE; give how many rows it changed."""
        return int(self._text().ask(given).rowcount)

    def add(self, **given: Any) -> int:
        """Run an INSERT of one row; give its id."""
        return self.add_each([given])[0]

    def add_each(self, rows: Sequence[dict[str, Any]]) -> list[int]:
        """Run an INSERT of each row, in one journey; give their ids in that order."""
        text = self._text()
        if database.is_sqlite():
            return [int(text.ask(given).lastrowid) for given in rows]
        if len(rows) == 1:
            return [int(text.ask(rows[0]).fetchone()[0])]
        with database.one_journey():
            cursors = [text.ask(given) for given in rows]
        return [int(each.fetchone()[0]) for each in cursors]

    def _text(self) -> _Text:
        engine = type(models.database.obj)
        found = self._texts.get(engine)
        if found is None:
            query = self._make()
            found = self._texts[engine] = _Text(query, *query.sql())
        return found


class Question(NamedTuple):
    """A query and what it is called with."""

    query: Prepared
    given: dict[str, Any]


def at_once(*questions: Question) -> list[list[Any]]:
    """Give the rows of each question. Postgres is asked all in one journey."""
    texts = [each.query._text() for each in questions]  # noqa: SLF001
    asked = list(zip(texts, (each.given for each in questions), strict=True))
    if database.is_sqlite():
        return [text.read(text.ask(given)) for text, given in asked]
    with database.one_journey():
        cursors = [text.ask(given) for text, given in asked]
    return [text.read(cursor) for text, cursor in zip(texts, cursors, strict=True)]


_ahead: ContextVar[list[tuple[Question, list[Any]]]] = ContextVar("ahead")


@contextmanager
def ahead(*questions: Question) -> Iterator[None]:
    """Ask at once what will be asked within, where that saves journeys.

    Whoever asks one of the questions there has its answer, once: what is asked again is
    asked anew. Only for reading what nothing within the block changes.
    """
    if database.is_sqlite():
        yield
        return
    answers = at_once(*questions)
    token = _ahead.set(list(zip(questions, answers, strict=True)))
    try:
        yield
    finally:
        _ahead.reset(token)


def _known_ahead(query: Prepared, given: dict[str, Any]) -> list[Any] | None:
    answers = _ahead.get(None) or []
    for place, (known, rows) in enumerate(answers):
        if known.query is query and known.given == given:
            del answers[place]
            return rows
    return None


def prepared(make: Callable[[], Any]) -> Prepared:
    """Prepare the query that a function makes, at the first call on each engine."""
    return Prepared(make)


def _converts(converters: Sequence[Convert | None]) -> list[tuple[int, Convert]]:
    """Give what is left to do to a row, by column."""
    return [
        (place, as_date if field is DateField else convert)
        for place, convert in enumerate(converters)
        if convert is not None
        for field in [type(getattr(convert, "__self__", None))]
        if field not in _AS_READ
    ]


def _array(values: Any) -> list[Any] | str:
    """Give values as Postgres is sent them: at least as many as it reckons with.

    Days and numbers go as the text that they are: the driver would ask each of them
    what it is.

    It takes an array that it does not know for ten values. A plan for fewer seems so
    much cheaper to it that it would plan anew each time, which costs more than to
    answer; what stands there twice is looked up once.
    """
    found = list(values)
    found += found[-1:] * (_RECKONED_WITH - len(found))
    is_text = not found or isinstance(found[0], str)
    return found if is_text else "{" + ",".join(map(str, found)) + "}"


def _as_json(values: Any) -> str:
    # A day as SQLite keeps it; to have the encoder ask for each takes twice as long.
    return json.dumps([str(v) if isinstance(v, date) else v for v in values])


def as_date(value: Any) -> Any:
    """Give a day as either driver reads it, or None."""
    return date.fromisoformat(value) if isinstance(value, str) else value
