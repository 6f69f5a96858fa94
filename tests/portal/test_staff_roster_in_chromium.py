"""The roster's pages in a real browser: wide, on a phone, without scripts."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import CoveredPharmacy, Licence, Role, User
from pmp import clock, roster
from pmp.roster import batches, reverification
from tests.chromium import axe, fits, screenshot, targets_are_large
from tests.conftest import NOW
from tests.factories import make_licence, make_user
from tests.roster_sheets import row, sheet

pytestmark = pytest.mark.browser


@pytest.fixture
def admin(live: str, tmp_path: Path) -> User:
    """Make an administrator, imports in several states, and licences to confirm."""
    rows = [row(n) for n in range(1, 60)]
    roster.import_file(sheet(tmp_path, rows), by="system", at=NOW)
    for key in (1, 2, 3):
        licence = Licence.get(credential_id=str(key))
        make_user(
            Role.PRACTITIONER,
            username=f"doctor.with.a.long.name{key}",
            name=f"MAXIMILIANA-ALEXANDRA VAN DER WOODSEN {key}",
            licence=licence,
        )
    lapsed, moved = row(2, Status="LAPSED", Active="0"), row(3, Address="9 Oak St")
    later = [lapsed, moved, *rows[3:]]
    roster.import_file(sheet(tmp_path, later), by="system", at=NOW)
    return make_user(Role.ADMINISTRATOR)


def give(page: Page, folder: Path) -> None:
    """Upload a file with something in each list."""
    rows = [row(n, City="Avon") for n in range(4, 30)]
    rows += [row(n) for n in range(30, 50)] + [row(70), row(71, Zip="ABC")]
    page.goto("/staff/roster")
    path = sheet(folder, rows, name="State_Licenses_and_Credentials_20261123.csv")
    page.get_by_label("File on your computer").set_input_files(path)
    page.get_by_role("button", name="Compare with the roster").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("State_Licenses")


def work() -> None:
    """Do what a worker would."""
    for number in batches.unfinished(at=clock.now()):
        roster.work(number, now=clock.now)


def look_at(page: Page, name: str, folder: Path) -> None:
    fits(page)
    axe(page)
    targets_are_large(page, 24)
    assert screenshot(page, folder / f"{name}.png").exists()


@pytest.mark.parametrize("width", [1280, 375])
def test_the_roster_s_pages_fit_and_have_no_violation(
    admin: User,
    open_context: Callable[..., BrowserContext],
    width: int,
    tmp_path: Path,
) -> None:
    page = open_context(width, user=admin).new_page()
    give(page, tmp_path)
    look_at(page, f"progress-{width}", tmp_path)
    here = page.url
    page.goto("about:blank")  # else it loads itself anew as soon as it is read
    work()
    for chosen in ("new", "changed", "gone", "invalid"):
        page.goto(f"{here}?list={chosen}")
        look_at(page, f"{chosen}-{width}", tmp_path)
    for path in ("/staff/roster", "/staff/roster/1", "/staff/roster/1/undo"):
        page.goto(path)
        look_at(page, f"{path.replace('/', '-')}-{width}", tmp_path)
    page.goto("/staff/roster/2/undo")
    look_at(page, f"undo-{width}", tmp_path)
    user = make_user(Role.PHARMACY, username="chain", licence=make_licence())
    ended = make_licence(active=False, status="INACTIVE", name="ELM STREET RX")
    CoveredPharmacy.create(user=user, licence=ended, granted_by="lee", granted_at=NOW)
    reverification.recheck_between_imports(at=clock.now())
    page.goto("/staff/licences")
    expect(page.get_by_text("Further pharmacy not in force")).to_be_visible()
    look_at(page, f"licences-{width}", tmp_path)
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Suspend …").click()
    expect(page.get_by_text("Nothing has been done yet")).to_be_visible()
    look_at(page, f"review-{width}", tmp_path)


def test_an_import_is_watched_until_it_can_be_decided(
    admin: User, page: Page, open_context: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    page = open_context(user=admin).new_page()
    give(page, tmp_path)
    work()
    apply = page.get_by_role("button", name="Apply: 1 new, 26 changed, 12 gone")
    expect(apply).to_be_visible()
    apply.click()
    expect(page.get_by_text("of 39 changes")).to_be_visible()
    work()
    expect(page.get_by_role("link", name="Undo this import")).to_be_visible()


def test_a_user_is_suspended_without_scripts(
    admin: User, open_context: Callable[..., BrowserContext]
) -> None:
    page = open_context(scripts=False, user=admin).new_page()
    page.goto("/staff/licences")
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Suspend …").click()
    page.get_by_label("Why").fill("Not renewed.")
    page.get_by_role("button", name="Suspend: 1").click()
    expect(page.get_by_role("status")).to_contain_text("1 user is suspended.")
