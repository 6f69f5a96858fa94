"""What patients and offices ask for, as lists: narrowed, sorted, and as files."""

from datetime import date, timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    OfficialRequest,
    PatientRequest,
    PatientRequestState,
    Role,
)
from pmp import audit, downloads, settings
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_identity, make_user
from tests.portal.lists import lines, shown, sorted_by

pytestmark = pytest.mark.each_engine

PATIENTS = "/staff/disclosures/requests"
OFFICES = "/staff/disclosures/official"
TODAY = NOW.date()


@pytest.fixture
def staff(browser: Browser, db: settings.Settings) -> Browser:
    browser.sign_in_as(make_user(Role.STAFF, username="lee"))
    return browser


def asked(days: int, **given: Any) -> str:
    """Have a patient ask so many days ago; give the request's number."""
    fields: dict[str, Any] = {
        "patient": make_identity(last_name="BRANDT", first_name="EDITH").patient,
        "asks": "both",
        "asked_by": "Edith Brandt",
        "identity_paper": "Passport",
        "paper_seen_by": "lee",
        "since": date(2020, 1, 1),
        "until": TODAY,
        "received_on": TODAY - timedelta(days=days),
        "due_on": TODAY + timedelta(days=30 - days),
        "taken_by": "lee",
        "taken_at": NOW,
    }
    return str(PatientRequest.create(**{**fields, **given}).id)


def ordered(case: str, days: int, **given: Any) -> str:
    """Have an office ask so many days ago; give the request's number."""
    fields: dict[str, Any] = {
        "case_number": case,
        "agency": "State Police",
        "officer": "Det. R. Moss",
        "legal_basis": "Court order",
        "received_on": TODAY - timedelta(days=days),
        "since": date(2020, 1, 1),
        "until": TODAY,
        "prepared_by": "lee",
        "prepared_at": NOW,
    }
    return str(OfficialRequest.create(**{**fields, **given}).id)


@pytest.fixture
def three(staff: Browser) -> list[str]:
    ended = {"state": PatientRequestState.GIVEN, "ended_at": NOW, "ended_by": "lee"}
    return [asked(9, asks="record"), asked(40), asked(20, **ended)]


def test_patients_requests_are_sorted_and_narrowed(
    staff: Browser, three: list[str]
) -> None:
    first, late, ended = three
    link, day = f"{PATIENTS}/", f"{TODAY - timedelta(days=30):%m/%d/%Y}"

    assert shown(staff, PATIENTS, link) == [ended, late, first]
    assert "3 requests, the newest first" in staff.text()
    assert shown(staff, f"{PATIENTS}?sort=due", link) == [late, ended, first]
    assert sorted_by(staff) == {"Due": "ascending"}
    assert shown(staff, f"{PATIENTS}?state=open", link) == [late, first]
    assert shown(staff, f"{PATIENTS}?asks=record", link) == [first]
    assert shown(staff, f"{PATIENTS}?since={day}&sort=came", link) == [ended, first]
    assert shown(staff, f"{PATIENTS}?sort=asked_by", link) == [ended, late, first]
    staff.get(f"{PATIENTS}?since=13/13/2026", status=422)
    staff.get(f"{PATIENTS}?state=mailed")
    assert "No request is like this." in staff.text()


def test_the_file_of_patients_requests_names_nobody(
    staff: Browser, three: list[str]
) -> None:
    table = lines(staff, f"{PATIENTS}.csv?sort=due&state=open")

    assert [row["Request"] for row in table] == [three[1], three[0]]
    patient = PatientRequest.get_by_id(three[1]).patient.id
    assert table[0]["Patient"] == str(patient)
    assert "BRANDT" not in str(table).upper()
    event = AuditEvent.get(event=audit.Event.LIST_DOWNLOADED)
    assert (event.actor, event.subject) == ("lee", "patient_requests")
    assert event.detail == {"rows": 2}


def test_official_requests_are_found_and_sorted(staff: Browser) -> None:
    old = ordered("26-1187", 9)
    new = ordered("State v. Quist", 2, agency="Attorney General")
    link = f"{OFFICES}/"

    assert shown(staff, OFFICES, link) == [new, old]
    assert shown(staff, f"{OFFICES}?sort=came", link) == [old, new]
    assert sorted_by(staff) == {"Came": "ascending"}
    staff.get(f"{OFFICES}?sort=agency")
    sent = staff.submit({"text": "quist attorney"}, action="/official/search")
    address = str(sent.location)
    assert "quist" not in address.lower()
    assert shown(staff, address, link) == [new]
    assert sorted_by(staff) == {"Agency": "ascending"}
    assert 'value="quist attorney"' in staff.page_text()


def test_the_file_of_official_requests_is_on_record(staff: Browser) -> None:
    old, new = ordered("State v. Quist", 9), ordered("26-1188", 2)

    table = lines(staff, f"{OFFICES}.csv?sort=came")

    assert [row["Request"] for row in table] == [old, new]
    assert "Quist" not in str(table)
    event = AuditEvent.get(event=audit.Event.LIST_DOWNLOADED)
    assert (event.subject, event.detail) == ("official_requests", {"rows": 2})


@pytest.mark.parametrize("path", [PATIENTS, OFFICES])
def test_a_file_of_requests_that_would_be_too_long_is_refused(
    staff: Browser, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    asked(1)
    ordered("26-1187", 1)
    monkeypatch.setattr(downloads, "MOST_ROWS", 0)

    staff.get(f"{path}.csv", status=422)

    assert "That is 1 requests; a file holds 0." in staff.text()
    assert "<tbody>" in staff.page_text()


@pytest.mark.parametrize("path", [PATIENTS, f"{PATIENTS}.csv", f"{OFFICES}.csv"])
def test_lists_of_requests_are_staffs_alone(
    browser: Browser, db: settings.Settings, path: str
) -> None:
    browser.sign_in_as(make_user(Role.PHARMACY))
    browser.get(path, status=404)
