"""What people type or spreadsheets hold, to what the standard writes. Pure.

`read` understands a date, a phone number, “female”, “1,000”, “0406-0512-01” as people
write them.  What it does not understand it refuses in words for the person; what is
understood may still be wrong, which the rules of the standard say.
"""

import re
from collections.abc import Callable
from datetime import date

from pmp import identifiers
from pmp.asap import plain_codes

SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d{1,2}", re.ASCII)
DATES = frozenset({"PAT18", "DSP03", "DSP05", "DSP17"})

_QUOTED_FORMULA = re.compile(r'="([^"]*)"')
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d*)?", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)
_TIME = re.compile(
    r"[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?: ?[AP]M)?Z?",
    re.ASCII | re.IGNORECASE,
)
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})", re.ASCII)
_MONTH_FIRST = re.compile(
    r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})", re.ASCII
)  # as Americans write
_DAY_MONTH = re.compile(r"(\d{1,2})[- ]([A-Za-z]{3,9})[-, ]+(\d{4}|\d{2})", re.ASCII)
_MONTH_DAY = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})", re.ASCII)
_EIGHT = re.compile(r"\d{8}", re.ASCII)
_MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTHS = _MONTH_NAMES.split()
_NO_REFILLS = {"none", "no", "zero", "original", "orig", "new", "no refills"}
_NDC_SIGNS = re.compile(r"[\d-]+", re.ASCII)


def read(element: str, text: str, *, today: date) -> str:
    """Give the value of an element (“DSP05”, “CDI03.2”) from a person's text.

    “” for blanks.  Raises ValueError, with a sentence for the person, for a date or a
    code that cannot be understood, for a spreadsheet's 4.06E+08, and for an NDC with
    signs that none has.
    """
    plain = tidy(text)
    if not plain:
        return ""
    if SCIENTIFIC.fullmatch(plain):
        raise ValueError(
            f"The spreadsheet shortened a number to {plain}, and its digits are lost."
            " Format the column as Text, type the number again, and save."
        )
    base = element.partition(".")[0]
    if base in DATES:
        return f"{read_date(plain, birth=base == 'PAT18', today=today):%Y%m%d}"
    code_list = "DSP11" if base == "CDI05" else base
    if code_list in plain_codes.CODES:
        return _code(code_list, plain)
    return _READERS.get(base, _as_it_is)(plain)


def tidy(text: str) -> str:
    """Take off a spreadsheet's ="…" or leading apostrophe, and what does not print."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    plain = " ".join(shown.split())
    if formula := _QUOTED_FORMULA.fullmatch(plain):
        plain = formula[1].strip()
    if plain[:1] == "'" and plain[1:2] and not plain[1].isalpha():
        plain = plain[1:].strip()
    return plain


def read_date(text: str, *, birth: bool, today: date) -> date:
    """Read 04/28/1971, 4-28-71, 04281971, 19710428, 1971-04-28, 28-Apr-1971.

    A time after the day is passed over.  A year of two digits is of this century, and
    refused for a birth date that could be of either.  Raises ValueError.
    """
    plain = _TIME.sub("", text) if ":" in text[:60] else text
    found = _date_parts(plain)
    if found is None:
        raise ValueError(
            f"“{text[:40]}” is not a date. Write month, day and year, such as"
            " 04/28/1971."
        )
    year, month, day = found
    if len(year) == 2:
        year = _century(year, birth=birth, today=today) + year
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        message = f"There is no day “{text[:40]}”. Write it as 04/28/1971."
        raise ValueError(message) from None


def _date_parts(plain: str) -> tuple[str, str, str] | None:
    """Give year, month and day as digits."""
    if match := _YEAR_FIRST.fullmatch(plain):
        return match[1], match[3], match[4]
    if match := _MONTH_FIRST.fullmatch(plain):
        return match[4], match[1], match[3]
    if _EIGHT.fullmatch(plain):
        # No month is 18, 19 or 20, so the two ways to write it are never mixed up.
        if plain[:2] in {"18", "19", "20"}:
            return plain[:4], plain[4:6], plain[6:]
        return plain[4:], plain[:2], plain[2:4]
    if match := _DAY_MONTH.fullmatch(plain):
        day, name, year = match.groups()
    elif match := _MONTH_DAY.fullmatch(plain):
        name, day, year = match.groups()
    else:
        return None
    short = name[:3].lower()
    return (year, str(_MONTHS.index(short) + 1), day) if short in _MONTHS else None


def _century(year: str, *, birth: bool, today: date) -> str:
    if not birth:
        return "20"
    if int(year) <= today.year % 100:
        raise ValueError("Write the year of birth with four digits.")
    return "19"


def _code(element: str, plain: str) -> str:
    known = plain_codes.CODES[element]
    found = known.get(plain.lower().rstrip(".")) or known.get(plain.lower())
    if found is None:
        words = list(dict.fromkeys(plain_codes.SHOWN[element].values()))
        one_of = ", ".join(words[:-1]) + " or " + words[-1]
        raise ValueError(f"“{plain[:40]}” is not understood. Write {one_of}.")
    return found


def _as_it_is(plain: str) -> str:
    return plain


def _amount(plain: str) -> str:
    number = plain.replace(",", "") if _THOUSANDS.fullmatch(plain) else plain
    if not _NUMBER.fullmatch(number) or "." not in number:
        return number
    whole, _, part = number.partition(".")
    part = part.rstrip("0")
    return f"{whole or '0'}.{part}" if part else whole or "0"


def _count(plain: str) -> str:
    return "0" if plain.lower() in _NO_REFILLS else _amount(plain)


def _number_as_text(plain: str) -> str:
    """Take off the .0 that a spreadsheet gives to a number that is a name."""
    return plain[:-2] if re.fullmatch(r"\d+\.0", plain, re.ASCII) else plain


def _phone(plain: str) -> str:
    number = identifiers.e164(_number_as_text(plain))
    return number[2:] if number else plain


def _zip_code(plain: str) -> str:
    code = _number_as_text(plain)
    if re.fullmatch(r"\d{3,4}", code, re.ASCII):
        return code.zfill(5)  # a number loses its leading zeros
    return code.zfill(9) if re.fullmatch(r"\d{7,8}", code, re.ASCII) else code


def _state(plain: str) -> str:
    return identifiers.STATE_NAMES.get(plain.upper(), plain.upper())


def _dea(plain: str) -> str:
    return re.sub(r"[\s-]", "", plain).upper()


def _ncpdp(plain: str) -> str:
    number = _number_as_text(plain)
    return number.zfill(7) if re.fullmatch(r"\d{5,6}", number, re.ASCII) else number


def _ndc(plain: str) -> str:
    code = _number_as_text(plain).replace(" ", "-")
    if not _NDC_SIGNS.fullmatch(code):
        raise ValueError(f"“{plain[:40]}” is not an NDC. Give its 11 digits.")
    return identifiers.parse_ndc(code) if "-" in code else code


_READERS: dict[str, Callable[[str], str]] = {
    "DSP09": _amount,
    "CDI04": _amount,
    "DSP04": _count,
    "DSP06": _count,
    "DSP10": _count,
    "DSP13": _count,
    "DSP02": _number_as_text,
    "DSP08": _ndc,
    "CDI03": _ndc,
    "PAT15": _state,
    "PAT16": _zip_code,
    "PAT17": _phone,
    "PRE08": _phone,
    "PRE02": _dea,
    "PHA03": _dea,
    "PHA02": _ncpdp,
    "PHA01": _number_as_text,
    "PRE01": _number_as_text,
    "PHA08": _state,
    "PHA09": _zip_code,
    "PHA10": _phone,
}
