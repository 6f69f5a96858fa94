from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import AuditEvent, Pharmacy, Role, SubmissionStatus, User, ZeroReport
from pmp import audit, reporting, settings
from pmp.errors import RuleError
from pmp.reporting import Period, period_before, period_of
from tests.conftest import NOW
from tests.factories import make_licence, make_pharmacy, make_submission, make_user

POLICIES = ("twice_monthly", "monthly", "weekly", "daily")


@pytest.mark.parametrize(
    ("policy", "day", "first", "last", "due"),
    [
        ("twice_monthly", "2026-11-01", "2026-11-01", "2026-11-15", "2026-11-20"),
        ("twice_monthly", "2026-11-15", "2026-11-01", "2026-11-15", "2026-11-20"),
        ("twice_monthly", "2026-11-16", "2026-11-16", "2026-11-30", "2026-12-05"),
        ("twice_monthly", "2028-02-29", "2028-02-16", "2028-02-29", "2028-03-05"),
        ("monthly", "2026-12-31", "2026-12-01", "2026-12-31", "2027-01-05"),
        ("weekly", "2026-11-22", "2026-11-22", "2026-11-28", "2026-12-03"),
        ("weekly", "2026-11-28", "2026-11-22", "2026-11-28", "2026-12-03"),
        ("daily", "2026-11-23", "2026-11-23", "2026-11-23", "2026-11-28"),
    ],
)
def test_a_day_falls_into_the_period_that_the_policy_says(
    policy: str, day: str, first: str, last: str, due: str
) -> None:
    with settings.changed(reporting_policy=policy):
        found = period_of(date.fromisoformat(day))

    assert found == Period(*map(date.fromisoformat, (first, last, due)))


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.sampled_from(POLICIES))
def test_periods_follow_each_other_without_gap(day: date, policy: str) -> None:
    with settings.changed(reporting_policy=policy):
        period = period_of(day)
        before = period_before(period)

    assert period.first <= day <= period.last
    assert before.last == period.first - timedelta(days=1)


@pytest.fixture
def pharmacist(db: settings.Settings) -> User:
    other = make_user(Role.PHARMACY, pharmacy=make_pharmacy())  # noise: on time
    make_submission(submitted_by=other)
    return make_user(Role.PHARMACY, pharmacy=make_pharmacy())


def test_the_period_just_ended_is_due_until_it_is_reported(pharmacist: User) -> None:
    due = reporting.next_due(pharmacist, today=date(2026, 11, 18))
    late = reporting.next_due(pharmacist, today=date(2026, 11, 23))

    assert (due.period.last, due.days, due.reported) == (date(2026, 11, 15), 2, False)
    assert late.days == -3
    make_submission(submitted_by=pharmacist)  # came on the 23rd
    done = reporting.next_due(pharmacist, today=date(2026, 11, 23))
    assert (done.period.last, done.reported) == (date(2026, 11, 30), False)


@pytest.mark.parametrize(
    "useless",
    [
        {"dry_run": True},
        {"test": True},
        {"status": SubmissionStatus.FAILED_STRUCTURE},
        {"status": SubmissionStatus.RECEIVED},
        {"received_at": NOW - timedelta(days=20)},
    ],
)
def test_what_stored_nothing_or_came_before_does_not_count(
    pharmacist: User, useless: dict[str, object]
) -> None:
    make_submission(submitted_by=pharmacist, **useless)

    period = period_of(date(2026, 11, 1))
    assert not reporting.has_reported(pharmacist, period)


def test_a_zero_report_settles_its_period_alone(pharmacist: User) -> None:
    period = period_of(date(2026, 11, 1))
    zero = reporting.report_zero(
        first=period.first, last=period.last, by=pharmacist, at=NOW
    )

    assert zero.pharmacy == pharmacist.pharmacy
    assert reporting.has_reported(pharmacist, period)
    assert not reporting.has_reported(pharmacist, period_before(period))
    assert reporting.zero_reports(pharmacist) == [zero]
    event = AuditEvent.get(AuditEvent.event == audit.Event.ZERO_REPORTED.value)
    assert event.detail == {"first": "2026-11-01", "last": "2026-11-15"}


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [("2026-11-15", "2026-11-01", "last"), ("2026-11-16", "2026-11-30", "last")],
)
def test_days_in_the_wrong_order_or_to_come_are_refused(
    pharmacist: User, first: str, last: str, field: str
) -> None:
    with pytest.raises(RuleError) as refused:
        reporting.report_zero(
            first=date.fromisoformat(first),
            last=date.fromisoformat(last),
            by=pharmacist,
            at=NOW,
        )
    assert refused.value.field == field
    assert ZeroReport.select().count() == 0


def test_the_same_days_are_reported_once(pharmacist: User) -> None:
    days = {"first": date(2026, 11, 1), "last": date(2026, 11, 15)}
    reporting.report_zero(**days, by=pharmacist, at=NOW)
    with pytest.raises(RuleError, match="before"):
        reporting.report_zero(**days, by=pharmacist, at=NOW)
    assert ZeroReport.select().count() == 1
    assert audit.verify() == []


def test_a_pharmacy_known_only_by_its_licence_gets_its_row(
    db: settings.Settings,
) -> None:
    licence = make_licence(dea="BV5100110", name="ELM CITY DRUG")
    user = make_user(Role.PHARMACY, licence=licence)
    day = date(2026, 11, 1)
    reporting.report_zero(first=day, last=day, by=user, at=NOW)
    reporting.report_zero(first=day, last=day + timedelta(days=1), by=user, at=NOW)

    (pharmacy,) = Pharmacy.select()
    assert (pharmacy.dea, pharmacy.name) == (licence.dea, licence.name)
    assert pharmacy.licence == licence


def test_who_has_no_pharmacy_cannot_report_for_one(db: settings.Settings) -> None:
    day = date(2026, 11, 1)
    for role in (Role.PRACTITIONER, Role.STAFF, Role.PHARMACY):
        user = make_user(
            role, licence=make_licence() if role != Role.PHARMACY else None
        )
        with pytest.raises(RuleError, match="no pharmacy"):
            reporting.report_zero(first=day, last=day, by=user, at=NOW)
