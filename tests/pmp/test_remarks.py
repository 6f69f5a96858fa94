"""What a report says beside its entries: of others at home, and of open questions."""

from datetime import date
from typing import Any

import pytest

from models import MatchReview, Patient, ReportedIdentity
from pmp import history
from pmp.history import remarks
from tests.conftest import NOW
from tests.factories import make_dispensation, make_identity

pytestmark = pytest.mark.usefixtures("db")

TWIN = "such as a twin"
UNDECIDED = "wait for the program's staff to decide"
CLARA: dict[str, Any] = {
    "last_name": "ASHDOWN",
    "first_name": "CLARA",
    "street": "12 Elm St",
    "zip": "06106",
}
CORA = CLARA | {"first_name": "CORA"}


@pytest.fixture
def clara() -> ReportedIdentity:
    row = make_identity(**CLARA)
    make_dispensation(row)
    return row


def said(patient: Patient) -> str:
    since, until = date(2025, 11, 24), date(2026, 11, 23)
    report = history.patient_report(patient, since=since, until=until, at=NOW)
    return " ".join(remarks.of(report))


@pytest.mark.parametrize(
    ("clara_has", "cora_has", "is_told"),
    [
        ({}, {}, True),
        ({}, {"street": "12 ELM STREET", "zip": "06106-1234"}, True),
        ({}, {"street": "14 Elm St"}, False),
        ({}, {"zip": "06010"}, False),
        ({"street": "GENERAL DELIVERY"}, {"street": "GENERAL DELIVERY"}, False),
        ({"street": ""}, {"street": ""}, False),
        (
            {"street": "", "phone": "(860) 555-0119"},
            {"street": "", "phone": "18605550119"},
            True,
        ),
        (
            {"street": "", "phone": "8600000000"},
            {"street": "", "phone": "8600000000"},
            False,
        ),
    ],
)
def test_a_home_is_compared_as_matching_compares_it(
    clara_has: dict[str, str], cora_has: dict[str, str], *, is_told: bool
) -> None:
    clara = make_identity(**(CLARA | clara_has))
    make_dispensation(clara)
    make_dispensation(make_identity(**(CORA | cora_has)))

    assert (TWIN in said(clara.patient)) is is_told


def test_nobody_is_hinted_at_who_is_known_by_withheld_fills_alone(
    clara: ReportedIdentity,
) -> None:
    cora = make_identity(**CORA)
    make_dispensation(cora, withheld="administrators")
    question(cora, clara.patient)

    assert TWIN not in said(clara.patient)
    assert UNDECIDED not in said(clara.patient)

    make_dispensation(cora)
    assert TWIN in said(clara.patient)
    assert UNDECIDED in said(clara.patient)


def test_a_home_that_withheld_fills_alone_name_is_none(clara: ReportedIdentity) -> None:
    elsewhere = make_identity(**(CORA | {"street": "9 Oak St"}))
    make_dispensation(elsewhere)
    hidden = make_identity(elsewhere.patient, **CORA)
    make_dispensation(hidden, withheld="administrators")

    assert TWIN not in said(clara.patient)


def question(row: ReportedIdentity, candidate: Patient) -> None:
    MatchReview.create(identity=row, candidate=candidate, score=30, opened_at=NOW)


@pytest.mark.parametrize("is_candidate", [True, False])
def test_an_open_question_is_told_on_both_sides(
    clara: ReportedIdentity, *, is_candidate: bool
) -> None:
    other = make_identity()
    make_dispensation(other)
    if is_candidate:
        question(other, clara.patient)
    else:
        question(clara, other.patient)

    assert UNDECIDED in said(clara.patient)


def test_a_question_is_told_no_more_once_there_are_no_two(
    clara: ReportedIdentity,
) -> None:
    gone = Patient.create(created_at=NOW)  # joined with somebody since
    question(clara, gone)
    question(clara, clara.patient)

    assert UNDECIDED not in said(clara.patient)
