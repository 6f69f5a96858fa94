"""Many held cases released or closed after a look at what that does; lists, CSV."""

import re
from datetime import timedelta

import pytest

from models import CaseStatus, Delivery, Role, ThresholdCase
from pmp import downloads, settings
from pmp.thresholds import threshold_cases
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_crossing, make_patient, make_user
from tests.portal.lists import lines, shown, sorted_by

TODAY = NOW.date()


@pytest.fixture
def held(browser: Browser) -> list[ThresholdCase]:
    with settings.changed(hold_cases_for_review=True):
        cases = [make_crossing(make_patient(last_name="CANARY")) for _ in range(3)]
    browser.sign_in_as(make_user(Role.STAFF))
    return cases


LIST = "/staff/cases?status=held_for_review"


def test_the_chosen_are_released_after_a_review_with_counts(
    browser: Browser, held: list[ThresholdCase]
) -> None:
    browser.get(LIST)
    assert "3 cases, the oldest first" in browser.text()
    assert browser.page is not None
    page = browser.page.get_data(as_text=True)
    action = "/staff/cases/release?sort=found&amp;status=held_for_review"
    assert f'formaction="{action}"' in page
    both = {"case": [str(each.id) for each in held[:2]]}
    chosen = {"csrf_token": browser.token(), **both}
    browser.post("/staff/cases/release?status=held_for_review", chosen, status=200)
    assert "12 reports will be sent" in browser.text()
    assert "12 whom we cannot reach" in browser.text()
    assert Delivery.select().count() == 0
    browser.submit(both)
    browser.follow()

    assert "2 cases are released" in browser.text()
    assert "1 case, the oldest first" in browser.text()
    assert Delivery.select().count() == 12


def test_all_on_the_page_are_closed_with_a_reason_and_what_failed_is_named(
    browser: Browser, held: list[ThresholdCase]
) -> None:
    browser.get(LIST)
    everything = {
        "csrf_token": browser.token(),
        "all": "yes",
        "shown": [str(each.id) for each in held],
    }
    browser.post("/staff/cases/close", everything, status=200)
    assert "Close 3 cases?" in browser.text()
    ids = {"case": [str(each.id) for each in held]}
    browser.submit(ids | {"reason": " "}, status=422)
    assert "Say why the cases are closed" in browser.text()
    threshold_cases.close(held[0], reason="Hospice.", by=make_user(), at=NOW)
    browser.submit(ids | {"reason": "A drill."})
    browser.follow()

    assert "2 cases are closed." in browser.text()
    why = f"Not done, case {held[0].id}: This case has ended already."
    assert why in browser.text()
    assert {each.status for each in ThresholdCase.select()} == {CaseStatus.CLOSED}
    assert Delivery.select().count() == 0


def test_nothing_chosen_is_said_on_the_list(
    browser: Browser, held: list[ThresholdCase]
) -> None:
    browser.get(LIST)
    browser.post("/staff/cases/release", {"csrf_token": browser.token()})
    browser.follow()

    assert "Choose at least one case" in browser.text()


def test_the_list_as_csv_has_its_filters_and_no_patient(
    browser: Browser, held: list[ThresholdCase]
) -> None:
    threshold_cases.close(held[0], reason="Hospice.", by=make_user(), at=NOW)

    text = browser.get("/staff/cases.csv?status=held_for_review").get_data(as_text=True)

    numbers = re.findall(r'^"(\d+)"', text, flags=re.MULTILINE)
    assert numbers == [str(each.id) for each in held[1:]]
    assert "CANARY" not in text


def test_the_list_is_sorted_by_its_headings_and_goes_on_so_after_a_release(
    browser: Browser, held: list[ThresholdCase]
) -> None:
    for days, case in zip((2, 9, 5), held, strict=True):
        ThresholdCase.update(crossed_on=TODAY - timedelta(days=days)).where(
            ThresholdCase.id == case.id
        ).execute()
    new, old, middle = (str(each.id) for each in held)
    link = "/staff/cases/"

    assert shown(browser, LIST, link) == [new, old, middle]
    assert shown(browser, f"{LIST}&sort=reached", link) == [old, middle, new]
    assert sorted_by(browser) == {"Reached on": "ascending"}
    assert shown(browser, f"{LIST}&sort=patient", link) == [new, old, middle]
    assert [
        row["Case"] for row in lines(browser, "/staff/cases.csv?sort=-reached")
    ] == [
        new,
        middle,
        old,
    ]
    browser.get(LIST)
    chosen = {"csrf_token": browser.token(), "case": old}
    address = "/staff/cases/release?status=held_for_review&sort=reached"
    browser.post(address, chosen, status=200)
    sent = browser.submit({"case": old})
    assert "sort=reached" in str(sent.location)
    browser.follow()
    assert sorted_by(browser) == {"Reached on": "ascending"}


def test_a_file_of_cases_that_would_be_too_long_is_refused(
    browser: Browser, held: list[ThresholdCase], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_ROWS", 2)

    browser.get("/staff/cases.csv", status=422)

    assert "That is 3 cases; a file holds 2." in browser.text()
    assert f"Case {held[0].id}" in browser.text()


def test_filters_that_are_none_are_no_error(
    browser: Browser, held: list[ThresholdCase]
) -> None:
    browser.get("/staff/cases?status=x&rule=y&answers=z&_external=1&endpoint=a")
    assert "No case is here." in browser.text()
    browser.get("/staff/cases?status=x&answers=missing&page=9")


def test_many_cases_are_staff_work(browser: Browser, held: list[ThresholdCase]) -> None:
    browser.get(LIST)
    token = browser.token()
    browser.sign_in_as(make_user(Role.PRACTITIONER))

    for action in ("release", "close"):
        values = {"csrf_token": token, "case": str(held[0].id), "confirmed": "yes"}
        browser.post(f"/staff/cases/{action}", values, status=404)
    browser.get("/staff/cases.csv", status=404)


def test_a_case_names_no_drug_that_is_withheld(browser: Browser) -> None:
    browser.sign_in_as(make_user(Role.STAFF))
    case = make_crossing(make_patient())
    hidden, shown = threshold_cases.entries(case)[:2]
    hidden.withheld, hidden.drug_name = "naloxone", "NALOXONE HCL 4 MG SPRAY"
    hidden.save()

    page = browser.get(f"/staff/cases/{case.id}")

    assert shown.row_code in page.text
    assert hidden.row_code not in page.text
    assert "NALOXONE" not in page.text
