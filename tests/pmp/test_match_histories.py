"""Whatever staff decide in whatever order: one patient each, and true cases."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby, product
from typing import Any, NamedTuple

import pytest

from models import (
    CaseEntry,
    CaseStatus,
    DecidedIdentity,
    DecisionKind,
    DecisionSide,
    Delivery,
    DeliveryState,
    Dispensation,
    MatchDecision,
    MatchReview,
    ReportedIdentity,
    ThresholdCase,
    ThresholdRule,
)
from pmp import matching, thresholds
from pmp.errors import RuleError
from pmp.matching import Identity, decisions, undoing, whereabouts
from pmp.thresholds import threshold_rules
from pmp.thresholds.crossings import Fill, crossings
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_pharmacy,
    make_prescriber,
    make_rule,
    make_user,
)

DAY = date(2026, 11, 1)
ANNA = Identity(
    last="EXAMPLE",
    first="ANNA",
    middle="",
    suffix="",
    birth_date=date(1980, 2, 16),
    sex="F",
    street="12 MAPLE ST",
    city="HAMDEN",
    state="CT",
    zip="06514",
    phone="2035550111",
)
NAMES = [("EXAMPLE", "ANNA"), ("EXAMPLE", "HANNA"), ("SAMPLE", "ANNA")]

pytestmark = pytest.mark.usefixtures("db")


class Looked(NamedTuple):
    """Who was looked up when, under which number, and who stood there then."""

    person: int
    patient: int
    at: datetime
    there: frozenset[int]


class History:
    """Random reports, decisions and looks; the times go on by a minute each."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - a repeatable history
        self.at = NOW
        self.rule = make_rule(prescribers=2, pharmacies=2, window_days=20, schedules=[])
        self.staff = make_user()
        self.prescribers = [make_prescriber() for _ in range(3)]
        self.pharmacies = [make_pharmacy() for _ in range(3)]
        self.looks: list[Looked] = []

    def look(self) -> None:
        """Have somebody known be looked up."""
        rows = list(ReportedIdentity.select().order_by(ReportedIdentity.id))
        if rows:
            found = self.chance.choice(rows)
            there = {row.id for row in rows if row.patient == found.patient}
            self.looks.append(
                Looked(found.id, found.patient.id, self.at, frozenset(there))
            )

    def go_on(self) -> None:
        self.at += timedelta(minutes=1)
        self.look()
        self.at += timedelta(minutes=1)
        what = self.chance.choice(
            ["report"] * 4 + ["join", "apart", "split", "split", "undo", "sent"]
        )
        review = self._review() if what in {"join", "apart"} else None
        before = state()
        try:
            made = self._happen(what, review)
        except RuleError:
            assert state() == before
            return
        if isinstance(made, MatchDecision) and self.chance.random() < 0.5:
            self.at += timedelta(minutes=1)
            undoing.undo(made, by=self.staff, at=self.at)
            assert state() == before

    def report(self) -> None:
        """Have a fill come, of somebody known or of a new spelling."""
        last, first = self.chance.choice(NAMES)
        who = replace(ANNA, last=last, first=first)
        who = replace(who, street=f"{self.chance.randrange(3)} MAPLE ST")
        [link] = matching.link([who], at=self.at)
        make_dispensation(
            identity=ReportedIdentity.get_by_id(link.identity_id),
            prescriber=self.chance.choice(self.prescribers),
            pharmacy=self.chance.choice(self.pharmacies),
            filled_on=DAY - timedelta(days=self.chance.randrange(60)),
            stored_at=self.at,
        )
        thresholds.evaluate([link.patient_id], at=self.at)

    def _happen(self, what: str, review: MatchReview | None) -> Any:
        if review is None:
            return getattr(self, what)() if what not in {"join", "apart"} else None
        sides = review.identity.patient.id, review.candidate.id
        decide = decisions.join if what == "join" else decisions.keep_apart
        mark = decisions.mark_of(*sides)
        return decide(review, reason="Seen.", seen=mark, by=self.staff, at=self.at)

    def split(self) -> MatchDecision | None:
        rows = list(ReportedIdentity.select().order_by(ReportedIdentity.id))
        patients = [row.patient.id for row in rows]
        several = [each for each in patients if patients.count(each) > 1]
        if not several:
            return None
        patient = self.chance.choice(several)
        own = [row.id for row in rows if row.patient.id == patient]
        others = sorted({row.patient.id for row in rows} - {patient})
        return decisions.split(
            patient,
            self.chance.sample(own, self.chance.randint(1, len(own))),
            to=self.chance.choice([None, *others]),
            reason="Two.",
            seen=decisions.mark_of(patient),
            by=self.staff,
            at=self.at,
        )

    def undo(self) -> None:
        standing = list(MatchDecision.select().where(MatchDecision.undone_at.is_null()))
        if standing:
            undoing.undo(self.chance.choice(standing), by=self.staff, at=self.at)

    def sent(self) -> None:
        Delivery.update(state=DeliveryState.SENT).execute()

    def _review(self) -> MatchReview | None:
        """Give an open question, or ask one as the matcher would."""
        rows = list(ReportedIdentity.select().order_by(ReportedIdentity.id))
        pairs = [
            (one, other.patient)
            for one, other in product(rows, rows)
            if one.patient != other.patient
        ]
        if not pairs:
            return None
        identity, candidate = self.chance.choice(pairs)
        same = {"identity": identity, "candidate": candidate}
        found: MatchReview | None = MatchReview.get_or_none(**same)
        return found or MatchReview.create(**same, score=20, opened_at=self.at)


@pytest.mark.parametrize("seed", range(8))
def test_random_histories_keep_everyone_true(seed: int) -> None:
    history = History(seed)
    for step in range(40):
        history.go_on()
        assert_fills_follow_their_identities()
        assert_nobody_kept_apart_is_together()
        if step % 8 == 7:
            assert_looks_open_their_own_person(history.looks)
        assert set(_stored(history.rule)) == set(_recomputed(history.rule))
    assert thresholds.run(history.at) == []
    assert len({each.kind for each in MatchDecision.select()}) > 1


def state() -> Any:
    """Give all that a decision and its undo may change, but for what was sent."""
    return (
        {row.id: row.patient.id for row in ReportedIdentity.select()},
        {row.id: row.patient.id for row in Dispensation.select()},
        {row.id: (row.candidate.id, row.status) for row in MatchReview.select()},
        set(_stored(ThresholdRule.get())),
    )


def assert_fills_follow_their_identities() -> None:
    for fill in Dispensation.select(Dispensation, ReportedIdentity).join(
        ReportedIdentity
    ):
        assert fill.patient.id == fill.identity.patient.id


def assert_looks_open_their_own_person(looks: list[Looked]) -> None:
    """Old looks lead to their person, unless those who stood there are divided now.

    Then nobody can tell whom it meant, and it leads to nobody.
    """
    now = {row.id: row.patient.id for row in ReportedIdentity.select()}
    for look in looks:
        together = {now[each] for each in look.there}
        opened = whereabouts.today([look.patient], look.at)
        assert opened == (together if len(together) == 1 else set())
        assert opened <= {now[look.person]}


def assert_nobody_kept_apart_is_together() -> None:
    standing = MatchDecision.select().where(
        MatchDecision.undone_at.is_null(), MatchDecision.kind != DecisionKind.JOIN
    )
    for decision in standing:
        sides = [
            {
                row.identity.patient.id
                for row in DecidedIdentity.select().where(
                    DecidedIdentity.decision == decision, DecidedIdentity.side == side
                )
            }
            for side in DecisionSide
        ]
        assert not sides[0] & sides[1]


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
    rows = Dispensation.select().order_by(
        Dispensation.patient, Dispensation.filled_on, Dispensation.id
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
