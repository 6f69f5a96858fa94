"""Reported identities become patients: once each, explained, never by guesswork."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from models import MatchReview, Patient, ReportedIdentity, ReviewStatus
from pmp import matching
from pmp.matching import Identity
from tests.conftest import NOW
from tests.factories import make_identity

pytestmark = pytest.mark.usefixtures("db")

ADA = Identity(
    last="EXAMPLE",
    first="KATHERINE",
    middle="",
    suffix="",
    birth_date=date(1980, 2, 16),
    sex="F",
    street="12 MAPLE ST",
    city="HAMDEN",
    state="CT",
    zip="06514",
    phone="2035550111",
)


@pytest.fixture(autouse=True)
def noise(db: object) -> None:
    """People who must never be found: same day, same phone, same house."""
    make_identity(last_name="NOBODY", birth_date=ADA.birth_date)
    make_identity(last_name="EXAMPLE", first_name="OTTO", phone=ADA.phone)
    make_identity(last_name="EXAMPLE", first_name="OLGA", zip=ADA.zip)


def rows() -> Any:
    return ReportedIdentity.select().where(ReportedIdentity.last_key == "EXAMPLE")


def link(*identities: Identity) -> list[matching.Link]:
    return matching.link(identities, at=NOW)


def test_a_new_person_becomes_a_patient_and_is_known_again() -> None:
    before = Patient.select().count()

    [first] = link(ADA)
    [again] = link(replace(ADA, last="Example "))

    assert first.is_new
    assert not again.is_new
    assert (again.identity_id, again.patient_id) == (
        first.identity_id,
        first.patient_id,
    )
    assert Patient.select().count() == before + 1
    stored = ReportedIdentity.get_by_id(first.identity_id)
    assert (stored.last_key, stored.first_key) == ("EXAMPLE", "KATHERINE")
    assert stored.link_rule == "first report of this person"
    assert stored.linked_at == NOW


def test_links_come_in_the_order_given_and_equal_ones_are_one() -> None:
    other = replace(ADA, last="SAMPLE", first="JOHN", birth_date=date(1950, 5, 5))

    one, two, three = link(ADA, other, ADA)

    assert one == three
    assert one.patient_id != two.patient_id


def test_known_tells_what_was_reported_and_writes_nothing() -> None:
    count = ReportedIdentity.select().count()
    assert matching.known([ADA]) == {}
    [stored] = link(ADA)

    other = replace(ADA, first="SOMEBODY")
    found = matching.known([ADA, other])

    assert found == {ADA.fingerprint: stored.identity_id}
    assert ReportedIdentity.select().count() == count + 1


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        {"first": "KATE"},
        {"last": "EXAMPEL"},
        {"birth_date": date(1980, 2, 17)},
        {"street": "9 NEW RD", "phone": "8605550150", "zip": "06320"},
        {"zip": "065141234"},
    ],
)
def test_one_person_reported_twice_is_one_patient(
    change: dict[str, Any],
    together: bool,  # noqa: FBT001
) -> None:
    changed = replace(ADA, **change)

    if together:
        first, second = link(ADA, changed)
    else:
        first, second = *link(ADA), *link(changed)

    assert first.patient_id == second.patient_id
    assert first.identity_id != second.identity_id
    stored = ReportedIdentity.get_by_id(second.identity_id)
    assert (stored.link_score or 0) > 20
    assert stored.link_evidence
    assert "agrees" in stored.link_rule or "same" in stored.link_rule
    assert MatchReview.select().count() == 0


def test_twins_and_generations_and_animals_stay_apart() -> None:
    family = [
        ADA,
        replace(ADA, first="KRISTINA"),
        replace(ADA, first="JOHN", sex="M", suffix="JR"),
        replace(ADA, first="JOHN", sex="M", suffix="SR"),
        replace(ADA, first="JOHN", sex="M", suffix="III"),
        replace(ADA, species="animal", animal_name="REX"),
        replace(ADA, species="animal", animal_name="MITZI"),
    ]

    links = link(*family)

    assert len({each.patient_id for each in links}) == len(family)


def test_a_changed_surname_makes_a_new_patient_and_a_review() -> None:
    [before] = link(ADA)
    [after] = link(replace(ADA, last="MARRIED"))

    assert after.patient_id != before.patient_id
    [review] = MatchReview.select()
    assert review.identity.id == after.identity_id
    assert review.candidate.id == before.patient_id
    assert review.status is ReviewStatus.OPEN
    assert "last name differs" in review.evidence["why"]


def test_of_two_patients_that_fit_the_likelier_is_taken_and_the_other_reviewed() -> (
    None
):
    apart = make_identity(
        last_name="EXAMPLE",
        first_name="KATHERINE",
        birth_date=ADA.birth_date,
        street="1 OTHER ST",
        zip="06320",
    )
    near = make_identity(
        last_name="EXAMPLE",
        first_name="KATHERINE",
        birth_date=ADA.birth_date,
        street=ADA.street,
        zip=ADA.zip,
    )

    [found] = link(ADA)

    assert found.patient_id == near.patient.id
    [review] = MatchReview.select()
    assert review.candidate.id == apart.patient.id


def test_many_at_once_take_several_batches() -> None:
    people = [
        replace(ADA, last=f"PERSON{chr(65 + n % 26)}{chr(65 + n // 26)}Q", first="ANN")
        for n in range(620)
    ]
    people = [
        replace(each, birth_date=date(1930 + n % 70, 1 + n % 12, 1 + n % 28))
        for n, each in enumerate(people)
    ]

    links = link(*people)

    assert len(links) == len(people)
    assert all(each.is_new for each in links)
    assert [each.identity_id for each in link(*people)] == [
        each.identity_id for each in links
    ]
