"""Short forms of first names: one list for look-ups and for matching."""

from dataclasses import replace

import pytest

from pmp.lookup.spellings import Near, near
from pmp.matching.agreement import COMMON, Name, first_names
from pmp.matching.identities import Identity
from tests.pmp.test_likeness import ADA


def called(name: str) -> Identity:
    return replace(ADA, first=name, middle="")


def agreement(one: str, other: str) -> Name:
    agrees, _ = first_names(called(one), called(other), COMMON)
    return agrees


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("BOB", "ROBERT"),
        ("PEGGY", "MARGARET"),
        ("JACKIE", "JACQUELINE"),  # matching alone knew these
        ("EVIE", "EVELYN"),
        ("HANK", "HENRY"),  # look-ups alone knew these
        ("HAL", "HAROLD"),
    ],
)
def test_look_ups_and_matching_know_the_same_short_forms(one: str, other: str) -> None:
    for here, there in ((one, other), (other, one)):
        assert near(here, there, given_name=True) is Near.NICKNAME
        assert agreement(here, there) is Name.SHORT


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ANN", "NANCY"),
        ("ELIZABETH", "LISA"),
        ("HENRY", "HARRY"),
        ("RITA", "GRETA"),
        ("NORA", "ELEANOR"),
        ("GAIL", "ABIGAIL"),
    ],
)
def test_what_siblings_may_be_called_is_found_and_joins_nobody(
    one: str, other: str
) -> None:
    for here, there in ((one, other), (other, one)):
        assert near(here, there, given_name=True) is Near.NICKNAME
        assert agreement(here, there) is Name.ALIKE
