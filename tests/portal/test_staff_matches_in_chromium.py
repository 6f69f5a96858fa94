"""Who is who in a real browser: decide and undo, with and without scripts."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import MatchDecision, MatchReview, ReportedIdentity, User
from pmp import clock
from tests.chromium import axe, fits, targets_are_large
from tests.factories import make_dispensation, make_identity, make_rule, make_user

pytestmark = pytest.mark.browser


@pytest.fixture
def staff(live: str) -> User:
    return make_user(username="staff.lee")


@pytest.fixture
def review(live: str) -> MatchReview:
    """Have a question wait: one home, two surnames; joined they cross a rule."""
    make_rule(prescribers=2, pharmacies=2)
    home: dict[str, Any] = {"first_name": "EDITH", "phone": "8605550119"}
    one = make_identity(last_name="BRANDT", **home)
    other = make_identity(last_name="LINDGREN", middle_name="ANN", **home)
    make_dispensation(one)
    make_dispensation(other)
    found: MatchReview = MatchReview.create(
        identity=other,
        candidate=one.patient,
        score=30,
        evidence={"why": "last name differs", "first name": "same (+11.3)"},
        opened_at=clock.now(),
    )
    return found


@pytest.mark.parametrize("scripts", [True, False])
def test_a_question_is_joined_and_undone(
    open_context: Callable[..., BrowserContext],
    staff: User,
    review: MatchReview,
    *,
    scripts: bool,
) -> None:
    page = open_context(scripts=scripts, user=staff).new_page()
    page.goto("/staff")
    page.get_by_role("link", name="Who is one person, to decide").click()
    page.get_by_role("link", name=re.compile("LINDGREN, EDITH ANN")).click()
    expect(page.locator("main")).to_contain_text("last name differs")
    page.locator("main summary", has_text="1 fill, the newest").first.click()
    expect(page.get_by_text("Oxycodone").first).to_be_visible()
    page.get_by_role("button", name="Join: see what will happen").click()
    expect(page.locator("main")).to_contain_text("Reports that go out: 4.")
    assert MatchDecision.select().count() == 0

    page.get_by_role("button", name="Join them").click()

    expect(page.get_by_role("status").first).to_contain_text("they are one patient now")
    moved = ReportedIdentity.get_by_id(review.identity.id)
    assert moved.patient == review.candidate
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status").first).to_contain_text("is undone")
    moved = ReportedIdentity.get_by_id(review.identity.id)
    assert moved.patient == review.identity.patient


@pytest.mark.parametrize("width", [1280, 375, 320])
def test_the_pages_fit_and_pass_axe(
    open_context: Callable[..., BrowserContext],
    staff: User,
    review: MatchReview,
    width: int,
) -> None:
    row = make_identity(review.candidate, last_name="BRANDT", first_name="EDIT")
    make_dispensation(row)
    page = open_context(width, user=staff).new_page()
    patient = f"/staff/patients/{review.candidate.id}"
    paths = ("/staff/matches", f"/staff/matches/{review.id}", patient)
    for path in (*paths, f"{patient}/split", "/staff/patients"):
        page.goto(path)
        for summary in page.locator("main summary").all():
            summary.click()
        axe(page)
        fits(page)
        if width < 1280:
            targets_are_large(page, 24)
    page.goto(f"/staff/matches/{review.id}")
    page.get_by_role("button", name="Join: see what will happen").click()
    expect(page.get_by_role("button", name="Join them")).to_be_visible()
    axe(page)
    fits(page)


def test_the_question_prints_with_its_differences_in_words(
    open_context: Callable[..., BrowserContext], staff: User, review: MatchReview
) -> None:
    page: Page = open_context(user=staff).new_page()
    page.goto(f"/staff/matches/{review.id}")

    page.emulate_media(media="print")

    expect(page.locator("main table .tag", has_text="differs").first).to_be_visible()
    expect(page.get_by_role("button", name="Join: see what will happen")).to_be_hidden()
