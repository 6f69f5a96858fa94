"""The sums that a warning was told from, as short lines that can be checked by hand.

Pure. Every line begins with the code of its row, or is a total of the lines above it.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal

from pmp.chart import us
from pmp.fills import Fill
from pmp.mme import ZERO, Outcome, plain
from pmp.warnings.concerns import in_days, in_words

MOST_LINES = 6
"""How many rows a sum shows; of more, those that ended last."""


def spans(fills: Sequence[Fill], days: set[date]) -> tuple[str, ...]:
    """Give which days each fill covers, then the days that they share."""
    lines = [
        f"{fill.row_code} {fill.drug}: {us(fill.first)} to {us(fill.last)},"
        f" {in_days(max(fill.days, 1))}"
        for fill in _latest(fills)
    ]
    return (*lines, *_more(fills), f"Shared: {in_words(days)}")


def mme_on(day: date, fills: Sequence[Fill]) -> tuple[str, ...]:
    """Give the MME of each fill that covers a day, then their total.

    `fills` are carried forward; one without a number says why.
    """
    active = [
        fill
        for fill in fills
        if fill.covers(day) and fill.mme.outcome is not Outcome.NOT_APPLICABLE
    ]
    lines = [f"{fill.row_code}: {_mme_words(fill)}" for fill in active]
    values = [fill.mme.value for fill in active if fill.mme.value is not None]
    total = f"{plain(sum(values, ZERO), to='0.1')} MME/day on {us(day)}"
    if len(active) > 1:
        parts = " + ".join(plain(value, to="0.1") for value in values)
        least = "≥ " if len(values) < len(active) else ""
        lines.append(f"{parts} = {least}{total}" if parts else total)
    return tuple(lines)


def amounts_on(
    day: date,
    fills: Sequence[Fill],
    amount: Callable[[Fill], Decimal | None],
    unit: str,
) -> tuple[str, ...]:
    """Give the amount a day of each fill that covers a day, then their total."""
    active = [fill for fill in fills if fill.covers(day)]
    known = [(fill, value) for fill in active if (value := amount(fill)) is not None]
    lines = [
        f"{fill.row_code}: {fill.how or fill.drug}; {plain(value, to='0.1')} {unit}"
        for fill, value in known
    ]
    if len(known) > 1:
        parts = " + ".join(plain(value, to="0.1") for _, value in known)
        total = sum((value for _, value in known), ZERO)
        lines.append(f"{parts} = {plain(total, to='0.1')} {unit} on {us(day)}")
    return tuple(lines)


def most_on_a_day(
    fills: Sequence[Fill], amount: Callable[[Fill], Decimal | None]
) -> tuple[date, Decimal] | None:
    """Give the first day with the greatest total, and the total; None of no fills.

    A total only grows on a day that some fill begins.
    """
    totals = {
        day: sum((amount(fill) or ZERO for fill in fills if fill.covers(day)), ZERO)
        for day in sorted({fill.first for fill in fills})
    }
    if not totals:
        return None
    day = max(totals, key=lambda each: totals[each])  # the first of equals
    return day, totals[day]


def _mme_words(fill: Fill) -> str:
    if fill.mme.value is None:
        return f"{fill.drug}, not calculated: {fill.mme.reason}"
    words = fill.mme.arithmetic or f"{fill.drug}, {fill.mme.shown} MME/day"
    return f"{words} ({fill.mme.note})" if fill.mme.note else words


def _latest(fills: Sequence[Fill]) -> Iterable[Fill]:
    kept = sorted(fills, key=lambda fill: (fill.last, fill.first))[-MOST_LINES:]
    return sorted(kept, key=lambda fill: (fill.first, fill.last))


def _more(fills: Sequence[Fill]) -> tuple[str, ...]:
    more = len(fills) - MOST_LINES
    return (f"and {more} earlier {'row' if more == 1 else 'rows'}",) if more > 0 else ()
