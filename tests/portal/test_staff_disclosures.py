"""Disclosures for staff: accountings, patients' requests, official ones by two."""

import csv
import io
from datetime import date, timedelta
from typing import Any

import pypdf
import pytest

from models import (
    AuditEvent,
    Disclosure,
    OfficialRequest,
    OfficialState,
    Patient,
    PatientRequest,
    PatientRequestState,
    Role,
    Suspension,
    User,
)
from pmp import clock, disclosures
from pmp.disclosures import paper_expiry
from tests.browser import Browser
from tests.factories import make_dispensation, make_identity, make_patient, make_user

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def staff(browser: Browser) -> User:
    user = make_user(username="staff.lee", name="Sandra Lee")
    browser.sign_in_as(user)
    return user


@pytest.fixture
def chief() -> User:
    return make_user(Role.ADMINISTRATOR, username="admin.chief")


@pytest.fixture
def edith() -> Patient:
    """Give a patient with a fill of this month, of whom somebody was told."""
    row = make_identity(last_name="BRANDT", first_name="EDITH")
    make_dispensation(row, filled_on=clock.today() - timedelta(days=5))
    disclose(row.patient)
    return row.patient


def disclose(patient: Patient, **fields: Any) -> Disclosure:
    given: dict[str, Any] = {
        "recipient": "OAKES, RAE",
        "address": "+18605550120",
        "what": "Patient Threshold Report RPL-1",
        "purpose": "Treatment",
    }
    return disclosures.record(patient=patient, at=clock.now(), **(given | fields))


def words_of(body: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(body)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def day(ago: int) -> str:
    return f"{clock.today() - timedelta(days=ago):%m/%d/%Y}"


# --- The accounting


def test_a_patient_is_found_by_name_number_and_row_code(
    browser: Browser, staff: User, edith: Patient
) -> None:
    fill = make_dispensation(patient=edith)
    browser.get("/staff/disclosures")
    typed = {"first_name": "Edith", "last_name": "Brandt", "birth_date": "04/28/1971"}

    browser.submit({"by": "name", **typed}, status=200)

    assert f"Accounting of patient {edith.id}" in browser.text()
    for given in (
        {"by": "number", "number": str(edith.id)},
        {"by": "code", "row_code": fill.row_code},
    ):
        browser.get("/staff/disclosures")
        browser.submit(given)
        browser.follow()
        assert f"Accounting of patient {edith.id}" in browser.text()


def test_whom_nobody_knows_is_told_at_the_field(browser: Browser, staff: User) -> None:
    browser.get("/staff/disclosures")
    for given, field in (
        ({"by": "number", "number": "987654"}, "number"),
        ({"by": "number", "number": "many"}, "number"),
        ({"by": "code", "row_code": "D-000000X"}, "row_code"),
        ({"by": "name", "birth_date": "13/45/1971"}, "birth_date"),
    ):
        browser.submit(given, status=422)
        assert f'id="{field}-error"' in str(browser.page and browser.page.data)


def test_the_accounting_is_a_page_a_file_and_a_paper(
    browser: Browser, staff: User, edith: Patient
) -> None:
    disclose(edith, recipient="=HYPERLINK(1)")
    other = make_patient()
    disclose(other, recipient="NOBODY OF OURS")

    browser.get(f"/staff/disclosures/patients/{edith.id}")

    text = browser.text()
    assert "2 disclosures" in text
    assert "OAKES, RAE (860) 555-0120 Patient Threshold Report RPL-1 Treatment" in text
    assert "NOBODY" not in text
    answer = browser.get(f"/staff/disclosures/patients/{edith.id}.csv")
    lines = list(csv.reader(io.StringIO(answer.get_data(as_text=True))))
    assert lines[1][1] == "'=HYPERLINK(1)"
    body = browser.get(f"/staff/disclosures/patients/{edith.id}.pdf").data
    paper = words_of(body)
    assert "BRANDT, EDITH" in paper
    assert "OAKES, RAE" in paper
    assert "NOBODY" not in paper
    made = AuditEvent.select().where(AuditEvent.event == "disclosure:accounting_made")
    assert [each.detail["what"] for each in made] == ["page", "CSV", "PDF"]


def test_days_that_cannot_be_are_told_and_others_narrow_it(
    browser: Browser, staff: User, edith: Patient
) -> None:
    here = f"/staff/disclosures/patients/{edith.id}"
    browser.get(f"{here}?since=01/02/2026&until=01/01/2026", status=422)
    browser.get(f"{here}?since=13/45/2026", status=422)
    browser.get(f"{here}.csv?since=13/45/2026", status=422)
    browser.get(f"{here}.pdf?since=13/45/2026", status=422)

    browser.get(f"{here}?until=01/01/2024")

    assert "Nothing about this patient was disclosed in these days." in browser.text()
    browser.get("/staff/disclosures/patients/987654", status=404)


def test_the_file_of_staff_does_not_tell_what_is_suspended(
    browser: Browser, staff: User, edith: Patient
) -> None:
    Disclosure.update(suspended_until=clock.today() + timedelta(days=3)).execute()

    for page in (
        f"/staff/patients/{edith.id}",
        f"/staff/disclosures/patients/{edith.id}",
    ):
        browser.get(page)
        assert "OAKES" not in browser.text()


@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.PHARMACY, Role.ANALYST])
def test_only_staff_see_disclosures(
    browser: Browser, edith: Patient, role: Role
) -> None:
    browser.sign_in_as(make_user(role))
    for page in ("", f"/patients/{edith.id}", f"/patients/{edith.id}.pdf", "/official"):
        browser.get(f"/staff/disclosures{page}", status=404)


# --- The patient's own request


def taken(browser: Browser, patient: Patient, **typed: str) -> PatientRequest:
    browser.get(f"/staff/disclosures/patients/{patient.id}/request")
    given = {"asked_by": "Edith Brandt", "identity_paper": "Passport"}
    browser.submit(given | typed)
    browser.follow()
    request: PatientRequest = (
        PatientRequest.select().order_by(PatientRequest.id.desc()).get()
    )
    return request


def test_a_request_goes_from_the_counter_to_the_paper(
    browser: Browser, staff: User, edith: Patient
) -> None:
    request = taken(
        browser, edith, address="1 Oak Street\nHartford CT 06106", represents="Guardian"
    )
    here = f"/staff/disclosures/requests/{request.id}"
    assert "Passport, by staff.lee; no copy is kept" in browser.text()
    browser.submit({"state": "mailed"}, action=f"{here}/end", status=422)
    assert "Make the paper first." in browser.text()

    browser.submit(action=f"{here}/paper")
    browser.follow()

    assert "The paper is made" in browser.text()
    paper = words_of(browser.get(f"{here}/paper.pdf").data)
    assert "1 OAK ST" in paper
    assert "BRANDT, EDITH" in paper
    assert "Oxycodone Hydrochloride 10 mg tablet" in paper
    assert "OAKES, RAE" in paper
    assert "You asked as: Guardian" in paper
    browser.get(here)
    browser.submit({"state": "mailed"}, action=f"{here}/end")
    browser.follow()
    assert "Mailed" in browser.text()
    browser.submit(action=f"{here}/reopen")
    browser.get(here)
    browser.submit({"state": "mailed"}, action=f"{here}/end")
    browser.get(f"/staff/disclosures/patients/{edith.id}")
    assert "Own record and accounting of disclosures (A-" in browser.text()
    assert PatientRequest.get().state == PatientRequestState.MAILED


def test_what_is_wrong_is_told_at_its_field_and_stays_typed(
    browser: Browser, staff: User, edith: Patient
) -> None:
    browser.get(f"/staff/disclosures/patients/{edith.id}/request")
    browser.submit({"asked_by": "Edith Brandt"}, status=422)
    assert "Say which paper you have seen." in browser.text()
    assert 'value="Edith Brandt"' in str(browser.page and browser.page.data)
    browser.submit({"identity_paper": "Passport", "address": "Nowhere"}, status=422)
    assert "has no ZIP code at its end" in browser.text()
    browser.submit(
        {"identity_paper": "Passport", "address": "", "since": ""}, status=422
    )
    assert "Write the first day" in browser.text()
    assert not PatientRequest.select().exists()


def test_a_request_is_extended_once(
    browser: Browser, staff: User, edith: Patient
) -> None:
    request = taken(browser, edith)
    here = f"/staff/disclosures/requests/{request.id}"
    browser.submit({"reason": ""}, action=f"{here}/extend", status=422)
    assert "Say why more time is needed" in browser.text()

    browser.submit({"reason": "Papers are away."}, action=f"{here}/extend")
    browser.follow()

    assert "Papers are away." in browser.text()
    assert "Extend it" not in browser.text()
    browser.post(
        f"{here}/extend",
        {"reason": "Again.", "csrf_token": browser.token()},
        status=422,
    )
    assert "the law allows it once" in browser.text()


# --- Letters about it


def test_more_time_is_told_in_a_letter_that_staff_print(
    browser: Browser, staff: User, edith: Patient
) -> None:
    request = taken(browser, edith, address="1 Oak Street\nHartford CT 06106")
    here = f"/staff/disclosures/requests/{request.id}"
    browser.submit({"reason": "Papers are away."}, action=f"{here}/extend")
    browser.follow()
    assert "Letter not printed yet: more time" in browser.text()
    browser.get("/staff/disclosures")
    assert f"Request {request.id} : extended on {day(0)}" in browser.text()
    browser.get(here)

    browser.submit(action=f"{here}/letters/more-time")
    browser.follow()

    assert "The letter is ready." in browser.text()
    assert "not printed yet" not in browser.text()
    assert "Print the letter" not in browser.text()
    paper = words_of(browser.get(f"{here}/letters/more-time.pdf").data)
    assert "EDITH BRANDT 1 OAK ST HARTFORD CT 06106" in paper
    assert "We need more time for your request" in paper
    assert f"by {clock.today() + timedelta(days=60):%m/%d/%Y} at the latest" in paper
    assert "Papers are away." in paper
    assert "Privacy Officer, (860) 713-6073" in paper
    assert "Secretary of Health and Human Services" in paper
    browser.get("/staff/disclosures")
    assert "Letters not printed yet" not in browser.text()


def test_a_denial_wants_its_ground_and_keeps_what_was_typed(
    browser: Browser, staff: User, edith: Patient
) -> None:
    request = taken(browser, edith)
    here = f"/staff/disclosures/requests/{request.id}"

    browser.submit(
        {"state": "denied", "note": "Not yours."}, action=f"{here}/end", status=422
    )

    assert "Say on what ground it is denied" in browser.text()
    page = str(browser.page and browser.page.data)
    assert 'id="ground-error"' in page
    assert "Not yours." in page
    assert PatientRequest.get().state == PatientRequestState.OPEN


@pytest.mark.parametrize(
    ("ground", "says", "says_not"),
    [
        ("danger", "You have the right to a review.", "no right to a review"),
        ("confidence", "no right to a review", "You have the right to a review."),
        ("not_shown", "You may ask again at any time.", "You have the right"),
    ],
)
def test_a_denial_is_told_with_its_ground_the_review_and_the_ways_to_complain(
    browser: Browser,
    staff: User,
    edith: Patient,
    ground: str,
    says: str,
    says_not: str,
) -> None:
    request = taken(browser, edith)
    here = f"/staff/disclosures/requests/{request.id}"
    browser.submit(
        {"state": "denied", "ground": ground, "note": "First.\nSecond <b>."},
        action=f"{here}/end",
    )
    browser.follow()
    assert "Letter not printed yet: denial" in browser.text()
    browser.submit(action=f"{here}/letters/denial")
    browser.follow()

    paper = words_of(browser.get(f"{here}/letters/denial.pdf").data)

    assert "We cannot give you what you asked for" in paper
    assert "First. Second <b>." in paper
    assert says in paper
    assert says_not not in paper
    assert "To this program: Privacy Officer, (860) 713-6073" in paper
    assert "Office for Civil Rights" in paper
    assert "BRANDT, EDITH" not in paper
    events = AuditEvent.select().where(AuditEvent.event.contains("letter_"))
    assert events.count() == 2


def test_a_letter_that_is_not_owed_is_refused_and_none_is_not_found(
    browser: Browser, staff: User, edith: Patient
) -> None:
    request = taken(browser, edith)
    here = f"/staff/disclosures/requests/{request.id}"
    token = {"csrf_token": browser.token()}
    browser.post(f"{here}/letters/denial", token, status=422)
    assert "the request has changed" in browser.text()
    browser.get(f"{here}/letters/denial.pdf", status=404)
    browser.get(f"{here}/letters/other.pdf", status=404)
    browser.post(f"{here}/letters/other", token, status=404)


@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.ANALYST, Role.AUDITOR])
def test_only_staff_print_letters(
    browser: Browser, staff: User, edith: Patient, role: Role
) -> None:
    request = taken(browser, edith)
    here = f"/staff/disclosures/requests/{request.id}/letters"
    browser.sign_in_as(make_user(role))
    browser.get("/account")
    browser.get(f"{here}/denial.pdf", status=404)
    browser.post(f"{here}/denial", {"csrf_token": browser.token()}, status=404)


def test_a_request_says_when_its_papers_were_destroyed(
    browser: Browser, staff: User, edith: Patient
) -> None:
    request = taken(browser, edith)
    here = f"/staff/disclosures/requests/{request.id}"
    browser.submit(action=f"{here}/paper")
    browser.get(here)
    browser.submit({"reason": "Papers are away."}, action=f"{here}/extend")
    browser.get(here)
    browser.submit(action=f"{here}/letters/more-time")
    browser.get(here)
    browser.submit({"state": "given"}, action=f"{here}/end")
    paper_expiry.purge(at=clock.now() + timedelta(days=7 * 366))

    browser.get(here)

    day = f"{clock.day_of(clock.now() + timedelta(days=7 * 366)):%m/%d/%Y}"
    text = browser.text()
    assert f"The paper was destroyed on {day} by the retention rule" in text
    assert f"It was destroyed on {day} by the retention rule" in text
    assert "Open the" not in text
    browser.get(f"{here}/paper.pdf", status=404)
    browser.get(f"{here}/letters/more-time.pdf", status=404)


# --- Official requests


def official(browser: Browser, **typed: str) -> OfficialRequest:
    browser.get("/staff/disclosures/official/new")
    given = {
        "case_number": "26-1187",
        "agency": "State Police",
        "officer": "Det. R. Moss",
        "legal_basis": "Court order or warrant (45 CFR 164.512(f)(1)(ii)(A))",
        "since": day(200),
        "until": day(0),
    }
    browser.submit(given | typed)
    browser.follow()
    request: OfficialRequest = OfficialRequest.get()
    return request


def handed_on(browser: Browser, patient: Patient, **typed: str) -> str:
    here = f"/staff/disclosures/official/{official(browser, **typed).id}"
    browser.submit(
        {"by": "number", "number": str(patient.id)}, action=f"{here}/persons"
    )
    browser.follow()
    browser.submit(action=f"{here}/hand-on")
    browser.follow()
    return here


def test_one_prepares_and_another_releases_exactly_the_scope(
    browser: Browser, staff: User, chief: User, edith: Patient
) -> None:
    make_dispensation(patient=edith, filled_on=date(2019, 1, 1), drug_name="Old drug")
    here = handed_on(browser, edith)
    assert "Somebody else with the permission reads and releases it." in browser.text()
    browser.get(f"{here}/review", status=404)
    browser.sign_in_as(chief)
    browser.get(here)
    browser.get(f"{here}/review")
    assert "BRANDT, EDITH" in browser.text()
    assert "1 fill" in browser.text()

    browser.submit(action="/review")
    browser.follow()

    assert "Released: O-" in browser.text()
    request = OfficialRequest.get()
    assert (request.prepared_by, request.decided_by) == ("staff.lee", "admin.chief")
    paper = words_of(browser.get(f"{here}/paper.pdf").data)
    assert "Prescription records for case 26-1187" in paper
    assert "Oxycodone Hydrochloride 10 mg tablet" in paper
    assert "Old drug" not in paper
    assert "OAKES" not in paper
    browser.get(f"/staff/disclosures/patients/{edith.id}")
    assert "Det. R. Moss, State Police" in browser.text()
    paper_expiry.purge(at=clock.now() + timedelta(days=7 * 366))
    browser.get(here)
    assert "The paper was destroyed on" in browser.text()
    assert "Open the paper" not in browser.text()


def test_nobody_releases_their_own(
    browser: Browser, chief: User, edith: Patient
) -> None:
    browser.sign_in_as(chief)
    here = handed_on(browser, edith)

    assert "Read and release" not in browser.text()
    for page in ("review", "decide"):
        browser.post(
            f"{here}/{page}",
            {"csrf_token": browser.token(), "decision": "deny", "reason": "x"},
            status=422,
        )
        assert "somebody else releases it" in browser.text()
        browser.get(here)
    assert OfficialRequest.get().state == OfficialState.WAITING


def test_it_is_given_back_changed_and_handed_on_again(
    browser: Browser, staff: User, chief: User, edith: Patient
) -> None:
    here = handed_on(browser, edith)
    browser.sign_in_as(chief)
    browser.get(f"{here}/review")
    browser.submit({"decision": "give_back"}, action="/decide", status=422)
    assert "Say why" in browser.text()
    browser.submit(
        {"decision": "give_back", "reason": "Which months?"}, action="/decide"
    )
    browser.sign_in_as(staff)
    browser.get(here)
    assert "Given back by admin.chief: Which months?" in browser.text()

    browser.get(f"{here}/change")
    browser.submit({"since": day(30)})
    browser.follow()

    assert f"{day(30)} to {day(0)}" in browser.text()
    browser.get(f"{here}/change")
    browser.submit({"revision": "1"}, status=422)
    assert "Somebody else has changed this request meanwhile." in browser.text()


def test_a_released_request_may_be_kept_from_the_patient_for_longer(
    browser: Browser, staff: User, chief: User, edith: Patient
) -> None:
    until = f"{clock.today() + timedelta(days=20):%m/%d/%Y}"
    here = handed_on(browser, edith, suspension="oral", suspended_until=until)
    browser.sign_in_as(chief)
    browser.get(f"{here}/review")
    browser.submit(action="/review")
    browser.get(f"/staff/disclosures/patients/{edith.id}")
    assert "Det. R. Moss" not in browser.text()

    browser.get(f"{here}/suspension")
    late = f"{clock.today() + timedelta(days=90):%m/%d/%Y}"
    browser.submit({"suspended_until": late}, status=422)
    assert "holds for 30 days at most" in browser.text()
    browser.submit({"suspension": "written", "suspended_until": late})

    assert OfficialRequest.get().suspension == Suspension.WRITTEN
    browser.get(f"{here}/suspension")
    browser.submit({"suspension": "", "suspended_until": ""})
    browser.get(f"/staff/disclosures/patients/{edith.id}")
    assert "Det. R. Moss" in browser.text()


def test_what_is_wrong_with_a_request_is_told_at_its_field(
    browser: Browser, staff: User
) -> None:
    browser.get("/staff/disclosures/official/new")
    browser.submit({"case_number": "26-1187"}, status=422)
    text = browser.text()
    assert "Write which agency asks" in text
    assert "Write the first day of the scope" in text
    typed = {"agency": "State Police", "officer": "Moss", "until": day(0)}
    browser.submit({**typed, "since": day(9)}, status=422)
    assert "Choose what the request is based on." in browser.text()
    assert 'value="26-1187"' in str(browser.page and browser.page.data)


def test_a_person_is_found_by_name_added_and_taken_off(
    browser: Browser, staff: User, edith: Patient
) -> None:
    here = f"/staff/disclosures/official/{official(browser).id}"
    typed = {"first_name": "Edith", "last_name": "Brandt", "birth_date": "04/28/1971"}
    browser.submit({"by": "name", **typed}, action=f"{here}/persons", status=200)
    assert f"Add patient {edith.id}" in browser.text()
    browser.submit(action=f"{here}/persons")
    browser.follow()
    assert f"Patient {edith.id} is on the request." in browser.text()
    browser.submit(
        {"by": "number", "number": str(edith.id)}, action=f"{here}/persons", status=422
    )
    assert "is on this request already" in browser.text()

    browser.submit(action=f"/persons/{edith.id}/remove")
    browser.follow()

    assert "Nobody yet." in browser.text()
    browser.submit(action=f"{here}/hand-on", status=422)
    assert "Add whom the request is about first." in browser.text()


def test_ones_own_request_is_taken_back_and_withdrawn(
    browser: Browser, staff: User, edith: Patient
) -> None:
    here = handed_on(browser, edith)

    browser.submit(action=f"{here}/take-back")
    browser.follow()
    assert OfficialRequest.get().state == OfficialState.PREPARING
    browser.submit(action=f"{here}/withdraw")
    browser.follow()

    assert "nothing was disclosed" in browser.text()
    assert OfficialRequest.get().state == OfficialState.WITHDRAWN
    browser.get("/staff/disclosures/official")
    assert "Withdrawn" in browser.text()


def test_the_console_counts_what_waits(
    browser: Browser, staff: User, chief: User, edith: Patient
) -> None:
    taken(browser, edith)
    PatientRequest.update(due_on=clock.today() - timedelta(days=1)).execute()
    handed_on(browser, edith)
    browser.sign_in_as(chief)

    browser.get("/staff")

    text = browser.text()
    assert "Patients' own requests" in text or "Patients&#39; own requests" in text
    assert "Official requests to release" in text
