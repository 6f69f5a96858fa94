"""The patient report on the page and on paper: sorted, marked, copied, verified."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdf
import pypdfium2
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models import (
    Delivery,
    DeliveryState,
    Disclosure,
    Dispensation,
    DrugClass,
    Patient,
    ReportCopy,
    Role,
    Species,
    Ticket,
    TicketProblem,
    User,
)
from pmp import clock, dispensations, documents
from pmp.lookup import report_codes
from pmp.thresholds import case_recipients
from tests.browser import Browser
from tests.chromium import axe, fits, printed, targets_are_large
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_identity,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_rule,
    make_user,
)

DELGADO = {"first_name": "Maria", "last_name": "Delgado", "birth_date": "04/28/1971"}
ALPRAZOLAM: dict[str, Any] = {
    "drug_name": "ALPRAZOLAM 1 MG TAB",
    "ingredient": "ALPRAZOLAM",
    "drug_class": DrugClass.BENZODIAZEPINE,
    "mme_key": "",
    "strength": 1,
}


def delgado(**fields: Any) -> Patient:
    return make_patient(**{"first_name": "MARIA", "last_name": "DELGADO"} | fields)


def fill(patient: Patient, days_ago: int = 5, **fields: Any) -> Dispensation:
    day = clock.today() - timedelta(days=days_ago)
    given: dict[str, Any] = {"patient": patient, "filled_on": day, "sold_on": day}
    return make_dispensation(**(given | fields))


@pytest.fixture
def doctor(browser: Browser) -> User:
    user = make_user(Role.PRACTITIONER, name="Ruth Adams")
    browser.sign_in_as(user)
    return user


def search(browser: Browser) -> str:
    """Look the patient up; give the address of the report."""
    browser.get("/look-up")
    browser.submit(DELGADO)
    browser.follow()
    assert browser.page is not None
    return str(browser.page.request.path)


def source(browser: Browser) -> str:
    assert browser.page is not None
    return browser.page.get_data(as_text=True)


def rows(browser: Browser) -> list[str]:
    return re.findall(r'<tr id="(D-\w+)"', source(browser))


def test_a_row_says_the_whole_sum_and_how_long_the_supply_lasts(
    browser: Browser, doctor: User
) -> None:
    fill(delgado(), days_supply=15)

    search(browser)

    text = browser.text()
    assert "60 tablets for 15 days = 4 a day × 10 mg × 1.5 = 60.0 MME/day" in text  # noqa: RUF001
    last = clock.today() + timedelta(days=9)
    assert f"9 to {last:%m/%d/%Y}" in text


def test_headings_sort_and_filters_keep(browser: Browser, doctor: User) -> None:
    patient = delgado()
    first = fill(patient, 100, drug_name="B")
    second = fill(patient, 5, **ALPRAZOLAM)
    path = search(browser)
    assert rows(browser) == [second.row_code, first.row_code]

    link = re.search(r'href="([^"]*sort=drug[^"]*)"', source(browser))
    assert link
    browser.get(link[1].split("#")[0])
    assert rows(browser) == [second.row_code, first.row_code]
    browser.get(f"{path}?sort=-drug")
    assert rows(browser) == [first.row_code, second.row_code]
    assert 'aria-sort="descending"' in source(browser)

    browser.get(f"{path}?drug_class=opioid")
    assert rows(browser) == [first.row_code]
    assert "1 prescription of 2" in browser.text()
    browser.get(f"{path}?active=1&sort=filled")
    assert rows(browser) == [second.row_code]
    assert "drug_class=" not in source(browser)
    browser.get(f"{path}?pharmacy=9")
    assert "No prescription fits these filters" in browser.text()


def test_a_warning_shows_its_rows_alone_and_marked(
    browser: Browser, doctor: User
) -> None:
    patient = delgado()
    pair = {fill(patient).row_code, fill(patient, **ALPRAZOLAM).row_code}
    other = fill(patient, 200)
    search(browser)
    assert other.row_code in rows(browser)

    link = re.search(r'href="([^"]*warning=1[^"]*)#prescriptions"', source(browser))
    assert link
    browser.get(link[1])

    assert set(rows(browser)) == pair
    assert browser.text().count("in this warning") == 2
    assert "only the rows of" in browser.text()


def test_what_is_new_to_this_reader_is_said_and_marked(
    browser: Browser, doctor: User
) -> None:
    patient = delgado()
    gone = fill(patient, 20)
    search(browser)
    assert "Since your last look" not in browser.text()
    dispensations.void(gone, reason="x", by=make_user(Role.STAFF), at=clock.now())
    new = fill(patient, 3, stored_at=clock.now())

    search(browser)

    text = browser.text()
    assert re.search(r"Since your last look on .+: 1 new, 1 removed\.", text)
    assert f"{gone.row_code}, filled" in text
    assert "new since your last look" in text
    assert rows(browser) == [new.row_code]


def test_marks_say_since_when(browser: Browser, doctor: User) -> None:
    patient = delgado()
    disputed, corrected = fill(patient, 9), fill(patient, 8)
    dispensations.correct(
        corrected,
        changes={"quantity": 30},
        reason="x",
        by=make_user(Role.STAFF),
        at=clock.now(),
    )
    Ticket.create(
        reporter="user:1",
        number="T1",
        dispensation=disputed,
        opened_by=make_user(Role.PHARMACY),
        opened_at=clock.now() - timedelta(days=2),
        due_at=clock.now(),
        problem=TicketProblem.OTHER,
    )

    path = search(browser)

    text, today = browser.text(), clock.today()
    since = clock.day_of(clock.now() - timedelta(days=2))
    assert f"accuracy under review since {since:%m/%d/%Y}" in text
    assert f"corrected {today:%m/%d/%Y}" in text
    paper = " ".join(words_of(browser.get(f"{path}.pdf").data))
    assert disputed.row_code in paper
    assert "under review" in paper


def test_warnings_stand_above_late_pharmacies_and_remarks(
    browser: Browser, doctor: User
) -> None:
    late = make_pharmacy(
        name="ELM DRUG", reports_since=clock.today() - timedelta(days=60)
    )
    make_user(Role.PHARMACY, pharmacy=late)
    patient = delgado()
    make_identity(patient, first_name="MARY", last_name="DELGADO")
    fill(patient, pharmacy=late)
    fill(patient, **ALPRAZOLAM)
    search(browser)

    path = search(browser)

    text = browser.text()
    assert "may be incomplete" in text
    said = (
        "Since your last look",
        "Together they can stop breathing",
        "Reported under 2 names",
        "ELM DRUG : has not reported yet, due",
        "MME/day today",
    )
    places = [text.find(words) for words in said]
    assert -1 not in places
    assert places == sorted(places)
    paper = " ".join(words_of(browser.get(f"{path}.pdf").data))
    places = [paper.find(words.replace(" : ", ": ")) for words in said]
    assert -1 not in places
    assert places == sorted(places)


def test_threshold_reports_that_were_sent_to_the_reader_are_linked(
    browser: Browser, doctor: User
) -> None:
    make_rule()
    case = make_crossing(delgado(), day=clock.today())
    make_crossing(make_patient(last_name="CANARYWICK"), day=clock.today())
    first, other = case_recipients.of_case(case)[:2]
    Delivery.update(state=DeliveryState.SENT).execute()
    doctor.prescriber = first.prescriber
    doctor.save()

    search(browser)

    assert "that were sent to you" in source(browser)
    assert f"/threshold-reports/{first.id}" in source(browser)
    assert source(browser).count('href="/threshold-reports/') == 1
    assert other.reply_code not in source(browser)


def test_the_day_of_writing_stands_under_another_day_of_filling(
    browser: Browser, doctor: User
) -> None:
    patient = delgado()
    written = clock.today() - timedelta(days=9)
    later = fill(patient, 5, written_on=written)
    fill(patient, 3)

    path = search(browser)

    said = f"written {written:%m/%d/%Y}"
    heads = re.findall(r'<th scope="row"[^>]*>(.*?)</th>', source(browser), re.DOTALL)
    cells = [" ".join(re.sub(r"<[^>]+>", " ", head).split()) for head in heads]
    assert cells[1] == f"{later.filled_on:%m/%d/%Y} {said}"
    assert "written" not in cells[0]
    paper = " ".join(words_of(browser.get(f"{path}.pdf").data))
    assert paper.count("written ") == 1
    assert said in paper


def test_an_error_is_reported_from_the_top_of_the_page(
    browser: Browser, doctor: User
) -> None:
    def link() -> str:
        actions = re.search(r'class="actions(.*?)</div>', source(browser), re.DOTALL)
        assert actions
        found = re.search(r'href="#([\w-]+)">Report an error', actions[1])
        return found[1] if found else ""

    patient = delgado()
    path = search(browser)
    assert link() == ""
    dog = make_identity(
        patient, first_name="MARIA", last_name="DELGADO", species=Species.ANIMAL
    )
    make_dispensation(dog, filled_on=clock.today())
    browser.get(path)
    assert link() == "for-animals"
    assert 'id="for-animals"' in source(browser)
    fill(patient)
    browser.get(path)
    assert link() == "prescriptions"
    assert 'id="prescriptions"' in source(browser)


def test_buprenorphine_stands_apart_from_mme(browser: Browser, doctor: User) -> None:
    fill(
        delgado(),
        drug_name="BUPRENORPHINE-NALOXONE 8-2 MG FILM",
        ingredient="BUPRENORPHINE; NALOXONE",
        drug_class=DrugClass.BUPRENORPHINE,
        mme_key="",
        strength=8,
    )

    search(browser)

    text = browser.text()
    assert "Buprenorphine today: 16.0 mg a day. It has no MME" in " ".join(text.split())
    assert "0.0 MME/day today" in text


def test_animals_prescriptions_stand_apart(browser: Browser, doctor: User) -> None:
    patient = delgado()
    own = fill(patient)
    dog = make_identity(
        patient, first_name="MARIA", last_name="DELGADO", species=Species.ANIMAL
    )
    animals = make_dispensation(dog, filled_on=clock.today() - timedelta(days=5))

    path = search(browser)
    assert rows(browser) == [own.row_code, animals.row_code]
    assert source(browser).index("For animals") < source(browser).index(
        f'id="{animals.row_code}"'
    )
    browser.get(f"{path}?sort=drug")
    assert "For animals" in browser.text()


def words_of(body: bytes) -> list[str]:
    pages = pypdf.PdfReader(io.BytesIO(body)).pages
    return [" ".join(page.extract_text().split()) for page in pages]


def test_each_page_of_the_pdf_carries_its_code_and_it_is_kept_as_it_was(
    browser: Browser, doctor: User
) -> None:
    patient = delgado()
    for days_ago in range(40):
        fill(patient, days_ago)
    path = search(browser)

    body = browser.get(f"{path}.pdf").data

    copy = ReportCopy.get()
    pages = words_of(body)
    assert len(pages) == copy.pages > 1
    assert all(copy.code in page for page in pages)
    assert documents.read(copy.document) == body
    assert (copy.entries, copy.made_by) == (40, doctor)
    assert copy.code not in browser.get(f"{path}.pdf").data.decode("latin-1")
    assert ReportCopy.select().count() == 2


def test_a_kept_copy_opens_for_its_user_alone_and_is_a_disclosure(
    browser: Browser, doctor: User, new_browser: Callable[..., Browser]
) -> None:
    patient = delgado()
    body = browser.get(f"{search(browser)}.pdf").data
    address = f"/report-copies/{ReportCopy.get().id}.pdf"
    entry = fill(patient)  # what came later is not in it

    answer = browser.get(address)

    assert answer.data == body
    assert answer.mimetype == "application/pdf"
    assert entry.row_code not in " ".join(words_of(answer.data))
    assert "PDF of" in Disclosure.select().order_by(Disclosure.id.desc()).get().what
    other = new_browser()
    other.sign_in_as(make_user(Role.PRACTITIONER))
    other.get(address, status=404)
    other.sign_in_as(make_user(Role.STAFF))
    other.get(address, status=404)
    new_browser().get(address, status=303)


def verify(browser: Browser, code: str, status: int = 200) -> str:
    browser.get("/verify")
    browser.submit({"code": code}, status=status)
    return " ".join(browser.text().split())


def test_anybody_can_ask_whether_a_paper_is_genuine(
    browser: Browser, doctor: User, new_browser: Callable[..., Browser]
) -> None:
    delgado()
    browser.get(f"{search(browser)}.pdf")
    code = ReportCopy.get().code
    public = new_browser()

    told = verify(public, code.lower())
    assert f"made patient report {code} on {clock.today():%m/%d/%Y} for a" in told
    for secret in ("DELGADO", "Ruth Adams", "04/28/1971"):
        assert secret not in told
    assert "Not known." in verify(public, report_codes.EXAMPLE)
    slip = code[:-1] + ("A" if code[-1] == "B" else "B")
    assert "letter or digit wrong" in verify(public, slip, status=422)
    assert "Enter the code" in verify(public, "", status=422)

    told = verify(browser, code)
    assert "Ruth Adams" in told
    assert "Open the PDF as it was made" in told


def test_too_many_questions_from_one_place_are_refused(
    new_browser: Callable[..., Browser], doctor: User
) -> None:
    asking = new_browser()
    for _ in range(20):
        verify(asking, report_codes.EXAMPLE)

    assert "Too many codes" in verify(asking, report_codes.EXAMPLE, status=429)
    assert "Not known." in verify(
        new_browser(address="198.51.100.7"), report_codes.EXAMPLE
    )


@pytest.fixture
def full(live: str) -> Patient:
    """Give a patient whose report has a warning, marks, animals and two names."""
    patient = delgado()
    shop = make_pharmacy(
        name="ELM DRUG", reports_since=clock.today() - timedelta(days=60)
    )
    make_user(Role.PHARMACY, pharmacy=shop)
    for days_ago in (3, 30, 60, 90):
        fill(patient, days_ago, pharmacy=shop, quantity=90)
        fill(patient, days_ago, prescriber=make_prescriber(), **ALPRAZOLAM)
    fill(patient, 12, corrected=True, strength=None)
    make_identity(patient, first_name="MARIE", last_name="DELGADO", city="AVON")
    dog = make_identity(
        patient, first_name="MARIA", last_name="DELGADO", species=Species.ANIMAL
    )
    make_dispensation(dog, filled_on=clock.today() - timedelta(days=5))
    return patient


def open_report(page: Page) -> None:
    page.goto("/look-up")
    page.get_by_label("First name").fill("Maria")
    page.get_by_label("Last name").fill("Delgado")
    page.get_by_label("Date of birth").fill("04/28/1971")
    with page.expect_navigation():
        page.get_by_role("button", name="Search").click()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 375, 320])
def test_the_whole_report_is_accessible_and_fits_any_screen(
    open_context: Callable[..., BrowserContext], full: Patient, width: int
) -> None:
    page = open_context(width, user=make_user(Role.PRACTITIONER)).new_page()
    open_report(page)
    address = page.url

    for path in (address, f"{address}?warning=1&sort=drug", "/verify"):
        page.goto(path)
        axe(page)
        fits(page)
        targets_are_large(page)


@pytest.mark.browser
def test_rows_are_shown_sorted_and_filtered_without_scripts(
    open_context: Callable[..., BrowserContext], full: Patient
) -> None:
    context = open_context(scripts=False, user=make_user(Role.PRACTITIONER))
    page = context.new_page()
    open_report(page)
    table = page.locator("table.report-rows").first.locator("tbody tr")
    assert table.count() == 9

    page.get_by_role("link", name="Show these").first.click()
    expect(table.first).to_contain_text("in this warning")
    page.get_by_role("link", name="Show all").click()
    page.get_by_label("Class").select_option("benzodiazepine")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(table).to_have_count(4)
    page.get_by_role("link", name="Filled").click()
    expect(table).to_have_count(4)
    assert "sort=filled" in page.url


@pytest.mark.browser
def test_paper_shows_warnings_rows_and_notice_and_no_controls(
    open_context: Callable[..., BrowserContext], full: Patient, tmp_path: Path
) -> None:
    page = open_context(user=make_user(Role.PRACTITIONER)).new_page()
    open_report(page)

    printed(page, tmp_path / "report.pdf")

    with pypdfium2.PdfDocument(tmp_path / "report.pdf") as document:
        words = "".join(sheet.get_textpage().get_text_range() for sheet in document)
    text = " ".join(words.split())
    for wanted in ("opioid with benzodiazepine", "45 CFR 164.528", "For animals"):
        assert wanted in text
    for control in ("Download", "Find them below", "Report an error", "Supply All"):
        assert control not in text
