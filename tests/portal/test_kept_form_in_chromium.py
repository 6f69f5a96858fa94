"""What was typed when the session ended is sent after sign-in, by a real browser."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, expect

from models import KeptForm, Role, Session
from pmp import clock
from pmp.accounts import passwords, second_factor
from tests.authenticator import set_up
from tests.chromium import axe, fits, targets_are_large
from tests.factories import make_user
from tests.portal.test_account import PASSWORD

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("width", "scripts"), [(1280, True), (375, True), (375, False)]
)
def test_form_goes_where_it_was_meant_for(
    live: str, open_context: Callable[..., BrowserContext], width: int, *, scripts: bool
) -> None:
    doctor = make_user(Role.PRACTITIONER, username="dr.adams")
    set_up(doctor, at=clock.now())
    sandra = make_user(username="sandra", password_hash=passwords.hash_secret(PASSWORD))
    page = open_context(width, scripts=scripts, user=sandra).new_page()
    page.goto("/staff/sign-in-help/dr.adams")
    page.get_by_label("How did you make sure").fill("Called back at the office")
    Session.update(seen_at=clock.now() - timedelta(minutes=20)).execute()

    page.get_by_role("button", name="Remove the second factor").click()
    expect(page.get_by_text("kept for an hour")).to_be_visible()
    page.get_by_label("User name").fill("sandra")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Called back at the office")).to_be_visible()
    if scripts:
        axe(page)
        fits(page)
        targets_are_large(page)
    page.get_by_role("button", name="Send it now").click()

    expect(page.get_by_text("dr.adams is removed")).to_be_visible()
    assert not second_factor.has(doctor)
    assert KeptForm.select().count() == 0
