"""Typing a record in a real browser: lists while typing, search steps, a phone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import Dispensation, EntryDraft, Role, User
from pmp import clock, csv_submissions
from pmp.csv_submissions.csv_records import Layout
from tests.chromium import axe, fits, targets_are_large
from tests.factories import make_pharmacy, make_prescriber, make_product, make_user
from tests.submission_files import ELM, OXYCODONE

pytestmark = pytest.mark.browser
TYPED = {
    "PAT07": "Example",
    "PAT08": "Ada",
    "PAT18": "04281971",
    "PAT12": "12 Maple St",
    "PAT14": "Hamden",
    "PAT16": "06514",
    "DSP02": "600100",
    "DSP03": "11/02/2026",
    "DSP05": "11/03/2026",
    "DSP09": "60",
    "DSP10": "30",
}


@pytest.fixture
def elm(live: str) -> User:
    make_product(ndc=OXYCODONE, name="OXYCODONE HCL 10 MG TAB")
    make_product(name="OXYCODONE 1 MG/ML SOLN", form="ORAL SOLUTION", schedule="CII")
    make_prescriber(dea="AS3045122", last_name="SMITH", first_name="SARA")
    make_prescriber(last_name="SMITHERS", first_name="TOM")
    return make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2], name=ELM[3]))


def fill_in(page: Page) -> None:
    for box, text in TYPED.items():
        page.fill(f"#{box}", text)
    for box, code in {"PAT19": "F", "DSP12": "05", "DSP16": "04"}.items():
        page.select_option(f"#{box}", code)


def test_drug_and_prescriber_are_chosen_while_typing_by_keyboard_and_mouse(
    open_context: Callable[..., BrowserContext], elm: User
) -> None:
    page = open_context(user=elm).new_page()
    page.goto("/submissions/entry")
    fill_in(page)
    drug = page.get_by_role("combobox", name="Drug: name or NDC")
    drug.press_sequentially("oxyc")
    expect(page.locator(".suggestions li")).to_have_count(2)
    expect(drug).to_have_attribute("aria-expanded", "true")
    axe(page)
    drug.press("ArrowDown")
    drug.press("Enter")
    expect(page.get_by_role("listbox", name="Found")).to_have_count(0)
    expect(page.locator("#DSP11")).to_have_value("02")
    drug.fill("")
    drug.press_sequentially("oxycodone 10")
    page.get_by_role("option", name="10 MG TAB").click()
    expect(drug).to_have_value(OXYCODONE)
    expect(page.locator("#DSP11")).to_have_value("01")

    page.fill("#PRE02", "AS3045122")
    page.locator("#DSP10").press("Enter")

    expect(page.get_by_text("This will be submitted")).to_be_visible()
    expect(page.get_by_text("60 for 30 days: 2 a day, 20 mg a day")).to_be_visible()
    expect(page.get_by_role("button", name="Submit", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("Stored as D-"))).to_be_visible()
    (stored,) = Dispensation.select()
    assert stored.prescriber.last_name == "SMITH"
    assert stored.product_code == OXYCODONE


def test_what_a_choice_filled_in_goes_when_its_box_is_typed_anew(
    open_context: Callable[..., BrowserContext], elm: User
) -> None:
    page = open_context(user=elm).new_page()
    page.goto("/submissions/entry")
    prescriber = page.get_by_role("combobox", name="Prescriber: last name")
    prescriber.press_sequentially("smith, s")
    page.get_by_role("option", name="SARA").click()
    expect(page.locator("#PRE05")).to_have_value("SMITH")
    prescriber.press("Backspace")
    expect(page.locator("#PRE05")).to_have_value("")


def test_a_record_is_typed_by_search_steps_without_scripts(
    open_context: Callable[..., BrowserContext], elm: User
) -> None:
    page = open_context(375, scripts=False, user=elm).new_page()
    page.goto("/submissions")
    page.get_by_role("link", name="Type a record").click()
    fill_in(page)
    page.fill("#DSP08", "oxycodone")
    page.fill("#PRE02", "smith")
    page.get_by_role("button", name="Find Drug").click()
    page.get_by_label("OXYCODONE HCL 10 MG TAB").check()
    page.get_by_role("button", name="Find Prescriber").click()
    expect(page.locator("#DSP08")).to_have_value(OXYCODONE)
    expect(page.locator("#PAT12")).to_have_value("12 Maple St")
    page.get_by_label("SMITH, SARA").check()
    fits(page)
    page.get_by_role("button", name="Check").last.click()
    page.get_by_role("button", name="Submit", exact=True).click()

    expect(page.get_by_text(re.compile("Stored as D-"))).to_be_visible()
    assert Dispensation.get().identity.birth_date.year == 1971


@pytest.mark.parametrize("width", [1280, 375, 320])
def test_pages_of_typing_and_spreadsheets_fit_and_pass_axe(
    open_context: Callable[..., BrowserContext], elm: User, width: int
) -> None:
    EntryDraft.create(user=elm, elements=TYPED, updated_at=clock.now())
    headings = "Patient,DOB,Rx,A rather long heading that somebody has thought of"
    kept = csv_submissions.receive(
        filename="a-rather-long-name-of-a-file-without-any-blank-in-it.csv",
        body=f'{headings}\n"EXAMPLE, ADA",2/30/1980,1,{"x" * 90}\n'.encode(),
        by=elm,
        at=clock.now(),
    )
    sheet = csv_submissions.sheet_of(kept)
    chosen, _ = csv_submissions.layout_of(sheet, by=elm)
    page = open_context(width, user=elm).new_page()
    for path in (
        "/submissions/entry",
        "/submissions/csv",
        f"/submissions/csv/{kept.id}/columns",
    ):
        page.goto(path)
        axe(page)
        fits(page)
        targets_are_large(page)
    fixed = {"DSP03": "1", "DSP04": "0", "DSP05": "1", "DSP06": "0", "DSP08": "1"}
    fixed |= {"DSP09": "1", "DSP10": "1", "PRE02": "1"}
    whole = Layout(chosen.columns, {**chosen.fixed, **fixed})
    csv_submissions.remember(sheet, whole, by=elm, at=clock.now())
    page.goto(f"/submissions/csv/{kept.id}")
    expect(page.get_by_text("look before you submit")).to_be_visible()
    axe(page)
    fits(page)
    targets_are_large(page)
    page.goto("/submissions/entry")
    page.get_by_role("button", name="Check", exact=True).last.click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    axe(page)
    fits(page)
