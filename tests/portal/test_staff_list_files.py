"""Lists of staff as files: whose they are, and that each has an end."""

import pytest

from models import Role
from pmp import downloads, settings
from tests.browser import Browser
from tests.factories import make_user

FILES = {
    "/staff/tickets/calls.csv": "calls",
    "/staff/letters/runs.csv": "print runs",
    "/staff/mail-certificates.csv": "certificates",
    "/staff/drugs/changes.csv": "changes",
    "/staff/reporting/held.csv": "submissions",
}


@pytest.mark.parametrize("path", FILES)
def test_a_file_that_would_be_too_long_is_refused_with_its_list(
    browser: Browser, db: settings.Settings, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    browser.sign_in_as(make_user(Role.STAFF))
    monkeypatch.setattr(downloads, "MOST_ROWS", -1)

    browser.get(path, status=422)

    assert f"That is 0 {FILES[path]}; a file holds -1." in browser.text()
    browser.sign_in_as(make_user(Role.PRACTITIONER))
    browser.get(path, status=404)
