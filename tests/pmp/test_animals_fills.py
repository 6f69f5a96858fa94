"""Whatever an animal is given, nothing of its owner's totals or warnings changes."""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from models import DrugClass, ReportedIdentity, Species
from pmp import fills, history
from pmp.history import PatientReport
from pmp.settings import Settings
from tests.conftest import NOW
from tests.factories import make_dispensation, make_identity

TODAY = NOW.date()
DRUGS: tuple[dict[str, Any], ...] = (
    {},
    {"acetaminophen_mg": Decimal(325), "strength": Decimal(30)},
    {"drug_class": DrugClass.OTHER, "ingredient": "", "mme_key": ""},
    {
        "drug_name": "ALPRAZOLAM 1 MG TAB",
        "ingredient": "ALPRAZOLAM",
        "drug_class": DrugClass.BENZODIAZEPINE,
        "mme_key": "",
    },
    {
        "drug_name": "BUPRENORPHINE 8 MG TAB",
        "ingredient": "BUPRENORPHINE",
        "drug_class": DrugClass.BUPRENORPHINE,
        "mme_key": "",
    },
    {
        "drug_name": "GABAPENTIN 300 MG CAP",
        "ingredient": "GABAPENTIN",
        "drug_class": DrugClass.GABAPENTINOID,
        "mme_key": "",
        "schedule": "",
    },
    {
        "drug_name": "METHADONE HCL 10 MG TAB",
        "ingredient": "METHADONE HYDROCHLORIDE",
        "long_acting": True,
        "mme_key": "methadone",
    },
)


@pytest.mark.parametrize("seed", range(6))
def test_no_total_or_warning_of_an_owner_has_an_animals_fill_in_it(
    db: Settings, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    owner = make_identity(last_name="FARMER")
    animal = make_identity(
        owner.patient, last_name="FARMER", species=Species.ANIMAL, animal_name="REX"
    )
    _dispense(owner, chance, chance.randrange(4))
    before = _totals(_report(owner))

    given = _dispense(animal, chance, 12)

    after = _report(owner)
    assert _totals(after) == before
    assert sum(entry.is_animal for entry in after.entries) == given


def _dispense(identity: ReportedIdentity, chance: random.Random, number: int) -> int:
    for _ in range(number):
        make_dispensation(
            identity,
            filled_on=TODAY - timedelta(days=chance.randrange(0, 120)),
            quantity=Decimal(chance.choice((30, 90, 240))),
            days_supply=chance.choice((5, 15, 30)),
            **chance.choice(DRUGS),
        )
    return number


def _report(identity: ReportedIdentity) -> PatientReport:
    since = TODAY - timedelta(days=365)
    return history.patient_report(identity.patient, since=since, until=TODAY, at=NOW)


def _totals(report: PatientReport) -> tuple[Any, ...]:
    own = [entry.fill for entry in report.entries if not entry.is_animal]
    return (
        report.mme,
        report.mme_as_reported,
        report.counts,
        list(report.warnings),
        report.chart,
        [entry.row_code for entry in report.not_calculated],
        fills.buprenorphine_mg_today(own, today=TODAY),
    )
