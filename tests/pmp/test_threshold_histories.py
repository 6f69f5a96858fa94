"""Whatever happens in whatever order: the same cases as from the beginning."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import pytest

from models import (
    CaseEntry,
    CaseStatus,
    Dispensation,
    DispensationStatus,
    ThresholdCase,
    ThresholdRule,
    User,
)
from pmp import dispensations, thresholds
from pmp.thresholds import threshold_rules
from pmp.thresholds.crossings import Fill, crossings
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_identity,
    make_pharmacy,
    make_prescriber,
    make_rule,
    make_user,
)

DAY = date(2026, 11, 1)

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize("seed", range(4))
def test_random_histories_give_the_cases_of_a_full_recomputation(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a repeatable history
    rule = make_rule(prescribers=2, pharmacies=2, window_days=20, schedules=[])
    staff = make_user()
    people = [make_identity() for _ in range(2)]
    prescribers = [make_prescriber() for _ in range(3)]
    pharmacies = [make_pharmacy() for _ in range(3)]

    for _ in range(25):
        _happen(chance, people, prescribers, pharmacies, staff)
        assert set(_stored(rule)) == set(_recomputed(rule))
    assert thresholds.run(NOW) == []


def _happen(
    chance: random.Random,
    people: list[Any],
    prescribers: list[Any],
    pharmacies: list[Any],
    staff: User,
) -> None:
    standing = list(
        Dispensation.select()
        .where(Dispensation.status == DispensationStatus.CURRENT)
        .order_by(Dispensation.id)
    )
    what = chance.choice(["new", "new", "new", "void", "date", "move"])
    day = DAY - timedelta(days=chance.randrange(90))
    if what == "new" or not standing:
        identity = chance.choice(people)
        make_dispensation(
            identity=identity,
            prescriber=chance.choice(prescribers),
            pharmacy=chance.choice(pharmacies),
            filled_on=day,
        )
        thresholds.evaluate([identity.patient.id], at=NOW)
        return
    entry = chance.choice(standing)
    if what == "void":
        dispensations.void(entry, reason="Void.", by=staff, at=NOW)
    else:
        changes = {"filled_on": day} if what == "date" else {"identity": people[0]}
        dispensations.correct(entry, changes=changes, reason="x", by=staff, at=NOW)


def _stored(rule: ThresholdRule) -> Iterator[tuple[Any, ...]]:
    cases = ThresholdCase.select().where(
        ThresholdCase.rule == rule, ThresholdCase.status != CaseStatus.WITHDRAWN
    )
    for case in cases:
        entries = frozenset(
            (entry.dispensation.id, entry.version)
            for entry in CaseEntry.select().where(CaseEntry.case == case)
        )
        yield (case.patient.id, case.crossed_on, entries)


def _recomputed(rule: ThresholdRule) -> Iterator[tuple[Any, ...]]:
    rows = (
        Dispensation.select()
        .where(Dispensation.status == DispensationStatus.CURRENT)
        .order_by(Dispensation.patient, Dispensation.filled_on, Dispensation.id)
    )
    numbers = threshold_rules.numbers_of(rule)
    for patient, group in groupby(rows, key=lambda row: row.patient.id):
        fills = [
            Fill(
                row.id,
                row.filled_on,
                row.prescriber.id,
                row.pharmacy.id,
                row.schedule,
                row.version,
            )
            for row in group
        ]
        for crossing in crossings(fills, numbers):
            entries = frozenset((fill.id, fill.version) for fill in crossing.fills)
            yield (patient, crossing.crossed_on, entries)
