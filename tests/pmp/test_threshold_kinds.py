"""Rules of every kind and option, from the tables to the case."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models import (
    CaseEntry,
    CaseStatus,
    Connective,
    CorrectionNotice,
    Delivery,
    DeliveryState,
    Dispensation,
    DrugClass,
    Patient,
    Profession,
    RuleKind,
    Species,
    ThresholdCase,
    TicketOutcome,
)
from pmp import dispensations, settings, thresholds
from pmp.thresholds import (
    case_recipients,
    correction_notices,
    counted_fills,
    practices,
    simulation,
    threshold_cases,
    threshold_rules,
)
from pmp.thresholds.crossings import crossings
from pmp.thresholds.threshold_rules import Terms
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_licence,
    make_patient,
    make_prescriber,
    make_rule,
    make_user,
)

DAY = date(2026, 11, 1)
BENZODIAZEPINE: dict[str, Any] = {
    "drug_name": "Lorazepam 1 mg tablet",
    "ingredient": "lorazepam",
    "strength": Decimal(1),
    "schedule": "CIV",
    "drug_class": DrugClass.BENZODIAZEPINE,
    "mme_key": "",
}
METHADONE: dict[str, Any] = {
    "drug_name": "Methadone Hydrochloride 10 mg tablet",
    "ingredient": "methadone hydrochloride",
    "mme_key": "methadone",
}

pytestmark = pytest.mark.usefixtures("db")


def dispensed(patient: Patient, day: int = 0, **facts: Any) -> Dispensation:
    """Make a fill: 60 oxycodone 10 mg for 30 days are 30 MME a day."""
    return make_dispensation(
        patient=patient, filled_on=DAY + timedelta(days=day), **facts
    )


def case_of(patient: Patient) -> ThresholdCase | None:
    """Evaluate everybody; give the case of one."""
    thresholds.evaluate([each.id for each in Patient.select()], at=NOW)
    found: ThresholdCase | None = ThresholdCase.get_or_none(
        ThresholdCase.patient == patient
    )
    return found


def counted(case: ThresholdCase) -> set[int]:
    return {
        row.dispensation.id for row in CaseEntry.select().where(CaseEntry.case == case)
    }


def test_a_daily_mme_is_reached_by_the_fill_that_adds_the_last_of_it() -> None:
    make_rule(kind=RuleKind.DAILY_MME, amount=90, prescribers=1, pharmacies=1)
    patient, animal = make_patient(), make_patient(species=Species.ANIMAL)
    dispensed(animal, quantity=Decimal(600))
    first = dispensed(patient, quantity=Decimal(120))
    dispensed(patient, 1, **BENZODIAZEPINE)
    dispensed(patient, 2, care="cancer", quantity=Decimal(1))
    assert case_of(patient) is None

    last = dispensed(patient, 4, quantity=Decimal(60))
    case = case_of(patient)

    assert case is not None
    assert (case.crossed_on, case.status) == (last.filled_on, CaseStatus.QUEUED)
    assert (case.reached, case.reached_on) == (Decimal("90.5"), last.filled_on)
    assert counted(case) >= {first.id, last.id}
    assert threshold_cases.reached_words(case) == (
        "90.5 MME a day on 11/05/2026 (the rule asks for 90)"
    )
    assert ThresholdCase.select().count() == 1


def test_recipients_are_those_of_the_counted_fills_alone() -> None:
    make_rule(kind=RuleKind.METHADONE, amount=41, prescribers=1, pharmacies=1)
    patient = make_patient()
    dispensed(patient, **(BENZODIAZEPINE | {"quantity": Decimal(90)}))
    own = dispensed(patient, 1, **METHADONE, quantity=Decimal(123))
    case = case_of(patient)

    assert case is not None
    assert counted(case) == {own.id}
    assert {
        recipient.prescriber or recipient.pharmacy
        for recipient in case_recipients.of_case(case)
    } == {own.prescriber, own.pharmacy}
    assert threshold_cases.reached_words(case) == (
        "41 mg of methadone a day on 11/02/2026 (the rule asks for 41)"
    )


def test_days_of_an_opioid_with_a_benzodiazepine_make_a_case() -> None:
    make_rule(
        kind=RuleKind.OPIOID_BENZODIAZEPINE, amount=30, prescribers=1, pharmacies=1
    )
    patient = make_patient()
    dispensed(patient)
    dispensed(patient, 1, **BENZODIAZEPINE)
    assert case_of(patient) is None
    dispensed(patient, 2, drug_class=DrugClass.BUPRENORPHINE, mme_key="")

    case = case_of(patient)

    assert case is not None
    assert threshold_cases.reached_words(case) == (
        "30 days of an opioid with a benzodiazepine from 11/02/2026 on"
        " (the rule asks for 30)"
    )


def test_buprenorphine_alone_is_an_opioid_beside_a_benzodiazepine() -> None:
    make_rule(
        kind=RuleKind.OPIOID_BENZODIAZEPINE, amount=30, prescribers=1, pharmacies=1
    )
    patient, other = make_patient(), make_patient()
    buprenorphine: dict[str, Any] = {
        "drug_class": DrugClass.BUPRENORPHINE,
        "mme_key": "",
    }
    dispensed(patient, **buprenorphine)
    dispensed(other, **buprenorphine)
    dispensed(patient, **BENZODIAZEPINE)

    assert case_of(patient) is not None
    assert case_of(other) is None


def test_a_supply_is_taken_from_the_day_on_which_it_was_sold() -> None:
    make_rule(kind=RuleKind.DAILY_MME, amount=90, prescribers=1, pharmacies=1)
    patient = make_patient()
    sold_on = DAY + timedelta(days=3)
    dispensed(patient, quantity=Decimal(180), sold_on=sold_on)

    case = case_of(patient)

    assert case is not None
    assert (case.crossed_on, case.reached_on) == (DAY, sold_on)


def test_a_late_record_closes_the_gap_and_a_void_opens_it_again() -> None:
    make_rule(kind=RuleKind.LONG_OPIOID_USE, amount=90, prescribers=1, pharmacies=1)
    patient = make_patient()
    dispensed(patient, -60)
    dispensed(patient)
    assert case_of(patient) is None

    late = dispensed(patient, -30)
    case = case_of(patient)
    assert case is not None
    assert threshold_cases.reached_words(case) == (
        "90 days of opioids in a row from 09/02/2026 on (the rule asks for 90)"
    )
    dispensations.void(late, reason="Returned.", by=make_user(), at=NOW)
    assert ThresholdCase.get_by_id(case.id).status == CaseStatus.WITHDRAWN


def test_another_set_of_mme_factors_counts_the_cases_again() -> None:
    make_rule(kind=RuleKind.DAILY_MME, amount=90, prescribers=1, pharmacies=1)
    patient = make_patient()
    drug: dict[str, Any] = {"ingredient": "hydromorphone", "mme_key": "hydromorphone"}
    dispensed(patient, quantity=Decimal(60), **drug)  # 20 mg a day by 5 or 4
    case = case_of(patient)
    assert case is not None
    told, waiting = case_recipients.of_case(case)
    Delivery.update(state=DeliveryState.SENT).where(
        Delivery.subject_id == told.id
    ).execute()

    with settings.changed(mme_rule_set="cdc-2016"):
        [gone] = thresholds.run(NOW)

    assert gone.status == CaseStatus.WITHDRAWN
    [notice] = CorrectionNotice.select()
    assert notice.recipient == told != waiting
    assert (notice.outcome, notice.case_withdrawn) == (TicketOutcome.UPHELD, True)
    assert correction_notices.outcome_words(notice) == (
        "It stands as it was sent, but the report does not."
    )
    assert correction_notices.correction(notice).fields == []


@pytest.mark.parametrize("seed", range(3))
def test_nobody_who_reaches_a_rule_is_passed_over_before_the_fills_are_read(
    seed: int,
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a repeatable history
    drugs: list[dict[str, Any]] = [
        {},
        METHADONE,
        BENZODIAZEPINE,
        {"drug_class": DrugClass.BUPRENORPHINE, "mme_key": ""},
        {"drug_class": DrugClass.STIMULANT, "mme_key": "", "ingredient": "x"},
    ]
    patients = [make_patient() for _ in range(12)]
    for patient in patients:
        for _ in range(chance.randrange(5)):
            facts = chance.choice(drugs) | {
                "quantity": Decimal(chance.choice([30, 120, 300])),
                "days_supply": chance.choice([1, 10, 30]),
            }
            dispensed(patient, chance.randrange(-40, 0), **facts)
    every = [each.id for each in patients]
    reached_by_anybody = 0
    for kind, amount in (
        (RuleKind.DAILY_MME, 90),
        (RuleKind.METHADONE, 41),
        (RuleKind.OPIOID_BENZODIAZEPINE, 3),
        (RuleKind.LONG_OPIOID_USE, 31),
    ):
        terms = Terms("Some", kind=kind, amount=amount)
        numbers = threshold_rules.numbers_of(terms)
        reach = {
            patient
            for patient, fills in counted_fills.of_patients(every, [numbers])
            if crossings(fills, numbers)
        }
        found = simulation.simulate(terms, since=DAY - timedelta(days=99), until=DAY)
        assert {each.patient_id for each in found.cases} == reach
        reached_by_anybody += len(reach)
    assert reached_by_anybody


@pytest.mark.parametrize(
    ("option", "facts"),
    [
        ({"drug_classes": ["opioid"]}, BENZODIAZEPINE),
        ({"exclusions": ["cancer"]}, {"care": "cancer hospice"}),
        ({"minimum_fills": 4}, {}),
    ],
)
def test_options_of_a_rule_keep_a_fill_from_counting(
    option: dict[str, Any], facts: dict[str, Any]
) -> None:
    make_rule(**option)
    patient, other = make_patient(), make_patient()
    for day in range(3):
        dispensed(patient, day, **(facts if day == 1 else {}))
        dispensed(other, day)
    dispensed(other, 3)

    assert case_of(patient) is None
    assert case_of(other) is not None


def test_a_rule_that_leaves_nothing_out_counts_every_fill() -> None:
    make_rule()
    patient = make_patient()
    for facts in (BENZODIAZEPINE, {"care": "cancer hospice"}, {}):
        dispensed(patient, **facts)

    assert case_of(patient) is not None


def test_prescribers_of_one_practice_count_once_and_all_of_them_are_written_to() -> (
    None
):
    make_rule(practices_once=True, connective=Connective.OR, pharmacies=99)
    patient = make_patient()
    licences = [make_licence(Profession.PRACTITIONER, street="1 Elm") for _ in range(2)]
    for day, licence in enumerate(licences):
        dispensed(patient, day, prescriber=make_prescriber(licence=licence))
    dispensed(patient, 2)
    assert case_of(patient) is None
    dispensed(patient, 3)

    case = case_of(patient)

    assert case is not None
    assert threshold_cases.reached_words(case) == (
        "3 prescribers, each practice once, and 4 pharmacies"
        " (the rule asks for 3 or 99)"
    )
    recipients = case_recipients.of_case(case)
    assert len([each for each in recipients if each.prescriber]) == 4


def test_at_four_there_is_no_case_and_the_fifth_makes_exactly_one() -> None:
    make_rule(name="Both", prescribers=5, pharmacies=5)
    either = make_rule(
        name="Either", prescribers=5, pharmacies=6, connective=Connective.OR
    )
    patient = make_patient()
    shop = None
    for number in range(4):
        shop = dispensed(patient, number).pharmacy
    assert case_of(patient) is None

    dispensed(patient, 4, pharmacy=shop)
    thresholds.evaluate([patient.id], at=NOW)
    [only] = ThresholdCase.select()
    assert (only.rule, only.prescribers, only.pharmacies) == (either, 5, 4)
    dispensed(patient, 5)
    thresholds.evaluate([patient.id], at=NOW)
    thresholds.evaluate([patient.id], at=NOW)

    assert sorted(each.rule.name for each in ThresholdCase.select()) == [
        "Both",
        "Either",
    ]


def test_a_fill_that_is_voided_while_rules_are_tried_out_is_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patient = make_patient()
    rows = [make_dispensation(patient=patient) for _ in range(3)]
    of_prescribers = practices.of_prescribers
    monkeypatch.setattr(practices, "of_prescribers", lambda _: of_prescribers(()))
    facts = counted_fills._facts

    def after_a_void(ids: list[int], column: Any, *, only: Any = True) -> Any:
        found = facts(ids, column, only=only)
        found.pop(rows[0].id, None)
        return found

    monkeypatch.setattr(counted_fills, "_facts", after_a_void)
    rule = make_rule(drug_classes=["opioid"], practices_once=True)

    [(_, fills)] = counted_fills.of_patients(
        [patient.id], [threshold_rules.numbers_of(rule)]
    )

    assert [fill.drug_class for fill in fills] == ["", "opioid", "opioid"]
