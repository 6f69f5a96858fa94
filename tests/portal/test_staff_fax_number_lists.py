"""Lists of fax numbers: each sorted by itself, and as a file."""

from datetime import timedelta
from functools import partial
from html import unescape

import pytest

from models import AuditEvent, FaxNumber, Role
from pmp import audit, clock, downloads, settings
from pmp.paging import page_of
from pmp.reaching import checks, number_lists
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_licence, make_user
from tests.portal.lists import lines, sorted_by

pytestmark = pytest.mark.each_engine

PATH = "/staff/fax-numbers"


@pytest.fixture
def staff(browser: Browser, db: settings.Settings) -> Browser:
    browser.sign_in_as(make_user(Role.STAFF, username="lee"))
    for days, why in ((1, "A bakery"), (3, "Zoo"), (2, "A church")):
        FaxNumber.create(
            number=f"+1860555010{days}",
            blocked_at=NOW - timedelta(days=days),
            blocked_by="lee",
            blocked_why=why,
        )
    FaxNumber.create(number="+18605550199", station="RIGHT")
    return browser


def reasons(staff: Browser, query: str = "") -> list[str]:
    staff.get(f"{PATH}{query}")
    text = staff.text()
    return sorted(("A bakery", "A church", "Zoo"), key=text.index)


def test_wrong_numbers_are_counted_and_sorted(staff: Browser) -> None:
    assert reasons(staff) == ["A bakery", "A church", "Zoo"]
    assert "3 numbers, the latest first" in staff.text()
    assert sorted_by(staff) == {"Since": "descending"}
    assert reasons(staff, "?wrong_sort=-why") == ["Zoo", "A church", "A bakery"]
    assert sorted_by(staff) == {"Why": "descending"}
    assert reasons(staff, "?wrong_sort=until") == ["A bakery", "A church", "Zoo"]


def test_each_list_is_paged_and_sorted_alone(
    staff: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(number_lists, "page_of", partial(page_of, size=2))
    for number in range(3):
        licence, fax = make_licence(), f"+1860555012{number}"
        checks.ask_once(licence, number=fax, at=clock.now())

    staff.get(f"{PATH}?wrong_page=2&wrong_sort=-why&out_sort=-tested")

    text, links = staff.text(), unescape(staff.page_text())
    assert "Page 1 of 2" in text
    assert "Page 2 of 2" in text
    kept = "wrong_sort=-why&wrong_page=2"
    assert f"{PATH}?out_page=2&out_sort=-tested&{kept}" in links
    assert f"{PATH}?out_sort=asked&{kept}" in links
    assert f"{PATH}?wrong_page=1&wrong_sort=-why&out_sort=-tested" in links


def test_the_file_holds_the_list_in_its_order_and_is_on_record(staff: Browser) -> None:
    table = lines(staff, f"{PATH}/wrong.csv?sort=wrong")

    assert [row["Why"] for row in table] == ["A bakery", "A church", "Zoo"]
    assert table[0]["Number"] == "(860) 555-0101"
    event = AuditEvent.get(event=audit.Event.LIST_DOWNLOADED)
    assert (event.actor, event.subject) == ("lee", "fax_numbers_wrong")
    assert event.detail == {"rows": 3}
    assert lines(staff, f"{PATH}/out.csv") == lines(staff, f"{PATH}/changes.csv") == []


def test_a_file_that_would_be_too_long_is_refused_with_the_lists(
    staff: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_ROWS", 2)

    staff.get(f"{PATH}/wrong.csv", status=422)

    assert "That is 3 numbers; a file holds 2." in staff.text()
    assert "Zoo" in staff.text()
