"""A generated state: the same everywhere, and its truth is what the program finds."""

import hashlib
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from models import (
    RecordStatus,
    Role,
    Submission,
    SubmissionProblem,
    SubmissionRecord,
    SubmissionStatus,
    User,
)
from pmp import asap, settings, uploads
from pmp.asap import fills, generate, mishaps
from pmp.asap.generate import SyntheticFile
from tests.conftest import NOW
from tests.factories import make_user

R = RecordStatus
WORDS = {R.STORED_WITH_WARNING: "stored"}
TODAY = date(2026, 11, 23)


def state(days: int = 30, scale: float = 0.5, **how: object) -> list[SyntheticFile]:
    given = {"seed": 5, "days": days, "scale": scale, **how}
    return list(generate.submissions(**given))  # type: ignore[arg-type]


def truth_of(files: list[SyntheticFile]) -> Iterator[dict[str, str]]:
    for file in files:
        yield from file.truth


@pytest.fixture
def staff(db: settings.Settings) -> User:
    """Make a user who may submit for every pharmacy."""
    return make_user(Role.STAFF, username="exchange")


def check_truth(files: list[SyntheticFile], by: User) -> Counter[str]:
    """Submit the files in their order; each record must end as the truth says."""
    told: Counter[str] = Counter()
    for file in files:
        received = uploads.receive(filename=file.name, body=file.body, by=by, at=NOW)
        done = uploads.process(received.id, at=NOW)
        assert done.status is not SubmissionStatus.FAILED_STRUCTURE, file.name
        found = outcomes_of(done)
        for row in file.truth:
            outcome = found.get(int(row["record"]), "stored")
            if done.test:
                assert row["outcome"] == "test", row
            else:
                assert outcome == row["outcome"], (row, problems_of(done, row))
            told[row["outcome"]] += 1
        assert done.records == len(file.truth)
    return told


def outcomes_of(done: Submission) -> dict[int, str]:
    kept = SubmissionRecord.select().where(SubmissionRecord.submission == done)
    return {row.number: WORDS.get(row.status, row.status.value) for row in kept}


def problems_of(done: Submission, row: dict[str, str]) -> list[str]:
    query = SubmissionProblem.select().where(
        SubmissionProblem.submission == done,
        SubmissionProblem.record_number == int(row["record"]),
    )
    return [problem.message for problem in query]


def test_every_record_ends_as_the_truth_says(staff: User) -> None:
    # More mishaps than usual, so that few records show them all.
    files = state(days=40, scale=0.3, defects=0.06)

    told = check_truth(files, staff)

    assert sum(told.values()) > 1500
    for outcome in (
        "stored",
        "held",
        "duplicate",
        "revised",
        "voided",
        "not_reportable",
        "zero_report",
    ):
        assert told[outcome] > 0, outcome


def test_each_kind_of_mishap_and_defect_is_told_true(
    staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All equally often, and more than half of the fills.
    count = len(mishaps.MISHAPS)
    monkeypatch.setattr(mishaps, "SUMS", tuple(0.05 * n for n in range(1, count + 1)))
    monkeypatch.setattr(mishaps, "SHARE", 0.05 * count)
    monkeypatch.setattr(generate, "LATE", 0.2)
    monkeypatch.setattr(generate, "AGAIN", 0.1)
    monkeypatch.setattr(generate, "TEST", 0.1)
    files = state(days=25, scale=0.2, defects=0.2)

    told = check_truth(files, staff)

    why = {row["why"] for row in truth_of(files)}
    assert {defect for defect, _, _ in fills.DEFECTS} <= why
    assert {
        "sent twice in one file",
        "replaced in the same file",
        "returned to stock",
        "another quantity",
        "another date filled",
        "sent again in a later file",
        "contradicts an earlier record",
        "second part",
        "void of a number that was never sent",
        "revises what was never sent",
        "compound",
        "picked up by another",
        "a supply of 48 hours or less",
        "in a test file",
    } <= why
    assert told["void_not_found"] > 0
    assert told["test"] > 0


def test_files_are_in_the_order_of_their_names_and_few_come_late() -> None:
    files = state(scale=1)

    names = [file.name for file in files]
    assert names == sorted(names)
    assert len(set(names)) == len(names)
    late = [
        row
        for file in files
        for row in file.truth
        if row["outcome"] == "stored"
        and row["filled_on"].replace("-", "") < file.name[:8]
    ]
    assert 0 < len(late) < 0.1 * sum(file.records for file in files)


def test_the_bytes_do_not_hang_on_the_process(tmp_path: Path) -> None:
    def digest(hash_seed: str) -> str:
        script = (
            "import hashlib; from pmp.asap import generate as g\n"
            "made = hashlib.sha256()\n"
            "for f in g.submissions(seed=11, days=5, scale=0.3):\n"
            "    made.update(f.name.encode() + f.body + f.lines.encode())\n"
            "print(made.hexdigest())\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
            text=True,
        )
        return done.stdout

    assert digest("1") == digest("2") != ""


ROOT = Path(__file__).parent.parent.parent


def test_a_seed_gives_its_own_state() -> None:
    assert [f.body for f in state(3)] == [f.body for f in state(3)]
    assert state(3)[0].body != state(3, seed=6)[0].body


def test_few_prescribers_write_most() -> None:
    written: Counter[str] = Counter()
    for file in state(scale=1):
        for line in file.body.decode().splitlines():
            if line.startswith("PRE*") and len(line) > 8:
                written[line.split("*")[2]] += 1

    counts = sorted(written.values(), reverse=True)
    assert sum(counts[: len(counts) // 10]) > 0.35 * sum(counts)
    assert counts[-1] <= 3


def test_chains_send_one_file_for_all_their_pharmacies_with_site_numbers() -> None:
    files = [file for file in state(3, scale=1) if "CHAIN1" in file.name]

    assert files
    for file in files:
        lines = file.body.decode().splitlines()
        shops = [line.split("*") for line in lines if line.startswith("PHA*")]
        assert len(shops) == 4
        assert [shop[12] for shop in shops] == ["1", "2", "3", "4"]
        assert len({shop[3] for shop in shops}) == 4


def test_chronic_patients_come_back_after_28_to_30_days_with_the_next_fill_number() -> (
    None
):
    fills_of: defaultdict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for file in state(days=90, scale=0.3, defects=0):
        rows = iter(file.truth)
        for line in file.body.decode().splitlines():
            if line.startswith("DSP"):
                row, dsp = next(rows), line.split("*")
                if (row["outcome"], row["why"]) == ("stored", ""):
                    key = row["pharmacy_dea"], row["prescription_number"]
                    fills_of[key].append((row["filled_on"], int(dsp[6])))
    repeated = [found for found in fills_of.values() if len(found) > 1]
    assert len(repeated) > 50
    gaps: Counter[int] = Counter()
    for found in repeated:
        numbers = [number for _, number in sorted(found)]
        assert numbers == sorted(set(numbers))
        days = [date.fromisoformat(day).toordinal() for day, _ in sorted(found)]
        gaps.update(later - day for day, later in pairwise(days))
    usual = sum(gaps[days] for days in range(26, 32))
    assert usual > 0.9 * sum(gaps.values())


@pytest.mark.parametrize("defects", [0.0, 0.3])
def test_defects_come_at_the_rate_asked_for(defects: float) -> None:
    outcomes = Counter(row["outcome"] for row in truth_of(state(defects=defects)))
    assert outcomes["held"] / sum(outcomes.values()) == pytest.approx(defects, abs=0.04)


def test_versions_are_those_asked_for_and_read_without_a_surplus_element() -> None:
    found: Counter[str] = Counter()
    accepted = asap.Programme(accepted=frozenset({"4.2", "4.2A", "4.2B", "5.0"}))
    for file in state(1, scale=12, defects=0, versions=["5.0", "4.2", "4.2A", "4.2B"]):
        reading = asap.read(iter([file.body]), today=TODAY, programme=accepted)
        codes = {each.code for record in reading for each in record.problems}
        assert not reading.refused
        assert not codes & {"W06", "E04"}
        assert {each.code for each in reading.problems} <= {"W07"}
        found[reading.version] += 1
    assert set(found) == {"5.0", "4.2", "4.2A", "4.2B"}
    assert found.most_common(1)[0][0] == "5.0"


def test_planted_stories_are_named_and_are_what_they_say() -> None:
    told: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for row in truth_of(state(days=120, scale=1)):
        if row["story"] and row["outcome"] == "stored":
            told[row["story"]].append(row)

    assert len(told) == 8
    for name, count in (
        ("many prescribers and pharmacies", 7),
        ("five prescribers and five pharmacies", 5),
        ("four prescribers and four pharmacies", 4),
    ):
        rows = told[name]
        assert len({row["pharmacy_dea"] for row in rows}) == count
        assert len({row["person"] for row in rows}) == 1
        days = [date.fromisoformat(row["filled_on"]) for row in rows]
        assert (max(days) - min(days)).days < 90
    assert len({row["person"] for row in told["twins with one birth date"]}) == 2
    assert len({row["person"] for row in told["misspelt name"]}) == 1
    early = sorted(row["filled_on"] for row in told["early refills"])
    assert len(early) == 5


def test_a_small_state_of_few_days_has_no_more_than_it_can() -> None:
    for days, scale in ((1, 0.01), (2, 0.2), (5, 0.05)):
        assert sum(file.records for file in state(days, scale)) > 0


def test_large_submission_holds_good_records_only() -> None:
    body = generate.large_submission(seed=7, records=3000)
    reading = asap.read(iter([body]), today=generate.UNTIL)
    numbers = [record.elements["DSP02"] for record in reading]

    assert (reading.counts.read, reading.counts.good) == (3000, 3000)
    assert len(set(numbers)) == 3000
    assert reading.verdict == "accepted"  # without a warning
    again = generate.large_submission(seed=7, records=3000)
    assert hashlib.sha256(again).digest() == hashlib.sha256(body).digest()
    assert generate.large_submission(seed=8, records=3000) != body
