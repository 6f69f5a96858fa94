"""Second factors in a real browser: passkeys, at a desk and on a phone, with axe."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import AuthenticatorApp, Passkey, Role, Session, User
from pmp import clock, settings
from pmp.accounts import passwords
from tests.authenticator import App, set_up
from tests.chromium import axe, fits, screenshot, targets_are_large
from tests.factories import make_user
from tests.portal.test_account import PASSWORD

pytestmark = pytest.mark.browser
WIDTHS = (1280, 375)


@pytest.fixture
def user(live: str) -> User:
    return make_user(
        Role.PRACTITIONER,
        username="dr.adams",
        password_hash=passwords.hash_secret(PASSWORD),
    )


def looks_well(page: Page, tmp_path: Path, name: str) -> None:
    axe(page)
    fits(page)
    targets_are_large(page)
    screenshot(page, tmp_path / f"{name}.png")


def type_password(page: Page, home: str = "") -> None:
    page.goto(f"{home}/sign-in")
    page.get_by_label("User name").fill("dr.adams")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Second step of sign-in")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scripts", [True, False])
def test_app_is_set_up_and_signs_in(
    user: User,
    open_context: Callable[..., BrowserContext],
    tmp_path: Path,
    width: int,
    *,
    scripts: bool,
) -> None:
    page = open_context(width, scripts=scripts, user=user).new_page()
    page.goto("/account/second-factor")
    page.get_by_role("button", name="Set up an authenticator app").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    app = App(page.locator("code").inner_text())
    if scripts:
        looks_well(page, tmp_path, "set-up")
    page.get_by_role("textbox", name="Code").fill(app.code(clock.now()))
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_text("shown this once")).to_be_visible()
    codes = page.locator("li code").all_inner_texts()
    assert len(codes) == 10
    if scripts:
        looks_well(page, tmp_path, "recovery-codes")
    page.goto("/account/second-factor")
    expect(page.get_by_text("10 of 10")).to_be_visible()
    if scripts:
        looks_well(page, tmp_path, "own")

    other = open_context(width, scripts=scripts).new_page()
    type_password(other)
    if scripts:
        looks_well(other, tmp_path, "second-step")
    other.get_by_label("Code").fill(codes[0])
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Look up a patient")


def virtual_authenticator(page: Page) -> None:
    """Give the browser a security key that says yes by itself."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_passkey_is_made_and_signs_in_and_is_removed(
    user: User, open_context: Callable[..., BrowserContext], live: str, tmp_path: Path
) -> None:
    """Browsers make passkeys for a name, so the portal is `localhost` here."""
    home = live.replace("127.0.0.1", "localhost")
    app, _ = set_up(user, at=clock.now())
    with settings.changed(public_url=home):
        page = open_context().new_page()
        virtual_authenticator(page)
        type_password(page, home)
        expect(page.get_by_label("Code")).to_be_focused()
        assert page.get_by_role("button", name="Use a passkey").count() == 0
        page.get_by_role("textbox", name="Code").fill(app.code(clock.now(), later=1))
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Look up a patient")

        page.goto(f"{home}/account/second-factor")
        forget_steps(user)
        make_passkey(page, "000000")
        expect(page.get_by_role("alert")).to_contain_text("not a code that is good now")
        make_passkey(page, app.code(clock.now()))
        expect(page.get_by_text("My laptop is added")).to_be_visible()
        looks_well(page, tmp_path, "passkeys")
        assert Passkey.get().name == "My laptop"

        sign_out(page)
        type_password(page, home)
        looks_well(page, tmp_path, "second-step-with-passkey")
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Look up a patient")
        assert Passkey.get().used_at is not None
        assert Session.select().where(Session.user == user).count() == 2

        page.goto(f"{home}/account/second-factor")
        remove_passkey(page)
    assert Passkey.select().count() == 0


def make_passkey(page: Page, code: str) -> None:
    page.get_by_label("Name of the passkey").fill("My laptop")
    page.get_by_label("Code of your app").fill(code)
    page.get_by_role("button", name="Add a passkey").click()


def remove_passkey(page: Page) -> None:
    page.get_by_role("button", name="Remove My laptop").click()
    expect(page.get_by_text("My laptop is removed.")).to_be_visible()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def forget_steps(user: User) -> None:
    """Let a code be used within the same half minute, as a test must."""
    AuthenticatorApp.update(last_step=0).where(AuthenticatorApp.user == user).execute()


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_for_who_forgot_and_who_helps_fit_and_have_no_violation(
    user: User, open_context: Callable[..., BrowserContext], tmp_path: Path, width: int
) -> None:
    set_up(user, at=clock.now())
    guest = open_context(width).new_page()
    for path in ("/sign-in", "/forgotten", "/forgotten/asked?way=letter"):
        guest.goto(path)
        looks_well(guest, tmp_path, path.strip("/").replace("/", "-")[:20])
    guest.goto("/forgotten")
    guest.get_by_role("button", name="Send it").click()
    expect(guest.get_by_role("alert")).to_be_visible()
    looks_well(guest, tmp_path, "forgotten-empty")
    staff = open_context(width, user=make_user(Role.STAFF)).new_page()
    for path in ("/staff/sign-in-help", "/staff/sign-in-help/dr.adams", "/account"):
        staff.goto(path)
        looks_well(staff, tmp_path, path.strip("/").replace("/", "-"))
    User.update(attested_at=None).where(User.id == user.id).execute()
    own = open_context(width, user=user).new_page()
    own.goto("/look-up")
    expect(own.get_by_label("This account is mine")).to_be_visible()
    looks_well(own, tmp_path, "attestation")
