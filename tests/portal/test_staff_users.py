"""The pages of users: the list, one user, what administrators do in two persons."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest

from models import Delivery, ProposalStatus, Role, RoleChange, User, UserStatus
from pmp import clock, downloads
from pmp.accounts import sessions, user_desk
from tests.browser import Browser
from tests.factories import make_application, make_practitioner_licence, make_user

LICENCE = "CSP.0009911"


@pytest.fixture
def chief(browser: Browser) -> User:
    chief = make_user(Role.ADMINISTRATOR, username="chief")
    browser.sign_in_as(chief)
    return chief


@pytest.fixture
def doctor(chief: User) -> User:
    assert chief.id
    return make_user(
        Role.PRACTITIONER,
        username="doctor",
        name="Rae Oakes",
        licence=make_practitioner_licence(code=LICENCE),
        password_hash="kept",
    )


def test_the_list_is_narrowed_sorted_and_downloaded(
    browser: Browser, doctor: User
) -> None:
    make_user(username="rae.elm", name="Rae Elm")

    browser.get("/staff/users?text=rae&sort=-user")
    text = browser.text()
    assert "2 users" in text
    assert text.index("rae.elm") < text.index("doctor")
    browser.get("/staff/users?text=rae&role=practitioner&state=active")
    assert "1 user " in browser.text()
    browser.get("/staff/users?text=nobody")
    assert "No user is like this." in browser.text()

    answer = browser.get("/staff/users.csv?text=oakes")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True))))
    assert [row[0] for row in rows[1:]] == ["doctor"]
    assert LICENCE in rows[1]


def test_a_file_of_users_that_would_be_too_long_is_refused_with_the_list(
    browser: Browser, doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)

    browser.get("/staff/users.csv?sort=-user", status=422)

    assert "a file holds 1." in browser.text()
    assert doctor.username in browser.text()


def test_a_user_s_page_shows_what_hangs_on_the_account(
    browser: Browser, doctor: User
) -> None:
    application = make_application(user=doctor)
    sessions.begin(user=doctor, address="192.0.2.9", browser="", at=clock.now())

    browser.get(f"/staff/users/{doctor.id}")

    text = browser.text()
    assert application.code in text
    assert LICENCE in text
    assert "192.0.2.9" in text
    assert "Suspend" in text


def test_an_administrator_suspends_with_a_reason_and_opens_again(
    browser: Browser, new_browser: Callable[..., Browser], doctor: User
) -> None:
    theirs = new_browser()
    theirs.sign_in_as(doctor)
    theirs.get("/account")

    browser.get(f"/staff/users/{doctor.id}/suspend")
    browser.submit({"reason": " "}, status=422)
    assert "Say why" in browser.text()
    browser.submit({"reason": "left the practice"})
    browser.follow()

    assert "doctor is suspended" in browser.text()
    assert "left the practice" in browser.text()  # in the history
    theirs.get("/account", status=303)
    browser.get(f"/staff/users/{doctor.id}/reactivate")
    browser.submit({"reason": "came back"})
    browser.follow()
    assert "doctor may sign in again" in browser.text()
    assert User.get_by_id(doctor.id).status == UserStatus.ACTIVE


def test_a_page_that_was_open_too_long_says_what_changed(
    browser: Browser, doctor: User
) -> None:
    browser.get(f"/staff/users/{doctor.id}/suspend")
    other = make_user(Role.ADMINISTRATOR, username="other")
    user_desk.new_letter(doctor.id, reason="moved", seen="", by=other, at=clock.now())

    browser.submit({"reason": "left"}, status=422)

    assert "other had a new password letter mailed (moved)" in browser.text()
    assert " left " in browser.text()  # what was typed stays
    browser.submit()
    assert User.get_by_id(doctor.id).status == UserStatus.SUSPENDED


def test_a_new_letter_is_ordered(browser: Browser, doctor: User) -> None:
    browser.get(f"/staff/users/{doctor.id}/new-letter")
    browser.submit({"reason": "lost it"})
    browser.follow()
    assert "doctor gets a new letter" in browser.text()
    assert Delivery.select().count() == 2  # the letter, and the news of it


def test_a_locked_user_is_unlocked_from_their_page(
    browser: Browser, doctor: User
) -> None:
    doctor.locked_until = clock.now() + timedelta(minutes=5)
    doctor.save()
    browser.get(f"/staff/users/{doctor.id}")
    assert "Locked until" in browser.text()
    browser.submit(action="/unlock")
    browser.follow()
    assert "The lock is off" in browser.text()
    assert "Locked until" not in browser.text()


def test_a_role_needs_a_second_administrator(
    browser: Browser, new_browser: Callable[..., Browser], chief: User
) -> None:
    clerk = make_user(Role.STAFF, username="clerk")
    browser.get(f"/staff/users/{clerk.id}/role")
    browser.submit({"role": "administrator", "reason": "takes over"})
    browser.follow()
    assert "You proposed this" in browser.text()
    [change] = RoleChange.select()
    browser.post(
        f"/staff/role-changes/{change.id}/confirm", {"csrf_token": browser.token()}
    )
    browser.follow()
    assert "another administrator must confirm it" in browser.text()

    second = new_browser()
    second.sign_in_as(make_user(Role.ADMINISTRATOR, username="second"))
    second.get("/staff")
    assert "1 Roles to confirm" in second.text()
    second.get("/staff/users")
    assert "clerk: from staff to administrator" in second.text()
    second.get(f"/staff/role-changes/{change.id}")
    assert "suspend accounts, change roles, make staff accounts" in second.text()
    second.submit(action="/decline", values={"reason": ""}, status=422)
    second.submit(action="/confirm")
    second.follow()

    assert User.get_by_id(clerk.id).role == Role.ADMINISTRATOR
    fresh = RoleChange.get_by_id(change.id)
    assert (fresh.status, fresh.decided_by) == (ProposalStatus.CONFIRMED, "second")
    assert chief.username == fresh.proposed_by


def test_staff_read_users_and_do_nothing_about_them(
    browser: Browser, new_browser: Callable[..., Browser], doctor: User
) -> None:
    staff = new_browser()
    staff.sign_in_as(make_user(Role.STAFF))
    staff.get(f"/staff/users/{doctor.id}")
    assert "Suspend" not in staff.text()
    assert "History" not in staff.text()
    for path in ("suspend", "reactivate", "new-letter", "role"):
        staff.get(f"/staff/users/{doctor.id}/{path}", status=404)
    staff.post(
        f"/staff/users/{doctor.id}/unlock", {"csrf_token": staff.token()}, status=404
    )
    browser.get("/staff/users/999", status=404)
    auditor = new_browser()
    auditor.sign_in_as(make_user(Role.AUDITOR))
    auditor.get("/staff/users", status=404)
