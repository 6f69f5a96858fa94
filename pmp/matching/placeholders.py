"""What is typed where nothing is known: it must never count as agreement.

Pure: no database.  Who has no phone, no address, no name or no date of birth is given
one by the software or by custom, and thousands share it.
"""

import re
from datetime import date

NO_DATE = date.min
"""Stands for a date of birth that a list does not give."""

_NAMES = frozenset(
    [
        "BABY",
        "BABYBOY",
        "BABYGIRL",
        "BABYA",
        "BABYB",
        "BOY",
        "GIRL",
        "BABYBOYA",
        "BABYBOYB",
        "BABYGIRLA",
        "BABYGIRLB",
        "NEWBORN",
        "INFANT",
        "INFANTBOY",
        "INFANTGIRL",
        "INFANTMALE",
        "INFANTFEMALE",
        "MALE",
        "FEMALE",
        "UNKNOWN",
        "UNKNOWNFIRST",
        "UNKNOWNLAST",
        "UNKNOWNPATIENT",
        "UNIDENTIFIED",
        "UNK",
        "UNKN",
        "NOTKNOWN",
        "NONE",
        "NA",
        "NONAME",
        "NOFIRSTNAME",
        "NOLASTNAME",
        "NFN",
        "NLN",
        "NMN",
        "NULL",
        "NIL",
        "BLANK",
        "ANONYMOUS",
        "CONFIDENTIAL",
        "TEST",
        "TESTER",
        "TESTING",
        "TESTPATIENT",
        "TESTCASE",
        "PATIENT",
        "DUMMY",
        "FAKE",
        "DELETE",
        "DELETED",
        "DONOTUSE",
        "DUPLICATE",
        "VOID",
        "TRAUMA",
        "CUSTOMER",
        "CLIENT",
        "RESIDENT",
        "FIRSTNAME",
        "LASTNAME",
        "FIRST",
        "LAST",
        "NAME",
        "XX",
        "XXX",
        "XXXX",
        "XXXXX",
        "ZZ",
        "ZZZ",
        "ZZZZ",
    ]
)
# Of the above, those that are somebody's last name.
_LAST_NAMES = frozenset(
    [
        "FAKE",
        "CLIENT",
        "RESIDENT",
        "NA",
        "NULL",
        "BOY",
        "GIRL",
        "MALE",
        "FIRST",
        "LAST",
        "NAME",
        "BLANK",
        "VOID",
        "XX",
    ]
)
_NO_LAST_NAMES = _NAMES - _LAST_NAMES
_NOBODIES = frozenset({"JOHN", "JANE", "JON", "JANEY", "JOHNNY", "BABY", "JIMMY"})
# Years that software puts before 1 January when it has no date.
_DEFAULT_YEARS = frozenset({1910, 1970, 1980, 1990, 2000})
_DEFAULT_DAYS = frozenset({date(1899, 12, 30), date(1899, 12, 31), date(1911, 11, 11)})
_LAST_DEFAULT = 1901
_NO_HOME = re.compile(
    r"\b(?:UNKNOWN|GEN(?:ERAL)? DEL(?:IVERY)?|HOMELESS|TRANSIENT|UNDOMICILED|UNHOUSED"
    r"|NO (?:FIXED |PERMANENT )?(?:ADDRESS|ABODE|STREET|HOME)|RESCUE MISSION"
    r"|SALVATION ARMY|SHELTER(?! (?:ROCK|COVE|ISLAND|HARBOR|BAY|HILL|LA?NE?|R(?:OA)?D"
    r"|ST|DR|AVE)))\b"
    r"|^\W*(?:UNK|UNKN|NONE|N\W?A|SAME|X+|ADDRESS|NOT (?:GIVEN|KNOWN)|REFUSED"
    r"|CONFIDENTIAL|PENDING|VERIFY|BAD ADDRESS|TEST)\W*$"
)
_NO_ZIPS = frozenset({"00000", "99999", "11111", "12345"})
_LOCAL, _FULL = 7, 10
_NOT_DIGITS = re.compile(r"\D", re.ASCII)


def is_name(last_key: str, first_key: str) -> bool:
    """Whether a name as compared stands for nobody: BABY BOY, UNKNOWN, JOHN DOE."""
    if first_key in _NAMES or last_key in _NO_LAST_NAMES:
        return True
    if last_key == "DOE" and first_key in _NOBODIES:
        return True
    return len(set(last_key)) == 1 and len(last_key) > len("OO")


def is_birth_date(day: date) -> bool:
    """Whether a date of birth is one that software gives: 1 January 1900 and its like.

    Some are really born on such a day; they are looked at by a person.
    """
    if day in _DEFAULT_DAYS:
        return True
    new_year = (day.month, day.day) == (1, 1)
    return new_year and (day.year <= _LAST_DEFAULT or day.year in _DEFAULT_YEARS)


def phone_digits(text: str) -> str:
    """Give the digits of a telephone number, without the leading 1; “” if it is none.

    None are 000-0000 and every number of one digit, 123-4567, directory assistance
    (555-1212), and area codes or exchanges that cannot be.
    """
    digits = text if text.isdecimal() and text.isascii() else _NOT_DIGITS.sub("", text)
    if len(digits) == _FULL + 1 and digits[0] == "1":
        digits = digits[1:]
    if len(digits) not in {_LOCAL, _FULL}:
        return ""
    local = digits[-_LOCAL:]
    if len(set(local)) == 1 or local in {"1234567", "5551212", "7654321", "0123456"}:
        return ""
    if digits in {"1234567890", "0123456789"} or local[0] in "01":
        return ""
    if len(digits) == _FULL and digits[0] in "01":
        return ""
    return "" if digits[:-_LOCAL] in {"999", "555"} else digits


def is_home(street: str) -> bool:
    """Whether a street, in upper case, says where somebody lives."""
    return bool(street.strip(" .-*?/0")) and not _NO_HOME.search(street)


def zip_digits(text: str) -> str:
    """Give a ZIP code's first five digits, or all of a shorter code; “” if none."""
    code = text.strip()[:5]
    return "" if code in _NO_ZIPS or not code.strip("0- ") else code
