"""What the roster, the drug table and the calendar have to say of a record."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

import models
from models import (
    Dispensation,
    Profession,
    RecordStatus,
    Role,
    Severity,
    Submission,
    SubmissionProblem,
    User,
    ZeroReport,
)
from pmp import settings, uploads
from pmp.uploads import corrections, register, submissions
from tests.conftest import NOW
from tests.factories import make_licence, make_pharmacy, make_product, make_user
from tests.submission_files import ELM, OXYCODONE, fill, submission, zero

pytestmark = pytest.mark.usefixtures("db")

DIAZEPAM, CREAM = "00406051301", "00406051401"
SMITH, JONES = "AS3045122", "FS1234563"


@pytest.fixture
def elm() -> User:
    make_product(ndc=OXYCODONE)
    make_product(
        ndc=DIAZEPAM,
        name="Diazepam 5 mg tablet",
        ingredient="diazepam",
        schedule="CIV",
        drug_class="benzodiazepine",
        mme_key="",
    )
    make_product(
        ndc=CREAM,
        name="Testosterone gel",
        ingredient="testosterone",
        form="GEL",
        schedule="CIII",
        drug_class="other",
        mme_key="",
    )
    make_pharmacy()  # noise
    return make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2], name=ELM[3]))


@pytest.fixture
def graded() -> Iterator[Callable[[str], object]]:
    """Set how grave rules are, as an administrator writes it."""
    with ExitStack() as stack:
        yield lambda text: stack.enter_context(settings.changed(asap_severities=text))


def send(by: User, *records: list[str], **how: Any) -> Submission:
    how.setdefault("at", NOW)
    at, dry_run = how.pop("at"), how.pop("dry_run", False)
    received = uploads.receive(
        filename="a.dat",
        body=submission((ELM, records), **how),
        by=by,
        at=at,
        dry_run=dry_run,
    )
    return uploads.process(received.id, at=at)


def remarks(done: Submission) -> list[tuple[int | None, str, str]]:
    rows = SubmissionProblem.select().where(SubmissionProblem.submission == done)
    return [
        (row.record_number, row.code, row.element)
        for row in rows.order_by(SubmissionProblem.id)
    ]


def problem(done: Submission) -> SubmissionProblem:
    found: SubmissionProblem = SubmissionProblem.get(
        SubmissionProblem.submission == done
    )
    return found


def test_a_prescriber_who_is_not_on_the_roster_is_warned_of(elm: User) -> None:
    make_licence(Profession.PRACTITIONER, dea=SMITH)
    done = send(elm, fill("1"), fill("2", dea=JONES), fill("3", dea=JONES))

    assert remarks(done) == [(2, "R01", "PRE02"), (3, "R01", "PRE02")]
    assert problem(done).value == JONES
    assert done.stored_with_warning == 2


def test_a_roster_without_dea_numbers_accuses_nobody(elm: User) -> None:
    make_licence(Profession.PRACTITIONER)
    make_licence(Profession.PHARMACY, dea=ELM[2])
    done = send(elm, fill("1"), fill("2", dea=JONES))

    assert remarks(done) == []


def test_the_roster_is_asked_once_for_each_number(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_licence(Profession.PRACTITIONER, dea=SMITH)
    monkeypatch.setattr(uploads, "BATCH", 1)
    asked: list[set[str]] = []
    real = register._on_roster

    def ask(name: str, numbers: set[str], profession: Profession) -> dict[str, bool]:
        asked.append(numbers)
        return real(name, numbers, profession)

    monkeypatch.setattr(register, "_on_roster", ask)
    send(elm, fill("1"), fill("2"), fill("3", dea=JONES), fill("4"))

    assert asked.count({SMITH}) == asked.count({JONES}) == asked.count({ELM[2]}) == 1


def test_a_schedule_two_drug_has_no_refills(elm: User) -> None:
    done = send(
        elm,
        fill("1", refills="1"),
        fill("2", refills="1", fill_number="1"),
        fill("3", refills="1", fill_number="1", ndc=DIAZEPAM),
    )

    assert remarks(done) == [(1, "R05", "DSP04"), (2, "R05", "DSP04")]
    assert "Schedule II" in problem(done).message
    assert problem(done).value == "1"


def test_what_the_reader_says_itself_is_not_said_twice(elm: User) -> None:
    record = fill("1", refills="1")
    record[1] += "*" * 17 + "02"  # DSP34: the schedule, from 5.0 on
    body = submission((ELM, [record])).replace(b"TH*4.2B*", b"TH*5.0*")
    with settings.changed(asap_versions="5.0"):
        received = uploads.receive(filename="a", body=body, by=elm, at=NOW)
        done = uploads.process(received.id, at=NOW)

    assert [code for _, code, _ in remarks(done)].count("R05") == 1


@pytest.mark.parametrize(
    ("written", "filled", "number", "late"),
    [
        ("20260503", "20261103", "1", False),
        ("20260502", "20261103", "1", True),
        ("20260502", "20261103", "0", False),
        ("20260831", "20270228", "1", False),
        ("20260831", "20270301", "1", True),
    ],
)
def test_a_refill_comes_within_six_months(
    elm: User, written: str, filled: str, number: str, *, late: bool
) -> None:
    how = {"written": written, "filled": filled, "fill_number": number, "refills": "5"}
    day = date.fromisoformat(filled)
    later = NOW + (day - NOW.date()) if day > NOW.date() else NOW
    done = send(elm, fill("1", ndc=DIAZEPAM, **how), at=later)

    assert ((1, "R07", "DSP03") in remarks(done)) is late


def test_more_than_ninety_days_of_an_opioid_or_benzodiazepine_are_long(
    elm: User,
) -> None:
    done = send(
        elm,
        fill("1", days="90"),
        fill("2", days="91"),
        fill("3", days="91", ndc=DIAZEPAM),
        fill("4", days="91", ndc=CREAM),
    )

    assert remarks(done) == [(2, "R08", "DSP10"), (3, "R08", "DSP10")]


def test_tablets_are_not_measured_in_grams(elm: User) -> None:
    grams, cream = fill("1"), fill("2", ndc=CREAM)
    for record in (grams, cream):
        record[1] = record[1].replace("*60*30*01*", "*60*30*03*")
    done = send(elm, grams, cream)

    assert remarks(done) == [(1, "R08", "DSP11")]
    assert "grams" in problem(done).message


def test_a_report_late_by_more_than_a_period_is_told_once(elm: User) -> None:
    """November 1 to 15 is due on the 20th, and the period has fifteen days."""
    records = [fill(str(number)) for number in range(3)]
    in_time = send(elm, fill("9"), at=NOW.replace(month=12, day=5))
    done = send(elm, *records, at=NOW.replace(month=12, day=6))
    changed = send(
        elm, fill("0", status="01", quantity="9"), at=NOW.replace(month=12, day=9)
    )

    assert remarks(in_time) == []
    assert remarks(done) == [(1, "R12", "DSP05")]
    assert "11/20/2026" in problem(done).message
    assert (done.stored, done.stored_with_warning) == (3, 1)
    assert remarks(changed) == []


def test_the_same_number_with_another_patient_is_warned_of(elm: User) -> None:
    first = send(elm, fill(refills="5", ndc=DIAZEPAM), fill("7", last="OTHER"))
    same = send(
        elm,
        fill(refills="5", ndc=DIAZEPAM, fill_number="1", filled="20261104"),
    )
    other = {"refills": "5", "ndc": DIAZEPAM, "fill_number": "2", "last": "OTHER"}
    again = send(elm, fill(**other, filled="20261105"))

    assert remarks(first) == remarks(same) == []
    assert remarks(again) == [(1, "R15", "DSP02")]
    assert "11/04/2026" in problem(again).message
    assert "EXAMPLE" not in problem(again).message


def test_who_is_the_same_patient_matching_says_not_the_spelling(elm: User) -> None:
    send(elm, fill(refills="5", ndc=DIAZEPAM, first="KATHERINE"))
    moved = fill(
        refills="5",
        ndc=DIAZEPAM,
        first="KATHERINE",
        fill_number="1",
        filled="20261105",
    )
    moved[0] = moved[0].replace("12 MAPLE ST", "99 OAK AVE")
    done = send(elm, moved)

    assert models.ReportedIdentity.select().count() == 2
    assert remarks(done) == []


def test_a_revision_may_change_the_patient(elm: User) -> None:
    send(elm, fill())
    done = send(elm, fill(status="01", last="OTHER"))

    assert (done.revised, remarks(done)) == (1, [])


def test_in_one_file_and_in_a_dry_run_the_number_is_compared_too(elm: User) -> None:
    two = [fill(), fill(last="OTHER", filled="20261104")]
    rehearsed = send(elm, *two, dry_run=True)
    done = send(elm, *two)

    assert remarks(done) == [(2, "R15", "DSP02")]
    assert remarks(rehearsed) == []  # nobody knows yet who they are
    third = fill(last="OTHER", first="THIRD", filled="20261105")
    send(elm, fill("8", last="OTHER", first="THIRD"))
    assert remarks(send(elm, third, dry_run=True)) == [(1, "R15", "DSP02")]


def test_a_number_used_again_after_years_is_no_news(elm: User) -> None:
    old = send(elm, fill(filled="20250101", written="20250101"))
    done = send(elm, fill(last="OTHER"))

    assert old.stored == 1
    assert remarks(done) == []


def test_a_pharmacy_that_is_not_on_the_roster_is_told_once(elm: User) -> None:
    make_licence(Profession.PHARMACY, dea="BP1234563")
    done = send(elm, fill("1"), fill("2"))

    assert remarks(done) == [(1, "E16", "PHA03")]
    make_licence(Profession.PHARMACY, dea=ELM[2])
    assert remarks(send(elm, fill("3"))) == []


@pytest.mark.parametrize("code", ["E16", "R12"])
def test_what_is_told_once_holds_each_record_as_an_error(
    elm: User, graded: Callable[[str], object], code: str
) -> None:
    make_licence(Profession.PHARMACY, dea="BP1234563")
    other = {"E16": "R12", "R12": "E16"}[code]
    graded(f"{code}=error,{other}=off")
    at = NOW.replace(month=12, day=30)
    done = send(elm, fill("1"), fill("2"), at=at)

    assert (done.held, done.stored) == (2, 0)
    assert [each[:2] for each in remarks(done)] == [(1, code), (2, code)]
    assert problem(done).severity is Severity.ERROR


def test_a_rule_made_an_error_holds_the_record_until_it_is_corrected(
    elm: User, graded: Callable[[str], object]
) -> None:
    graded("P05=error")
    done = send(elm, fill("1", ndc="99999123401"), fill("2"))

    assert (done.held, done.stored) == (1, 1)
    held = submissions.record(done, 1)
    assert held.status is RecordStatus.HELD
    assert held.elements["DSP08"] == "99999123401"
    assert Dispensation.select().count() == 1
    for ndc, left in (("99999123499", ["P05"]), (OXYCODONE, [])):
        elements = {**held.elements, "DSP08": ndc}
        still = corrections.correct(held, elements=elements, by=elm, at=NOW)
        assert [each.code for each in still] == left
    assert Submission.get_by_id(done.id).held == 0


def test_a_rule_can_be_switched_off(elm: User, graded: Callable[[str], object]) -> None:
    graded("P05=off,R05=off")
    done = send(elm, fill("1", ndc="99999123401"), fill("2", refills="3"))

    assert (done.stored, done.stored_with_warning) == (2, 0)


def test_of_a_duplicate_only_that_is_said(elm: User) -> None:
    make_licence(Profession.PRACTITIONER, dea=SMITH)
    send(elm, fill(dea=JONES, ndc="99999123401"))
    done = send(elm, fill(dea=JONES, ndc="99999123401"))

    assert [code for _, code, _ in remarks(done)] == ["P01"]


def test_every_rule_says_what_it_means() -> None:
    for code, rule in register.RULES.items():
        assert rule.code == code
        assert (rule.check.__doc__ or "").startswith("Require")


def test_a_zero_report_where_fills_stand_is_kept_and_warned_of(elm: User) -> None:
    send(elm, fill("1"), fill("2"), fill("3", filled="20261104", written="20261104"))
    send(elm, fill("4", status="00"), fill("4", status="02"))
    done = send(elm, zero(), message="#20261101#-#20261115#")

    assert (done.zero_reports, ZeroReport.select().count()) == (1, 1)
    assert remarks(done) == [(1, "P13", "IS03")]
    said = problem(done).message
    assert "2 days" in said
    assert "11/03/2026" in said
    assert submissions.record(done, 1).status is RecordStatus.ZERO_REPORT


@pytest.mark.parametrize("days", ["#20261104#-#20261115#", "#20261001#-#20261102#"])
def test_a_zero_report_of_other_days_is_not_warned_of(elm: User, days: str) -> None:
    send(elm, fill("1"), fill("2", filled="20261110", written="20261110"))
    send(elm, fill("2", filled="20261110", written="20261110", status="02"))
    done = send(elm, zero(), message=days)

    assert remarks(done) == []


def test_fills_that_come_after_a_zero_report_win(elm: User) -> None:
    send(elm, zero(), message="#20261101#-#20261115#")
    done = send(elm, fill())

    assert (done.stored, remarks(done)) == (1, [])
    assert ZeroReport.select().count() == 1
    both = send(elm, fill("5"), zero(), message="#20261101#-#20261115#")
    assert (both.stored, both.zero_reports) == (1, 1)
    assert {code for _, code, _ in remarks(both)} == {"W09", "P13"}


def test_a_quantity_of_many_decimals_is_the_same_again(elm: User) -> None:
    """The tables keep three: what is compared is what they keep."""
    send(elm, fill(quantity="2.36785"))
    again = send(elm, fill(quantity="2.36785"))
    void = send(elm, fill(quantity="2.36785", status="02"))

    assert (again.duplicate, void.voided) == (1, 1)
    assert [code for _, code, _ in remarks(again)] == ["P01"]
    assert Dispensation.get().quantity == Decimal("2.368")


def test_each_version_tells_the_file_and_segment_that_ended_it(elm: User) -> None:
    first = send(elm, fill("1"), fill())
    second = send(elm, fill("2"), fill(status="01", quantity="90"), at=NOW)
    with settings.changed(void_wait_hours=0):
        third = send(elm, fill(status="02", quantity="90"), at=NOW + timedelta(days=1))

    versions = models.DispensationVersion.select().order_by(
        models.DispensationVersion.version
    )
    changed = [
        (row.submission, row.record_number, row.segment_number) for row in versions
    ]
    assert changed == [(second, 2, 8), (third, 1, 5)]
    said = [
        (row.content["submission"], row.content["segment_number"]) for row in versions
    ]
    assert said == [(first.id, 8), (second.id, 8)]
    assert [row.reason.partition(" ")[0] for row in versions] == ["revised", "voided"]
    assert {row.changed_by for row in versions} == {elm.username}
