"""Whatever is sent in whatever order: what stands is what a tiny model says."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import models
from models import Dispensation, RecordStatus, Role, Submission, User
from pmp import uploads
from pmp.uploads import corrections, submissions
from tests.conftest import NOW
from tests.factories import make_pharmacy, make_product, make_user
from tests.submission_files import ELM, OXYCODONE, fill, submission

pytestmark = pytest.mark.usefixtures("db")

OUTCOMES = (
    "stored",
    "held",
    "withdrawn",
    "duplicate",
    "voided",
    "void_not_found",
    "not_reportable",
    "zero_reports",
)
R = RecordStatus


@dataclass
class Sent:
    """One record: days 0 is held, and 2 on a new one need not be reported."""

    number: str
    status: str
    filled: str
    fill_number: str
    quantity: str
    days: str
    last: str


@dataclass
class File:
    """Records, when the file was written, and which held ones are corrected."""

    records: list[Sent]
    written: str
    corrected: list[bool]


@dataclass
class Kept:
    """A fill in the model."""

    sent: Sent
    stands: bool = True

    def key(self) -> tuple[str, ...]:
        return key_of(self.sent)


@dataclass
class Waiting:
    """A void in the model that found nothing."""

    sent: Sent
    place: tuple[int, int]
    written: str
    applied: bool = False
    counted: str = "void_not_found"


def key_of(sent: Sent) -> tuple[str, ...]:
    return sent.number, sent.filled, sent.fill_number


@dataclass
class Model:
    """The rules of storing, for one pharmacy and product, without a database."""

    fills: list[Kept] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    counts: dict[int, Counter[str]] = field(default_factory=dict)

    def standing(self) -> Counter[tuple[str, ...]]:
        kept = [fill.sent for fill in self.fills if fill.stands]
        return Counter((*key_of(each), each.quantity, each.last) for each in kept)

    def take(self, number: int, records: list[tuple[int, Sent]], written: str) -> None:
        """Apply records (number in their file, content) of a submission, in order."""
        counts = self.counts.setdefault(number, Counter())
        waited, stored = list(self.waiting), dict[int, tuple[Kept, int]]()
        for place, sent in records:
            outcome, kept = self.apply(sent)
            counts[outcome] += 1
            if outcome == "void_not_found":
                self.waiting.append(Waiting(sent, (number, place), written))
            if outcome == "stored" and kept:
                stored.pop(id(kept), None)
                stored[id(kept)] = kept, place
        for kept, place in stored.values():
            self.meet(kept, (number, place), written, waited)

    def apply(self, sent: Sent) -> tuple[str, Kept | None]:
        if sent.days == "0":
            return "held", None
        if sent.status == "02":
            return self.void(sent), None
        if sent.days == "2":
            return "not_reportable", None
        there = [fill for fill in self.fills if fill.stands]
        same = [fill for fill in there if fill.key() == key_of(sent)]
        if sent.status == "01":
            near = [f for f in there if f.key()[::2] == key_of(sent)[::2]]
            if len(found := same or near) == 1:
                return self.revise(found[0], sent)
        elif same:
            return "duplicate", None
        self.fills.append(Kept(sent))
        return "stored", self.fills[-1]

    def revise(self, kept: Kept, sent: Sent) -> tuple[str, Kept | None]:
        new = (*key_of(sent), sent.quantity, sent.last)
        if new == (*kept.key(), kept.sent.quantity, kept.sent.last):
            return "duplicate", None
        kept.sent = sent
        return "stored", kept

    def void(self, sent: Sent) -> str:
        for stands in (True, False):
            for kept in self.fills:
                fits = kept.key() == key_of(sent)
                same = kept.sent.quantity == sent.quantity
                if kept.stands is stands and fits and same:
                    kept.stands = False
                    return "voided" if stands else "duplicate"
        return "void_not_found"

    def meet(
        self, kept: Kept, at: tuple[int, int], written: str, waited: list[Waiting]
    ) -> None:
        """Let a void that waited take what is surely older than itself."""
        fitting = [
            void
            for void in waited
            if kept.stands
            and key_of(void.sent) == kept.key()
            and void.sent.quantity == kept.sent.quantity
            and (at < void.place or (written and at[0] != void.place[0]
                                     and written < void.written))
        ]  # fmt: skip
        if not fitting:
            return
        fitting.sort(key=lambda void: (void.applied, void.written))
        kept.stands = False
        first, *rest = fitting
        self.move(first, "voided")
        first.applied = True
        for void in rest:
            if not void.applied:
                self.move(void, "duplicate")

    def move(self, void: Waiting, to: str) -> None:
        if void.counted != "voided":
            counts = self.counts[void.place[0]]
            counts[void.counted] -= 1
            counts[to] += 1
            void.counted = to


RECORDS = st.builds(
    Sent,
    number=st.sampled_from(["1", "2"]),
    status=st.sampled_from(["00", "00", "01", "02", "02"]),
    filled=st.sampled_from(["20261103", "20261104"]),
    fill_number=st.sampled_from(["0", "1"]),
    quantity=st.sampled_from(["30", "60"]),
    days=st.sampled_from(["30", "30", "30", "30", "0", "2"]),
    last=st.sampled_from(["EXAMPLE", "OTHER"]),
)
FILES = st.builds(
    File,
    records=st.lists(RECORDS, min_size=1, max_size=5),
    written=st.sampled_from(["", "20261116080000", "20261116100000", "20261117080000"]),
    corrected=st.lists(st.booleans(), min_size=5, max_size=5),
)


@pytest.fixture
def elm() -> User:
    make_product(ndc=OXYCODONE)
    return make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2]))


def send(by: User, file: File, *, dry_run: bool = False) -> Submission:
    header = f"{file.written[:8]}*{file.written[8:]}".encode()
    records = [fill(**asdict(each)) for each in file.records]
    body = submission((ELM, records)).replace(b"20261116*101500", header)
    received = uploads.receive(
        filename="a.dat", body=body, by=by, at=NOW, dry_run=dry_run
    )
    return uploads.process(received.id, at=NOW)


def counts(of: int) -> dict[str, int]:
    done = Submission.get_by_id(of)
    found = {name: getattr(done, name) for name in OUTCOMES}
    assert sum(found.values()) == done.records
    return {name: count for name, count in found.items() if count}


def correct(done: Submission, file: File, number: int, by: User) -> Sent:
    held = submissions.record(done, number)
    elements = {**held.elements, "DSP10": "30"}
    assert corrections.correct(held, elements=elements, by=by, at=NOW) == []
    return Sent(**(asdict(file.records[number - 1]) | {"days": "30"}))


def stored() -> Counter[tuple[str, ...]]:
    query: Any = (
        Dispensation.select(Dispensation, models.ReportedIdentity)
        .join(models.ReportedIdentity)
        .where(Dispensation.status == "current")
    )
    return Counter(
        (
            row.prescription_number,
            f"{row.filled_on:%Y%m%d}",
            str(row.fill_number),
            f"{row.quantity:.0f}",
            row.identity.last_name,
        )
        for row in query
    )


@hypothesis_settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(files=st.lists(FILES, min_size=1, max_size=4))
def test_what_stands_and_what_is_counted_is_what_the_model_says(
    elm: User, files: list[File]
) -> None:
    with models.database.atomic() as transaction:
        check(elm, files)
        transaction.rollback()


def check(elm: User, files: list[File]) -> None:
    model = Model()
    sent: list[tuple[Submission, File]] = []
    for file in files:
        rehearsed = counts(send(elm, file, dry_run=True).id)
        done = send(elm, file)
        assert rehearsed == counts(done.id)
        sent.append((done, file))
        model.take(done.id, list(enumerate(file.records, start=1)), file.written)
    for done, file in sent:
        for place, each in enumerate(file.records, start=1):
            if each.days == "0" and file.corrected[place - 1]:
                better = correct(done, file, place, elm)
                model.counts[done.id]["held"] -= 1
                model.take(done.id, [(place, better)], "")

    assert stored() == model.standing()
    for done, _ in sent:
        expected = {n: c for n, c in model.counts[done.id].items() if c}
        assert counts(done.id) == expected
    assert_told_alike(sent)


def assert_told_alike(sent: list[tuple[Submission, File]]) -> None:
    """Compare what is kept of each record with the submission's counts."""
    for done, _ in sent:
        records = models.SubmissionRecord
        query = records.select().where(records.submission == done)
        told = Counter(record.status for record in query)
        now = Submission.get_by_id(done.id)
        assert told[R.VOIDED] == now.voided
        assert told[R.VOID_NOT_FOUND] == now.void_not_found
        assert told[R.DUPLICATE] == now.duplicate
        assert told[R.HELD] == now.held
