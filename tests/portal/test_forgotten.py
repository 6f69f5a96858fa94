"""The pages for who forgot, who attests, and who helps them in."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from gateway import tasks
from models import (
    Delivery,
    DeliveryKind,
    FactorRemoval,
    ForgottenPassword,
    Profession,
    Role,
    User,
    UserStatus,
)
from pmp import clock, settings
from pmp.accounts import forgotten, passwords, second_factor
from tests.authenticator import set_up
from tests.browser import Browser
from tests.factories import make_licence, make_user
from tests.portal.test_account import PASSWORD, at

NEW = "seven quiet lanterns drift"


@pytest.fixture
def prescriber(db: settings.Settings) -> User:
    make_user(Role.PRACTITIONER, username="noise")
    return make_user(
        Role.PRACTITIONER,
        username="dr.adams",
        email="adams@example.org",
        password_hash=passwords.hash_secret(PASSWORD),
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect what the worker is woken for."""
    woken: list[int] = []
    monkeypatch.setattr(tasks, "nudge", lambda _task, number: woken.append(number))
    return woken


def link_of(user: User) -> str:
    for number in forgotten.unanswered():
        forgotten.answer(number, at=clock.now())
    row = ForgottenPassword.get(ForgottenPassword.user == user)
    return forgotten.link(row).removeprefix(settings.current().public_url)


@pytest.mark.parametrize("way", ["email", "letter"])
def test_answer_is_the_same_whether_or_not_there_is_an_account(
    browser: Browser, prescriber: User, asked: list[int], way: str
) -> None:
    pages = []
    for known in ("dr.adams", "nobody.at.all"):
        browser.get("/forgotten")
        browser.submit({"known": known, "way": way})
        browser.follow()
        pages.append(browser.text())

    assert pages[0] == pages[1]
    assert "dr.adams" not in pages[0]
    assert len(asked) == 2
    assert Delivery.select().count() == 0  # the worker's business


def test_link_leads_to_a_new_password_and_then_to_sign_in(
    browser: Browser, prescriber: User, asked: list[int]
) -> None:
    browser.get("/forgotten")
    browser.submit({"known": "adams@example.org"})
    link = link_of(prescriber)

    browser.get(link, status=303)  # a guard of the mailbox follows it first
    browser.get(link, status=303)
    answer = browser.follow()
    assert answer.request.path == "/forgotten/password"
    token = link.rpartition("/")[2]
    assert token not in browser.page_text()
    browser.submit({"password": "dr.adams is my own name"}, status=422)
    browser.submit({"password": NEW})
    browser.follow()
    browser.submit({"username": "dr.adams", "password": NEW})

    browser.get("/account")
    browser.get(link, status=303)
    browser.follow()
    assert "was used" in browser.text()


def test_link_names_the_host_of_the_settings_whatever_the_request_says(
    browser: Browser, prescriber: User, asked: list[int]
) -> None:
    evil = "http://evil.example"
    browser.get("/forgotten", base_url=evil)
    values = {"known": "dr.adams", "way": "email", "csrf_token": browser.token()}
    browser.post("/forgotten", values, base_url=evil)
    link_of(prescriber)
    row = ForgottenPassword.get()
    assert forgotten.link(row).startswith(f"{settings.current().public_url}/forgotten/")


def test_link_of_one_sets_the_password_of_nobody_else(
    new_browser: Callable[..., Browser], prescriber: User, asked: list[int]
) -> None:
    browser = new_browser()
    browser.get("/forgotten")
    browser.submit({"known": "dr.adams"})
    browser.get(link_of(prescriber), status=303)
    browser.follow()
    browser.submit({"password": NEW, "username": "noise"})

    assert passwords.matches(User.get_by_id(prescriber.id).password_hash, NEW)
    assert User.get(username="noise").password_hash is None


def test_page_of_the_new_password_wants_a_link_that_is_good(
    browser: Browser,
    prescriber: User,
    asked: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser.get("/forgotten/password", status=303)
    browser.get(f"/forgotten/{'0' * 64}", status=303)
    browser.get("/forgotten")
    browser.submit({"known": "dr.adams"})
    browser.get(link_of(prescriber), status=303)
    browser.follow()
    at(monkeypatch, hours=25)
    browser.submit({"password": NEW})
    assert passwords.matches(User.get_by_id(prescriber.id).password_hash, PASSWORD)


def test_empty_box_is_asked_for_and_a_crowd_is_slowed_down(
    browser: Browser, prescriber: User, asked: list[int]
) -> None:
    browser.get("/forgotten")
    browser.submit({"known": " "}, status=422)
    for _ in range(20):
        browser.submit({"known": "nobody"})
        browser.get("/forgotten")
    browser.submit({"known": "dr.adams"}, status=429)


def test_sign_in_page_leads_there(browser: Browser, prescriber: User) -> None:
    browser.get("/sign-in")
    assert re.search(r'href="/forgotten"', browser.page_text())


# --- One browser of several


def test_one_of_ones_browsers_is_signed_out_and_nobody_elses(
    new_browser: Callable[..., Browser], prescriber: User
) -> None:
    here, there, noise = new_browser(), new_browser(), new_browser()
    there.sign_in_as(prescriber)
    noise.sign_in_as(make_user())
    here.sign_in_as(prescriber)
    here.get("/account")
    numbers = re.findall(r'name="session" value="(\d+)"', here.page_text())
    assert len(numbers) == 2

    token = here.token()
    for number, status in ((numbers[0], 404), (max(numbers), 303)):
        foreign = str(int(number) + 900) if status == 404 else min(numbers, key=int)
        values = {"session": foreign, "csrf_token": token}
        here.post("/account/sessions/end", values, status=status)

    there.get("/account", status=303)
    noise.get("/account")
    here.get("/account")


def test_signing_this_one_out_leads_home(browser: Browser, prescriber: User) -> None:
    browser.sign_in_as(prescriber)
    browser.get("/account")
    browser.submit(action="/account/sessions/end")
    browser.follow()
    assert "You are signed out" in browser.text()
    browser.get("/account", status=303)


# --- Attestation


def test_once_a_year_it_comes_before_every_other_page(
    browser: Browser, prescriber: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.update(attested_at=clock.now() - timedelta(days=366)).execute()
    browser.sign_in_as(prescriber)
    for path in ("/look-up", "/account"):
        assert browser.get(path, status=303).headers["Location"] == (
            "/account/attestation"
        )
    browser.follow()
    assert "may not be delegated" in browser.text()
    browser.submit({"mine": "y"}, status=422)
    browser.submit({"mine": "y", "care": "y"})

    browser.get("/look-up")
    assert User.get_by_id(prescriber.id).attested_at is not None


# --- Staff help


@pytest.fixture
def staff(browser: Browser, prescriber: User) -> User:
    user = make_user(Role.STAFF, username="sandra")
    browser.sign_in_as(user)
    return user


def test_staff_find_a_user_and_have_a_link_sent(
    browser: Browser, prescriber: User, staff: User, asked: list[int]
) -> None:
    browser.get("/staff/sign-in-help")
    browser.submit({"username": "nobody"}, status=422)
    browser.submit({"username": "Dr.Adams"})
    browser.follow()
    browser.submit(action="/dr.adams/password-by-email")
    browser.follow()
    assert "adams@example.org" in browser.text()
    assert len(asked) == 1
    link_of(prescriber)
    assert Delivery.get().kind == DeliveryKind.FORGOTTEN_PASSWORD


def test_staff_have_a_letter_mailed_to_the_address_of_record(
    browser: Browser, prescriber: User, staff: User, asked: list[int]
) -> None:
    licence = make_licence(
        Profession.PRACTITIONER, street="2 Main Street", city="Hartford", state="CT"
    )
    User.update(licence=licence).where(User.id == prescriber.id).execute()
    browser.get("/staff/sign-in-help/dr.adams")
    browser.submit(action="/dr.adams/password-by-letter")
    link_of_nobody = forgotten.unanswered()
    forgotten.answer(link_of_nobody[0], at=clock.now())
    assert "2 Main Street" in Delivery.get().address


def test_staff_remove_a_lost_factor_with_a_reason(
    browser: Browser, prescriber: User, staff: User
) -> None:
    set_up(prescriber, at=clock.now())
    browser.get("/staff/sign-in-help/dr.adams")
    browser.submit({"reason": ""}, action="/dr.adams/lost-factor", status=422)
    assert second_factor.has(prescriber)
    browser.submit({"reason": "called back"}, action="/dr.adams/lost-factor")
    browser.follow()

    assert "is removed" in browser.text()
    assert not second_factor.has(prescriber)


def test_second_person_agrees_to_what_is_asked_about_a_colleague(
    browser: Browser,
    new_browser: Callable[..., Browser],
    staff: User,
    prescriber: User,
) -> None:
    lee, ortiz = make_user(username="lee"), make_user(username="ortiz")
    set_up(lee, at=clock.now())
    browser.get("/staff/sign-in-help/lee")
    browser.submit({"reason": "in the office"}, action="/lee/lost-factor")
    browser.follow()
    assert "A colleague must agree" in browser.text()
    browser.get("/staff/sign-in-help")
    assert "Agree" not in browser.text()
    removal = FactorRemoval.get()
    values = {"csrf_token": browser.token()}
    browser.post(f"/staff/sign-in-help/removals/{removal.id}/agree", values)
    browser.follow()
    assert "Another person must agree" in browser.text()
    assert second_factor.has(lee)

    other = new_browser()
    other.sign_in_as(ortiz)
    other.get("/staff/sign-in-help")
    other.submit(action="/agree")
    assert not second_factor.has(lee)


def test_closed_account_is_opened_again_with_a_reason(
    browser: Browser, prescriber: User, staff: User
) -> None:
    User.update(status=UserStatus.CLOSED).where(User.id == prescriber.id).execute()
    browser.get("/staff/sign-in-help/dr.adams")
    browser.submit({"reason": ""}, action="/dr.adams/reopen", status=422)
    browser.submit({"reason": "back from leave"}, action="/dr.adams/reopen")
    assert User.get_by_id(prescriber.id).status == UserStatus.ACTIVE


@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.PHARMACY, Role.AUDITOR])
def test_nobody_else_opens_sign_in_help(
    browser: Browser, prescriber: User, role: Role
) -> None:
    browser.sign_in_as(make_user(role))
    browser.get("/staff/sign-in-help", status=404)
    browser.get("/staff/sign-in-help/dr.adams", status=404)
