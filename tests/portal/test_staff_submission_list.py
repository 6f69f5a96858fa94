"""Staff's list of all submissions: sorted, narrowed, and as a file."""

import csv
import io
import re

import pytest

from models import AuditEvent, Role, Submission, User
from pmp import audit, downloads, settings, uploads
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_pharmacy, make_user
from tests.submission_files import ELM, fill, submission

pytestmark = pytest.mark.each_engine


@pytest.fixture
def elm(db: settings.Settings) -> User:
    shop = make_pharmacy(dea=ELM[2], name=ELM[3])
    return make_user(Role.PHARMACY, pharmacy=shop, username="elm.pharmacy")


@pytest.fixture
def staff(browser: Browser, elm: User) -> Browser:
    browser.sign_in_as(make_user(Role.STAFF, username="lee"))
    for name, records, held in (
        ("b.dat", 3, 0),
        ("a.dat", 9, 2),
        ("=1+1|calc.dat", 5, 5),
    ):
        body = submission((ELM, [fill(name)]))
        sent = uploads.receive(filename=name, body=body, by=elm, at=NOW)
        Submission.update(records=records, held=held).where(
            Submission.id == sent.id
        ).execute()
    return browser


def numbers(staff: Browser, query: str = "") -> list[int]:
    page = staff.get(f"/staff/submissions{query}").get_data(as_text=True)
    return [int(each) for each in re.findall(r"No\. (\d+)", page)]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("", [3, 2, 1]),
        ("received", [1, 2, 3]),
        ("records", [1, 3, 2]),
        ("-held", [3, 2, 1]),
        ("file", [3, 2, 1]),
        ("sha256", [3, 2, 1]),
    ],
)
def test_a_heading_sorts_the_list(staff: Browser, sort: str, order: list[int]) -> None:
    assert numbers(staff, f"?sort={sort}" if sort else "") == order
    assert ("the latest first" in staff.text()) is (sort in {"", "sha256"})


def test_the_file_holds_what_the_page_lists_and_is_on_record(
    staff: Browser, elm: User
) -> None:
    other = make_user(Role.PHARMACY, username="other")
    body_of_other = submission((ELM, [fill("other")]))
    uploads.receive(filename="other.dat", body=body_of_other, by=other, at=NOW)
    query = f"?username={elm.username}&sort=-records"

    body = staff.get(f"/staff/submissions.csv{query}").get_data(as_text=True)

    header, *rows = csv.reader(io.StringIO(body.removeprefix("\ufeff")))
    table = [dict(zip(header, row, strict=True)) for row in rows]
    assert [row["No."] for row in table] == ["2", "3", "1"]
    assert [row["Records"] for row in table] == ["9", "5", "3"]
    assert not table[1]["File"].startswith("=")  # a spreadsheet would work it out
    event = AuditEvent.get(event=audit.Event.SUBMISSIONS_DOWNLOADED)
    assert (event.actor, event.detail) == ("lee", {"rows": 3})


def test_a_wrong_day_is_said_and_gives_no_file(staff: Browser) -> None:
    staff.get("/staff/submissions.csv?since=13/13/2026", status=422)

    assert "no such day" in staff.text()
    assert not AuditEvent.select().where(
        AuditEvent.event == audit.Event.SUBMISSIONS_DOWNLOADED
    )


def test_a_file_that_would_be_too_long_is_refused_with_the_list(
    staff: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_ROWS", 2)

    page = staff.get("/staff/submissions.csv", status=422).get_data(as_text=True)

    assert "That is 3 submissions; a file holds 2." in staff.text()
    assert "a.dat" in staff.text()
    assert 'action="/staff/submissions"' in page  # what is shown next is no file


def test_the_file_is_staffs_alone(browser: Browser, elm: User) -> None:
    browser.sign_in_as(elm)
    browser.get("/staff/submissions.csv", status=404)
