"""Where and when fills were fetched: many prescribers or pharmacies, early refills.

Pure. The checks look at fills as they were reported, nothing carried forward.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

from pmp.chart import us
from pmp.fills import Fill
from pmp.mme import plain
from pmp.warnings.concerns import (
    Code,
    Limits,
    PatientWarning,
    Picture,
    in_days,
    row_codes,
)

_DAY = timedelta(days=1)


def many_sources(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of many prescribers or pharmacies within a window of days."""
    limits = picture.limits
    window = limits.window_days * _DAY
    best: Sequence[Fill] = []
    most = (0, 0)
    if not _is_many(picture.fills, limits):
        return
    starts = [fill.first for fill in picture.fills]
    for end in starts:
        begin = bisect_right(starts, end - window)
        within = picture.fills[begin : bisect_right(starts, end)]
        prescribers = len({fill.prescriber for fill in within})
        pharmacies = len({fill.pharmacy for fill in within})
        if _is_many(within, limits) and (prescribers, pharmacies) >= most:
            best, most = within, (prescribers, pharmacies)
    if best:
        start = best[-1].first - window + _DAY
        yield PatientWarning(
            Code.MANY_SOURCES,
            "Possible uncoordinated care: many prescribers or pharmacies",
            f"{len(best)} fills from {most[0]} prescribers at {most[1]} pharmacies"
            f" within {limits.window_days} days, {us(best[0].first)} to"
            f" {us(best[-1].first)} (told from {limits.prescribers} prescribers or"
            f" {limits.pharmacies} pharmacies on).",
            row_codes(best),
            arithmetic=(
                f"{us(start)} to {us(best[-1].first)}: {len(best)} fills",
                f"Prescribers: {most[0]}, told from {limits.prescribers} on",
                f"Pharmacies: {most[1]}, told from {limits.pharmacies} on",
            ),
        )


def _is_many(fills: Sequence[Fill], limits: Limits) -> bool:
    return (
        len({fill.prescriber for fill in fills}) >= limits.prescribers
        or len({fill.pharmacy for fill in fills}) >= limits.pharmacies
    )


def early_refill(picture: Picture) -> Iterator[PatientWarning]:
    """Warn of the same product fetched while much of its supply is left."""
    early = early_pairs(picture.fills, picture.limits)
    if not early:
        return
    earlier, fill = early[-1]
    others = [
        words
        for words, differs in (
            ("another pharmacy", earlier.pharmacy != fill.pharmacy),
            ("another prescriber", earlier.prescriber != fill.prescriber),
        )
        if differs
    ]
    times = "1 refill came" if len(early) == 1 else f"{len(early)} refills came"
    whence = f", from {' and '.join(others)}" if others else ""
    yield PatientWarning(
        Code.EARLY_REFILL,
        "Possible early refill",
        f"{times} early; the latest, {fill.drug} on {us(fill.first)}, with"
        f" {_left(earlier, fill)} of {in_days(earlier.days)} of supply left{whence}.",
        tuple(dict.fromkeys(code for pair in early for code in row_codes(pair))),
        arithmetic=tuple(_sum(*pair, picture.limits) for pair in early[-3:]),
    )


def early_pairs(fills: Iterable[Fill], limits: Limits) -> list[tuple[Fill, Fill]]:
    """Give the early ones of a person's fills, each after the one it is early for.

    That is the earlier fill of the same product whose supply ends last. `fills` are in
    the order of their first days.
    """
    longest: dict[str, Fill] = {}
    early = []
    for fill in fills:
        earlier = longest.get(fill.product)
        if earlier and is_early(earlier, fill, limits):
            early.append((earlier, fill))
        if earlier is None or fill.last >= earlier.last:
            longest[fill.product] = fill
    return early


def _left(earlier: Fill, fill: Fill) -> int:
    return (earlier.last - fill.first).days + 1


def is_early(earlier: Fill, fill: Fill, limits: Limits) -> bool:
    """Tell whether a fill came while much of an earlier one's supply was left."""
    left = _left(earlier, fill)
    if (earlier.first, earlier.pharmacy) == (fill.first, fill.pharmacy):
        return False  # one supply in two packages
    return left >= limits.early_days and left > earlier.days * limits.early_part


def _sum(earlier: Fill, fill: Fill, limits: Limits) -> str:
    left = _left(earlier, fill)
    part = Decimal(100 * left) / max(earlier.days, 1)
    return (
        f"{earlier.row_code} lasts to {us(earlier.last)}; on {us(fill.first)}"
        f" ({fill.row_code}) {left} ÷ {earlier.days} = {plain(part, to='1')} % are"
        f" left: over {plain(limits.early_part * 100)} %, and {limits.early_days} days"
        " or more"
    )
