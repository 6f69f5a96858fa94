"""Who is in the demo: practitioners, pharmacies, patients. All of them are made up."""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from pmp.identifiers import whole_dea, whole_ncpdp, whole_npi

SEED = 2026
PRACTITIONERS = 40
PHARMACIES = 12
PATIENTS = 300

_LAST = [
    "Abbott",
    "Barlow",
    "Carver",
    "Dunmore",
    "Eastman",
    "Farrow",
    "Gibbons",
    "Hadley",
    "Ingram",
    "Jarvis",
    "Keating",
    "Lorimer",
    "Mercer",
    "Nolan",
    "Osgood",
    "Prescott",
    "Quimby",
    "Radley",
    "Sutter",
    "Thorne",
    "Underhill",
    "Varga",
    "Whitlock",
    "Yardley",
    "Zeller",
    "Almeida",
    "Bianchi",
    "Castillo",
    "Desai",
    "Eriksen",
    "Fontaine",
    "Guerra",
    "Haddad",
    "Ivanov",
    "Jankowski",
    "Kaplan",
    "Lindgren",
    "Moreau",
    "Novak",
    "Okafor",
    "Petrov",
    "Quinlan",
    "Rossi",
    "Santos",
    "Tanaka",
    "Ueda",
    "Vasquez",
    "Wójcik",
    "Xavier",
    "Yamada",
    "Zhang",
    "Núñez",
    "Çelik",
    "O'Malley",
]
_WOMEN = [
    "Alice",
    "Beatrix",
    "Carmen",
    "Delia",
    "Edith",
    "Flora",
    "Greta",
    "Helen",
    "Irene",
    "Joan",
    "Klara",
    "Lucia",
    "Maud",
    "Nadia",
    "Olive",
    "Paula",
    "Renée",
    "Sofia",
    "Thelma",
    "Ursula",
    "Vera",
    "Wanda",
    "Yvonne",
    "Zoe",
]
_MEN = [
    "Albert",
    "Boris",
    "Cyril",
    "Dennis",
    "Edgar",
    "Felix",
    "George",
    "Hugo",
    "Ivan",
    "Jonas",
    "Karl",
    "Leo",
    "Martin",
    "Nestor",
    "Otto",
    "Peter",
    "Quentin",
    "Ralph",
    "Samuel",
    "Tomás",
    "Ulrich",
    "Victor",
    "Walter",
    "Xavier",
]
_STREETS = [
    "Maple St",
    "Oak St",
    "Chapel St",
    "Grove Ave",
    "Prospect Ave",
    "Farm Rd",
    "Mill Rd",
    "Whitney Ave",
    "Pleasant St",
    "Church St",
    "River Rd",
    "Spring St",
]
_TOWNS = (
    ("Hartford", "06106"),
    ("New Haven", "06510"),
    ("Hamden", "06514"),
    ("Bridgeport", "06604"),
    ("Stamford", "06901"),
    ("Waterbury", "06702"),
    ("Norwich", "06360"),
    ("Danbury", "06810"),
)
_DEGREES = ("MD", "MD", "MD", "DO", "APRN", "PA", "DDS")
_SHOPS = [
    "Main Pharmacy",
    "Elm Pharmacy",
    "Shoreline Rx",
    "Mill River Drug",
    "Grove Street Pharmacy",
    "Capitol Apothecary",
    "Harbor Drug",
    "Northside Pharmacy",
    "Lakeview Drug",
    "Union Pharmacy",
    "Old Mill Apothecary",
    "Route 9 Pharmacy",
]


@dataclass(frozen=True)
class Practitioner:
    """A prescriber with a licence; `fax` and `email` are empty where there is none."""

    last: str
    first: str
    degree: str
    licence: str
    dea: str
    npi: str
    street: str
    city: str
    zip: str
    phone: str
    fax: str
    email: str


@dataclass(frozen=True)
class Shop:
    """A pharmacy with a licence."""

    name: str
    licence: str
    dea: str
    npi: str
    ncpdp: str
    street: str
    city: str
    zip: str
    phone: str
    fax: str
    email: str


@dataclass(frozen=True)
class Person:
    """A patient as a pharmacy would report one."""

    last: str
    first: str
    birth_date: date
    sex: str
    street: str
    city: str
    zip: str
    phone: str


@dataclass(frozen=True)
class Cast:
    practitioners: tuple[Practitioner, ...]
    shops: tuple[Shop, ...]
    people: tuple[Person, ...]


def make(*, scale: float, today: date) -> Cast:
    """Make the cast; `scale` 1 is about 300 patients. Nobody in it exists."""
    dice = random.Random(SEED)  # noqa: S311 - the same people each time
    return Cast(
        practitioners=tuple(_practitioner(n, dice) for n in range(PRACTITIONERS)),
        shops=tuple(_shop(n, dice) for n in range(PHARMACIES)),
        people=tuple(
            _person(n, dice, today) for n in range(max(10, int(PATIENTS * scale)))
        ),
    )


def number(area: str, n: int) -> str:
    """Give a telephone number that nobody has: 555-0100 to 555-0199."""
    return f"{area}55501{n % 100:02d}"


def _practitioner(n: int, dice: random.Random) -> Practitioner:
    last, first = _LAST[n], dice.choice(_WOMEN + _MEN)
    degree = dice.choice(_DEGREES)
    if n < 2:
        last, first, degree = (("Adams", "Ruth"), ("Brown", "Lee"))[n] + ("MD",)
    town, zip_code = dice.choice(_TOWNS)
    street = f"{dice.randint(2, 900)} {dice.choice(_STREETS)}"
    reach = "fax and email" if n < 2 else ("fax", "email", "neither")[n % 3]
    if n == 11:  # no way to reach this one is on file: a delivery for staff
        street = ""
    return Practitioner(
        last=last,
        first=first,
        degree=degree,
        licence=f"CSP.{12001 + n:07d}",
        dea=_dea("AB"[n % 2], last, 130000 + 37 * n),
        npi=whole_npi(176543000 + n),
        street=street.strip(", "),
        city=town,
        zip=zip_code,
        phone=number("860", n),
        fax=number("203", n) if "fax" in reach else "",
        email=f"{_plain(first)}.{_plain(last)}@example.org" if "email" in reach else "",
    )


def _shop(n: int, dice: random.Random) -> Shop:
    town, zip_code = dice.choice(_TOWNS)
    name = _SHOPS[n]
    return Shop(
        name=name,
        licence=f"PCY.{1001 + n:07d}",
        dea=_dea("F", name, 510000 + 41 * n),
        npi=whole_npi(123456000 + n),
        ncpdp=whole_ncpdp(70000 + n * 7),
        street=f"{dice.randint(2, 900)} {dice.choice(_STREETS)}",
        city=town,
        zip=zip_code,
        phone=number("860", 50 + n),
        fax=number("203", 50 + n) if n % 4 != 3 else "",
        email=f"{_plain(name.split()[0])}@example.org" if n % 2 == 0 else "",
    )


def _person(n: int, dice: random.Random, today: date) -> Person:
    woman = dice.random() < 0.5
    town, zip_code = dice.choice(_TOWNS)
    age = timedelta(days=dice.randint(19 * 365, 88 * 365))
    return Person(
        last=_LAST[(n * 7) % len(_LAST)].upper(),
        first=dice.choice(_WOMEN if woman else _MEN).upper(),
        birth_date=today - age,
        sex="F" if woman else "M",
        street=f"{dice.randint(2, 900)} {dice.choice(_STREETS)}".upper(),
        city=town.upper(),
        zip=zip_code,
        phone=number("959", dice.randint(0, 99)),
    )


def _plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isascii() and c.isalnum()) or "office"


def _dea(first: str, name: str, number: int) -> str:
    second = next((c for c in name.upper() if c.isascii() and c.isalpha()), "X")
    return whole_dea(first + second, number)
