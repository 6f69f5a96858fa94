"""The pages of the second factor: second step, setting up, codes, who must have it."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from models import AuditEvent, Role, Session, User
from pmp import clock, settings
from pmp.accounts import passwords, second_factor
from pmp.audit import Event
from tests.authenticator import App, app_on_page, set_up
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_user
from tests.portal.test_account import PASSWORD, at, cookie_of, use_cookie


@pytest.fixture
def prescriber(db: settings.Settings) -> User:
    set_up(make_user(username="noise"), at=clock.now())
    return make_user(
        Role.PRACTITIONER,
        username="dr.adams",
        password_hash=passwords.hash_secret(PASSWORD),
    )


@pytest.fixture
def phone(prescriber: User) -> App:
    app, _ = set_up(prescriber, at=clock.now() - timedelta(minutes=5))
    return app


def first_step(browser: Browser, **values: str) -> None:
    browser.get("/sign-in", query_string=values)
    browser.submit({"username": "dr.adams", "password": PASSWORD, **values})
    assert browser.page is not None
    assert browser.page.headers["Location"] == "/sign-in/code"


def test_password_and_code_lead_to_the_page_that_was_wanted(
    browser: Browser, prescriber: User, phone: App
) -> None:
    first_step(browser, next="/account?from=here")
    browser.follow()
    browser.submit({"code": f" {phone.code(clock.now())} "})

    assert browser.page is not None
    assert browser.page.headers["Location"] == "/account?from=here"
    browser.follow()


def test_second_step_cannot_be_skipped(
    browser: Browser, prescriber: User, phone: App
) -> None:
    first_step(browser)

    for path in ("/account", "/look-up", "/account/second-factor"):
        browser.get(path, status=303)
    assert Session.select().where(Session.user == prescriber).count() == 0


def test_second_step_without_the_first_begins_again(
    browser: Browser, prescriber: User
) -> None:
    browser.get("/sign-in/code", status=303)
    browser.follow()
    assert "Begin again" in browser.text()
    token = browser.token()
    for path in ("/sign-in/code", "/sign-in/passkey"):
        values = {"code": "1", "answer": "1", "csrf_token": token}
        assert browser.post(path, values).headers["Location"] == "/sign-in"


def test_first_step_ends_after_ten_minutes(
    browser: Browser, prescriber: User, phone: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_step(browser)
    at(monkeypatch, minutes=11)
    browser.get("/sign-in/code", status=303)


def test_wrong_code_is_refused_at_the_field_and_a_used_one_too(
    new_browser: Callable[..., Browser], prescriber: User, phone: App
) -> None:
    one, two = new_browser(), new_browser()
    code = phone.code(clock.now())
    first_step(one)
    one.follow()
    one.submit({"code": "000000"}, status=422)
    assert "not a code that is good now" in one.text()
    one.submit({"code": code})

    first_step(two)
    two.follow()
    two.submit({"code": code}, status=422)
    refused = AuditEvent.select().where(AuditEvent.event == Event.SIGN_IN_REFUSED)
    assert [row.detail["reason"] for row in refused] == ["second factor"] * 2


def test_cookie_of_the_first_step_is_worth_nothing_after_the_second(
    browser: Browser, prescriber: User, phone: App
) -> None:
    first_step(browser)
    half = cookie_of(browser)
    browser.follow()
    browser.submit({"code": phone.code(clock.now())})

    use_cookie(browser, half)
    browser.get("/account", status=303)


def test_last_recovery_codes_are_told_of(browser: Browser, prescriber: User) -> None:
    _, codes = set_up(prescriber, at=NOW)
    for code in codes[:7]:
        assert second_factor.check(prescriber, code, at=clock.now())

    first_step(browser)
    browser.follow()
    browser.submit({"code": codes[7]})
    browser.follow()

    assert "2 recovery codes left" in browser.text()


# --- Setting up


def test_app_is_set_up_with_a_code_and_the_recovery_codes_are_shown_once(
    browser: Browser, prescriber: User
) -> None:
    browser.sign_in_as(prescriber)
    before = cookie_of(browser)
    browser.get("/account/second-factor")
    browser.submit(action="/account/second-factor")
    browser.follow()
    phone = app_on_page(browser)
    assert "<svg" in browser.page_text()

    browser.submit({"code": "12"}, status=422)
    assert "not the code that the app shows" in browser.text()
    browser.submit({"code": phone.code(clock.now())}, status=200)

    assert browser.page_text().count("<code>") == 10
    browser.get("/account/second-factor")
    assert "10 of 10" in browser.text()
    assert phone.codes.secret not in browser.page_text()
    use_cookie(browser, before)
    browser.get("/account", status=303)


def test_who_signed_in_long_ago_types_the_password_once_more(
    browser: Browser, prescriber: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.sign_in_as(prescriber)
    at(monkeypatch, minutes=11)
    browser.get("/account/second-factor")
    browser.submit({"current": "wrong"}, action="/account/second-factor", status=422)
    assert "not your current password" in browser.text()

    browser.submit({"current": PASSWORD}, action="/account/second-factor")

    browser.follow()
    assert len(app_on_page(browser).codes.secret) == 32


def test_new_recovery_codes_and_removal_want_a_code(
    browser: Browser, prescriber: User, phone: App
) -> None:
    browser.sign_in_as(prescriber)
    browser.get("/account/second-factor")
    browser.submit(
        {"code": "000000"}, action="/account/second-factor/recovery-codes", status=422
    )
    now = clock.now()
    browser.submit(
        {"code": phone.code(now)},
        action="/account/second-factor/recovery-codes",
        status=200,
    )
    assert browser.page_text().count("<code>") == 10
    browser.get("/account/second-factor")
    token = browser.token()
    values = {"code": phone.code(now, later=1), "csrf_token": token}
    browser.post("/account/second-factor/remove", values)

    assert not second_factor.has(prescriber)
    browser.get("/account/second-factor")
    assert "Set up an authenticator app" in browser.text()


# --- Whoever must have one


def test_who_must_have_one_is_led_to_it_whatever_they_open(
    browser: Browser, prescriber: User, new_browser: Callable[..., Browser]
) -> None:
    staff = make_user(Role.STAFF)
    with settings.changed(second_factor="staff"):
        browser.sign_in_as(staff)
        for path in ("/staff", "/staff/tickets", "/account"):
            answer = browser.get(path, status=303)
            assert answer.headers["Location"] == "/account/second-factor"
        browser.follow()
        assert "must have a second factor" in browser.text()
        browser.submit(action="/account/second-factor")
        browser.follow()
        browser.submit({"code": app_on_page(browser).code(clock.now())}, status=200)
        browser.get("/staff")

        other = new_browser()
        other.sign_in_as(prescriber)
        other.get("/account")


def test_who_must_have_one_cannot_post_past_it_nor_remove_it(
    browser: Browser, prescriber: User
) -> None:
    staff = make_user(Role.STAFF)
    with settings.changed(second_factor="everyone"):
        browser.sign_in_as(staff)
        browser.get("/account/second-factor")
        token = browser.token()
        answer = browser.post(
            "/account/receipts", {"receipts": "none", "csrf_token": token}
        )
        assert answer.headers["Location"] == "/account/second-factor"
        app, _ = set_up(staff, at=clock.now() - timedelta(minutes=5))
        browser.sign_in_as(staff)
        browser.get("/account/second-factor")
        assert "Remove the second factor" not in browser.text()
        values = {"code": app.code(clock.now()), "csrf_token": browser.token()}
        browser.post("/account/second-factor/remove", values)
        assert second_factor.has(staff)


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("nobody", set()),
        ("staff", {Role.STAFF, Role.ANALYST, Role.ADMINISTRATOR, Role.AUDITOR}),
        (
            "pharmacy, administrator",
            {Role.PHARMACY, Role.ADMINISTRATOR, Role.DELEGATE},
        ),
        ("everyone", set(Role)),
    ],
)
def test_setting_names_roles(
    program: settings.Settings, text: str, roles: set[Role]
) -> None:
    with settings.changed(second_factor=text) as chosen:
        assert chosen.second_factor_roles == roles


def test_password_that_was_short_beside_a_factor_must_be_changed_without_one(
    browser: Browser, prescriber: User, phone: App
) -> None:
    browser.sign_in_as(prescriber)
    browser.get("/account")
    assert "At least 8 characters" in browser.text()
    browser.submit({"current": PASSWORD, "password": "Kettle-9-blau"})
    second_factor.remove(prescriber, by="system", at=clock.now())

    browser.sign_in_as(User.get_by_id(prescriber.id))
    browser.get("/look-up", status=303)
    browser.follow()
    assert "choose a longer one" in browser.text()
    browser.submit(
        {"current": "Kettle-9-blau", "password": "Kettle-9-blue"}, status=422
    )
    browser.submit(
        {"current": "Kettle-9-blau", "password": "seven quiet lanterns drift"}
    )
    browser.get("/look-up")


def test_wrong_codes_on_ones_own_page_lock_as_at_sign_in(
    browser: Browser, prescriber: User, phone: App
) -> None:
    browser.sign_in_as(prescriber)
    browser.get("/account/second-factor")
    for _ in range(4):
        browser.submit(
            {"code": "000000"},
            action="/account/second-factor/recovery-codes",
            status=422,
        )
    assert User.get_by_id(prescriber.id).locked_until is not None
