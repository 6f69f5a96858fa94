from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import models
from models import (
    AuditEvent,
    Dispensation,
    DispensationVersion,
    Patient,
    Pharmacy,
    RecordStatus,
    ReportedIdentity,
    Role,
    Submission,
    SubmissionProblem,
    SubmissionRecord,
    SubmissionStatus,
    ThresholdCase,
    User,
    ZeroReport,
)
from pmp import audit, bulk, database, documents, thresholds, uploads
from pmp.errors import ConflictError, RuleError
from pmp.thresholds import correction_notices
from pmp.uploads import corrections, files, outcomes, submissions
from pmp.uploads.intake import Intake
from pmp.uploads.standing import Ledger
from tests.conftest import NOW
from tests.factories import make_licence, make_pharmacy, make_product, make_user
from tests.submission_files import ELM, MAIN, OXYCODONE, fill, submission, zero

pytestmark = pytest.mark.usefixtures("db")

LATER = NOW + timedelta(minutes=5)
S = SubmissionStatus
OUTCOMES = (
    "stored",
    "held",
    "duplicate",
    "voided",
    "void_not_found",
    "not_reportable",
    "zero_reports",
)


@pytest.fixture
def elm() -> User:
    """Make a pharmacy user that covers ELM alone; the product of `fill` is known."""
    make_product(ndc=OXYCODONE)
    make_product(
        ndc="00000000017",
        name="Amoxicillin 500 mg",
        ingredient="AMOXICILLIN",
        schedule="",
        drug_class="other",
    )
    pharmacy = make_pharmacy(dea=ELM[2], name=ELM[3])
    make_pharmacy()  # noise: another's
    return make_user(Role.PHARMACY, pharmacy=pharmacy)


def submit(by: User, *records: list[str], **how: Any) -> Submission:
    return send(by, submission((ELM, records), **how))


def send(by: User, body: bytes, *, dry_run: bool = False) -> Submission:
    received = uploads.receive(
        filename="november.dat", body=body, by=by, at=NOW, dry_run=dry_run
    )
    return uploads.process(received.id, at=LATER)


def counts(done: Submission) -> dict[str, int]:
    """Give the counts that are not zero; they always add up to the records."""
    assert sum(getattr(done, name) for name in OUTCOMES) == done.records
    names = ("records", *OUTCOMES, "stored_with_warning", "revised")
    return {name: number for name in names if (number := getattr(done, name))}


def standing() -> list[Dispensation]:
    query = Dispensation.select().where(Dispensation.status == "current")
    return list(query.order_by(Dispensation.id))


def record_of(done: Submission, number: int) -> SubmissionRecord:
    return submissions.record(done, number)


def problems_of(done: Submission, number: int) -> list[SubmissionProblem]:
    return submissions.problems_of(record_of(done, number))


def test_a_file_is_kept_encrypted_before_its_receipt(elm: User) -> None:
    body = submission((ELM, [fill()]))
    received = uploads.receive(filename="a.dat", body=body, by=elm, at=NOW)

    stored = models.Submission.get_by_id(received.id)
    assert stored.status is S.RECEIVED
    assert documents.read(stored.document) == body
    assert b"EXAMPLE" not in bytes(stored.document.sealed or b"")
    assert Dispensation.select().count() == 0
    event = AuditEvent.get(AuditEvent.subject == f"submission:{stored.id}")
    assert event.event == audit.Event.SUBMISSION_RECEIVED


def test_a_good_record_is_stored_with_the_products_facts(elm: User) -> None:
    done = submit(elm, fill("60-a "))

    assert done.status is S.PROCESSED
    assert counts(done) == {"records": 1, "stored": 1}
    (row,) = standing()
    assert row.pharmacy == elm.pharmacy
    assert (row.prescription_number, row.product_code) == ("60-A", OXYCODONE)
    assert (row.quantity, row.days_supply) == (Decimal(60), 30)
    assert (row.filled_on, row.written_on) == (date(2026, 11, 3), date(2026, 11, 2))
    assert (row.mme_key, row.strength) == ("oxycodone", Decimal(10))
    assert (row.record_number, row.submission) == (1, done)
    assert row.identity.last_name == "EXAMPLE"
    assert row.identity.patient == row.patient
    assert row.prescriber.dea == "AS3045122"
    assert row.row_code.startswith("D-")
    assert SubmissionRecord.select().count() == 0


def test_what_a_fill_was_for_is_kept_but_not_its_diagnosis(elm: User) -> None:
    submit(
        elm, fill("1", treatment="05", diagnosis="C50.911"), fill("2", diagnosis="B20")
    )
    submit(elm, fill("3"))
    done = submit(elm, fill("3", status="01", treatment="3"))

    assert counts(done) == {"records": 1, "stored": 1, "revised": 1}
    assert [row.care for row in standing()] == ["cancer hospice", None, "cancer"]
    kept = str(
        [list(Dispensation.select().dicts()), list(SubmissionRecord.select().dicts())]
    )
    assert "C50" not in kept
    assert "B20" not in kept
    told = correction_notices.changed_fields(standing()[2], 2)
    assert [(each.name, each.after) for each in told] == [
        ("Treatment or diagnosis", "changed")
    ]


def test_prescriber_and_pharmacy_are_made_once_and_tied_to_their_licences() -> None:
    staff = make_user(Role.STAFF)
    licence = make_licence(dea=MAIN[2])
    body = submission((MAIN, [fill("1"), fill("2")]))
    send(staff, body)
    send(staff, submission((MAIN, [fill("3")])))

    pharmacy = Pharmacy.get(Pharmacy.dea == MAIN[2])
    assert (pharmacy.name, pharmacy.licence) == (MAIN[3], licence)
    assert {row.pharmacy for row in standing()} == {pharmacy}
    assert models.Prescriber.select().count() == 1


def test_one_person_is_one_patient_in_all_records(elm: User) -> None:
    submit(elm, fill("1"), fill("2"), fill("3", last="OTHER"))

    first, second, third = standing()
    assert first.patient == second.patient != third.patient
    assert ReportedIdentity.select().count() == 2
    assert Patient.select().count() == 2


def test_only_bad_records_are_held_with_elements_and_reason(elm: User) -> None:
    done = submit(elm, fill("1"), fill("2", days="0"), fill("3"))

    assert done.status is S.PROCESSED_WITH_ERRORS
    assert counts(done) == {"records": 3, "stored": 2, "held": 1}
    held = record_of(done, 2)
    assert held.status is RecordStatus.HELD
    assert (held.elements["DSP02"], held.elements["DSP10"]) == ("2", "0")
    (problem,) = problems_of(done, 2)
    assert (problem.code, problem.element, problem.value) == ("E10", "DSP10", "0")
    assert problem.segment_number == held.segment_number
    assert {row.prescription_number for row in standing()} == {"1", "3"}


def test_records_of_another_pharmacy_are_held(elm: User) -> None:
    body = submission((ELM, [fill("1")]), (MAIN, [fill("2"), zero()]))
    done = send(elm, body)

    assert counts(done) == {"records": 3, "stored": 1, "held": 2}
    assert problems_of(done, 2)[0].code == "F09"
    assert Pharmacy.get_or_none(Pharmacy.dea == MAIN[2]) is None
    assert ZeroReport.select().count() == 0


def test_a_pharmacy_is_also_known_by_its_licence() -> None:
    user = make_user(Role.PHARMACY, licence=make_licence(dea=ELM[2]))
    done = submit(user, fill())

    assert counts(done)["stored"] == 1


def test_an_unknown_product_is_stored_with_a_warning_and_without_facts(
    elm: User,
) -> None:
    done = submit(elm, fill(ndc="99999123401"))

    assert counts(done) == {"records": 1, "stored": 1, "stored_with_warning": 1}
    (row,) = standing()
    assert "99999-1234-01" in row.drug_name
    assert (row.ingredient, row.mme_key, row.strength) == ("", "", None)
    (problem,) = problems_of(done, 1)
    assert (problem.code, problem.element) == ("P05", "DSP08")
    assert record_of(done, 1).dispensation == row


def test_what_need_not_be_reported_is_set_aside(elm: User) -> None:
    done = submit(elm, fill("1", days="2"), fill("2", ndc="00000000017"), fill("3"))

    assert counts(done) == {"records": 3, "stored": 1, "not_reportable": 2}
    assert [row.prescription_number for row in standing()] == ["3"]
    assert Patient.select().count() == 1


def test_the_same_fill_again_is_counted_once(elm: User) -> None:
    submit(elm, fill())
    done = submit(elm, fill(), fill("2"), fill("2"))

    assert counts(done) == {"records": 3, "stored": 1, "duplicate": 2}
    assert len(standing()) == 2


def test_the_same_fill_with_other_content_leaves_the_first(elm: User) -> None:
    submit(elm, fill())
    done = submit(elm, fill(quantity="90"))

    assert counts(done) == {"records": 1, "duplicate": 1}
    assert standing()[0].quantity == 60
    (problem,) = problems_of(done, 1)
    assert problem.code == "P02"
    assert "quantity" in problem.message
    assert "01" in problem.fix


def test_partial_fills_are_not_merged(elm: User) -> None:
    done = submit(elm, fill(partial="01"), fill(partial="02"))

    assert counts(done) == {"records": 2, "stored": 2}
    assert [row.partial for row in standing()] == [1, 2]


def test_two_drugs_under_one_number_are_not_merged(elm: User) -> None:
    make_product(ndc="00406051205")
    done = submit(elm, fill(), fill(ndc="00406051205"))

    assert counts(done) == {"records": 2, "stored": 2}


def test_a_revision_changes_the_fill_and_keeps_what_it_said(elm: User) -> None:
    submit(elm, fill(), fill("2"))
    done = submit(elm, fill(status="01", quantity="90", born="19800612"))

    assert counts(done) == {"records": 1, "stored": 1, "revised": 1}
    changed, noise = standing()
    assert (changed.quantity, changed.version) == (Decimal(90), 2)
    assert changed.identity.birth_date == date(1980, 6, 12)
    assert noise.version == 1
    (version,) = DispensationVersion.select()
    assert (version.dispensation, version.version) == (changed, 1)
    assert version.content["quantity"] in {"60", "60.000"}
    assert version.submission == done


def test_a_revision_finds_the_only_fill_of_another_day(elm: User) -> None:
    submit(elm, fill(filled="20261103"))
    done = submit(elm, fill(status="01", filled="20261104"))

    assert counts(done)["revised"] == 1
    assert [row.filled_on for row in standing()] == [date(2026, 11, 4)]


def test_a_revision_of_nothing_is_stored_with_a_warning(elm: User) -> None:
    submit(elm, fill("other"))
    done = submit(elm, fill(status="01"))

    assert counts(done) == {"records": 1, "stored": 1, "stored_with_warning": 1}
    assert problems_of(done, 1)[0].code == "P03"


def test_a_void_takes_the_fill_out_and_keeps_its_row(elm: User) -> None:
    submit(elm, fill(), fill("2"))
    done = submit(elm, fill(status="02"))

    assert counts(done) == {"records": 1, "voided": 1}
    assert [row.prescription_number for row in standing()] == ["2"]
    assert Dispensation.select().count() == 2
    assert DispensationVersion.select().count() == 1


def test_void_and_replacement_work_in_one_file_in_order(elm: User) -> None:
    submit(elm, fill())
    done = submit(elm, fill(status="02"), fill(quantity="90"))

    assert counts(done) == {"records": 2, "stored": 1, "voided": 1}
    assert [row.quantity for row in standing()] == [Decimal(90)]


def test_a_new_fill_and_its_void_and_another_work_in_one_file(elm: User) -> None:
    done = submit(elm, fill(), fill(status="02"), fill(quantity="90"))

    assert counts(done) == {"records": 3, "stored": 2, "voided": 1}
    assert [row.quantity for row in standing()] == [Decimal(90)]
    assert Dispensation.select().count() == 2


def test_a_void_of_nothing_is_counted_and_names_the_nearest(elm: User) -> None:
    submit(elm, fill(quantity="60"))
    done = submit(elm, fill(status="02", quantity="61"), fill("77", status="02"))

    assert counts(done) == {"records": 2, "void_not_found": 2}
    assert len(standing()) == 1
    assert "quantity 60" in problems_of(done, 1)[0].message
    assert "No record" in problems_of(done, 2)[0].message


def test_a_void_without_product_finds_the_only_fill(elm: User) -> None:
    submit(elm, fill())
    done = submit(elm, fill(status="02", ndc="00406051205"))

    assert counts(done) == {"records": 1, "voided": 1}


def test_days_exchanged_between_two_fills_can_be_revised_in_one_file(
    elm: User,
) -> None:
    submit(elm, fill(fill_number="1"), fill(fill_number="2", filled="20261104"))
    done = submit(
        elm,
        fill(status="01", fill_number="2", filled="20261103"),
        fill(status="01", fill_number="1", filled="20261104"),
    )

    assert counts(done)["revised"] == 2


def test_a_zero_report_is_kept_for_its_pharmacy_and_days(elm: User) -> None:
    done = submit(elm, zero(), message="#20261101#-#20261115#")

    assert counts(done) == {"records": 1, "zero_reports": 1}
    (report,) = ZeroReport.select()
    assert report.pharmacy == elm.pharmacy
    assert (report.first_day, report.last_day) == (
        date(2026, 11, 1),
        date(2026, 11, 15),
    )


def test_a_cut_file_stores_nothing_and_may_be_sent_again(elm: User) -> None:
    body = submission((ELM, [fill("1"), fill("2")]))
    cut = send(elm, body[:-40])

    assert cut.status is S.FAILED_STRUCTURE
    assert counts(cut) == {}
    assert Dispensation.select().count() == 0
    (problem,) = SubmissionProblem.select().where(SubmissionProblem.severity == "fatal")
    assert problem.byte_offset
    assert counts(send(elm, body)) == {"records": 2, "stored": 2}
    assert send(elm, body[:-40]).status is S.FAILED_STRUCTURE


@pytest.mark.parametrize("how", ["dry run", "test file"])
def test_a_test_gives_the_same_result_and_stores_nothing(elm: User, how: str) -> None:
    submit(elm, fill("1"))
    before = Pharmacy.select().count(), Patient.select().count()
    kind = "T" if how == "test file" else "P"
    records = [
        fill("1"),
        fill("2", last="NEW", days="0"),
        fill("3", last="NEW"),
        fill("3", last="NEW"),
        fill("1", status="02"),
        fill("1"),
        zero(),
    ]
    done = send(elm, submission((ELM, records), kind=kind), dry_run=how == "dry run")

    expected = {"stored": 2, "held": 1, "duplicate": 2, "voided": 1, "zero_reports": 1}
    assert counts(done) == {"records": 7, **expected}
    assert [row.prescription_number for row in standing()] == ["1"]
    assert (Pharmacy.select().count(), Patient.select().count()) == before
    assert (ZeroReport.select().count(), DispensationVersion.select().count()) == (0, 0)
    with pytest.raises(RuleError, match="test"):
        corrections.correct(record_of(done, 2), elements={}, by=elm, at=LATER)


def test_the_same_file_is_not_taken_twice_from_one_user(elm: User) -> None:
    body = submission((ELM, [fill()]))
    first = send(elm, body, dry_run=True)
    second = send(elm, body)
    with pytest.raises(RuleError) as refused:
        send(elm, body)

    assert f"submission {second.id}" in refused.value.message
    assert refused.value.field == "file"
    assert Submission.select().count() == 2
    assert first.dry_run


def test_who_may_not_submit_is_refused_and_so_is_what_is_no_file(elm: User) -> None:
    body = submission((ELM, [fill()]))
    for by, content in (
        (make_user(Role.PRACTITIONER), body),
        (make_user(Role.AUDITOR), body),
        (elm, b""),
        (elm, b"x" * (65 * 1024 * 1024)),
    ):
        with pytest.raises(RuleError):
            uploads.receive(filename="a", body=content, by=by, at=NOW)
    assert Submission.select().count() == 0


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\files\\nov.dat", "nov.dat"),
        ("a\x00b\r\n.dat", "ab.dat"),
        ("", "submission"),
        ("x" * 300, "x" * 120),
    ],
)
def test_a_file_keeps_its_own_name_alone(elm: User, given_name: str, kept: str) -> None:
    received = uploads.receive(filename=given_name, body=b"x", by=elm, at=NOW)

    assert received.filename == kept


def test_processing_a_finished_submission_again_changes_nothing(elm: User) -> None:
    done = submit(elm, fill("1"), fill("2", days="0"))
    again = uploads.process(done.id, at=LATER + timedelta(days=1))

    assert (counts(again), again.finished_at) == (counts(done), LATER)
    assert SubmissionRecord.select().count() == 1


class KilledError(Exception):
    """The worker's end, at a place that a test chose."""


@pytest.mark.parametrize("how", ["for real", "dry run"])
@pytest.mark.parametrize("at_batch", [1, 2, 4])
def test_a_worker_killed_in_the_middle_of_a_batch_stores_nothing_twice(
    elm: User, monkeypatch: pytest.MonkeyPatch, at_batch: int, how: str
) -> None:
    monkeypatch.setattr(uploads, "BATCH", 2)
    records = [fill(str(n)) for n in range(5)] + [fill("0"), fill("9", days="0")]
    received = uploads.receive(
        filename="a",
        body=submission((ELM, records)),
        by=elm,
        at=NOW,
        dry_run=how == "dry run",
    )
    batches = 0

    def remember(number: int, decided: Any) -> None:
        nonlocal batches
        batches += 1
        outcomes.remember(number, decided)  # the batch is written, not yet kept
        if batches == at_batch:
            raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(uploads, "remember", remember)
        with pytest.raises(KilledError):
            uploads.process(received.id, at=LATER)
    assert uploads.waiting() == [received.id]
    done = uploads.process(received.id, at=LATER)

    assert uploads.waiting() == []
    assert done.status is S.PROCESSED_WITH_ERRORS
    assert counts(done) == {"records": 7, "stored": 5, "held": 1, "duplicate": 1}
    assert SubmissionRecord.select().count() == 2
    assert len(standing()) == (0 if how == "dry run" else 5)


def test_a_worker_killed_before_the_thresholds_evaluates_them_when_it_goes_on(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_patients: object, **_at: object) -> None:
        raise KilledError

    body = submission((ELM, [fill("1"), fill("2", last="OTHER")]))
    received = uploads.receive(filename="a", body=body, by=elm, at=NOW)
    with monkeypatch.context() as patched:
        patched.setattr(thresholds, "evaluate", killed)
        with pytest.raises(KilledError):
            uploads.process(received.id, at=LATER)
    assert uploads.waiting() == [received.id]
    evaluated: list[int] = []
    monkeypatch.setattr(
        thresholds, "evaluate", lambda patients, **_: evaluated.extend(patients)
    )
    done = uploads.process(received.id, at=LATER)

    assert counts(done) == {"records": 2, "stored": 2}
    assert sorted(evaluated) == sorted(row.patient.id for row in standing())


def test_a_second_worker_leaves_a_batch_to_the_first(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "BATCH", 2)
    body = submission((ELM, [fill(str(number)) for number in range(5)]))
    received = uploads.receive(filename="a", body=body, by=elm, at=NOW)
    real, stopped = uploads._take_in, []

    def meanwhile(seen: Submission, intake: Intake, batch: Any) -> bool:
        other = Submission.get_by_id(seen.id)
        assert real(other, replace(intake, ledger=Ledger()), batch)
        stopped.append(real(seen, intake, batch))
        return stopped[-1]

    with monkeypatch.context() as patched:
        patched.setattr(uploads, "_take_in", meanwhile)
        left = uploads.process(received.id, at=LATER)
    assert stopped == [False]
    assert (left.status, left.progress, left.stored) == (S.READING, 2, 2)
    done = uploads.process(received.id, at=LATER)

    assert counts(done) == {"records": 5, "stored": 5}
    assert len(standing()) == 5


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run calls at the same time, each with a connection of its own."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        with database.connected():
            start.wait(timeout=30)
            try:
                return call()
            except RuleError as refusal:
                return refusal

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def test_two_workers_and_two_files_at_once_store_each_fill_once(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "BATCH", 3)
    staff = make_user(Role.STAFF)
    records = [fill(str(n), last="SAMEPERSON") for n in range(12)]
    body = submission((ELM, records), (MAIN, [fill("m")]))
    one, two = (
        uploads.receive(filename="a", body=body, by=by, at=NOW).id
        for by in (staff, make_user(Role.ADMINISTRATOR))
    )
    at_once(
        *(
            lambda number=number: uploads.process(number, at=LATER)
            for number in (one, two, one, two)
        )
    )

    first, second = Submission.get_by_id(one), Submission.get_by_id(two)
    for done in (first, second):
        counts(done)
        assert done.status is S.PROCESSED
    assert first.stored + second.stored == 13
    assert first.duplicate + second.duplicate == 13
    assert len(standing()) == 13
    assert Patient.select().count() == 2
    assert Pharmacy.select().where(Pharmacy.dea == MAIN[2]).count() == 1
    assert audit.verify() == []


def test_a_button_pressed_twice_submits_once(elm: User) -> None:
    body = submission((ELM, [fill()]))
    answers = at_once(
        *(
            lambda: uploads.receive(filename="a", body=body, by=elm, at=NOW)
            for _ in range(4)
        )
    )

    assert sum(isinstance(answer, Submission) for answer in answers) == 1
    assert Submission.select().count() == 1


def test_a_large_file_is_read_twice_rather_than_kept(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "KEPT_RECORDS", 2)
    done = submit(elm, *(fill(str(number)) for number in range(5)))

    assert counts(done) == {"records": 5, "stored": 5}


def test_more_problems_than_are_kept_are_said_to_be(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "MOST_PROBLEMS", 4)
    done = submit(elm, *(fill(str(number), days="0") for number in range(6)))

    assert counts(done)["held"] == 6
    rows = list(SubmissionProblem.select().order_by(SubmissionProblem.id))
    assert [row.code for row in rows] == ["E10", "E10", "E10", "P00"]
    assert SubmissionRecord.select().count() == 6


def test_a_social_security_number_is_stored_nowhere(elm: User) -> None:
    record = fill(days="0")
    record[0] = record[0].replace("PAT*******", "PAT*CT*07*219099999****")
    done = submit(elm, record)

    assert "219099999" not in str(record_of(done, 1).elements)
    assert not SubmissionProblem.select().where(
        SubmissionProblem.value.contains("219099999")
    )


def test_a_patient_who_reaches_a_rule_gets_a_case_and_loses_it_with_a_void(
    elm: User,
) -> None:
    models.ThresholdRule.create(
        name="test", prescribers=2, pharmacies=1, connective="and", window_days=90,
        written_by="x", written_at=NOW,
    )  # fmt: skip
    submit(elm, fill("1"), fill("2", dea="FS1234563"), fill("3", last="NOISE"))
    (case,) = ThresholdCase.select()
    assert case.patient == standing()[0].patient

    submit(elm, fill("2", dea="FS1234563", status="02"))
    assert ThresholdCase.get().status is models.CaseStatus.WITHDRAWN


def correct(done: Submission, number: int, by: User, **changes: str) -> list[Any]:
    held = record_of(done, number)
    elements = {**held.elements, **changes}
    return corrections.correct(held, elements=elements, by=by, at=LATER)


def test_a_corrected_record_is_stored_and_the_counts_move(elm: User) -> None:
    done = submit(elm, fill("1", days="0"), fill("2", days="0"), fill("3"))
    still_wrong = correct(done, 1, elm, DSP10="1000")
    assert {problem.element for problem in still_wrong} == {"DSP10"}
    assert counts(Submission.get_by_id(done.id)) == counts(done)

    assert correct(done, 1, elm, DSP10="30") == []
    now = Submission.get_by_id(done.id)
    assert counts(now) == {"records": 3, "stored": 2, "held": 1}
    assert now.status is S.PROCESSED_WITH_ERRORS
    settled = record_of(done, 1)
    assert (settled.status, settled.corrected_by) == (
        RecordStatus.CORRECTED,
        elm.username,
    )
    assert settled.dispensation
    assert settled.dispensation.prescription_number == "1"
    assert problems_of(done, 1) == []
    assert submissions.next_held(done, after=1) == 2
    assert correct(done, 2, elm, DSP10="30") == []
    assert Submission.get_by_id(done.id).status is S.RESOLVED
    assert submissions.next_held(done) is None
    event = AuditEvent.get(
        AuditEvent.event == audit.Event.SUBMISSION_RECORD_CORRECTED.value
    )
    assert event.detail["elements"] == ["DSP10"]
    assert audit.verify() == []


def test_a_record_is_corrected_once(elm: User) -> None:
    done = submit(elm, fill("1", days="0"))
    stale = record_of(done, 1)
    correct(done, 1, elm, DSP10="30")
    with pytest.raises(ConflictError):
        corrections.correct(
            stale, elements={**stale.elements, "DSP10": "31"}, by=elm, at=LATER
        )
    assert len(standing()) == 1


def test_a_corrected_record_that_stands_already_is_a_duplicate(elm: User) -> None:
    done = submit(elm, fill("1"), fill("1", days="0"))
    assert correct(done, 2, elm, DSP10="30") == []

    now = Submission.get_by_id(done.id)
    assert counts(now) == {"records": 2, "stored": 1, "duplicate": 1}
    assert record_of(done, 2).status is RecordStatus.DUPLICATE


def test_a_record_cannot_be_corrected_into_another_pharmacys(elm: User) -> None:
    done = submit(elm, fill("1", days="0"))
    (problem,) = correct(done, 1, elm, DSP10="30", PHA03=MAIN[2])

    assert problem.code == "F09"
    assert record_of(done, 1).status is RecordStatus.HELD
    assert standing() == []


def test_bulk_rows_of_a_batch_stand_or_fall_together(
    elm: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(table: Any, rows: Any, **how: Any) -> None:
        if table is SubmissionRecord:
            raise OSError("disk full")
        real(table, rows, **how)

    real = bulk.insert
    monkeypatch.setattr(bulk, "insert", broken)
    body = submission((ELM, [fill("1"), fill("2", days="0")]))
    received = uploads.receive(filename="a", body=body, by=elm, at=NOW)
    with pytest.raises(OSError, match="disk full"):
        uploads.process(received.id, at=LATER)

    assert Dispensation.select().count() == 0
    assert Submission.get_by_id(received.id).progress == 0


RECORDS = st.builds(
    fill,
    number=st.sampled_from(["1", "2"]),
    status=st.sampled_from(["00", "00", "01", "02"]),
    filled=st.sampled_from(["20261103", "20261104"]),
    fill_number=st.sampled_from(["0", "1"]),
    quantity=st.sampled_from(["30", "60"]),
    days=st.sampled_from(["30", "30", "30", "0", "2"]),
    last=st.sampled_from(["EXAMPLE", "OTHER"]),
)


@hypothesis_settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.lists(RECORDS, min_size=1, max_size=6), min_size=1, max_size=3))
def test_counts_add_up_whatever_is_sent(elm: User, files: list[list[Any]]) -> None:
    for records in files:
        done = submit(elm, *records)
        assert done.records == len(records)
        counts(done)
        rehearsed = send(elm, submission((ELM, records)), dry_run=True)
        counts(rehearsed)
