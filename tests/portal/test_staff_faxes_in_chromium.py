"""The fax desk in a real browser: guesses, parts, what is left out; on a phone too."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from models import FaxStatus, InboundFax, Role, User
from pmp import settings
from pmp.faxes import fax_sheets
from tests.chromium import axe, fits, targets_are_large
from tests.factories import make_application, make_user
from tests.faxes import now, page, receive, tiff

pytestmark = pytest.mark.browser
Windows = Callable[..., BrowserContext]
OPEN_ALL = "document.querySelectorAll('main details').forEach(d => d.open = true)"


@pytest.fixture
def staff(live: str) -> User:
    return make_user(Role.STAFF)


@pytest.fixture
def whole(live: str) -> InboundFax:
    """Give a call that brought a form, a blank page, and one of a closed form."""
    known = make_application()
    closed = make_application(status="rejected", fax="860 555 0143")
    make_application(fax="860 555 0143", last_name="Caller")
    body = tiff([page(known.code), page(blank=True), page(closed.code), page()])
    return receive(body, number="8605550143")


def test_one_press_attaches_the_best_guess(
    open_context: Windows, staff: User, whole: InboundFax
) -> None:
    waiting = fax_sheets.parts_of(whole)[1]
    tab = open_context(user=staff).new_page()
    tab.goto("/staff/faxes")
    expect(tab.get_by_text("Perhaps")).to_contain_text("The same fax number")
    tab.get_by_role("link", name=f"Fax {waiting.id}").click()
    row = tab.get_by_role("row", name="Caller")
    row.get_by_role("button", name="Attach").click()

    expect(tab.get_by_text("The fax is attached to")).to_be_visible()
    assert now(waiting).status == FaxStatus.MATCHED


def test_pages_are_taken_out_and_put_back_without_scripts(
    open_context: Windows, staff: User, whole: InboundFax
) -> None:
    waiting = fax_sheets.parts_of(whole)[1]
    tab = open_context(scripts=False, user=staff).new_page()
    tab.goto(f"/staff/faxes/{waiting.id}")
    tab.get_by_text("It holds another form as well").click()
    tab.get_by_label("Another form begins on page").fill("4")
    tab.get_by_role("button", name="Divide it there").click()
    expect(tab.get_by_text("Say what it is")).to_be_visible()
    assert fax_sheets.shown(waiting) == [3]

    tab.get_by_text(f"Its pages belong to fax {waiting.id}").click()
    tab.get_by_role("button", name="Put its pages back").click()
    expect(tab.get_by_text("Its pages are with fax")).to_be_visible()
    assert fax_sheets.shown(waiting) == [3, 4]


def test_the_pages_have_no_axe_violation_and_fit(
    open_context: Windows, staff: User, whole: InboundFax
) -> None:
    first, waiting = fax_sheets.parts_of(whole)
    unreadable = receive(b"%PDF-1.7\nnothing")
    paths = [f"/staff/faxes/{each.id}" for each in (whole, first, waiting, unreadable)]
    for path in ("/staff/faxes", *paths, f"{paths[1]}?whole=1"):
        for width in (1280, 375):
            tab = open_context(width, user=staff).new_page()
            tab.goto(path)
            tab.evaluate(OPEN_ALL)
            axe(tab)
            fits(tab)
            targets_are_large(tab)
    assert settings.current().fax_days
