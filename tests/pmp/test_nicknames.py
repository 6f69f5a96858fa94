"""Short forms of given names: one list for look-ups and for matching."""

from dataclasses import replace

import pytest

from pmp.lookup.spellings import Near, near
from pmp.matching.agreement import COMMON, Name, first_names
from pmp.matching.identities import Identity
from pmp.matching.nicknames import is_short_for, of_one_name
from tests.pmp.test_likeness import ADA


def called(name: str) -> Identity:
    return replace(ADA, first=name, middle="")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("BOB", "ROBERT"),
        ("PEGGY", "MARGARET"),
        ("ABBY", "ABIGAIL"),
        ("JACQUELINE", "JACKIE"),
        ("HANK", "HENRY"),
        ("WALLY", "WALTER"),
    ],
)
def test_look_ups_and_matching_know_the_same_short_forms(one: str, other: str) -> None:
    for here, there in ((one, other), (other, one)):
        assert near(here, there, given_name=True) in {Near.NICKNAME, Near.PART}
        agrees, _ = first_names(called(here), called(there), COMMON)
        assert agrees is Name.SHORT
        assert is_short_for(here, there)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ANN", "NANCY"), ("ELIZABETH", "LISA"), ("HENRY", "HARRY"), ("RITA", "GRETA")],
)
def test_what_twins_may_be_called_is_found_and_joins_nobody(
    one: str, other: str
) -> None:
    for here, there in ((one, other), (other, one)):
        assert near(here, there, given_name=True) is Near.NICKNAME
        agrees, _ = first_names(called(here), called(there), COMMON)
        assert agrees is not Name.SHORT


def test_a_name_is_no_short_form_of_itself_or_of_a_stranger() -> None:
    for one, other in (("BOB", "BOB"), ("BOB", "ALICE"), ("", "")):
        assert not is_short_for(one, other)
        assert not of_one_name(one, other)
