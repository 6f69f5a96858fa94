"""The pages of new accounts for staff: proposed by one, decided by another."""

from collections.abc import Callable

import pytest

from gateway import tasks
from models import NewAccount, ProposalStatus, Role, User
from tests.browser import Browser
from tests.factories import make_user

DANA = {
    "name": "Dana Whitfield",
    "email": "dana@example.org",
    "role": "auditor",
    "reason": "audits from Monday on",
}
HERE = "/staff/users/new-accounts"


@pytest.fixture
def chief(browser: Browser) -> User:
    chief = make_user(Role.ADMINISTRATOR, username="chief")
    browser.sign_in_as(chief)
    return chief


@pytest.fixture
def colleague(new_browser: Callable[..., Browser], chief: User) -> Browser:
    """Give the browser of a second administrator."""
    assert chief.id
    second = new_browser()
    second.sign_in_as(make_user(Role.ADMINISTRATOR, username="second"))
    return second


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect what the worker is woken for."""
    numbers: list[int] = []
    monkeypatch.setattr(tasks, "nudge", lambda _task, number: numbers.append(number))
    return numbers


def proposed(browser: Browser, **given: str) -> str:
    """Propose on the page; give the address of the proposal's page."""
    browser.get(f"{HERE}/propose")
    browser.submit(DANA | given)
    browser.follow()
    return f"{HERE}/{NewAccount.select().order_by(NewAccount.id.desc()).get().id}"


def test_second_administrator_confirms_what_one_proposed(
    browser: Browser, colleague: Browser, woken: list[int]
) -> None:
    here = proposed(browser)
    assert "You proposed this" in browser.text()
    browser.post(f"{here}/confirm", {"csrf_token": browser.token()})
    browser.follow()
    assert "another administrator must confirm it" in browser.text()

    colleague.get("/staff")
    assert "1 New accounts to confirm" in colleague.text()
    colleague.get("/staff/users")
    assert "1 new account waits for a second administrator" in colleague.text()
    colleague.get(here)
    text = colleague.text()
    for told in ("dana@example.org", "audits from Monday on", "read the audit record"):
        assert told in text
    colleague.submit(action="/confirm")
    colleague.follow()

    assert "A link to its first password goes to dana@example.org" in colleague.text()
    assert "This account was proposed by chief" in colleague.text()
    assert len(woken) == 1
    assert User.get(User.username == "dana.whitfield").role == Role.AUDITOR
    colleague.get("/staff/users")
    assert "second administrator" not in colleague.text()
    colleague.get(here)
    assert "Confirmed" in colleague.text()
    assert "Decline" not in colleague.text()


def test_what_is_wrong_is_told_and_what_was_typed_stays(
    browser: Browser, chief: User
) -> None:
    make_user(Role.STAFF, username="taken", name="Lee Park")
    browser.get(f"{HERE}/propose")
    assert "You are the only administrator" in browser.text()
    browser.submit({}, status=422)
    for told in ("Write the name of the person", "Choose the role", "Say why"):
        assert told in browser.text()
    browser.submit(DANA | {"username": "taken"}, status=422)
    assert "taken is the user name of Lee Park (taken, staff)" in browser.text()
    browser.submit({"username": "dana"})  # the rest stays as it was typed
    assert NewAccount.get().email == "dana@example.org"
    assert NewAccount.get().proposed_by == chief.username


def test_proposal_is_declined_with_a_reason_or_withdrawn(
    browser: Browser, colleague: Browser
) -> None:
    browser.get(HERE)
    assert "No account was proposed yet" in browser.text()
    here = proposed(browser)
    colleague.get(here)
    colleague.submit(action="/decline", values={"reason": ""}, status=422)
    assert "Say why it is declined" in colleague.text()
    colleague.submit(action="/decline", values={"reason": "I do not know them"})
    colleague.follow()
    assert "no account was made" in colleague.text()
    browser.get(here)
    assert "I do not know them" in browser.text()

    own = proposed(browser)
    browser.submit(action="/decline")
    browser.get(own)
    assert "Withdrawn" in browser.text()
    browser.get(HERE)
    assert "0 proposals wait" in browser.text()
    statuses = [each.status for each in NewAccount.select().order_by(NewAccount.id)]
    assert statuses == [ProposalStatus.DECLINED, ProposalStatus.WITHDRAWN]
    assert User.get_or_none(User.username == "dana.whitfield") is None


def test_who_comes_too_late_is_told_who_was_faster(
    browser: Browser, colleague: Browser
) -> None:
    here = proposed(browser)
    colleague.get(here)
    browser.submit(action="/decline")
    colleague.submit(action="/confirm")
    colleague.follow()
    assert "chief was faster: this was withdrawn" in colleague.text()


def test_same_name_as_somebody_s_is_shown_to_who_decides(
    browser: Browser, colleague: Browser
) -> None:
    make_user(Role.STAFF, username="dw", name="DANA WHITFIELD")
    colleague.get(proposed(browser))
    assert "There is an account of this name" in colleague.text()
    assert "dw , Staff, Active" in colleague.text()


@pytest.mark.parametrize("role", [Role.STAFF, Role.AUDITOR, Role.ANALYST])
def test_other_roles_neither_see_nor_propose_accounts(
    browser: Browser, new_browser: Callable[..., Browser], chief: User, role: Role
) -> None:
    here = proposed(browser)
    other = new_browser()
    other.sign_in_as(make_user(role))
    for path in (HERE, f"{HERE}/propose", here):
        other.get(path, status=404)
    token = {"csrf_token": other.token()}
    for step in ("confirm", "decline"):
        other.post(f"{here}/{step}", token, status=404)
    if role == Role.STAFF:
        other.get("/staff/users")
        assert "new account" not in other.text()
    assert NewAccount.get().proposed_by == chief.username


def test_proposal_that_is_not_there_is_not_found(browser: Browser, chief: User) -> None:
    assert chief.id
    browser.get(f"{HERE}/999", status=404)
    browser.post(f"{HERE}/999/confirm", {"csrf_token": browser.token()}, status=404)
