"""The legal public holidays of the United States, computed (5 U.S.C. 6103).

Pure. One that falls on a Saturday is kept on the Friday before, on a Sunday the Monday
after (Executive Order 11582): the days on which federal offices are closed.
"""

from datetime import date, timedelta

MONDAY, THURSDAY, SATURDAY, SUNDAY = 0, 3, 5, 6
# Month, weekday, which one of the month; -1 is the last.
_MOVING = (
    (1, MONDAY, 3, "Birthday of Martin Luther King, Jr."),
    (2, MONDAY, 3, "Washington's Birthday"),
    (5, MONDAY, -1, "Memorial Day"),
    (9, MONDAY, 1, "Labor Day"),
    (10, MONDAY, 2, "Columbus Day"),
    (11, THURSDAY, 4, "Thanksgiving Day"),
)
_FIXED = (
    (1, 1, "New Year's Day"),
    (6, 19, "Juneteenth National Independence Day"),
    (7, 4, "Independence Day"),
    (11, 11, "Veterans Day"),
    (12, 25, "Christmas Day"),
)


def federal_holidays(year: int) -> list[tuple[date, str]]:
    """Give the days of a year on which federal offices are closed, in order.

    The last may be December 31: New Year's Day of the next year, kept on a Friday.
    """
    days = [
        (_nth(year, month, day, which), name) for month, day, which, name in _MOVING
    ]
    for month, day, name in _FIXED:
        days.append(_kept(date(year, month, day), name))
    days.append(_kept(date(year + 1, 1, 1), "New Year's Day"))
    return sorted(each for each in days if each[0].year == year)


def _nth(year: int, month: int, weekday: int, which: int) -> date:
    if which < 0:
        end = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        return end - timedelta(days=(end.weekday() - weekday) % 7)
    start = date(year, month, 1)
    return start + timedelta(days=(weekday - start.weekday()) % 7 + 7 * (which - 1))


def _kept(day: date, name: str) -> tuple[date, str]:
    moved = {SATURDAY: -1, SUNDAY: 1}.get(day.weekday(), 0)
    return day + timedelta(days=moved), f"{name} (observed)" if moved else name
