"""Staff's pages about drugs in a real browser: phone, no scripts, paper."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import Role, User
from tests.chromium import axe, fits, printed, screenshot, targets_are_large
from tests.factories import make_dispensation, make_pharmacy, make_product, make_user
from tests.pmp.test_unknown_products import NDC, make_unknown

pytestmark = pytest.mark.browser

PATHS = (
    "/staff/drugs?q=oxy",
    f"/staff/drugs/{NDC}",
    "/staff/drugs/changes",
    "/staff/drugs/rule-sets",
    "/staff/drugs/withheld",
)


@pytest.fixture
def admin(live: str) -> User:
    """Make an administrator, unknown NDCs of two pharmacies and a withheld fill."""
    elm = make_pharmacy(name="ELM CITY DRUG AND VERY LONG NAME OF A PHARMACY")
    for number in range(5):
        make_unknown(pharmacy=elm if number % 2 else make_pharmacy())
    make_unknown("55501012302")
    make_product(name="OXYCODONE HYDROCHLORIDE AND ACETAMINOPHEN 10-325 MG TABLET")
    make_dispensation(
        ingredient="NALOXONE HYDROCHLORIDE", withheld="administrators", pharmacy=elm
    )
    return make_user(Role.ADMINISTRATOR)


def write(page: Page) -> None:
    page.goto(f"/staff/drugs/{NDC}")
    page.get_by_label("Name").fill("Example oxycodone 10 mg tablet")
    page.get_by_label("Ingredient").fill("oxycodone hydrochloride")
    page.get_by_label("Strength").fill("10")
    page.get_by_label("Unit").fill("mg")
    page.get_by_label("Form", exact=True).fill("TABLET")
    page.get_by_label("DEA schedule").select_option("CII")
    page.get_by_label("How you know").fill("Read to us from the package.")
    page.get_by_role("button", name="See what follows").click()


@pytest.mark.parametrize("width", [1280, 375])
def test_drug_pages_fit_and_have_no_violation(
    admin: User,
    open_context: Callable[..., BrowserContext],
    width: int,
    tmp_path: Path,
) -> None:
    page = open_context(width, user=admin).new_page()
    write(page)
    for look in ("preview", *PATHS):
        if look != "preview":
            page.goto(look)
        fits(page)
        axe(page)
        targets_are_large(page, 24)
        name = look.strip("/").replace("/", "-").partition("?")[0]
        assert screenshot(page, tmp_path / f"{name}-{width}.png").exists()


def test_a_product_is_added_without_scripts_and_taken_back(
    admin: User, open_context: Callable[..., BrowserContext]
) -> None:
    page = open_context(scripts=False, user=admin).new_page()
    write(page)
    expect(page.get_by_text("15 MME/day")).to_be_visible()
    page.get_by_role("button", name="Change what I typed").click()
    expect(page.get_by_label("Strength")).to_have_value("10")
    page.get_by_role("button", name="See what follows").click()
    page.get_by_role("button", name="Write it to the drug table").click()

    expect(page.get_by_role("status")).to_contain_text("5 stored fills have the facts")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("is undone")


def test_the_rule_sets_print_on_paper(
    admin: User, open_context: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    page = open_context(user=admin).new_page()
    page.goto("/staff/drugs/rule-sets")

    assert 1 <= len(printed(page, tmp_path / "rules.pdf")) <= 2
