"""How days, times, names, numbers and drugs are written, on page and on paper."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pmp import clock

PHONE_DIGITS = 10
NDC_DIGITS = 11


def us_date(day: date | datetime | None) -> str:
    """Write a day as MM/DD/YYYY; an aware time as its day in the programme's zone."""
    if day is None:
        return ""
    if isinstance(day, datetime):
        day = clock.day_of(day)
    return _written(day)


@lru_cache(maxsize=4096)  # a report writes the same few days hundreds of times
def _written(day: date) -> str:
    return f"{day:%m/%d/%Y}"


def span_words(first: date, last: date) -> str:
    """Write days in a row as MM/DD/YYYY to MM/DD/YYYY; one day alone."""
    days = us_date(first)
    return days if first == last else f"{days} to {us_date(last)}"


def us_time(at: datetime | None) -> str:
    """Write an aware time as MM/DD/YYYY H:MM AM ET in the programme's zone."""
    if at is None:
        return ""
    here = clock.local(at)
    zone = (here.tzname() or "").replace("EST", "ET").replace("EDT", "ET")
    return f"{here:%m/%d/%Y} {here.hour % 12 or 12}:{here:%M %p} {zone}"


def person_name(last: str, first: str = "", middle: str = "") -> str:
    """Write a name as LAST, FIRST MIDDLE."""
    given = " ".join(part for part in (first, middle) if part)
    return f"{last}, {given}".upper() if given else last.upper()


@lru_cache(maxsize=4096)
def phone(number: str | None) -> str:
    """Write +18605550123 or 8605550123 as (860) 555-0123; leave others as they are."""
    digits = "".join(c for c in number or "" if c.isdigit())
    if len(digits) == PHONE_DIGITS + 1 and digits.startswith("1"):
        digits = digits[1:]
    if len(digits) != PHONE_DIGITS:
        return number or ""
    return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}"


def ndc(code: str) -> str:
    """Write an 11-digit NDC as 5-4-2, one of 12 digits as 6-4-2."""
    if len(code) not in {NDC_DIGITS, NDC_DIGITS + 1} or not code.isdigit():
        return code
    return f"{code[:-6]}-{code[-6:-2]}-{code[-2:]}"


def amount(number: Decimal | float | None) -> str:
    """Write a quantity without trailing zeros: 60, 2.5."""
    if number is None:
        return ""
    text = f"{Decimal(str(number)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def zip_code(code: str) -> str:
    """Write a ZIP code as 06106 or 06106-1234."""
    return f"{code[:5]}-{code[5:]}" if len(code) == 9 and code.isdigit() else code


def words(code: Any) -> str:
    """Write a status word for people: mail_returned as Mail returned."""
    return str(code).replace("_", " ").capitalize()


FILTERS: dict[str, Callable[..., str]] = {
    "us_date": us_date,
    "us_time": us_time,
    "phone": phone,
    "ndc": ndc,
    "amount": amount,
    "zip_code": zip_code,
    "words": words,
}
