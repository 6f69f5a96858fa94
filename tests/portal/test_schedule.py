"""Tomorrow's schedule: pasted or sent, read back, looked up, one line a patient."""

import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext

from gateway import tasks
from models import Disclosure, LookUp, PatientSchedule, Role, User
from pmp import clock, settings
from tests.browser import Browser
from tests.chromium import axe, fits, targets_are_large
from tests.factories import make_dispensation, make_patient, make_user

LIST = (
    "KOWALSKI, ANNA 04/28/1971\nAnna Nobody\t1971-04-28\nAnna Novak\nTwin, Anna 4-28-71"
)


@pytest.fixture
def doctor(browser: Browser) -> User:
    user = make_user(Role.PRACTITIONER, name="Ruth Adams")
    browser.sign_in_as(user)
    return user


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect what the worker is asked to run, instead of queueing it."""
    numbers: list[int] = []
    monkeypatch.setattr(tasks, "nudge", lambda _, number: numbers.append(number))
    return numbers


def people() -> None:
    make_dispensation(
        patient=make_patient(last_name="KOWALSKI"), filled_on=clock.today()
    )
    for _ in range(2):
        make_patient(last_name="TWIN")


def test_the_list_is_read_back_before_anybody_is_looked_up(
    browser: Browser, doctor: User, nudged: list[int]
) -> None:
    browser.get("/schedule")

    page = browser.submit({"text": LIST}, status=200).get_data(as_text=True)

    assert "3 people were read" in browser.text()
    assert "There is no birth date." in browser.text()
    assert "Anna Novak" in browser.text()  # as typed
    assert "Look up 3 people" in page
    assert (PatientSchedule.select().count(), nudged) == (0, [])


def test_the_worker_looks_each_up_and_the_page_shows_it(
    browser: Browser, doctor: User, nudged: list[int]
) -> None:
    people()
    browser.get("/schedule")
    browser.submit({"text": LIST}, status=200)
    browser.submit({"run": "yes"})
    page = browser.follow()

    assert page.headers["Refresh"] == "3"
    assert "0 of 3 looked up" in browser.text()
    assert nudged == [1]
    tasks.run_schedule.call_local(1)
    page = browser.get("/schedule/1")

    assert "Refresh" not in page.headers
    text = browser.text()
    assert "3 people were looked up" in text
    for words in ("Found 1", "Several or similar: choose", "No record found"):
        assert words in text
    assert "Anna Novak" not in text


def test_a_list_that_nobody_works_on_says_so_and_lets_the_session_end(
    browser: Browser, doctor: User, nudged: list[int]
) -> None:
    browser.get("/schedule")
    browser.submit({"text": LIST}, status=200)
    browser.submit({"run": "yes"})
    PatientSchedule.update(made_at=clock.now() - timedelta(minutes=11)).execute()

    page = browser.get("/schedule/1")

    assert "Refresh" not in page.headers
    assert "This takes longer than usual" in browser.text()


def test_a_line_opens_its_report_or_its_candidates_as_a_new_look_up(
    browser: Browser, doctor: User, nudged: list[int]
) -> None:
    people()
    browser.get("/schedule")
    browser.submit({"text": LIST}, status=200)
    browser.submit({"run": "yes"})
    tasks.run_schedule.call_local(1)
    before = LookUp.select().count()
    browser.get("/schedule/1")

    browser.submit({"line": "1"}, action="/open")
    browser.follow()
    assert "KOWALSKI, ANNA" in browser.text()
    browser.get("/schedule/1")
    browser.submit({"line": "3"}, action="/open")
    browser.follow()
    assert "Which of these people is it?" in browser.text()

    assert LookUp.select().count() == before + 2
    assert [row.what for row in Disclosure.select().order_by(Disclosure.id)] == [
        "line of a schedule",
        "patient report (page)",
    ]
    browser.get("/schedule/1")
    browser.submit({"line": "99"}, action="/open", status=404)


@pytest.mark.parametrize(
    "body",
    [
        b"Last,First,DOB\nKOWALSKI,ANNA,04/28/1971\n",
        "Last;First;DOB\nKOWALSKI;ANNA;04/28/1971\n".encode("utf-8-sig"),
        "Anna Kowalski\t1971-04-28\nJosé Núñez\t1971-04-28".encode("cp1252"),
    ],
)
def test_a_file_is_read_like_a_pasted_list(
    browser: Browser, doctor: User, body: bytes
) -> None:
    browser.get("/schedule")

    browser.submit({"file": (io.BytesIO(body), "list.csv")}, status=200)

    assert "KOWALSKI" in browser.text()
    assert "read" in browser.text()
    if b"Jos" in body:
        assert "NÚÑEZ" in browser.text()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"PK\x03\x04\0\0\0", "This is no text file"),
        (b"x" * 50_001, "too large for a list"),
    ],
)
def test_a_file_that_is_no_list_is_refused_at_its_field(
    browser: Browser, doctor: User, body: bytes, words: str
) -> None:
    browser.get("/schedule")

    browser.submit({"file": (io.BytesIO(body), "list.xlsx")}, status=422)

    assert words in browser.text()


def test_nothing_typed_is_asked_for(browser: Browser, doctor: User) -> None:
    browser.get("/schedule")

    browser.submit({}, status=422)

    assert "Paste a list, or choose a file" in browser.text()


def test_too_many_are_refused_and_what_was_typed_is_kept(
    browser: Browser, doctor: User, nudged: list[int]
) -> None:
    with settings.changed(scheduled_patients_per_day=1):
        browser.get("/schedule")
        browser.submit({"text": LIST}, status=200)
        page = browser.submit({"run": "yes"}, status=422).get_data(as_text=True)

    assert "you have 1 left" in browser.text()
    assert "KOWALSKI, ANNA 04/28/1971" in page
    assert nudged == []


def test_a_list_can_be_deleted_and_is_nobody_elses(
    browser: Browser,
    doctor: User,
    nudged: list[int],
    new_browser: Callable[..., Browser],
) -> None:
    browser.get("/schedule")
    browser.submit({"text": LIST}, status=200)
    browser.submit({"run": "yes"})
    other = new_browser()
    other.sign_in_as(make_user(Role.PHARMACY))

    other.get("/schedule/1", status=404)
    browser.get("/schedule")
    assert "List 1 of" in browser.text()
    browser.get("/schedule/1")
    browser.submit(action="/delete")
    browser.follow()

    assert "The list is deleted" in browser.text()
    browser.get("/schedule/1", status=404)


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.PHARMACY, 200), (Role.STAFF, 404), (Role.AUDITOR, 404)],
)
def test_lists_are_for_prescribers_and_pharmacies(
    browser: Browser, role: Role, status: int
) -> None:
    browser.sign_in_as(make_user(role))

    browser.get("/schedule", status=status)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 375])
def test_pages_work_without_scripts_and_fit_any_screen(
    live: str,
    open_context: Callable[..., BrowserContext],
    width: int,
    nudged: list[int],
) -> None:
    people()
    user = make_user(Role.PRACTITIONER)
    page = open_context(width, scripts=False, user=user).new_page()

    page.goto("/schedule")
    page.get_by_label("Names and birth dates, a line for each patient").fill(LIST)
    page.get_by_role("button", name="Read the list").click()
    page.get_by_role("button", name="Look up 3 people").click()
    page.wait_for_url("**/schedule/1")
    tasks.run_schedule.call_local(1)
    page.get_by_text("3 people were looked up").wait_for()  # the page renews itself
    page.get_by_role("button", name=re.compile("Open report.*KOWALSKI")).click()
    page.wait_for_url("**/reports/*")

    page = open_context(width, user=user).new_page()
    page.goto("/schedule/1")
    axe(page)
    fits(page)
    targets_are_large(page)
    page.goto("/schedule")
    page.get_by_label("Names and birth dates, a line for each patient").fill(LIST)
    page.get_by_role("button", name="Read the list").click()
    page.get_by_role("button", name="Look up 3 people").wait_for()
    axe(page)
    fits(page)
    targets_are_large(page)
