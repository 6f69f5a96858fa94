"""The order of a list: by one of its columns; a minus before it turns it round."""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, TypeVar

Row = TypeVar("Row")


def known(asked: str, sorts: Container[str], *, otherwise: str) -> str:
    """Give the order that is asked for if the list has it, else its own."""
    return asked if asked.removeprefix("-") in sorts else otherwise


def in_order(query: Any, sort: str, sorts: Mapping[str, Any], *, then: Any) -> Any:
    """Sort a query by one of `sorts`; rows without a value last, equal ones by `then`.

    `then` is turned round with the order, so that the latest is the latest throughout.
    """
    column = sorts.get(sort.removeprefix("-"), then)
    is_turned = sort.startswith("-")
    last = then.desc() if is_turned else then.asc()
    if column is then:  # NULLS LAST would keep Postgres from its index
        return query.order_by(last)
    order = column.desc if is_turned else column.asc
    return query.order_by(order(nulls="LAST"), last)


def later(sort: str, sorts: Mapping[str, Any], *, then: Any, place: Any) -> Any:
    """Give the condition that a row comes after one whose `place` in an order is known.

    `place` are that row's values of the column, which is never empty, and of `then`.
    """
    column, (value, last) = sorts[sort.removeprefix("-")], place
    if sort.startswith("-"):
        return (column < value) | ((column == value) & (then < last))
    return (column > value) | ((column == value) & (then > last))


def rows_in_order(
    rows: Iterable[Row], sort: str, sorts: Mapping[str, Callable[[Row], Any]]
) -> list[Row]:
    """Sort what is no query by one of `sorts`; equal rows stay as they come."""
    value = sorts[sort.removeprefix("-")]
    every = list(rows)
    some = [row for row in every if value(row) is not None]
    none = [row for row in every if value(row) is None]
    return sorted(some, key=value, reverse=sort.startswith("-")) + none
