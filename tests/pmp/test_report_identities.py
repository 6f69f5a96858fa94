"""Why reported identities were joined, in words and without weights."""

from datetime import date

import pytest

from models import ReportedIdentity
from pmp import history
from pmp.history.identities import why_joined
from pmp.matching import Identity, link
from pmp.settings import Settings
from tests.conftest import NOW
from tests.factories import make_dispensation

FIRST = "The first report of this person."
SLIP = (
    "Same first name, date of birth, sex, street, ZIP code and phone; last name one"
    " typing slip apart."
)


@pytest.mark.parametrize(
    ("rule", "evidence", "linked_by", "words"),
    [
        (
            "first report of this person",
            {},
            "matching",
            "The first report of this person.",
        ),
        (
            "name agrees, same date of birth",
            {
                "last name": "a slip apart (+8.3)",
                "first name": "same (+9.1)",
                "date of birth": "same (+14.8)",
            },
            "matching",
            "Same first name and date of birth; last name one typing slip apart.",
        ),
        (
            "name agrees, same date of birth",
            {"phone": "different (-1.0)", "first name": "a short form (+4.0)"},
            "matching",
            "First name a short form of the other; phone different.",
        ),
        (
            "same name, same date of birth",
            {"name": "first and last swapped (+20.0)", "weight": 7},
            "matching",
            "Name first and last swapped.",
        ),
        ("x", {}, "matching", ""),
        (
            "by hand",
            {"name": "same"},
            "staff.lee",
            "Program staff decided that this is the same person.",
        ),
    ],
)
def test_reasons_are_words(
    rule: str, evidence: dict[str, object], linked_by: str, words: str
) -> None:
    assert why_joined(rule, evidence, linked_by) == words


def test_what_matching_joins_a_report_explains(db: Settings) -> None:
    def person(last: str) -> Identity:
        return Identity(
            last=last,
            first="STEFAN",
            middle="",
            suffix="",
            birth_date=date(1972, 1, 17),
            sex="M",
            street="15 ORCHARD LN",
            city="HARTFORD",
            state="CT",
            zip="06106",
            phone="9595550115",
        )

    links = link([person("KOWALCZYK"), person("KOWALCZIK")], at=NOW)
    assert links[0].patient_id == links[1].patient_id
    for each in links:
        make_dispensation(ReportedIdentity.get_by_id(each.identity_id))

    patient = ReportedIdentity.get_by_id(links[0].identity_id).patient
    report = history.patient_report(
        patient, since=date(2025, 11, 24), until=date(2026, 11, 23), at=NOW
    )

    assert {each.name: each.why for each in report.identities} == {
        "KOWALCZYK, STEFAN": FIRST,
        "KOWALCZIK, STEFAN": SLIP,
    }
