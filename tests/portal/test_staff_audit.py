import csv
import io
import re
from datetime import timedelta

import pytest

from models import AuditEvent, Role, User
from pmp import audit, disclosures
from pmp.disclosures import official_requests
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_crossing, make_patient, make_user
from tests.pmp.test_official_requests import asked

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def auditor(browser: Browser) -> User:
    user = make_user(Role.AUDITOR, username="auditor.kim")
    browser.sign_in_as(user)
    return user


def event(actor: str, what: audit.Event, subject: str, **detail: object) -> None:
    audit.record(what, actor=actor, subject=subject, at=NOW, detail=detail)


def test_events_are_found_by_who_and_what(browser: Browser, auditor: User) -> None:
    event("dr.adams", audit.Event.CASE_OPENED, "case:1")
    event("dr.adams", audit.Event.TICKET_OPENED, "ticket:T1")
    event("dr.brown", audit.Event.CASE_OPENED, "case:2")

    browser.get("/staff/audit?actor=dr.adams&event=threshold_case:opened")

    assert "1 event, the newest first." in browser.text()
    assert "case:1" in browser.text()
    assert "case:2" not in browser.text()


def test_who_looked_at_a_patient(browser: Browser, auditor: User) -> None:
    patient, other = make_patient(), make_patient()
    for each in (patient, other):
        disclosures.record(
            patient=each,
            recipient=f"Reader of {each.id}",
            what="Patient report (page)",
            purpose="Treating",
            at=NOW,
            actor="dr.adams",
        )

    browser.get(f"/staff/audit?patient={patient.id}")

    assert f"Reader of {patient.id}" in browser.text()
    assert f"Reader of {other.id}" not in browser.text()
    assert f"patient:{patient.id}" in browser.text()


def test_a_patients_cases_are_about_the_patient(
    browser: Browser, auditor: User
) -> None:
    case = make_crossing(make_patient())
    noise = make_crossing(make_patient())

    browser.get(f"/staff/audit?patient={case.patient.id}")

    assert f"case:{case.id}" in browser.text()
    assert f"case:{noise.id}" not in browser.text()


def test_the_days_are_those_of_the_programme(browser: Browser, auditor: User) -> None:
    event("dr.adams", audit.Event.CASE_OPENED, "case:1")

    browser.get("/staff/audit?actor=dr.adams&since=11/23/2026&until=11/23/2026")
    assert "case:1" in browser.text()
    browser.get("/staff/audit?actor=dr.adams&until=11/22/2026")
    assert "case:1" not in browser.text()
    browser.get("/staff/audit?since=13/45/2026", status=422)


def test_a_search_is_on_the_record_itself(browser: Browser, auditor: User) -> None:
    browser.get("/staff/audit?actor=dr.adams")

    row = AuditEvent.get(AuditEvent.event == audit.Event.AUDIT_SEARCHED)
    assert row.actor == "auditor.kim"
    assert row.detail["actor"] == "dr.adams"


def test_events_stand_newest_first_or_oldest_first(
    browser: Browser, auditor: User
) -> None:
    for number in (1, 2, 3):
        event("dr.adams", audit.Event.CASE_OPENED, f"case:{number}")
    path = "/staff/audit?actor=dr.adams"

    for order, cases in (("", "321"), ("&sort=number", "123"), ("&sort=at", "321")):
        browser.get(path + order)
        assert "".join(re.findall(r"case:(\d)", browser.text())) == cases
        body = browser.get(path.replace("?", ".csv?") + order).get_data(as_text=True)
        assert "".join(re.findall(r"case:(\d)", body)) == cases


def test_the_csv_runs_no_formula(browser: Browser, auditor: User) -> None:
    event("=HYPERLINK(1)", audit.Event.CASE_OPENED, "case:1", note="+1")

    response = browser.get("/staff/audit.csv?event=threshold_case:opened")

    text = response.get_data().decode("utf-8-sig")
    [header, row] = csv.reader(io.StringIO(text))
    assert header[3] == "Who"
    assert row[3] == "'=HYPERLINK(1)"


def test_the_page_says_whether_the_record_is_whole(
    browser: Browser, auditor: User
) -> None:
    event("dr.adams", audit.Event.CASE_OPENED, "case:1")
    browser.get("/staff/audit")
    browser.submit(action="/staff/audit/verify", status=200)
    assert "Yes. Every row is as it was written" in " ".join(browser.text().split())

    AuditEvent.update(actor="nobody").where(AuditEvent.actor == "dr.adams").execute()
    browser.get("/staff/audit")
    browser.submit(action="/staff/audit/verify", status=200)

    assert "its content was changed" in browser.text()


@pytest.mark.parametrize("role", [Role.STAFF, Role.PRACTITIONER, Role.PHARMACY])
def test_only_auditors_and_administrators_may_search(
    browser: Browser, role: Role
) -> None:
    browser.sign_in_as(make_user(role))

    browser.get("/staff/audit", status=404)
    browser.get("/staff/audit.csv", status=404)


def test_who_looked_is_summed_up_with_first_and_last(
    browser: Browser, auditor: User
) -> None:
    patient, other = make_patient(), make_patient()
    make_user(Role.PRACTITIONER, username="dr.adams", name="Ada Adams")
    for days, about in ((9, patient), (2, patient), (1, other)):
        audit.record(
            audit.Event.PATIENT_VIEWED,
            actor="dr.adams" if about is patient else "dr.brown",
            subject=f"patient:{about.id}",
            at=NOW - timedelta(days=days),
        )

    browser.get(f"/staff/audit?patient={patient.id}")

    text = browser.text()
    assert (
        "Ada Adams (dr.adams) 2 11/14/2026 10:14 AM ET 11/21/2026 10:14 AM ET" in text
    )
    assert "dr.brown" not in text


def test_an_official_request_is_about_the_patients_on_it(
    browser: Browser, auditor: User
) -> None:
    patient = make_patient()
    staff = make_user(username="staff.lee")
    for on_it in (patient, make_patient()):
        request = official_requests.take(asked(), by=staff, at=NOW)
        official_requests.add_patient(request.id, on_it.id, by=staff, at=NOW)

    browser.get(f"/staff/audit?patient={patient.id}")

    assert "official_request:1" in browser.text()
    assert "official_request:2" not in browser.text()


def test_events_are_found_by_the_computer_they_came_from(
    browser: Browser, auditor: User
) -> None:
    for address, subject in (("192.0.2.7", "case:1"), ("192.0.2.8", "case:2")):
        audit.record(
            audit.Event.CASE_OPENED,
            actor="dr.adams",
            subject=subject,
            at=NOW,
            address=address,
        )

    browser.get("/staff/audit?address=192.0.2.7")

    assert "case:1" in browser.text()
    assert "case:2" not in browser.text()


def test_a_patient_is_found_by_name_and_no_address_has_it(
    browser: Browser, auditor: User
) -> None:
    patient = make_patient(last_name="BRANDT", first_name="EDITH")
    browser.get("/staff/audit/patient")
    typed = {"first_name": "Edith", "last_name": "Brandt", "birth_date": "04/28/1971"}
    browser.submit({**typed, "birth_date": "13/45/1971"}, status=422)

    browser.submit(typed, status=200)

    assert f"Who looked at patient {patient.id}" in browser.text()
    assert f'href="/staff/audit?patient={patient.id}"' in str(
        browser.page and browser.page.get_data(as_text=True)
    )
    assert AuditEvent.select().where(AuditEvent.event == "patient:searched").exists()


def test_the_last_check_stands_on_the_page(browser: Browser, auditor: User) -> None:
    browser.get("/staff/audit")
    assert "Nobody has checked on this page yet" in browser.text()
    browser.submit(action="/staff/audit/verify", status=200)

    browser.get("/staff/audit")
    assert "The record was whole when auditor.kim checked it" in browser.text()
    event("dr.adams", audit.Event.CASE_OPENED, "case:1")
    AuditEvent.update(actor="nobody").where(AuditEvent.subject == "case:1").execute()
    browser.submit(action="/staff/audit/verify", status=200)
    browser.get("/staff/audit")
    assert "The record was not whole when auditor.kim checked it" in browser.text()
