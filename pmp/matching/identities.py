"""A person as some dispenser reported them, and the keys they are compared by.

Pure: no database.  Look-up and matching use the same keys, so that what one finds the
other finds too.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache

import jellyfish

from pmp.matching import placeholders

GENERATIONS = {
    "JR": "2",
    "JUNIOR": "2",
    "II": "2",
    "2ND": "2",
    "SR": "1",
    "SENIOR": "1",
    "III": "3",
    "3RD": "3",
    "IV": "4",
    "4TH": "4",
}
"""What follows a name to tell father from son, and which generation it means."""

# Letters of other alphabets that look like Latin ones, and digits typed for letters.
_LOOK_ALIKES = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0423"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5"
    "\u03a7\u0131\u0141\u00d8\u0110\u00d0\u0405\u0406\u0408\u0555\u054d"
    "015",
    "ABEKMHOPCTXYABEZHIKMNOPTYXILODDSIJOUOIS",
)
_SPELLED = {"\u00c6": "AE", "\u0152": "OE", "\u00de": "TH", "\u1e9e": "SS"}
_NOT_LETTERS = re.compile(r"[^\w]|_|\d")
_BLANKS = re.compile(r"[^\S\x1f ]|  | \x1f|\x1f | \Z|\A ")
_WORDS = re.compile(r"[\s\-,./]+")
_STREET_WORDS = {
    "STREET": "ST",
    "AVENUE": "AVE",
    "ROAD": "RD",
    "DRIVE": "DR",
    "LANE": "LN",
    "COURT": "CT",
    "PLACE": "PL",
    "BOULEVARD": "BLVD",
    "TERRACE": "TER",
    "CIRCLE": "CIR",
    "HIGHWAY": "HWY",
    "NORTH": "N",
    "SOUTH": "S",
    "EAST": "E",
    "WEST": "W",
    "APARTMENT": "APT",
    "UNIT": "APT",
}


@dataclass(frozen=True)
class Identity:
    """One person, or animal, exactly as reported.

    `sex` is F, M, U or “”; `species` is “human” or “animal”; of an animal, the names
    are the owner's and `birth_date` is the animal's or the owner's.
    """

    last: str
    first: str
    middle: str
    suffix: str
    birth_date: date
    sex: str
    street: str
    city: str
    state: str
    zip: str
    phone: str
    species: str = "human"
    animal_name: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal SHA-256 of all of it, but for case and blanks."""
        fields = (
            self.last,
            self.first,
            self.middle,
            self.suffix,
            self.birth_date.isoformat(),
            self.sex,
            self.street,
            self.city,
            self.state,
            self.zip,
            self.phone,
            self.species,
            self.animal_name,
        )
        text = "\x1f".join(fields)
        # Most have no blank too many, which is quickly seen of all fields at once.
        if _BLANKS.search(text) or text.count("\x1f") >= len(fields):
            text = "\x1f".join(" ".join(field.split()) for field in fields)
        text = text.upper()
        return hashlib.sha256(text.encode(errors="replace")).hexdigest()

    @cached_property
    def last_key(self) -> str:
        """The last name as compared."""
        return name_key(self.last)

    @cached_property
    def first_key(self) -> str:
        """The first name as compared."""
        return name_key(self.first)

    @cached_property
    def middle_key(self) -> str:
        """The middle name, or its initial, as compared."""
        return name_key(self.middle)

    @cached_property
    def last_sound(self) -> str:
        """How the last name sounds."""
        return sound(self.last)

    @cached_property
    def generation(self) -> str:
        """“1” for Sr, “2” for Jr or II, “3” for III; “” if nothing tells."""
        if self.suffix and (told := _generation(self.suffix)):
            return told
        return _generation(self.last) or _generation(self.first)

    @cached_property
    def street_key(self) -> str:
        """The street as compared: STREET is ST, blanks do not count; “” for no home."""
        return street_key(self.street)

    @cached_property
    def zip_key(self) -> str:
        """The first five digits of the ZIP code; “” for zeros and their like."""
        return placeholders.zip_digits(self.zip)

    @cached_property
    def phone_key(self) -> str:
        """The digits of the telephone number; “” for none and for 000-0000."""
        return placeholders.phone_digits(self.phone) if self.phone else ""

    @cached_property
    def city_key(self) -> str:
        """The city as compared."""
        return name_key(self.city)

    @cached_property
    def is_nobody(self) -> bool:
        """Whether the name stands for nobody: BABY BOY, JOHN DOE, TEST PATIENT."""
        return placeholders.is_name(self.last_key, self.first_key)

    @cached_property
    def animal_key(self) -> str:
        """The animal's name as compared."""
        return name_key(self.animal_name)


@lru_cache(maxsize=65536)
def _generation(text: str) -> str:
    told = (GENERATIONS[word] for word in reversed(_words(text)) if word in GENERATIONS)
    return next(told, "")


@lru_cache(maxsize=65536)
def name_key(text: str) -> str:
    """Give a name as compared: upper case, Latin letters alone, no Jr or Sr.

    Accents, hyphens, apostrophes, blanks, zero-width characters and case do not
    count; letters that look alike are one letter.
    """
    given = _words(text)
    words = [word for word in given if word not in GENERATIONS] or given
    return _NOT_LETTERS.sub("", "".join(words).translate(_LOOK_ALIKES))


@lru_cache(maxsize=65536)
def name_parts(text: str) -> tuple[str, ...]:
    """Give the parts of a double name as compared: Garcia-Lopez is GARCIA, LOPEZ."""
    parts = (name_key(word) for word in _words(text) if word not in GENERATIONS)
    return tuple(part for part in parts if part)


@lru_cache(maxsize=65536)
def sound(text: str) -> str:
    """Give how a last name sounds (Metaphone): SMITH and SMYTH are one."""
    key = name_key(text)
    return str(jellyfish.metaphone(key))[:64] if key.isascii() else key[:64]


@lru_cache(maxsize=65536)
def street_key(text: str) -> str:
    """Give a street as compared; “” where it says that there is none."""
    if not placeholders.is_home(text.upper()):
        return ""
    return "".join(_STREET_WORDS.get(word, word) for word in _words(text))


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).upper()
    plain = "".join(_SPELLED.get(letter, letter) for letter in plain)
    kept = "".join(
        letter for letter in plain if unicodedata.category(letter) not in {"Mn", "Cf"}
    )
    return [word for word in _WORDS.split(kept) if word]
