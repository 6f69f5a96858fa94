"""A pool decides for the one patient who is clearly meant, and never by a chain."""

from collections import defaultdict
from dataclasses import replace
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmp.matching.candidates import SHARED_BY, Kept, Pool
from pmp.matching.identities import Identity
from pmp.matching.likeness import Crowd
from tests.pmp.test_placeholders import ADA

JOHN = replace(ADA, first="JOHN", sex="M")
JUNIOR, SENIOR = replace(JOHN, suffix="JR"), replace(JOHN, suffix="SR")
STATE = Crowd()


def decided(*identities: Identity, crowd: Crowd = STATE) -> list[int]:
    """Give each one's patient, in the order given."""
    pool, count, found = Pool(crowd), 0, []
    for one in identities:
        patient, _, _ = pool.decide(one)
        if not patient:
            patient = count = count + 1
        pool.add(Kept(one, patient))
        found.append(patient)
    return found


def test_one_without_a_suffix_joins_junior_and_never_senior_through_him() -> None:
    assert decided(JUNIOR, replace(JOHN, phone=""), SENIOR) == [1, 1, 2]


def test_one_without_a_suffix_is_neither_when_both_are_known() -> None:
    pool = Pool(STATE)
    pool.add(Kept(JUNIOR, 1))
    pool.add(Kept(SENIOR, 2))

    patient, likeness, doubts = pool.decide(JOHN)

    assert (patient, likeness) == (0, None)
    assert {doubted for doubted, _ in doubts} == {1, 2}
    assert all("more than one patient" in like.rule for _, like in doubts)


def test_one_middle_name_does_not_join_another_through_none() -> None:
    james, none, henry = (
        replace(JOHN, middle=middle, phone=phone)
        for middle, phone in (
            ("JAMES", ""),
            ("", "2035550112"),
            ("HENRY", "2035550113"),
        )
    )

    assert decided(james, none, henry) == [1, 1, 2]


def test_slips_of_the_year_do_not_walk_from_brother_to_brother() -> None:
    years = (1980, 1985, 1995)
    one, two, three = (replace(JOHN, birth_date=date(year, 2, 16)) for year in years)

    assert decided(one, two, replace(three, birth_date=date(1975, 2, 16))) != [1, 1, 1]


def test_what_the_staff_joined_does_not_keep_its_like_out() -> None:
    pool = Pool(STATE)
    pool.add(Kept(ADA, 1))
    legal = replace(ADA, first="XIAOLING")
    pool.add(Kept(legal, 1))

    assert pool.decide(replace(legal, phone=""))[0] == 1


def test_the_clearly_likelier_of_two_is_taken_and_the_other_doubted() -> None:
    pool = Pool(STATE)
    pool.add(Kept(ADA, 1))
    pool.add(Kept(replace(ADA, street="1 ELM ST", zip="06320", phone=""), 2))

    patient, _, doubts = pool.decide(replace(ADA, phone=""))

    assert patient == 1
    assert [doubted for doubted, _ in doubts] == [2]


def test_of_two_whom_the_staff_kept_apart_the_other_is_not_asked_about_again() -> None:
    pool = Pool(STATE)
    pool.add(Kept(ADA, 1))
    pool.add(Kept(replace(ADA, street="1 ELM ST", zip="06320", phone=""), 2))
    pool.keep_apart([(2, 1)])

    assert pool.decide(replace(ADA, phone=""))[::2] == (1, [])


def test_a_phone_that_very_many_share_says_nothing() -> None:
    pool = Pool(STATE)
    moved = replace(ADA, street="9 NEW RD", zip="06320", birth_date=date(1980, 2, 17))
    pool.add(Kept(ADA, 1))
    assert pool.decide(moved)[0] == 1

    pool = Pool(STATE)
    pool.add(Kept(ADA, 1))
    for number in range(SHARED_BY):
        other = replace(ADA, last=f"{chr(65 + number)}BERT", first="OTTO")
        pool.add(Kept(other, 2 + number))

    assert pool.decide(moved)[0] == 0


def test_a_home_that_very_many_share_says_nothing() -> None:
    slip = replace(ADA, birth_date=date(1980, 2, 17), phone="")
    pool = Pool(STATE)
    pool.add(Kept(ADA, 1))
    assert pool.decide(slip)[0] == 1
    for number in range(SHARED_BY):
        other = replace(ADA, last=f"{chr(65 + number)}BERT", first="OTTO", phone="")
        pool.add(Kept(other, 2 + number))

    assert pool.decide(slip)[0] == 0


def test_the_more_people_there_are_the_more_must_agree() -> None:
    smith = replace(ADA, last="SMITH", first="JOHN", sex="M")
    moved = replace(smith, street="9 NEW RD", city="", zip="06320", phone="8605550150")

    assert decided(smith, moved, crowd=Crowd(people=30_000)) == [1, 1]
    assert decided(smith, moved, crowd=Crowd(people=2_000_000)) == [1, 2]
    assert Crowd(people=10).join_at == Crowd(people=20_000).join_at


def family(rng: Random) -> list[tuple[int, Identity]]:
    """Make clean reports of people and their relatives: who, and as reported."""
    reports = []
    for person in range(12):
        one = replace(
            ADA,
            last=rng.choice(["KOWALCZYK", "SAMPLEY", "EXEMPLAR", "NAKAMURA"]),
            first=rng.choice(["JOHN", "MARY", "PEDRO", "OLGA", "WALTER"]),
            birth_date=date(1930 + 5 * person, 1 + person % 12, 3 + 2 * person % 25),
            street=f"{person + 1} MAPLE ST",
            phone=f"20355501{person:02}",
        )
        twin = replace(one, first="GRETCHEN")
        reports += [(2 * person, one), (2 * person, replace(one, phone=""))]
        reports += [(2 * person, replace(one, last=one.last.title()))]
        reports += [(2 * person + 1, twin), (2 * person + 1, replace(twin, street=""))]
    return reports


@settings(deadline=None)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_the_order_of_clean_reports_does_not_change_who_is_joined(
    seed: int, rng: Random
) -> None:
    reports = family(Random(seed))  # noqa: S311 - no secret
    rng.shuffle(reports)

    found = defaultdict(set)
    for (person, _), patient in zip(
        reports, decided(*(one for _, one in reports)), strict=True
    ):
        found[person].add(patient)

    assert all(len(patients) == 1 for patients in found.values())
    assert len(set.union(*found.values())) == len(found)


@pytest.mark.parametrize("relatives", [True, False])
def test_only_a_list_without_relatives_is_judged_without_the_gate(
    relatives: bool,  # noqa: FBT001
) -> None:
    crowd = Crowd(people=5_000, gaps=True, relatives=relatives)
    one = replace(ADA, phone="", sex="")

    found = decided(one, replace(one, first="GRETCHEN"), crowd=crowd)

    assert found == ([1, 2] if relatives else [1, 1])
