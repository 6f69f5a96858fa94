import csv
import io
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from models import (
    CsvFile,
    CsvLayout,
    Dispensation,
    Role,
    Submission,
    SubmissionRecord,
    User,
)
from pmp import clock, csv_submissions, uploads
from pmp.csv_submissions import columns
from pmp.csv_submissions.csv_reader import Row, Sheet
from pmp.csv_submissions.csv_records import Layout
from pmp.errors import RuleError
from tests.browser import Browser
from tests.factories import make_pharmacy, make_prescriber, make_product, make_user
from tests.submission_files import ELM, MAIN, OXYCODONE

HEADINGS = (
    "Patient,DOB,Gender,Address,City,St,Zip,Rx #,Written,Filled,Refills,Fill No,"
    "NDC,Qty,Days Supply,Doctor DEA"
)
GOOD = (
    '"EXAMPLE, ADA",2/16/1980,F,12 Maple St,Hamden,CT,6514,600100,11/2/2026,11/3/2026,'
    "0,0,406051201,60,30,AS3045122"
)


@pytest.fixture
def elm(browser: Browser) -> User:
    """Sign in a pharmacy's user; the drug table and a prescriber are there."""
    make_product(ndc=OXYCODONE, name="OXYCODONE HCL 10 MG TAB")
    make_product()
    make_prescriber(dea="AS3045122", last_name="SMITH", first_name="SARA")
    user = make_user(
        Role.PHARMACY,
        pharmacy=make_pharmacy(dea=ELM[2], name=ELM[3], ncpdp=None, phone="2035550100"),
    )
    browser.sign_in_as(user)
    return user


def send(browser: Browser, *rows: str, headings: str = HEADINGS) -> None:
    body = "\r\n".join((headings, *rows)).encode("utf-8-sig")
    browser.get("/submissions/csv")
    browser.submit({"file": (io.BytesIO(body), "november.csv")})
    browser.follow()


def test_a_spreadsheet_is_mapped_by_guess_looked_at_and_submitted(
    browser: Browser, elm: User
) -> None:
    send(browser, GOOD)
    words = browser.text()
    assert "What are the columns of november.csv?" in words
    assert "Not given yet" not in words
    browser.submit({"fixed-DSP11": "01", "fixed-DSP12": "01", "fixed-DSP16": "01"})
    browser.follow()
    assert "EXAMPLE, ADA" in browser.text()
    assert "00406-0512-01" in browser.text()
    assert "to look at" not in browser.text()
    browser.submit(action="/submit")
    (submission,) = Submission.select()
    uploads.process(submission.id, at=clock.now())
    browser.follow()

    assert "Record 1 is row 2 of your spreadsheet" in browser.text()
    (stored,) = Dispensation.select()
    assert stored.identity.zip == "06514"
    assert stored.prescriber.last_name == "SMITH"


def layout(browser: Browser, **changes: str) -> str:
    """Say what holds for all rows and go on to the preview."""
    fixed = {"fixed-DSP11": "01", "fixed-DSP12": "01", "fixed-DSP16": "01"}
    browser.submit({**fixed, **changes})
    browser.follow()
    return browser.text()


def submit(browser: Browser) -> Submission:
    browser.submit(action="/submit")
    last = Submission.select().order_by(Submission.id.desc()).get()
    uploads.process(last.id, at=clock.now())
    return Submission.get_by_id(last.id)


def test_the_next_file_with_the_same_headings_needs_no_questions(
    browser: Browser, elm: User
) -> None:
    send(browser, GOOD)
    layout(browser)
    send(browser, GOOD.replace("600100", "600200"))
    assert "november.csv: look before you submit" in browser.text()
    stranger = make_user(Role.PHARMACY, pharmacy=make_pharmacy())
    browser.sign_in_as(stranger)
    send(browser, GOOD)
    assert "What are the columns" in browser.text()
    assert {row.user for row in CsvLayout.select()} == {elm}


def test_problems_name_the_row_and_the_heading_of_the_file(
    browser: Browser, elm: User
) -> None:
    wrong = (
        GOOD.replace("600100", "600101")
        .replace("2/16/1980", "2/30/1980")
        .replace("406051201", "4.06E+08")
        .replace(",60,30,", ',"1,060",0,')
    )
    send(browser, GOOD, wrong)
    words = layout(browser)
    for told in (
        "3 DOB 2/30/1980 There is no day “2/30/1980”.",
        "3 NDC 4.06E+08 The spreadsheet shortened a number",
        "3 Days Supply 0 Days supply is “0”; a whole number",
    ):
        assert told in words
    assert "(DSP10)" not in words
    done = submit(browser)

    assert (done.records, done.stored, done.held) == (2, 1, 1)
    held = SubmissionRecord.get(SubmissionRecord.status == "held")
    assert (held.number, held.elements["PAT18"]) == (2, "2/30/1980")
    assert held.elements["DSP09"] == "1060"


def test_an_ndc_that_lost_its_zeros_is_found_or_asked_about(
    browser: Browser, elm: User
) -> None:
    make_product(ndc="00054012501")
    make_product(ndc="54012050001")  # noise: 5-4-2 of other digits
    rows = [
        GOOD,
        GOOD.replace("600100", "2").replace("406051201", "54012501"),
        GOOD.replace("600100", "3").replace("406051201", "99999999"),
    ]
    send(browser, *rows)
    words = layout(browser)
    assert "The NDC 99999999 has 8 digits and fits no product that we know." in words
    submit(browser)
    codes = {row.product_code for row in Dispensation.select()}
    assert codes == {OXYCODONE, "00054012501"}


def test_what_is_required_must_be_given_by_a_column_or_for_all_rows(
    browser: Browser, elm: User
) -> None:
    headings = HEADINGS.replace(",Fill No", ",X1").replace("Doctor DEA", "X2")
    send(browser, GOOD.replace("AS3045122", ""), headings=headings)
    assert "Not given yet: Fill number, Prescriber DEA number." in browser.text()
    browser.submit(status=422)
    assert "Not given yet: Fill number, Prescriber DEA number." in browser.text()
    words = layout(
        browser, **{"fixed-DSP06": "0", "fixed-PRE02": "as3045122", "column-11": ""}
    )
    assert "SMITH AS3045122" in words
    assert submit(browser).stored == 1


def test_two_columns_cannot_mean_the_same(browser: Browser, elm: User) -> None:
    send(browser, GOOD)
    browser.submit({"column-3": "PAT14"}, status=422)
    assert "Two columns are “City”. Leave one of them out." in browser.text()


def test_a_dry_run_stores_nothing_and_the_file_can_be_submitted_after(
    browser: Browser, elm: User
) -> None:
    send(browser, GOOD)
    layout(browser)
    preview = str(browser.page and browser.page.request.path)
    browser.submit({"do": "dry_run"}, action="/submit")
    (dry,) = Submission.select()
    uploads.process(dry.id, at=clock.now())
    assert (dry.dry_run, Dispensation.select().count()) == (True, 0)
    browser.get(preview)
    submit(browser)
    assert Dispensation.select().count() == 1


def test_a_file_is_not_submitted_twice(browser: Browser, elm: User) -> None:
    send(browser, GOOD)
    layout(browser)
    path = str(browser.page and browser.page.request.path)
    token = browser.token()
    submit(browser)
    browser.post(f"{path}/submit", {"csrf_token": token})
    browser.follow()
    assert "You submitted this file before" in browser.text()
    later = clock.now() + timedelta(minutes=5)
    with pytest.raises(RuleError, match="You submitted this file before"):
        csv_submissions.submit(CsvFile.get(), by=elm, at=later)
    assert Submission.select().count() == 1


def test_a_pharmacy_that_the_account_does_not_cover_is_held(
    browser: Browser, elm: User
) -> None:
    headings = f"{HEADINGS},Pharmacy DEA"
    send(browser, f"{GOOD},{MAIN[2]}", f"{GOOD},{ELM[2]}", headings=headings)
    words = layout(browser)
    assert f"2 Pharmacy DEA {MAIN[2]} Your account may not report" in words
    done = submit(browser)
    assert (done.stored, done.held) == (1, 1)


def test_a_spreadsheet_is_its_user_s_alone(browser: Browser, elm: User) -> None:
    send(browser, GOOD)
    path = f"/submissions/csv/{CsvFile.get().id}"
    browser.sign_in_as(make_user(Role.PHARMACY, pharmacy=make_pharmacy()))
    browser.get(path, status=404)
    browser.get(f"{path}/columns", status=404)
    browser.get("/submissions/csv")
    assert "november.csv" not in browser.text()


def test_a_spreadsheet_is_destroyed_after_a_day_and_its_note_stays(
    browser: Browser, elm: User
) -> None:
    send(browser, GOOD)
    layout(browser)
    done = submit(browser)
    send(browser, GOOD)
    assert csv_submissions.expire(at=clock.now() + timedelta(hours=23)) == 0
    assert csv_submissions.expire(at=clock.now() + timedelta(hours=25)) == 2
    assert csv_submissions.expire(at=clock.now() + timedelta(hours=25)) == 0

    (kept,) = CsvFile.select()
    assert kept.document.sealed is None
    browser.get(f"/submissions/csv/{kept.id}", status=404)
    browser.get(f"/submissions/{done.id}")
    assert "Record 1 is row 2 of your spreadsheet" in browser.text()


def test_a_spreadsheet_can_be_removed(browser: Browser, elm: User) -> None:
    send(browser, GOOD)
    browser.submit(action="/forget")
    browser.follow()
    assert "The spreadsheet is removed." in browser.text()
    assert CsvFile.select().count() == 0


def test_template_and_sample_are_understood_by_their_own_headings(
    browser: Browser, elm: User
) -> None:
    template = browser.get("/submissions/csv/template.csv").data
    sample = browser.get("/submissions/csv/sample.csv").data
    assert template.splitlines()[0] == sample.splitlines()[0]
    (headings,) = csv.reader(io.StringIO(template.decode("utf-8-sig")))
    assert headings[0] == "Patient last name"
    browser.get("/submissions/csv")
    browser.submit({"file": (io.BytesIO(sample), "sample.csv")})
    browser.follow()
    assert "Not given yet" not in browser.text()
    words = layout(browser)
    assert "to look at" not in words, words
    assert submit(browser).stored == 2


def test_what_is_no_spreadsheet_is_refused_at_the_file(
    browser: Browser, elm: User
) -> None:
    browser.get("/submissions/csv")
    browser.submit({"file": (io.BytesIO(b"PK\x03\x04..."), "a.xlsx")}, status=422)
    assert "choose File, Save As, and the type “CSV UTF-8”" in browser.text()
    assert CsvFile.select().count() == 0


def test_a_hostile_cell_is_text_on_the_page_and_in_what_is_downloaded(
    browser: Browser, elm: User
) -> None:
    formula = '=cmd|"/c calc"!A1<script>alert(1)</script>'
    row = GOOD.replace("EXAMPLE, ADA", formula.replace('"', '""') + ", ADA")
    send(browser, row)
    layout(browser)
    assert browser.page
    assert b"<script>alert" not in browser.page.data
    done = submit(browser)
    problems = browser.get(f"/submissions/{done.id}/problems.csv").data.decode()
    assert '"=cmd' not in problems


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CELL = TEXT | st.sampled_from(
    ["", "11/3/2026", "45964", "4E+09", "1,000", "REPORT", "*|^!`~\\@#%"]
)


@given(rows=st.lists(st.lists(CELL, min_size=16, max_size=16), min_size=1, max_size=6))
@hypothesis_settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_each_row_becomes_a_record_whatever_it_holds(
    browser: Browser, elm: User, rows: list[list[str]]
) -> None:
    sheet = Sheet(
        tuple(HEADINGS.split(",")),
        tuple(Row(n, tuple(row)) for n, row in enumerate(rows, start=2)),
    )
    chosen = Layout(columns.guess(sheet), {"PHA": ELM[2]})
    shown = csv_submissions.preview(sheet, chosen, by=elm, at=clock.now())

    assert shown.records == len(rows)
    assert all(row.status is not None for row in shown.rows)
