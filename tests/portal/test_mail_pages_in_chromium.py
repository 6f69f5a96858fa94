"""Pages about email in a real browser: desk and phone, and without scripts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from models import Role, User
from pmp import settings
from pmp.deliveries import certificates
from tests.chromium import axe, fits, screenshot, targets_are_large
from tests.conftest import NOW
from tests.factories import make_user
from tests.portal.test_mail_pages import came_back
from tests.servers.certificates import make_mail_certificate, pem

pytestmark = pytest.mark.browser

LONG = "a.practitioner.with.a.very.long.name@department.of.surgery.hospital.example.org"
PATHS = ("/account", "/account/certificate", "/account/pass-phrase")
STAFF_PATHS = ("/staff", "/staff/mail-problems", "/staff/mail-certificates")


@pytest.fixture
def doctor(live: str) -> Iterator[User]:
    """Make a user whose email came back and who has a certificate."""
    user = make_user(Role.PRACTITIONER, username="dr.oakes", email=LONG)
    with settings.changed(mail_documents="pdf"):
        came_back(LONG)
        certificates.add(
            pem(make_mail_certificate(LONG)), address=LONG, by=user, at=NOW
        )
        yield user


@pytest.mark.parametrize("width", [1280, 375])
def test_mail_pages_fit_and_have_no_violation(
    doctor: User,
    open_context: Callable[..., BrowserContext],
    width: int,
    tmp_path: Path,
) -> None:
    staff = make_user(Role.STAFF, username="staff.lee")
    for user, paths in ((doctor, PATHS), (staff, STAFF_PATHS)):
        page = open_context(width, user=user).new_page()
        for path in paths:
            page.goto(path)
            fits(page)
            axe(page)
            targets_are_large(page, 24)
            name = path.strip("/").replace("/", "-")
            assert screenshot(page, tmp_path / f"{name}-{width}.png").exists()


def test_a_certificate_is_replaced_and_withdrawn_without_scripts(
    doctor: User, open_context: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    file = tmp_path / "mine.cer"
    file.write_bytes(pem(make_mail_certificate(LONG, days=(-1, 30))))
    page = open_context(scripts=False, user=doctor).new_page()
    page.goto("/account/certificate")

    page.get_by_label("Certificate").set_input_files(file)
    page.get_by_role("button", name="Use this certificate").click()
    expect(page.get_by_role("status")).to_contain_text("are sealed with this")
    page.get_by_role("button", name="Do not use it any more").click()
    expect(page.get_by_text("You have given us no certificate.")).to_be_visible()


def test_a_new_pass_phrase_fits_a_phone(
    doctor: User, open_context: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    page = open_context(375, user=doctor).new_page()
    page.goto("/account/pass-phrase")

    page.get_by_role("button", name="Make a pass phrase").click()

    expect(page.get_by_text("shown this once")).to_be_visible()
    fits(page)
    axe(page)
    screenshot(page, tmp_path / "pass-phrase.png")


def test_the_note_about_email_goes_when_its_user_says_that_it_works(
    doctor: User, open_context: Callable[..., BrowserContext]
) -> None:
    page = open_context(scripts=False, user=doctor).new_page()
    page.goto("/account")

    page.get_by_role("button", name="My email works again").click()

    expect(page.get_by_role("status")).to_contain_text("The note is gone")
    expect(page.get_by_role("button", name="My email works again")).to_have_count(0)
