"""The patient report: which rows it holds, in which words, with which totals."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models import (
    DispensationStatus,
    DrugClass,
    Patient,
    ReportedIdentity,
    Role,
    Species,
    Ticket,
    TicketProblem,
)
from pmp import history, settings
from pmp.history import PatientReport, supplies
from pmp.settings import Settings
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_identity,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_submission,
    make_user,
)

SINCE = date(2025, 11, 24)
UNTIL = date(2026, 11, 23)
TIMES = "\N{MULTIPLICATION SIGN}"


def report(patient: Patient, **period: Any) -> PatientReport:
    return history.patient_report(
        patient, **({"since": SINCE, "until": UNTIL, "at": NOW} | period)
    )


def row(**fields: Any) -> dict[str, Any]:
    return {
        "quantity": Decimal(60),
        "days_supply": 15,
        "strength": Decimal("10.0000"),
        "strength_unit": "mg",
        "form": "TABLET, FILM COATED",
        "units": "01",
    } | fields


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "60 tablets for 15 days = 4 a day * 10 mg"),
        (
            {"days_supply": 1, "quantity": Decimal(1)},
            "1 tablet for 1 day = 1 a day * 10 mg",
        ),
        ({"days_supply": 21}, "60 tablets for 21 days = about 2.9 a day * 10 mg"),
        (
            {"quantity": Decimal("7.5"), "days_supply": 15, "form": "CAPSULE"},
            "7.5 capsules for 15 days = 1 every 2 days * 10 mg",
        ),
        (
            {
                "quantity": Decimal(10),
                "days_supply": 30,
                "form": "PATCH, EXTENDED RELEASE",
                "strength": Decimal(25),
                "strength_unit": "mcg/hr",
            },
            "10 patches for 30 days = 1 every 3 days * 25 mcg/hr",
        ),
        (
            {
                "quantity": Decimal(473),
                "days_supply": 8,
                "units": "02",
                "form": "SOLUTION",
                "strength": Decimal("0.5"),
                "strength_unit": "mg/mL",
            },
            "473 mL for 8 days = about 59.1 mL a day * 0.5 mg/mL",
        ),
        (
            {"form": "", "strength": None, "strength_unit": ""},
            "60 for 15 days = 4 a day",
        ),
        ({"days_supply": 0}, "The quantity or the days supply is not known"),
    ],
)
def test_frequency_in_words(fields: dict[str, Any], words: str) -> None:
    assert supplies.frequency(row(**fields)) == words.replace("*", TIMES)


def test_report_lists_the_period_newest_first_and_nobody_else(db: Settings) -> None:
    patient = make_patient()
    for day in (SINCE, date(2026, 10, 1), UNTIL, date(2026, 2, 1)):
        make_dispensation(patient=patient, filled_on=day)
    make_dispensation(patient=patient, filled_on=SINCE - timedelta(days=30))
    make_dispensation(patient=patient, filled_on=UNTIL + timedelta(days=1))
    make_dispensation(patient=patient, status=DispensationStatus.VOIDED)
    make_dispensation()  # noise: another patient

    found = report(patient)

    days = [entry.filled_on for entry in found.entries]
    assert days == [UNTIL, date(2026, 10, 1), date(2026, 2, 1), SINCE]
    assert found.counts.fills == 4


def test_a_supply_that_runs_into_the_period_counts_and_says_so(db: Settings) -> None:
    patient = make_patient()
    running = make_dispensation(
        patient=patient, filled_on=date(2026, 11, 10), quantity=Decimal(120)
    )
    make_dispensation(patient=patient, filled_on=date(2026, 10, 18), days_supply=30)
    long_ago = make_dispensation(
        patient=patient, filled_on=date(2026, 3, 1), days_supply=270, mme_key=""
    )
    late_start = make_dispensation(
        patient=patient, filled_on=date(2026, 10, 17), sold_on=date(2026, 11, 1)
    )

    made = report(patient, since=date(2026, 11, 17))

    listed = [entry.row_code for entry in made.entries]
    assert listed == [running.row_code, late_start.row_code, long_ago.row_code]
    assert all(entry.marks[0].startswith("filled before") for entry in made.entries)
    assert made.mme.today == 60 + 30
    assert made.counts.opioid_days_left == (date(2026, 12, 9) - UNTIL).days


def test_an_entry_says_who_what_how_often_and_whom_to_call(db: Settings) -> None:
    made = make_dispensation(
        prescriber=make_prescriber(
            last_name="Adams", first_name="Ruth", phone="8605550111", fax="8605550112"
        ),
        pharmacy=make_pharmacy(
            name="ELM DRUG", phone="8605550113", fax="8605550114", city="AVON"
        ),
        payment="01",
        fill_number=1,
        refills_authorized=2,
        quantity=Decimal(120),
    )

    [entry] = report(made.patient).entries

    assert entry.row_code == made.row_code
    assert entry.frequency == f"120 tablets for 30 days = 4 a day {TIMES} 10 mg"
    assert (entry.refill, entry.payment) == ("Refill 1 of 2", "Cash")
    assert entry.mme_words == "60.0"
    adams, elm = entry.prescriber, entry.pharmacy
    assert (adams.name, adams.phone, adams.fax) == (
        "ADAMS, RUTH",
        "8605550111",
        "8605550112",
    )
    assert (elm.name, elm.phone, elm.fax, elm.place) == (
        "ELM DRUG",
        "8605550113",
        "8605550114",
        "AVON, CT",
    )


def test_entries_under_review_and_corrected_are_marked(db: Settings) -> None:
    patient = make_patient()
    disputed = make_dispensation(patient=patient, filled_on=date(2026, 10, 3))
    settled = make_dispensation(patient=patient, filled_on=date(2026, 10, 2))
    make_dispensation(patient=patient, filled_on=date(2026, 10, 1), corrected=True)
    for number, (entry, resolved_at) in enumerate(
        [(disputed, None), (settled, NOW)], start=1
    ):
        Ticket.create(
            reporter="user:1",
            number=f"T{number}",
            dispensation=entry,
            opened_by=make_user(Role.PHARMACY),
            opened_at=NOW,
            due_at=NOW,
            problem=TicketProblem.OTHER,
            resolved_at=resolved_at,
        )

    found = report(patient).entries

    assert [entry.is_under_review for entry in found] == [True, False, False]
    assert [entry.is_corrected for entry in found] == [False, False, True]


def test_joined_identities_are_told_with_the_newest_fill_first(db: Settings) -> None:
    old = make_identity(last_name="MILLER", first_name="JON")
    new = make_identity(old.patient, last_name="MILLER", first_name="JONATHAN")
    same = make_identity(old.patient, last_name="MILLER", first_name="JON")
    make_dispensation(new, filled_on=date(2026, 6, 1))
    make_dispensation(old, filled_on=date(2026, 11, 1))
    make_dispensation(same, filled_on=date(2026, 5, 1))

    found = report(old.patient)

    assert found.name == "MILLER, JON"
    assert [identity.name for identity in found.identities] == [
        "MILLER, JON",
        "MILLER, JONATHAN",
    ]
    assert found.entries[1].reported_as == "MILLER, JONATHAN"


@pytest.mark.parametrize(
    ("at", "age"),
    [
        (datetime(2026, 4, 28, 3, 59, tzinfo=UTC), 54),  # still the 27th in New York
        (datetime(2026, 4, 28, 4, 1, tzinfo=UTC), 55),
    ],
)
def test_age_turns_on_the_birthday_in_the_programmes_zone(
    db: Settings, at: datetime, age: int
) -> None:
    patient = make_patient(birth_date=date(1971, 4, 28))

    assert report(patient, at=at).age == age


def test_totals_carry_early_refills_forward_and_say_what_was_reported(
    db: Settings,
) -> None:
    patient = make_patient()
    for day in (date(2026, 10, 2), date(2026, 10, 31)):
        make_dispensation(patient=patient, filled_on=day, quantity=Decimal(90))

    found = report(patient)

    assert found.mme.peak == 45
    assert found.mme_as_reported.peak == 90
    assert found.mme.today == 45
    assert found.counts.opioid_days_left == 7
    assert [each.code for each in found.warnings] == ["first_opioid_days"]


def test_an_animals_fills_are_listed_and_never_summed(db: Settings) -> None:
    owner = make_identity(last_name="FARMER")
    dog = make_identity(
        owner.patient,
        last_name="FARMER",
        species=Species.ANIMAL,
        animal_name="REX",
    )
    make_dispensation(owner, quantity=Decimal(60))
    make_dispensation(dog, quantity=Decimal(600))

    found = report(owner.patient)

    assert found.mme.today == 30
    assert found.counts.fills == 1
    assert [entry.is_animal for entry in found.entries] == [True, False]


@pytest.mark.parametrize(
    "fields",
    [
        {"ingredient": "", "mme_key": "", "drug_class": DrugClass.OTHER},
        {"product_qualifier": "06"},
        {"strength": None},
    ],
)
def test_what_cannot_be_calculated_makes_totals_at_least(
    db: Settings, fields: dict[str, Any]
) -> None:
    patient = make_patient()
    unknown = make_dispensation(patient=patient, **fields)
    make_dispensation(patient=patient)

    found = report(patient)

    assert found.mme.today_at_least
    assert [entry.row_code for entry in found.not_calculated] == [unknown.row_code]
    assert found.not_calculated[0].mme_words == "not calculated"


def test_report_warns_and_draws(db: Settings) -> None:
    patient = make_patient()
    make_dispensation(patient=patient)
    make_dispensation(
        patient=patient,
        drug_name="ALPRAZOLAM 1 MG TAB",
        ingredient="ALPRAZOLAM",
        drug_class=DrugClass.BENZODIAZEPINE,
        mme_key="",
    )

    found = report(patient)

    assert [warning.code.value for warning in found.warnings] == [
        "opioid_benzodiazepine",
        "first_opioid_days",
    ]
    assert "ALPRAZOLAM 1 MG TAB" in found.chart


def test_report_of_nothing_still_says_whose_and_as_of_when(db: Settings) -> None:
    identity: ReportedIdentity = make_identity(last_name="QUIET")
    make_submission(received_at=NOW)

    found = report(identity.patient)

    assert found.name == "QUIET, ANNA"
    assert found.entries == []
    assert found.received_through == UNTIL
    assert found.mme.peak == 0


def test_mme_follows_the_rule_set_in_force(db: Settings) -> None:
    made = make_dispensation(
        ingredient="METHADONE HYDROCHLORIDE", mme_key="methadone", quantity=Decimal(90)
    )

    assert report(made.patient).mme.today == 141
    with settings.changed(mme_rule_set="cdc-2016"):
        assert report(made.patient).mme.today == 240
