"""Threshold reports in a real browser: three widths, and on paper."""

from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import BrowserContext

from gateway import documents
from models import CaseRecipient, Role, User
from pmp import clock
from pmp.thresholds import case_recipients, threshold_copies
from tests.chromium import axe, fits, printed, targets_are_large
from tests.factories import make_crossing, make_patient, make_user

pytestmark = pytest.mark.browser


@pytest.fixture
def mine(live: str) -> CaseRecipient:
    case = make_crossing(make_patient(last_name="CANARYQUIST"), day=clock.today())
    return case_recipients.of_case(case)[0]


@pytest.fixture
def doctor(mine: CaseRecipient) -> User:
    return make_user(Role.PRACTITIONER, prescriber=mine.prescriber)


@pytest.mark.parametrize("width", [1280, 375, 320])
def test_list_report_and_verdict_fit_and_pass_axe(
    open_context: Callable[..., BrowserContext],
    mine: CaseRecipient,
    doctor: User,
    width: int,
) -> None:
    page = open_context(width, user=doctor).new_page()
    threshold_copies.copy(mine, draw=documents.threshold_report, at=clock.now())

    for path in ("/threshold-reports", f"/threshold-reports/{mine.id}", "/verify"):
        page.goto(path)
        axe(page)
        fits(page)
        targets_are_large(page)
    page.get_by_label("Verification code").fill(threshold_copies.code_of(mine))
    page.get_by_role("button", name="Verify").click()
    page.get_by_text("Genuine.").wait_for()
    axe(page)
    fits(page)


def test_the_page_on_paper_has_its_facts_and_no_controls(
    open_context: Callable[..., BrowserContext],
    mine: CaseRecipient,
    doctor: User,
    tmp_path: Path,
) -> None:
    page = open_context(user=doctor).new_page()
    page.goto(f"/threshold-reports/{mine.id}")

    printed(page, tmp_path / "report.pdf")

    with pypdfium2.PdfDocument(tmp_path / "report.pdf") as document:
        words = "".join(sheet.get_textpage().get_text_range() for sheet in document)
    text = " ".join(words.split())
    for wanted in ("CANARYQUIST", "3 prescribers", "Call sheet", "HIPAA permits"):
        assert wanted in text
    for control in ("Download", "Send the answer", "Slide the picture"):
        assert control not in text
