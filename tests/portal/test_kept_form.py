"""A form that was sent after the session had ended is not lost, and nobody else's."""

from collections.abc import Callable

import pytest

from models import KeptForm, Role, User
from pmp import clock, settings
from pmp.accounts import kept_forms, passwords
from tests.browser import Browser
from tests.factories import make_user
from tests.portal.test_account import PASSWORD, at

REASON = "Called back at the office: it is she"
PATH = "/staff/sign-in-help/dr.adams/lost-factor"


@pytest.fixture
def sandra(db: settings.Settings) -> User:
    make_user(Role.PRACTITIONER, username="dr.adams")
    return make_user(
        Role.STAFF, username="sandra", password_hash=passwords.hash_secret(PASSWORD)
    )


@pytest.fixture
def late(browser: Browser, sandra: User, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """Give a browser whose form came after the session was over."""
    browser.sign_in_as(sandra)
    browser.get("/staff/sign-in-help")
    values = {"reason": REASON, "csrf_token": browser.token()}
    at(monkeypatch, minutes=16)
    browser.post(PATH, values)
    return browser


def sign_in(browser: Browser, username: str = "sandra") -> None:
    browser.get("/sign-in")
    browser.submit({"username": username, "password": PASSWORD})


def test_it_is_shown_after_sign_in_and_sent_from_there(late: Browser) -> None:
    late.follow()
    assert "kept for an hour" in late.text()
    sign_in(late)
    late.follow()
    assert REASON in late.text()

    answer = late.submit(action="/account/kept-form/send", status=307)

    assert answer.headers["Location"] == PATH
    assert KeptForm.select().count() == 0
    values = {"reason": REASON, "csrf_token": "none"}
    late.post(PATH, values, status=400)  # what the browser sends has the token
    late.get("/staff")


def test_it_arrives_where_it_was_meant_for(late: Browser) -> None:
    sign_in(late)
    late.follow()
    values = {"reason": REASON, "csrf_token": late.token()}
    late.submit(action="/account/kept-form/send", status=307)
    late.post(PATH, values, status=422)
    assert "has no second factor" in late.text()


def test_it_can_be_thrown_away(late: Browser) -> None:
    sign_in(late)
    late.follow()
    late.submit(action="/throw-away")
    assert KeptForm.select().count() == 0
    late.get("/account/kept-form", status=303)


def test_nobody_else_sees_it_and_it_lies_sealed(
    late: Browser, new_browser: Callable[..., Browser]
) -> None:
    assert REASON.encode() not in bytes(KeptForm.get().sealed)
    other = new_browser()
    other.sign_in_as(make_user())
    other.get("/account/kept-form", status=303)
    other.get("/staff")


def test_it_goes_after_an_hour(late: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, minutes=61)
    sign_in(late)
    assert late.page is not None
    assert late.page.headers["Location"] == "/staff"
    kept_forms.forget_old(at=clock.now())
    assert KeptForm.select().count() == 0


def test_what_was_sent_after_signing_out_is_not_kept(
    browser: Browser, sandra: User
) -> None:
    browser.sign_in_as(sandra)
    browser.get("/staff/sign-in-help")
    with browser.client.session_transaction() as cookie:
        saved = dict(cookie)
    values = {"reason": REASON, "csrf_token": browser.token()}
    browser.submit(action="/sign-out")
    with browser.client.session_transaction() as cookie:
        cookie.update(saved)
    browser.post(PATH, values)
    assert KeptForm.select().count() == 0


def test_passwords_and_searches_are_never_kept(
    browser: Browser, sandra: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.sign_in_as(make_user(Role.PRACTITIONER))
    browser.get("/account")
    token = browser.token()
    at(monkeypatch, minutes=16)
    values = {"current": PASSWORD, "password": "x", "csrf_token": token}
    browser.post("/account", values)
    assert KeptForm.select().count() == 0
