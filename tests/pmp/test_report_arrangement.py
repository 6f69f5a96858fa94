"""The list of a report's prescriptions: in which order, and which of them."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from models import DrugClass, Patient
from pmp import history
from pmp.history import PatientReport, arrangement
from pmp.history.arrangement import Arrangement
from pmp.history.entries import Entry
from pmp.settings import Settings
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_patient,
    make_pharmacy,
    make_prescriber,
)


@pytest.fixture
def report(db: Settings) -> PatientReport:
    """Give a report of three fills, two opioids of the one doctor among them."""
    patient: Patient = make_patient()
    novak, adams = (
        make_prescriber(last_name="NOVAK"),
        make_prescriber(last_name="ADAMS"),
    )
    elm, main = make_pharmacy(name="ELM"), make_pharmacy(name="MAIN")
    make_dispensation(
        patient=patient,
        drug_name="B OXYCODONE",
        filled_on=date(2026, 11, 20),
        prescriber=novak,
        pharmacy=main,
    )
    make_dispensation(
        patient=patient,
        drug_name="C OXYCODONE",
        filled_on=date(2026, 6, 1),
        quantity=Decimal(300),
        prescriber=novak,
        pharmacy=elm,
    )
    make_dispensation(
        patient=patient,
        drug_name="A ALPRAZOLAM",
        ingredient="ALPRAZOLAM",
        drug_class=DrugClass.BENZODIAZEPINE,
        mme_key="",
        filled_on=date(2026, 11, 10),
        prescriber=adams,
        pharmacy=elm,
    )
    return history.patient_report(
        patient, since=date(2025, 11, 24), until=date(2026, 11, 23), at=NOW
    )


def first_signs(entries: Sequence[Entry]) -> str:
    return "".join(entry.drug[0] for entry in entries)


@pytest.mark.parametrize(
    ("sort", "order", "words"),
    [
        ("-filled", "BAC", "newest first"),
        ("filled", "CAB", "oldest first"),
        ("drug", "ABC", "by drug"),
        ("-drug", "CBA", "by drug, Z to A"),
        ("-mme", "CBA", "highest MME first"),
        ("-left", "BAC", "most supply left first"),
        ("prescriber", "ABC", "by prescriber"),
        ("pharmacy", "ACB", "by pharmacy"),
        ("nonsense", "BAC", "newest first"),
    ],
)
def test_the_list_is_sorted_as_asked(
    report: PatientReport, sort: str, order: str, words: str
) -> None:
    chosen = arrangement.read({"sort": sort})

    assert first_signs(arrangement.arrange(report, chosen)) == order
    assert chosen.words == words


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"drug_class": "opioid"}, "BC"),
        ({"active": "1"}, "BA"),
        ({"prescriber": "1"}, "A"),  # ADAMS comes first in the report's own list
        ({"prescriber": "2"}, "BC"),
        ({"pharmacy": "1"}, "AC"),
        ({"pharmacy": "1", "drug_class": "opioid"}, "C"),
        ({"prescriber": "3"}, ""),
        ({"prescriber": "x", "pharmacy": "-1", "warning": ""}, "BAC"),
    ],
)
def test_the_list_keeps_what_is_asked_for(
    report: PatientReport, given: dict[str, str], kept: str
) -> None:
    chosen = arrangement.read(given)

    assert first_signs(arrangement.arrange(report, chosen)) == kept


def test_a_warning_s_rows_can_be_kept_alone(report: PatientReport) -> None:
    places = [
        place
        for place, warning in enumerate(report.warnings, start=1)
        if warning.code.value == "opioid_benzodiazepine"
    ]
    chosen = Arrangement(warning=places[0])

    assert first_signs(arrangement.arrange(report, chosen)) == "BA"
    assert len(arrangement.rows(report, chosen)) == 2
    assert arrangement.rows(report, Arrangement(warning=99)) == frozenset()


def test_an_address_names_places_and_no_person() -> None:
    chosen = arrangement.read({"sort": "drug", "prescriber": "2", "active": "7"})

    assert chosen.filters == {"prescriber": 2, "active": 1}
    assert chosen.is_filtered
    assert not arrangement.read({"sort": "drug"}).is_filtered
