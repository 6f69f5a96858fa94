"""Do two names mean one person or one pharmacy? For registers, never for patients.

The roster gives a name as one string ("SEMYON A RODKIN MD"), an applicant gives its
parts. Case, accents, punctuation, titles and forms of company do not count.
"""

import re
import unicodedata

_TITLES = frozenset(
    {"MD", "DO", "DMD", "DDS", "DVM", "DPM", "OD", "APRN", "PA", "NP", "PHD", "DR"}
    | {"JR", "SR", "II", "III", "IV", "RPH", "PHARMD", "CNM"}
)
_COMPANY = frozenset(
    {"THE", "INC", "LLC", "LP", "LLP", "CORP", "CORPORATION", "CO", "COMPANY", "OF"}
    | {"PC", "AND", "LTD"}
)


def name_key(text: str) -> str:
    """Give a name as compared: upper case, no accents, letters and digits alone."""
    return "".join(_words(text))


def unaccented(text: str) -> str:
    """Take the accents off letters that have them: José becomes Jose, Łukasz stays."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


def same_person(listed: str, *, last_name: str, first_name: str) -> bool:
    """Tell whether a roster's name holds an applicant's last and first name.

    "SEMYON A RODKIN" holds Rodkin and Semyon; an initial alone is not a first name.
    """
    words = [word for word in _words(listed) if word not in _TITLES]
    first, last = _words(first_name)[:1], "".join(_words(last_name))
    if not first or not last or first[0] not in words:
        return False
    words.remove(first[0])
    return any(
        "".join(words[start:end]) == last
        for start in range(len(words))
        for end in range(start + 1, len(words) + 1)
    )


def same_company(listed: str, given: str) -> bool:
    """Tell whether two pharmacies' names differ by no more than Inc. and the like."""
    one, other = (
        [word for word in _words(name) if word not in _COMPANY]
        for name in (listed, given)
    )
    return bool(one) and "".join(one) == "".join(other)


def split_person(listed: str) -> tuple[str, str]:
    """Split "SEMYON A RODKIN MD" into last and first name: ("RODKIN", "SEMYON A")."""
    words = listed.replace(",", " ").split()
    while len(words) > 2 and name_key(words[-1]) in _TITLES:
        words.pop()
    return (words[-1], " ".join(words[:-1])) if words else ("", "")


def _words(text: str) -> list[str]:
    # O'Brien and OBRIEN are one; Smith-Jones and SMITH JONES too, once joined.
    plain = unaccented(re.sub("['\u2019]", "", text))
    return re.findall(r"\w+", plain.upper().replace(".", ""))
