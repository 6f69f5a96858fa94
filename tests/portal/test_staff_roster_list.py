"""Imports of roster files, as a list: narrowed, sorted, and as a file."""

from datetime import timedelta

import pytest

from models import AuditEvent, Role, RosterImport, RosterKind, RosterSource, RosterState
from pmp import audit, downloads, settings
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_user
from tests.portal.lists import lines, shown, sorted_by

pytestmark = pytest.mark.each_engine

PATH = "/staff/roster"


@pytest.fixture
def three(browser: Browser, db: settings.Settings) -> list[str]:
    """Give the numbers of three imports, signed in as an administrator."""
    browser.sign_in_as(make_user(Role.ADMINISTRATOR, username="chief"))
    rows = (
        ("licences-may.csv", RosterKind.LICENCES, RosterState.APPLIED, 7),
        ("npidata.zip", RosterKind.NPPES, RosterState.READY, 90),
        ("licences-june.csv", RosterKind.LICENCES, RosterState.READY, 2),
    )
    made = [
        RosterImport.create(
            filename=name,
            kind=kind,
            source=RosterSource.UPLOAD,
            state=state,
            changed=changed,
            asked_by="chief",
            asked_at=NOW + timedelta(hours=number),
        )
        for number, (name, kind, state, changed) in enumerate(rows)
    ]
    return [str(each.id) for each in made]


def test_imports_are_narrowed_and_sorted(browser: Browser, three: list[str]) -> None:
    may, npi, june = three
    link = f"{PATH}/"

    assert shown(browser, PATH, link) == [june, npi, may]
    assert "3 imports, the latest first" in browser.text()
    assert shown(browser, f"{PATH}?sort=-changed", link) == [npi, may, june]
    assert sorted_by(browser) == {"Changed": "descending"}
    assert shown(browser, f"{PATH}?text=licences&sort=file", link) == [june, may]
    assert "/staff/roster?sort=new&amp;text=licences" in browser.page_text()
    assert shown(browser, f"{PATH}?state=ready&kind=nppes", link) == [npi]
    assert shown(browser, f"{PATH}?sort=sha256", link) == [june, npi, may]
    browser.get(f"{PATH}?text=zzz")
    assert "No import is like this." in browser.text()


def test_the_file_of_imports_is_on_record(browser: Browser, three: list[str]) -> None:
    table = lines(browser, f"{PATH}.csv?kind=licences&sort=asked")

    assert [row["Import"] for row in table] == [three[0], three[2]]
    assert [row["State"] for row in table] == ["Applied", "To decide"]
    event = AuditEvent.get(event=audit.Event.LIST_DOWNLOADED)
    assert (event.actor, event.subject) == ("chief", "roster_imports")
    assert event.detail == {"rows": 2}


def test_a_file_of_imports_that_would_be_too_long_is_refused(
    browser: Browser, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_ROWS", 2)

    browser.get(f"{PATH}.csv", status=422)

    assert "That is 3 imports; a file holds 2." in browser.text()
    assert f"Import {three[0]}" in browser.text()


def test_the_list_of_imports_is_for_administrators(
    browser: Browser, db: settings.Settings
) -> None:
    browser.sign_in_as(make_user(Role.STAFF))
    browser.get(f"{PATH}.csv", status=404)
