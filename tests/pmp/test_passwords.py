"""Which passwords are refused: the block list, lengths, what a state may add."""

import time

import pytest

from pmp import settings
from pmp.accounts import passwords


def problem(password: str, *, username: str = "dr.adams", factor: bool = False) -> str:
    shortest = passwords.shortest(with_factor=factor)
    return passwords.problem(password, username=username, shortest=shortest) or ""


@pytest.mark.parametrize(
    "password",
    [
        "sunshine1",
        "Dragon123",
        "P@ssw0rd2024!",
        "iloveyou!!",
        "1qaz2wsx3edc",
        "trustno1!",
        "cpmrs2026",
        "hartford",
        "dr.adams9",
        "aaaaaaaa",
    ],
)
def test_known_passwords_are_refused_beside_a_second_factor_too(
    program: settings.Settings, password: str
) -> None:
    assert problem(password, factor=True)


@pytest.mark.parametrize(
    "password",
    ["123456789012345", "passwordpassword", "qwertyuiopasdfghjkl", "letmeinletmein1"],
)
def test_known_passwords_are_refused_however_long(
    program: settings.Settings, password: str
) -> None:
    assert problem(password)


@pytest.mark.parametrize("password", ["Kettle-9-blue", "vexing otter", "u7Gz!kqp"])
def test_eight_characters_will_do_beside_a_second_factor_and_not_without(
    program: settings.Settings, password: str
) -> None:
    assert problem(password, factor=True) == ""
    assert "at least 15" in problem(password)
    assert passwords.is_short(password)


def test_whole_long_password_is_judged_quickly(program: settings.Settings) -> None:
    started = time.perf_counter()
    assert problem("a1b2" * 32)
    assert problem(" ".join(["lantern", "quiet", "otter", "drift"] * 5)[:128]) == ""
    assert problem("x" * 1_000_000)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("password", "taken"),
    [("seven quiet lanterns", False), ("Seven quiet lanterns 9", True)],
)
def test_kinds_of_signs_are_asked_for_only_where_a_state_wants_them(
    program: settings.Settings, password: str, *, taken: bool
) -> None:
    assert problem(password) == ""
    with settings.changed(password_kinds=4):
        assert (problem(password) == "") is taken
