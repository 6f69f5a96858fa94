"""Small counts are hidden, and nothing that is shown gives one of them away."""

import random
from fractions import Fraction

import pytest

from pmp.figures.suppression import Cell, hidden

SMALLEST = 11


def with_totals(parts: list[list[int]]) -> list[list[int]]:
    """Put the sum of each row and of each column behind the parts."""
    rows = [[*row, sum(row)] for row in parts]
    return [*rows, [sum(column) for column in zip(*rows, strict=True)]]


def follow(grid: list[list[int]], gone: set[Cell], *, across: bool) -> set[Cell]:
    """Give the hidden cells whose count can be worked out from those shown.

    By elimination, exactly: another way than the one that hides them.
    """
    cells = sorted(gone)
    last_row, last_column = len(grid) - 1, len(grid[0]) - 1
    sums = [
        ([(row, column) for row in range(last_row)], (last_row, column))
        for column in range(last_column + 1)
    ]
    if across:
        sums += [
            ([(row, column) for column in range(last_column)], (row, last_column))
            for row in range(last_row + 1)
        ]
    rows = []
    for parts, total in sums:
        signs = dict.fromkeys(parts, 1) | {total: -1}
        rows.append([Fraction(signs.get(cell, 0)) for cell in cells])
    for column in range(len(cells)):
        pivots = [row for row in rows if row[column] and not any(row[:column])]
        if not pivots:
            continue
        pivot = pivots[0]
        scale = pivot[column]
        pivot[:] = [value / scale for value in pivot]
        for row in rows:
            if row is not pivot and row[column]:
                times = row[column]
                row[:] = [a - times * b for a, b in zip(row, pivot, strict=True)]
    return {
        cells[places[0]]
        for row in rows
        if len(places := [place for place, value in enumerate(row) if value]) == 1
    }


def test_counts_that_are_large_or_zero_are_shown() -> None:
    grid = with_totals([[40, 0], [25, 11]])
    assert hidden(grid, smallest=SMALLEST, across=True) == set()


def test_a_single_small_count_takes_others_with_it() -> None:
    grid = with_totals([[40, 3, 50], [25, 30, 60], [70, 80, 90]])

    gone = hidden(grid, smallest=SMALLEST, across=True)

    assert (0, 1) in gone
    assert follow(grid, {(0, 1)}, across=True) == {(0, 1)}
    assert follow(grid, gone, across=True) == set()
    assert len(gone) == 4
    assert not any(3 in cell for cell in gone)  # the totals stay


def test_two_small_counts_whose_sum_is_small_are_not_left_alone() -> None:
    grid = with_totals([[2, 3, 50, 60], [20, 30, 40, 50]])

    gone = hidden(grid, smallest=SMALLEST, across=True)

    row = sum(grid[0][column] for row, column in gone if row == 0 and column < 4)
    assert row >= SMALLEST
    assert follow(grid, gone, across=True) == set()


def test_columns_alone_hide_two_of_a_column() -> None:
    grid = [[3, 40], [50, 60], [12, 70], [65, 170]]

    gone = hidden(grid, smallest=SMALLEST, across=False)

    assert gone == {(0, 0), (2, 0)}


def test_a_small_total_is_hidden_too() -> None:
    grid = with_totals([[1, 0], [2, 0]])

    gone = hidden(grid, smallest=SMALLEST, across=True)

    assert {(0, 0), (1, 0), (2, 0), (0, 2), (1, 2), (2, 2)} <= gone


@pytest.mark.parametrize("smallest", [0, 1])
def test_it_can_be_switched_off(smallest: int) -> None:
    grid = with_totals([[1, 2], [3, 4]])
    assert hidden(grid, smallest=smallest, across=True) == set()


@pytest.mark.parametrize("across", [True, False])
@pytest.mark.parametrize("seed", range(60))
def test_no_hidden_count_follows_from_what_is_shown(seed: int, across: bool) -> None:  # noqa: FBT001
    made = random.Random(seed)  # noqa: S311 - a test's
    rows, columns = made.randint(1, 12), made.randint(1, 7)
    parts = [
        [made.choice([0, 0, 1, 4, 10, 11, 15, 40, 300]) for _ in range(columns)]
        for _ in range(rows)
    ]
    grid = with_totals(parts)
    if not across:
        grid = [row[:-1] for row in grid]

    gone = hidden(grid, smallest=SMALLEST, across=across)

    small = {
        (row, column)
        for row, counts in enumerate(grid)
        for column, count in enumerate(counts)
        if 0 < count < SMALLEST
    }
    assert small <= gone
    assert follow(grid, gone, across=across) & small == set()
