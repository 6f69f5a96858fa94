"""A birth date as people type it: read where it is clear, asked about where it is not.

Pure: no database, no clock.
"""

import re
from datetime import date

EARLIEST = date(1880, 1, 1)
_FORM = "Write the date of birth as month, day and year, such as 04/28/1971"
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_SHORTEST_MONTH = 3
_LAST_MONTH = 12
_BETWEEN = r"[/.\- ]"
_YEAR_FIRST = re.compile(
    rf"(\d{{4}}){_BETWEEN}(\d{{1,2}}){_BETWEEN}(\d{{1,2}})", re.ASCII
)
_MONTH_FIRST = re.compile(
    rf"(\d{{1,2}}){_BETWEEN}(\d{{1,2}}){_BETWEEN}(\d{{4}}|\d{{2}})", re.ASCII
)
_DIGITS = re.compile(r"\d{8}|\d{6}", re.ASCII)
_WORDS = re.compile(r"[a-z]+|\d+", re.ASCII)
_WORDED = re.compile(r"[a-z\d ,./\-]+", re.ASCII)
_ENDINGS = {"st", "nd", "rd", "th"}
_WORDED_PARTS = 3


def parse(text: str, *, today: date) -> date:
    """Read 04/28/1971, 4-28-71, 04281971, 19710428, 1971-04-28, 28 Apr 1971 and such.

    Two digits of a year are enough where only one century is possible. ValueError,
    with a question or a sentence for the person, for anything else and for days that
    are not between 1880 and today.
    """
    words = " ".join(text.strip().lower().split())
    if _DIGITS.fullmatch(words):
        return _one_of(words, today)
    if match := _YEAR_FIRST.fullmatch(words):
        year, month, day = match.groups()
    elif match := _MONTH_FIRST.fullmatch(words):
        month, day, year = match.groups()
    elif worded := _worded(words):
        month, day, year = worded
    else:
        raise ValueError(_FORM)
    return _born(month, day, year, today)


def _born(month: str, day: str, year: str, today: date) -> date:
    if len(year) == 2:
        year = _century(month, day, year, today)
    try:
        born = date(int(year), int(month), int(day))
    except ValueError:
        raise ValueError(_no_such_day(month, day, year)) from None
    if born > today:
        raise ValueError("The date of birth is in the future")
    if born < EARLIEST:
        raise ValueError(f"Check the year of birth: {born.year} is too long ago")
    return born


def _century(month: str, day: str, year: str, today: date) -> str:
    early, late = f"19{year}", f"20{year}"
    try:
        is_late = date(int(late), int(month), int(day)) <= today
    except ValueError:
        is_late = False  # no day of either century, or of the earlier one alone
    if is_late:
        raise ValueError(
            f"Was it {early} or {late}? Write the year of birth with four digits"
        )
    return early


def _no_such_day(month: str, day: str, year: str) -> str:
    if int(month) > _LAST_MONTH >= int(day) > 0:
        return (
            f"There is no month {int(month)}. If you mean day {int(month)} of month"
            f" {int(day)}, write {int(day):02}/{int(month):02}/{year}"
        )
    return f"There is no such day. {_FORM}"


def _one_of(digits: str, today: date) -> date:
    """Read digits alone: month first or year first, whichever makes a day."""
    year_at = len(digits) - 4
    month_first = digits[:2], digits[2:4], digits[4:]
    year_first = digits[year_at:][:2], digits[year_at:][2:], digits[:year_at]
    possible = [each for each in (month_first, year_first) if _is_day(*each)]
    if len(possible) > 1:
        raise ValueError(f"Write the date of birth with slashes, as {_written(digits)}")
    return _born(*(possible or [month_first])[0], today)


def _written(digits: str) -> str:
    return f"{digits[:2]}/{digits[2:4]}/{digits[4:]}"


def _is_day(month: str, day: str, year: str) -> bool:
    years = [year] if len(year) > 2 else [f"19{year}", f"20{year}"]
    for each in years:
        try:
            born = date(int(each), int(month), int(day))
        except ValueError:
            continue
        if born >= EARLIEST:
            return True
    return False


def _worded(words: str) -> tuple[str, str, str] | None:
    """Part “28 apr 1971” and “april 28, 1971” into month, day and year."""
    if not _WORDED.fullmatch(words):
        return None
    parts = [part for part in _WORDS.findall(words) if part not in _ENDINGS]
    if len(parts) != _WORDED_PARTS:
        return None
    months = [part for part in parts if part.isalpha()]
    numbers = [part for part in parts if part.isdecimal()]
    if len(months) != 1 or len(months[0]) < _SHORTEST_MONTH or parts[2] in months:
        return None
    found = [n for n, name in enumerate(_MONTHS, 1) if name.startswith(months[0])]
    if months[0] == "sept":
        found = [9]
    if len(found) != 1 or len(numbers[1]) not in {2, 4} or len(numbers[0]) > 2:
        return None
    return str(found[0]), numbers[0], numbers[1]
