from datetime import date, datetime, timedelta
from typing import Any

import pytest

from models import (
    CaseStatus,
    Delivery,
    DispensationStatus,
    Patient,
    RuleStatus,
    ThresholdCase,
)
from pmp import settings, thresholds
from pmp.errors import ConflictError
from pmp.thresholds import case_recipients, several_cases, threshold_cases
from tests.conftest import NOW
from tests.factories import make_dispensation, make_patient, make_rule, make_user

DAY = date(2026, 11, 1)

pytestmark = pytest.mark.usefixtures("db")


def reach(patient: Patient, day: date, *, people: int = 3) -> list[Any]:
    """Give a patient fills of so many prescribers and pharmacies on a day."""
    return [make_dispensation(patient=patient, filled_on=day) for _ in range(people)]


def evaluated(patient: Patient, at: datetime) -> ThresholdCase:
    thresholds.evaluate([patient.id], at=at)
    newest: ThresholdCase = (
        ThresholdCase.select()
        .where(ThresholdCase.patient == patient)
        .order_by(ThresholdCase.id.desc())
        .get()
    )
    return newest


def again(patient: Patient, *, after: int, people: int = 3) -> ThresholdCase:
    """Let a patient who was reported today reach the numbers again, days later."""
    reach(patient, DAY + timedelta(days=after), people=people)
    return evaluated(patient, NOW + timedelta(days=after))


@pytest.fixture
def reported() -> Patient:
    """Give a patient who was reported today under a rule of 10 days, 3 and 3."""
    make_rule(name="Noise", status=RuleStatus.SILENT, window_days=10)
    make_rule(window_days=10, cool_down_days=30)
    patient = make_patient()
    other = make_patient()
    reach(other, DAY, people=5)
    evaluated(other, NOW - timedelta(days=60))
    reach(patient, DAY)
    assert evaluated(patient, NOW).status == CaseStatus.QUEUED
    return patient


def test_a_case_within_the_cool_down_is_kept_and_not_sent(reported: Patient) -> None:
    case = again(reported, after=30)

    assert case.status == CaseStatus.CLOSED
    assert case_recipients.of_case(case) == []
    assert case.closed_reason == (
        "Reported before, and the rule's cool-down of 30 days lasts until 12/23/2026. "
        "It is sent if the numbers become higher, or with a further fill after that"
        " day."
    )


def test_kept_cases_are_released_with_others_and_closed_ones_are_not(
    reported: Patient,
) -> None:
    kept, staff = again(reported, after=30), make_user()
    closed = ThresholdCase.select().where(ThresholdCase.id != kept.id).get()
    threshold_cases.close(closed, reason="Enough.", by=staff, at=NOW)
    chosen = [kept.id, closed.id]
    assert list(several_cases.review_release(chosen).cases) == [kept]
    assert [several_cases.may_be_chosen(case_of(each)) for each in chosen] == [
        True,
        False,
    ]

    done = several_cases.release(chosen, by=staff, at=NOW)

    assert (done.cases, list(done.refused)) == (1, [closed.id])
    assert case_of(kept.id).status == CaseStatus.QUEUED


def case_of(case_id: int) -> ThresholdCase:
    case: ThresholdCase = ThresholdCase.get_by_id(case_id)
    return case


def test_the_day_after_the_cool_down_a_case_is_sent(reported: Patient) -> None:
    case = again(reported, after=31)

    assert case.status == CaseStatus.QUEUED
    assert len(case_recipients.of_case(case)) == 6


def test_a_worse_case_is_sent_in_spite_of_the_cool_down(reported: Patient) -> None:
    case = again(reported, after=20, people=4)

    assert case.status == CaseStatus.QUEUED
    assert len(case_recipients.of_case(case)) == 8


@pytest.mark.parametrize("same", ["prescriber", "pharmacy"])
def test_one_number_that_is_higher_is_worse(reported: Patient, same: str) -> None:
    fills = reach(reported, DAY + timedelta(days=20))
    make_dispensation(
        patient=reported,
        filled_on=DAY + timedelta(days=20),
        **{same: getattr(fills[0], same)},
    )

    case = evaluated(reported, NOW + timedelta(days=20))

    assert sorted((case.prescribers, case.pharmacies)) == [3, 4]
    assert case.status == CaseStatus.QUEUED


def test_reports_of_another_patient_or_rule_start_no_cool_down() -> None:
    for name in ("Ours", "Other"):
        make_rule(name=name, window_days=10, cool_down_days=30)
    one, two = make_patient(), make_patient()
    reach(one, DAY)
    evaluated(one, NOW)
    reach(two, DAY)
    evaluated(two, NOW)

    statuses = [each.status for each in ThresholdCase.select()]
    assert statuses == [CaseStatus.QUEUED] * 4


def test_a_worse_case_is_kept_where_the_rule_says_so() -> None:
    make_rule(window_days=10, cool_down_days=30, send_when_worse=False)
    patient = make_patient()
    reach(patient, DAY)
    evaluated(patient, NOW)

    assert again(patient, after=20, people=5).status == CaseStatus.CLOSED


def test_a_kept_case_that_becomes_worse_is_sent(reported: Patient) -> None:
    case = again(reported, after=20)
    reach(reported, DAY + timedelta(days=21), people=1)

    same = evaluated(reported, NOW + timedelta(days=21))

    assert same.id == case.id
    assert (same.status, same.closed_reason) == (CaseStatus.QUEUED, None)
    assert len(case_recipients.of_case(same)) == 8


def test_a_kept_case_is_sent_with_the_next_fill_after_the_cool_down(
    reported: Patient,
) -> None:
    entries = reach(reported, DAY + timedelta(days=28))
    at = NOW + timedelta(days=30)
    case = evaluated(reported, at)
    assert case.status == CaseStatus.CLOSED
    assert thresholds.run(NOW + timedelta(days=31)) == []
    make_dispensation(
        patient=reported,
        filled_on=DAY + timedelta(days=32),
        prescriber=entries[0].prescriber,
        pharmacy=entries[0].pharmacy,
    )

    same = evaluated(reported, NOW + timedelta(days=32))

    assert (same.id, same.status) == (case.id, CaseStatus.QUEUED)


def test_a_kept_case_stays_kept_while_its_rule_is_off(reported: Patient) -> None:
    case = again(reported, after=20)
    make_rule(window_days=10, cool_down_days=30, status=RuleStatus.OFF)
    reach(reported, DAY + timedelta(days=21), people=1)
    evaluated(reported, NOW + timedelta(days=21))

    assert ThresholdCase.get_by_id(case.id).status == CaseStatus.CLOSED


def test_a_withdrawn_report_starts_no_cool_down(reported: Patient) -> None:
    [first] = ThresholdCase.select().where(
        ThresholdCase.patient == reported, ThresholdCase.status == CaseStatus.QUEUED
    )
    threshold_cases.withdraw(first, reason="Not theirs.", at=NOW)
    for entry in threshold_cases.entries(first):
        entry.status = DispensationStatus.VOIDED
        entry.save()

    assert again(reported, after=20).status == CaseStatus.QUEUED


def test_a_cool_down_counts_from_the_release_of_a_held_case() -> None:
    make_rule(window_days=10, cool_down_days=30)
    patient = make_patient()
    staff = make_user()
    with settings.changed(hold_cases_for_review=True):
        reach(patient, DAY)
        held = evaluated(patient, NOW)
        assert (held.status, held.queued_at) == (CaseStatus.HELD, None)
        second = again(patient, after=12)
        assert second.status == CaseStatus.HELD  # none was sent yet
    threshold_cases.release(held, by=staff, at=NOW + timedelta(days=20))

    assert again(patient, after=45).status == CaseStatus.CLOSED


def test_staff_release_a_kept_case_but_not_one_that_they_closed(
    reported: Patient,
) -> None:
    kept = again(reported, after=20)
    staff = make_user()

    threshold_cases.release(kept, by=staff, at=NOW + timedelta(days=21))

    released = ThresholdCase.get_by_id(kept.id)
    assert (released.status, released.cool_down_ends) == (CaseStatus.QUEUED, None)
    threshold_cases.close(released, reason="Hospice.", by=staff, at=NOW)
    closed = ThresholdCase.get_by_id(kept.id)
    assert closed.closed_reason == "Hospice."
    with pytest.raises(ConflictError):
        threshold_cases.release(closed, by=staff, at=NOW)


def test_a_rule_without_a_cool_down_sends_every_case() -> None:
    make_rule(window_days=10)
    patient = make_patient()
    reach(patient, DAY)
    evaluated(patient, NOW)

    assert again(patient, after=11).status == CaseStatus.QUEUED
    assert Delivery.select().count() == 12
