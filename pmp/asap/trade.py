"""The made-up pharmacies, prescribers and products of synthetic submissions.

Numbers have fitting check digits and are nobody's; the products are real.
"""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar

from pmp import identifiers
from pmp.asap.cast import (
    Draw,
    adult_name,
    pharmacy_phone,
    phone_number,
    pick,
    somewhere,
)

T = TypeVar("T")
_NAMES = (
    "MAPLE", "ELM", "OAK", "CHAPEL", "WHALLEY", "ORANGE", "PROSPECT", "FOREST", "RIVER",
)  # fmt: skip
_CHAINS = (("BELLWETHER PHARMACY", 0.4, True), ("GREENLEAF DRUG", 0.2, True),
           ("HARBOR RX", 0.1, False))  # fmt: skip
"""Name, share of the pharmacies, and whether they send one file for all of them."""

_PLACES = 16
_TAIL = 2.7
"""Prescriber n writes in proportion to 1 / (n + this): few most, many little."""


class Drug:
    """A product with a usual supply; `supply` is DSP07 to DSP11.

    `weight` is its share of what is dispensed, in proportion.
    """

    __slots__ = ("days", "ndc", "refills", "supply", "weight")

    def __init__(
        self,
        ndc: str,
        quantity: int,
        days: int,
        weight: float,
        refills: int = 0,
        unit: str = "01",
    ) -> None:
        self.ndc, self.days, self.weight, self.refills = ndc, days, weight, refills
        self.supply = f"01*{ndc}*{quantity}*{days}*{unit}"


CHRONIC = (
    Drug("00093103801", 90, 30, 14, 5),  # gabapentin
    Drug("00093005801", 120, 30, 8, 5),  # tramadol
    Drug("00093083201", 60, 30, 7, 5),  # clonazepam
    Drug("00781107701", 60, 30, 8, 5),  # alprazolam
    Drug("00093060701", 30, 30, 5, 2),  # lorazepam
    Drug("00093007401", 30, 30, 8, 5),  # zolpidem
    Drug("00406012501", 90, 30, 7),  # hydrocodone
    Drug("00406051201", 60, 30, 6),  # oxycodone with acetaminophen
    Drug("00406853001", 90, 30, 2),  # oxycodone 30 mg
    Drug("00406831501", 60, 30, 2),  # morphine, extended release
    Drug("00378912116", 10, 30, 1),  # fentanyl patches
    Drug("00406889301", 60, 30, 8),  # amphetamine
    Drug("59417010310", 30, 30, 6),  # lisdexamfetamine
    Drug("00406013601", 30, 30, 5),  # methylphenidate, extended release
    Drug("12496120801", 56, 28, 6, 2),  # buprenorphine with naloxone
    Drug("00069101268", 60, 30, 4, 5),  # pregabalin
    Drug("00051846233", 75, 30, 2, 5, "03"),  # testosterone gel
    Drug("00406577101", 90, 30, 1),  # methadone
)
ACUTE = (
    Drug("00406012301", 20, 5, 22),  # hydrocodone
    Drug("00406051201", 20, 5, 14),  # oxycodone with acetaminophen
    Drug("00406055201", 15, 3, 9),  # oxycodone
    Drug("00093005801", 20, 5, 12),  # tramadol
    Drug("00406048401", 20, 5, 8),  # codeine
    Drug("00591551301", 30, 10, 6),  # carisoprodol
    Drug("00781106101", 10, 5, 7),  # alprazolam
    Drug("00093047301", 10, 5, 7),  # diazepam
    Drug("00406991601", 15, 15, 4),  # temazepam
    Drug("00406855550", 120, 4, 2, 0, "02"),  # oxycodone, solution
    Drug("00093103801", 42, 14, 9),  # gabapentin
)
SHORT_SUPPLY = Drug("00406012301", 8, 2, 0)
"""Of 48 hours: it is not reported."""

OPIOID, BENZODIAZEPINE, STRONG = CHRONIC[7], CHRONIC[3], CHRONIC[8]


def by_weight(things: Sequence[T], weights: Sequence[float]) -> list[T]:
    """Give a table of things from which `pick` draws in proportion to their weights.

    Each has its rounded share of at least sixteen places a thing.
    """
    sums = list(accumulate(weights))
    size = max(1024, _PLACES * len(things))
    step = sums[-1] / size
    return [
        things[bisect(sums, (place + 0.5) * step, 0, len(sums) - 1)]
        for place in range(size)
    ]


class Prescriber:
    """Someone who prescribes; `segment` is the PRE of 4.2A on, `short` that of 4.2."""

    __slots__ = ("dea", "segment", "short")

    def __init__(self, number: int, random: Draw) -> None:
        last, first = adult_name(random)
        self.dea = identifiers.whole_dea("AX", number)
        npi = identifiers.whole_npi(100_000_000 + 10_000_000 + number)
        self.short = (
            f"PRE*{npi}*{self.dea}**{number:06}*{last}*{first}**{phone_number(random)}"
        )
        self.segment = f"{self.short}**CT~\n"
        self.short += "~\n"


class Sender:
    """Who sends files: a chain, or a pharmacy of its own; `version` is its software's.

    `one_file`: the chain sends one file for all of its pharmacies.
    """

    def __init__(self, code: str, name: str, version: str, *, one_file: bool) -> None:
        self.code, self.name, self.version = code, name, version
        self.one_file = one_file
        self.phone = ""
        self.stores: list[Store] = []


class Store:
    """A pharmacy, and the page that it fills in the course of a day.

    `texts` are its records, `rows` what is true of them (lines of the truth, from the
    person on), `further` how many segments the records have beyond three each.
    """

    def __init__(self, number: int, sender: Sender, random: Draw) -> None:
        self.number, self.sender = number, sender
        self.dea = identifiers.whole_dea("BX", number)
        npi = identifiers.whole_npi(100_000_000 + 20_000_000 + number)
        ncpdp = identifiers.whole_ncpdp(70_000 + number - 500_000)
        street, city, zip_code = somewhere(random)
        self.phone = pharmacy_phone(random)
        site = len(sender.stores) + 1
        name = f"{sender.name} {site}" if sender.one_file else sender.name
        self.segment = (
            f"PHA*{npi}*{ncpdp}*{self.dea}*{name}*{street}**{city}*CT*{zip_code}"
            f"*{self.phone}*PHARMACIST ON DUTY*{site}"
        )
        self.segment += "~\n" if sender.version == "4.2" else f"*PCY.{number:07}~\n"
        pharmacist = identifiers.whole_npi(100_000_000 + 30_000_000 + number)
        self.staff = f"{pharmacist}*PCT.{number:07}"
        self.closed_on_sundays = sender.code.startswith("SHOP")
        self.weight = 0.4 + 1.2 * random()
        self.prescription = 1_000_000 + int(random() * 1_000_000)
        self.texts: list[str] = []
        self.rows: list[str] = []
        self.further = 0

    def next_prescription(self) -> str:
        """Give a prescription number that was not used here before."""
        self.prescription += 1
        return str(self.prescription)

    def segment_of(self, prescriber: Prescriber) -> str:
        """Write a prescriber down in this pharmacy's version."""
        if self.sender.version == "4.2":
            return prescriber.short
        return prescriber.segment

    def clear(self) -> None:
        """Begin a new page."""
        self.texts, self.rows, self.further = [], [], 0


def make_senders(random: Draw, count: int, versions: Sequence[str]) -> list[Sender]:
    """Make `count` pharmacies, some in chains; most send the first of the versions."""
    senders, number = [], 500_000
    for place, (name, share, one_file) in enumerate(_CHAINS, start=1):
        size = int(count * share)
        if size < 2:
            continue
        made = Sender(f"CHAIN{place}", name, versions[0], one_file=one_file)
        senders.append(made)
        for _ in range(size):
            number += 1
            made.stores.append(Store(number, made, random))
    while number < 500_000 + count:
        number += 1
        older = random() < 0.25
        version = pick(random, versions[1:] or versions) if older else versions[0]
        name = f"{pick(random, _NAMES)} STREET PHARMACY {number - 500_000}"
        alone = Sender(f"SHOP{number - 500_000}", name, version, one_file=False)
        alone.stores.append(Store(number, alone, random))
        senders.append(alone)
    for sender in senders:
        sender.phone = sender.stores[0].phone
    return senders


def make_prescribers(random: Draw, count: int) -> list[Prescriber]:
    """Make prescribers; the first of them write most."""
    return [Prescriber(600_000 + number, random) for number in range(count)]


def by_writing(prescribers: Sequence[Prescriber]) -> list[Prescriber]:
    """Give a table to draw prescribers from, by how much each writes."""
    shares = [1 / (number + _TAIL) for number in range(1, len(prescribers) + 1)]
    return by_weight(prescribers, shares)


def by_use(drugs: Sequence[Drug]) -> list[Drug]:
    """Give a table to draw drugs from, by how much each is dispensed."""
    return by_weight(drugs, [drug.weight for drug in drugs])
