"""Numbers with blanks, hyphens or a slip of the finger: NDC, DEA, ZIP code, phone."""

import re
from collections.abc import Iterator

from pmp import identifiers

Found = tuple[str, str, str]

_DIGITS = "0123456789"
_NDC_DIGITS = 11
_DEA_LENGTH = 9


def zip_codes(text: str, _element: str = "") -> Iterator[Found]:
    """Give a ZIP code whose first zero or hyphen was lost."""
    digits = re.sub(r"\D", "", text)
    if len(digits) in {5, 9}:
        yield digits, "the digits alone", "digits alone"
    if len(digits) in {4, 8}:
        yield f"0{digits}", "with its leading zero", "leading zero"


def phones(text: str, _element: str = "") -> Iterator[Found]:
    """Give the ten digits of a phone number."""
    if number := identifiers.e164(text):
        yield number.removeprefix("+1"), "the ten digits alone", "digits alone"


def without_blanks(text: str, _element: str = "") -> Iterator[Found]:
    """Give a number without blanks and hyphens, in capitals, no O among the digits."""
    plain = re.sub(r"[\s\-.]", "", text).upper()
    yield plain, "without blanks", "without blanks"
    if len(plain) == _DEA_LENGTH:
        yield plain[:2] + _as_digits(plain[2:]), "with digits for letters", "digits"


def ndc_readings(text: str) -> list[str]:
    """Give the 11-digit NDCs that a text may mean, without any digit changed.

    Parts between hyphens get their zeros; ten digits stand for three NDCs; of fewer
    digits the leading zeros were lost.
    """
    plain = re.sub(r"^NDC[\s:#]*", "", text.strip().upper())
    parts = re.split(r"[-\s./]+", plain)
    if len(parts) == 3 and all(part.isdecimal() for part in parts):
        labeler, product, package = parts
        whole = f"{labeler:0>5}{product:0>4}{package:0>2}"
        return [whole] if len(whole) == _NDC_DIGITS else []
    digits = "".join(parts)
    if not (digits.isascii() and digits.isdecimal()):
        return []
    if len(digits) == 10:
        return [
            f"0{digits}",
            f"{digits[:5]}0{digits[5:]}",
            f"{digits[:9]}0{digits[9:]}",
        ]
    return [digits.zfill(_NDC_DIGITS)] if 7 <= len(digits) <= _NDC_DIGITS else []


def ndc_near(text: str) -> list[str]:
    """Give the 11-digit NDCs one slip away: a digit wrong, swapped, lost or doubled."""
    digits = re.sub(r"\D", "", text)
    if len(digits) == _NDC_DIGITS:
        found = [*_substituted(digits), *_swapped(digits)]
    elif len(digits) == _NDC_DIGITS - 1:
        found = [
            digits[:place] + sign + digits[place:]
            for place in range(len(digits), -1, -1)
            for sign in _DIGITS
        ]
    elif len(digits) == _NDC_DIGITS + 1:
        found = [digits[:n] + digits[n + 1 :] for n in range(len(digits))]
    else:
        found = []
    return list(dict.fromkeys(found))


def dea_near(text: str) -> list[str]:
    """Give the DEA numbers one slip away whose check digit fits."""
    plain = re.sub(r"[\s\-.]", "", text).upper()
    letters, digits = plain[:2], _as_digits(plain[2:])
    if not re.fullmatch(r"[A-Z][A-Z9]", letters) or not digits.isdecimal():
        return []
    if len(digits) == 7:
        found = [*_substituted(digits), *_swapped(digits)]
    elif len(digits) == 6:
        found = [
            digits[:place] + sign + digits[place:]
            for place in range(7)
            for sign in _DIGITS
        ]
    else:
        found = [digits[:n] + digits[n + 1 :] for n in range(len(digits))]
    numbers = (letters + each for each in dict.fromkeys(found))
    return [each for each in numbers if identifiers.dea_problem(each) is None]


def _as_digits(text: str) -> str:
    return text.translate(str.maketrans("OQILSB", "001158"))


def _substituted(digits: str) -> Iterator[str]:
    for place, old in enumerate(digits):
        for sign in _DIGITS:
            if sign != old:
                yield digits[:place] + sign + digits[place + 1 :]


def _swapped(digits: str) -> Iterator[str]:
    for place in range(len(digits) - 1):
        one, other = digits[place], digits[place + 1]
        if one != other:
            yield digits[:place] + other + one + digits[place + 2 :]
