"""When what was dispensed reaches an amount: MME or milligrams a day, days together.

Arithmetic only, no tables. A supply counts from the fill that provides it, also for
days to come: crossings depend on the fills alone, and a report need not wait until the
medicine is taken. Early refills are carried forward, as in a patient report.

Of a daily amount and of days together, a crossing lasts as long as a window of the
rule's days, ended on each day in turn, holds enough of them. Days in a row are one
crossing, however long.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from models import RuleKind
from pmp import drug_classes
from pmp.fills import Fill as Supply
from pmp.fills import carried, covered, runs, touching
from pmp.mme import ZERO, Course, Mme, Outcome, reaches, steps

if TYPE_CHECKING:
    from pmp.thresholds.crossings import Fill, Numbers

_DAY = timedelta(days=1)


class Reached(NamedTuple):
    """A crossing: its day, its fills, the most that was reached, and when that began.

    `crossed_on` is the day of the fill by which the amount was dispensed.
    """

    crossed_on: date
    fills: tuple["Fill", ...]
    most: Decimal
    most_on: date


class _Days(NamedTuple):
    """The days that count, each with the day of the fill by which it does.

    `amounts` are the milligrams or MME of each; empty where days are counted.
    """

    known: Mapping[date, date]
    supplies: Sequence[Supply]
    amounts: Mapping[date, Decimal]


def reached(fills: Sequence["Fill"], numbers: "Numbers") -> list[Reached]:
    """Find one patient's crossings, oldest first; `fills` are in order of their day.

    Those without their supply do not count.
    """
    own = {fill.supply.row_code: fill for fill in fills if fill.supply}
    supplies = carried(
        (fill.supply for fill in fills if fill.supply),
        up_to_days=numbers.carry_forward_days,
    )
    days = _DAYS[numbers.kind](supplies, own, numbers)
    found: list[Reached] = []
    for episode in _episodes(days.known, numbers):
        begins = max(days.known[day] for day in episode[: _wanted(numbers)])
        if found and begins <= found[-1].crossed_on:
            # Known by the same fill: one crossing of more days.
            last = found.pop()
            found.append(_joined(last, _reached(last.crossed_on, episode, days, own)))
        else:
            found.append(_reached(begins, episode, days, own))
    return found


def _reached(
    crossed_on: date, episode: list[date], days: _Days, own: Mapping[str, "Fill"]
) -> Reached:
    counted = touching(days.supplies, set(episode))
    fills = sorted(
        {own[supply.row_code] for supply in counted},
        key=lambda fill: (fill.filled_on, fill.id),
    )
    if days.amounts:
        most_on = max(episode, key=lambda day: (days.amounts[day], -day.toordinal()))
        return Reached(crossed_on, tuple(fills), days.amounts[most_on], most_on)
    return Reached(crossed_on, tuple(fills), Decimal(len(episode)), episode[0])


def _joined(one: Reached, other: Reached) -> Reached:
    fills = {fill.id: fill for fill in (*one.fills, *other.fills)}
    most = max(one, other, key=lambda each: each.most)
    return one._replace(
        fills=tuple(sorted(fills.values(), key=lambda each: (each.filled_on, each.id))),
        most=most.most,
        most_on=most.most_on,
    )


# --- Which days count


def _daily(
    supplies: Iterable[Supply],
    amount: Callable[[Supply], Decimal | None],
    own: Mapping[str, "Fill"],
    numbers: "Numbers",
) -> _Days:
    """Give the days on which the amounts of all fills together reach the number."""
    known = [
        (supply, value)
        for supply in supplies
        if (value := amount(supply)) is not None and value > ZERO
    ]
    if not known:
        return _Days({}, (), {})
    courses = [
        Course(each.first, each.days, Mme(Outcome.CALCULATED, value), each.product)
        for each, value in known
    ]
    since = min(course.first for course in courses)
    until = max(course.last for course in courses)
    days: dict[date, date] = {}
    amounts: dict[date, Decimal] = {}
    for step in steps(courses, since=since, until=until):
        if reaches(step.value, Decimal(numbers.amount)):
            active = [
                (own[supply.row_code].filled_on, value)
                for supply, value in known
                if supply.covers(step.first)
            ]
            by = _known_by(active, Decimal(numbers.amount))
            for number in range(step.days):
                days[step.first + _DAY * number] = by
                amounts[step.first + _DAY * number] = step.value
    return _Days(days, [supply for supply, _ in known], amounts)


def _known_by(active: Iterable[tuple[date, Decimal]], limit: Decimal) -> date:
    """Give the day of the fill with which the amounts reach a limit.

    Added up in another order they may round to just below it: then the last.
    """
    total = ZERO
    known_by = date.min
    for day, value in sorted(active):
        known_by = day
        total += value
        if reaches(total, limit):
            break
    return known_by


def _mme(
    supplies: Sequence[Supply], own: Mapping[str, "Fill"], numbers: "Numbers"
) -> _Days:
    return _daily(supplies, lambda supply: supply.mme.value, own, numbers)


def _methadone(
    supplies: Sequence[Supply], own: Mapping[str, "Fill"], numbers: "Numbers"
) -> _Days:
    found = [
        supply
        for supply in supplies
        if supply.drug_class == "opioid"
        and "methadone" in supply.ingredient.lower()  # quick; what follows is exact
        and "methadone" in drug_classes.words_of(supply.ingredient)
    ]
    return _daily(found, lambda supply: supply.daily_mg, own, numbers)


def _together(
    supplies: Sequence[Supply], own: Mapping[str, "Fill"], _numbers: "Numbers"
) -> _Days:
    """Give the days that an opioid, buprenorphine included, and a benzodiazepine cover.

    As the warning of a patient report counts them.
    """
    opioids = [each for each in supplies if each.drug_class in _OPIOIDS]
    others = [each for each in supplies if each.drug_class == "benzodiazepine"]
    one, other = _first_known(opioids, own), _first_known(others, own)
    shared = covered(opioids) & covered(others)
    known = {day: max(one[day], other[day]) for day in shared}
    return _Days(known, [*opioids, *others], {})


_OPIOIDS = frozenset({"opioid", "buprenorphine"})


def _long_use(
    supplies: Sequence[Supply], own: Mapping[str, "Fill"], _numbers: "Numbers"
) -> _Days:
    """Give the days that opioids cover; buprenorphine is left out, as in warnings."""
    opioids = [each for each in supplies if each.drug_class == "opioid"]
    return _Days(_first_known(opioids, own), opioids, {})


def _first_known(
    supplies: Iterable[Supply], own: Mapping[str, "Fill"]
) -> dict[date, date]:
    """Give each covered day with the day of the earliest fill that covers it."""
    known: dict[date, date] = {}
    for supply in supplies:
        filled_on = own[supply.row_code].filled_on
        for day in covered([supply]):
            known[day] = min(filled_on, known.get(day, filled_on))
    return known


_DAYS: Mapping[
    str, Callable[[Sequence[Supply], Mapping[str, "Fill"], "Numbers"], _Days]
] = {
    RuleKind.DAILY_MME: _mme,
    RuleKind.METHADONE: _methadone,
    RuleKind.OPIOID_BENZODIAZEPINE: _together,
    RuleKind.LONG_OPIOID_USE: _long_use,
}


# --- Which of them are one crossing


def _wanted(numbers: "Numbers") -> int:
    """Give how many days make a crossing: of a daily amount, the first does."""
    daily = numbers.kind in {RuleKind.DAILY_MME, RuleKind.METHADONE}
    return 1 if daily else numbers.amount


def _episodes(days: Iterable[date], numbers: "Numbers") -> list[list[date]]:
    """Give the days of each crossing in order; the first of them make it."""
    ordered = sorted(days)
    if numbers.kind == RuleKind.LONG_OPIOID_USE:
        stretches = [
            ordered[bisect_left(ordered, first) : bisect_right(ordered, last)]
            for first, last in runs(ordered, gap=numbers.gap_days)
        ]
        return [each for each in stretches if len(each) >= numbers.amount]
    return _while_enough(ordered, _wanted(numbers), numbers.days)


def _while_enough(ordered: list[date], wanted: int, days: int) -> list[list[date]]:
    window: deque[date] = deque()
    found: list[list[date]] = []
    above = False
    for day in ordered:
        # The window that ended the day before may have held too few.
        _forget_before(window, day - _DAY * days)
        above = above and len(window) >= wanted
        _forget_before(window, day - _DAY * (days - 1))
        window.append(day)
        if len(window) < wanted:
            above = False
        elif above:
            found[-1].append(day)
        else:
            above = True
            found.append(list(window))
    return found


def _forget_before(window: deque[date], day: date) -> None:
    while window and window[0] < day:
        window.popleft()
