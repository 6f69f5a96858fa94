"""People of a state that is nobody's: names of many countries, households, relatives.

Names and how often they come are Faker's for the United States, with those of other
countries and with made ones behind them, each weight disturbed anew by the seed; the
matcher's own tables are not looked at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from itertools import product
from typing import Any

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from pmp.matching import Identity
from pmp.matching.identities import name_key

ZIPS = 320
STREETS = 4_000
_NEWEST = date(2008, 1, 1).toordinal()
_OLDEST = date(1930, 1, 1).toordinal()
_ABROAD = ("es_MX", "it_IT", "de_DE", "fr_FR", "en_IN", "pt_BR", "en_NG")
_DISTURBED = 0.5
_FROM_US_LAST, _FROM_US_FIRST = 0.42, 0.8
_MADE = 30_000
_NOT_RARE = 1 / 20_000
_KINDS = ("ST", "AVE", "RD", "LN", "DR", "CT")


@dataclass(frozen=True)
class Names:
    """Names with their shares; `first` by sex, F and M."""

    last: list[str]
    last_shares: Any
    first: dict[str, list[str]]
    first_shares: dict[str, Any]


@dataclass(frozen=True)
class People:
    """Columns of so many persons: indexes into `names`, days, homes, phones."""

    names: Names
    last: Any
    first: Any
    middle: Any
    female: Any
    born: Any
    home: Any
    phone: Any

    def __len__(self) -> int:
        return len(self.last)

    def first_name(self, index: int) -> str:
        """Give the first name of one of them."""
        return str(self.names.first[self.sex(index)][self.first[index]])

    def sex(self, index: int) -> str:
        """Give F or M."""
        return "F" if self.female[index] else "M"

    def identity(self, index: int) -> Identity:
        """Give one of them as reported without a slip."""
        street, city, zip_code = address(int(self.home[index]))
        middle = int(self.middle[index])
        return Identity(
            last=self.names.last[self.last[index]],
            first=self.first_name(index),
            middle=chr(65 + middle) if middle < 26 else "",
            suffix="",
            birth_date=date.fromordinal(int(self.born[index])),
            sex=self.sex(index),
            street=street,
            city=city,
            state="CT",
            zip=zip_code,
            phone=phone(int(self.phone[index])),
        )


def address(home: int) -> tuple[str, str, str]:
    """Give street, city and ZIP code of a home, by its number."""
    number, place = divmod(home, ZIPS * STREETS)
    zip_number, street = divmod(place, STREETS)
    name = f"{_made_name(street * 7 + 11)} {_KINDS[street % len(_KINDS)]}"
    return (
        f"{number + 1} {name}",
        f"TOWN {_made_name(zip_number)}",
        f"0{6000 + zip_number}",
    )


def phone(number: int) -> str:
    """Give a telephone number by its number; “” below zero."""
    if number < 0:
        return ""
    area, rest = divmod(number, 7_900_000)
    return f"{(203, 860, 475, 959)[area % 4]}{2_000_000 + rest:07}"


def names(rng: Any) -> Names:
    """Give names with disturbed shares."""
    us, abroad = _provider("en_US"), [_provider(place) for place in _ABROAD]
    last, shares = _mixed(
        rng,
        us.last_names,
        [*_words(abroad, "last_names"), *(_made_name(n) for n in range(_MADE))],
        _FROM_US_LAST,
    )
    women = _mixed(
        rng, us.first_names_female, _words(abroad, "first_names_female"), _FROM_US_FIRST
    )
    men = _mixed(
        rng, us.first_names_male, _words(abroad, "first_names_male"), _FROM_US_FIRST
    )
    return Names(
        last=last,
        last_shares=shares,
        first={"F": women[0], "M": men[0]},
        first_shares={"F": women[1], "M": men[1]},
    )


def people(rng: Any, given: Names, count: int) -> People:
    """Give so many persons, household by household."""
    sizes = rng.choice([1, 2, 3, 4, 5], size=count, p=[0.4, 0.3, 0.13, 0.12, 0.05])
    household = np.repeat(np.arange(count), sizes)[:count]
    place = np.arange(count) - np.searchsorted(household, household)
    last = rng.choice(len(given.last), size=count, p=given.last_shares)
    head = last[np.searchsorted(household, household)]
    last = np.where((place > 0) & (rng.random(count) < 0.8), head, last)
    female = rng.random(count) < 0.5
    first = np.where(
        female,
        rng.choice(len(given.first["F"]), size=count, p=given.first_shares["F"]),
        rng.choice(len(given.first["M"]), size=count, p=given.first_shares["M"]),
    )
    number = rng.zipf(1.6, size=count) % 300
    homes = number * ZIPS * STREETS + rng.integers(0, ZIPS * STREETS, size=count)
    own = rng.integers(0, 4 * 7_900_000, size=count)
    shared = rng.random(count) < 0.4
    phones = np.where(shared, own[np.searchsorted(household, household)], own)
    return People(
        names=given,
        last=last,
        first=first,
        middle=rng.integers(0, 52, size=count),
        female=female,
        born=rng.integers(_OLDEST, _NEWEST, size=count),
        home=homes[household],
        phone=np.where(rng.random(count) < 0.1, -1, phones),
    )


def names_alike(given: Names) -> dict[str, list[tuple[str, str]]]:
    """Give pairs of first names that are alike, by sex: what twins may be called."""
    found = {}
    for sex, all_of_them in given.first.items():
        shares = given.first_shares[sex]
        common = [
            name
            for name, share in zip(all_of_them, shares, strict=True)
            if share > _NOT_RARE and len(name) > len("AMY")
        ]
        apart = process.cdist(common, common, scorer=DamerauLevenshtein.distance)
        ones, others = np.nonzero((apart > 0) & (apart <= 2))
        found[sex] = [
            (common[one], common[other])
            for one, other in zip(ones, others, strict=True)
            if name_key(common[one]) != name_key(common[other])
        ]
    return found


def _provider(place: str) -> Any:
    return import_module(f"faker.providers.person.{place}").Provider


def _words(providers: Sequence[Any], kind: str) -> Iterator[str]:
    for provider in providers:
        yield from getattr(provider, kind)


def _mixed(
    rng: Any, common: dict[str, float], rest: Iterator[str] | list[str], share: float
) -> tuple[list[str], Any]:
    """Mix names that have shares with others, rarer from one to the next."""
    weights = {name.upper(): weight for name, weight in common.items()}
    total = sum(weights.values())
    others = sorted({name.upper() for name in rest} - set(weights))
    rng.shuffle(others)
    found = [*weights, *others]
    first = np.array(list(weights.values())) / total * share
    tail = 1 / (np.arange(len(others)) + len(others) / 20)
    shares = np.concatenate([first, tail / tail.sum() * (1 - share)])
    shares *= rng.lognormal(0, _DISTURBED, size=len(found))
    return found, shares / shares.sum()


_STARTS = [
    "B",
    "BR",
    "C",
    "CH",
    "D",
    "DR",
    "F",
    "FL",
    "G",
    "GR",
    "H",
    "J",
    "K",
    "KL",
    "L",
    "M",
    "N",
    "P",
    "PR",
    "R",
    "S",
    "SCH",
    "SH",
    "ST",
    "T",
    "TR",
    "V",
    "W",
    "Z",
]
_MIDDLES = ["A", "E", "I", "O", "U", "AI", "EE", "OO", "OU"]
_ENDS = [
    "BERG",
    "BAUM",
    "CK",
    "DER",
    "FELD",
    "GAN",
    "HAM",
    "HOLT",
    "KA",
    "KER",
    "LAND",
    "LER",
    "LEY",
    "LING",
    "MAN",
    "MER",
    "NELL",
    "NER",
    "NING",
    "RELL",
    "RICK",
    "RINGTON",
    "RO",
    "SEN",
    "SKI",
    "SON",
    "STEIN",
    "STER",
    "TER",
    "THER",
    "TON",
    "VICH",
    "WELL",
    "WICK",
    "WOOD",
    "ZAK",
]
_MADE_NAMES = ["".join(parts) for parts in product(_STARTS, _MIDDLES, _ENDS)]


def _made_name(number: int) -> str:
    """Give a name that nobody need have."""
    more, which = divmod(number * 101, len(_MADE_NAMES))
    return _MADE_NAMES[which] + ("", "S", "E", "A")[more % 4]
