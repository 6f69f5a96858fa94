"""Unusual look-ups and protected persons, as staff and the user who is asked see it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from models import (
    AuditEvent,
    LookUp,
    ProtectedPerson,
    Purpose,
    Role,
    UnusualKind,
    UnusualLookUp,
    UnusualStatus,
    User,
)
from pmp import audit, clock, downloads, lookup, settings
from pmp.lookup import Criteria, protected, unusual_answers
from tests.browser import Browser
from tests.chromium import axe, fits, targets_are_large
from tests.factories import make_patient, make_user
from tests.portal.lists import lines, shown, sorted_by

MISSING = "There is no such question"


@pytest.fixture
def doctor(browser: Browser) -> User:
    return make_user(Role.PRACTITIONER, name="Ruth Adams", username="dr.adams")


def look_up(by: User, first_name: str = "PAUL", last_name: str = "ADAMS") -> LookUp:
    """Look up a new patient of this name, at the hour of a working day."""
    make_patient(first_name=first_name, last_name=last_name)
    at = clock.now()
    criteria = Criteria(
        first_name=first_name,
        last_name=last_name,
        birth_date=clock.today().replace(year=1971, month=4, day=28),
        purpose=Purpose.TREATING,
        since=clock.today() - timedelta(days=365),
        until=clock.today(),
    )
    with settings.changed(unusual_hours=""):
        lookup.search(criteria=criteria, by=by, at=at)
    found: LookUp = LookUp.select().order_by(LookUp.id.desc()).get()
    return found


def other_adams(first_name: str) -> User:
    """Give another prescriber whose look-ups for an Adams stand out."""
    return make_user(Role.PRACTITIONER, name=f"{first_name} Adams")


def protect(first_name: str = "Maria", last_name: str = "Delgado") -> ProtectedPerson:
    return protected.add(
        first_name=first_name,
        last_name=last_name,
        birth_date=clock.today().replace(year=1971, month=4, day=28),
        reason="A judge",
        by=make_user(Role.ADMINISTRATOR),
        at=clock.now(),
    )


def staff(browser: Browser, role: Role = Role.STAFF) -> User:
    user = make_user(role)
    browser.sign_in_as(user)
    return user


def test_staff_see_who_looked_when_what_for_and_why_it_stands_out(
    browser: Browser, doctor: User
) -> None:
    look_up(doctor)
    look_up(doctor, "JANE", "NOVAK")  # noise: nothing about it
    user = staff(browser)

    browser.get("/staff")
    assert "Unusual look-ups" in browser.text()
    browser.get("/staff/look-ups")

    text = browser.text()
    for words in (
        "1 look-up.",
        "dr.adams",
        "ADAMS, PAUL",
        "Treating this patient",
        "Own name.",
        "The user's own last name, which is a common one.".replace("'", "&#39;"),
    ):
        assert words in text
    assert "NOVAK" not in text
    listed = AuditEvent.select().where(
        AuditEvent.event == audit.Event.UNUSUAL_LISTED.value
    )
    assert [each.actor for each in listed] == [user.username]


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ("", 2),
        ("?status=", 3),
        ("?status=explained", 1),
        ("?status=open&kind=own_name", 1),
        ("?status=&kind=limit", 0),
        ("?status=&who=dr.adams", 3),
        ("?status=&who=dr.a", 0),
        ("?status=&since=01/01/2099", 0),
        ("?status=&until=01/01/2001", 0),
    ],
)
def test_the_list_is_narrowed(
    browser: Browser, doctor: User, filters: str, count: int
) -> None:
    look_up(doctor)
    look_up(doctor, "LUCY")
    UnusualLookUp.update(status=UnusualStatus.EXPLAINED).where(
        UnusualLookUp.id == 1
    ).execute()
    protect()
    look_up(doctor, "MARIA", "DELGADO")
    staff(browser)

    browser.get(f"/staff/look-ups{filters}")

    assert f"{count} look-up" in browser.text()


def test_a_filter_that_is_none_is_told_at_its_field(
    browser: Browser, doctor: User
) -> None:
    staff(browser)

    browser.get("/staff/look-ups?since=never", status=422)
    assert "Write the date" in browser.text()
    browser.get("/staff/look-ups.csv?kind=hat", status=422)


def test_the_file_names_no_patient_and_no_word_that_was_said(
    browser: Browser, doctor: User
) -> None:
    protect("Pauline", "Canaryquist")
    look_up(doctor, "PAULINE", "CANARYQUIST")
    doctor.name = "=PAUL()"
    doctor.save()
    staff(browser)
    browser.get("/staff/look-ups/1")
    browser.submit({"text": "Is Pauline yours?", "ask": "yes"})

    [row] = lines(browser, "/staff/look-ups.csv")

    assert row["User name"] == "dr.adams"
    assert row["State"] == "User asked"
    assert row["Messages"] == "1"
    assert row["Look-up"] == str(LookUp.get().id)
    assert not [cell for cell in row.values() if cell.startswith("=")]
    text = str(row).upper()
    assert not any(word in text for word in ("CANARY", "PAULINE", "04/28/1971"))


def test_a_heading_sorts_the_list_and_the_state_outlasts_it(
    browser: Browser, doctor: User
) -> None:
    for user in (doctor, other_adams("Zoe"), other_adams("Ann")):
        look_up(user)
    staff(browser)
    path, link = "/staff/look-ups", "/staff/look-ups/"

    assert shown(browser, path, link) == ["3", "2", "1"]
    assert shown(browser, f"{path}?sort=-user&status=", link) == ["2", "1", "3"]
    assert sorted_by(browser) == {"User": "descending"}
    assert "/staff/look-ups?sort=user&amp;status=" in browser.page_text()
    assert shown(browser, f"{path}?sort=looked&_scheme=x", link) == ["1", "2", "3"]
    assert shown(browser, f"{path}?sort=last_name", link) == ["3", "2", "1"]
    table = lines(browser, f"{path}.csv?sort=-user")
    assert [row["Number"] for row in table] == ["2", "1", "3"]


def test_a_file_of_look_ups_that_would_be_too_long_is_refused(
    browser: Browser, doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up(doctor)
    look_up(other_adams("Zoe"))
    staff(browser)
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)

    browser.get("/staff/look-ups.csv", status=422)

    assert "That is 2 look-ups; a file holds 1." in browser.text()


def test_a_question_reaches_the_user_and_the_answer_staff(
    browser: Browser, doctor: User, new_browser: Callable[..., Browser]
) -> None:
    look_up(doctor)
    lee = staff(browser)
    browser.get("/staff/look-ups/1")
    browser.submit({"text": "Is he a relative of yours?", "ask": "yes"})
    browser.follow()
    assert "User asked" in browser.text()

    theirs = new_browser()
    theirs.sign_in_as(doctor)
    theirs.get("/look-up")
    assert "Program staff ask you about a look-up" in theirs.text()
    theirs.get("/look-ups/questions/1")
    assert "Is he a relative of yours?" in theirs.text()
    theirs.submit({"text": ""}, status=422)
    theirs.submit({"text": "No, a patient for ten years."})
    theirs.follow()
    assert "ask you about a look-up" not in theirs.text()
    theirs.get("/look-ups/questions/1", status=404)

    browser.get("/staff/look-ups/1")
    assert "User answered" in browser.text()
    assert "No, a patient for ten years." in browser.text()
    browser.submit({"text": "A namesake.", "explain": "yes"})
    browser.follow()
    row = UnusualLookUp.get()
    assert (row.status, row.explained_by) == (UnusualStatus.EXPLAINED, lee.username)
    assert [m.text for m in unusual_answers.thread(row)] == [
        "Is he a relative of yours?",
        "No, a patient for ten years.",
        "A namesake.",
    ]
    assert audit.verify() == []


def test_what_is_explained_is_not_explained_again(
    browser: Browser, doctor: User
) -> None:
    look_up(doctor)
    staff(browser)
    browser.get("/staff/look-ups/1")
    token = browser.token()
    browser.submit({"text": "A namesake.", "explain": "yes"})
    again = {"csrf_token": token, "text": "Again.", "explain": "yes"}

    browser.post("/staff/look-ups/1", again, status=422)

    assert "Somebody else has changed this meanwhile" in browser.text()
    assert len(unusual_answers.thread(UnusualLookUp.get())) == 1


def test_a_note_needs_words(browser: Browser, doctor: User) -> None:
    look_up(doctor)
    staff(browser)
    browser.get("/staff/look-ups/1")

    browser.submit({"text": " ", "explain": "yes"}, status=422)

    assert UnusualLookUp.get().status is UnusualStatus.OPEN


def test_nobody_answers_for_another(
    browser: Browser, doctor: User, new_browser: Callable[..., Browser]
) -> None:
    look_up(doctor)
    staff(browser)
    browser.get("/staff/look-ups/1")
    browser.submit({"text": "Why?", "ask": "yes"})
    other = new_browser()
    other.sign_in_as(make_user(Role.PRACTITIONER))

    other.get("/look-ups/questions/1", status=404)
    assert MISSING in other.text()
    other.get("/look-ups/questions/99", status=404)
    assert MISSING in other.text()


@pytest.mark.parametrize(
    ("role", "look_ups", "persons"),
    [
        (Role.STAFF, 200, 404),
        (Role.ADMINISTRATOR, 200, 200),
        (Role.ANALYST, 404, 404),
        (Role.AUDITOR, 404, 404),
        (Role.PRACTITIONER, 404, 404),
        (Role.PHARMACY, 404, 404),
    ],
)
def test_who_may_see_what(
    browser: Browser, role: Role, look_ups: int, persons: int
) -> None:
    staff(browser, role)

    browser.get("/staff/look-ups", status=look_ups)
    browser.get("/staff/look-ups.csv", status=look_ups)
    browser.get("/staff/protected-persons", status=persons)


def test_an_administrator_keeps_the_list_of_protected_persons(
    browser: Browser, doctor: User
) -> None:
    admin = staff(browser, Role.ADMINISTRATOR)
    browser.get("/staff/protected-persons")
    typed = {
        "first_name": "Maria",
        "last_name": "Delgado",
        "birth_date": "Apr 28, 1971",
        "reason": "A judge",
    }

    browser.submit({**typed, "birth_date": "4-28-25"}, status=422)
    assert "Was it 1925 or 2025?" in browser.text()
    browser.submit(typed)
    browser.follow()
    assert "DELGADO, MARIA" in browser.text()
    look_up(doctor, "MARIA", "DELGADO")
    browser.get("/staff/look-ups")
    assert "Protected person." in browser.text()

    browser.get("/staff/protected-persons")
    browser.submit(action="/remove")
    browser.follow()
    assert "Nobody is on the list" in browser.text()
    assert ProtectedPerson.get().removed_by == admin.username


@pytest.mark.each_engine
def test_protected_persons_are_found_and_sorted_without_a_name_in_the_address(
    browser: Browser, db: settings.Settings
) -> None:
    for first, last in (("Maria", "Delgado"), ("Ann", "zorn"), ("Bob", "Delgado")):
        protect(first, last)
    staff(browser, Role.ADMINISTRATOR)
    path, names = "/staff/protected-persons", ["DELGADO, B", "DELGADO, M", "ZORN, ANN"]

    browser.get(path)
    assert sorted(names, key=browser.text().index) == names
    assert "3 people" in browser.text()
    browser.get(f"{path}?sort=-name")
    assert sorted(names, key=browser.text().index) == names[::-1]
    assert sorted_by(browser) == {"Name": "descending"}

    browser.submit({"text": "delgado, maria"}, action="/search")
    browser.follow()
    assert "delgado" not in browser._path().lower()
    assert "sort=-name" in browser._path()
    assert "1 person" in browser.text()
    assert "ZORN" not in browser.text()
    browser.get(f"{path}.csv", status=404)


def test_who_looks_up_is_not_told_that_somebody_is_protected(
    browser: Browser, doctor: User
) -> None:
    make_patient(first_name="MARIA", last_name="DELGADO")
    protect()
    browser.sign_in_as(doctor)
    browser.get("/look-up")

    browser.submit(
        {"first_name": "Maria", "last_name": "Delgado", "birth_date": "04/28/1971"}
    )
    browser.follow()
    assert "rotected" not in browser.text()
    browser.get("/look-ups")
    assert "rotected" not in browser.text()
    kinds = {row.kind for row in UnusualLookUp.select()}
    assert UnusualKind.PROTECTED_PERSON in kinds


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 375])
def test_pages_are_accessible_and_fit_any_screen(
    live: str, open_context: Callable[..., BrowserContext], width: int
) -> None:
    doctor = make_user(Role.PRACTITIONER, name="Ruth Adams")
    look_up(doctor)
    protect()
    look_up(doctor, "MARIA", "DELGADO")
    page: Any = open_context(width, user=make_user(Role.ADMINISTRATOR)).new_page()

    for path in ("/staff/look-ups", "/staff/look-ups/1", "/staff/protected-persons"):
        page.goto(path)
        axe(page)
        fits(page)
        targets_are_large(page)
