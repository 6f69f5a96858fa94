"""A pharmacy's own dispensing in a real browser: phone, no scripts, paper."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import Dispensation, Role, User
from pmp import clock
from tests.chromium import axe, fits, targets_are_large
from tests.factories import (
    make_dispensation,
    make_identity,
    make_pharmacy,
    make_prescriber,
    make_product,
    make_ticket,
    make_user,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def pharmacist(live: str) -> User:
    """Make a user whose pharmacy has 40 fills; one is disputed, some are early."""
    user = make_user(Role.PHARMACY, pharmacy=make_pharmacy(name="ELM CITY DRUG"))
    person = make_identity(
        last_name="VERYLONGLASTNAMEWITHOUTABLANKINIT", first_name="MAXIMILIANA"
    )
    doctor = make_prescriber(last_name="FEATHERSTONEHAUGHCHOLMONDELEY")
    today = clock.today()
    make_product(ndc="00406051201")
    for number in range(40):
        make_dispensation(
            person if number % 4 else make_identity(state="NY"),
            pharmacy=user.pharmacy,
            prescriber=doctor if number % 3 else make_prescriber(),
            filled_on=today - timedelta(days=2 * number + 1),
            sold_on=None,
        )
    make_ticket(Dispensation.get())
    return user


@pytest.mark.parametrize("width", [1280, 375, 320])
def test_pages_of_dispensing_fit_and_pass_axe(
    open_context: Callable[..., BrowserContext], pharmacist: User, width: int
) -> None:
    page = open_context(width, user=pharmacist).new_page()
    code = Dispensation.select().order_by(Dispensation.id.desc()).get().row_code
    for path in (
        "",
        "/patterns",
        "/days",
        f"/{code}",
        f"/{code}/correct",
        f"/{code}/remove",
    ):
        page.goto(f"/dispensing{path}")
        axe(page)
        fits(page)
        targets_are_large(page)


def test_a_pattern_leads_to_an_entry_that_is_corrected_without_scripts(
    open_context: Callable[..., BrowserContext], pharmacist: User
) -> None:
    page: Page = open_context(375, scripts=False, user=pharmacist).new_page()
    page.goto("/dispensing/patterns")
    states = page.get_by_role("region", name="Patients of other states")
    states.get_by_role("button", name="Show these records").first.click()
    expect(page.get_by_text("patients in NY")).to_be_visible()
    page.locator("td[data-label=Entry] a").first.click()
    page.get_by_role("link", name="Correct").click()
    page.get_by_label("Quantity").fill("45")
    page.get_by_label("Reason").fill("Misread")
    page.get_by_role("button", name="Review the changes").click()
    expect(page.get_by_role("row", name="Quantity")).to_contain_text("45")
    fits(page)
    page.get_by_role("button", name="Save the correction").click()
    expect(page.get_by_role("status").first).to_contain_text("is corrected")


def test_a_month_prints_on_one_sheet_with_room_for_the_own_log(
    open_context: Callable[..., BrowserContext], pharmacist: User, tmp_path: Path
) -> None:
    page = open_context(user=pharmacist).new_page()
    page.goto("/dispensing/days?month=2026-10")
    path = tmp_path / "days.pdf"
    page.pdf(path=path, format="Letter", print_background=False)
    with pypdfium2.PdfDocument(path) as document:
        assert len(document) == 1
        words = document[0].get_textpage().get_text_range()
    assert "ELM CITY DRUG" in words
    assert "10/31/2026" in words
    assert words.count("☐") == 31
    assert "Paste your log" not in words
