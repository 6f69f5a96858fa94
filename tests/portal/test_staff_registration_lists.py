"""Staff's lists of registrations: found, narrowed, sorted, and as a file."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest

from models import Application, ApplicationStatus, AuditEvent, Profession, Role
from pmp import audit, downloads, settings
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_application, make_user

pytestmark = pytest.mark.each_engine


@pytest.fixture
def desk(browser: Browser, db: settings.Settings) -> Browser:
    browser.sign_in_as(make_user(Role.STAFF, username="lee"))
    return browser


def waiting(days: int, **given: Any) -> Application:
    """Give a registration whose signed page came so many days ago."""
    came = NOW - timedelta(days=days)
    profession = given.pop("profession", Profession.PRACTITIONER)
    row: Application = make_application(profession, at=came)
    changed = {
        "status": ApplicationStatus.CONFIRMATION_RECEIVED,
        "confirmation_received_at": came,
        "licence_number": f"CSP.{days}",
        **given,
    }
    Application.update(**changed).where(Application.id == row.id).execute()
    return Application.get_by_id(row.id)


@pytest.fixture
def three(desk: Browser) -> tuple[Application, Application, Application]:
    return (
        waiting(1, last_name="Zhang", first_name="Wei", dea="AZ1234563"),
        waiting(5, last_name="abbott", first_name="Ruth", middle_name="Ann"),
        waiting(3, pharmacy_name="Elm Pharmacy", profession=Profession.PHARMACY),
    )


def codes(desk: Browser, query: str = "") -> list[str]:
    page = desk.get(f"/staff/registrations{query}").get_data(as_text=True)
    _, _, rows = page.partition("<tbody>")
    return re.findall(r'href="/staff/registrations/([^"/?]+)"', rows)


def test_the_longest_waiting_comes_first_until_another_order_is_wanted(
    desk: Browser, three: tuple[Application, Application, Application]
) -> None:
    new, old, shop = (each.code for each in three)

    assert codes(desk) == [old, shop, new]
    assert codes(desk, "?sort=-waits") == [new, shop, old]
    assert codes(desk, "?sort=name") == [old, shop, new]
    assert codes(desk, "?sort=-code") == sorted([old, shop, new], reverse=True)
    assert codes(desk, "?sort=password_hash") == [old, shop, new]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?text=zhang", [0]),
        ("?text=az1234563", [0]),
        ("?text=ruth+abb", [1]),
        ("?text=Ruth+Ann+Abbott", [1]),  # as the page shows it
        ("?text=elm", [2]),
        ("?kind=pharmacy", [2]),
        ("?kind=pharmacy&text=zhang", []),
        ("?kind=nonsense", [1, 2, 0]),
        ("?text=%25", []),
    ],
)
def test_a_list_is_narrowed(
    desk: Browser,
    three: tuple[Application, Application, Application],
    query: str,
    found: list[int],
) -> None:
    assert codes(desk, query) == [three[each].code for each in found]


def test_waits_sorts_by_what_the_column_shows(desk: Browser) -> None:
    returned = waiting(
        9, status=ApplicationStatus.RETURNED, decided_at=NOW - timedelta(days=1)
    )
    again = waiting(2, decided_at=NOW - timedelta(days=8))
    decided = waiting(
        7, status=ApplicationStatus.REJECTED, decided_at=NOW - timedelta(days=3)
    )

    oldest_first = [decided.code, again.code, returned.code]
    assert codes(desk, "?list=all&sort=waits") == oldest_first
    assert codes(desk, "?list=all") == oldest_first[::-1]


def test_who_stands_in_another_list_is_offered(
    desk: Browser, three: tuple[Application, Application, Application]
) -> None:
    assert codes(desk, "?list=closed&text=zhang") == []
    assert "No registration in this list is like this" in desk.text()

    assert codes(desk, "?list=all&text=zhang") == [three[0].code]


def test_the_file_holds_what_the_page_lists_and_is_on_record(
    desk: Browser, three: tuple[Application, Application, Application]
) -> None:
    new, old, _ = (each.code for each in three)
    practitioners = three[0].profession
    query = f"?kind={practitioners}&sort=name"

    body = desk.get(f"/staff/registrations.csv{query}").get_data(as_text=True)

    header, *rows = csv.reader(io.StringIO(body.removeprefix("\ufeff")))
    assert [row[0] for row in rows] == [old, new]
    assert rows[1][header.index("DEA")] == "AZ1234563"
    event = AuditEvent.get(event=audit.Event.REGISTRATIONS_DOWNLOADED)
    assert (event.actor, event.detail) == ("lee", {"list": "decide", "rows": 2})


def test_too_long_a_search_is_refused_with_the_list(
    desk: Browser, three: tuple[Application, Application, Application]
) -> None:
    for path in ("", ".csv"):
        answer = desk.get(f"/staff/registrations{path}?text={'x' * 101}", status=422)
        assert "100" in desk.text()
        assert three[0].code in desk.text()
        # What is shown next is a page, though a file was asked for.
        assert 'action="/staff/registrations"' in answer.get_data(as_text=True)


def test_a_file_that_would_be_too_long_is_refused_with_what_was_asked_for(
    desk: Browser,
    three: tuple[Application, Application, Application],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)

    query = "?kind=practitioner&sort=name"
    page = desk.get(f"/staff/registrations.csv{query}", status=422)

    assert "That is 2 registrations; a file holds 1." in desk.text()
    assert three[2].code not in desk.text()  # the pharmacy: the list stays narrowed
    assert 'aria-sort="ascending"' in page.get_data(as_text=True)
    assert not AuditEvent.select().where(
        AuditEvent.event == audit.Event.REGISTRATIONS_DOWNLOADED
    )


def test_what_an_address_says_besides_goes_into_no_link(
    desk: Browser, three: tuple[Application, Application, Application]
) -> None:
    assert three
    query = "?text=zhang&sort=-name&_scheme=ftp&endpoint=x&words=y"
    page = desk.get(f"/staff/registrations{query}").get_data(as_text=True)

    assert "/staff/registrations?sort=name&amp;list=decide&amp;text=zhang" in page
    assert "ftp" not in page


def test_on_paper_the_list_says_what_it_was_narrowed_to(
    desk: Browser, three: tuple[Application, Application, Application]
) -> None:
    desk.get("/staff/registrations?list=all&kind=pharmacy&text=elm")
    page = " ".join(desk.page_text().split())
    assert 'print-only small"> Find: elm · Kind: Pharmacy' in page
    desk.get("/staff/registrations?kind=nonsense")
    assert "Kind: \u2013 " in desk.text()
    desk.get("/staff/registrations")
    assert "print-only small" not in desk.page_text()


def test_lists_and_file_are_staffs_alone(
    browser: Browser, db: settings.Settings
) -> None:
    browser.sign_in_as(make_user(Role.PRACTITIONER))
    for path in ("", ".csv", "?list=all"):
        browser.get(f"/staff/registrations{path}", status=404)
