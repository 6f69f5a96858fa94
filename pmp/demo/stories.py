"""The demo's fills: ordinary ones, and stories planted among them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from pmp.demo.cast import SEED, Cast, Person, Practitioner, Shop, number

MONTHS = 24
MONTH = 30


@dataclass(frozen=True)
class Drug:
    """An NDC of the seed table with the quantity and days that it is given in."""

    ndc: str
    quantity: int
    days: int
    refills: int = 0


@dataclass(frozen=True)
class Fill:
    """One dispensation as its pharmacy reports it (DSP01 00)."""

    person: Person
    practitioner: Practitioner
    shop: Shop
    drug: Drug
    number: str
    written: date
    filled: date
    fill_number: int = 0
    payment: str = "04"


OXYCODONE_5 = Drug("00406055201", 60, 15)
OXYCODONE_APAP = Drug("00406051201", 60, 15)
HYDROCODONE = Drug("00406012501", 60, 15)
MORPHINE_ER = Drug("00406831501", 60, 30)
OXYCODONE_ER_20 = Drug("59011042010", 60, 30)
ALPRAZOLAM = Drug("00781107701", 60, 30, 2)
CLONAZEPAM = Drug("00093083201", 60, 30, 2)
ZOLPIDEM = Drug("00093007401", 30, 30, 5)
METHYLPHENIDATE = Drug("00406112201", 60, 30)
TRAMADOL = Drug("00093005801", 90, 30, 3)
GABAPENTIN = Drug("00093103801", 90, 30, 5)
BUPRENORPHINE = Drug("12496120801", 30, 30, 2)
CODEINE_APAP = Drug("00406048401", 20, 5)
ORDINARY = (
    ALPRAZOLAM, CLONAZEPAM, ZOLPIDEM, METHYLPHENIDATE, TRAMADOL,
    GABAPENTIN, BUPRENORPHINE, HYDROCODONE, OXYCODONE_APAP, CODEINE_APAP,
)  # fmt: skip


def all_fills(cast: Cast, *, today: date) -> list[Fill]:
    """Give every fill of the demo, oldest first, numbered per pharmacy."""
    dice = random.Random(SEED + 1)  # noqa: S311 - the same fills each time
    fills = [
        fill for person in cast.people for fill in _ordinary(person, cast, dice, today)
    ]
    fills += planted(cast, today=today)
    fills.sort(key=lambda fill: (fill.filled, fill.shop.dea, fill.person.last))
    return [replace(fill, number=f"{600000 + n}") for n, fill in enumerate(fills)]


def planted(cast: Cast, *, today: date) -> list[Fill]:
    """Give the fills of the stories and of the two canary patients."""
    stories = (
        _many_prescribers, _opioid_with_benzodiazepine, _rising_dose,
        _twins, _misspelt, _changed_surname, _names_alike, _wrong_patient, _canaries,
        _quarters_before,
    )  # fmt: skip
    return [fill for story in stories for fill in story(cast, today)]


def _ordinary(
    person: Person, cast: Cast, dice: random.Random, today: date
) -> Iterator[Fill]:
    """Give one or two prescribers, pharmacies, and one drug for a while."""
    doctors = dice.sample(cast.practitioners, 1 + (dice.random() < 0.3))
    shops = dice.sample(cast.shops, 1 + (dice.random() < 0.3))
    drug = dice.choice(ORDINARY)
    steady = drug.days >= MONTH or dice.random() < 0.2
    day = today - timedelta(days=MONTHS * MONTH) + timedelta(days=dice.randint(0, 28))
    while day < today:
        yield _fill(person, dice.choice(doctors), dice.choice(shops), drug, day)
        gap = drug.days if steady else dice.randint(30, 100)
        day += timedelta(days=gap + dice.randint(-1, 4))


def _fill(
    person: Person,
    practitioner: Practitioner,
    shop: Shop,
    drug: Drug,
    day: date,
    payment: str = "04",
) -> Fill:
    return Fill(
        person=person,
        practitioner=practitioner,
        shop=shop,
        drug=drug,
        number="",
        written=day - timedelta(days=1),
        filled=day,
        payment=payment,
    )


def _named(last: str, first: str, born: date, sex: str, line: int) -> Person:
    return Person(
        last=last,
        first=first,
        birth_date=born,
        sex=sex,
        street=f"{line} ORCHARD LN",
        city="HARTFORD",
        zip="06106",
        phone=number("959", line),
    )


def _many_prescribers(cast: Cast, today: date) -> list[Fill]:
    person = _named("DOVER", "RAYMOND", date(1979, 3, 9), "M", 11)
    drugs = (OXYCODONE_5, HYDROCODONE, OXYCODONE_APAP, OXYCODONE_5, HYDROCODONE)
    doctors = [cast.practitioners[n] for n in (0, 4, 6, 11, 1)]
    shops = [cast.shops[n] for n in (0, 2, 3, 1, 4)]
    days = (70, 56, 41, 27, 13)
    return [
        _fill(person, doctor, shop, drug, today - timedelta(days=ago), "01")
        for doctor, shop, drug, ago in zip(doctors, shops, drugs, days, strict=True)
    ]


def _opioid_with_benzodiazepine(cast: Cast, today: date) -> list[Fill]:
    person = _named("HOLLIS", "JUNE", date(1966, 6, 21), "F", 12)
    adams, brown = cast.practitioners[:2]
    opioid = [
        _fill(
            person, adams, cast.shops[0], OXYCODONE_ER_20, today - timedelta(days=ago)
        )
        for ago in (160, 130, 100, 70, 40, 10)
    ]
    benzodiazepine = [
        _fill(person, brown, cast.shops[0], ALPRAZOLAM, today - timedelta(days=ago))
        for ago in (75, 45, 15)
    ]
    return opioid + benzodiazepine


def _rising_dose(cast: Cast, today: date) -> list[Fill]:
    person = _named("QUILL", "MARCUS", date(1958, 11, 2), "M", 13)
    tablets = (40, 40, 60, 60, 90, 90, 120, 120)
    return [
        _fill(
            person,
            cast.practitioners[0],
            cast.shops[0],
            replace(OXYCODONE_ER_20, quantity=quantity),
            today - timedelta(days=MONTH * (len(tablets) - n) - 25),
        )
        for n, quantity in enumerate(tablets)
    ]


def _twins(cast: Cast, today: date) -> list[Fill]:
    born = date(1991, 8, 30)
    clara = _named("ASHDOWN", "CLARA", born, "F", 14)
    cora = _named("ASHDOWN", "CORA", born, "F", 14)
    return [
        _fill(clara, cast.practitioners[0], cast.shops[0], METHYLPHENIDATE, day)
        for day in (today - timedelta(days=80), today - timedelta(days=50))
    ] + [
        _fill(cora, cast.practitioners[1], cast.shops[1], TRAMADOL, day)
        for day in (today - timedelta(days=60), today - timedelta(days=30))
    ]


def _misspelt(cast: Cast, today: date) -> list[Fill]:
    right = _named("KOWALCZYK", "STEFAN", date(1972, 1, 17), "M", 15)
    wrong = replace(right, last="KOWALCZIK")
    return [
        _fill(right, cast.practitioners[0], cast.shops[0], CLONAZEPAM, day)
        for day in (today - timedelta(days=95), today - timedelta(days=65))
    ] + [
        _fill(wrong, cast.practitioners[0], cast.shops[1], CLONAZEPAM, day)
        for day in (today - timedelta(days=35), today - timedelta(days=5))
    ]


def _changed_surname(cast: Cast, today: date) -> list[Fill]:
    """One home, two surnames: joined, she has reached a threshold's numbers."""
    before = _named("BRANDT", "EDITH", date(1969, 4, 2), "F", 19)
    after = replace(before, last="LINDGREN")
    visits = (
        (before, 0, 0, 70),
        (before, 1, 1, 55),
        (after, 4, 2, 40),
        (after, 4, 2, 8),
    )
    return [
        _fill(
            person,
            cast.practitioners[doctor],
            cast.shops[shop],
            HYDROCODONE,
            today - timedelta(days=ago),
        )
        for person, doctor, shop, ago in visits
    ]


def _names_alike(cast: Cast, today: date) -> list[Fill]:
    """Twins whose names differ by a letter: the program asks, and should not join."""
    maria = _named("ENGELHART", "MARIA", date(1988, 3, 3), "F", 20)
    mariah = replace(maria, first="MARIAH", phone="")
    return [
        _fill(maria, cast.practitioners[0], cast.shops[0], ZOLPIDEM, day)
        for day in (today - timedelta(days=66), today - timedelta(days=36))
    ] + [
        _fill(mariah, cast.practitioners[1], cast.shops[1], METHYLPHENIDATE, day)
        for day in (today - timedelta(days=44), today - timedelta(days=14))
    ]


def _wrong_patient(cast: Cast, today: date) -> list[Fill]:
    """Three prescribers and three pharmacies, but the third fill is somebody else's."""
    person = _named("PELLETIER", "NOEL", date(1984, 12, 25), "M", 16)
    visits = ((0, 0, 50), (1, 4, 33), (7, 1, 20))
    return [
        _fill(
            person,
            cast.practitioners[doctor],
            cast.shops[shop],
            HYDROCODONE,
            today - timedelta(days=ago),
        )
        for doctor, shop, ago in visits
    ]


def _canaries(cast: Cast, today: date) -> list[Fill]:
    """Two patients whom only one practice and one pharmacy know."""
    first = _named("CANARYQUIST", "ZEPHYRINE", date(1975, 5, 5), "F", 17)
    second = _named("CANARYWICK", "BARTHOLOMEW", date(1969, 9, 9), "M", 18)
    adams, brown = cast.practitioners[:2]
    main, elm = cast.shops[:2]
    return [
        _fill(first, adams, main, ZOLPIDEM, today - timedelta(days=ago))
        for ago in (64, 34)
    ] + [
        _fill(second, brown, elm, ZOLPIDEM, today - timedelta(days=ago))
        for ago in (61, 31)
    ]


def _quarters_before(cast: Cast, today: date) -> list[Fill]:
    """Six patients who reached thresholds earlier: there is something to simulate."""
    wanderers = (
        ("RUNDELL", "OWEN", 3, 75),
        ("SPERRY", "LYDIA", 5, 98),
        ("TILGHMAN", "ROSS", 4, 121),
        ("UPCHURCH", "NELL", 6, 140),
        ("VANCE", "CALEB", 3, 167),
        ("WICKHAM", "DORA", 5, 260),
    )
    found = []
    for line, (last, first, providers, ago) in enumerate(wanderers):
        person = _named(
            last, first, date(1970 + 3 * line, 5, 6), "MF"[line % 2], 21 + line
        )
        found += [
            _fill(
                person,
                cast.practitioners[12 + 4 * line + n],
                cast.shops[5 + (line + n) % 7],
                (OXYCODONE_APAP, HYDROCODONE)[n % 2],
                today - timedelta(days=ago + 12 * (providers - 1 - n)),
            )
            for n in range(providers)
        ]
    return found
