"""Public pages, announcements and their editing in a real browser and on paper."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import Role, User
from pmp import announcements, clock, public_pages
from pmp.announcements import Terms
from tests.chromium import axe, fits, printed, screenshot, targets_are_large
from tests.factories import make_submission, make_user

pytestmark = pytest.mark.browser
WIDTHS = [1280, 375, 320]
GRAVE = "Do not fax on Friday"


@pytest.fixture
def chief(live: str) -> User:
    return make_user(Role.ADMINISTRATOR, username="admin.chief")


def announce(chief: User) -> None:
    today = clock.today()
    terms = Terms(
        GRAVE,
        "The line is down. Call **{program_phone}**.\n\n- one\n- [two](/about/contact)",
        ("everybody",),
        is_grave=True,
        starts_on=today,
        ends_on=today + timedelta(days=2),
    )
    announcements.publish(terms, by=chief, at=clock.now())


def look(page: Page, name: str, width: int, folder: Path) -> None:
    fits(page)
    axe(page)
    targets_are_large(page, 24)
    assert screenshot(page, folder / f"{name}-{width}.png").exists()


@pytest.mark.parametrize("width", WIDTHS)
def test_public_pages_fit_any_screen_and_two_sheets(
    chief: User,
    open_context: Callable[..., BrowserContext],
    width: int,
    tmp_path: Path,
) -> None:
    announce(chief)
    make_submission()
    page = open_context(width).new_page()
    page.goto("/")
    expect(page.get_by_text("Data received through")).to_be_visible()
    expect(page.get_by_text(GRAVE)).to_be_visible()
    look(page, "home", width, tmp_path)
    for path in ("/about", "/announcements"):
        page.goto(path)
        look(page, path[1:], width, tmp_path)
    for name in public_pages.NAMES:
        page.goto(f"/about/{name}")
        look(page, name, width, tmp_path)
        if width == WIDTHS[0]:
            assert len(printed(page, tmp_path / f"{name}.pdf")) <= 2


@pytest.mark.parametrize("scripts", [True, False])
def test_an_administrator_changes_a_page_and_puts_the_old_text_back(
    chief: User, open_context: Callable[..., BrowserContext], *, scripts: bool
) -> None:
    page = open_context(scripts=scripts, user=chief).new_page()
    page.goto("/about/contact")
    page.get_by_role("link", name="Change this page").click()
    page.get_by_label("Text", exact=True).fill("# Call us\n\nAt {program_phone}.")
    page.get_by_label("What changed, and why").fill("Shorter")
    page.get_by_role("button", name="See how it looks").click()
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    expect(page.get_by_role("heading", name="Call us")).to_be_visible()
    page.get_by_role("button", name="Put it on the page").click()
    expect(page.get_by_text("The page says this from now on.")).to_be_visible()

    page.get_by_role("link", name="The program's own text").click()
    page.get_by_role("button", name="Put this on the page again").click()
    expect(page.get_by_text("The page says this again.")).to_be_visible()
    assert public_pages.text_of("contact") == public_pages.own("contact")


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_staff_fit_and_have_no_violation(
    chief: User,
    open_context: Callable[..., BrowserContext],
    width: int,
    tmp_path: Path,
) -> None:
    announce(chief)
    page = open_context(width, user=chief).new_page()
    page.goto("/staff")
    look(page, "landing", width, tmp_path)
    page.goto("/staff/announcements")
    look(page, "announcements", width, tmp_path)
    page.get_by_role("link", name=GRAVE).click()
    page.get_by_label("Title", exact=True).fill("You may fax again")
    page.get_by_role("button", name="See how it looks").click()
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    look(page, "announcement-review", width, tmp_path)
    page.goto("/staff/public-pages")
    look(page, "pages", width, tmp_path)
    page.goto("/staff/public-pages/contact")
    page.get_by_label("Title", exact=True).fill("Whom to call")
    page.get_by_label("Text", exact=True).fill("# Heading\n\n## Below\n\n1. a\n2. b")
    page.get_by_role("button", name="See how it looks").click()
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    look(page, "page-review", width, tmp_path)
    page.get_by_label("Text", exact=True).fill("{nobody}")
    page.get_by_role("button", name="See how it looks").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    look(page, "page-refused", width, tmp_path)
    page.goto("/staff/public-pages/contact/versions/0")
    look(page, "version", width, tmp_path)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_user_puts_an_announcement_aside_and_goes_on(
    chief: User, open_context: Callable[..., BrowserContext], *, scripts: bool
) -> None:
    announce(chief)
    doctor = make_user(Role.PRACTITIONER)
    page = open_context(375, scripts=scripts, user=doctor).new_page()
    page.goto("/")
    expect(page).to_have_url(re.compile("/look-up$"))
    expect(page.get_by_label("First name")).to_be_focused()
    if scripts:
        axe(page)
    page.get_by_role("button", name=re.compile("I have read this")).click()
    expect(page.get_by_text(GRAVE)).to_have_count(0)
    expect(page.get_by_label("First name")).to_be_visible()
