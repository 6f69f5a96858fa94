"""The made-up people, pharmacies and prescribers of synthetic submissions."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from pmp import identifiers

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
    "ELIZABETH": "BETH",
    "KATHERINE": "KATE",
    "MARGARET": "PEGGY",
    "WILLIAM": "BILL",
    "RICHARD": "RICK",
    "THOMAS": "TOM",
    "DANIEL": "DAN",
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
_ANIMALS = ("REX", "MITZI", "BUSTER", "LUNA", "CLOVER")


@dataclass(frozen=True)
class Drug:
    """A product with a usual supply."""

    ndc: str
    quantity: int
    days: int
    unit: str = "01"


_DRUGS = (
    Drug("00406051201", 60, 30),
    Drug("00406012301", 20, 5),
    Drug("00406012501", 90, 30),
    Drug("00406055201", 30, 10),
    Drug("00093005801", 60, 30),
    Drug("00781106101", 30, 30),
    Drug("00781107701", 60, 30),
    Drug("00093083301", 60, 30),
    Drug("00093060701", 30, 30),
    Drug("00093007401", 30, 30),
    Drug("00406889301", 60, 30),
    Drug("59417010310", 30, 30),
    Drug("00406112201", 60, 30),
    Drug("12496120801", 28, 14),
    Drug("00093103801", 90, 30),
    Drug("00406831501", 60, 30),
    Drug("00591551301", 30, 10),
    Drug("00406855550", 240, 8, "02"),
)


@dataclass(frozen=True)
class Shop:
    """A pharmacy."""

    dea: str
    npi: str
    ncpdp: str
    name: str
    street: str
    city: str
    zip: str
    phone: str
    permit: str
    pharmacist: str


@dataclass(frozen=True)
class Prescriber:
    """Someone who prescribes."""

    dea: str
    npi: str
    licence: str
    last: str
    first: str
    phone: str


@dataclass(frozen=True)
class Person:
    """A patient, or an animal with its owner's names; `key` is who it truly is."""

    key: str
    last: str
    first: str
    middle: str
    suffix: str
    born: date
    sex: str
    street: str
    city: str
    zip: str
    phone: str
    licence: str
    species: str = "01"
    animal: str = ""

    def as_reported(self, random: Random) -> "Person":
        """Give the person as a pharmacy may write them down: mostly right."""
        drawn = random.random()
        if drawn > 0.06 or self.species == "02":
            return self
        if drawn > 0.045:
            return replace(self, phone=_phone(random))
        if drawn > 0.03:
            return replace(self, first=_SHORT.get(self.first, self.first))
        if drawn > 0.02:
            return replace(self, last=_slip(self.last, random))
        if drawn > 0.01:
            return replace(self, middle="")
        place = _somewhere(random)
        return replace(
            self, street=place["street"], city=place["city"], zip=place["zip"]
        )


def make_shops(random: Random, count: int) -> list[Shop]:
    """Make pharmacies with numbers of their own."""
    shops = []
    for number in range(1, count + 1):
        place = _somewhere(random)
        shops.append(
            Shop(
                dea=identifiers.whole_dea("BX", 500_000 + number),
                npi=identifiers.whole_npi(100_000_000 + 300_000 + number),
                ncpdp=identifiers.whole_ncpdp(70_000 + number),
                name=f"{random.choice(_STREETS)} STREET PHARMACY {number}",
                street=place["street"],
                city=place["city"],
                zip=place["zip"],
                phone=_phone(random),
                permit=f"PCY.{number:07}",
                pharmacist=identifiers.whole_npi(100_000_000 + 400_000 + number),
            )
        )
    return shops


def make_prescribers(random: Random, count: int) -> list[Prescriber]:
    """Make prescribers with numbers of their own."""
    return [
        Prescriber(
            dea=identifiers.whole_dea("AX", 600_000 + number),
            npi=identifiers.whole_npi(100_000_000 + 500_000 + number),
            licence=f"{number:06}",
            last=random.choice(_LAST),
            first=random.choice(_WOMEN + _MEN),
            phone=_phone(random),
        )
        for number in range(1, count + 1)
    ]


def make_people(random: Random, count: int) -> list[Person]:
    """Make people; some are twins, some father and son of one name, some animals."""
    people: list[Person] = []
    while len(people) < count:
        person = _person(random, len(people))
        people.append(person)
        people += _kin(person, random, len(people))
    return people[:count]


def pick_drug(random: Random) -> Drug:
    """Draw a product."""
    return random.choice(_DRUGS)


def _person(random: Random, number: int) -> Person:
    sex = random.choice("FM")
    return Person(
        key=f"P{number:06}",
        last=random.choice(_LAST),
        first=random.choice(_WOMEN if sex == "F" else _MEN),
        middle=random.choice("ABCDEFGHJKLMNPRSTW") if random.random() < 0.6 else "",
        suffix="",
        born=date(1930, 1, 1) + timedelta(days=random.randrange(28_000)),
        sex=sex,
        phone=_phone(random),
        licence=f"{random.randrange(10**9):09}",
        **_somewhere(random),
    )


def _kin(person: Person, random: Random, number: int) -> list[Person]:
    drawn, licence = random.random(), f"{random.randrange(10**9):09}"
    other = replace(person, key=f"P{number:06}", licence=licence, middle="")
    if drawn < 0.01:
        names = _WOMEN if person.sex == "F" else _MEN
        twin = random.choice([name for name in names if name[0] != person.first[0]])
        return [replace(other, first=twin)]
    if drawn < 0.02 and person.sex == "M":
        born = person.born - timedelta(days=365 * 27 + random.randrange(900))
        return [replace(other, suffix="SR", born=max(born, date(1910, 1, 1)))]
    if drawn < 0.03:
        animal = random.choice(_ANIMALS)
        born = date(2018, 1, 1) + timedelta(days=random.randrange(2000))
        return [replace(other, species="02", animal=animal, born=born, sex="U")]
    return []


def _slip(name: str, random: Random) -> str:
    """Swap two letters inside a name."""
    place = random.randrange(1, len(name) - 2)
    swapped = name[place + 1] + name[place]
    return name[:place] + swapped + name[place + 2 :]


def _somewhere(random: Random) -> dict[str, str]:
    city, zip_code = random.choice(_PLACES)
    street = f"{random.randint(1, 999)} {random.choice(_STREETS)} ST"
    return {"street": street, "city": city, "zip": zip_code}


def _phone(random: Random) -> str:
    return f"{random.choice(_AREAS)}55501{random.randrange(100):02}"
