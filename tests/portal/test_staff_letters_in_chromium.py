"""Letters in a real browser: a run from waiting to mailed to returned; phone, paper."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from gateway import barcodes
from models import Delivery, DeliveryState, PrintRun, Role, User
from pmp import clock
from pmp.deliveries import delivery_desk
from pmp.deliveries.letter_codes import letter_code
from tests.chromium import axe, fits, printed, screenshot, targets_are_large
from tests.factories import make_user
from tests.portal.test_staff_letters import letter

pytestmark = pytest.mark.browser


@pytest.fixture
def staff(live: str) -> User:
    return make_user(Role.STAFF, username="sandra")


def open_run(page: Page) -> PrintRun:
    page.goto("/staff/letters")
    page.get_by_role("button", name="Open a print run").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Print run")
    opened: PrintRun = PrintRun.get()
    return opened


def download(page: Page, button: str) -> bytes:
    with page.expect_download() as downloaded:
        page.get_by_role("button", name=button).first.click()
    return Path(downloaded.value.path()).read_bytes()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_run_goes_from_waiting_to_mailed_to_returned_by_its_code(
    staff: User, open_context: Callable[..., BrowserContext], *, scripts: bool
) -> None:
    first, second = letter(), letter(short=True)
    page = open_context(scripts=scripts, user=staff).new_page()
    open_run(page)

    paper = download(page, "Print 2 letters")
    codes = barcodes.every_code(paper)
    assert codes == [letter_code(first.id), letter_code(second.id)]
    page.get_by_text("Some did not come out well").click()
    page.get_by_label(f"({letter_code(second.id)})").check()
    page.get_by_role("button", name="The paper came out").click()
    expect(page.get_by_text("1 letter came out. Print 1 letter again.")).to_be_visible()
    assert barcodes.every_code(download(page, "Print 1 letter")) == codes[1:]
    page.get_by_role("button", name="The paper came out").click()
    page.get_by_text("Tracking numbers of certified").click()
    page.get_by_label(f"({codes[0]})").fill("9407 1118 9956 0000 0000 01")
    page.get_by_role("button", name="Mark as mailed").click()
    expect(page.get_by_text("2 letters marked as mailed.")).to_be_visible()
    page.get_by_role("button", name="Undo: not mailed").click()
    page.get_by_role("button", name="Mark as mailed").click()

    # A scanner is a keyboard that types the code and presses Enter.
    page.goto("/staff/letters/returned")
    expect(page.get_by_label("Code of the letter")).to_be_focused()
    for code in codes:
        page.keyboard.type(code)
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"{code} is marked as returned.")).to_be_visible()
        expect(page.get_by_label("Code of the letter")).to_be_focused()
    states = [Delivery.get_by_id(row.id).state for row in (first, second)]
    assert states == [DeliveryState.RETURNED] * 2
    page.get_by_role("button", name="Undo").first.click()
    counted = page.get_by_text(f"{codes[1]} counts as mailed again.")
    expect(counted).to_be_visible()


@pytest.mark.parametrize("width", [1280, 375])
def test_letter_pages_fit_have_no_violation_and_print(
    staff: User,
    open_context: Callable[..., BrowserContext],
    width: int,
    tmp_path: Path,
) -> None:
    rows = [letter(short=True) for _ in range(3)]
    page = open_context(width, user=staff).new_page()
    page.goto("/staff/letters")
    look(page, "waiting", width, tmp_path)
    run = open_run(page)
    look(page, "run-to-print", width, tmp_path)
    page.get_by_role("button", name="The paper came out").click()
    expect(page.get_by_role("button", name="Mark as mailed")).to_be_visible()
    delivery_desk.cancel(rows[1].id, reason="moot", by=staff, at=clock.now())
    page.reload()
    look(page, "run-to-pull", width, tmp_path)
    page.get_by_role("button", name="Mark as mailed").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    look(page, "run-refused", width, tmp_path)
    page.get_by_role("button", name="I pulled it out").click()
    page.get_by_role("button", name="Mark as mailed").click()
    expect(page.get_by_role("button", name="Undo: not mailed")).to_be_visible()
    look(page, "run-mailed", width, tmp_path)
    page.goto(f"/staff/letters/runs/{run.id}/manifest")
    look(page, "manifest", width, tmp_path)
    assert len(printed(page, tmp_path / "manifest.pdf")) == 1
    page.goto("/staff/letters/returned")
    page.get_by_label("Code of the letter").fill(letter_code(rows[0].id))
    page.get_by_role("button", name="It came back").click()
    expect(page.get_by_text("is marked as returned.")).to_be_visible()
    look(page, "returned", width, tmp_path)
    page.goto("/staff/letters")
    look(page, "letters", width, tmp_path)


def look(page: Page, name: str, width: int, folder: Path) -> None:
    fits(page)
    axe(page)
    targets_are_large(page, 24)
    assert screenshot(page, folder / f"{name}-{width}.png").exists()
