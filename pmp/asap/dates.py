"""The rules about days: dates that are none, or that cannot be true together."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from pmp.asap import elements
from pmp.asap.draft import Draft, parse_day
from pmp.asap.faults import Fault, name, quoted, rule, us

_OLDEST_YEARS = 125
_LONGEST_ZERO_DAYS = 366
_DATES_OF = {"PAT": (18,), "DSP": (3, 5)}


@rule("E05")
def dates_are_dates(draft: Draft) -> Iterator[Fault]:
    """Require that dates are days of the calendar, written CCYYMMDD."""
    for element in ("PAT18", "DSP03", "DSP05", "DSP17"):
        text = draft[element]
        if not text or draft.day(element) is not None or not _is_date(draft, element):
            continue
        fix = "Write it as year, month and day: 20260131."
        if meant := _date_meant(text):
            fix = f"Write year, month and day without anything between: {meant}."
        yield Fault(
            element, f"{name(element)} is {quoted(text)}, which is not a date.", fix
        )


def _is_date(draft: Draft, element: str) -> bool:
    """Whether an element is one of the version at all: 4.0 has no date sold."""
    return element in elements.by_id(draft.version)


def _date_meant(text: str) -> str:
    """Give the day meant by “01/31/2026”, “2026-01-31” or “01312026”; “” if unclear."""
    digits = re.sub(r"[-/. ]", "", text)
    for year_last in (digits, digits[4:] + digits[:4]):
        if parse_day(year_last):
            return year_last
    return ""


@rule("E06")
def birth_fits_the_fill(draft: Draft) -> Iterator[Fault]:
    """Require that the patient was born at most 125 years before the fill."""
    born, filled = draft.day("PAT18"), draft.day("DSP05")
    if born is None:
        return
    message, fix = "", "Compare the date of birth with the patient's record."
    if born > draft.today + timedelta(days=1):
        message = f"The date of birth, {us(born)}, is in the future."
    elif filled and born > filled:
        message = (
            f"The date of birth, {us(born)}, is after the date filled, {us(filled)}."
        )
    elif not draft.animal and (filled or draft.today).year - born.year > _OLDEST_YEARS:
        message = (
            f"With the date of birth {us(born)} the patient would be more than"
            f" {_OLDEST_YEARS} years old."
        )
        fix = "Compare the year of birth with the patient's record."
    if message:
        yield Fault("PAT18", message, fix)


@rule("E07")
def fill_is_not_in_the_future(draft: Draft) -> Iterator[Fault]:
    """Require that nothing is filled after today; one day is granted for time zones."""
    filled = draft.day("DSP05")
    if filled and filled > draft.today + timedelta(days=1):
        yield Fault(
            "DSP05",
            f"The date filled, {us(filled)}, is in the future.",
            "Correct the date filled.",
        )


@rule("E08")
def written_before_filled(draft: Draft) -> Iterator[Fault]:
    """Require that a prescription is not written after it is filled."""
    written, filled = draft.day("DSP03"), draft.day("DSP05")
    if written and filled and written > filled:
        yield Fault(
            "DSP03",
            f"The date written, {us(written)}, is after the date filled, {us(filled)}.",
            "Correct the date written or the date filled.",
        )


@rule("E20", for_zero=True)
def zero_report_has_its_days(draft: Draft) -> Iterator[Fault]:
    """Require that a zero report names its days, in order, none in the future."""
    if not draft.zero:
        return
    since, until = zero_days(draft)
    if since is None or until is None:
        problem = f"The zero report's days, “{draft['IS03']}”, cannot be read."
    elif since > until:
        problem = f"The zero report ends, {us(until)}, before it begins, {us(since)}."
    elif until > draft.today + timedelta(days=1):
        problem = f"The zero report's last day, {us(until)}, is in the future."
    elif (until - since).days >= _LONGEST_ZERO_DAYS:
        problem = "The zero report covers more than a year."
    else:
        return
    yield Fault("IS03", problem, "Write the days in IS03 as #20260101#-#20260115#.")


@rule("E21")
def elements_are_in_place(draft: Draft) -> Iterator[Fault]:
    """Require that the elements of PAT and DSP stand where their dates show them."""
    for segment, places in _DATES_OF.items():
        if any(draft.day(f"{segment}{place:02}") for place in places):
            continue
        # Each date is beside its place, all on one side.
        for step, slip in ((1, "one too many"), (-1, "one is missing")):
            if all(draft.day(f"{segment}{place + step:02}") for place in places):
                yield Fault(
                    segment,
                    f"The elements of the {segment} segment have moved by one place:"
                    f" {name(f'{segment}{places[0]:02}')} stands in"
                    f" {segment}{places[0] + step:02}.",
                    "Look for the element delimiter before it: "
                    f"{'there is ' if step > 0 else ''}{slip}.",
                )


def zero_days(draft: Draft) -> tuple[date | None, date | None]:
    """Give first and last day of a zero report: IS03, or else the date filled."""
    days = re.findall(r"#\s*(\d{8})\s*#", draft["IS03"])
    if len(days) == 2:
        return parse_day(days[0]), parse_day(days[1])
    return draft.day("DSP05"), draft.day("DSP05")
