"""Evaluating the threshold rules: which patients crossed which numbers, and when.

Called for the patients that a submission or a correction touched, and nightly for all.
Idempotent: one case for one crossing of one rule, however often and in whatever order
the records come. An existing case follows its crossing when entries change, and is
withdrawn when the crossing is gone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from itertools import islice
from operator import and_, or_
from typing import Any

from peewee import fn

from models import (
    CaseStatus,
    Dispensation,
    Patient,
    RuleKind,
    ThresholdCase,
    ThresholdRule,
)
from pmp import database
from pmp.thresholds import (
    correction_notices,
    counted_fills,
    threshold_cases,
    threshold_rules,
)
from pmp.thresholds.crossings import Crossing, Fill, Numbers, crossings
from pmp.thresholds.threshold_rules import Terms, numbers_of

CHUNK = 500
NO_LONGER = "The entries no longer reach the numbers."


@dataclass(frozen=True)
class Standing:
    """A case that stands, and its entries: dispensation id → version counted."""

    case: ThresholdCase
    counted: dict[int, int]


@dataclass(frozen=True)
class Simulated:
    """A case that a rule would make."""

    patient_id: int
    crossing: Crossing


def evaluate(patient_ids: Iterable[int], *, at: datetime) -> list[ThresholdCase]:
    """Bring the cases of these patients to what their entries say.

    Gives the cases that were made, re-counted or withdrawn. Part of the caller's
    transaction, so that an entry and its cases stand or fall together.
    """
    changed: list[ThresholdCase] = []
    remaining = iter(sorted(set(patient_ids)))
    with database.atomic():
        threshold_rules.seed(at=at)
        rules = threshold_rules.in_force()
        while chunk := list(islice(remaining, CHUNK)):
            changed += _evaluate(chunk, rules, at=at)
    return changed


def tell_restored(entry: Dispensation, *, at: datetime) -> None:
    """Tell whoever was told that an entry was removed that it stands again.

    After `evaluate`, in the transaction of the change.
    """
    correction_notices.tell_restored(entry, at=at)


def tell_returned(patient_ids: Iterable[int], *, at: datetime) -> None:
    """Tell whoever was told that entries are another person's that they are not.

    After `evaluate`, in the transaction that brought them back.
    """
    correction_notices.tell_returned(patient_ids, at=at)


def run(at: datetime) -> list[ThresholdCase]:
    """Evaluate every patient, a chunk a transaction: the nightly check."""
    changed: list[ThresholdCase] = []
    last = 0
    while chunk := _patients_after(last):
        changed += evaluate(chunk, at=at)
        last = chunk[-1]
    return changed


def simulate(rule: Terms | ThresholdRule, since: date, until: date) -> list[Simulated]:
    """Give what a rule would have made of crossings from `since` to `until`.

    Nothing is written. Earlier fills count, as they would have; in order of the day.
    """
    numbers = numbers_of(rule)
    found: list[Simulated] = []
    last = 0
    while chunk := _patients_after(last):
        last = chunk[-1]
        candidates = _candidates(chunk, [numbers])
        for patient_id, fills in counted_fills.of_patients(candidates, [numbers]):
            found += [
                Simulated(patient_id, crossing)
                for crossing in crossings(fills, numbers)
                if since <= crossing.crossed_on <= until
            ]
    return sorted(found, key=lambda each: (each.crossing.crossed_on, each.patient_id))


def _evaluate(
    patient_ids: list[int], rules: list[ThresholdRule], *, at: datetime
) -> list[ThresholdCase]:
    numbers = [numbers_of(rule) for rule in rules]
    concerned = sorted(_candidates(patient_ids, numbers) | _with_cases(patient_ids))
    if not concerned:
        return []
    _take(concerned)
    cases = _standing_cases(concerned)
    counted = threshold_cases.counted(case for own in cases.values() for case in own)
    followed = [numbers_of(case.rule) for own in cases.values() for case in own]
    fills = dict(counted_fills.of_patients(concerned, [*numbers, *followed]))
    changed: list[ThresholdCase] = []
    for patient_id in concerned:
        standing = [
            Standing(case, counted.get(case.id, {}))
            for case in cases.get(patient_id, [])
        ]
        changed += _settle_patient(
            patient_id, fills.get(patient_id, []), rules, standing, at=at
        )
    return changed


def _settle_patient(
    patient_id: int,
    fills: list[Fill],
    rules: list[ThresholdRule],
    cases: list[Standing],
    *,
    at: datetime,
) -> list[ThresholdCase]:
    """Settle the rules in force, and older versions that have cases to follow."""
    in_force = {rule.id: rule for rule in rules}
    followed = {each.case.rule.id: each.case.rule for each in cases}
    changed: list[ThresholdCase] = []
    for rule in (followed | in_force).values():
        own = [each for each in cases if each.case.rule.id == rule.id]
        found = crossings(fills, numbers_of(rule))
        pairs, gone, new = _match(own, found)
        # Withdrawn first: a case may move to where another one stood.
        for each in gone:
            threshold_cases.withdraw(each.case, reason=_why_gone(each, found), at=at)
        changed += [each.case for each in gone]
        changed += [
            each.case
            for each, crossing in pairs
            if threshold_cases.recount(each.case, crossing, each.counted, at=at)
        ]
        if rule.id in in_force:
            changed += [
                threshold_cases.open_case(rule, patient_id, crossing, at=at)
                for crossing in new
            ]
    return changed


def _match(
    cases: list[Standing], found: list[Crossing]
) -> tuple[list[tuple[Standing, Crossing]], list[Standing], list[Crossing]]:
    """Find each case's crossing: the same day, else the nearest it overlaps with.

    Gives the pairs, the cases without a crossing, and the crossings without a case.
    """
    new = {crossing.crossed_on: crossing for crossing in found}
    pairs = []
    moved = []
    for each in cases:
        if crossing := new.pop(each.case.crossed_on, None):
            pairs.append((each, crossing))
        else:
            moved.append(each)
    gone = []
    for each in moved:
        if crossing := _nearest(each.case, new.values()):
            pairs.append((each, new.pop(crossing.crossed_on)))
        else:
            gone.append(each)
    return pairs, gone, list(new.values())


def _why_gone(gone: Standing, found: Iterable[Crossing]) -> str:
    """Say why a case ends: its entries may be part of a crossing that has another."""
    counted = {fill.id for crossing in found for fill in crossing.fills}
    if gone.counted and gone.counted.keys() <= counted:
        return threshold_cases.TOGETHER
    return NO_LONGER


def _nearest(case: ThresholdCase, found: Iterable[Crossing]) -> Crossing | None:
    overlapping = [
        crossing
        for crossing in found
        if crossing.first <= case.window_last and crossing.last >= case.window_first
    ]
    return min(
        overlapping,
        key=lambda crossing: abs(crossing.crossed_on - case.crossed_on),
        default=None,
    )


def _candidates(patient_ids: list[int], rules: Iterable[Numbers]) -> set[int]:
    """Give the patients with enough prescribers and pharmacies, ever, for some rule.

    Answered from the covering index, with withheld entries; most patients end here. A
    practice that counts once has no more prescribers than that; of another kind than
    providers, everybody who has such a drug is looked at.
    """
    rules = list(rules)
    other = any(numbers.kind is not RuleKind.PROVIDERS for numbers in rules)
    found = counted_fills.may_reach(patient_ids) if other else set()
    prescribers = fn.COUNT(Dispensation.prescriber.distinct())
    pharmacies = fn.COUNT(Dispensation.pharmacy.distinct())
    enough = [
        (and_ if numbers.both else or_)(
            prescribers >= numbers.prescribers, pharmacies >= numbers.pharmacies
        )
        for numbers in rules
        if numbers.kind is RuleKind.PROVIDERS
    ]
    if not enough:
        return found
    return found | _ids(
        Dispensation.select(Dispensation.patient)
        .where(Dispensation.patient.in_(patient_ids))
        .group_by(Dispensation.patient)
        .having(reduce(or_, enough))
    )


def _with_cases(patient_ids: list[int]) -> set[int]:
    return _ids(
        ThresholdCase.select(ThresholdCase.patient)
        .where(ThresholdCase.patient.in_(patient_ids))
        .where(ThresholdCase.status != CaseStatus.WITHDRAWN)
    )


def _standing_cases(patient_ids: list[int]) -> dict[int, list[ThresholdCase]]:
    query = (
        ThresholdCase.select(ThresholdCase, ThresholdRule)
        .join(ThresholdRule)
        .where(ThresholdCase.patient.in_(patient_ids))
        .where(ThresholdCase.status != CaseStatus.WITHDRAWN)
        .order_by(ThresholdCase.crossed_on, ThresholdCase.id)
    )
    found: dict[int, list[ThresholdCase]] = {}
    for case in query:
        # The id alone: case.patient would read the patient's row.
        found.setdefault(case.__data__["patient"], []).append(case)
    return found


def _patients_after(last: int) -> list[int]:
    return sorted(
        _ids(
            Patient.select(Patient.id)
            .where(Patient.id > last)
            .order_by(Patient.id)
            .limit(CHUNK)
        )
    )


def _ids(query: Any) -> set[int]:
    return {row[0] for row in query.tuples()}


def _take(patient_ids: list[int]) -> None:
    """Keep two submissions from settling the same patients at the same time."""
    if not database.is_sqlite():  # SQLite's transactions are IMMEDIATE
        query = (
            Patient.select(Patient.id)
            .where(Patient.id.in_(patient_ids))
            .order_by(Patient.id)
            .for_update()
        )
        list(query.tuples())
