"""Whatever happens in whatever order: the same cases as from the beginning."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest

from models import (
    CaseEntry,
    CaseRecipient,
    Connective,
    CorrectionNotice,
    Delivery,
    Dispensation,
    DispensationStatus,
    MatchDecision,
    Patient,
    ReportedIdentity,
    RuleKind,
    RuleStatus,
    ThresholdCase,
)
from pmp import database, dispensations, thresholds, uploads
from pmp.errors import RuleError
from pmp.matching import undoing
from pmp.thresholds import counted_fills, threshold_rules
from pmp.thresholds.crossings import crossings
from pmp.thresholds.threshold_rules import Terms
from tests.factories import make_dea, make_pharmacy, make_product
from tests.histories import DAY, NAMES, History, stored
from tests.submission_files import OXYCODONE, fill, submission

AND, OR = Connective.AND, Connective.OR
PROVIDERS = [
    Terms("Ours", 2, 2, AND, 20),
    Terms("Ours", 2, 3, AND, 30, status=RuleStatus.SILENT),
    Terms("Ours", 3, 2, AND, 15, schedules=("CII",)),
    Terms("Ours", 2, 2, AND, 20, status=RuleStatus.OFF),
    Terms("Theirs", 3, 3, OR, 45),
    Terms("Theirs", 3, 3, AND, 60),
]
# With one of these in force everybody who has an opioid is looked at.
AMOUNTS = [
    Terms("Doses", kind=RuleKind.DAILY_MME, amount=60, window_days=10),
    Terms("Long", kind=RuleKind.LONG_OPIOID_USE, amount=40, gap_days=2),
]
SHOPS = [
    ("", "", make_dea(301, "BM"), "MAIN"),
    ("", "", make_dea(302, "BE"), "ELM"),
    ("", "", make_dea(303, "BO"), "OAK"),
]
WRITERS = [make_dea(401, "AB"), make_dea(402, "AB"), make_dea(403, "AB")]
SEEDS = range(4)
HAPPENINGS = [
    *["submit"] * 14,
    *["revise", "void_by_file", "void", "restore", "day", "identity", "writer"],
    *["join", "apart", "split", "split", "undo", "sent", "new_rule"],
]

pytestmark = pytest.mark.usefixtures("db")


class LongerHistory(History):
    """Files, corrections and rules too; what each touches is evaluated by it alone."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.number = 0
        self.today = DAY - timedelta(days=40)
        self.rules = [*PROVIDERS, *AMOUNTS] if seed % 2 else PROVIDERS
        self.shops = {shop[3]: shop for shop in SHOPS}
        for shop in SHOPS:
            make_pharmacy(dea=shop[2], name=shop[3])
        make_product(ndc=OXYCODONE)
        make_product(ndc="00000000017", schedule="CIV")

    def go_on(self) -> None:
        self.at += timedelta(minutes=2)
        self.today += timedelta(days=self.chance.choice([0, 0, 1, 2]))
        what = self.chance.choice(HAPPENINGS)
        review = self._review() if what in {"join", "apart"} else None
        try:
            made = self._happen(what, review)
            if isinstance(made, MatchDecision) and self.chance.random() < 0.3:
                undoing.undo(made, by=self.staff, at=self.at)
        except RuleError:
            return  # as it was

    def submit(self) -> None:
        """Send a file of a few fills, some of them late, of people known or not."""
        shops = self.chance.sample(SHOPS, self.chance.choice([1, 1, 1, 2]))
        self._send(*((shop, self._fills()) for shop in shops))

    def revise(self) -> None:
        self._send_about(self._standing(), "01")

    def void_by_file(self) -> None:
        self._send_about(self._standing(), "02")

    def void(self) -> None:
        if entry := self._standing():
            dispensations.void(entry, reason="Void.", by=self.staff, at=self.at)

    def restore(self) -> None:
        if entry := self._one_of(DispensationStatus.VOIDED):
            dispensations.restore(entry, reason="Back.", by=self.staff, at=self.at)

    def day(self) -> None:
        self._correct(filled_on=self._day())

    def writer(self) -> None:
        self._correct(prescriber=self.chance.choice(self.prescribers))

    def identity(self) -> None:
        rows = list(ReportedIdentity.select().order_by(ReportedIdentity.id))
        if rows:
            self._correct(identity=self.chance.choice(rows))

    def new_rule(self) -> None:
        """Change a rule, which holds for everybody from the night on."""
        terms = self.chance.choice(self.rules)
        threshold_rules.write(terms=terms, reason="New.", by=self.staff, at=self.at)
        thresholds.run(self.at)

    def _correct(self, **changes: Any) -> None:
        if entry := self._standing():
            dispensations.correct(
                entry, changes=changes, reason="Wrong.", by=self.staff, at=self.at
            )

    def _fills(self) -> list[list[str]]:
        return [self._fill() for _ in range(self.chance.choice([1, 1, 1, 3]))]

    def _fill(self) -> list[str]:
        self.number += 1
        last, first = self.chance.choice(NAMES)
        return fill(
            f"{self.number}",
            last=last,
            first=first,
            filled=f"{self._day():%Y%m%d}",
            written="20260801",
            ndc=self.chance.choice([OXYCODONE, OXYCODONE, "00000000017"]),
            dea=self.chance.choice(WRITERS),
        )

    def _send_about(self, entry: Dispensation | None, status: str) -> None:
        shop = next(
            (s for s, p in self.shops.items() if entry and p == entry.pharmacy), None
        )
        if entry is None or shop is None:
            return
        last, first = self.chance.choice(NAMES)
        line = fill(
            entry.prescription_number,
            status=status,
            last=last,
            first=first,
            filled=f"{entry.filled_on:%Y%m%d}",
            written="20260801",
            ndc=entry.product_code,
            dea=self.chance.choice(WRITERS),
            quantity=str(self.chance.randint(10, 90)),
        )
        self._send((self.shops[entry.pharmacy.name], [line]))

    def _send(self, *shops: Any) -> None:
        received = uploads.receive(
            filename="a.dat", body=submission(*shops), by=self.staff, at=self.at
        )
        uploads.process(received.id, at=self.at)

    def _standing(self) -> Dispensation | None:
        return self._one_of(DispensationStatus.CURRENT)

    def _one_of(self, status: DispensationStatus) -> Dispensation | None:
        rows = Dispensation.select().where(Dispensation.status == status)
        found = list(rows.order_by(Dispensation.id))
        return self.chance.choice(found) if found else None

    def _day(self) -> date:
        """Give a day of this week; one time in five it is long ago."""
        late = self.chance.random() < 0.2
        return self.today - timedelta(days=self.chance.randrange(50 if late else 5))


@pytest.mark.parametrize("seed", SEEDS)
def test_any_history_leaves_the_cases_of_a_full_recomputation(seed: int) -> None:
    history = LongerHistory(seed)

    for step in range(40):
        history.go_on()
        assert standing() == by_arithmetic()
        if step % 10 == 9:
            with everything_forgotten():
                thresholds.run(history.at)
                from_the_beginning = standing()
            assert standing() == from_the_beginning
            everybody = {row.patient.id for row in ReportedIdentity.select()}
            assert thresholds.evaluate(everybody, at=history.at) == []
            assert thresholds.run(history.at) == []
    assert ThresholdCase.select().exists()


def standing() -> set[tuple[Any, ...]]:
    """Give the standing cases of the rules in force."""
    return {
        (rule.id, *case) for rule in threshold_rules.in_force() for case in stored(rule)
    }


def by_arithmetic() -> set[tuple[Any, ...]]:
    """Give what the entries of everybody say, whoever is thought to be concerned."""
    rules = threshold_rules.in_force()
    everybody = [patient.id for patient in Patient.select()]
    numbers = [threshold_rules.numbers_of(rule) for rule in rules]
    found = set()
    for patient, fills in counted_fills.of_patients(everybody, numbers):
        for rule, asked in zip(rules, numbers, strict=True):
            for each in crossings(fills, asked):
                entries = frozenset((fill.id, fill.version) for fill in each.fills)
                window = (each.first, each.last)
                found.add((rule.id, patient, each.crossed_on, window, entries))
    return found


@contextmanager
def everything_forgotten() -> Iterator[None]:
    """Let there be no case and no report until the end of the block."""
    with database.atomic() as kept:
        for table in (CorrectionNotice, CaseEntry, CaseRecipient, ThresholdCase):
            table.delete().execute()
        Delivery.delete().execute()
        yield
        kept.rollback()
