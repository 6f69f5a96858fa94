"""Random histories of a few people: what is reported, decided and corrected.

Each happens through the rule that a page, a file or the worker calls. The seed gives
the same history again.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby, product
from typing import Any, NamedTuple

from models import (
    CaseEntry,
    CaseStatus,
    Delivery,
    DeliveryState,
    Dispensation,
    DispensationStatus,
    MatchDecision,
    MatchReview,
    ReportedIdentity,
    ThresholdCase,
    ThresholdRule,
)
from pmp import matching, thresholds
from pmp.errors import RuleError
from pmp.matching import Identity, decisions, undoing
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


def state() -> Any:
    """Give all that a decision and its undo may change, but for what was sent."""
    return (
        {row.id: row.patient.id for row in ReportedIdentity.select()},
        {row.id: row.patient.id for row in Dispensation.select()},
        {row.id: (row.candidate.id, row.status) for row in MatchReview.select()},
        set(stored(ThresholdRule.get())),
    )


def stored(rule: ThresholdRule) -> Iterator[tuple[Any, ...]]:
    """Give the standing cases: patient, day, window, entries with their versions."""
    cases = ThresholdCase.select().where(
        ThresholdCase.rule == rule, ThresholdCase.status != CaseStatus.WITHDRAWN
    )
    for case in cases:
        entries = frozenset(
            (entry.dispensation.id, entry.version)
            for entry in CaseEntry.select().where(CaseEntry.case == case)
        )
        window = (case.window_first, case.window_last)
        yield (case.patient.id, case.crossed_on, window, entries)


def recomputed(rule: ThresholdRule) -> Iterator[tuple[Any, ...]]:
    """Give the same of what the entries say, by the arithmetic alone."""
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
            window = (crossing.first, crossing.last)
            yield (patient, crossing.crossed_on, window, entries)
