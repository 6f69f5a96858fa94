"""The pages of delegates in a real browser: two widths, and the quarter's question."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from models import Delegation, Role, User
from pmp import clock, settings
from pmp.delegates import asking, deciding
from pmp.delegates.asking import Person
from tests.chromium import axe, fits, targets_are_large
from tests.factories import make_practitioner_licence, make_user

pytestmark = pytest.mark.browser


@pytest.fixture
def doctor(live: str) -> Iterator[User]:
    assert live.startswith("http")
    with settings.changed(delegates=True):
        yield make_user(
            Role.PRACTITIONER, name="Rae Oakes", licence=make_practitioner_licence()
        )


@pytest.mark.parametrize("width", [1280, 375])
def test_the_pages_of_delegates_fit_and_have_no_violation(
    open_context: Callable[..., BrowserContext], doctor: User, width: int
) -> None:
    clerk = make_user(Role.STAFF, username="clerk")
    asked, row = (
        asking.ask(Person(name, "nurse"), answers=True, by=doctor, at=clock.now())
        for name in ("Casey Reed", "Robin Hale")
    )
    deciding.approve(row.id, by=clerk, at=clock.now())
    Delegation.update(reviewed_at=clock.now().replace(year=2001)).execute()

    page = open_context(width, user=doctor).new_page()
    for path in ("", "/ask", f"/{row.id}/end", f"/{row.id}/look-ups"):
        page.goto(f"/delegates{path}")
        axe(page)
        fits(page)
        targets_are_large(page)
    page.goto("/delegates")
    page.get_by_label("Still works for me and needs this").check()
    page.get_by_role("button", name="Save these answers").click()
    expect(page.get_by_text("Confirmed: 1. Ended: 0.")).to_be_visible()

    page = open_context(width, user=clerk).new_page()
    for path in ("", f"/{asked.id}", f"/{row.id}"):
        page.goto(f"/staff/delegates{path}")
        axe(page)
        fits(page)
        targets_are_large(page)
