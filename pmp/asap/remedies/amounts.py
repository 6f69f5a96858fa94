"""Quantities and counts with commas, units or words; days that directions tell."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

Found = tuple[str, str, str]

_UNIT = (
    r"(?:TABLETS?|TABS?|CAPSULES?|CAPS?|PILLS?|PATCH(?:ES)?|FILMS?|EACH|EA|UNITS?|DAYS?"
    r"|MLS?|GRAMS?|GMS?|G|D|REFILLS?)"
)
_AMOUNT = re.compile(
    rf"(?:QTY|#|X|:|=|\s)*([0-9OIL][0-9OIL.,]*|[.,][0-9OIL]+)\s*{_UNIT}?\s*\.?"
)
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_WORDS = {
    word: number
    for number, word in enumerate(
        [
            "ZERO",
            "ONE",
            "TWO",
            "THREE",
            "FOUR",
            "FIVE",
            "SIX",
            "SEVEN",
            "EIGHT",
            "NINE",
            "TEN",
            "ELEVEN",
            "TWELVE",
            "THIRTEEN",
            "FOURTEEN",
            "FIFTEEN",
            "SIXTEEN",
            "SEVENTEEN",
            "EIGHTEEN",
            "NINETEEN",
        ]
    )
}
_TENS = {
    word: 10 * number
    for number, word in enumerate(
        ["TWENTY", "THIRTY", "FORTY", "FIFTY", "SIXTY", "SEVENTY", "EIGHTY", "NINETY"],
        start=2,
    )
}
_NOTHING = {"NONE", "NO", "N/A", "NA", "NIL", "-", "NR"}
_MAY_BE_NOTHING = {"DSP04": "0", "DSP06": "0", "DSP13": "00"}
# How often a day, in the words that have one meaning only.
_DAILY = (
    (r"ONCE (?:A DAY|DAILY)|DAILY|EVERY DAY|EVERY (?:MORNING|NIGHT|EVENING)|QD", 1),
    (r"TWICE (?:A DAY|DAILY)|(?:2|TWO) TIMES (?:A DAY|DAILY)|EVERY 12 HOURS|BID", 2),
    (r"(?:3|THREE) TIMES (?:A DAY|DAILY)|EVERY 8 HOURS|TID", 3),
    (r"(?:4|FOUR) TIMES (?:A DAY|DAILY)|EVERY 6 HOURS|QID", 4),
    (r"EVERY 4 HOURS", 6),
)
_DIRECTIONS = re.compile(
    r"(?:TAKE )?(\d+|ONE|TWO|THREE|FOUR) (?:TABLETS?|TABS?|CAPSULES?|CAPS?)"
    r"(?: BY MOUTH| ORALLY| PO)? (.+?)\.?"
)


def quantities(text: str, _element: str = "") -> Iterator[Found]:
    """Give the quantity that a text tells: “60 TAB”, “2,5”, “1,000”, “SIXTY”."""
    number = _number(text)
    if number is not None:
        yield _written(number), "the number alone", "number alone"


def counts(text: str, element: str, elements: Mapping[str, str]) -> Iterator[Found]:
    """Give the whole number that a text tells, or that the directions do."""
    number = _number(text)
    if number is not None and number == number.to_integral_value():
        yield _written(number), "the number alone", "number alone"
    if text.upper() in _NOTHING and element in _MAY_BE_NOTHING:
        yield _MAY_BE_NOTHING[element], "none", "none"
    if element == "DSP10" and (days := days_by_directions(elements)):
        directions = elements.get("DSP23", "")
        yield str(days), f"quantity by directions: {directions[:60]}", "directions"


def days_by_directions(elements: Mapping[str, str]) -> int | None:
    """Give how many days the quantity lasts; None unless the directions are certain.

    They are for tablets or capsules in a fixed number a day, nothing “as needed”, and
    the quantity must last whole days.
    """
    match = _DIRECTIONS.fullmatch(" ".join(elements.get("DSP23", "").upper().split()))
    quantity = _number(elements.get("DSP09", ""))
    if not match or not quantity or elements.get("DSP11", "").zfill(2) != "01":
        return None
    each = _number(match[1]) or Decimal(0)
    a_day = each * next(
        (times for words, times in _DAILY if re.fullmatch(words, match[2])), 0
    )
    if not a_day or quantity % a_day:
        return None
    return int(quantity / a_day)


def _number(text: str) -> Decimal | None:
    shown = " ".join(text.upper().replace("-", " ").split())
    if text.strip().startswith("-"):
        return None  # a return, perhaps: nobody can tell
    if (spelt := _spelt(shown)) is not None:
        return Decimal(spelt)
    match = _AMOUNT.fullmatch(shown)
    if not match or not any(sign.isdigit() for sign in match[1]):
        return None
    digits = match[1].translate(str.maketrans("OIL", "011"))
    if _THOUSANDS.fullmatch(digits):
        digits = digits.replace(",", "")
    elif digits.count(",") == 1 and "." not in digits:
        digits = digits.replace(",", ".")
    whole, _, part = digits.partition(".")
    if not re.fullmatch(r"\d*", whole + part, re.ASCII) or not whole + part:
        return None
    return Decimal(f"{whole or 0}.{part or 0}")


def _spelt(text: str) -> int | None:
    words = re.sub(rf" {_UNIT}$", "", text).split()
    if len(words) == 1:
        return _WORDS.get(words[0], _TENS.get(words[0]))
    if len(words) == 2 and words[0] in _TENS and 0 < _WORDS.get(words[1], 0) < 10:
        return _TENS[words[0]] + _WORDS[words[1]]
    return None


def _written(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
