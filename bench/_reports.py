"""Reports of people: members with the slips of life, their relatives, and strangers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from bench._population import STREETS, ZIPS, People, address, phone
from pmp.matching import Identity

Noise = Callable[["Reporter", Identity], Identity]

_KEYS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SHORT_FORMS = {
    "WILLIAM": "BILL", "ROBERT": "BOB", "JAMES": "JIM", "MICHAEL": "MIKE",
    "JOSEPH": "JOE", "THOMAS": "TOM", "CHARLES": "CHUCK", "CHRISTOPHER": "CHRIS",
    "DANIEL": "DAN", "MATTHEW": "MATT", "ELIZABETH": "LIZ", "JENNIFER": "JEN",
    "PATRICIA": "PAT", "KATHERINE": "KATE", "MARGARET": "PEGGY", "SUSAN": "SUE",
    "DEBORAH": "DEB", "REBECCA": "BECKY", "ANTHONY": "TONY", "TIMOTHY": "TIM",
    "EDWARD": "ED", "RICHARD": "RICK", "STEVEN": "STEVE", "ANDREW": "ANDY",
    "SAMUEL": "SAM", "BENJAMIN": "BEN", "NICHOLAS": "NICK", "GREGORY": "GREG",
}  # fmt: skip
"""What a few are called; a name that is not here is reported in full."""


@dataclass
class Reporter:
    """Whoever types what they hear."""

    random: Random
    people: People
    alike: dict[str, list[tuple[str, str]]]

    def typo(self, name: str, *, inside: bool = False) -> str:
        """Give a name with one slip of the keyboard, or one between its ends."""
        place = self.random.randrange(len(name))
        if inside:
            if len(name) < len("ADRIAN"):
                return name
            place = self.random.randrange(2, len(name) - 2)
        letter = self.random.choice(_KEYS)
        if len(name) < len("ANNA"):
            return name
        match self.random.randrange(4):
            case 0:
                return name[:place] + letter + name[place + 1 :]
            case 1:
                return name[:place] + name[place + 1 :]
            case 2:
                return name[:place] + letter + name[place:]
            case _:
                place = max(1, place)
                return (
                    name[: place - 1]
                    + name[place]
                    + name[place - 1]
                    + name[place + 1 :]
                )

    def slip(self, day: date) -> date:
        """Give a date with day and month swapped, or one digit of the day wrong."""
        try:
            swapped = date(day.year, day.day, day.month)
        except ValueError:
            swapped = day
        if swapped != day and self.random.random() < 0.5:
            return swapped
        tens, ones = divmod(day.day, 10)
        wrong = tens * 10 + (ones + self.random.randrange(1, 9)) % 10
        try:
            return day.replace(day=wrong)
        except ValueError:
            return day + timedelta(days=1 if day.day % 10 < 9 else -1)

    def move(self, who: Identity) -> Identity:
        """Give the same person in another town."""
        home = self.random.randrange(60 * ZIPS * STREETS)
        street, city, zip_code = address(home)
        return replace(who, street=street, city=city, zip=zip_code)

    def new_phone(self, who: Identity) -> Identity:
        """Give the same person with another telephone."""
        return replace(who, phone=phone(self.random.randrange(31_600_000)))

    def stranger(self) -> Identity:
        """Give somebody of the people, whoever it is."""
        return self.people.identity(self.random.randrange(len(self.people)))


def _written(_: Reporter, who: Identity) -> Identity:
    first, last = who.first.title(), who.last.title()
    return replace(who, first=first, last=last, street=f"{who.street}.", middle="")


def _short(_: Reporter, who: Identity) -> Identity:
    return replace(who, first=_SHORT_FORMS.get(who.first, who.first))


def _swapped(_: Reporter, who: Identity) -> Identity:
    return replace(who, first=who.last, last=who.first)


def _double(by: Reporter, who: Identity) -> Identity:
    return replace(who, last=f"{who.last}-{by.stranger().last}")


def _moved_and_new_phone(by: Reporter, who: Identity) -> Identity:
    return by.new_phone(by.move(who))


def _no_phone_placeholder_home(by: Reporter, who: Identity) -> Identity:
    phone_number = by.random.choice(["", "0000000000", "9999999999", "2035551212"])
    street = by.random.choice(["GENERAL DELIVERY", "UNKNOWN", "HOMELESS", who.street])
    return replace(who, phone=phone_number, street=street)


MUST_LINK: dict[str, Noise] = {
    "written otherwise": _written,
    "typo in the last name": lambda by, who: replace(who, last=by.typo(who.last)),
    "typo within the first name": lambda by, who: replace(
        who, first=by.typo(who.first, inside=True)
    ),
    "short form": _short,
    "names swapped": _swapped,
    "double name": _double,
    "moved": lambda by, who: by.move(who),
    "new phone": lambda by, who: by.new_phone(who),
    "moved, new phone": _moved_and_new_phone,
    "no phone, placeholders": _no_phone_placeholder_home,
    "slip in the birth date": lambda by, who: replace(
        who, birth_date=by.slip(who.birth_date)
    ),
    "no middle name, no sex": lambda _, who: replace(who, middle="", sex="U"),
}
"""One slip, or none, of one who lives where they lived or was born when they were."""

MAY_BE_REVIEWED: dict[str, Noise] = {
    "changed last name": lambda by, who: replace(who, last=by.stranger().last),
    "changed last name, moved": lambda by, who: by.move(
        replace(who, last=by.stranger().last)
    ),
    "slip in the birth date, moved": lambda by, who: by.move(
        replace(who, birth_date=by.slip(who.birth_date))
    ),
    "typo anywhere in the first name": lambda by, who: replace(
        who, first=by.typo(who.first)
    ),
    "two typos": lambda by, who: replace(
        who, last=by.typo(who.last), first=by.typo(who.first)
    ),
}
"""What a person of the staff should look at, or nobody can know.

Where a name begins and ends, a slip may be the name of a twin, until so many people are
stored that it is known what a name is.
"""


def twin(by: Reporter, who: Identity, *, alike: bool) -> tuple[Identity, Identity]:
    """Give one (with another first name if `alike`) and their twin."""
    if alike:
        one, another = by.random.choice(by.alike[who.sex])
        who = replace(who, first=one)
        return who, replace(who, first=another, middle="")
    other = by.stranger()
    while other.first == who.first:
        other = by.stranger()
    return who, replace(who, first=other.first, sex=other.sex, middle=other.middle)


def junior(by: Reporter, who: Identity) -> Identity:
    """Give a child with the same name and home; Jr is written by few."""
    years = by.random.randrange(17, 45)
    born = who.birth_date + timedelta(
        days=round(years * 365.25) + by.random.randrange(365)
    )
    if by.random.random() < 0.1:  # on the parent's birthday
        born = date(born.year, who.birth_date.month, min(28, who.birth_date.day))
    suffix = "JR" if by.random.random() < 0.3 else ""
    return replace(who, birth_date=born, suffix=suffix)
