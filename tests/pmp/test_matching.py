"""Reported identities become patients: once each, explained, never by guesswork."""

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from models import MatchReview, Patient, ReportedIdentity, ReviewStatus
from pmp import matching
from pmp.matching import Identity, local_names
from pmp.matching.candidates import SHARED_BY
from pmp.matching.likeness import COMMON, Band, compare
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


def test_what_each_field_says_is_kept_in_words() -> None:
    link(ADA)
    [second] = link(replace(ADA, phone="8605550150", last="EXAMPEL"))

    evidence = ReportedIdentity.get_by_id(second.identity_id).link_evidence

    assert evidence["first name"].startswith("same (KATHERINE, usual: +")
    assert evidence["last name"].startswith("a slip apart (+")
    assert evidence["phone"] == "different (-1.0)"
    assert evidence["date of birth"] == "same (+14.8)"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"last": "EXAMPLE-NOWAK"}, id="double name"),
        pytest.param({"last": "KATHERINE", "first": "EXAMPLE"}, id="swapped"),
        pytest.param({"birth_date": date(1980, 3, 16)}, id="month"),
        pytest.param({"birth_date": date(1981, 2, 16)}, id="year"),
        pytest.param({"last": "XAMPLE", "birth_date": date(1980, 2, 6)}, id="phone"),
        pytest.param(
            {"last": "EXAMPELL", "birth_date": date(1980, 2, 6), "phone": ""}, id="home"
        ),
        pytest.param({"first": "KATHERINE L", "middle": "LOUISE"}, id="middle within"),
    ],
)
def test_a_person_with_a_slip_is_found_by_what_is_left(change: dict[str, Any]) -> None:
    [first] = link(ADA)
    [second] = link(replace(ADA, **change))

    assert second.patient_id == first.patient_id


def test_the_turn_of_a_year_is_a_slip_of_a_day() -> None:
    eve = replace(ADA, birth_date=date(1979, 12, 31))
    [first] = link(eve)
    [second] = link(replace(eve, birth_date=date(1980, 1, 1), phone=""))

    assert second.patient_id != first.patient_id  # 1 January 1980 stands for none

    [third] = link(replace(eve, birth_date=date(1982, 1, 1), last="SAMPLE"))
    [fourth] = link(replace(eve, birth_date=date(1981, 12, 31), last="SAMPLE"))
    assert fourth.patient_id == third.patient_id


@pytest.mark.parametrize("born", [date.min, date.max])
def test_no_date_of_birth_is_too_far_off(born: date) -> None:
    [found] = link(replace(ADA, birth_date=born))

    assert ReportedIdentity.get_by_id(found.identity_id).birth_date == born


def test_junior_and_senior_are_not_one_through_a_report_without_either() -> None:
    john = replace(ADA, first="JOHN", sex="M")

    [junior] = link(replace(john, suffix="JR"))
    [neither] = link(replace(john, phone=""))
    [senior] = link(replace(john, suffix="SR", phone="8605550150"))

    assert neither.patient_id == junior.patient_id
    assert senior.patient_id != junior.patient_id
    assert (
        MatchReview.get(MatchReview.identity == senior.identity_id)
        .evidence["why"]
        .startswith("like one report of this patient, but another has")
    )


def test_a_patient_whom_other_reports_tell_apart_is_known_as_such_later() -> None:
    """The other reports share nothing with the new one that a look-up goes by."""
    patient = make_identity(
        last_name="EXAMPLE",
        first_name="KATHERINE",
        birth_date=ADA.birth_date,
        phone=ADA.phone,
        last_sound="EKSMPL",
    ).patient
    make_identity(
        patient,
        last_name="OTHERWISE",
        first_name="KATHERINE",
        suffix="JR",
        birth_date=date(1980, 2, 17),
    )

    [found] = link(replace(ADA, suffix="SR"))

    assert found.patient_id != patient.id
    assert MatchReview.get().candidate.id == patient.id


def test_two_patients_who_fit_alike_both_go_to_the_staff() -> None:
    twice = [
        make_identity(
            last_name="EXAMPLE",
            first_name="KATHERINE",
            birth_date=ADA.birth_date,
            street=street,
            zip="06320",
        ).patient.id
        for street in ("1 OTHER ST", "2 OTHER ST")
    ]

    [found] = link(ADA)

    assert found.patient_id not in twice
    assert sorted(each.candidate.id for each in MatchReview.select()) == twice


def test_the_staff_are_not_asked_twice_whether_two_patients_are_one() -> None:
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
    MatchReview.create(
        identity=near,
        candidate=apart.patient,
        score=30,
        status=ReviewStatus.KEPT_APART,
        opened_at=NOW,
    )

    [found] = link(ADA)

    assert found.patient_id == near.patient.id
    assert MatchReview.select().count() == 1


def test_a_phone_that_many_patients_have_joins_nobody() -> None:
    for number in range(SHARED_BY):
        make_identity(first_name=f"OTTO{number}", phone=ADA.phone)
    [first] = link(replace(ADA, street="1 OTHER ST", zip="06320"))

    [found] = link(replace(ADA, birth_date=date(1980, 2, 17)))

    assert found.patient_id != first.patient_id


def test_a_home_that_many_patients_have_joins_nobody() -> None:
    for number in range(SHARED_BY):
        make_identity(first_name=f"OTTO{number}", street=ADA.street, zip=ADA.zip)
    [first] = link(replace(ADA, phone=""))

    [found] = link(replace(ADA, birth_date=date(1980, 2, 17), phone=""))

    assert found.patient_id != first.patient_id


@pytest.mark.parametrize(
    "change",
    [
        {"last": "SMITH", "first": "BABY GIRL"},
        {"last": "DOE", "first": "JANE"},
        {"birth_date": date(1900, 1, 1)},
    ],
)
def test_placeholders_make_a_patient_each_and_a_review(change: dict[str, Any]) -> None:
    nobody = replace(ADA, **change)
    [first] = link(nobody)
    [second] = link(replace(nobody, phone=""))

    assert second.patient_id != first.patient_id
    assert "stands for" in MatchReview.get().evidence["why"]


def test_the_more_are_stored_the_more_must_agree() -> None:
    smith = replace(ADA, last="SMITH", first="JOHN", sex="M", middle="")
    moved = replace(smith, street="9 NEW RD", city="", zip="06320", phone="8605550150")
    [first] = link(smith)
    [joined] = link(moved)
    assert joined.patient_id == first.patient_id

    Patient.create(id=3_000_000, created_at=NOW)
    other = replace(smith, first="JAMES"), replace(moved, first="JAMES")
    links = link(*other)

    assert links[0].patient_id != links[1].patient_id


def test_names_are_weighed_by_how_many_have_them_here() -> None:
    names = (
        Counter({"KOWALCZYK": 80_000, "JONES": 10}),
        Counter({"KATHERINE": 89_000, "TAMRYN": 9, "CAMRYN": 8, "KATHERINX": 1}),
    )

    here = local_names.sampled(*names)

    assert here.last_bits("KOWALCZYK") < 2
    assert here.last_bits("JONES") > COMMON.last_bits("JONES")
    assert here.is_first_name("CAMRYN")
    assert here.is_no_name("KATHERINX")
    assert not COMMON.is_no_name("KATHERINX")
    twins = replace(ADA, first="TAMRYN"), replace(ADA, first="CAMRYN")
    assert compare(*twins, here).band is not Band.SAME
    slip = replace(ADA, first="KATHERINX")
    assert compare(ADA, slip, here).band is Band.SAME
    assert compare(ADA, slip).band is Band.REVIEW


def test_few_reports_say_nothing_of_how_common_names_are() -> None:
    make_identity(last_name="KOWALCZYK")

    assert local_names.frequencies(1_000) is COMMON
    assert local_names.frequencies(40_000).heard is None
