import secrets
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from models import (
    Application,
    ApplicationStatus,
    AuditEvent,
    Profession,
    Role,
    Session,
    User,
    UserStatus,
)
from pmp import accounts, clock, settings
from pmp.accounts import credentials, passwords, sessions
from pmp.audit import Event
from pmp.errors import RuleError
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_user

PASSWORD = "correct horse battery staple"
CODE = "CTR-7K3Q9-XW4M7"


@pytest.fixture
def prescriber(db: settings.Settings) -> User:
    return make_user(
        Role.PRACTITIONER,
        username="dr.adams",
        password_hash=passwords.hash_secret(PASSWORD),
    )


def sign_in(browser: Browser, password: str = PASSWORD, *, status: int = 303) -> None:
    browser.get("/sign-in")
    browser.submit({"username": "dr.adams", "password": password}, status=status)


def cookie_of(browser: Browser) -> str:
    cookie = browser.client.get_cookie("session")
    assert cookie is not None
    return str(cookie.value)


def use_cookie(browser: Browser, value: str) -> None:
    browser.client.set_cookie("session", value)


def at(monkeypatch: pytest.MonkeyPatch, **later: float) -> None:
    moment = clock.now() + timedelta(**later)
    monkeypatch.setattr(clock, "now", lambda: moment)


# --- Sign-in


def test_sign_in_begins_at_the_page_of_the_role(
    browser: Browser, prescriber: User
) -> None:
    make_user(Role.AUDITOR, username="noise", password_hash=passwords.hash_secret("x"))

    sign_in(browser)

    assert browser.page is not None
    assert browser.page.headers["Location"] in {"/look-up", "/account"}
    browser.get("/account")
    assert "dr.adams" in browser.text()
    events = [row.event for row in AuditEvent.select()]
    assert events == [Event.SIGNED_IN]


def test_user_names_may_be_typed_in_capitals_and_with_blanks(
    browser: Browser, prescriber: User
) -> None:
    browser.get("/sign-in")
    browser.submit({"username": " Dr.Adams ", "password": PASSWORD})


@pytest.mark.parametrize(
    ("username", "password"),
    [("dr.adams", "wrong"), ("nobody", PASSWORD), ("dr.adams", "x" * 900)],
)
def test_refusal_is_the_same_whatever_was_wrong(
    browser: Browser, prescriber: User, username: str, password: str
) -> None:
    browser.get("/sign-in")
    browser.submit({"username": username, "password": password}, status=422)

    assert "do not match, or the account is locked" in browser.text()
    assert Session.select().count() == 0


def test_unknown_user_costs_as_many_hashes_as_a_known_one(
    db: settings.Settings, prescriber: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = []
    verify = passwords._hasher.verify

    def counted(secret_hash: str, secret: str) -> bool:
        costs.append(secret_hash.rsplit("$", 2)[0])
        return verify(secret_hash, secret)

    monkeypatch.setattr(passwords, "_hasher", type("H", (), {"verify": counted}))
    for username in ("dr.adams", "nobody"):
        with pytest.raises(RuleError):
            accounts.sign_in(
                username=username, password="wrong", address="a", browser="", at=NOW
            )

    assert len(costs) == 2
    assert len(set(costs)) == 1


def test_four_wrong_passwords_lock_for_ten_minutes_from_any_address(
    new_browser: Callable[..., Browser],
    prescriber: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_user(
        Role.PRACTITIONER,
        username="dr.brown",
        password_hash=passwords.hash_secret(PASSWORD),
    )
    for number in range(4):
        browser = new_browser(address=f"192.0.2.{number}")
        sign_in(browser, "wrong", status=422)

    sign_in(new_browser(address="192.0.2.9"), status=422)
    other = new_browser()
    other.get("/sign-in")
    other.submit({"username": "dr.brown", "password": PASSWORD})
    at(monkeypatch, minutes=10, seconds=1)
    sign_in(new_browser())

    locked = AuditEvent.select().where(AuditEvent.event == Event.SIGN_IN_LOCKED)
    assert locked.count() == 2


def test_three_wrong_passwords_do_not_lock_and_the_right_one_starts_anew(
    browser: Browser, prescriber: User
) -> None:
    for _ in range(2):
        for _ in range(3):
            sign_in(browser, "wrong", status=422)
        sign_in(browser)
        browser.get("/account")
        browser.submit(action="/sign-out")


def test_spoofed_forwarding_header_does_not_make_a_new_address(
    browser: Browser, prescriber: User
) -> None:
    for number in range(20):
        browser.get("/sign-in")
        token = browser.token()
        browser.post(
            "/sign-in",
            {"username": f"u{number}", "password": "spray", "csrf_token": token},
            headers={"X-Forwarded-For": f"198.51.100.{number}"},
            status=422,
        )

    sign_in(browser, status=429)

    assert "Wait 10 minutes" in browser.text()


def test_throttle_of_one_address_leaves_others_alone(
    new_browser: Callable[..., Browser], prescriber: User
) -> None:
    sprayer = new_browser(address="192.0.2.66")
    for number in range(20):
        sprayer.get("/sign-in")
        sprayer.submit({"username": f"u{number}", "password": "spray"}, status=422)

    sign_in(new_browser(address="192.0.2.7"))


def test_suspended_user_stays_out_with_the_right_password(
    browser: Browser, prescriber: User
) -> None:
    accounts.suspend(user=prescriber, reason="licence lapsed", by=None, at=NOW)

    sign_in(browser, status=422)

    assert "closed to you for now" in browser.text()


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example", "https:evil", "/\\evil", "/a\r\nX: y"],
)
def test_sign_in_goes_on_to_pages_of_this_site_only(
    browser: Browser, prescriber: User, wanted: str
) -> None:
    browser.get("/sign-in", query_string={"next": wanted})
    browser.submit({"username": "dr.adams", "password": PASSWORD, "next": wanted})

    assert browser.page is not None
    location = browser.page.headers["Location"]
    assert location.startswith("/")
    assert "evil" not in location
    assert "\n" not in location


# --- Sessions


def test_cookie_changes_at_sign_in_and_the_old_one_stays_worthless(
    browser: Browser, prescriber: User
) -> None:
    browser.get("/sign-in")
    before = cookie_of(browser)
    sign_in(browser)
    assert cookie_of(browser) != before

    use_cookie(browser, before)
    browser.get("/account", status=303)


def test_form_token_from_before_sign_in_is_worthless_after_it(
    browser: Browser, prescriber: User
) -> None:
    browser.get("/sign-in")
    before = browser.token()
    sign_in(browser)

    browser.post("/sign-out", {"csrf_token": before}, status=400)

    browser.get("/account")
    assert browser.token() != before


def test_cookie_saved_before_sign_out_is_dead_after_it(
    browser: Browser, prescriber: User
) -> None:
    sign_in(browser)
    saved = cookie_of(browser)
    browser.get("/account")
    browser.submit(action="/sign-out")

    use_cookie(browser, saved)
    browser.get("/account", status=303)

    assert AuditEvent.select().where(AuditEvent.event == Event.SIGNED_OUT).count() == 1


def test_password_change_ends_every_other_session(
    new_browser: Callable[..., Browser], prescriber: User
) -> None:
    here, there = new_browser(), new_browser()
    sign_in(here)
    sign_in(there)
    saved = cookie_of(here)

    here.get("/account")
    here.submit({"current": PASSWORD, "password": "seven quiet lanterns drift"})

    here.get("/account")
    there.get("/account", status=303)
    use_cookie(there, saved)
    there.get("/account", status=303)


def test_suspension_ends_sessions_at_the_next_request(
    browser: Browser, prescriber: User
) -> None:
    sign_in(browser)
    accounts.suspend(user=prescriber, reason="test", by=None, at=NOW)

    browser.get("/account", status=303)


def test_sign_out_everywhere_ends_this_browser_and_the_others_of_this_user_only(
    new_browser: Callable[..., Browser], prescriber: User
) -> None:
    here, there, noise = new_browser(), new_browser(), new_browser()
    sign_in(here)
    sign_in(there)
    noise.sign_in_as(make_user())
    here.get("/account")
    assert here.text().count("This browser") == 1

    here.submit(action="/sign-out-everywhere")

    here.get("/account", status=303)
    there.get("/account", status=303)
    noise.get("/account")


def test_idle_session_ends_and_sign_in_goes_back_to_the_same_page(
    browser: Browser, prescriber: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(browser)
    at(monkeypatch, minutes=14)
    browser.get("/account")  # seen: another fifteen minutes
    at(monkeypatch, minutes=14)
    browser.get("/account")
    at(monkeypatch, minutes=16)

    answer = browser.get("/account?from=here", status=303)

    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert query["next"] == ["/account?from=here"]
    browser.follow()
    assert "Your session has ended" in browser.text()
    browser.submit({"username": "dr.adams", "password": PASSWORD})
    assert browser.page is not None
    assert browser.page.headers["Location"] == "/account?from=here"


def test_session_ends_after_twelve_hours_however_busy(
    browser: Browser, prescriber: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(browser)
    for _ in range(71):
        at(monkeypatch, minutes=10)
        browser.get("/account")
    at(monkeypatch, minutes=11)

    browser.get("/account", status=303)


def test_post_after_the_time_out_is_not_carried_out_and_says_so(
    browser: Browser, prescriber: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(browser)
    browser.get("/account")
    at(monkeypatch, minutes=16)

    browser.submit({"current": PASSWORD, "password": "seven quiet lanterns drift"})

    browser.follow()
    assert "What you typed was not sent" in browser.text()
    assert passwords.matches(User.get_by_id(prescriber.id).password_hash, PASSWORD)


def test_session_token_stands_nowhere_in_the_table(
    db: settings.Settings, prescriber: User
) -> None:
    token = sessions.begin(user=prescriber, address="a", browser="b", at=NOW)

    [row] = Session.select().dicts()

    assert token not in str(row)
    assert sessions.find(token, at=NOW) is not None
    assert sessions.find(secrets.token_urlsafe(32), at=NOW) is None


def test_stay_signed_in_answers_with_the_seconds_left(
    browser: Browser, prescriber: User
) -> None:
    sign_in(browser)
    browser.get("/account")
    answer = browser.post(
        "/account/stay",
        {"csrf_token": browser.token()},
        headers={"Accept": "application/json"},
        status=200,
    )
    assert answer.get_json() == {"seconds": 900}


# --- Own password


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("fourteen chars", "at least 15"),
        ("x" * 129, "at most 128"),
        ("dr.adams is my own name", "user name"),
        ("password1234567", "easily guessed"),
        ("Connecticut-DCP-2026!", "easily guessed"),
        ("abcabcabcabcabcabc", "repeat"),
        ("aaaaaaaaaaaaaaaaaaaa", "repeat"),
        ("qwertyuiop123456", "easily guessed"),
    ],
)
def test_weak_password_is_refused_in_words(
    browser: Browser, prescriber: User, password: str, words: str
) -> None:
    sign_in(browser)
    browser.get("/account")
    browser.submit({"current": PASSWORD, "password": password}, status=422)

    assert words in browser.text()
    assert passwords.matches(User.get_by_id(prescriber.id).password_hash, PASSWORD)


@pytest.mark.parametrize(
    "password",
    [
        "fifteen letters",
        "seven quiet lanterns drift over the lake " * 3,
        "🌲🦊🌙🍄🐝🌊🔥🍁🦉🌵🐢🌻🍇⛵🪁",
        " leading and trailing blanks ",
        "pässwörter mit umlauten",
    ],
)
def test_long_password_of_any_characters_is_taken_whole(
    browser: Browser, prescriber: User, password: str
) -> None:
    password = password[:128]
    sign_in(browser)
    browser.get("/account")
    browser.submit({"current": PASSWORD, "password": password})

    stored = User.get_by_id(prescriber.id).password_hash
    assert passwords.matches(stored, password)
    assert not passwords.matches(stored, password[:-1])


def test_megabyte_of_password_is_refused_before_it_is_hashed(
    browser: Browser, prescriber: User
) -> None:
    browser.get("/sign-in")
    browser.submit({"username": "dr.adams", "password": "x" * 1_000_000}, status=413)


def test_wrong_current_password_counts_like_a_wrong_sign_in(
    browser: Browser, prescriber: User
) -> None:
    sign_in(browser)
    for _ in range(4):
        browser.get("/account")
        browser.submit(
            {"current": "wrong", "password": "seven quiet lanterns drift"}, status=422
        )
    browser.submit(
        {"current": PASSWORD, "password": "seven quiet lanterns drift"}, status=422
    )

    assert User.get_by_id(prescriber.id).locked_until is not None


# --- First sign-in by letter


@pytest.fixture
def newcomer(db: settings.Settings) -> User:
    user = make_user(
        Role.PRACTITIONER,
        username="dr.newly",
        status=UserStatus.AWAITING_FIRST_SIGN_IN,
    )
    make_application(user, CODE)
    make_application(make_user(username="noise"), "CTR-00000-00000")
    return user


def make_application(user: User, code: str) -> Application:
    application: Application = Application.create(
        code=code,
        profession=Profession.PRACTITIONER,
        status=ApplicationStatus.CREDENTIALS_MAILED,
        licence_number="1.012345",
        dea="AB1234563",
        phone="+18605550101",
        attested_at=NOW,
        submitted_at=NOW,
        user=user,
    )
    return application


@pytest.fixture
def code(monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the applicant's code, whatever its check character."""
    monkeypatch.setattr(
        "pmp.registration.registration_codes.read_code",
        lambda typed: typed.upper() or None,
    )
    return CODE


def letter_form(browser: Browser, values: dict[str, str], *, status: int = 303) -> None:
    browser.get("/activate")
    browser.submit({"username": "dr.newly", **values}, status=status)


def test_letter_and_code_lead_to_ones_own_password(
    browser: Browser, newcomer: User, code: str
) -> None:
    secret = credentials.issue(newcomer, at=clock.now())

    letter_form(browser, {"secret": secret.lower(), "code": code})
    browser.follow()
    browser.submit({"password": PASSWORD})

    browser.get("/account")
    user = User.get_by_id(newcomer.id)
    assert user.status == UserStatus.ACTIVE
    assert Application.get(code=CODE).status == ApplicationStatus.ACTIVE
    noise = Application.get(code="CTR-00000-00000")
    assert noise.status == ApplicationStatus.CREDENTIALS_MAILED
    events = {row.event for row in AuditEvent.select()}
    assert {Event.CREDENTIAL_USED, Event.USER_ACTIVATED, Event.SIGNED_IN} <= events


def test_letter_works_once(browser: Browser, newcomer: User, code: str) -> None:
    secret = credentials.issue(newcomer, at=clock.now())
    letter_form(browser, {"secret": secret, "code": code})
    browser.follow()
    browser.submit({"password": PASSWORD})
    browser.get("/account")
    browser.submit(action="/sign-out")

    letter_form(browser, {"secret": secret, "code": code}, status=422)

    assert "was used already" in browser.text()


@pytest.mark.parametrize(
    "wrong",
    [{"secret": "0000-0000-0000-0000"}, {"code": "CTR-00000-00000"}, {"code": ""}],
)
def test_letter_alone_or_code_alone_is_not_enough(
    browser: Browser, newcomer: User, code: str, wrong: dict[str, str]
) -> None:
    secret = credentials.issue(newcomer, at=clock.now())

    letter_form(browser, {"secret": secret, "code": code, **wrong}, status=422)

    assert "do not belong together" in browser.text()
    browser.get("/activate/password", status=303)


def test_old_letter_is_refused_with_what_to_do(
    browser: Browser, newcomer: User, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = credentials.issue(newcomer, at=clock.now())
    at(monkeypatch, days=21, minutes=1)

    letter_form(browser, {"secret": secret, "code": code}, status=422)

    assert "no longer in force" in browser.text()
    assert "(860) 713-6073" in browser.text()


def test_second_letter_makes_the_first_worthless(
    browser: Browser, newcomer: User, code: str
) -> None:
    first = credentials.issue(newcomer, at=clock.now())
    second = credentials.issue(newcomer, at=clock.now())

    letter_form(browser, {"secret": first, "code": code}, status=422)
    letter_form(browser, {"secret": second, "code": code})


def test_guessing_at_a_letter_locks_like_a_password(
    browser: Browser, newcomer: User, code: str
) -> None:
    secret = credentials.issue(newcomer, at=clock.now())
    for _ in range(4):
        letter_form(browser, {"secret": "wrong", "code": code}, status=422)

    letter_form(browser, {"secret": secret, "code": code}, status=422)


def test_second_step_cannot_be_opened_without_the_first(
    browser: Browser, newcomer: User
) -> None:
    credentials.issue(newcomer, at=clock.now())

    browser.get("/activate/password", status=303)
    browser.follow()


def test_second_step_ends_after_fifteen_minutes(
    browser: Browser, newcomer: User, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = credentials.issue(newcomer, at=clock.now())
    letter_form(browser, {"secret": secret, "code": code})
    at(monkeypatch, minutes=16)

    browser.get("/activate/password", status=303)


def test_user_made_by_an_administrator_needs_no_code(
    browser: Browser, app: Flask
) -> None:
    user = make_user(
        Role.STAFF, username="staff.lee", status=UserStatus.AWAITING_FIRST_SIGN_IN
    )
    secret = credentials.issue(user, at=clock.now())

    browser.get("/activate")
    browser.submit({"username": "staff.lee", "secret": secret, "code": ""})
    browser.follow()
    browser.submit({"password": PASSWORD})
    assert browser.page is not None
    assert browser.page.headers["Location"] == "/staff"
