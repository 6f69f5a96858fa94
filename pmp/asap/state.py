"""A synthetic state, day by day: who fills what where, as pharmacies will report it.

Chronic patients come back every 28 to 30 days, mostly with the same prescriber and
pharmacy; acute courses come by chance.  Nothing of a day is kept when it is over but
what is yet to come of it, so memory does not grow with the number of days.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from random import Random

from pmp.asap import mishaps, stories
from pmp.asap.cast import Draw, Person, make_people, pick
from pmp.asap.fills import Fill, fill_of
from pmp.asap.trade import (
    ACUTE,
    CHRONIC,
    SHORT_SUPPLY,
    Drug,
    Prescriber,
    Store,
    by_use,
    by_weight,
    by_writing,
    make_prescribers,
    make_senders,
)

STORES, PRESCRIBERS, PEOPLE = 10, 250, 4_000
"""At scale 1."""

COURSES_A_DAY = 0.013
"""Acute courses for each person; with refills some 15 records a pharmacy and day."""

ON_SOMETHING = 0.4
"""The share of people who are on a drug for long; of these as many on another."""

ELSEWHERE = 0.1
"""The share of acute courses that are filled at another pharmacy than usual."""

SUNDAY = 6
_BUSY = (1.25, 1.1, 1.05, 1.05, 1.1, 0.8, 0.45)  # Monday first
_MOVES, _WEDDINGS, _PHONES = 0.00025, 0.00004, 0.0003  # for each person and day
_LATER_PRESCRIBER, _LATER_STORE = 0.07, 0.03
_SHORT_SHARE = 0.02


class Days(dict[int, tuple[str, str]]):
    """Day number → CCYYMMDD, and with hyphens."""

    def __missing__(self, number: int) -> tuple[str, str]:
        day = date.fromordinal(number)
        self[number] = found = f"{day:%Y%m%d}", day.isoformat()
        return found


class Regimen:
    """What a chronic patient takes, under its present prescription.

    `before` and `after` are its record up to the day filled and from its fill number
    on; `truth` is the line of the truth up to that day.
    """

    __slots__ = (
        "after", "before", "drug", "fill", "person", "pre", "prescriber",
        "prescription", "refills", "store", "truth", "written",
    )  # fmt: skip

    def __init__(
        self, person: Person, drug: Drug, store: Store, prescriber: Prescriber
    ) -> None:
        self.person, self.drug, self.store = person, drug, store
        self.prescriber = prescriber
        self.refills = drug.refills
        self.fill = 0
        self.prescription = self.written = ""
        self.before = self.after = self.pre = self.truth = ""

    def write_down(self, written: str, *, paid: str, random: Draw) -> None:
        """Put together what all fills of the prescription have in common."""
        store, person, number = self.store, self.person, self.prescription
        self.written = written
        pat = person.as_written_by(store.number, store.phone, random)
        self.before = f"{pat}DSP*00*{number}*{written}*{self.refills}*"
        self.after = f"*{self.drug.supply}*05*00*{store.staff}*{paid}*"
        self.truth = f"{person.key},{store.dea},{number},"


class State:
    """The pharmacies, prescribers and people, and what is due when."""

    def __init__(
        self, *, seed: int, scale: float, first: date, last: date, defects: float,
        versions: Sequence[str],
    ) -> None:  # fmt: skip
        # Made-up data must be the same each time.
        self.random = random = Random(seed).random  # noqa: S311
        self.days = Days()
        self.senders = make_senders(random, max(2, round(STORES * scale)), versions)
        self.stores = [store for sender in self.senders for store in sender.stores]
        self.prescribers = make_prescribers(random, max(8, round(PRESCRIBERS * scale)))
        self._writing = by_writing(self.prescribers)
        self.people = make_people(random, max(40, round(PEOPLE * scale)))
        self._trade = by_weight(self.stores, [each.weight for each in self.stores])
        self._acute = by_use(ACUTE)
        self._special = mishaps.SHARE + defects
        self._due: defaultdict[int, list[Regimen]] = defaultdict(list)
        self._later: defaultdict[int, list[Callable[[str], None]]] = defaultdict(list)
        self._today = first.toordinal()
        for person in self.people:
            person.home = pick(random, self._trade).number
        self._begin_regimens()
        stories.plant(self, first=first.toordinal(), last=last.toordinal(), scale=scale)

    def plan(self, day: int, what: Callable[[str], None]) -> None:
        """Have something done on a day; it is given the day as CCYYMMDD."""
        self._later[day].append(what)

    def live(self, day: int) -> None:
        """Have a day pass: the pharmacies' pages hold what it brought."""
        self._today = day
        self._go_on_with_lives()
        text, _ = self.days[day]
        for what in self._later.pop(day, ()):
            what(text)
        sunday = date.fromordinal(day).weekday() == SUNDAY
        self._refill(day, self._due.pop(day, []), sunday=sunday)
        self._dispense_courses(day, sunday=sunday)
        self.days.pop(day - 400, None)

    def _go_on_with_lives(self) -> None:
        random, people = self.random, self.people
        for share, change in (
            (_MOVES, Person.move),
            (_WEDDINGS, Person.marry),
            (_PHONES, Person.change_phone),
        ):
            for _ in range(int(len(people) * share + random())):
                change(pick(random, people), random)

    def _begin_regimens(self) -> None:
        """Have people be on something for a while already."""
        random, today = self.random, self._today
        drugs = by_use(CHRONIC)
        for person in self.people:
            while random() < ON_SOMETHING:
                drug, prescriber = pick(random, drugs), pick(random, self._writing)
                regimen = Regimen(person, drug, self._home_of(person), prescriber)
                due = today + int(random() * drug.days)
                fill = int(random() * (drug.refills + 1))
                self._renew(regimen, due - drug.days * fill)
                regimen.fill = fill - 1
                self._due[due].append(regimen)

    def _renew(self, regimen: Regimen, day: int) -> None:
        """Write a new prescription, mostly as before: by whom and for which store."""
        random = self.random
        if random() < _LATER_PRESCRIBER:
            regimen.prescriber = pick(random, self._writing)
        if random() < _LATER_STORE:
            regimen.store = pick(random, self._trade)
        store = regimen.store
        regimen.prescription = store.next_prescription()
        regimen.fill = 0
        regimen.pre = store.segment_of(regimen.prescriber)
        paid = "01" if random() < 0.08 else "02" if random() < 0.3 else "04"
        written = self.days[day - int(random() * 3)][0]
        regimen.write_down(written, paid=paid, random=random)

    def _refill(self, day: int, due: list[Regimen], *, sunday: bool) -> None:
        """Dispense what is due, and see when it is due again."""
        random, coming, special = self.random, self._due, self._special
        day8, iso = self.days[day]
        good = f"{iso},00,stored,,\n"
        for regimen in due:
            store = regimen.store
            if sunday and store.closed_on_sundays:
                coming[day + 1].append(regimen)
                continue
            if regimen.fill >= regimen.refills:
                self._renew(regimen, day)
                store = regimen.store
            else:
                regimen.fill += 1
            drawn = random()
            if drawn < special:
                self._befall(self._fill_of(regimen, day8), drawn)
            else:
                store.texts.append(
                    f"{regimen.before}{day8}*{regimen.fill}{regimen.after}{day8}~\n"
                    f"{regimen.pre}"
                )
                store.rows.append(f"{regimen.truth}{good}")
            coming[day + regimen.drug.days - 2 + int(random() * 3)].append(regimen)

    def _fill_of(self, regimen: Regimen, day: str) -> Fill:
        return fill_of(
            regimen.store,
            regimen.person,
            regimen.prescriber,
            regimen.drug,
            written=regimen.written,
            filled=day,
            random=self.random,
            number=regimen.prescription,
        ).with_elements(DSP06=str(regimen.fill))

    def _befall(self, fill: Fill, drawn: float) -> None:
        if drawn < mishaps.SHARE:
            mishaps.befall(fill, drawn, self.random, self._in_days)
        elif drawn < self._special:
            mishaps.spoil(fill, self.random)
        else:
            fill.write("not_reportable", "a supply of 48 hours or less")

    def _in_days(self, days: int, what: Callable[[str], None]) -> None:
        self.plan(self._today + days, what)

    def _home_of(self, person: Person) -> Store:
        return self.stores[person.home - self.stores[0].number]

    def _dispense_courses(self, day: int, *, sunday: bool) -> None:
        """Dispense the day's acute courses: short, once, by whoever was there."""
        random, people, special = self.random, self.people, self._special
        acute, writing, trade = self._acute, self._writing, self._trade
        busy = _BUSY[date.fromordinal(day).weekday()] * (0.85 + 0.3 * random())
        day8, iso = self.days[day]
        good = f"{iso},00,stored,,\n"
        for _ in range(int(COURSES_A_DAY * len(people) * busy + random())):
            person = people[int(random() * len(people))]
            store = self._home_of(person)
            if random() < ELSEWHERE:
                store = trade[int(random() * len(trade))]
            drug = acute[int(random() * len(acute))]
            prescriber = writing[int(random() * len(writing))]
            if sunday and store.closed_on_sundays:
                continue
            drawn = random()
            if drawn < special + _SHORT_SHARE:
                self._befall_course(store, person, prescriber, drug, drawn)
                continue
            number, place = store.next_prescription(), store.number
            pat = person.on_file.get(place) or person.as_written_by(
                place, store.phone, random
            )
            store.texts.append(
                f"{pat}DSP*00*{number}*{day8}*0*{day8}*0*{drug.supply}*05*00"
                f"*{store.staff}*04*{day8}~\n{store.segment_of(prescriber)}"
            )
            store.rows.append(f"{person.key},{store.dea},{number},{good}")

    def _befall_course(
        self, store: Store, person: Person, prescriber: Prescriber, drug: Drug,
        drawn: float,
    ) -> None:  # fmt: skip
        fill = fill_of(
            store,
            person,
            prescriber,
            drug if drawn < self._special else SHORT_SUPPLY,
            written=self.days[self._today - int(self.random() * 3)][0],
            filled=self.days[self._today][0],
            random=self.random,
        )
        self._befall(fill, drawn)
