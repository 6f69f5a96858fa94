"""What a threshold rule would have sent in a period: nothing is written or sent.

Any kind of rule: the fills give its crossings, and the entries of each crossing give
who would have had a report and by which way, as these can be reached today. Beside it
stands what the version in force would have sent in the same days.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from typing import Any

from peewee import fn

from models import (
    ChannelName,
    Patient,
    Pharmacy,
    Prescriber,
    Profession,
    RuleStatus,
    ThresholdRule,
)
from pmp import thresholds
from pmp.deliveries.first_channels import first_channels
from pmp.errors import RuleError
from pmp.thresholds import candidates, concerned, counted_fills, threshold_rules
from pmp.thresholds.crossings import Crossing, crossings
from pmp.thresholds.reached import is_worse
from pmp.thresholds.terms import Terms, numbers_of, terms_of
from pmp.thresholds.tonight import Tonight, people_of, tonight

LONGEST = timedelta(days=731)
Channels = Mapping[ChannelName | None, int]
"""Channel → reports; None: no way is known, staff must find one."""


@dataclass(frozen=True)
class Simulated:
    """A case that a rule would make; `is_kept`: not sent, for the rule's cool-down."""

    rule: Terms
    patient_id: int
    crossing: Crossing
    is_kept: bool = False

    @property
    def prescribers(self) -> int:
        """Count the prescribers, as the rule counts them."""
        return self.crossing.prescribers

    @property
    def pharmacies(self) -> int:
        """Count the pharmacies."""
        return self.crossing.pharmacies

    @property
    def reached(self) -> Decimal | None:
        """Give the most of what a kind but providers adds up."""
        return self.crossing.reached


@dataclass(frozen=True)
class Simulation:
    """What a rule would have made of crossings from `since` to `until`, by the day.

    Where there are too many patients to wait for, only every `one_in`-th is counted.
    """

    rule: Terms
    since: date
    until: date
    cases: Sequence[Simulated]
    one_in: int = 1

    @property
    def patients(self) -> int:
        """Count the patients who have a case."""
        return len({each.patient_id for each in self.cases})

    @property
    def kept(self) -> int:
        """Count the cases that the cool-down keeps unsent."""
        return sum(each.is_kept for each in self.cases)

    @cached_property
    def recipients(self) -> Mapping[Profession, int]:
        """Count the prescribers and the pharmacies with at least one report."""
        return {whose: len(reports) for whose, reports in self._reports.items()}

    @cached_property
    def channels(self) -> Mapping[Profession, Channels]:
        """Count the reports by the way that each would have gone first."""
        tables: Mapping[Profession, type[Prescriber | Pharmacy]] = {
            Profession.PRACTITIONER: Prescriber,
            Profession.PHARMACY: Pharmacy,
        }
        found: dict[Profession, Channels] = {}
        for whose, reports in self._reports.items():
            ways = first_channels(tables[whose], reports.keys())
            counts: Counter[ChannelName | None] = Counter()
            for who, number in reports.items():
                counts[ways[who]] += number
            found[whose] = counts
        return found

    @property
    def reports(self) -> int:
        """Count the reports: one for each prescriber and pharmacy of a case sent."""
        return sum(sum(reports.values()) for reports in self._reports.values())

    @cached_property
    def _reports(self) -> Mapping[Profession, Counter[int]]:
        """Give the reports of each prescriber and pharmacy, by id."""
        prescribers: Counter[int] = Counter()
        pharmacies: Counter[int] = Counter()
        for each in self.cases:
            if not each.is_kept:
                people = people_of(each.crossing, each.rule.window_days)
                prescribers.update(people[0])
                pharmacies.update(people[1])
        return {Profession.PRACTITIONER: prescribers, Profession.PHARMACY: pharmacies}


@dataclass(frozen=True)
class Comparison:
    """What a rule would send, and what its version in force would; None: there is none.

    `more` are patients who have a case by the rule alone, `fewer` by the version in
    force alone. `tonight` is what an active rule sends if it is put in force now; of
    the patients counted, as the others.
    """

    would: Simulation
    now: Simulation | None
    tonight: Tonight | None = None

    @property
    def more(self) -> int:
        """Count who has a case by the rule alone."""
        return len(_patients(self.would) - _patients(self.now))

    @property
    def fewer(self) -> int:
        """Count who has a case by the version in force alone."""
        return len(_patients(self.now) - _patients(self.would))


def simulate(
    rule: Terms | ThresholdRule, *, since: date, until: date, most: int | None = None
) -> Simulation:
    """Give what a rule would have made; RuleError for a period that cannot be.

    `most`: look at so many patients at most, evenly among all.
    """
    terms = terms_of(rule) if isinstance(rule, ThresholdRule) else rule
    [found] = _simulated([terms], since=since, until=until, most=most)[0]
    return found


def compare(
    terms: Terms,
    *,
    since: date,
    until: date,
    most: int | None = None,
    today: date | None = None,
) -> Comparison:
    """Give what a rule would have made beside its version in force; as `simulate`.

    With `today`, also what it sends if it is put in force on that day.
    """
    standing = _in_force(terms.name)
    both = [terms] if standing is None else [terms, standing]
    sends = today if terms.status == RuleStatus.ACTIVE else None
    found, recent = _simulated(both, since=since, until=until, most=most, today=sends)
    known = threshold_rules.named(terms.name)
    name = known.name if known else terms.name
    return Comparison(
        found[0],
        found[1] if standing else None,
        tonight(recent, name=name, today=sends) if sends else None,
    )


def last_quarter(today: date) -> tuple[date, date]:
    """Give the first and the last day of the last whole quarter before a day."""
    begins = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    last = begins - timedelta(days=1)
    return date(last.year, last.month - 2, 1), last


def _simulated(
    rules: Sequence[Terms],
    *,
    since: date,
    until: date,
    most: int | None,
    today: date | None = None,
) -> tuple[list[Simulation], list[Simulated]]:
    """Simulate rules in one pass over the patients.

    Gives beside them the first rule's cases with a fill on a day not long before today.
    """
    _require_sound(since, until)
    past = today - concerned.PAST if today else date.max
    recent: list[Simulated] = []
    one_in = _one_in(most)
    numbers = [numbers_of(terms) for terms in rules]
    found: list[list[Simulated]] = [[] for _ in rules]
    for chunk in thresholds.everybody(one_in=one_in):
        ids = candidates.reaching(chunk, numbers, since=min(since, past))
        for patient_id, fills in counted_fills.of_patients(ids, numbers):
            for terms, asked, made in zip(rules, numbers, found, strict=True):
                own = [
                    Simulated(terms, patient_id, crossing)
                    for crossing in crossings(fills, asked)
                ]
                made += [
                    each for each in own if since <= each.crossing.crossed_on <= until
                ]
                if terms is rules[0]:
                    recent += [each for each in own if each.crossing.last >= past]
    simulations = [
        Simulation(terms, since, until, _in_order(_cooled_down(made)), one_in)
        for terms, made in zip(rules, found, strict=True)
    ]
    return simulations, recent


def _cooled_down(cases: Iterable[Simulated]) -> list[Simulated]:
    """Mark what the cool-down would keep after an earlier case of the period."""
    marked: list[Simulated] = []
    for _, own in groupby(cases, key=lambda each: each.patient_id):
        sent: Simulated | None = None
        for each in own:
            kept = sent is not None and _is_kept(each, sent)
            marked.append(Simulated(each.rule, each.patient_id, each.crossing, kept))
            sent = sent if kept else each
    return marked


def _is_kept(case: Simulated, sent: Simulated) -> bool:
    last = sent.crossing.crossed_on + timedelta(days=case.rule.cool_down_days)
    later: Any = case
    earlier: Any = sent
    is_sent = case.rule.send_when_worse and is_worse(later, earlier)
    return case.crossing.crossed_on <= last and not is_sent


def _in_order(cases: Iterable[Simulated]) -> list[Simulated]:
    return sorted(cases, key=lambda each: (each.crossing.crossed_on, each.patient_id))


def _in_force(name: str) -> Terms | None:
    rule = threshold_rules.named(name)
    return terms_of(rule) if rule and rule.status != RuleStatus.OFF else None


def _patients(simulation: Simulation | None) -> set[int]:
    cases = simulation.cases if simulation else ()
    return {each.patient_id for each in cases}


def _one_in(most: int | None) -> int:
    if most is None:
        return 1
    patients = Patient.select(fn.MAX(Patient.id)).scalar() or 0
    return max(1, -(-patients // most))


def _require_sound(since: date, until: date) -> None:
    if until < since:
        raise RuleError("The last day is before the first day", "until")
    if until - since > LONGEST:
        raise RuleError("Choose a period of two years at most", "until")
