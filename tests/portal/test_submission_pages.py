"""Files sent together, lists, results by what is wrong, and where a file breaks."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from models import (
    AuditEvent,
    ReceiptPolicy,
    Role,
    Submission,
    SubmissionSource,
    SubmissionStatus,
    User,
)
from pmp import audit, clock, documents, settings, uploads
from portal import processes
from portal.serving import make_server
from tests.browser import Browser
from tests.factories import make_pharmacy, make_product, make_user
from tests.submission_files import ELM, OXYCODONE, fill, submission


@pytest.fixture
def elm(browser: Browser) -> User:
    """Sign in a pharmacy user that covers ELM."""
    make_product(ndc=OXYCODONE)
    user = make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2], name=ELM[3]))
    browser.sign_in_as(user)
    return user


def send(by: User, body: bytes, **how: Any) -> Submission:
    at = how.pop("at", clock.now())
    name = how.pop("filename", "nov.dat")
    received = uploads.receive(filename=name, body=body, by=by, at=at, **how)
    return uploads.process(received.id, at=at)


def body(*numbers: str, **values: str) -> bytes:
    return submission((ELM, [fill(number, **values) for number in numbers]))


def choose(browser: Browser, *files: tuple[str, bytes], status: int = 303) -> Any:
    """Submit files on the page, all at once."""
    browser.get("/submissions/new")
    parts = [(io.BytesIO(content), name) for name, content in files]
    return browser.submit({"file": parts}, status=status)


def viewed() -> int:
    event = audit.Event.SUBMISSION_VIEWED.value
    return AuditEvent.select().where(AuditEvent.event == event).count()


# --- Sending


def test_several_files_become_a_submission_each_on_one_page(
    browser: Browser, elm: User
) -> None:
    answer = choose(browser, ("a.dat", body("1")), ("b.dat", body("2", days="0")))
    first, second = Submission.select().order_by(Submission.id)

    assert answer.headers["Location"] == f"/submissions/together/{first.id}-{second.id}"
    page = browser.follow()
    assert page.headers["Refresh"] == "2"
    for each in (first, second):
        uploads.process(each.id, at=clock.now())
    page = browser.get(f"/submissions/together/{first.id}-{second.id}")
    assert "Refresh" not in page.headers
    assert re.search("a.dat.*Accepted .*b.dat.*Accepted with errors", browser.text())


def test_one_refused_file_is_told_of_and_the_others_are_received(
    browser: Browser, elm: User
) -> None:
    known = send(elm, body("0"), at=clock.now() - timedelta(hours=1))
    same = (known.filename, documents.read(known.document))
    page = choose(
        browser, ("a.dat", body("1")), ("b.dat", b""), same, ("d.dat", b"x"), status=422
    )
    words = browser.text()

    assert Submission.select().count() == 3
    a, d = Submission.select().where(Submission.id > known.id).order_by(Submission.id)
    assert (a.filename, d.filename) == ("a.dat", "d.dat")
    assert "b.dat: The file is empty" in words
    assert f"nov.dat: You submitted this file before: it is submission {known.id}" in (
        words
    )
    for number in (a.id, d.id, known.id):
        assert f'href="/submissions/{number}"' in page.text
    assert f'href="/submissions/together/{a.id}-{d.id}"' in page.text


def test_the_page_sent_again_does_nothing_twice(browser: Browser, elm: User) -> None:
    file = ("a.dat", body("1"))
    first = choose(browser, file).headers["Location"]
    again = choose(browser, file).headers["Location"]

    assert first == again
    assert Submission.select().count() == 1


def test_too_many_files_at_once_are_refused(browser: Browser, elm: User) -> None:
    files = [(f"{number}.dat", b"x") for number in range(51)]
    choose(browser, *files, status=422)

    assert "at most 50 files" in browser.text()
    assert Submission.select().count() == 0


def test_each_file_and_all_of_them_have_a_limit(browser: Browser, elm: User) -> None:
    half = b"x" * 700_000
    with settings.changed(upload_megabytes=1, uploads_together_megabytes=2):
        browser.get("/submissions/new")
        assert "at most 1 MB each, 2 MB together" in browser.text()
        choose(browser, ("a.dat", half), ("b.dat", half + b"y"))
        assert Submission.select().count() == 2
        choose(browser, *[(f"{n}.dat", half) for n in range(4)], status=413)


def test_the_server_keeps_the_largest_request_in_memory(app: Flask) -> None:
    with settings.changed(upload_megabytes=300, uploads_together_megabytes=200):
        server = make_server(app, processes.listen("127.0.0.1", 0))
    server.close()

    assert server.adj.max_request_body_size > 300 * 1024 * 1024
    assert server.adj.inbuf_overflow > server.adj.max_request_body_size


@pytest.mark.parametrize("ids", ["999", "x", "1-1-1", "99999999999999999999", "-"])
def test_files_of_another_user_are_not_on_the_page_of_mine(
    browser: Browser, elm: User, ids: str
) -> None:
    other = send(make_user(Role.PHARMACY), b"theirs", filename="theirs.dat")
    assert other.id == 1
    browser.get(f"/submissions/together/{ids}", status=404)


def test_progress_shows_no_patient_and_is_not_a_view_of_one(
    browser: Browser, elm: User, new_browser: Any
) -> None:
    done = send(elm, body("1", days="0"))
    page = browser.get(f"/submissions/{done.id}/progress")

    assert viewed() == 0
    assert "EXAMPLE" not in page.text
    assert "See the result" in browser.text()
    assert 'data-live=""' in page.text
    other = new_browser()
    other.sign_in_as(make_user(Role.PHARMACY))
    for path in ("progress", "breaks"):
        other.get(f"/submissions/{done.id}/{path}", status=404)
        other.get(f"/staff/submissions/{done.id}/{path}", status=404)


# --- Lists


def test_a_list_is_narrowed_by_result_source_and_days(
    browser: Browser, elm: User, new_browser: Any
) -> None:
    now = clock.now()
    send(elm, body("1"), filename="fine.dat", source=SubmissionSource.FOLDER)
    send(elm, body("2", days="0"), filename="held.dat")
    send(elm, b"no", filename="old.dat", at=now - timedelta(days=40))
    send(make_user(Role.PHARMACY), b"not mine", filename="foreign.dat")
    names = {"fine.dat", "held.dat", "old.dat", "foreign.dat"}

    def shown(**wanted: str) -> set[str]:
        for each in (browser, staff):
            path = "/staff/submissions" if each is staff else "/submissions"
            each.get(path, query_string=wanted)
        seen = {name for name in names if name in browser.text()}
        by_staff = {name for name in names if name in staff.text()}
        assert by_staff - {"foreign.dat"} == seen
        return seen

    staff = new_browser()
    staff.sign_in_as(make_user(Role.STAFF))
    day = f"{clock.today() - timedelta(days=10):%m/%d/%Y}"
    assert shown() == {"fine.dat", "held.dat", "old.dat"}
    assert shown(status="processed_with_errors") == {"held.dat"}
    assert shown(source="folder") == {"fine.dat"}
    assert shown(since=day) == {"fine.dat", "held.dat"}
    assert shown(until=day) == {"old.dat"}
    assert shown(status="bogus", source="'") == {"fine.dat", "held.dat", "old.dat"}
    assert shown(status="resolved") == set()
    browser.get("/submissions?since=13/13/2026", status=422)
    assert "no such day" in browser.text()
    staff.get(f"/staff/submissions?username={elm.username}")
    assert "foreign.dat" not in staff.text()


def test_a_list_with_something_unfinished_renews_itself(
    browser: Browser, elm: User, new_browser: Any
) -> None:
    received = uploads.receive(filename="a", body=b"x" * 10, by=elm, at=clock.now())
    Submission.update(
        status=SubmissionStatus.READING, records=8000, progress=3200
    ).where(Submission.id == received.id).execute()
    staff = new_browser()
    staff.sign_in_as(make_user(Role.STAFF))

    for each, path in ((browser, "/submissions"), (staff, "/staff/submissions")):
        page = each.get(path)
        assert page.headers["Refresh"] == "10"
        assert "3,200 of 8,000 records" in each.text()
    uploads.process(received.id, at=clock.now())
    assert "Refresh" not in browser.get("/submissions").headers


# --- Results


def test_problems_are_told_by_what_is_wrong_and_lead_to_their_records(
    browser: Browser, elm: User
) -> None:
    zeros = [fill(str(n), days="0") for n in range(3)]
    records = [fill("9"), *zeros, fill("8", last="CANARYQUIST", quantity="-5")]
    done = send(elm, submission((ELM, records)))
    page = browser.get(f"/submissions/{done.id}")

    assert re.search("Days supply .DSP10. is “0” 3 records", browser.text())
    (link,) = re.findall(r'href="([^"]+like=\d+)[^"]*"[^>]*>Days supply', page.text)
    assert f"/submissions/{done.id}/records/2" in page.text
    browser.get(link)
    listed = browser.text().partition("one by one")[2]
    assert "3 problems, the gravest" in browser.text()
    assert "DSP09" not in listed
    (file,) = re.findall(r'href="([^"]+problems.csv[^"]*)"', browser.get(link).text)
    answer = browser.get(file)
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row["Value"] for row in rows] == ["0", "0", "0"]
    assert not re.findall(r'href="[^"]*CANARY', page.text)


def test_the_list_of_problems_is_narrowed_by_code_and_element(
    browser: Browser, elm: User
) -> None:
    records = [fill("1", days="0"), fill("2", quantity="-5"), fill("3", ndc="9" * 11)]
    done = send(elm, submission((ELM, records)))

    def listed(**wanted: str) -> set[str]:
        browser.get(f"/submissions/{done.id}", query_string=wanted)
        found = browser.text().partition("one by one")[2]
        return {name for name in ("DSP08", "DSP09", "DSP10") if name in found}

    assert listed() == {"DSP08", "DSP09", "DSP10"}
    assert listed(code="E10") == {"DSP10"}
    assert listed(element="DSP09") == {"DSP09"}
    assert listed(severity="warning") == {"DSP08"}
    assert listed(severity="bogus", like="x") == {"DSP08", "DSP09", "DSP10"}
    assert listed(code="E10", element="DSP09") == set()
    assert "No problem is like this" in browser.text()


def test_a_result_says_who_when_how_and_what_comes_next(
    browser: Browser, elm: User
) -> None:
    done = send(elm, body("1"), source=SubmissionSource.FOLDER)
    page = browser.get(f"/submissions/{done.id}")

    for part in (elm.name, elm.username, "Folder", "Next report due", "Finished"):
        assert part in browser.text()
    assert "print-only" in page.text
    Submission.update(withdrawn=1, records=2).where(Submission.id == done.id).execute()
    browser.get(f"/submissions/{done.id}")
    assert "1 taken back" in browser.text()


def test_staff_see_the_result_without_correcting(
    browser: Browser, elm: User, new_browser: Any
) -> None:
    done = send(elm, body("1", days="0"))
    staff = new_browser()
    staff.sign_in_as(make_user(Role.STAFF))
    page = staff.get(f"/staff/submissions/{done.id}")

    assert "Days supply" in staff.text()
    assert re.search(r"/staff/submissions/\d+\?like=\d+", page.text)
    assert f"/submissions/{done.id}/records/1" not in page.text


# --- Where a file breaks


def test_a_refused_file_shows_the_place_to_its_sender_and_to_staff_on_record(
    browser: Browser, elm: User, new_browser: Any
) -> None:
    cut = body("1", "2", last="<b>BOLD")[:-70]
    done = send(elm, cut.replace(b"PAT*******", b"PAT*CT*07*078051120****"))
    staff = new_browser()
    staff.sign_in_as(make_user(Role.STAFF))

    for each, path in ((browser, "/submissions"), (staff, "/staff/submissions")):
        before = viewed()
        for page in ("", "/breaks"):
            answer = each.get(f"{path}/{done.id}{page}")
            assert "<mark" in answer.text
            assert "<b>BOLD" not in answer.text
            assert "&lt;b&gt;BOLD" in answer.text
            assert "078051120" not in answer.text
            assert "The end of the file" in each.text()
            assert "Here:" in each.text()
        assert viewed() == before + 2


def test_a_file_that_is_kept_no_longer_shows_no_place(
    browser: Browser, elm: User
) -> None:
    done = send(elm, b"%PDF-1.4")
    documents.purge(done.document, at=clock.now())
    browser.get(f"/submissions/{done.id}")
    assert "PDF" in browser.text()
    browser.get(f"/submissions/{done.id}/breaks")
    assert "There is no place to show" in browser.text()


# --- Receipts


def test_receipts_are_chosen_on_the_page_of_the_account(
    browser: Browser, elm: User, new_browser: Any
) -> None:
    browser.get("/account")
    browser.submit({"receipts": "problems"}, action="/account/receipts")
    browser.follow()

    assert "is kept" in browser.text()
    assert User.get_by_id(elm.id).receipts == ReceiptPolicy.PROBLEMS
    assert 'value="problems" checked' in re.sub(r"\s+", " ", browser.page.text)  # type: ignore[union-attr]
    browser.submit({"receipts": "bogus"}, action="/account/receipts")
    assert User.get_by_id(elm.id).receipts == ReceiptPolicy.PROBLEMS
    doctor = new_browser()
    doctor.sign_in_as(make_user(Role.PRACTITIONER))
    doctor.get("/account")
    assert "Receipts" not in doctor.text()
