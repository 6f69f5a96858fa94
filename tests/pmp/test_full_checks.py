import logging
from datetime import datetime, timedelta

import pytest

from gateway import schedule
from models import (
    AuditEvent,
    CaseEntry,
    CaseStatus,
    RuleStatus,
    SubmissionStatus,
    ThresholdCase,
)
from pmp import audit, statistics, thresholds
from pmp.thresholds import full_checks
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_patient,
    make_rule,
    make_submission,
)

EVENING = NOW + timedelta(hours=1)
NIGHT = timedelta(days=1)

pytestmark = pytest.mark.usefixtures("db")


def spoil(case: ThresholdCase) -> None:
    """Let a case have lost an entry that nobody touched."""
    last = CaseEntry.select().where(CaseEntry.case == case).get()
    last.delete_instance()


def test_cases_that_agree_are_said_to() -> None:
    make_crossing(make_patient())
    make_patient()

    found = full_checks.run(at=EVENING)

    assert (found.patients, found.changed, found.put_right) == (2, 0, 0)
    assert full_checks.last() == found


def test_what_nobody_touched_is_put_right_named_and_on_record() -> None:
    case, other = make_crossing(make_patient()), make_crossing(make_patient())
    full_checks.run(at=EVENING)
    spoil(case)

    found = full_checks.run(at=NOW + NIGHT)

    assert (found.changed, found.put_right, found.cases) == (1, 1, (case.id,))
    assert CaseEntry.select().where(CaseEntry.case == case).count() == 3
    row = AuditEvent.select().order_by(AuditEvent.id.desc()).get()
    assert row.event == audit.Event.THRESHOLDS_CHECKED
    assert row.detail == {
        "patients": 2,
        "changed": 1,
        "put_right": 1,
        "cases": [case.id],
    }
    assert other.status == CaseStatus.QUEUED
    assert full_checks.run(at=NOW + 2 * NIGHT).put_right == 0


def test_a_crossing_that_was_missed_is_put_right() -> None:
    make_rule()
    full_checks.run(at=EVENING)
    patient = make_patient()
    for _ in range(3):
        make_dispensation(patient=patient)  # and nobody looks

    found = full_checks.run(at=NOW + NIGHT)

    [case] = ThresholdCase.select()
    assert found.cases == (case.id,)


def test_what_a_new_rule_asks_for_is_no_defect() -> None:
    make_crossing(make_patient())
    full_checks.run(at=EVENING)
    make_rule(prescribers=2, status=RuleStatus.SILENT, written_at=EVENING + NIGHT / 2)

    found = full_checks.run(at=NOW + NIGHT)

    assert (found.changed, found.put_right) == (1, 0)


def test_what_a_submission_that_is_being_taken_in_brought_is_no_defect() -> None:
    make_rule()
    full_checks.run(at=EVENING)
    unfinished = make_submission(status=SubmissionStatus.READING)
    patient = make_patient()
    for _ in range(3):
        make_dispensation(patient=patient, submission=unfinished)

    found = full_checks.run(at=NOW + NIGHT)

    assert (found.changed, found.put_right) == (1, 0)


def test_what_a_finished_submission_left_is_one() -> None:
    make_rule()
    full_checks.run(at=EVENING)
    make_submission(status=SubmissionStatus.READING)  # noise: of others
    finished = make_submission(status=SubmissionStatus.PROCESSED)
    patient = make_patient()
    for _ in range(3):
        make_dispensation(patient=patient, submission=finished)

    assert full_checks.run(at=NOW + NIGHT).put_right == 1


def test_the_first_check_of_a_program_blames_nobody() -> None:
    make_rule()
    spoil(make_crossing(make_patient()))

    found = full_checks.run(at=EVENING)

    assert (found.changed, found.put_right) == (1, 0)


def test_the_night_logs_it_without_a_patient_and_monitors_see_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    case = make_crossing(make_patient(last_name="CANARYQUIST"))
    schedule.evaluate()
    spoil(case)

    with caplog.at_level(logging.WARNING):
        schedule.evaluate()

    assert f"put 1 threshold cases right that nobody had touched: {case.id}" in (
        caplog.text
    )
    assert "CANARYQUIST" not in caplog.text
    gauges = statistics.gauges(at=NOW)
    assert gauges["pmp_threshold_cases_put_right"] == 1


@pytest.mark.parametrize(("times", "missed"), [(1, 0), (2, 1)])
def test_patients_whose_check_fails_cost_the_others_nothing(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    times: int,
    missed: int,
) -> None:
    make_rule()
    patients = [make_patient() for _ in range(3)]
    for patient in patients:
        for _ in range(3):
            make_dispensation(patient=patient)
    failures = iter([patients[1].id] * times)
    evaluate = thresholds.evaluate

    def failing(chunk: list[int], *, at: datetime) -> list[ThresholdCase]:
        if patients[1].id in chunk and next(failures, None):
            raise ValueError("CANARYQUIST")
        return evaluate(chunk, at=at)

    monkeypatch.setattr(thresholds, "AT_ONCE", 1)
    monkeypatch.setattr(thresholds, "evaluate", failing)

    found = full_checks.run(at=NOW)

    assert (found.patients, found.missed) == (3 - missed, missed)
    assert ThresholdCase.select().count() == 3 - missed
    assert full_checks.last() == found
    assert "1 patients were not checked: ValueError" in caplog.text
    assert "CANARYQUIST" not in caplog.text
