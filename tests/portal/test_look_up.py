"""Looking a patient up, page by page, as a practitioner and a pharmacy do it."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pypdf
import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect
from werkzeug.datastructures import MultiDict

from models import (
    AuditEvent,
    Disclosure,
    Dispensation,
    DrugClass,
    LookUp,
    MatchReview,
    Patient,
    ReportedIdentity,
    ReviewStatus,
    Role,
    User,
)
from pmp import audit, clock, dispensations, settings
from pmp.lookup import own_history
from pmp.matching import decisions
from tests.browser import Browser
from tests.chromium import axe, fits, targets_are_large
from tests.factories import (
    make_dispensation,
    make_identity,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_user,
)

DELGADO = {"first_name": "Maria", "last_name": "Delgado", "birth_date": "04/28/1971"}


def delgado(**fields: Any) -> Patient:
    return make_patient(**{"first_name": "MARIA", "last_name": "DELGADO"} | fields)


def fill(patient: Patient, days_ago: int = 5, **fields: Any) -> Dispensation:
    day = clock.today() - timedelta(days=days_ago)
    return make_dispensation(patient=patient, filled_on=day, **fields)


@pytest.fixture
def doctor(browser: Browser) -> User:
    user = make_user(Role.PRACTITIONER, name="Ruth Adams")
    browser.sign_in_as(user)
    return user


def search(browser: Browser, **changes: str) -> None:
    browser.get("/look-up")
    browser.submit(DELGADO | changes)
    browser.follow()


def path_of(browser: Browser) -> str:
    assert browser.page is not None
    return str(browser.page.request.path)


@pytest.mark.parametrize(
    "typed",
    ["04/28/1971", "4-28-71", "1971-04-28", "19710428", "28 Apr 1971", "Apr 28, 1971"],
)
def test_a_birth_date_is_read_however_it_is_typed(
    browser: Browser, doctor: User, typed: str
) -> None:
    delgado()

    search(browser, birth_date=typed)

    assert path_of(browser).startswith("/reports/")


@pytest.mark.parametrize("typed", ["4-28-25", "02/30/1971", "spring", "28/04/1971"])
def test_a_birth_date_that_cannot_be_told_is_refused(
    browser: Browser, doctor: User, typed: str
) -> None:
    delgado()
    browser.get("/look-up")

    browser.submit({**DELGADO, "birth_date": typed}, status=422)

    assert "There is a problem" in browser.text()
    assert LookUp.select().count() == 0


def test_what_lacks_is_said_at_its_field_and_nothing_typed_is_lost(
    browser: Browser, doctor: User
) -> None:
    browser.get("/look-up")

    page = browser.submit({"first_name": "Maria"}, status=422)

    assert "Enter the patient's last name" in browser.text().replace("&#39;", "'")
    assert 'value="Maria"' in page.get_data(as_text=True)


@pytest.mark.parametrize("purpose", ["", "oversight", "dispensing", "x"])
def test_no_search_without_a_purpose_of_ones_role(
    browser: Browser, doctor: User, purpose: str
) -> None:
    delgado()
    browser.get("/look-up")

    browser.submit({**DELGADO, "purpose": purpose}, status=422)

    assert LookUp.select().count() == 0


def test_the_report_shows_who_prescribed_what_and_whom_to_call(
    browser: Browser, doctor: User
) -> None:
    patient = delgado()
    entry = fill(
        patient,
        prescriber=make_prescriber(last_name="NOVAK", phone="8605550123"),
        pharmacy=make_pharmacy(name="ELM DRUG", fax="8605550124"),
    )
    fill(make_patient(last_name="OTHER"), drug_name="NOT HERS")  # noise

    search(browser)

    text = browser.text()
    for words in (
        "DELGADO, MARIA",
        "60 tablets for 30 days = 2 a day",
        "NOVAK, PAT",
        "(860) 555-0123",
        "ELM DRUG",
        "(860) 555-0124",
        "Treating this patient",
        entry.row_code,
    ):
        assert words in text
    assert "NOT HERS" not in text
    link = f"/entries/{entry.row_code}/report-a-problem"
    assert browser.page is not None
    assert link in browser.page.get_data(as_text=True)


def test_warnings_stand_above_the_rows_that_cause_them(
    browser: Browser, doctor: User
) -> None:
    patient = delgado()
    opioid = fill(patient)
    fill(
        patient,
        drug_name="ALPRAZOLAM 1 MG TAB",
        ingredient="ALPRAZOLAM",
        drug_class=DrugClass.BENZODIAZEPINE,
        mme_key="",
    )

    search(browser)

    assert browser.page is not None
    source = browser.page.get_data(as_text=True)
    warned = source.index("opioid with benzodiazepine")
    assert warned < source.index(f'id="{opioid.row_code}"')
    assert f'href="#{opioid.row_code}"' in source
    assert "not proof of misuse" in browser.text()


def test_names_from_pharmacies_are_shown_literally(
    browser: Browser, doctor: User
) -> None:
    patient = delgado()
    fill(
        patient,
        drug_name="<script>alert(1)</script>",
        pharmacy=make_pharmacy(name="<b>"),
    )

    search(browser)

    assert browser.page is not None
    assert "<script>alert" not in browser.page.get_data(as_text=True)


def test_no_address_holds_patient_data(browser: Browser, doctor: User) -> None:
    patient = delgado()
    search(browser)
    report = path_of(browser)
    search(browser, last_name="Nobody")

    for path in (report, path_of(browser)):
        assert "elgado" not in path.lower()
        assert "1971" not in path
        assert str(patient.id) not in path.split("/")


def test_several_are_candidates_and_choosing_one_opens_the_report(
    browser: Browser, doctor: User
) -> None:
    delgado(city="AVON")
    chosen = delgado(city="NORWALK")
    fill(chosen, drug_name="HERS")

    search(browser)
    assert "AVON" in browser.text()
    browser.submit({"patient": str(chosen.id)})
    browser.follow()

    assert "HERS" in browser.text()


@pytest.mark.parametrize("patient", ["", "999999", "1; DROP"])
def test_only_an_offered_candidate_can_be_chosen(
    browser: Browser, doctor: User, patient: str
) -> None:
    delgado()
    delgado()
    search(browser)

    status = 404 if patient == "999999" else 422
    browser.submit({"patient": patient}, status=status)


def test_similar_spellings_are_found_when_ticked(
    browser: Browser, doctor: User
) -> None:
    delgado()

    search(browser, last_name="Delgato", similar="y")

    assert "Last name sounds the same" in browser.text()


def test_a_search_without_result_is_widened_by_one_press(
    browser: Browser, doctor: User
) -> None:
    delgado()
    search(browser, last_name="Delgato")

    browser.submit()
    browser.follow()

    assert "Last name sounds the same" in browser.text()
    assert [row.similar for row in LookUp.select().order_by(LookUp.id)] == [False, True]


def test_nobody_is_a_page_to_print_with_the_time(
    browser: Browser, doctor: User
) -> None:
    search(browser)

    text = browser.text()
    assert "No controlled-substance prescriptions found as of" in text
    assert "Ruth Adams" in text
    assert "DELGADO, MARIA" in text


def test_another_user_gets_the_same_404_as_for_a_token_that_never_was(
    browser: Browser, doctor: User, new_browser: Callable[..., Browser]
) -> None:
    delgado()
    search(browser)
    token = path_of(browser)
    other = new_browser()
    other.sign_in_as(make_user(Role.PRACTITIONER))

    answers = set()
    for path in (token, "/reports/abc", f"{token}.pdf", f"{token}.csv"):
        other.get(path, status=404)
        answers.add(re.sub(r"\b[0-9a-f]{16}\b", "", other.text()))

    assert len(answers) == 1
    assert Disclosure.select().count() == 1  # the doctor's own


@pytest.mark.parametrize("role", [Role.STAFF, Role.ANALYST, Role.AUDITOR])
def test_roles_that_do_not_treat_may_not_search(browser: Browser, role: Role) -> None:
    browser.sign_in_as(make_user(role))

    browser.get("/look-up", status=404)


def test_nobody_searches_without_signing_in(browser: Browser) -> None:
    browser.get("/look-up", status=303)
    browser.get("/reports/abc", status=303)


def test_each_opening_is_a_disclosure_with_the_purpose(
    browser: Browser, doctor: User
) -> None:
    patient = delgado()
    search(browser)
    path = path_of(browser)

    browser.get(f"{path}.pdf")
    browser.get(f"{path}.csv")

    rows = list(Disclosure.select().order_by(Disclosure.id))
    assert [row.what for row in rows] == [
        "patient report (page)",
        "patient report (PDF)",
        "patient report (CSV)",
    ]
    assert {row.purpose for row in rows} == {"Treating this patient"}
    assert {row.patient for row in rows} == {patient}
    assert audit.verify() == []


def test_the_pdf_carries_user_time_purpose_and_notice(
    browser: Browser, doctor: User
) -> None:
    patient = delgado()
    entry = fill(patient)
    search(browser)

    answer = browser.get(f"{path_of(browser)}.pdf")

    assert answer.mimetype == "application/pdf"
    assert "DELGADO" not in answer.headers["Content-Disposition"].upper()
    pages = pypdf.PdfReader(io.BytesIO(answer.data)).pages
    text = " ".join("\n".join(page.extract_text() for page in pages).split())
    for words in (
        "DELGADO, MARIA",
        "Ruth Adams",
        "Treating this patient",
        entry.row_code,
        "60 tablets for 30 days",
        "21a-240",
    ):
        assert words in text


def test_the_csv_cannot_run_as_a_formula(browser: Browser, doctor: User) -> None:
    patient = delgado()
    fill(patient, drug_name="=HYPERLINK(1)", pharmacy=make_pharmacy(name="@SUM(1)"))
    fill(patient, drug_name="+1", prescriber=make_prescriber(last_name="-2"))
    search(browser)

    answer = browser.get(f"{path_of(browser)}.csv")

    text = answer.data.decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert "'=HYPERLINK(1)" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_too_many_searches_are_refused_with_words(
    browser: Browser, doctor: User
) -> None:
    delgado()
    with settings.changed(look_ups_per_ten_minutes=1):
        search(browser)
        browser.get("/look-up")
        browser.submit(DELGADO, status=422)

    assert "You have looked up 1 times in 10 minutes" in browser.text()
    refused = AuditEvent.select().where(
        AuditEvent.event == audit.Event.LOOK_UP_REFUSED.value
    )
    assert refused.count() == 1


def test_my_look_ups_list_mine_and_open_again_as_a_new_search(
    browser: Browser, doctor: User, new_browser: Callable[..., Browser]
) -> None:
    delgado()
    search(browser)
    other = new_browser()
    other.sign_in_as(make_user(Role.PRACTITIONER))
    other.get("/look-up")
    other.submit({**DELGADO, "first_name": "Somebody"})

    browser.get("/look-ups")
    assert "SOMEBODY" not in browser.text()
    browser.submit(action="/look-up/again")
    browser.follow()

    assert path_of(browser).startswith("/reports/")
    assert LookUp.select().where(LookUp.user == doctor).count() == 2


def test_recent_patients_are_one_click_away(browser: Browser, doctor: User) -> None:
    delgado()
    search(browser)

    browser.get("/look-up")
    browser.submit(action="/look-up/again")
    browser.follow()

    assert "DELGADO, MARIA" in browser.text()


def test_an_ambiguous_birth_date_is_asked_about_in_words(
    browser: Browser, doctor: User
) -> None:
    browser.get("/look-up")

    browser.submit({**DELGADO, "birth_date": "4/28/05"}, status=422)

    assert "Was it 1905 or 2005?" in browser.text()


def test_a_zip_code_narrows_and_is_said(browser: Browser, doctor: User) -> None:
    chosen = delgado(zip="06106")
    delgado(zip="06511")
    fill(chosen, drug_name="HERS")

    search(browser, zip="06106")
    assert "HERS" in browser.text()
    search(browser, zip="06999")
    assert "ZIP code 06999" in browser.text()
    assert "No address in 06999 was reported." in browser.text()
    browser.get("/look-up")
    browser.submit({**DELGADO, "zip": "6106"}, status=422)
    assert "five digits" in browser.text()


def test_the_purpose_used_last_is_offered_first(browser: Browser, doctor: User) -> None:
    search(browser, purpose="reviewing_own", last_name="Nobody")

    page = browser.get("/look-up").get_data(as_text=True)

    first, second = page.index('value="reviewing_own"'), page.index('value="treating"')
    assert first < second


def test_several_that_are_one_person_are_a_question_to_staff_and_never_joined(
    browser: Browser, doctor: User
) -> None:
    one, other = delgado(city="AVON"), delgado(city="NORWALK")
    fill(one, drug_name="ONE")
    fill(other, drug_name="OTHER")
    search(browser)
    path, token = path_of(browser), browser.token()
    both = MultiDict(
        [("csrf_token", token), ("patient", str(one.id)), ("patient", str(other.id))]
    )

    browser.post(path, both, status=303)
    browser.follow()

    assert "asked whether these are one person" in browser.text()
    assert ("ONE" in browser.text()) is not ("OTHER" in browser.text())
    [review] = MatchReview.select()
    assert {review.candidate, review.identity.patient} == {one, other}
    assert review.status is ReviewStatus.OPEN
    assert review.evidence["why"] == "a user says that they are one person"
    assert Patient.select().count() == 2

    both["csrf_token"] = token
    browser.post(path, both, status=303)
    assert MatchReview.select().count() == 1


def say_one_person(browser: Browser, *patients: Patient) -> None:
    chosen = [("patient", str(each.id)) for each in patients]
    values = MultiDict([("csrf_token", browser.token()), *chosen])
    browser.post(path_of(browser), values, status=303)


def test_a_pair_is_asked_about_once_whichever_of_them_comes_first(
    browser: Browser, doctor: User
) -> None:
    one, other = delgado(city="AVON"), delgado(city="NORWALK")
    for patient, candidate in ((one, other), (other, one)):
        MatchReview.delete().execute()
        closed = MatchReview.create(
            identity=ReportedIdentity.get(patient=patient),
            candidate=candidate,
            score=20,
            status=ReviewStatus.KEPT_APART,
            opened_at=clock.now(),
        )
        search(browser)
        say_one_person(browser, one, other)

        assert [each.id for each in MatchReview.select()] == [closed.id]
        assert MatchReview.get().status is ReviewStatus.KEPT_APART


def test_two_whom_staff_keep_apart_are_no_question_and_the_third_is(
    browser: Browser, doctor: User
) -> None:
    """Each is like the others; a split has left no review of the first two."""
    first = delgado(city="AVON")
    part = make_identity(first, first_name="MARIA", last_name="DELGADO", city="NORWALK")
    staff = make_user(Role.STAFF)
    decisions.split(
        first.id,
        [part.id],
        reason="Two people.",
        seen=decisions.mark_of(first.id),
        by=staff,
        at=clock.now() - timedelta(hours=1),
    )
    apart = ReportedIdentity.get_by_id(part.id).patient
    third = delgado(city="GROTON")
    search(browser)

    say_one_person(browser, first, apart, third)

    reviews = list(MatchReview.select())
    assert reviews
    assert all(third in {each.candidate, each.identity.patient} for each in reviews)


def test_the_limit_says_when_to_go_on_and_whom_to_call(
    browser: Browser, doctor: User
) -> None:
    delgado()
    with settings.changed(look_ups_per_day=1):
        search(browser)
        browser.get("/look-up")
        page = browser.submit(DELGADO, status=422).get_data(as_text=True)

    assert "You can go on at" in page
    assert "(860) 713-6073" in page
    assert 'value="Maria"' in page
    browser.get("/look-ups")
    assert "Refused: a limit was reached" in browser.text()


@pytest.mark.parametrize(
    ("typed", "count"),
    [
        ({"name": "delg, maria"}, 2),
        ({"name": "delgado nobody"}, 0),
        ({"outcome": "none"}, 1),
        ({"outcome": "report", "purpose": "treating"}, 1),
        ({"purpose": "reviewing_own"}, 2),
        ({"since": "01/01/2099"}, 0),
        ({"until": "01/01/2001"}, 0),
        ({"name": "%"}, 0),
    ],
)
def test_my_look_ups_are_narrowed_without_a_name_in_the_address(
    browser: Browser, doctor: User, typed: dict[str, str], count: int
) -> None:
    delgado()
    search(browser)
    search(browser, purpose="reviewing_own")
    search(browser, last_name="Nobody", first_name="Jane")
    browser.get("/look-ups")

    browser.submit(typed, status=200)

    assert path_of(browser) == "/look-ups"
    words = f"{count} look-up" if count else "No look-up of yours is like this"
    assert words in browser.text()
    browser.submit({"all": "yes"}, status=200)
    assert "3 look-ups" in browser.text()


def test_my_look_ups_are_a_csv_that_cannot_run_as_a_formula(
    browser: Browser, doctor: User
) -> None:
    delgado()
    search(browser)
    search(browser, first_name="=SUM", last_name="+Nobody")
    search(browser, last_name="Else")
    browser.get("/look-ups")
    asked = {"csrf_token": browser.token(), "name": "sum"}

    answer = browser.post("/look-ups.csv", asked, status=200)

    headings, row = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    found = dict(zip(headings, row, strict=True))
    assert (found["First name"], found["Last name"]) == ("'=SUM", "'+Nobody")
    assert found["Result"] == "No record found"
    browser.post("/look-ups.csv", {**asked, "since": "never"}, status=422)


def test_my_look_ups_have_pages_that_keep_the_filters(
    browser: Browser, doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_history.mine, "__kwdefaults__", {"page": 1, "size": 2})
    for _ in range(3):
        search(browser, last_name="Nobody")
    search(browser, first_name="Else", last_name="Body")
    browser.get("/look-ups")

    browser.submit({"name": "maria", "page": "2"}, status=200)

    assert "Page 2 of 2" in browser.text()
    assert "BODY, ELSE" not in browser.text()
    browser.submit({"name": "maria", "page": "99"}, status=200)
    assert "Page 2 of 2" in browser.text()


def test_an_earlier_search_without_a_report_is_repeated(
    browser: Browser, doctor: User
) -> None:
    search(browser)
    assert "No controlled-substance prescriptions found" in browser.text()
    delgado()

    browser.get("/look-ups")
    browser.submit(action="/look-up/again")
    browser.follow()

    assert path_of(browser).startswith("/reports/")
    origins = [each.origin.value for each in LookUp.select().order_by(LookUp.id)]
    assert origins == ["search", "again"]


def test_the_pdf_as_seen_then_stands_beside_its_look_up(
    browser: Browser, doctor: User
) -> None:
    fill(delgado())
    search(browser)
    made = browser.get(f"{path_of(browser)}.pdf").data
    search(browser)

    page = browser.get("/look-ups").get_data(as_text=True)

    [link] = re.findall(r'href="(/report-copies/[^"]+)"', page)
    assert browser.get(link).data == made


def look_for_changes(browser: Browser) -> None:
    values = {"csrf_token": browser.token(), "look_up": str(LookUp.get().id)}
    browser.post("/look-up/changes", values, status=303)


def test_what_changed_since_is_a_look_up_and_a_disclosure(
    browser: Browser, doctor: User
) -> None:
    patient = delgado()
    corrected, removed = fill(patient, 9), fill(patient, 8, drug_name="REMOVED DRUG")
    fill(patient, 7, drug_name="AS IT WAS")
    search(browser)
    staff, later = make_user(Role.STAFF), clock.now()
    for each in (corrected, removed):
        each.stored_at = later - timedelta(days=1)
        each.save()
    Dispensation.update(stored_at=later - timedelta(days=1)).execute()
    ReportedIdentity.update(linked_at=later - timedelta(days=1)).execute()
    dispensations.correct(
        corrected, changes={"quantity": 30}, reason="Typed", by=staff, at=later
    )
    dispensations.void(removed, reason="Returned", by=staff, at=later)
    fill(patient, 1, drug_name="NEW DRUG", stored_at=later)

    browser.get("/look-ups")
    look_for_changes(browser)
    browser.follow()

    text = browser.text()
    assert "Added: 1" in text
    assert text.index("Added: 1") < text.index("NEW DRUG") < text.index("Corrected: 1")
    assert corrected.row_code in text
    assert text.index("Removed: 1") < text.index("REMOVED DRUG")
    assert "AS IT WAS" not in text
    assert [row.what for row in Disclosure.select().order_by(Disclosure.id)] == [
        "patient report (page)",
        "changes since an earlier look-up",
    ]
    assert LookUp.select().count() == 2
    browser.get(path_of(browser))  # each sight is a disclosure
    assert Disclosure.select().count() == 3


def test_what_changed_of_a_person_who_was_divided_is_a_new_search(
    browser: Browser, doctor: User
) -> None:
    patient = delgado()
    twin = make_identity(patient, first_name="MARIA", last_name="DELGADO")
    search(browser)
    old = path_of(browser)
    two_hours_ago = clock.now() - timedelta(hours=2)
    # Its last day as well: two hours ago may have been yesterday.
    LookUp.update(at=two_hours_ago, until=clock.day_of(two_hours_ago)).execute()
    decisions.split(
        patient.id,
        [twin.id],
        reason="Two of one name and birth date.",
        seen=decisions.mark_of(patient.id),
        by=make_user(Role.STAFF),
        at=clock.now() - timedelta(hours=1),
    )

    assert "have divided this record" in browser.get(old, status=404).text
    browser.get("/look-ups")
    look_for_changes(browser)
    browser.follow()

    assert path_of(browser).startswith("/look-up/candidates/")
    assert Disclosure.select().count() == 1


def test_a_person_found_to_be_the_same_is_a_change(
    browser: Browser, doctor: User
) -> None:
    patient = delgado()
    search(browser)
    day_before = clock.now() - timedelta(days=1)
    other = make_identity(patient, linked_at=clock.now() + timedelta(seconds=1))
    make_dispensation(
        other,
        filled_on=clock.today(),
        stored_at=day_before,
        drug_name="OF THE OTHER NAME",
    )

    browser.get("/look-ups")
    look_for_changes(browser)
    browser.follow()

    assert "Found to be this patient" in browser.text()
    assert "OF THE OTHER NAME" in browser.text()


def test_entries_of_people_who_were_joined_since_are_a_change(
    browser: Browser, doctor: User
) -> None:
    patient = delgado()
    fill(patient, drug_name="HERS", stored_at=clock.now())
    search(browser)
    other = make_patient(last_name="DELGATO")
    day_before = clock.now() - timedelta(days=1)
    fill(other, drug_name="ALSO HERS", stored_at=day_before)
    ReportedIdentity.update(linked_at=day_before).execute()
    ReportedIdentity.update(patient=patient).execute()
    Dispensation.update(patient=patient).execute()

    browser.get("/look-ups")
    look_for_changes(browser)
    browser.follow()

    text = browser.text()
    assert text.index("Found to be this patient") < text.index("ALSO HERS")
    assert "Added" not in text
    assert text.count(" HERS") == 1


def test_an_entry_that_went_to_another_person_is_told_to_who_saw_it(
    browser: Browser, doctor: User
) -> None:
    patient = delgado()
    moved = fill(patient, drug_name="SOMEBODY ELSE'S")
    fill(patient, drug_name="HERS")
    search(browser)
    Dispensation.update(patient=make_patient()).where(
        Dispensation.id == moved.id
    ).execute()

    browser.get("/look-ups")
    look_for_changes(browser)
    browser.follow()

    text = browser.text()
    assert text.index("and another person") < text.index(moved.row_code)
    assert "HERS" not in text


def test_changes_of_another_patient_or_user_are_not_told(
    browser: Browser, doctor: User, new_browser: Callable[..., Browser]
) -> None:
    delgado()
    make_patient(first_name="ANNA", last_name="NOVAK")
    search(browser)
    token = path_of(browser).removeprefix("/reports/")
    search(browser, first_name="Anna", last_name="Novak")
    other = new_browser()
    other.sign_in_as(make_user(Role.PRACTITIONER))

    browser.get(f"/look-up/changes/{token}/2", status=404)
    other.get(f"/look-up/changes/{token}/1", status=404)
    assert Disclosure.select().count() == 2  # the reports


def test_a_patient_whose_records_went_to_another_is_told_of(
    browser: Browser, doctor: User
) -> None:
    patient = delgado()
    search(browser)
    ReportedIdentity.update(patient=make_patient()).where(
        ReportedIdentity.patient == patient
    ).execute()

    browser.get("/look-ups")
    browser.submit(action="/look-up/again", status=404)

    assert "now belong to another one. Search by name" in browser.text()


def test_entries_under_review_are_marked(
    browser: Browser, doctor: User, app: Flask
) -> None:
    patient = delgado()
    fill(patient, corrected=True)

    search(browser)

    assert "corrected" in browser.text()


def test_other_spellings_of_one_person_are_told(browser: Browser, doctor: User) -> None:
    patient = delgado()
    fill(patient)
    make_identity(patient, first_name="MARIE", last_name="DELGADO", city="AVON")

    search(browser)

    assert "How this person was reported" in browser.text()
    assert "DELGADO, MARIE" in browser.text()


@pytest.mark.browser
def test_from_search_to_report_takes_few_clicks_and_no_script(
    live: str, open_context: Callable[..., BrowserContext]
) -> None:
    patient = delgado()
    fill(patient)
    doctor = make_user(Role.PRACTITIONER)
    page = open_context(scripts=False, user=doctor).new_page()
    page.goto("/look-up")
    expect(page.get_by_label("First name")).to_be_focused()
    actions = 0

    page.keyboard.type("Maria")
    for words in ("Delgado", "04281971"):
        page.keyboard.press("Tab")
        actions += 1
        page.keyboard.type(words)
    page.keyboard.press("Enter")
    actions += 1
    page.wait_for_url("**/reports/*")

    assert actions <= 6
    assert page.get_by_role("heading", level=1).inner_text().startswith("DELGADO")


@pytest.mark.browser
def test_beginnings_of_names_lead_to_the_report_in_six_actions(
    live: str, open_context: Callable[..., BrowserContext]
) -> None:
    fill(delgado())
    page = open_context(scripts=False, user=make_user(Role.PRACTITIONER)).new_page()
    page.goto("/look-up")
    expect(page.get_by_label("First name")).to_be_focused()
    actions = 0

    page.keyboard.type("mar")
    for words in ("del", "28 Apr 1971"):
        page.keyboard.press("Tab")
        actions += 1
        page.keyboard.type(words)
    page.get_by_label("Also similar spellings").check()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Open report").click()
    actions += 3
    page.wait_for_url("**/reports/*")

    assert actions <= 6
    assert page.get_by_role("heading", level=1).inner_text().startswith("DELGADO")


@pytest.mark.browser
def test_the_script_that_adds_slashes_spoils_no_way_of_typing(
    live: str, open_context: Callable[..., BrowserContext]
) -> None:
    page = open_context(user=make_user(Role.PRACTITIONER)).new_page()
    page.goto("/look-up")
    box = page.get_by_label("Date of birth")
    typed = {
        "04281971": "04/28/1971",
        "042871": "04/28/71",
        "04/28/1971": "04/28/1971",
        "4-28-71": "4-28-71",
        "04-28-1971": "04-28-1971",
        "19710428": "19710428",
        "1971-04-28": "1971-04-28",
        "28 Apr 1971": "28 Apr 1971",
        "12 Apr 1971": "12 Apr 1971",
        "Apr 28, 1971": "Apr 28, 1971",
    }

    for keys, shown in typed.items():
        box.fill("")
        box.press_sequentially(keys)
        assert box.input_value() == shown


@pytest.mark.browser
def test_people_who_are_one_are_ticked_without_a_script(
    live: str, open_context: Callable[..., BrowserContext]
) -> None:
    for city in ("AVON", "NORWALK"):
        delgado(city=city)
    page = open_context(scripts=False, user=make_user(Role.PRACTITIONER)).new_page()
    _search_on(page, "Maria", "Delgado")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="These are one person").click()

    page.wait_for_url("**/reports/*")
    page.get_by_text("asked whether these are one person").wait_for()
    assert MatchReview.select().count() == 1


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 375, 320])
def test_pages_are_accessible_and_fit_any_screen(
    live: str, open_context: Callable[..., BrowserContext], width: int
) -> None:
    patient = delgado()
    fill(patient)
    fill(patient, 3, quantity=400, strength=None)
    for city in ("AVON", "NORWALK"):
        make_patient(first_name="ANNA", last_name="TWIN", city=city)
    page = open_context(width, user=make_user(Role.PRACTITIONER)).new_page()

    for names in (("Maria", "Delgado"), ("Anna", "Twin"), ("No", "Body")):
        _search_on(page, *names)
        _is_well_made(page)
    for path in ("/look-up", "/look-ups"):
        page.goto(path)
        _is_well_made(page)


def _search_on(page: Page, first_name: str, last_name: str) -> None:
    page.goto("/look-up")
    page.get_by_label("First name").fill(first_name)
    page.get_by_label("Last name").fill(last_name)
    page.get_by_label("Date of birth").fill("04/28/1971")
    with page.expect_navigation():
        page.get_by_role("button", name="Search").click()


def _is_well_made(page: Page) -> None:
    axe(page)
    fits(page)
    targets_are_large(page)
