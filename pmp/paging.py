"""One page of a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Page:
    """One page of a list: its rows, its number from 1, how many pages and rows."""

    rows: list[Any]
    number: int
    pages: int
    total: int


def pages_of(total: int, size: int) -> int:
    """Give how many pages of `size` rows a list of `total` has: at least one."""
    return max(1, -(-total // size))


def page_of(found: Any, *, number: int, size: int = 50) -> Page:
    """Cut a query or a list into pages; a number beyond the last gives the last."""
    is_list = isinstance(found, Sequence)
    total = len(found) if is_list else found.count()
    pages = pages_of(total, size)
    number = min(max(1, number), pages)
    if is_list:
        rows = list(found[(number - 1) * size : number * size])
    else:
        rows = list(found.paginate(number, size))
    return Page(rows, number, pages, total)
