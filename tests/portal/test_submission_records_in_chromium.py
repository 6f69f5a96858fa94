"""Fourteen errors to none in a real browser: how many clicks and keys it takes."""

from collections.abc import Callable
from datetime import date

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import Profession, Role, Submission, User
from pmp import clock, uploads
from pmp.uploads import checking, corrections, submissions
from tests.chromium import axe, fits, targets_are_large
from tests.factories import (
    make_dispensation,
    make_identity,
    make_licence,
    make_pharmacy,
    make_product,
    make_user,
)
from tests.submission_files import ELM, OXYCODONE, fill, submission

pytestmark = pytest.mark.browser

# The first three are alike, and the next three; the others have a fault each.
FAULTS = (
    {"days": "0"},
    {"days": "0"},
    {"days": "0"},
    {"filled": "2026-11-05"},
    {"filled": "2026-11-06"},
    {"filled": "2026-11-07"},
    {"ndc": "0040605120"},
    {"dea": "AS3045121"},
    {"born": "20991231"},
    {"quantity": "-5"},
    {"last": ""},
    {"quantity": "SIXTY"},
    {"status": "09"},
    {"dea": ""},
)


@pytest.fixture
def elm(live: str) -> User:
    make_product(ndc=OXYCODONE)
    make_licence(Profession.PRACTITIONER, name="SARA SMITH MD", dea="AS3045122")
    user = make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2], name=ELM[3]))
    person = make_identity(
        last_name="EXAMPLE", first_name="ADA", birth_date=date(1980, 2, 16)
    )
    make_dispensation(person, pharmacy=user.pharmacy, filled_on=date(2026, 1, 2))
    return user


def faulty(by: User) -> Submission:
    records = [
        fill(**{"number": str(600101 + n), **faults}) for n, faults in enumerate(FAULTS)
    ]
    received = uploads.receive(
        filename="nov.dat", body=submission((ELM, records)), by=by, at=clock.now()
    )
    return uploads.process(received.id, at=clock.now())


class Hands:
    """Someone at the page: every click and every key is counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks, self.keys = page, 0, 0

    def click(self, role: str, name: str, *, nth: int = 0) -> None:
        found = self.page.get_by_role(role, name=name)  # type: ignore[arg-type]
        found.nth(nth).click()
        self.clicks += 1
        self.page.wait_for_load_state()

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.keys += len(text)
        self.press("Enter")

    def press(self, *keys: str) -> None:
        for key in keys:
            with self.page.expect_navigation() if key == "Send" else _nothing():
                self.page.keyboard.press("Enter" if key == "Send" else key)
            self.keys += 1

    def take_the_first_suggestion(self) -> None:
        """From the field: the next stop is its suggestion; Enter fills it in."""
        self.press("Tab", "Enter")


class _nothing:  # noqa: N801 - stands beside expect_navigation()
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.name"))


def apply_to_all(hands: Hands) -> None:
    hands.click("link", "Apply to all 2 like it")
    hands.click("button", "Change the ticked records")


def test_fourteen_errors_are_corrected_to_none(
    open_context: Callable[..., BrowserContext], elm: User
) -> None:
    done = faulty(elm)
    page = open_context(user=elm).new_page()
    page.goto(f"/submissions/{done.id}")
    hands = Hands(page)

    hands.click("link", "Correct 14 held records")
    assert focused(page) == "DSP10"
    hands.type("30")  # what stands there is selected, and typed over
    apply_to_all(hands)
    expect(page.get_by_text("2 records are corrected")).to_be_visible()

    assert focused(page) == "DSP05"
    hands.take_the_first_suggestion()
    assert focused(page) == "DSP05"
    hands.click("button", "20261105", nth=1)
    hands.press("Send")
    apply_to_all(hands)
    apply_to_all(hands)  # the day sold was written in the same way
    expect(page.get_by_text("Record 1 of 8 held")).to_be_visible()

    take_the_suggestions(hands, "00406051201", "AS3045122", "19800216")
    hands.type("5")
    expect(page.get_by_text("Record 1 of 4 held")).to_be_visible()
    take_the_suggestions(hands, "EXAMPLE", "60", "00", "AS3045122")

    expect(page.get_by_text("All corrected")).to_be_visible()
    now = Submission.get_by_id(done.id)
    assert (now.held, now.stored) == (0, 14)
    print(f"14 errors: {hands.clicks} clicks, {hands.keys} keys")  # noqa: T201
    assert hands.clicks <= 10
    assert hands.keys <= 40


def take_the_suggestions(hands: Hands, *values: str) -> None:
    for value in values:
        hands.take_the_first_suggestion()
        assert hands.page.locator(":focus").input_value() == value
        hands.press("Send")


@pytest.mark.parametrize("width", [1280, 375, 320])
def test_the_pages_of_held_records_fit_and_pass_axe(
    open_context: Callable[..., BrowserContext], elm: User, width: int
) -> None:
    done = faulty(elm)
    record = submissions.record(done, 1)
    elements = {**checking.current(record), "DSP10": "30"}
    corrections.correct(record, elements=elements, by=elm, at=clock.now())
    page = open_context(width, user=elm).new_page()
    here = f"/submissions/{done.id}"
    for path in (
        f"{here}/records/8?after=1",
        f"{here}/records/4",
        f"{here}/records/1",
        f"{here}/records/1/alike/DSP10",
        f"{here}/records/4/withdraw",
        f"{here}/corrections",
    ):
        page.goto(path)
        if path.endswith("after=1"):
            for summary in page.locator("details summary:visible").all():
                summary.click()
        axe(page)
        fits(page)
        targets_are_large(page)


def test_a_phone_shows_each_element_with_its_columns_below_each_other(
    open_context: Callable[..., BrowserContext], elm: User
) -> None:
    done = faulty(elm)
    page = open_context(375, user=elm).new_page()
    page.goto(f"/submissions/{done.id}/records/8")
    row = page.locator("table.correction tbody tr").first
    cells = [cell.bounding_box() for cell in row.locator("th, td").all()]

    tops = [cell["y"] for cell in cells if cell]
    assert len(tops) == 4
    assert tops == sorted(set(tops))
