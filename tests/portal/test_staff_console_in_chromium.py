"""Users, the box, the queues and the settings in a real browser: two widths, by key."""

from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import Application, Role, User, UserStatus
from pmp.accounts import new_accounts, role_changes
from pmp.accounts.new_accounts import Person
from tests.chromium import axe, fits, printed, targets_are_large
from tests.conftest import NOW
from tests.factories import make_application, make_practitioner_licence, make_user

pytestmark = pytest.mark.browser


@pytest.fixture
def chief(live: str) -> User:
    assert live.startswith("http")
    return make_user(Role.ADMINISTRATOR, username="chief")


@pytest.fixture
def doctor(chief: User) -> User:
    assert chief.id
    return make_user(
        Role.PRACTITIONER,
        username="rae.oakes",
        name="Rae Oakes",
        licence=make_practitioner_licence(),
        password_hash="kept",
    )


def looks_right(page: Page) -> None:
    axe(page)
    fits(page)
    targets_are_large(page)


@pytest.mark.parametrize("width", [1280, 375])
def test_the_console_s_pages_fit_and_have_no_violation(
    open_context: Callable[..., BrowserContext], chief: User, doctor: User, width: int
) -> None:
    clerk = make_user(Role.STAFF, username="clerk")
    second = make_user(Role.ADMINISTRATOR, username="second")
    change = role_changes.propose(
        clerk.id, role=Role.AUDITOR, reason="moves", seen="", by=second, at=NOW
    )
    account = new_accounts.propose(
        Person("Dana Whitfield", "dana@example.org", Role.STAFF),
        reason="is new",
        by=second,
        at=NOW,
    )
    page = open_context(width, user=chief).new_page()
    for path in (
        "/staff",
        "/staff/anything",
        "/staff/users",
        f"/staff/users/{doctor.id}",
        f"/staff/users/{doctor.id}/suspend",
        f"/staff/users/{second.id}/role",
        f"/staff/role-changes/{change.id}",
        "/staff/users/new-accounts",
        "/staff/users/new-accounts/propose",
        f"/staff/users/new-accounts/{account.id}",
        "/staff/settings",
        "/staff/settings/office",
    ):
        page.goto(path)
        looks_right(page)
    page.get_by_label("Short name", exact=True).fill("PMP")
    page.get_by_role("button", name="See what will change").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Review the change")
    looks_right(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_code_from_paper_leads_to_its_page_by_enter(
    open_context: Callable[..., BrowserContext], chief: User, *, scripts: bool
) -> None:
    application: Application = make_application()
    page = open_context(scripts=scripts, user=chief).new_page()
    page.goto("/staff/letters")
    box = page.get_by_label("Find anything")
    box.fill(application.code.replace("-", " ").lower())
    box.press("Enter")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text(application.code)

    page.get_by_label("Find anything").fill("LTR-00000")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("begins like a letter code")


def test_an_account_is_suspended_and_its_owner_is_out(
    open_context: Callable[..., BrowserContext], chief: User, doctor: User
) -> None:
    theirs = open_context(user=doctor).new_page()
    theirs.goto("/account")
    page = open_context(375, user=chief).new_page()
    page.goto(f"/staff/users/{doctor.id}")
    page.get_by_role("link", name="Suspend").click()
    page.get_by_label("Why").fill("left the practice")
    page.get_by_role("button", name="Suspend the account").click()
    expect(page.get_by_text("rae.oakes is suspended")).to_be_visible()

    theirs.reload()
    expect(theirs).to_have_url(theirs.url)
    expect(theirs.get_by_role("heading", level=1)).to_contain_text("Sign in")
    assert User.get_by_id(doctor.id).status == UserStatus.SUSPENDED


def test_a_user_s_page_on_paper_has_no_controls(
    open_context: Callable[..., BrowserContext],
    chief: User,
    doctor: User,
    tmp_path: Path,
) -> None:
    page = open_context(user=chief).new_page()
    page.goto(f"/staff/users/{doctor.id}")
    printed(page, tmp_path / "user.pdf")
    with pypdfium2.PdfDocument(tmp_path / "user.pdf") as document:
        text = " ".join(sheet.get_textpage().get_text_range() for sheet in document)
    assert "Rae Oakes" in text
    for control in ("Suspend", "Go", "Propose another role"):
        assert control not in text.split()
