from dataclasses import replace
from datetime import date, timedelta

import pytest

from models import (
    CaseRecipient,
    CaseStatus,
    ChannelName,
    Connective,
    Delivery,
    Patient,
    Profession,
    Role,
    RuleStatus,
    ThresholdCase,
    ThresholdRule,
)
from pmp import thresholds
from pmp.errors import RuleError
from pmp.thresholds import simulation, threshold_rules
from pmp.thresholds.simulation import compare, last_quarter
from pmp.thresholds.threshold_rules import Terms
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_rule,
    make_user,
)

SINCE, UNTIL = date(2026, 7, 1), date(2026, 9, 30)
TERMS = Terms("Ours", 3, 3, Connective.AND, 90)
FAX, EMAIL = ChannelName.FAX, ChannelName.EMAIL

pytestmark = pytest.mark.usefixtures("db")


def make_fills(number: int, last: date, *, patient: Patient | None = None) -> Patient:
    """Give a patient fills on days that end on `last`, each of others."""
    patient = patient or make_patient()
    for back in reversed(range(number)):
        make_dispensation(patient=patient, filled_on=last - timedelta(days=back))
    return patient


def test_it_finds_who_reached_the_numbers_in_the_period_and_writes_nothing() -> None:
    patient = make_fills(3, date(2026, 7, 1))
    make_fills(3, date(2026, 6, 30))  # noise: the day before
    make_fills(3, date(2026, 10, 1))  # noise: the day after
    make_fills(2, date(2026, 8, 1))  # noise: too few

    found = simulation.simulate(TERMS, since=SINCE, until=UNTIL)

    [case] = found.cases
    assert (case.patient_id, case.crossing.crossed_on) == (patient.id, SINCE)
    assert (found.patients, found.reports, found.kept) == (1, 6, 0)
    assert not ThresholdCase.select().exists()
    assert not CaseRecipient.select().exists()
    assert not Delivery.select().exists()


def test_reports_are_counted_by_profession_and_first_channel() -> None:
    patient = make_patient()
    by_email = make_prescriber()
    make_user(Role.PRACTITIONER, prescriber=by_email, preferred_channel=EMAIL)
    by_fax = make_prescriber(fax="8605550111")
    shop = make_pharmacy(fax="8605550112")
    for prescriber in (by_email, by_fax, make_prescriber()):
        make_dispensation(
            patient=patient, prescriber=prescriber, filled_on=date(2026, 8, 1)
        )
    make_dispensation(
        patient=patient, prescriber=by_fax, pharmacy=shop, filled_on=date(2026, 8, 2)
    )
    make_dispensation(prescriber=make_prescriber(), filled_on=SINCE)  # noise

    found = simulation.simulate(TERMS, since=SINCE, until=UNTIL)

    assert found.channels[Profession.PRACTITIONER] == {FAX: 1, EMAIL: 1, None: 1}
    assert found.channels[Profession.PHARMACY] == {None: 3, FAX: 1}
    assert found.recipients == {Profession.PRACTITIONER: 3, Profession.PHARMACY: 4}
    assert found.reports == 7


def test_one_who_is_on_two_cases_has_two_reports() -> None:
    one = make_prescriber(fax="8605550111")
    for _ in range(2):
        patient = make_fills(2, date(2026, 8, 1))
        make_dispensation(patient=patient, prescriber=one, filled_on=date(2026, 8, 2))

    found = simulation.simulate(TERMS, since=SINCE, until=UNTIL)

    assert found.recipients[Profession.PRACTITIONER] == 5
    assert found.channels[Profession.PRACTITIONER] == {FAX: 2, None: 4}


def test_it_is_compared_with_the_version_in_force() -> None:
    make_rule(name="Ours", prescribers=4, pharmacies=4)
    make_rule(name="Theirs", prescribers=1, pharmacies=1)  # noise: another rule
    make_fills(4, date(2026, 8, 1))
    make_fills(3, date(2026, 8, 1))

    found = compare(TERMS, since=SINCE, until=UNTIL)

    assert found.now
    assert (len(found.now.cases), len(found.would.cases)) == (1, 2)
    assert (found.more, found.fewer) == (1, 0)


def test_a_rule_that_is_off_or_new_is_compared_with_nothing() -> None:
    make_rule(name="Ours")
    make_rule(name="Ours", status=RuleStatus.OFF)
    make_fills(3, date(2026, 8, 1))

    found = compare(TERMS, since=SINCE, until=UNTIL)

    assert found.now is None
    assert (found.more, found.fewer) == (1, 0)


@pytest.mark.parametrize(("days", "fills", "kept"), [(0, 3, 0), (60, 3, 1), (60, 4, 0)])
def test_the_cool_down_keeps_what_is_no_worse(days: int, fills: int, kept: int) -> None:
    patient = make_fills(3, date(2026, 7, 5))
    make_fills(fills, date(2026, 8, 5), patient=patient)
    terms = Terms("Ours", 3, 3, Connective.AND, 10, cool_down_days=days)

    found = simulation.simulate(terms, since=SINCE, until=UNTIL)

    assert len(found.cases) == 2
    assert found.kept == kept
    assert found.reports == 6 + (0 if kept else 2 * fills)


def test_of_very_many_patients_some_are_counted_evenly() -> None:
    for _ in range(6):
        make_fills(3, date(2026, 8, 1))
    last = max(patient.id for patient in Patient.select())

    found = simulation.simulate(TERMS, since=SINCE, until=UNTIL, most=last // 2)

    assert found.one_in == 2
    assert {case.patient_id % 2 for case in found.cases} == {0}


@pytest.mark.parametrize(
    ("since", "until"), [(UNTIL, SINCE), (date(2020, 1, 1), UNTIL)]
)
def test_a_period_that_cannot_be_is_refused(since: date, until: date) -> None:
    with pytest.raises(RuleError) as refused:
        simulation.simulate(TERMS, since=since, until=until)

    assert refused.value.field == "until"


@pytest.mark.parametrize(
    ("today", "quarter"),
    [
        (date(2026, 11, 26), (date(2026, 7, 1), date(2026, 9, 30))),
        (date(2026, 1, 1), (date(2025, 10, 1), date(2025, 12, 31))),
        (date(2026, 6, 30), (date(2026, 1, 1), date(2026, 3, 31))),
    ],
)
def test_the_last_whole_quarter(today: date, quarter: tuple[date, date]) -> None:
    assert last_quarter(today) == quarter


TODAY = date(2026, 11, 26)


def tonight(terms: Terms) -> tuple[int, int]:
    found = compare(terms, since=SINCE, until=UNTIL, today=TODAY).tonight
    assert found
    return found.cases, found.reports


def switched(rule: ThresholdRule, terms: Terms) -> tuple[int, int]:
    """Put a rule in force, and give the cases and the reports of that night."""
    before = Delivery.select().count()
    written = threshold_rules.write(terms=terms, reason="On.", by=make_user(), at=NOW)
    thresholds.run(NOW)
    cases = ThresholdCase.select().where(
        ThresholdCase.rule == written, ThresholdCase.status == CaseStatus.QUEUED
    )
    assert rule.name == written.name
    return cases.count(), Delivery.select().count() - before


def test_it_says_what_the_first_night_sends_of_all_that_goes_on() -> None:
    rule = make_rule(name="Ours", status=RuleStatus.OFF)
    for _ in range(2):
        patient, day = make_patient(), date(2026, 1, 5)
        while day < TODAY:  # crossed in February, long before the period
            make_dispensation(patient=patient, filled_on=day)
            day += timedelta(days=25)
    make_fills(3, date(2026, 3, 1))  # noise: long past

    expected = tonight(TERMS)

    assert expected[0] == 2
    assert compare(TERMS, since=SINCE, until=UNTIL, today=TODAY).would.cases == []
    assert switched(rule, TERMS) == expected


def test_what_was_told_and_what_the_cool_down_keeps_is_not_sent_tonight() -> None:
    rule = make_rule(name="Ours", prescribers=4, pharmacies=4, window_days=20)
    make_fills(4, date(2026, 11, 1))  # told, and no worse
    more = make_fills(4, date(2026, 10, 15))
    make_fills(3, date(2026, 10, 25), patient=more)
    make_fills(1, date(2026, 11, 12), patient=more)  # the lower numbers alone
    twice = make_fills(3, date(2026, 8, 1))
    thresholds.run(NOW)
    for patient in (twice, make_fills(3, date(2026, 11, 1))):  # not told
        make_fills(3, date(2026, 11, 20), patient=patient)
    terms = Terms("ours", 3, 3, Connective.AND, 20, cool_down_days=60)

    expected = tonight(terms)

    assert switched(rule, terms) == expected
    assert expected == (3, 2 + 6 + 12)


def test_a_rule_that_is_not_active_sends_nothing_tonight() -> None:
    make_fills(3, date(2026, 11, 1))
    silent = replace(TERMS, status=RuleStatus.SILENT)

    assert compare(silent, since=SINCE, until=UNTIL, today=TODAY).tonight is None
    assert tonight(TERMS) == (1, 6)


def test_reports_go_to_those_of_the_last_months_alone() -> None:
    patient, day = make_patient(), date(2025, 1, 5)
    while day < TODAY:
        make_dispensation(patient=patient, filled_on=day)
        day += timedelta(days=25)

    [case] = simulation.simulate(
        TERMS, since=date(2025, 1, 1), until=date(2025, 12, 31)
    ).cases
    found = simulation.Simulation(TERMS, SINCE, UNTIL, [case])

    assert len(case.crossing.fills) > 20
    assert found.reports == 2 * 8
