"""Patterns of a pharmacy's own fills: their counts, and nothing of anybody else's."""

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models import (
    Dispensation,
    Patient,
    Pharmacy,
    ReportedIdentity,
    Role,
    Species,
    User,
)
from pmp import mme, settings
from pmp.dispensations import daily_doses, early_refills, pattern_counts, patterns
from pmp.dispensations.pattern_counts import Period
from pmp.errors import NotFoundError, RuleError
from pmp.fills import Fill
from pmp.history.supplies import Supplies
from pmp.mme import Mme, Outcome
from pmp.warnings import Limits
from pmp.warnings.sources import early_pairs
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_identity,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_user,
)

SINCE, UNTIL = date(2026, 9, 1), date(2026, 11, 20)


@pytest.fixture
def pharmacy(db: settings.Settings) -> Pharmacy:
    return make_pharmacy()


@pytest.fixture
def pharmacist(pharmacy: Pharmacy) -> User:
    return make_user(Role.PHARMACY, pharmacy=pharmacy)


@pytest.fixture(autouse=True)
def noise(pharmacy: Pharmacy) -> None:
    """Add what no pattern may count: another pharmacy's, a voided, an earlier one."""
    person = make_identity(last_name="NOISE", state="NY")
    for day in (1, 5, 9):
        filled_on = date(2026, 10, day)
        make_dispensation(person, filled_on=filled_on, quantity=Decimal(900))
        make_dispensation(
            person, filled_on=filled_on, pharmacy=pharmacy, status="voided"
        )
    make_dispensation(person, filled_on=date(2025, 1, 1), pharmacy=pharmacy)


def period(pharmacy: Pharmacy) -> Period:
    return Period(pharmacy, SINCE, UNTIL, UNTIL)


def bars(found: patterns.Patterns, key: str) -> list[tuple[str, str]]:
    (pattern,) = [each for each in found.patterns if each.key == key]
    return [(bar.label, bar.words) for bar in pattern.bars]


def find(pharmacist: User, **options: Any) -> patterns.Patterns:
    asked: dict[str, Any] = {"pharmacy": None, "since": SINCE, "until": UNTIL}
    return patterns.find(**(asked | options), by=pharmacist, at=NOW)


def refill(
    person: ReportedIdentity, pharmacy: Pharmacy, *days: int, **fields: Any
) -> list[Dispensation]:
    return [
        make_dispensation(
            person,
            pharmacy=pharmacy,
            filled_on=(on := date(2026, 9, 1) + timedelta(days=day)),
            sold_on=on,
            **fields,
        )
        for day in days
    ]


def test_early_refills_are_told_at_the_limit(
    pharmacist: User, pharmacy: Pharmacy
) -> None:
    # 30 days: more than 15 % is 4.5 days left, so 5 days left are early and 4 are not.
    early = make_identity(last_name="EARLY")
    refill(early, pharmacy, 1, 26)
    refill(make_identity(last_name="TIMELY"), pharmacy, 1, 27)
    refill(make_identity(last_name="TWOPACKS"), pharmacy, 1, 1)
    refill(make_identity(species=Species.ANIMAL), pharmacy, 1, 5)
    other = make_identity(last_name="OTHERDRUG")
    refill(other, pharmacy, 1)
    refill(other, pharmacy, 5, strength=Decimal(20))
    before = make_identity(last_name="BEFORE")
    refill(before, pharmacy, -20, 2)

    found = find(pharmacist)
    assert bars(found, "early") == [
        ("BEFORE, ANNA, born 04/28/1971", "1 early refill, at most 8 days left"),
        ("EARLY, ANNA, born 04/28/1971", "1 early refill, at most 5 days left"),
    ]
    (pattern,) = [each for each in found.patterns if each.key == "early"]
    assert pattern.total == "2 of 11 fills are early (18.2 %)"


def test_early_refills_are_those_that_a_patient_report_warns_of(
    pharmacy: Pharmacy,
) -> None:
    chance = random.Random(5)  # noqa: S311 - no secret
    people = [make_identity() for _ in range(6)]
    for _ in range(90):
        first = SINCE + timedelta(days=chance.randrange(0, 70))
        make_dispensation(
            chance.choice(people),
            pharmacy=pharmacy,
            filled_on=first,
            sold_on=chance.choice([None, first + timedelta(days=2)]),
            days_supply=chance.choice([5, 10, 14, 20, 30]),
            strength=chance.choice([Decimal(5), Decimal(10)]),
        )
    found = {row[0] for row in early_refills.early_refills(
        pharmacy, SINCE, UNTIL).tuples()}  # fmt: skip
    assert found == _by_the_report(pharmacy)
    assert 10 < len(found) < 80


def _by_the_report(pharmacy: Pharmacy) -> set[int]:
    """Judge each patient's fills as `pmp.warnings` does."""
    fills: dict[int, list[Fill]] = defaultdict(list)
    rows = Dispensation.select().where(
        Dispensation.pharmacy == pharmacy, Dispensation.status == "current"
    )
    for row in sorted(rows, key=lambda each: (each.sold_on or each.filled_on, each.id)):
        fills[row.patient.id].append(Fill(
            row.row_code, row.sold_on or row.filled_on, row.days_supply, row.drug_name,
            "opioid", row.ingredient, f"{row.strength}", False,  # noqa: FBT003
            Mme(Outcome.NOT_APPLICABLE), None, None, 1, 1,
        ))  # fmt: skip
    codes = {
        fill.row_code
        for each in fills.values()
        for _, fill in early_pairs(each, Limits())
    }
    return {row.id for row in rows if row.row_code in codes}


def test_a_short_supply_between_hides_no_early_refill(
    pharmacist: User, pharmacy: Pharmacy
) -> None:
    person = make_identity(last_name="EARLY")
    refill(person, pharmacy, 1, days_supply=30)
    refill(person, pharmacy, 1, days_supply=2)  # the same day, another package
    refill(person, pharmacy, 10, days_supply=30)

    assert bars(find(pharmacist), "early") == [
        ("EARLY, ANNA, born 04/28/1971", "1 early refill, at most 21 days left")
    ]


def test_an_animals_long_supply_makes_no_refill_of_its_owner_early(
    pharmacist: User, pharmacy: Pharmacy
) -> None:
    owner = make_identity(last_name="OWNER")
    animal = make_identity(owner.patient, last_name="OWNER", species=Species.ANIMAL)
    refill(animal, pharmacy, 1, days_supply=90)
    refill(owner, pharmacy, 5, 40, days_supply=30)

    assert bars(find(pharmacist), "early") == []


def test_cash_is_compared_with_the_period_before(
    pharmacist: User, pharmacy: Pharmacy
) -> None:
    person = make_identity()
    refill(person, pharmacy, 1, 40, payment="01", days_supply=5)
    refill(person, pharmacy, 45, payment="04", days_supply=5)
    refill(person, pharmacy, 50, payment="", days_supply=5)
    refill(person, pharmacy, -10, payment="01", days_supply=5)
    refill(person, pharmacy, -20, -30, -40, payment="04", days_supply=5)

    found = find(pharmacist)
    assert bars(found, "cash") == [
        ("Opioid", "2 of 3 (66.7 %); before: 1 of 4 (25.0 %)")
    ]
    (cash,) = [each for each in found.patterns if each.key == "cash"]
    assert cash.bars[0].before == 25
    assert "Of 1 fill the payment is not given" in cash.sentence


def test_other_states_and_prescribers_are_counted(
    pharmacist: User, pharmacy: Pharmacy
) -> None:
    doctor = make_prescriber(last_name="BUSY", dea="AB1234563")
    dentist = make_prescriber(last_name="", first_name="", dea="AD1234567")
    near = make_identity(state="ct")
    refill(near, pharmacy, *range(9), prescriber=doctor, drug_class="stimulant")
    refill(near, pharmacy, 10, prescriber=doctor)
    refill(make_identity(state="ny"), pharmacy, 3, 4, prescriber=dentist)
    refill(make_identity(state=""), pharmacy, 5, prescriber=dentist)

    found = find(pharmacist)
    assert bars(found, "states") == [("NY", "2 of 13 (15.4 %) of fills, 1 patient")]
    assert bars(found, "prescribers") == [
        ("BUSY, PAT (AB1234563)", "10 of 13 (76.9 %)"),
        ("DEA AD1234567", "3 of 13 (23.1 %)"),
    ]
    # The dentist's share is higher, of three fills: too few to compare.
    assert bars(found, "opioids") == [("BUSY, PAT (AB1234563)", "1 of 10 (10.0 %)")]


def test_patients_with_several_prescribers_are_listed_the_most_first(
    pharmacist: User, pharmacy: Pharmacy
) -> None:
    two, three, one = (make_identity(last_name=name) for name in ("B", "A", "C"))
    for person, number in ((two, 2), (three, 3)):
        for _ in range(number):
            refill(person, pharmacy, 1)
    refill(one, pharmacy, 1, 2, prescriber=make_prescriber())

    assert bars(find(pharmacist), "several") == [
        ("A, ANNA, born 04/28/1971", "3 prescribers, 3 fills"),
        ("B, ANNA, born 04/28/1971", "2 prescribers, 2 fills"),
    ]


def test_the_highest_mme_knows_what_it_does_not_know(
    pharmacist: User, pharmacy: Pharmacy
) -> None:
    # 60 x 10 mg in 30 days are 20 mg a day, times 1.5 for oxycodone: 30 MME.
    high = make_identity(last_name="HIGH")
    refill(high, pharmacy, 1, quantity=Decimal(180))
    refill(high, pharmacy, 10, quantity=Decimal(60), strength=Decimal(5))
    carried = make_identity(last_name="CARRIED")
    refill(carried, pharmacy, 1, 28)  # three days early: no double dose
    unsure = make_identity(last_name="UNSURE")
    refill(unsure, pharmacy, 1)
    refill(unsure, pharmacy, 2, strength=None, strength_unit="", mme_key="")
    compound = make_identity(last_name="COMPOUND")
    refill(compound, pharmacy, 1, product_qualifier="06", ingredient="")
    reaching = make_identity(last_name="REACHING")
    refill(reaching, pharmacy, -20, quantity=Decimal(30))
    refill(make_identity(species=Species.ANIMAL), pharmacy, 1, quantity=Decimal(900))

    found = find(pharmacist)
    assert bars(found, "mme") == [
        (f"{name}, ANNA, born 04/28/1971", words)
        for name, words in (
            ("HIGH", "105.0 MME on 09/11/2026; 30 days at 90 or more"),
            ("CARRIED", "30.0 MME on 09/02/2026"),
            ("UNSURE", "≥ 30.0 MME on 09/02/2026"),
            ("REACHING", "15.0 MME on 09/01/2026"),
        )
    ]
    (pattern,) = [each for each in found.patterns if each.key == "mme"]
    assert "Of 1 patient no fill has a number" in pattern.sentence


def test_the_highest_doses_are_those_of_reckoning_everybody(pharmacy: Pharmacy) -> None:
    chance = random.Random(8)  # noqa: S311 - no secret
    for _ in range(25):
        person = make_identity()
        for _ in range(chance.randrange(1, 5)):
            refill(
                person,
                pharmacy,
                chance.randrange(0, 60),
                quantity=Decimal(chance.randrange(10, 200)),
                days_supply=chance.choice([5, 10, 30]),
            )
    some = daily_doses.highest(pharmacy, SINCE, UNTIL, most=4).highest
    everybody = daily_doses.highest(pharmacy, SINCE, UNTIL, most=1000).highest

    assert len(everybody) == 25
    assert list(some) == list(everybody)[:4]
    assert [each.peak for each in some] == _peaks(pharmacy)[:4]


def _peaks(pharmacy: Pharmacy) -> list[Decimal]:
    """Reckon each patient's peak as a report does, the highest first."""
    supplies = Supplies(mme.rule_set(settings.current().mme_rule_set))
    peaks = []
    for patient in Patient.select():
        rows: Any = (
            Dispensation.select()
            .where(Dispensation.patient == patient, Dispensation.pharmacy == pharmacy)
            .where(Dispensation.status == "current", Dispensation.filled_on >= SINCE)
            .order_by(Dispensation.filled_on, Dispensation.id)
            .dicts()
        )
        courses = [
            mme.Course(row["filled_on"], row["days_supply"],
                       supplies.of(row).mme, row["strength"])
            for row in rows
        ]  # fmt: skip
        carried = mme.carry_forward(courses)
        runs = mme.steps(carried, since=SINCE, until=UNTIL)
        peaks.append(max(run.value for run in runs))
    return sorted(peaks, reverse=True)


def test_patterns_are_empty_without_fills_and_refuse_odd_days(
    pharmacist: User,
) -> None:
    assert find(pharmacist, since=date(2026, 1, 1), until=date(2026, 1, 2)).fills == 0
    with pytest.raises(RuleError) as refused:
        find(pharmacist, since=UNTIL, until=SINCE)
    assert refused.value.field == "until"
    with pytest.raises(RuleError, match="a year at most"):
        find(pharmacist, since=date(2025, 1, 1))
    with pytest.raises(NotFoundError):
        find(pharmacist, pharmacy=make_pharmacy().id)


def test_names_are_those_of_the_own_pharmacys_reports(pharmacy: Pharmacy) -> None:
    patient = make_patient(last_name="MARRIED")
    make_dispensation(patient=patient)  # another pharmacy's name for the person
    maiden = make_identity(patient, last_name="MAIDEN")
    make_dispensation(maiden, pharmacy=pharmacy)

    assert pattern_counts.patient_names(pharmacy, {patient.id}) == {
        patient.id: "MAIDEN, ANNA, born 04/28/1971"
    }
    assert period(pharmacy).before.until == date(2026, 8, 31)
