"""How near names and birth dates are."""

import random
from collections import Counter
from datetime import date

import pytest

from pmp.lookup.spellings import Near, date_slips, is_near_to, near


@pytest.mark.parametrize(
    ("typed", "reported", "nearness"),
    [
        ("DELGADO", "DELGADO", Near.SAME),
        ("DEL", "DELGADO", Near.PART),
        ("DELGADOVARGAS", "DELGADO", Near.PART),
        ("DE", "DELGADO", Near.NO),  # too short to be a part
        ("SMYTH", "SMITH", Near.SOUND),
        ("NOWAK", "NOVAK", Near.SLIP),
        ("GARICA", "GARCIA", Near.SLIP),  # two swapped letters
        ("LEE", "LEA", Near.SOUND),
        ("KIM", "TIM", Near.NO),  # short names differ by one letter
        ("BROWN", "ADAMS", Near.NO),
        ("", "", Near.NO),
        ("", "ADAMS", Near.NO),
    ],
)
def test_names_are_near_by_part_sound_or_slip(
    typed: str, reported: str, nearness: Near
) -> None:
    assert near(typed, reported) is nearness


def test_what_is_asked_of_many_names_is_what_is_asked_of_one() -> None:
    draw = random.Random(7)  # noqa: S311 - names, nothing secret
    stems = (
        "DELGADO",
        "SMYTH",
        "NOVAK",
        "LEE",
        "KOWALCZYK",
        "PHILIPS",
        "DE",
        "",
        "ÆGIR",
    )
    names = [
        "".join(
            draw.choice((letter, letter, letter, letter * 2, "", "A", "K"))
            for letter in draw.choice(stems)
        )
        for _ in range(400)
    ]
    found = Counter(near(one, other) for one in names[:80] for other in names)

    assert found.keys() >= {Near.NO, Near.SLIP, Near.SOUND, Near.PART, Near.SAME}
    for one in names[:80]:
        is_near = is_near_to(one)
        wrong = [each for each in names if is_near(each) is not bool(near(one, each))]
        assert not wrong, one


@pytest.mark.parametrize(("one", "other"), [("BOB", "ROBERT"), ("PEGGY", "MARGARET")])
def test_nicknames_count_both_ways_and_for_given_names_alone(
    one: str, other: str
) -> None:
    assert near(one, other, given_name=True) is Near.NICKNAME
    assert near(other, one, given_name=True) is Near.NICKNAME
    assert near(one, other) is Near.NO


def test_date_slips_hold_one_wrong_digit_two_swapped_and_month_for_day() -> None:
    slips = date_slips(date(1971, 4, 8))

    assert date(1971, 4, 3) in slips  # a digit
    assert date(1917, 4, 8) in slips  # two digits swapped
    assert date(1971, 8, 4) in slips  # month for day
    assert date(1971, 4, 8) not in slips
    assert date(1982, 5, 9) not in slips
    assert len(slips) < 100


def test_date_slips_are_days_that_exist() -> None:
    assert date(1971, 2, 20) in date_slips(date(1971, 2, 28))
    assert all(slip.month <= 12 for slip in date_slips(date(1999, 12, 31)))


def test_date_slips_are_days_on_which_somebody_in_the_record_was_born() -> None:
    years = {slip.year for slip in date_slips(date(1943, 2, 25))}

    assert {1903, 1934, 1993} <= years
    assert not years & {943, 1143, 1493, 1843}
