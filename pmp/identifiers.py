"""The numbers that name people, pharmacies, products and phones, and their faults.

Each ``…_problem`` answers None when the value is well formed, else one sentence
that names the fault and the fix.  A good check digit proves that a number was
typed correctly, never that it was issued: that is the register's to say.
"""

import re
from collections.abc import Mapping

_STATE_CODES = (
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT"
    " NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY"
    " DC AS GU MP PR VI UM FM MH PW AA AE AP"
)
STATES: frozenset[str] = frozenset(_STATE_CODES.split())
"""USPS two-letter codes: states, district, territories and military addresses."""
_NAMED = """
    AL ALABAMA, AK ALASKA, AZ ARIZONA, AR ARKANSAS, CA CALIFORNIA, CO COLORADO,
    CT CONNECTICUT, DE DELAWARE, FL FLORIDA, GA GEORGIA, HI HAWAII, ID IDAHO,
    IL ILLINOIS, IN INDIANA, IA IOWA, KS KANSAS, KY KENTUCKY, LA LOUISIANA, ME MAINE,
    MD MARYLAND, MA MASSACHUSETTS, MI MICHIGAN, MN MINNESOTA, MS MISSISSIPPI,
    MO MISSOURI, MT MONTANA, NE NEBRASKA, NV NEVADA, NH NEW HAMPSHIRE, NJ NEW JERSEY,
    NM NEW MEXICO, NY NEW YORK, NC NORTH CAROLINA, ND NORTH DAKOTA, OH OHIO,
    OK OKLAHOMA, OR OREGON, PA PENNSYLVANIA, RI RHODE ISLAND, SC SOUTH CAROLINA,
    SD SOUTH DAKOTA, TN TENNESSEE, TX TEXAS, UT UTAH, VT VERMONT, VA VIRGINIA,
    WA WASHINGTON, WV WEST VIRGINIA, WI WISCONSIN, WY WYOMING,
    DC DISTRICT OF COLUMBIA, PR PUERTO RICO, VI VIRGIN ISLANDS, GU GUAM,
    AS AMERICAN SAMOA"""
STATE_NAMES: Mapping[str, str] = {
    name: code
    for code, _, name in (pair.strip().partition(" ") for pair in _NAMED.split(","))
}
"""Names in capitals → their codes; Publication 28, appendix B."""

_DEA = re.compile(r"[A-Z][A-Z9]\d{7}", re.ASCII)
_NPI = re.compile(r"[12]\d{9}", re.ASCII)
_NCPDP = re.compile(r"\d{7}", re.ASCII)
_ZIP = re.compile(r"\d{5}(?:-?\d{4})?", re.ASCII)
_NDC_PARTS = re.compile(r"(\d{1,6})-(\d{1,4})-(\d{1,2})", re.ASCII)
_NDC_WIDTHS = {(4, 4, 2), (5, 3, 2), (5, 4, 1), (5, 4, 2), (6, 4, 2)}
_PHONE_NOISE = re.compile(r"[\s().\-/+]")
_PHONE = re.compile(r"1?([2-9]\d{2}[2-9]\d{6})", re.ASCII)


def dea_problem(text: str) -> str | None:
    """Say what is wrong with a DEA number: two letters, seven digits, the last a check.

    The first letter is not judged: new registrant classes get new letters.
    """
    if not _DEA.fullmatch(text):
        return (
            f"“{text}” is not a DEA number: two letters and seven digits are expected,"
            " without blanks. Copy it from the registration certificate."
        )
    if _weighted_check(text[2:]) != text[8]:
        return (
            f"The DEA number {text} has a digit wrong: its last digit does not fit the"
            " six before it. Compare it with the registration certificate."
        )
    return None


def npi_problem(text: str) -> str | None:
    """Say what is wrong with an NPI: ten digits, Luhn over 80840 and the number."""
    if not _NPI.fullmatch(text):
        return (
            f"“{text}” is not an NPI: ten digits that begin with 1 or 2 are expected."
            " Look it up at npiregistry.cms.hhs.gov."
        )
    if _luhn("80840" + text):
        return (
            f"The NPI {text} has a digit wrong: its check digit does not fit."
            " Look it up at npiregistry.cms.hhs.gov."
        )
    return None


def ncpdp_problem(text: str) -> str | None:
    """Say what is wrong with an NCPDP number: seven digits, checked as a DEA number."""
    if not _NCPDP.fullmatch(text):
        return (
            f"“{text}” is not an NCPDP number: seven digits are expected, leading"
            " zeros included. It is on the pharmacy's NCPDP profile."
        )
    if _weighted_check(text) != text[6]:
        return (
            f"The NCPDP number {text} has a digit wrong: its last digit does not fit"
            " the six before it. Compare it with the pharmacy's NCPDP profile."
        )
    return None


def parse_ndc(text: str) -> str:
    """Bring an NDC to its 11 digits (5-4-2, no hyphens).

    Takes 11 digits, or 10 or 11 digits with two hyphens (4-4-2, 5-3-2, 5-4-1,
    5-4-2), or 12 as FDA gives them from 2033-03-07 on (6-4-2; 91 FR 10749): a labeler
    of six digits that begins with 0 is one of today's, another keeps its 12.  Raises
    ValueError, with a sentence for the user, for everything else: ten digits without
    hyphens can be three different products.
    """
    plain = text.strip()
    if plain.isascii() and plain.isdigit():
        return _plain_ndc(plain)
    parts = _NDC_PARTS.fullmatch(plain)
    if not parts:
        raise ValueError(
            f"“{text}” is not an NDC. Give its 11 digits without hyphens.",
        )
    labeler, product, package = parts.groups()
    if (len(labeler), len(product), len(package)) not in _NDC_WIDTHS:
        raise ValueError(
            f"The parts of the NDC {plain} have {len(labeler)}-{len(product)}-"
            f"{len(package)} digits; 4-4-2, 5-3-2, 5-4-1 or 5-4-2 are expected."
            " Give its 11 digits without hyphens.",
        )
    if len(labeler) == 6:
        labeler = labeler.removeprefix("0")
    return f"{labeler:0>5}{product:0>4}{package:0>2}"


def e164(text: str) -> str | None:
    """Bring a North American phone number to +1 and ten digits; None if it is not one.

    Spaces, parentheses, dots, slashes and hyphens are ignored, so is a leading 1.
    """
    number = _PHONE.fullmatch(_PHONE_NOISE.sub("", text))
    return f"+1{number[1]}" if number else None


def not_a_number(text: str) -> str:
    """Say that a text is no phone or fax number, and how one is written."""
    return f"“{text}” is not a number with area code, such as (860) 555-0123."


def zip_problem(text: str) -> str | None:
    """Say what is wrong with a ZIP code: five or nine digits."""
    if _ZIP.fullmatch(text):
        return None
    return (
        f"“{text}” is not a ZIP code: five digits, or nine, are expected,"
        " leading zeros included."
    )


def state_problem(text: str) -> str | None:
    """Say what is wrong with a two-letter USPS state code."""
    if text in STATES:
        return None
    return f"“{text}” is not a state: give its two-letter postal code, such as CT."


def dea_check_digit(digits: str) -> str:
    """Give the seventh digit of a DEA or an NCPDP number from its first six."""
    return _weighted_check(digits)


def npi_check_digit(digits: str) -> str:
    """Give the tenth digit of an NPI from its first nine."""
    return str(-_luhn("80840" + digits + "0") % 10)


def whole_dea(letters: str, number: int) -> str:
    """Give a DEA number: two letters, six digits and their check digit."""
    return f"{letters}{number:06d}{dea_check_digit(f'{number:06d}')}"


def whole_npi(number: int) -> str:
    """Give an NPI: nine digits and their check digit."""
    return f"{number:09d}{npi_check_digit(f'{number:09d}')}"


def whole_ncpdp(number: int) -> str:
    """Give an NCPDP number: six digits and their check digit, reckoned like DEA's."""
    return f"{number:06d}{dea_check_digit(f'{number:06d}')}"


def _plain_ndc(digits: str) -> str:
    if len(digits) == 11:
        return digits
    if len(digits) == 10:
        raise ValueError(
            f"The NDC {digits} has 10 digits, which can mean three different products."
            " Give all 11 digits, or write the hyphens.",
        )
    raise ValueError(
        f"The NDC {digits} has {len(digits)} digits. Give its 11 digits, zeros"
        " included.",
    )


def _weighted_check(digits: str) -> str:
    d1, d2, d3, d4, d5, d6 = map(int, digits[:6])
    return str((d1 + d3 + d5 + 2 * (d2 + d4 + d6)) % 10)


def _luhn(digits: str) -> int:
    """Give the Luhn sum modulo ten: 0 for a good number."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10
