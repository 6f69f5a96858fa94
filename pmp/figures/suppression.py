"""Small counts are not shown, nor counts that would give one of them away.

Pure. A grid has parts, a total at the end of each row where the parts make up the row,
and a last row of totals. Hidden are all counts from 1 up to below the smallest that may
be shown; then more, until no hidden count follows from what is left. See
docs/decisions/0044.

What follows: take the rows and columns as places and the hidden counts as the roads
between them. A count that is the only road between two parts of the map can be worked
out from the sums; one that lies on a round trip cannot.
"""

import heapq
from collections.abc import Iterator, Sequence

Cell = tuple[int, int]
Grid = Sequence[Sequence[int]]
ZERO, TOTAL = 10**6, 10**9


def hidden(grid: Grid, *, smallest: int, across: bool) -> set[Cell]:
    """Give the cells of a grid that are not shown.

    The last row holds the totals of the columns; with `across` the last column holds
    those of the rows. `smallest` is the least count that may be shown, besides 0.
    """
    found = {
        (row, column)
        for row, counts in enumerate(grid)
        for column, count in enumerate(counts)
        if 0 < count < smallest
    }
    while further := _further(grid, found, smallest, across=across):
        found |= further
    return found


def _further(grid: Grid, found: set[Cell], smallest: int, *, across: bool) -> set[Cell]:
    """Give more cells that must be hidden; none if all is well."""
    for parts, total in _sums(grid, across=across):
        gone = [cell for cell in parts if cell in found]
        left = sum(grid[row][column] for row, column in gone)
        if gone and total not in found and left < smallest:
            # What is hidden in it comes to so little that its sum alone is small.
            rest = [cell for cell in parts if cell not in found]
            return {min(rest or [total], key=lambda cell: (_cost(grid, cell), cell))}
    for cell in sorted(found):
        if further := _way_round(grid, found, cell, across=across):
            return further
    return set()


def _sums(grid: Grid, *, across: bool) -> Iterator[tuple[list[Cell], Cell]]:
    """Give the parts and the total of each sum that a reader can see."""
    last_row, last_column = len(grid) - 1, len(grid[0]) - 1
    for column in range(last_column + 1):
        yield [(row, column) for row in range(last_row)], (last_row, column)
    if across:
        for row in range(last_row + 1):
            parts = [(row, column) for column in range(last_column)]
            yield parts, (row, last_column)


def _way_round(grid: Grid, found: set[Cell], cell: Cell, *, across: bool) -> set[Cell]:
    """Give what must be hidden besides to put a cell on a round trip; none if it is.

    The cheapest way from one of its sums to the other that does not go through it.
    """
    start, goal = _places(cell, across=across)
    waiting: list[tuple[int, str, list[Cell]]] = [(0, start, [])]
    known: set[str] = set()
    while waiting:
        cost, place, way = heapq.heappop(waiting)
        if place == goal:
            return set(way) - found
        if place in known:
            continue
        known.add(place)
        for road, end in _roads(grid, place, across=across):
            if road != cell and end not in known:
                price = 0 if road in found else _cost(grid, road)
                heapq.heappush(waiting, (cost + price, end, [*way, road]))
    return set()


def _roads(grid: Grid, place: str, *, across: bool) -> Iterator[tuple[Cell, str]]:
    """Give the cells that are in a sum, each with the other sum that it is in."""
    for row, counts in enumerate(grid):
        for column in range(len(counts)):
            one, two = _places((row, column), across=across)
            if place in (one, two):
                yield (row, column), two if place == one else one


def _places(cell: Cell, *, across: bool) -> tuple[str, str]:
    """Name the two sums that a cell is in; without rows' totals one is open to all."""
    row, column = cell
    return (f"row {row}" if across else "open"), f"column {column}"


def _cost(grid: Grid, cell: Cell) -> int:
    """Say how much a count is missed: a total most, then a zero, then by its size."""
    row, column = cell
    count = grid[row][column]
    is_total = row == len(grid) - 1 or column == len(grid[0]) - 1
    return 1 + (count or ZERO) + (TOTAL if is_total else 0)
