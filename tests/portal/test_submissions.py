import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    Dispensation,
    RecordStatus,
    Role,
    Submission,
    User,
    ZeroReport,
)
from pmp import audit, clock, settings, uploads
from pmp.uploads import submissions
from tests.browser import Browser
from tests.factories import (
    make_pharmacy,
    make_product,
    make_user,
)
from tests.submission_files import ELM, MAIN, OXYCODONE, fill, submission, zero

MONTH = 30


@pytest.fixture
def elm(browser: Browser) -> User:
    """Sign in a pharmacy user that covers ELM."""
    make_product(ndc=OXYCODONE)
    user = make_user(
        Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2], name=ELM[3], ncpdp=None)
    )
    browser.sign_in_as(user)
    return user


def upload(
    browser: Browser, body: bytes, *, filename: str = "nov.dat", **values: Any
) -> Submission:
    """Submit on the page and let the worker's rule run."""
    browser.get("/submissions/new")
    browser.submit({"file": (io.BytesIO(body), filename), **values})
    (last,) = Submission.select().order_by(Submission.id.desc()).limit(1)
    uploads.process(last.id, at=clock.now())
    return Submission.get_by_id(last.id)


def test_the_receipt_page_renews_itself_until_the_result_is_there(
    browser: Browser, elm: User
) -> None:
    browser.get("/submissions/new")
    body = submission((ELM, [fill()]))
    browser.submit({"file": (io.BytesIO(body), "nov.dat")})
    waiting = browser.follow()

    assert waiting.headers["Refresh"] == "2"
    assert "Received" in browser.text()
    assert b'role="status"' in waiting.data
    (received,) = Submission.select()
    uploads.process(received.id, at=clock.now())
    done = browser.get(f"/submissions/{received.id}")
    assert "Refresh" not in done.headers
    assert "Accepted" in browser.text()


def test_the_result_shows_a_sum_and_each_problem_with_its_place(
    browser: Browser, elm: User
) -> None:
    records = [fill("1"), fill("2", days="0"), fill("1"), fill("4", ndc="99999123401")]
    done = upload(browser, submission((ELM, records)))
    browser.get(f"/submissions/{done.id}")
    words = browser.text()

    for part in (
        "Accepted with errors",
        "2 stored",
        "1 held for correction",
        "1 reported before",
        "4 records in the file",
        "1 with a warning",
        "Days supply (DSP10) is",
        "Give the number of days",
        "DSP10",
        "(866) 683-3246",
    ):
        assert part in words
    browser.get(f"/submissions/{done.id}?severity=error")
    assert "DSP08" not in browser.text().partition("one by one")[2]
    assert "1 problem, the gravest" in browser.text()
    event = audit.Event.SUBMISSION_VIEWED
    assert AuditEvent.select().where(AuditEvent.event == event.value).count() == 2


def test_a_refused_file_says_that_nothing_was_stored_and_where_it_breaks(
    browser: Browser, elm: User
) -> None:
    done = upload(browser, submission((ELM, [fill()]))[:-60])
    browser.get(f"/submissions/{done.id}")

    assert "Refused" in browser.text()
    assert "Nothing of this file was stored" in browser.text()
    assert Dispensation.select().count() == 0


def test_a_dry_run_shows_what_would_be_and_offers_no_correction(
    browser: Browser, elm: User
) -> None:
    body = submission((ELM, [fill("1"), fill("2", days="0")]))
    done = upload(browser, body, dry_run="y")
    page = browser.get(f"/submissions/{done.id}")

    assert "Nothing was stored" in browser.text()
    assert "1 would be stored" in browser.text()
    assert f"/submissions/{done.id}/records/".encode() not in page.data
    browser.get(f"/submissions/{done.id}/records/2")
    assert "nothing was stored" in browser.text()
    assert b"Save and go" not in browser.get(f"/submissions/{done.id}/records/2").data


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "Choose the file"),
        ({"file": "text under its name"}, "Choose the file"),
        ({"file": (io.BytesIO(b""), "a.dat")}, "is empty"),
    ],
)
def test_what_is_no_file_is_refused_at_the_field(
    browser: Browser, elm: User, values: dict[str, Any], words: str
) -> None:
    browser.get("/submissions/new")
    browser.submit(values, status=422)

    assert words in browser.text()
    assert Submission.select().count() == 0


def test_the_same_file_again_names_the_first(browser: Browser, elm: User) -> None:
    body = submission((ELM, [fill()]))
    first = upload(browser, body)
    browser.get("/submissions/new")
    browser.submit({"file": (io.BytesIO(body), "again.dat")}, status=422)

    assert f"it is submission {first.id}" in browser.text()


def test_a_held_record_is_corrected_and_the_next_one_follows(
    browser: Browser, elm: User
) -> None:
    records = [fill("1", days="0"), fill("2", quantity="-5"), fill("3")]
    done = upload(browser, submission((ELM, records)))
    browser.get(f"/submissions/{done.id}/records/1")
    words = browser.text()
    assert "Record 1 of 2 held" in words
    assert "Days supply (DSP10) is" in words
    assert "EXAMPLE, ADA" in words

    browser.submit({"DSP10": "x"}, status=422)
    assert "Days supply (DSP10) is “x”" in browser.text()
    assert submissions.record(done, 1).status is RecordStatus.HELD
    answer = browser.submit({"DSP10": "30"})
    assert answer.headers["Location"].endswith(f"/{done.id}/records/2?after=1")
    browser.follow()
    answer = browser.submit({"DSP09": "60"})
    assert answer.headers["Location"].endswith(f"/submissions/{done.id}")
    browser.follow()
    assert "All corrected" in browser.text()
    assert "3 stored" in browser.text()
    assert Dispensation.select().count() == 3


def test_every_element_can_be_corrected_also_one_that_was_not_sent(
    browser: Browser, elm: User
) -> None:
    record = fill()
    record[2] = "PRE*"
    done = upload(browser, submission((ELM, [record])))
    browser.get(f"/submissions/{done.id}/records/1")
    browser.submit({"PRE02": "AS3045122", "PRE05": "SMITH"})

    assert Submission.get_by_id(done.id).stored == 1


def test_problems_as_csv_are_safe_in_a_spreadsheet(browser: Browser, elm: User) -> None:
    record = fill("=1+1", days="-0")
    done = upload(browser, submission((ELM, [record])))
    answer = browser.get(f"/submissions/{done.id}/problems.csv")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))

    assert rows[0]["Rx number"] == "'=1+1"
    assert any(row["Value"] == "'-0" for row in rows)
    assert "attachment" in answer.headers["Content-Disposition"]


def test_names_with_markup_are_shown_as_they_were_sent(
    browser: Browser, elm: User
) -> None:
    record = fill(last="<script>alert(1)</script>", days="0")
    done = upload(browser, submission((ELM, [record])), filename="<b>.dat")
    page = browser.get(f"/submissions/{done.id}/records/1")

    assert b"&lt;script&gt;alert(1)" in page.data
    assert b"<script>alert" not in page.data
    assert b"<b>.dat" not in page.data


def test_another_users_submission_is_not_there(
    browser: Browser, elm: User, new_browser: Any
) -> None:
    done = upload(browser, submission((ELM, [fill(days="0")])))
    other = new_browser()
    other.sign_in_as(make_user(Role.PHARMACY, pharmacy=make_pharmacy()))

    for path in ("", "/problems.csv", "/records/1"):
        other.get(f"/submissions/999{path}", status=404)
        unknown = _without_reference(other.text())
        other.get(f"/submissions/{done.id}{path}", status=404)
        assert _without_reference(other.text()) == unknown
    other.get("/submissions")
    assert "nov.dat" not in other.text()


def test_staff_see_all_submissions_and_practitioners_none(
    browser: Browser, elm: User, new_browser: Any
) -> None:
    done = upload(browser, submission((ELM, [fill(days="0")])))
    staff = new_browser()
    staff.sign_in_as(make_user(Role.STAFF))
    staff.get("/staff/submissions")
    assert "nov.dat" in staff.text()
    staff.get("/staff/submissions?status=processed")
    assert "nov.dat" not in staff.text()
    staff.get("/staff/submissions?status=processed_with_errors&username=nobody")
    assert "nov.dat" not in staff.text()
    staff.get(f"/staff/submissions/{done.id}")
    assert "DSP10" in staff.text()
    staff.get(f"/staff/submissions/{done.id}/problems.csv")
    practitioner = new_browser()
    practitioner.sign_in_as(make_user(Role.PRACTITIONER))
    for path in ("/submissions", "/dispensing", "/staff/submissions"):
        practitioner.get(path, status=404)


def test_nothing_dispensed_is_reported_in_one_click(
    browser: Browser, elm: User
) -> None:
    browser.get("/submissions")
    assert "due on" in browser.text()
    browser.get("/submissions/zero")
    browser.submit()
    browser.follow()

    (report,) = ZeroReport.select()
    assert report.pharmacy == elm.pharmacy
    assert "is recorded" in browser.text()
    assert report.first_day.strftime("%m/%d/%Y") in browser.text()
    browser.get("/submissions/zero")
    browser.submit(
        {
            "first": f"{report.first_day:%m/%d/%Y}",
            "last": f"{report.last_day:%m/%d/%Y}",
        },
        status=422,
    )
    assert "before" in browser.text()


def test_a_zero_report_of_days_to_come_is_refused(browser: Browser, elm: User) -> None:
    ahead = clock.today() + timedelta(days=3)
    browser.get("/submissions/zero")
    browser.submit({"last": f"{ahead:%m/%d/%Y}"}, status=422)

    assert "not over" in browser.text()
    assert ZeroReport.select().count() == 0


def test_a_user_without_a_pharmacy_reports_nothing(browser: Browser) -> None:
    browser.sign_in_as(make_user(Role.PHARMACY))
    browser.get("/submissions/zero")
    browser.submit(status=422)
    assert "no pharmacy" in browser.text()


def test_several_pharmacies_in_one_file_are_named(browser: Browser, elm: User) -> None:
    body = submission((ELM, [fill("1")]), (MAIN, [fill("2"), zero()]))
    done = upload(browser, body)
    browser.get(f"/submissions/{done.id}")

    assert f"{ELM[3]}, {MAIN[3]}" in browser.text()
    assert "may not report for the pharmacy" in browser.text()


def test_a_file_larger_than_the_setting_is_refused(browser: Browser, elm: User) -> None:
    with settings.changed(upload_megabytes=1):
        browser.get("/submissions/new")
        body = b"x" * (1024 * 1024 + 1)
        browser.submit({"file": (io.BytesIO(body), "large.dat")}, status=422)

    assert "larger than 1 MB" in browser.text()
    assert Submission.select().count() == 0


def _without_reference(words: str) -> str:
    """Leave out the number of the request, which differs each time."""
    return re.sub(r"\b[0-9a-f]{12,}\b", "", words)
