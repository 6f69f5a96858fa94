"""Faxes that wait and those put aside: found, narrowed, sorted, and as a file."""

from datetime import timedelta

import pytest

from models import AuditEvent, FaxStatus, InboundFax, Role
from pmp import audit, downloads, settings
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_user
from tests.portal.lists import lines, shown, sorted_by

pytestmark = pytest.mark.each_engine

LINK = "/staff/faxes/"


@pytest.fixture
def desk(browser: Browser, db: settings.Settings) -> Browser:
    browser.sign_in_as(make_user(Role.STAFF, username="lee"))
    return browser


def fax(days: int, **given: object) -> int:
    """Have a fax wait that came so many days ago; give its number."""
    fields = {"status": FaxStatus.UNMATCHED, "pages": days, "note": "It has no code."}
    row = InboundFax.create(
        received_at=NOW - timedelta(days=days),
        source="test",
        source_reference=f"test-{InboundFax.select().count()}",
        from_number=f"+1860555010{days}",
        **{**fields, **given},
    )
    return int(row.id)


def searched(desk: Browser, number: str) -> str:
    """Look for a number in the list at hand; give the address that it leads to."""
    sent = desk.submit({"number": number}, action="/staff/faxes/search/tray")
    return str(sent.location)


@pytest.fixture
def three(desk: Browser) -> list[str]:
    fax(9, status=FaxStatus.MATCHED)  # waits no more
    return [
        str(each)
        for each in (
            fax(1, pages=7),
            fax(5, status=FaxStatus.UNREADABLE, pages=0),
            fax(3),
        )
    ]


def test_the_oldest_fax_comes_first_until_another_order_is_wanted(
    desk: Browser, three: list[str]
) -> None:
    new, old, middle = three

    assert shown(desk, "/staff/faxes", LINK) == [old, middle, new]
    assert "3 faxes, the oldest first; it waits" in desk.text()
    assert sorted_by(desk) == {"Came": "ascending"}
    assert shown(desk, "/staff/faxes?sort=-pages", LINK) == [new, middle, old]
    assert sorted_by(desk) == {"Pages": "descending"}
    assert "the oldest first" not in desk.text()
    assert shown(desk, "/staff/faxes?sort=document_id", LINK) == [old, middle, new]


def test_a_number_narrows_the_list_and_stands_in_no_address(
    desk: Browser, three: list[str]
) -> None:
    desk.get("/staff/faxes?sort=-came&status=unmatched")
    address = searched(desk, "555-0101")

    assert "0101" not in address
    assert "sort=-came" in address
    assert "status=unmatched" in address
    assert shown(desk, address, LINK) == [three[0]]
    assert desk.page is not None
    assert 'value="555-0101"' in desk.page_text()  # it stays typed
    desk.get("/staff/faxes?number=5550101")  # in clear: not from a page of ours
    assert "3 faxes" in desk.text()


def test_what_nobody_sent_is_said_and_leads_back(
    desk: Browser, three: list[str]
) -> None:
    desk.get("/staff/faxes")
    desk.get(searched(desk, "0199"))

    assert "No fax that waits is like this." in desk.text()
    assert shown(desk, "/staff/faxes?status=unreadable", LINK) == [three[1]]


def test_faxes_put_aside_are_narrowed_by_whom_and_when(desk: Browser) -> None:
    aside = {"status": FaxStatus.DISMISSED, "handled_at": NOW}
    ours = fax(2, handled_by="lee", **aside)
    old = fax(8, handled_by="lee", **aside)
    fax(3, handled_by="ortiz", **aside)
    path, day = "/staff/faxes/put-aside", f"{NOW - timedelta(days=4):%m/%d/%Y}"

    assert shown(desk, f"{path}?by=lee", LINK) == [str(ours), str(old)]
    assert shown(desk, f"{path}?by=lee&sort=came", LINK) == [str(old), str(ours)]
    assert shown(desk, f"{path}?by=lee&since={day}", LINK) == [str(ours)]
    desk.get(f"{path}?since=13/13/2026", status=422)
    assert "no such day" in desk.text()


def test_the_tray_has_pages_that_keep_the_order(desk: Browser) -> None:
    for _ in range(51):
        fax(1)

    assert len(shown(desk, "/staff/faxes?sort=-fax", LINK)) == 50
    assert desk.page is not None
    assert "/staff/faxes?page=2&amp;sort=-fax" in desk.page_text()
    assert len(shown(desk, "/staff/faxes?sort=-fax&page=2", LINK)) == 1


def test_the_file_holds_what_the_page_lists_and_is_on_record(
    desk: Browser, three: list[str]
) -> None:
    new, _, middle = three

    table = lines(desk, "/staff/faxes/tray.csv?status=unmatched&sort=-pages")

    assert [row["Fax"] for row in table] == [new, middle]
    assert table[0]["From"] == "(860) 555-0101"
    event = AuditEvent.get(event=audit.Event.LIST_DOWNLOADED)
    assert (event.actor, event.subject) == ("lee", "faxes")
    assert event.detail == {"rows": 2}
    assert lines(desk, "/staff/faxes/aside.csv") == []


def test_a_file_that_would_be_too_long_is_refused_with_the_list(
    desk: Browser, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)

    desk.get("/staff/faxes/tray.csv?status=unmatched", status=422)

    assert "That is 2 faxes; a file holds 1." in desk.text()
    assert f"Fax {three[0]}" in desk.text()
    assert not AuditEvent.select().where(
        AuditEvent.event == audit.Event.LIST_DOWNLOADED
    )


def test_lists_and_files_of_faxes_are_staffs_alone(
    browser: Browser, db: settings.Settings
) -> None:
    browser.sign_in_as(make_user(Role.PRACTITIONER))
    for path in ("tray.csv", "aside.csv", "put-aside"):
        browser.get(f"/staff/faxes/{path}", status=404)
    browser.get("/staff/faxes", status=404)
