"""The page of settings: reviewed before they hold, seen on a letter, undone."""

from collections.abc import Callable
from io import BytesIO

import pypdf
import pytest

from models import Role, SettingChange, User
from pmp import clock, kept_settings, settings
from pmp.kept_settings.editable import OFFICE
from tests.browser import Browser
from tests.factories import make_user

LINES = "Prescription Monitoring Program\r\n9 New Street\r\nHartford, CT 06103"


@pytest.fixture
def chief(browser: Browser) -> User:
    chief = make_user(Role.ADMINISTRATOR, username="chief")
    browser.sign_in_as(chief)
    return chief


def in_force(browser: Browser) -> str:
    """Give what every page says of the office."""
    browser.get("/account")
    return browser.text()


@pytest.mark.usefixtures("chief")
def test_a_change_is_reviewed_then_holds_on_every_page_and_is_undone(
    browser: Browser,
) -> None:
    browser.get("/staff/settings/office")
    browser.submit({"program_phone": "860-555-0142", "office_lines": LINES}, status=200)
    assert "Review the change" in browser.text()
    assert "(860) 713-6073 (860) 555-0142" in browser.text()
    assert "555-0142" not in in_force(browser)

    browser.get("/staff/settings/office")
    browser.submit({"program_phone": "860-555-0142", "office_lines": LINES}, status=200)
    browser.submit({"reason": ""}, status=422)
    assert "Say why" in browser.text()
    assert "Review the change" in browser.text()
    browser.submit({"reason": "We have moved"})
    browser.follow()

    assert "The settings are changed" in browser.text()
    assert "We have moved" in browser.text()
    text = in_force(browser)
    assert "(860) 555-0142" in text
    assert "9 New Street" in text
    browser.get("/staff/settings")
    [change] = SettingChange.select()
    browser.submit(action=f"/changes/{change.id}/undo")
    browser.follow()
    assert "Undone" in browser.text()
    assert "9 New Street" not in in_force(browser)


@pytest.mark.usefixtures("chief")
def test_a_letter_is_seen_with_the_new_values_before_they_hold(
    browser: Browser,
) -> None:
    browser.get("/staff/settings/office")
    browser.submit({"office_lines": LINES}, status=200)
    answer = browser.submit(action=None, status=200, values={"confirmed": ""})
    assert "Review the change" in browser.text()
    token = browser.token()
    typed = {"office_lines": LINES, "csrf_token": token}
    shown = {
        each.name: kept_settings.text_of(settings.current(), each.name)
        for each in OFFICE.settings
    }
    answer = browser.post(
        "/staff/settings/office/letter.pdf", {**shown, **typed}, status=200
    )
    page = pypdf.PdfReader(BytesIO(answer.get_data())).pages[0].extract_text()
    assert "9 New Street" in page
    assert settings.current().office_lines.startswith("Department of Consumer")


@pytest.mark.usefixtures("chief")
def test_what_is_wrong_is_said_at_its_field_and_stays_typed(browser: Browser) -> None:
    browser.get("/staff/settings/days")
    browser.submit({"ticket_days": "none", "late_notices": "99"}, status=422)
    text = browser.text()
    assert "“none” will not do. Write a number 1 or more." in text
    assert "“99” will not do. Write a number from 1 to 12." in text
    assert browser.page is not None
    assert 'value="none"' in browser.page.get_data(as_text=True)
    browser.get("/staff/settings/days")
    browser.submit(status=422)
    assert "Nothing here differs" in browser.text()
    browser.get("/staff/settings/nothing", status=404)


@pytest.mark.usefixtures("chief")
def test_who_reviewed_an_older_state_is_told_what_changed(browser: Browser) -> None:
    browser.get("/staff/settings/office")
    browser.submit({"short_name": "PMP"}, status=200)
    other = make_user(Role.ADMINISTRATOR, username="other")
    kept_settings.keep(
        OFFICE, {"short_name": "CTPMP"}, reason="x", seen=0, by=other, at=clock.now()
    )
    browser.submit({"reason": "shorter"}, status=422)
    assert "other changed short name to “CTPMP”" in browser.text()
    browser.get("/account")
    assert "CTPMP" in browser.text()


@pytest.mark.usefixtures("chief")
def test_the_list_shows_what_only_the_environment_sets_without_secrets(
    browser: Browser,
) -> None:
    browser.get("/staff/settings")
    text = browser.text()
    assert "PMP_SECRET_KEY set, not shown" in text
    assert settings.current().secret_key.get_secret_value() not in text


def test_only_administrators_see_settings(new_browser: Callable[..., Browser]) -> None:
    for role in (Role.STAFF, Role.AUDITOR, Role.PHARMACY):
        other = new_browser()
        other.sign_in_as(make_user(role))
        other.get("/staff/settings", status=404)
        other.get("/staff/settings/office", status=404)
