"""Reporting in a real browser: three widths, and without scripts."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, expect

from models import (
    CoveredPharmacy,
    DispenserKind,
    ReportingSchedule,
    Role,
    SubmissionStatus,
    User,
    ZeroReport,
)
from pmp import clock
from pmp.reporting import notices
from tests.chromium import axe, fits, targets_are_large
from tests.factories import make_licence, make_pharmacy, make_submission, make_user

pytestmark = pytest.mark.browser


@pytest.fixture
def elm(live: str) -> User:
    """Give a user of a late pharmacy with a second store and held records."""
    since = clock.today() - timedelta(days=50)
    user = make_user(
        Role.PHARMACY, pharmacy=make_pharmacy(name="ELM STREET", reports_since=since)
    )
    licence = make_licence(name="OAK", fax="8605550111")
    make_pharmacy(name="OAK", licence=licence, reports_since=since)
    CoveredPharmacy.create(
        user=user, licence=licence, granted_by="staff", granted_at=clock.now()
    )
    make_submission(
        submitted_by=user,
        held=3,
        received_at=clock.now() - timedelta(days=30),
        status=SubmissionStatus.PROCESSED_WITH_ERRORS,
    )
    notices.run(at=clock.now())
    return user


@pytest.mark.parametrize("width", [1280, 375, 320])
def test_pages_about_reporting_fit_and_pass_axe(
    open_context: Callable[..., BrowserContext], elm: User, width: int
) -> None:
    assert elm.pharmacy
    shop = elm.pharmacy.id
    admin = make_user(Role.ADMINISTRATOR)
    paths = {
        elm: ("/submissions", "/submissions/zero", "/reporting", f"/reporting/{shop}"),
        admin: (
            "/staff/reporting",
            "/staff/reporting?show=all",
            f"/staff/reporting/pharmacies/{shop}",
            "/staff/reporting/held",
            "/staff/reporting/schedules",
            "/staff/reporting/schedules/new?preset=business_day",
            "/staff/reporting/closed-days",
        ),
    }
    for user, theirs in paths.items():
        page = open_context(width, user=user).new_page()
        for path in theirs:
            page.goto(path)
            axe(page)
            fits(page)
            targets_are_large(page)


def test_nothing_dispensed_is_one_click_without_scripts(
    open_context: Callable[..., BrowserContext], elm: User
) -> None:
    page = open_context(375, scripts=False, user=elm).new_page()
    page.goto("/submissions")
    banner = page.locator(".note", has_text="Late:").first
    expect(banner).to_contain_text("1 more of your pharmacies has days to report")
    banner.get_by_role("button", name="Nothing dispensed").click()

    expect(page.get_by_role("status").first).to_contain_text("is recorded")
    assert ZeroReport.select().count() == 1
    page.get_by_role("button", name="Undo this report").click()
    expect(page.get_by_role("status").first).to_contain_text("Undone")
    assert ZeroReport.select().count() == 0


def test_a_schedule_is_written_after_a_look_at_what_it_makes(
    open_context: Callable[..., BrowserContext], elm: User
) -> None:
    page = open_context(user=make_user(Role.ADMINISTRATOR)).new_page()
    page.goto("/staff/reporting/schedules")
    page.get_by_role("link", name="Change the schedule").click()
    page.get_by_role("link", name="Connecticut today").click()
    page.get_by_label("Reason").fill("The law")
    page.get_by_role("button", name="See what is due when").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check the schedule")
    axe(page)
    page.get_by_role("button", name="Put it in force").click()

    expect(page.get_by_role("status").first).to_contain_text("The schedule holds from")
    assert ReportingSchedule.select().count() == len(DispenserKind)
