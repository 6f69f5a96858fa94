"""Planted stories: people whom the programme should find, named in the truth.

Each story has people of its own, to whom nothing else happens, and is spread over the
days that there are; where these are few, so is what happens of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pmp.asap.cast import Draw, Person, make_person, make_twin, misspelt, pick
from pmp.asap.fills import fill_of
from pmp.asap.trade import (
    BENZODIAZEPINE,
    OPIOID,
    STRONG,
    Drug,
    Prescriber,
    Store,
)

WINDOW = 90
"""Days in which what crosses a threshold happens, if there are so many."""


class Scene(Protocol):
    """What a story needs of a state."""

    random: Draw
    stores: list[Store]
    prescribers: list[Prescriber]
    people: list[Person]

    def plan(self, day: int, what: Callable[[str], None]) -> None:
        """Have something done on a day; it is given the day as CCYYMMDD."""


@dataclass
class Stage:
    """Where a story plays: the state, its days by number, and who comes next."""

    state: Scene
    first: int
    last: int
    number: int

    def someone(self) -> Person:
        """Give a person whom no other story has."""
        self.number += 1
        return make_person(self.state.random, self.number - 1)

    def twin_of(self, person: Person) -> Person:
        """Give a person's twin."""
        self.number += 1
        return make_twin(person, self.state.random, self.number - 1)

    def places(self, count: int) -> tuple[list[Store], list[Prescriber]]:
        """Give so many pharmacies and prescribers; fewer where there are no more."""
        stores, prescribers = self.state.stores, self.state.prescribers
        start = int(self.state.random() * len(stores))
        turned = stores[start:] + stores[:start]
        # Prescribers in the middle of the list are neither rare nor everybody's.
        middle = len(prescribers) // 2 - count
        at = max(0, middle + int(self.state.random() * count))
        return turned[:count], prescribers[at : at + count]

    def days(self, count: int) -> list[int]:
        """Spread so many days evenly over at most a window."""
        span = min(WINDOW, self.last - self.first + 1)
        return [self.first + span * place // count for place in range(count)]

    def fill(
        self, story: str, day: int, person: Person, where: tuple[Store, Prescriber],
        drug: Drug,
    ) -> None:  # fmt: skip
        """Have a person fill something on a day."""
        store, prescriber = where
        if store.number not in person.on_file:
            person.written_right_by(store.number)

        def happen(today: str) -> None:
            fill_of(
                store,
                person,
                prescriber,
                drug,
                written=today,
                filled=today,
                random=self.state.random,
                story=story,
            ).write("stored")

        self.state.plan(day, happen)


def plant(state: Scene, *, first: int, last: int, scale: float) -> None:
    """Plant every story, at scale 10 ten times; days are ordinals of the calendar."""
    stage = Stage(state, first, last, len(state.people))
    for _ in range(max(1, round(scale))):
        for story in STORIES:
            story(stage)


def _many(stage: Stage, name: str, count: int) -> None:
    """Have one person go to `count` prescribers and as many pharmacies."""
    stores, prescribers = stage.places(count)
    if len(stores) < count or len(prescribers) < count:
        return
    person = stage.someone()
    for day, where in zip(
        stage.days(count), zip(stores, prescribers, strict=True), strict=True
    ):
        stage.fill(name, day, person, where, OPIOID)


def many_prescribers_and_pharmacies(stage: Stage) -> None:
    """Seven of each."""
    _many(stage, "many prescribers and pharmacies", 7)


def crosses_four_and_four(stage: Stage) -> None:
    """Four prescribers and four pharmacies, no more."""
    _many(stage, "four prescribers and four pharmacies", 4)


def crosses_five_and_five(stage: Stage) -> None:
    """Five prescribers and five pharmacies, no more."""
    _many(stage, "five prescribers and five pharmacies", 5)


def opioid_with_benzodiazepine(stage: Stage) -> None:
    """Both at once, from two prescribers who may not know of each other."""
    stores, prescribers = stage.places(2)
    person = stage.someone()
    for month in range(3):
        for drug, place in ((OPIOID, 0), (BENZODIAZEPINE, 1)):
            day = stage.first + 29 * month + 3 * place
            where = stores[place % len(stores)], prescribers[place]
            stage.fill("opioid with benzodiazepine", day, person, where, drug)


def rising_dose(stage: Stage) -> None:
    """More tablets of 30 mg each month."""
    (store, *_), (prescriber, *_) = stage.places(1)
    person = stage.someone()
    for month, quantity in enumerate((30, 60, 90, 120, 180)):
        drug = Drug(STRONG.ndc, quantity, 30, 0)
        day = stage.first + 28 * month
        stage.fill("rising daily dose", day, person, (store, prescriber), drug)


def twins(stage: Stage) -> None:
    """Two people with one last name, birth date, address and phone."""
    (store, *_), (prescriber, *_) = stage.places(1)
    one = stage.someone()
    for place, person in enumerate((one, stage.twin_of(one))):
        for day in stage.days(3):
            where = store, prescriber
            name = "twins with one birth date"
            stage.fill(name, min(day + place, stage.last), person, where, OPIOID)


def misspelt_name(stage: Stage) -> None:
    """One person under three spellings, at as many pharmacies as there are."""
    stores, prescribers = stage.places(3)
    person = stage.someone()
    last, first = person.last, person.first
    spellings = (
        (last, first),
        (misspelt(last, stage.state.random), first),
        (last, misspelt(first, stage.state.random)),
    )
    for day, place in zip(stage.days(3), range(3), strict=True):
        store = stores[place % len(stores)]
        person.last, person.first = spellings[place % len(stores)]
        person.written_right_by(store.number)
        where = store, prescribers[place]
        stage.fill("misspelt name", day, person, where, OPIOID)
    person.last, person.first = last, first


def early_refills(stage: Stage) -> None:
    """Thirty days' supply every nineteen days."""
    (store, *_), (prescriber, *_) = stage.places(1)
    person = stage.someone()
    drug = pick(stage.state.random, (OPIOID, STRONG))
    for turn in range(5):
        day = stage.first + 19 * turn
        stage.fill("early refills", day, person, (store, prescriber), drug)


STORIES: tuple[Callable[[Stage], None], ...] = (
    many_prescribers_and_pharmacies,
    crosses_four_and_four,
    crosses_five_and_five,
    opioid_with_benzodiazepine,
    rising_dose,
    twins,
    misspelt_name,
    early_refills,
)
