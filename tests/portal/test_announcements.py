"""Announcements on the pages where people begin, and as staff write them."""

import io
import re
from datetime import timedelta
from typing import Any

import pypdf
import pytest

from gateway import documents, messages
from gateway.message import Message
from models import Announcement, Delivery, DismissedAnnouncement, Role, User
from pmp import announcements, clock, leaflets, settings
from pmp.announcements import Terms
from pmp.wording import us_date
from tests.browser import Browser
from tests.factories import make_user

NEW = "/staff/announcements/new"


@pytest.fixture
def staff(db: settings.Settings) -> User:
    return make_user(Role.STAFF, username="staff.lee")


def typed(**changes: Any) -> dict[str, Any]:
    until = us_date(clock.today() + timedelta(days=3))
    values = {
        "title": "The office is closed on Friday",
        "body": "Call us on **Monday**.",
        "audiences": "everybody",
        "ends_on": until,
    }
    return {**values, **changes}


def announce(staff: User, title: str, *audiences: str) -> Announcement:
    today = clock.today()
    terms = Terms(
        title, "Words.", audiences, is_grave=False, starts_on=today, ends_on=today
    )
    return announcements.publish(terms, by=staff, at=clock.now())


def test_staff_see_it_before_anybody_else_and_then_publish_it(
    browser: Browser, staff: User
) -> None:
    browser.get("/announcements")
    assert "There is no announcement now." in browser.text()
    browser.sign_in_as(staff)
    browser.get("/staff/announcements")
    browser.get(NEW)
    browser.submit(typed(is_grave="y"), status=200)
    assert "Important:" in browser.text()
    assert "Nothing is published yet." in browser.text()
    assert Announcement.select().count() == 0

    browser.submit({"confirm": "yes"})
    browser.follow()
    assert "The announcement is published." in browser.text()
    assert "Shown now" in browser.text()
    answer = browser.get("/staff/announcements.csv")
    assert "The office is closed on Friday" in answer.get_data(as_text=True)
    browser.client.delete_cookie("session")
    page = browser.get("/").get_data(as_text=True)
    assert "<strong>Monday</strong>" in page
    browser.get("/announcements")
    assert "The office is closed on Friday" in browser.text()


def test_what_was_changed_after_the_preview_is_shown_once_more(
    browser: Browser, staff: User
) -> None:
    browser.sign_in_as(staff)
    browser.get(NEW)
    browser.submit({**typed(), "confirm": "yes"}, status=200)
    browser.submit({"title": "Another", "confirm": "yes"}, status=200)
    assert Announcement.select().count() == 0
    browser.submit({"confirm": "yes"})
    assert Announcement.get().title == "Another"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": ""}, "Write a title"),
        ({"body": ""}, "Write the text"),
        ({"audiences": None}, "Choose at least one."),
        ({"audiences": "nobody"}, "valid choice"),
        ({"ends_on": ""}, "Write the last day"),
        ({"ends_on": "13/45/2026"}, "There is no such day."),
        ({"ends_on": "01/02/2020", "starts_on": "01/01/2020"}, "This day is over"),
        ({"fax_line": "x" * 81}, "81 characters"),
        ({"body": "[x](javascript:x)"}, "leads nowhere"),
        ({"body": "[x](/no/such/page)"}, "no page at /no/such/page"),
    ],
)
def test_what_will_not_do_comes_back_with_what_is_wrong(
    browser: Browser, staff: User, changes: dict[str, Any], said: str
) -> None:
    browser.sign_in_as(staff)
    browser.get(NEW)
    browser.submit({**typed(), **changes}, status=422)
    assert said in browser.text()
    assert Announcement.select().count() == 0


@pytest.mark.parametrize(
    ("role", "audience"),
    [
        (Role.PRACTITIONER, "practitioners"),
        (Role.PHARMACY, "pharmacies"),
        (Role.STAFF, "staff"),
        (Role.AUDITOR, "staff"),
        (Role.ANALYST, "everybody"),
    ],
)
def test_it_stands_where_a_role_begins_until_it_is_read(
    browser: Browser, staff: User, role: Role, audience: str
) -> None:
    row = announce(staff, "For you", audience)
    others = {"practitioners", "pharmacies", "staff"} - {audience}
    if audience != "everybody":
        announce(staff, "For others", *others)
    user = make_user(role)
    browser.sign_in_as(user)
    browser.get("/", status=303)
    browser.follow()
    assert "For you" in browser.text()
    assert "For others" not in browser.text()

    browser.submit(action=f"/announcements/{row.id}/dismiss")
    browser.follow()
    assert "For you" not in browser.text()
    assert DismissedAnnouncement.get().user == user
    browser.get("/announcements")
    assert "For you" in browser.text()


def test_nobody_who_is_not_signed_in_finds_what_is_for_users(
    browser: Browser, staff: User
) -> None:
    announce(staff, "For staff", "staff")
    for path in ("/", "/announcements"):
        browser.get(path)
        assert "For staff" not in browser.text()


def test_what_is_not_for_a_user_is_unknown_to_them(
    browser: Browser, staff: User
) -> None:
    row = announce(staff, "For staff", "staff")
    browser.sign_in_as(make_user(Role.PHARMACY))
    browser.get("/account")
    token = {"csrf_token": browser.token()}
    browser.post(f"/announcements/{row.id}/dismiss", token, status=404)
    browser.post("/announcements/999/dismiss", token, status=404)


def test_it_is_changed_withdrawn_and_brought_back(
    browser: Browser, staff: User
) -> None:
    row = announce(staff, "Old words", "everybody")
    path = f"/staff/announcements/{row.id}"
    browser.sign_in_as(staff)
    browser.get(path)
    form = {"csrf_token": browser.token(), **fields_of(row), "title": "New words"}
    browser.post(path, form, status=200)
    assert "Who has read the old one sees the new one again." in browser.text()
    browser.post(path, {**form, "seen": seen(browser), "confirm": "yes"})
    assert Announcement.get().title == "New words"

    browser.get(path)
    browser.submit(action=f"{path}/withdraw")
    browser.follow()
    assert "nobody sees it any more" in browser.text()
    browser.get("/announcements")
    assert "New words" not in browser.text()
    browser.get(path)
    browser.submit(action=f"{path}/restore")
    browser.get("/announcements")
    assert "New words" in browser.text()


def test_of_two_who_change_it_the_second_sees_both(
    browser: Browser, staff: User
) -> None:
    row = announce(staff, "Old words", "everybody")
    path = f"/staff/announcements/{row.id}"
    browser.sign_in_as(staff)
    browser.get(path)
    form = {"csrf_token": browser.token(), **fields_of(row), "title": "Mine"}
    browser.post(path, form, status=200)
    mark = seen(browser)
    theirs = Terms(
        "Theirs",
        "Other words.",
        ("staff",),
        is_grave=True,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
    )
    announcements.change(row, theirs, replaces=1, by=staff, at=clock.now())

    browser.post(path, {**form, "seen": mark, "confirm": "yes"}, status=409)

    assert "What staff.lee wrote meanwhile" in browser.text()
    assert "Other words." in browser.text()
    assert "Mine" in browser.text()
    assert Announcement.get().title == "Theirs"


@pytest.mark.parametrize(
    "role", [Role.PRACTITIONER, Role.PHARMACY, Role.AUDITOR, Role.ANALYST]
)
def test_nobody_but_staff_announces(browser: Browser, role: Role) -> None:
    browser.sign_in_as(make_user(role))
    for path in ("/staff/announcements", NEW, "/staff/announcements.csv"):
        browser.get(path, status=404)
    browser.get("/account")
    token = {"csrf_token": browser.token()}
    browser.post(NEW, {**typed(), **token, "confirm": "yes"}, status=404)
    assert Announcement.select().count() == 0


def test_its_line_is_on_the_cover_sheet_of_a_fax_that_leaves_meanwhile(
    browser: Browser, staff: User
) -> None:
    browser.sign_in_as(staff)
    browser.get(NEW)
    browser.submit(typed(fax_line="Closed on Friday, call Monday"), status=200)
    browser.submit({"confirm": "yes"})
    notice = Delivery(id=7, address="+18605550123")
    message = Message(address=notice.address, subject="S", pdf=one_page())

    fax = messages._faxed(notice, message, at=clock.now())

    cover = pypdf.PdfReader(io.BytesIO(fax)).pages[0].extract_text()
    assert "Closed on Friday, call Monday" in cover


def one_page() -> bytes:
    return documents.leaflet_pdf(leaflets.leaflet("patients"))


def test_text_of_an_announcement_runs_nowhere(browser: Browser, staff: User) -> None:
    browser.sign_in_as(staff)
    browser.get(NEW)
    answer = browser.submit(typed(body="<script>alert(1)</script>"), status=200)
    assert "<script>alert" not in answer.get_data(as_text=True)


def fields_of(row: Announcement) -> dict[str, Any]:
    return {
        "title": row.title,
        "body": row.body,
        "audiences": row.audiences,
        "starts_on": us_date(row.starts_on),
        "ends_on": us_date(row.ends_on),
        "fax_line": row.fax_line,
        "version": str(row.version),
    }


def seen(browser: Browser) -> str:
    assert browser.page is not None
    found = re.search(
        r'name="seen"[^>]*value="(\w+)"', browser.page.get_data(as_text=True)
    )
    assert found
    return found[1]
