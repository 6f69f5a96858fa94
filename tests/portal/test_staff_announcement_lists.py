"""Announcements and public pages, as lists for staff: narrowed, sorted, as a file."""

from datetime import timedelta

import pytest

from models import Announcement, AuditEvent, PageText, Role
from pmp import audit, clock, downloads, settings
from tests.browser import Browser
from tests.factories import make_user
from tests.portal.lists import lines, shown, sorted_by

pytestmark = pytest.mark.each_engine

PATH = "/staff/announcements"
LINK = f"{PATH}/"


@pytest.fixture
def staff(browser: Browser, db: settings.Settings) -> Browser:
    browser.sign_in_as(make_user(Role.STAFF, username="lee"))
    return browser


def announced(title: str, begins: int, ends: int, *, withdrawn: bool = False) -> str:
    """Have something announced from a day to a day, counted from today."""
    row = Announcement.create(
        title=title,
        body="Words.",
        audiences=["everybody"],
        is_grave=False,
        starts_on=clock.today() + timedelta(days=begins),
        ends_on=clock.today() + timedelta(days=ends),
        written_by="lee",
        written_at=clock.now(),
        withdrawn_at=clock.now() if withdrawn else None,
    )
    return str(row.id)


@pytest.fixture
def five(staff: Browser) -> dict[str, str]:
    """Give announcements by their title; one that ends today is still shown."""
    return {
        "Snow": announced("Snow", -9, -1),
        "Faxes": announced("Faxes", -3, 0),
        "Audit": announced("audit", 1, 9),
        "Zero reports": announced("Zero reports", -1, 9, withdrawn=True),
        "New rule": announced("New rule", 0, 1),
    }


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["New rule", "Zero reports", "Audit", "Faxes", "Snow"]),
        ("?sort=title", ["Audit", "Faxes", "New rule", "Snow", "Zero reports"]),
        ("?sort=-last&state=over", ["Snow"]),
        ("?state=shown_now&sort=first", ["Faxes", "New rule"]),
        ("?state=to_come", ["Audit"]),
        ("?state=withdrawn", ["Zero reports"]),
        ("?text=RULE", ["New rule"]),
        ("?sort=fax_line&text=ru&state=x", ["New rule"]),
    ],
)
def test_announcements_are_narrowed_and_sorted(
    staff: Browser, five: dict[str, str], query: str, titles: list[str]
) -> None:
    assert shown(staff, f"{PATH}{query}", LINK) == [five[title] for title in titles]
    of_state = {"over": "Over", "to_come": "To come", "withdrawn": "Withdrawn"}
    for state, words in of_state.items():
        if f"state={state}" in query:
            assert f">{words}</span>" in staff.page_text()


def test_the_file_of_announcements_holds_what_is_listed_and_is_on_record(
    staff: Browser, five: dict[str, str]
) -> None:
    table = lines(staff, f"{PATH}.csv?state=shown_now&sort=title")

    assert [row["Title"] for row in table] == ["Faxes", "New rule"]
    event = AuditEvent.get(event=audit.Event.LIST_DOWNLOADED)
    assert (event.actor, event.subject) == ("lee", "announcements")
    assert event.detail == {"rows": 2}


def test_a_file_of_announcements_that_would_be_too_long_is_refused(
    staff: Browser, five: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_ROWS", 4)

    staff.get(f"{PATH}.csv", status=422)

    assert "That is 5 announcements; a file holds 4." in staff.text()
    assert len(lines(staff, f"{PATH}.csv?state=over")) == 1


def test_nothing_like_it_leads_back_to_all(staff: Browser) -> None:
    staff.get(f"{PATH}?text=nothing")
    assert "No announcement is like this." in staff.text()
    staff.get(PATH)
    assert "Nothing was announced yet." in staff.text()


def test_public_pages_are_sorted_by_their_last_change(
    browser: Browser, db: settings.Settings
) -> None:
    browser.sign_in_as(make_user(Role.ADMINISTRATOR))
    path = "/staff/public-pages"
    own = shown(browser, path, f"{path}/")
    for days, name in ((1, "contact"), (3, "privacy")):
        PageText.create(
            name=name,
            version=1,
            title={"privacy": "Your data"}.get(name, name),
            summary="x",
            body="x",
            is_own=False,
            note="x",
            written_by="chief",
            written_at=clock.now() - timedelta(days=days),
        )

    assert shown(browser, f"{path}?sort=note", f"{path}/") == own
    assert sorted_by(browser) == {}
    by_change = shown(browser, f"{path}?sort=changed", f"{path}/")
    assert by_change[:2] == ["privacy", "contact"]
    assert sorted_by(browser) == {"Last change": "ascending"}
    by_title = shown(browser, f"{path}?sort=-page", f"{path}/")
    assert sorted(by_title) == sorted(own)
    assert by_title[0] == "privacy"
    assert f"{len(own)} pages" in browser.text()
