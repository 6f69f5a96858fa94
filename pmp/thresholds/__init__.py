"""Evaluating the threshold rules: which patients crossed which numbers, and when.

Called for the patients that a submission or a correction touched, and nightly for all.
Idempotent: one case for one crossing of one rule, however often and in whatever order
the records come. An existing case follows its crossing when entries change, and is
withdrawn when the crossing is gone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import models
from models import (
    CaseStatus,
    Dispensation,
    Patient,
    ThresholdCase,
    ThresholdRule,
)
from pmp import bulk, database
from pmp.thresholds import (
    candidates,
    case_recipients,
    correction_notices,
    counted_fills,
    threshold_cases,
    threshold_rules,
)
from pmp.thresholds.crossings import Crossing, Fill, crossings
from pmp.thresholds.threshold_rules import numbers_of

CHUNK = 2_000
"""Patients that one query asks for."""
AT_ONCE = 500
"""Patients of one transaction of the nightly check: SQLite's writers wait for it."""
NO_LONGER = "The entries no longer reach the numbers."


@dataclass(frozen=True)
class Standing:
    """A case that stands, and its entries: dispensation id → version counted."""

    case: ThresholdCase
    counted: dict[int, int]


def evaluate(
    patient_ids: Iterable[int], *, at: datetime, since: date | None = None
) -> list[ThresholdCase]:
    """Bring the cases of these patients to what their entries say.

    `since` is the first day that any of their fills that came, went or changed says or
    said; without it every fill is looked at.  Gives the cases that were made, counted
    again or withdrawn.  Part of the caller's transaction, so that an entry and its
    cases stand or fall together.
    """
    touched = sorted(set(patient_ids))
    is_within_a_change = models.database.in_transaction()
    changed: list[ThresholdCase] = []
    with database.atomic():
        rules = _rules(at=at)
        if is_within_a_change:
            # Another change of the same patient that nobody sees yet is waited for.
            _take(touched)
        concerned = _concerned(touched, rules, since)
        if not is_within_a_change:
            _take(concerned)
        for chunk in _chunks(concerned):
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
    """Evaluate every patient, a chunk a transaction; as `full_checks.run`, untold."""
    chunks = everybody(size=AT_ONCE)
    return [case for chunk in chunks for case in evaluate(chunk, at=at)]


def everybody(*, size: int = CHUNK, one_in: int = 1) -> Iterator[list[int]]:
    """Give all patients in chunks, in order, or every so many-th of them."""
    last = 0
    while chunk := _patients_after(last, size, one_in):
        yield chunk
        last = chunk[-1]


def _rules(*, at: datetime) -> list[ThresholdRule]:
    rules = threshold_rules.in_force()
    if not rules and threshold_rules.seed(at=at):
        rules = threshold_rules.in_force()
    return rules


def _concerned(
    patient_ids: Sequence[int], rules: Iterable[ThresholdRule], since: date | None
) -> list[int]:
    numbers = [numbers_of(rule) for rule in rules]
    found: set[int] = set()
    for chunk in _chunks(patient_ids):
        found |= candidates.of(chunk, numbers, since=since)
    return sorted(found)


def _evaluate(
    patient_ids: Sequence[int], rules: list[ThresholdRule], *, at: datetime
) -> list[ThresholdCase]:
    cases = _standing_cases(patient_ids)
    counted = threshold_cases.counted(case for own in cases.values() for case in own)
    followed = [case.rule for own in cases.values() for case in own]
    numbers = [numbers_of(rule) for rule in (*rules, *followed)]
    fills = dict(counted_fills.of_patients(patient_ids, numbers))
    changed: list[ThresholdCase] = []
    for patient_id in patient_ids:
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


def _standing_cases(patient_ids: Sequence[int]) -> dict[int, list[ThresholdCase]]:
    query = (
        ThresholdCase.select(ThresholdCase, ThresholdRule)
        .join(ThresholdRule)
        .where(bulk.among(ThresholdCase.patient, patient_ids))
        .where(ThresholdCase.status != CaseStatus.WITHDRAWN)
        .order_by(ThresholdCase.crossed_on, ThresholdCase.id)
    )
    found: dict[int, list[ThresholdCase]] = {}
    for case in query:
        # The id alone: case.patient would read the patient's row.
        found.setdefault(case.__data__["patient"], []).append(case)
    return found


def _patients_after(last: int, size: int, one_in: int) -> list[int]:
    query: Any = Patient.select(Patient.id).where(Patient.id > last)
    if one_in > 1:
        query = query.where(Patient.id / one_in * one_in == Patient.id)
    rows = query.order_by(Patient.id).limit(size).tuples()
    return [number for (number,) in rows]


def _chunks(patient_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(patient_ids), CHUNK):
        yield patient_ids[start : start + CHUNK]


def _take(patient_ids: Sequence[int]) -> None:
    """Keep two submissions from settling the same patients at the same time.

    Their reports first, as whoever sends one does, and all of them before the first
    case is written: an evaluation that held the audit record and then waited for a
    report would wait for whoever has that report and waits for the record.
    """
    if not patient_ids or database.is_sqlite():  # SQLite's transactions are IMMEDIATE
        return
    with_cases = ThresholdCase.select(ThresholdCase.id).where(
        bulk.among(ThresholdCase.patient, patient_ids)
    )
    case_recipients.take_reports(with_cases)
    query: Any = Patient.select(Patient.id).where(bulk.among(Patient.id, patient_ids))
    # Not FOR UPDATE: whoever stores a fill of theirs need not wait.
    list(query.order_by(Patient.id).for_update("FOR NO KEY UPDATE").tuples())
