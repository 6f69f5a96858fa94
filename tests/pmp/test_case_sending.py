from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from models import (
    CaseRecipient,
    CaseStatus,
    Delivery,
    DeliveryState,
    Patient,
    RuleKind,
    RuleStatus,
    ThresholdCase,
    ThresholdRule,
    User,
)
from pmp import settings, thresholds
from pmp.errors import ConflictError
from pmp.thresholds import (
    case_recipients,
    case_sending,
    several_cases,
    threshold_cases,
    threshold_rules,
)
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_rule,
    make_user,
)

TODAY = date(2026, 11, 20)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def patient(db: object) -> Patient:
    """Give a patient; noise: a silent rule that the fills of all reach as well."""
    assert db
    make_rule(name="Noise", status=RuleStatus.SILENT)
    return make_patient()


@pytest.fixture
def staff(patient: Patient) -> User:
    assert patient.id
    return make_user()


def reach(patient: Patient, day: date, *, people: int = 3) -> None:
    for _ in range(people):
        make_dispensation(patient=patient, filled_on=day)


def cases(patient: Patient, at: datetime = NOW) -> list[ThresholdCase]:
    """Settle a patient's cases and give those of our rule in the order of making."""
    thresholds.evaluate([patient.id], at=at)
    query = (
        ThresholdCase.select()
        .join(ThresholdRule)
        .where(ThresholdCase.patient == patient, ThresholdRule.name == "Ours")
        .order_by(ThresholdCase.id)
    )
    return list(query)


def go_on(patient: Patient, first: date, *, people: int = 3) -> None:
    """Let a patient go on from a day to today, so that no window is below."""
    day = first
    while day < TODAY:
        day = min(day + timedelta(days=20), TODAY)
        reach(patient, day, people=people)


def recipients(case: ThresholdCase) -> int:
    return len(case_recipients.of_case(case))


def deliver(case: ThresholdCase) -> None:
    subjects = [each.id for each in case_recipients.of_case(case)]
    Delivery.update(state=DeliveryState.DELIVERED).where(
        Delivery.subject_id.in_(subjects)
    ).execute()


# --- Found long after


def test_a_case_of_old_records_that_goes_on_today_is_sent(patient: Patient) -> None:
    make_rule()
    reach(patient, date(2026, 1, 1))
    [case] = cases(patient)
    assert (case.status, case.closed_reason) == (
        CaseStatus.CLOSED,
        case_sending.LONG_AGO,
    )
    go_on(patient, date(2026, 1, 1))

    [same] = cases(patient)

    assert (same.id, same.status, same.closed_reason) == (
        case.id,
        CaseStatus.QUEUED,
        None,
    )
    assert recipients(same) > 6


def test_one_that_stays_old_or_whose_rule_is_off_stays_unsent(patient: Patient) -> None:
    rule = make_rule()
    reach(patient, date(2026, 1, 1))
    cases(patient)
    reach(patient, date(2026, 1, 20))
    assert [each.status for each in cases(patient)] == [CaseStatus.CLOSED]
    threshold_rules.switch(rule, RuleStatus.OFF, reason="Off.", by=make_user(), at=NOW)
    go_on(patient, date(2026, 1, 20))

    [case] = cases(patient)

    assert (case.window_last, case.status) == (TODAY, CaseStatus.CLOSED)


def test_staff_release_or_close_a_case_of_old_records(
    patient: Patient, staff: User
) -> None:
    make_rule()
    other = make_patient()
    for each in (patient, other):
        reach(each, date(2026, 1, 1))
    [released], [closed] = cases(patient), cases(other)
    assert several_cases.review_release([released.id, closed.id]).recipients == 12
    assert len(several_cases.review_close([closed.id]).cases) == 1

    threshold_cases.close(closed, reason="Known.", by=staff, at=NOW)
    threshold_cases.release(released, by=staff, at=NOW)

    assert recipients(released) == 6
    with pytest.raises(ConflictError):
        threshold_cases.release(closed, by=staff, at=NOW)


# --- To whom


def long_use(patient: Patient) -> tuple[Any, Any]:
    """Give a patient opioids for years: one prescriber until 2021, then another."""
    make_rule(
        kind=RuleKind.LONG_OPIOID_USE,
        amount=91,
        prescribers=1,
        pharmacies=1,
        window_days=1,
        gap_days=3,
        schedules=[],
    )
    old, new = make_prescriber(), make_prescriber()
    shop = make_pharmacy()
    day = date(2021, 1, 1)
    while day < TODAY:
        make_dispensation(
            patient=patient,
            filled_on=day,
            prescriber=old if day.year < 2022 else new,
            pharmacy=shop,
            days_supply=30,
        )
        day += timedelta(days=30)
    return old, new


def test_who_treated_years_ago_is_not_sent_what_goes_on_today(patient: Patient) -> None:
    old, new = long_use(patient)

    [case] = cases(patient)

    prescribers = [each.prescriber for each in case_recipients.of_case(case)]
    assert new in prescribers
    assert old not in prescribers
    assert case_recipients.counted(case)[0] == [old.id, new.id]


def test_a_release_is_reviewed_for_those_it_is_sent_to(patient: Patient) -> None:
    with settings.changed(hold_cases_for_review=True):
        long_use(patient)
        [case] = cases(patient)

    assert several_cases.review_release([case.id]).recipients == 2


# --- Held for review


def test_a_kept_case_whose_time_has_come_is_held_where_cases_are(
    patient: Patient,
) -> None:
    make_rule(window_days=10, cool_down_days=30)
    reach(patient, date(2026, 11, 1))
    cases(patient)
    with settings.changed(hold_cases_for_review=True):
        reach(patient, TODAY)
        assert cases(patient)[1].status == CaseStatus.CLOSED
        reach(patient, TODAY, people=1)

        case = cases(patient)[1]

    assert case.status == CaseStatus.HELD
    assert (case.closed_at, case.closed_reason, case.cool_down_ends) == (
        None,
        None,
        None,
    )
    assert recipients(case) == 0


# --- Another version of the rule


def lower(rule: ThresholdRule, number: int, by: User) -> ThresholdRule:
    terms = replace(
        threshold_rules.terms_of(rule), prescribers=number, pharmacies=number
    )
    return threshold_rules.write(terms=terms, reason="Lower.", by=by, at=NOW)


def test_what_was_closed_before_it_was_sent_was_not_reported(
    patient: Patient, staff: User
) -> None:
    rule = make_rule()
    reach(patient, date(2026, 11, 1))
    with settings.changed(hold_cases_for_review=True):
        [held] = cases(patient)
    threshold_cases.close(held, reason="Wait.", by=staff, at=NOW)
    lower(rule, 2, staff)

    case = cases(patient)[1]

    assert case.status == CaseStatus.QUEUED


def test_people_whom_the_earlier_version_did_not_reach_are_told_alone(
    patient: Patient, staff: User
) -> None:
    rule = make_rule(prescribers=6, pharmacies=6, window_days=30)
    reach(patient, date(2026, 8, 1), people=6)
    cases(patient)
    lower(rule, 3, staff)
    reach(patient, date(2026, 8, 20))  # both versions count it
    first, second = cases(patient)
    assert (recipients(first), recipients(second)) == (18, 0)
    assert second.closed_reason == case_sending.ALREADY
    reach(patient, date(2026, 9, 10), people=2)  # the lower numbers alone

    first, second = cases(patient)

    assert first.window_last == date(2026, 8, 20)
    assert second.status == CaseStatus.QUEUED
    assert (recipients(first), recipients(second)) == (18, 4)
    told = {case_recipients.who(each) for each in case_recipients.of_case(first)}
    now = {case_recipients.who(each) for each in case_recipients.of_case(second)}
    assert not told & now


def test_a_new_versions_case_that_is_worse_is_sent_to_new_people_at_once(
    patient: Patient, staff: User
) -> None:
    rule = make_rule(prescribers=6, pharmacies=6, window_days=30)
    reach(patient, date(2026, 8, 1), people=6)
    cases(patient)
    reach(patient, date(2026, 8, 25))  # weeks in which nobody looks
    reach(patient, date(2026, 9, 20), people=1)
    lower(rule, 3, staff)
    ThresholdCase.update(status=CaseStatus.SENT).execute()

    first, second = cases(patient)

    assert (recipients(first), recipients(second)) == (18, 2)


def test_a_rule_made_silent_does_not_tell_a_second_time_when_released(
    patient: Patient, staff: User
) -> None:
    rule = make_rule()
    reach(patient, date(2026, 11, 1))
    [sent] = cases(patient)
    threshold_rules.switch(rule, RuleStatus.SILENT, reason="Off.", by=staff, at=NOW)

    _, copy = cases(patient)

    assert copy.closed_reason == case_sending.ALREADY
    with pytest.raises(ConflictError, match=f"Reported already in case {sent.id}"):
        threshold_cases.release(copy, by=staff, at=NOW)
    assert recipients(copy) == 0


def test_it_is_released_where_nobody_was_sent_the_other(
    patient: Patient, staff: User
) -> None:
    rule = make_rule()
    reach(patient, date(2026, 11, 1))
    [sent] = cases(patient)
    threshold_rules.switch(rule, RuleStatus.SILENT, reason="Off.", by=staff, at=NOW)
    _, copy = cases(patient)
    threshold_cases.close(sent, reason="Mistake.", by=staff, at=NOW)

    threshold_cases.release(copy, by=staff, at=NOW)

    assert recipients(copy) == 6


def test_two_held_cases_of_two_versions_are_sent_once(
    patient: Patient, staff: User
) -> None:
    rule = make_rule()
    reach(patient, date(2026, 11, 1))
    with settings.changed(hold_cases_for_review=True):
        cases(patient)
        lower(rule, 2, staff)
        held = cases(patient)
    assert [each.status for each in held] == [CaseStatus.HELD, CaseStatus.HELD]

    done = several_cases.release([each.id for each in held], by=staff, at=NOW)

    assert (done.cases, list(done.refused)) == (1, [held[1].id])


# --- Stopped


def test_a_report_that_was_stopped_in_time_starts_no_cool_down(
    patient: Patient, staff: User
) -> None:
    make_rule(window_days=10, cool_down_days=30)
    reach(patient, date(2026, 11, 1))
    [stopped] = cases(patient)
    threshold_cases.close(stopped, reason="A mistake.", by=staff, at=NOW)
    reach(patient, TODAY)

    assert cases(patient)[1].status == CaseStatus.QUEUED
    assert ThresholdCase.get_by_id(stopped.id).queued_at is None


def test_one_that_had_left_does_and_what_is_kept_can_be_closed(
    patient: Patient, staff: User
) -> None:
    make_rule(window_days=10, cool_down_days=30)
    reach(patient, date(2026, 11, 1))
    [sent] = cases(patient)
    deliver(sent)
    threshold_cases.close(sent, reason="Done.", by=staff, at=NOW)
    reach(patient, TODAY)
    kept = cases(patient)[1]
    assert kept.cool_down_ends
    assert list(several_cases.review_close([kept.id]).cases) == [kept]

    threshold_cases.close(kept, reason="Known to us.", by=staff, at=NOW)

    reach(patient, TODAY, people=1)  # worse: it would have been sent
    closed = cases(patient)[1]
    assert (closed.status, closed.closed_reason) == (CaseStatus.CLOSED, "Known to us.")
    assert closed.cool_down_ends is None


@pytest.mark.parametrize("status", [RuleStatus.OFF, RuleStatus.SILENT])
def test_newcomers_are_not_told_under_a_rule_that_is_not_active(
    patient: Patient, staff: User, status: RuleStatus
) -> None:
    rule = make_rule()
    reach(patient, date(2026, 11, 1))
    cases(patient)
    threshold_rules.switch(rule, status, reason="Enough.", by=staff, at=NOW)
    reach(patient, TODAY, people=1)

    case = cases(patient)[0]

    assert case.prescribers == 4
    assert CaseRecipient.select().count() == 6
