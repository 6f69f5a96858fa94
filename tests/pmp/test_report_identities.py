"""Why reported identities were joined, in words and without weights."""

from datetime import date

import pytest

from models import MatchReview, Patient, ReportedIdentity
from pmp import history
from pmp.history.identities import why_joined
from pmp.matching import Identity, decisions, link, undoing
from pmp.settings import Settings
from tests.conftest import NOW
from tests.factories import make_dispensation, make_identity, make_user

DECIDED = "Program staff decided that this is the same person."
FIRST = "The first report of this person."
SLIP = (
    "Same first name, date of birth, sex, street, ZIP code and phone; last name one"
    " typing slip apart."
)


@pytest.mark.parametrize(
    ("rule", "evidence", "words"),
    [
        (
            "first report of this person",
            {},
            "The first report of this person.",
        ),
        (
            "name agrees, same date of birth",
            {
                "last name": "a slip apart (+8.3)",
                "first name": "same (+9.1)",
                "date of birth": "same (+14.8)",
            },
            "Same first name and date of birth; last name one typing slip apart.",
        ),
        (
            "name agrees, same date of birth",
            {"phone": "different (-1.0)", "first name": "a short form (+4.0)"},
            "First name a short form of the other; phone different.",
        ),
        (
            "same name, same date of birth",
            {"name": "first and last swapped (+20.0)", "weight": 7},
            "Name first and last swapped.",
        ),
        ("x", {}, ""),
    ],
)
def test_reasons_are_words(rule: str, evidence: dict[str, object], words: str) -> None:
    assert why_joined(rule, evidence) == words


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


def reasons(patient: Patient) -> dict[str, str]:
    report = history.patient_report(
        patient, since=date(2025, 11, 24), until=date(2026, 11, 23), at=NOW
    )
    return {each.name: each.why for each in report.identities}


def test_whom_staff_joined_a_report_says_so_until_it_is_undone(db: Settings) -> None:
    first = "first report of this person"
    one, other = (
        make_identity(first_name="MARIA", last_name=last, link_rule=first)
        for last in ("DELGADO", "REYES")
    )
    make_dispensation(one)
    make_dispensation(other)
    review = MatchReview.create(
        identity=other, candidate=one.patient, score=20, opened_at=NOW
    )
    staff, mark = make_user(), decisions.mark_of(one.patient.id, other.patient.id)

    joined = decisions.join(review, reason="Married.", seen=mark, by=staff, at=NOW)

    assert reasons(one.patient) == {"DELGADO, MARIA": FIRST, "REYES, MARIA": DECIDED}
    undoing.undo(joined, by=staff, at=NOW)
    assert reasons(other.patient) == {"REYES, MARIA": FIRST}


def test_whom_staff_moved_here_by_a_split_a_report_says_so(db: Settings) -> None:
    first = make_identity(last_name="DELGADO")
    moved = make_identity(first.patient, last_name="REYES", link_rule="by name")
    here = make_identity(last_name="RUIZ", link_rule="first report of this person")
    decisions.split(
        first.patient.id,
        [moved.id],
        to=here.patient.id,
        reason="Hers.",
        seen=decisions.mark_of(first.patient.id),
        by=make_user(),
        at=NOW,
    )

    assert reasons(here.patient) == {"RUIZ, ANNA": FIRST, "REYES, ANNA": DECIDED}
