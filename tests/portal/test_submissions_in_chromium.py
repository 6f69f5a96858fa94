"""Submitting in a real browser: two widths, without scripts, on paper."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import Role, Submission, User
from pmp import clock, uploads
from tests.chromium import axe, fits, targets_are_large
from tests.factories import make_pharmacy, make_product, make_user
from tests.submission_files import ELM, OXYCODONE, fill, submission

pytestmark = pytest.mark.browser


@pytest.fixture
def elm(live: str) -> User:
    make_product(ndc=OXYCODONE)
    return make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2], name=ELM[3]))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "november.dat"
    records = [fill("1"), fill("2", days="0"), fill("3", quantity="x"), fill("1")]
    path.write_bytes(submission((ELM, records)))
    return path


def process() -> Submission:
    (last,) = Submission.select().order_by(Submission.id.desc()).limit(1)
    return uploads.process(last.id, at=clock.now())


@pytest.mark.parametrize("width", [1280, 375, 320])
def test_pages_of_submissions_fit_and_pass_axe(
    open_context: Callable[..., BrowserContext], elm: User, file: Path, width: int
) -> None:
    uploads.receive(
        filename="a-rather-long-name-of-a-file-without-any-blank-in-it.dat",
        body=file.read_bytes(),
        by=elm,
        at=clock.now(),
    )
    done = process()
    waiting = uploads.receive(filename="b", body=b"x", by=elm, at=clock.now())
    page = open_context(width, user=elm).new_page()
    for path in (
        "/submissions",
        "/submissions/new",
        "/submissions/zero",
        f"/submissions/{waiting.id}",
        f"/submissions/{done.id}",
        f"/submissions/{done.id}/records/2",
        "/dispensing",
    ):
        page.goto(path)
        axe(page)
        fits(page)
        targets_are_large(page)


def test_a_file_is_submitted_and_corrected_without_scripts(
    open_context: Callable[..., BrowserContext], elm: User, file: Path
) -> None:
    page: Page = open_context(scripts=False, user=elm).new_page()
    page.goto("/submissions")
    page.get_by_role("link", name="Submit a file").first.click()
    page.get_by_label("Files", exact=True).set_input_files(file)
    page.get_by_role("button", name="Submit the files").click()
    expect(page.get_by_role("status").last).to_contain_text("Received")
    process()
    # The page renews itself, without scripts too.
    expect(page.get_by_text("records in the file")).to_be_visible(timeout=10_000)
    page.get_by_role("link", name="Correct 2 held records").click()
    page.get_by_label(re.compile("Days supply")).fill("30")
    page.get_by_role("button", name="Save and go").first.click()
    page.get_by_label(re.compile("Quantity dispensed")).fill("60")
    page.get_by_role("button", name="Save and go").first.click()

    expect(page.get_by_text("All corrected")).to_be_visible()
    expect(page.get_by_role("row", name="3 stored")).to_be_visible()
