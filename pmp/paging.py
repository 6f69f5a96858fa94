"""One page of a list."""

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
