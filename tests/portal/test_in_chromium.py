"""The frame in a real browser: two widths, by keyboard, on paper, without scripts."""

import re
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import Role, Session, User
from pmp.accounts import passwords
from tests.chromium import axe, fits, printed, targets_are_large
from tests.factories import make_user

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery staple"
WIDTHS = [1280, 375, 320]


@pytest.fixture
def doctor(live: str) -> User:
    return make_user(
        Role.PRACTITIONER,
        username="dr.adams",
        password_hash=passwords.hash_secret(PASSWORD),
    )


def fill_in(page: Page, password: str = PASSWORD) -> None:
    page.goto("/sign-in")
    page.get_by_label("User name").fill("dr.adams")
    page.get_by_label("Password", exact=True).fill(password)


@pytest.mark.parametrize("width", WIDTHS)
def test_public_pages_fit_and_pass_axe(
    open_context: Callable[..., BrowserContext], width: int
) -> None:
    page = open_context(width).new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for path in ("/", "/sign-in", "/activate"):
        page.goto(path)
        axe(page)
        fits(page)
        targets_are_large(page, 44)
    assert said == []


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_behind_sign_in_fit_and_pass_axe(
    open_context: Callable[..., BrowserContext], width: int
) -> None:
    page = open_context(width, user=make_user(Role.ADMINISTRATOR)).new_page()
    for path in ("/staff", "/account"):
        page.goto(path)
        if width < 768:
            page.locator(".menu > summary").click()
            targets_are_large(page, 44)
        axe(page)
        fits(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_group_of_the_menu_opens_leads_on_and_names_where_one_is(
    open_context: Callable[..., BrowserContext], *, scripts: bool
) -> None:
    window = open_context(scripts=scripts, user=make_user(Role.ADMINISTRATOR))
    page = window.new_page()
    page.goto("/staff")
    bar = page.get_by_role("navigation", name="Main")
    assert bar.bounding_box()["height"] < 60  # type: ignore[index] # one line

    bar.get_by_text("Faxes and mail").click()
    if scripts:
        axe(page)
    bar.get_by_role("link", name="Letters").click()
    expect(page).to_have_url(re.compile("/staff/letters$"))
    expect(bar.locator("summary.current")).to_have_text("Faxes and mail")


def test_escape_and_a_click_elsewhere_close_a_group_of_the_menu(
    open_context: Callable[..., BrowserContext],
) -> None:
    page = open_context(user=make_user(Role.ADMINISTRATOR)).new_page()
    page.goto("/staff")
    summary = page.locator(".bar summary", has_text="Thresholds")
    rules = page.get_by_role("link", name="Threshold rules")
    summary.click()
    expect(rules).to_be_visible()
    page.locator("h1").click()
    expect(rules).to_be_hidden()

    summary.click()
    page.keyboard.press("Escape")
    expect(rules).to_be_hidden()
    expect(summary).to_be_focused()


def test_enlarged_text_spacing_loses_nothing(page: Page, doctor: User) -> None:
    page.goto("/sign-in")
    page.evaluate(
        """() => { const sheet = new CSSStyleSheet(); sheet.replaceSync(`* {
        line-height: 1.5 !important; letter-spacing: .12em !important;
        word-spacing: .16em !important } p { margin-bottom: 2em !important }`);
        document.adoptedStyleSheets = [sheet]; }"""
    )
    fits(page)
    page.set_viewport_size({"width": 320, "height": 800})
    fits(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_errors_are_focused_and_lead_to_their_fields(
    open_context: Callable[..., BrowserContext], *, scripts: bool
) -> None:
    page = open_context(scripts=scripts).new_page()
    page.goto("/sign-in")
    page.locator("main").get_by_role("button", name="Sign in").click()

    expect(page).to_have_title(re.compile("^Error: Sign in"))
    expect(page.locator("#error-summary")).to_be_focused()
    page.get_by_role("link", name="Enter your password").click()
    expect(page.locator("#password")).to_be_focused()
    expect(page.locator("#password")).to_have_attribute("aria-invalid", "true")
    described = page.locator("#password").get_attribute("aria-describedby")
    assert described == "password-error"
    if scripts:
        axe(page)


def test_sign_in_and_out_without_scripts(plain_page: Page, doctor: User) -> None:
    fill_in(plain_page)
    plain_page.keyboard.press("Enter")
    expect(plain_page.locator("header .me")).to_contain_text("dr.adams")
    plain_page.goto("/account")
    expect(plain_page.get_by_role("heading", level=1)).to_have_text("Your account")

    plain_page.locator("header .me").get_by_role("button", name="Sign out").click()

    expect(plain_page.get_by_role("status")).to_contain_text("You are signed out")


def test_sign_in_by_keyboard_alone(page: Page, doctor: User) -> None:
    page.goto("/sign-in")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("dr.adams")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    expect(page.locator("header .me")).to_contain_text("dr.adams")


def test_password_can_be_shown(page: Page, doctor: User) -> None:
    fill_in(page)
    page.get_by_role("button", name="Show Password").click()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide Password").click()
    expect(page.locator("#password")).to_have_attribute("type", "password")


def test_impatient_double_click_sends_a_form_once(page: Page, doctor: User) -> None:
    fill_in(page)

    sent = page.evaluate(
        """() => { const form = document.querySelector("main form"); let sent = 0;
        form.addEventListener("submit", event => {
            sent += !event.defaultPrevented; event.preventDefault(); });
        form.requestSubmit(); form.requestSubmit(); return sent; }"""
    )

    assert sent == 1


def test_slow_upload_says_that_it_works(page: Page, doctor: User) -> None:
    page.goto("/sign-in")
    button = page.locator("main").get_by_role("button", name="Sign in")
    button.evaluate("button => { button.dataset.busy = 'Sending…'; }")
    page.evaluate(
        """document.querySelector("main form").addEventListener(
        "submit", event => event.preventDefault())"""
    )

    button.click()

    busy = page.get_by_role("button", name="Sending…")
    expect(busy).to_have_attribute("aria-disabled", "true")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow'))")
    expect(button).not_to_have_attribute("aria-disabled", "true")


def test_warning_comes_two_minutes_before_the_time_out_and_one_key_extends(
    open_context: Callable[..., BrowserContext], doctor: User
) -> None:
    page = open_context(user=doctor).new_page()
    page.clock.install()
    page.goto("/account")
    dialog = page.locator("dialog")

    page.clock.fast_forward("12:50")
    expect(dialog).to_be_hidden()
    page.clock.fast_forward("00:15")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Stay signed in")).to_be_focused()
    axe(page)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()

    page.clock.fast_forward("12:50")
    expect(dialog).to_be_hidden()


def test_screen_is_emptied_when_the_time_is_over(
    open_context: Callable[..., BrowserContext], doctor: User
) -> None:
    page = open_context(user=doctor).new_page()
    page.clock.install()
    page.goto("/account")
    Session.delete().execute()

    page.clock.fast_forward("15:01")

    page.wait_for_url("**/sign-in?next=/account")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_paper_shows_the_content_and_no_controls(
    open_context: Callable[..., BrowserContext], doctor: User, tmp_path: Path
) -> None:
    page = open_context(user=doctor).new_page()
    page.goto("/account")

    sheets = printed(page, tmp_path / "account.pdf")

    with pypdfium2.PdfDocument(tmp_path / "account.pdf") as document:
        words = "".join(sheet.get_textpage().get_text_range() for sheet in document)
    assert len(sheets) <= 2
    assert "dr.adams" in words
    assert "(860) 713-6073" in words
    assert "Sign out" not in words
    assert "Skip to content" not in words
