"""The made-up patients of synthetic submissions, and how pharmacies write them down.

Everything is drawn with `random()` alone, whose sequence for a seed is the same on
every machine and in every version of Python.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

Draw = Callable[[], float]
Any1 = TypeVar("Any1")

_LAST_NAMES = (
    "ABBEY ALDERTON BARNSWORTH BELLWETHER BIRCHALL BRACKENBURY CALLOWHILL CARDEW"
    " CHESTERLEY COLDSTREAM CRANMORE DAVENHALL DELACOURTE DUNWOODY EASTERBROOK"
    " ELLINGHAM FAIRWEATHER FENNIMORE FOXGLOVE GARRIDO-VEGA GOLDFINCH GREENHALGH"
    " HALLORAN HARKNESS HOLLYOAK INGLEBY JESSAMINE KINGSWELL KOWALSKA LARKSPUR"
    " LINDQVIST LOCKRIDGE MARCHBANKS MERRIWEATHER MONTALVO NIGHTINGALE NOVAKOVIC"
    " OAKENSHAW OBERLANDER PELLEGRIN PENHALIGON QUILLFEATHER RAVENSCROFT ROSEWARNE"
    " SALTONSTALL SANTAMARINA SILVERTHORNE SMITH STANNARD THISTLEWOOD TREVELYAN"
    " UNDERHILL VANDERMEER VILLALOBOS WAVERLEY WHITLOCK WINTERBOURNE YARROW ZIMMERLY"
)
_WOMEN_NAMES = (
    "ABIGAIL AMELIA BEATRICE CAROLINE CHARLOTTE DOROTHY ELEANOR ELIZABETH FLORENCE"
    " GENEVIEVE HARRIET ISABEL JOSEPHINE KATHERINE LOUISE MARGARET NATALIE OLIVIA"
    " PATRICIA ROSALIND SUSAN THERESA VICTORIA WINIFRED"
)
_MEN_NAMES = (
    "ALEXANDER BENJAMIN CHARLES DANIEL EDWARD FREDERICK GREGORY HENRY JAMES KENNETH"
    " LAWRENCE MATTHEW NATHANIEL OLIVER PATRICK RICHARD SAMUEL THEODORE THOMAS VINCENT"
    " WALTER WILLIAM"
)
_LAST = _LAST_NAMES.split()
_WOMEN = _WOMEN_NAMES.split()
_MEN = _MEN_NAMES.split()
_SHORT = {
    "ALEXANDER": "ALEX",
    "BENJAMIN": "BEN",
    "CHARLES": "CHUCK",
    "EDWARD": "TED",
    "ELIZABETH": "BETH",
    "KATHERINE": "KATE",
    "MARGARET": "PEGGY",
    "WILLIAM": "BILL",
    "RICHARD": "RICK",
    "THOMAS": "TOM",
    "DANIEL": "DAN",
    "MATTHEW": "MATT",
    "PATRICIA": "PAT",
    "SAMUEL": "SAM",
    "SUSAN": "SUE",
    "THERESA": "TERRY",
    "VICTORIA": "VICKY",
}
_STREET_NAMES = "MAPLE ELM OAK CHAPEL WHALLEY ORANGE PROSPECT FOREST RIVER HILLSIDE"
_STREETS = _STREET_NAMES.split()
_PLACES = (
    ("NEW HAVEN", "06510"),
    ("HAMDEN", "06514"),
    ("HARTFORD", "06106"),
    ("WATERBURY", "06702"),
    ("NORWALK", "06850"),
    ("NEW LONDON", "06320"),
    ("TORRINGTON", "06790"),
)
_AREAS = ("203", "475", "860", "959")
_ADDRESSES = [f"{n} {street} ST" for street in _STREETS for n in range(1, 1000)]
_NUMBERS = [f"{area}55501{n:02}" for area in _AREAS for n in range(90)]
_SHOP_NUMBERS = [f"{area}55501{n}" for area in _AREAS for n in range(90, 100)]
_ANIMALS = ("REX", "MITZI", "BUSTER", "LUNA", "CLOVER")


_PHONES = ("0000000000", "9999999999", "")
_STREETS_UNKNOWN = ("NOT ON FILE", "UNKNOWN", "GENERAL DELIVERY")
_FIRST_BIRTH = date(1930, 1, 1).toordinal()
_BIRTH_DAYS = 28_000
NOISE = 0.09
"""So many of the ways a pharmacy has a person on file have something amiss."""


# Most people are never seen at a pharmacy: they share this one.
_NOWHERE: dict[int, str] = {}


class Person:
    """A patient, or an animal with its owner's names; `key` is who it truly is.

    `born` is CCYYMMDD.  What changes in a life (address, phone, last name) changes
    here; `on_file` is how each pharmacy, by its place in the state, writes the person.
    """

    __slots__ = (
        "animal", "born", "city", "first", "home", "key", "last", "licence", "middle",
        "on_file", "phone", "sex", "species", "street", "suffix", "zip",
    )  # fmt: skip

    def __init__(self, key: str, names: tuple[str, str, str], born: str) -> None:
        self.key = key
        self.last, self.first, self.sex = names
        self.born = born
        self.middle = self.suffix = self.animal = self.licence = ""
        self.street = self.city = self.zip = self.phone = ""
        self.species = "01"
        self.home = 0
        self.on_file = _NOWHERE

    def as_written_by(
        self, pharmacy: int, phone: str, random: Draw, *, odd: bool = True
    ) -> str:
        """Give the PAT segment of a pharmacy, which stays as it was first written.

        `phone` is the pharmacy's own, which some give for the patient's.  What is
        amiss may be `odd`: such as a reader warns of.
        """
        found = self.on_file.get(pharmacy)
        if found is None:
            changes = {}
            if random() < NOISE and self.species == "01":
                noise = pick(random, _NOISES if odd else _NOISES[:_PLAIN])
                changes = noise(self, phone, random)
            found = self._write(pharmacy, changes)
        return found

    def written_right_by(self, pharmacy: int) -> None:
        """Have a pharmacy write the person as it is now, with nothing amiss."""
        self._write(pharmacy, {})

    def move(self, random: Draw) -> None:
        """Give the person another address, which every pharmacy learns."""
        self.street, self.city, self.zip = somewhere(random)
        self.on_file = _NOWHERE

    def marry(self, random: Draw) -> None:
        """Give the person another last name."""
        self.last = pick(random, _LAST)
        self.on_file = _NOWHERE

    def change_phone(self, random: Draw) -> None:
        """Give the person another phone number."""
        self.phone = phone_number(random)
        self.on_file = _NOWHERE

    def _write(self, pharmacy: int, changes: dict[str, str]) -> str:
        if self.on_file is _NOWHERE:
            self.on_file = {}
        found = self.on_file[pharmacy] = _segment(self, changes)
        return found


def pick(random: Draw, things: Sequence[Any1]) -> Any1:
    """Draw one of several."""
    return things[int(random() * len(things))]


def make_people(random: Draw, count: int) -> list[Person]:
    """Make people; some are twins, some father and son of one name, some animals."""
    people: list[Person] = []
    while len(people) < count:
        person = make_person(random, len(people))
        people.append(person)
        if random() < 0.03:
            people.append(_kin(person, random, len(people)))
    del people[count:]
    return people


def make_person(random: Draw, number: int) -> Person:
    """Make one person; the number makes its key."""
    sex = "F" if random() < 0.54 else "M"
    last = _LAST[int(random() * random() * len(_LAST))]  # some names are common
    names = _WOMEN if sex == "F" else _MEN
    first = names[int(random() * len(names))]
    born = date.fromordinal(_FIRST_BIRTH + int(random() * _BIRTH_DAYS))
    text = f"{born.year}{born.month:02}{born.day:02}"
    person = Person(f"P{number:07}", (last, first, sex), text)
    if random() < 0.6:
        person.middle = pick(random, "ABCDEFGHJKLMNPRSTW")
    person.licence = f"{int(random() * 10**9):09}"
    person.street, person.city, person.zip = somewhere(random)
    person.phone = _NUMBERS[int(random() * len(_NUMBERS))]
    return person


def make_twin(person: Person, random: Draw, number: int) -> Person:
    """Make a twin: the same last name, birth date, address and phone."""
    names = _WOMEN if person.sex == "F" else _MEN
    others = [name for name in names if name[0] != person.first[0]]
    return _relative(person, pick(random, others), random, number)


def misspelt(name: str, random: Draw) -> str:
    """Swap two letters inside a name."""
    place = 1 + int(random() * (len(name) - 3))
    swapped = name[place + 1] + name[place]
    return name[:place] + swapped + name[place + 2 :]


def somewhere(random: Draw) -> tuple[str, str, str]:
    """Give a street, city and ZIP code."""
    city, zip_code = _PLACES[int(random() * len(_PLACES))]
    return _ADDRESSES[int(random() * len(_ADDRESSES))], city, zip_code


def phone_number(random: Draw) -> str:
    """Give a phone number that nobody has."""
    return pick(random, _NUMBERS)


def pharmacy_phone(random: Draw) -> str:
    """Give a phone number that nobody has but pharmacies."""
    return pick(random, _SHOP_NUMBERS)


def adult_name(random: Draw) -> tuple[str, str]:
    """Give a last and a first name."""
    return pick(random, _LAST), pick(random, _WOMEN + _MEN)


def _relative(person: Person, first: str, random: Draw, number: int) -> Person:
    other = Person(f"P{number:07}", (person.last, first, person.sex), person.born)
    other.licence = f"{int(random() * 10**9):09}"
    other.street, other.city, other.zip = person.street, person.city, person.zip
    other.phone = person.phone
    return other


def _kin(person: Person, random: Draw, number: int) -> Person:
    drawn = random()
    if drawn < 0.33:
        return make_twin(person, random, number)
    other = _relative(person, person.first, random, number)
    if drawn < 0.66 and person.sex == "M":
        born = date(int(person.born[:4]) - 27, 1 + int(random() * 12), 14)
        other.born = f"{max(born, date(1910, 1, 14)):%Y%m%d}"
        other.suffix, person.suffix = "SR", "JR"
        return other
    other.species, other.sex = "02", "U"
    other.animal = pick(random, _ANIMALS)
    other.born = f"{2018 + int(random() * 5)}{1 + int(random() * 12):02}11"
    return other


def _noise_of_address(person: Person, _: str, random: Draw) -> dict[str, str]:
    del person
    street, city, zip_code = somewhere(random)
    return {"street": street, "city": city, "zip": zip_code}


def _noise_of_birth(person: Person, _: str, random: Draw) -> dict[str, str]:
    """Swap month and day, where that is a date."""
    del random
    year, month, day = person.born[:4], person.born[4:6], person.born[6:]
    return {"born": year + day + month if day <= "12" else person.born}


_NOISES: tuple[Callable[[Person, str, Draw], dict[str, str]], ...] = (
    lambda person, _, random: {"last": misspelt(person.last, random)},
    lambda person, _, random: {"first": misspelt(person.first, random)},
    lambda person, _phone, _draw: {"first": _SHORT.get(person.first, person.first)},
    lambda person, _phone, _draw: {"last": person.first, "first": person.last},
    lambda _person, _phone, random: {"phone": phone_number(random)},
    lambda _person, _phone, _draw: {"middle": "", "licence": ""},
    _noise_of_address,
    _noise_of_birth,
    lambda _person, phone, _draw: {"phone": phone},
    lambda _person, _phone, random: {"phone": pick(random, _PHONES)},
    lambda _person, _phone, random: {"street": pick(random, _STREETS_UNKNOWN)},
)
_PLAIN = 8


def _segment(person: Person, changes: dict[str, str]) -> str:
    names = (
        "licence", "last", "first", "middle", "suffix", "street", "city", "zip",
        "phone", "born", "sex", "species", "animal",
    )  # fmt: skip
    (
        licence, last, first, middle, suffix, street, city, zip_code, phone, born, sex,
        species, animal,
    ) = (
        [changes.get(name, getattr(person, name)) for name in names]
        if changes
        else (
            person.licence, person.last, person.first, person.middle, person.suffix,
            person.street, person.city, person.zip, person.phone, person.born,
            person.sex, person.species, person.animal,
        )
    )  # fmt: skip
    head = f"CT*06*{licence}" if licence else "**"
    return (
        f"PAT*{head}****{last}*{first}*{middle}**{suffix}*{street}**{city}*CT"
        f"*{zip_code}*{phone}*{born}*{sex}*{species}*01**{animal}~\n"
    )
