"""Dates written otherwise than CCYYMMDD, and years with a slip of the finger."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import chain

from pmp.asap.draft import parse_day

Found = tuple[str, str, str]

SOLD = "date sold"
SLIP = "year"
"""The rule of a year with a slip of the finger: a guess, where others are readings."""

_MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()  # noqa: SIM905
_TIME = r"(?:[T ]\d{1,2}:?\d\d.*)?"
_YEAR = r"(\d{4}|\d\d)"
_PART = r"[-/. ]"
_LONGEST_LIFE = 125
_RECENT_DAYS = 400
# Order of the parts → patterns in which they may stand so.
_PATTERNS = (
    ("ymd", re.compile(rf"(\d{{4}}){_PART}(\d{{1,2}}){_PART}(\d{{1,2}}){_TIME}")),
    ("mdy", re.compile(rf"(\d{{1,2}}){_PART}(\d{{1,2}}){_PART}{_YEAR}{_TIME}")),
    ("ymd", re.compile(rf"((?:19|20)\d\d)(\d\d)(\d\d)(?:\d{{4}}|\d{{6}})?{_TIME}")),
    ("mdy", re.compile(r"(\d\d)(\d\d)((?:19|20)\d\d)")),
    ("ymd", re.compile(r"(\d\d)(\d\d)(\d\d)")),
    ("mdy", re.compile(r"(\d\d)(\d\d)(\d\d)")),
    ("dmy", re.compile(rf"(\d{{1,2}})[- ]?([A-Z]{{3,9}})\.?[-, ]*{_YEAR}")),
    ("mdy", re.compile(rf"([A-Z]{{3,9}})\.? ?(\d{{1,2}}),? +{_YEAR}")),
)
# A reading with day and month the other way round, where both are numbers.
_SWAPPED = {"ymd": "ydm", "mdy": "dmy"}
_SAID = {
    "ymd": "year, month, day",
    "mdy": "month, day, year",
    "dmy": "day, month, year",
    "ydm": "year, day, month",
}


def readings(
    text: str, element: str, elements: Mapping[str, str], *, today: date
) -> Iterator[Found]:
    """Give the days that a text may mean, as CCYYMMDD, in words, and by which rule."""
    if element == "DSP05" and (sold := parse_day(elements.get("DSP17", ""))):
        yield f"{sold:%Y%m%d}", f"{in_words(sold)}, the date sold", SOLD
    if not text:
        return
    seen: set[date] = set()
    born = element == "PAT18"
    plain = _of_text(" ".join(text.upper().split()), born=born, today=today)
    known = parse_day(text)
    slips = _of_year(known, element, elements, today) if known else iter(())
    found = list(chain(() if known else plain, slips))
    if not born:
        # What is reported is of this year, more or less.
        found.sort(key=lambda each: abs((today - each[0]).days) > _RECENT_DAYS)
    for day, rule in found:
        if day not in seen:
            seen.add(day)
            yield f"{day:%Y%m%d}", in_words(day), rule


def in_words(day: date) -> str:
    """Write a day so that it cannot be mistaken: January 5, 2026."""
    return f"{day:%B} {day.day}, {day.year}"


def _of_text(text: str, *, born: bool, today: date) -> Iterator[tuple[date, str]]:
    swapped: list[tuple[date, str]] = []
    found = False
    for order, pattern in _PATTERNS:
        if not (match := pattern.fullmatch(text)):
            continue
        for day in _days(match.groups(), order, born=born, today=today):
            found = True
            yield day, f"date written as {_SAID[order]}"
        # Nobody writes year, day, month but by mistake.
        if (other := _SWAPPED.get(order)) and not (found and other == "ydm"):
            swapped += [
                (day, f"date written as {_SAID[other]}")
                for day in _days(match.groups(), other, born=born, today=today)
            ]
    yield from swapped


def _days(
    parts: tuple[str, ...], order: str, *, born: bool, today: date
) -> Iterator[date]:
    by_letter = dict(zip(order, parts, strict=True))
    month = _month(by_letter["m"])
    for year in _years(by_letter["y"], born=born, today=today):
        try:
            yield date(year, month, int(by_letter["d"]))
        except ValueError:
            continue


def _month(text: str) -> int:
    if text.isdigit():
        return int(text)
    return _MONTHS.index(text[:3]) + 1 if text[:3] in _MONTHS else 0


def _years(text: str, *, born: bool, today: date) -> list[int]:
    year = int(text)
    if len(text) == 4:
        return [year]
    this = 2000 + year
    if not born:
        return [this]
    # A birth date of two digits is of this century only if it is over already.
    return [1900 + year] if this > today.year else [1900 + year, this]


def _of_year(
    day: date, element: str, elements: Mapping[str, str], today: date
) -> Iterator[tuple[date, str]]:
    for year in _likely_years(day, element, elements, today):
        try:
            yield day.replace(year=year), SLIP
        except ValueError:  # February 29
            continue


def _likely_years(
    day: date, element: str, elements: Mapping[str, str], today: date
) -> list[int]:
    if element == "PAT18":
        # A century too late, or too early.
        around = (day.year - 100, day.year + 100)
        return [y for y in around if today.year - _LONGEST_LIFE < y <= today.year]
    filled = parse_day(elements.get("DSP05", "")) if element != "DSP05" else None
    latest = (filled or today).year
    return [
        year
        for year in (latest, latest - 1, latest + 1)
        if year != day.year and _one_slip(f"{day.year:04}", f"{year:04}")
    ]


def _one_slip(one: str, other: str) -> bool:
    """Whether one digit differs, or two neighbours have changed places."""
    apart = [place for place in range(len(one)) if one[place] != other[place]]
    if len(apart) == 2:
        a, b = apart
        return b == a + 1 and (one[a], one[b]) == (other[b], other[a])
    return len(apart) == 1
