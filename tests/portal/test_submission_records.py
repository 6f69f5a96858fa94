"""Correcting held records through the pages, without a script."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date

import pytest

from models import (
    Dispensation,
    Profession,
    RecordStatus,
    Role,
    Submission,
    SubmissionRecord,
    User,
)
from pmp import clock, uploads
from pmp.uploads import corrections, submissions
from tests.browser import Browser
from tests.factories import (
    make_dispensation,
    make_identity,
    make_licence,
    make_pharmacy,
    make_product,
    make_user,
)
from tests.submission_files import ELM, OXYCODONE, fill, submission


@pytest.fixture
def elm(browser: Browser) -> User:
    """Sign in a pharmacy user that covers ELM."""
    make_product(ndc=OXYCODONE)
    user = make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2], name=ELM[3]))
    browser.sign_in_as(user)
    return user


def submit(by: User, *records: list[str]) -> Submission:
    body = submission((ELM, records))
    received = uploads.receive(filename="nov.dat", body=body, by=by, at=clock.now())
    return uploads.process(received.id, at=clock.now())


def at(done: Submission, number: int, rest: str = "") -> str:
    return f"/submissions/{done.id}/records/{number}{rest}"


def inputs(browser: Browser) -> dict[str, str]:
    assert browser.page is not None
    text = browser.page.get_data(as_text=True)
    tags = re.findall(r"<input[^>]*>", text)
    found = (re.findall(r'(name|value)="([^"]*)"', tag) for tag in tags)
    pairs = (dict(attributes) for attributes in found)
    return {pair["name"]: pair.get("value", "") for pair in pairs if "name" in pair}


def offered(browser: Browser) -> list[str]:
    assert browser.page is not None
    text = browser.page.get_data(as_text=True)
    return re.findall(r'name="use"\s+value="([^"]*)"', text)


def test_a_suggestion_fills_the_field_and_shows_that_it_is_good(
    browser: Browser, elm: User
) -> None:
    make_licence(Profession.PRACTITIONER, name="SARA SMITH MD", dea="AS3045122")
    done = submit(elm, fill("1", dea="AS3045121"))
    browser.get(at(done, 1))
    assert offered(browser) == ["PRE02=AS3045122"]
    assert "SARA SMITH MD, as named in the record" in browser.text()

    browser.submit({"use": "PRE02=AS3045122"}, status=200)
    assert inputs(browser)["PRE02"] == "AS3045122"
    assert "Nothing is wrong with this record" in browser.text()
    assert submissions.record(done, 1).status is RecordStatus.HELD
    assert submissions.record(done, 1).corrections == {}
    browser.submit({"do": "save"})
    assert submissions.record(done, 1).status is RecordStatus.CORRECTED


def test_a_made_up_suggestion_is_as_if_it_were_typed(
    browser: Browser, elm: User
) -> None:
    done = submit(elm, fill("1", days="0"))
    browser.get(at(done, 1))
    browser.submit({"use": "DSP10=<b>"}, status=200)
    assert inputs(browser)["DSP10"] == "&lt;b&gt;"
    browser.submit({"use": "csrf=x"}, status=200)
    assert Dispensation.select().count() == 0


def test_what_was_typed_is_there_again_after_an_error(
    browser: Browser, elm: User
) -> None:
    done = submit(elm, fill("1", days="0", quantity="x"))
    browser.get(at(done, 1))
    browser.submit({"DSP10": "1000", "PAT12": "2 OAK ST"}, status=422)

    assert inputs(browser)["DSP10"] == "1000"
    assert inputs(browser)["PAT12"] == "2 OAK ST"
    assert "Error: Record 1" in browser.text()
    browser.get(at(done, 1))
    assert inputs(browser)["PAT12"] == "2 OAK ST"
    browser.submit({"PAT12": "x" * 301}, status=422)
    assert inputs(browser)["PAT12"] == "x" * 301


def test_the_wrong_elements_come_first_and_the_first_has_the_focus(
    browser: Browser, elm: User
) -> None:
    done = submit(elm, fill("1", days="0", quantity="x"))
    page = browser.get(at(done, 1)).get_data(as_text=True)

    first = page.index("<table")
    assert page.index('name="DSP09"') < page.index("All other elements")
    assert page.index('name="PAT07"') > page.index("All other elements")
    (focused,) = re.findall(r"<input[^>]*autofocus[^>]*>", page)
    assert 'name="DSP09"' in focused
    for column in ("Element", "Submitted", "Corrected", "What is wrong"):
        assert column in page[first : page.index("</thead>")]
    assert page.index('value="save"') < first  # what Enter presses


def test_a_missing_segment_asks_for_what_it_must_have(
    browser: Browser, elm: User
) -> None:
    done = submit(elm, fill("1")[:2])
    page = browser.get(at(done, 1)).get_data(as_text=True)

    assert "There is no prescriber" in browser.text()
    assert page.index('name="PRE02"') < page.index("All other elements")


def test_skip_goes_on_and_comes_round(browser: Browser, elm: User) -> None:
    done = submit(elm, fill("1", days="0"), fill("2"), fill("3", days="0"))
    browser.get(at(done, 1))
    assert "Record 1 of 2 held" in browser.text()
    answer = browser.submit({"do": "skip", "DSP10": "7000"})
    assert answer.headers["Location"].startswith(at(done, 3))
    browser.follow()
    assert "Record 2 of 2 held" in browser.text()
    answer = browser.submit({"do": "skip"})
    assert answer.headers["Location"].startswith(at(done, 1))
    browser.follow()
    assert inputs(browser)["DSP10"] == "7000"


def test_a_record_that_a_colleague_corrected_keeps_what_was_typed(
    browser: Browser, elm: User
) -> None:
    done = submit(elm, fill("1", days="0"))
    browser.get(at(done, 1))
    record = submissions.record(done, 1)
    corrections.correct(
        record, elements={**record.elements, "DSP10": "30"}, by=elm, at=clock.now()
    )
    browser.submit({"DSP10": "60"}, status=422)
    assert "is not held: corrected" in browser.text()
    assert Dispensation.get().days_supply == 30


def test_a_corrected_record_that_was_reported_before_is_told_so(
    browser: Browser, elm: User
) -> None:
    done = submit(elm, fill("1"), fill("1", days="0"))
    browser.get(at(done, 2))
    browser.submit({"DSP10": "30"})
    browser.follow()
    assert "it was reported before" in browser.text()


def test_all_like_it_take_the_change_after_a_review(
    browser: Browser, elm: User
) -> None:
    done = submit(
        elm,
        *(fill(str(n), days="0") for n in range(1, 6)),
        fill("6", days="0", quantity="x"),
    )
    browser.get(at(done, 1))
    browser.submit({"DSP10": "30"})
    browser.follow()
    assert "5 other held records have the same fault" in browser.text()
    assert "Apply to all 5 like it" in browser.text()
    page = browser.get(at(done, 1, "/alike/DSP10")).get_data(as_text=True)
    ticked = re.findall(r'value="(\d+)"[^>]*checked', page)
    assert ticked == ["2", "3", "4", "5"]
    assert "EXAMPLE, ADA" in browser.text()
    assert Dispensation.select().count() == 1
    assert browser.page is not None

    token = browser.token()
    browser.post(at(done, 1, "/alike/DSP10"), {"csrf_token": token}, status=422)
    assert "Tick the records" in browser.text()
    numbers = ["2", "3", "4", "6"]
    browser.post(at(done, 1, "/alike/DSP10"), {"csrf_token": token, "record": numbers})
    browser.follow()
    assert "3 records are corrected" in browser.text()
    assert "1 record is given the new value, but held" in browser.text()
    assert submissions.record(done, 6).corrections == {"DSP10": "30"}
    assert submissions.record(done, 5).status is RecordStatus.HELD
    browser.get(at(done, 1, "/alike/DSP02"), status=404)


def test_a_record_is_taken_back_and_held_again(browser: Browser, elm: User) -> None:
    done = submit(elm, fill("1", days="0"), fill("2"))
    browser.get(at(done, 1, "/withdraw"))
    assert "Oxycodone" in browser.text()
    browser.submit({"reason": ""}, status=422)
    assert "Say why" in browser.text()
    browser.submit({"reason": "filled elsewhere"})
    browser.follow()
    assert "1 taken back" in browser.text()
    assert "All corrected" in browser.text()
    browser.get(at(done, 1))
    assert "filled elsewhere" in browser.text()
    browser.submit(action="/restore")
    browser.follow()
    assert "held for correction again" in browser.text()
    assert submissions.record(done, 1).status is RecordStatus.HELD
    browser.post(at(done, 1, "/restore"), {"csrf_token": browser.token()}, status=409)


def test_changes_need_the_forms_token(browser: Browser, elm: User) -> None:
    done = submit(elm, fill("1", days="0"))
    for rest in ("/withdraw", "/restore"):
        browser.post(at(done, 1, rest), {"reason": "x"}, status=400)
    browser.post(at(done, 1), {"DSP10": "30", "do": "save"}, status=400)
    assert submissions.record(done, 1).status is RecordStatus.HELD


def test_another_pharmacys_records_are_not_there(
    browser: Browser, elm: User, new_browser: Callable[..., Browser]
) -> None:
    done = submit(elm, fill("1", days="0"), fill("2", days="0"))
    record = submissions.record(done, 1)
    corrections.correct(
        record, elements={**record.elements, "DSP10": "30"}, by=elm, at=clock.now()
    )
    other = new_browser()
    other.sign_in_as(make_user(Role.PHARMACY, pharmacy=make_pharmacy()))
    for path in (
        at(done, 1),
        at(done, 1, "/alike/DSP10"),
        at(done, 1, "/withdraw"),
        f"/submissions/{done.id}/corrections",
        f"/submissions/{done.id}/corrections.csv",
        f"/submissions/{done.id}/corrected.dat",
    ):
        browser.get(path)
        other.get(path, status=404)
    other.get(f"/staff/submissions/{done.id}/corrections", status=404)


def test_staff_see_who_corrected_what(
    browser: Browser, elm: User, new_browser: Callable[..., Browser]
) -> None:
    done = submit(elm, fill("=1", days="-0"), fill("2", days="0"))
    staff = new_browser()
    staff.sign_in_as(make_user(Role.STAFF))
    staff.get(f"/staff/submissions/{done.id}/corrections")
    assert "Nothing of this submission was corrected" in staff.text()
    browser.get(at(done, 1))
    browser.submit({"DSP10": "30"})

    staff.get(f"/staff/submissions/{done.id}")
    assert "Who corrected what" in staff.text()
    staff.get(f"/staff/submissions/{done.id}/corrections")
    assert "Days supply (DSP10): -0 → 30" in staff.text()
    assert elm.username in staff.text()
    answer = staff.get(f"/staff/submissions/{done.id}/corrections.csv")
    (row,) = csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert (row["Rx number"], row["Submitted"], row["Corrected"]) == (
        "'=1",
        "'-0",
        "30",
    )


def test_the_corrected_file_is_a_download(browser: Browser, elm: User) -> None:
    done = submit(elm, fill("1", days="0"), fill("2"))
    browser.get(at(done, 1))
    browser.submit({"DSP10": "77"})
    browser.get(f"/submissions/{done.id}/corrections")
    assert "The corrected file" in browser.text()
    answer = browser.get(f"/submissions/{done.id}/corrected.dat")

    assert b"*77*01*" in answer.data
    assert answer.data.startswith(b"TH*4.2B*")
    assert "attachment" in answer.headers["Content-Disposition"]


# What a technician's software got wrong: record → what mends it.
FAULTS = (
    ({"days": "0"}, {"DSP10": "30"}),
    ({"ndc": "0040605120"}, "DSP08=00406051201"),
    ({"dea": "AB1234560"}, "PRE02=AS3045122"),
    ({"born": "20991231"}, "PAT18=19710428"),
    ({"quantity": "-5"}, {"DSP09": "5"}),
    ({"last": ""}, "PAT07=EXAMPLE"),
    ({"filled": "2026-11-05"}, "DSP05=20261105"),
    ({"number": ""}, {"DSP02": "600108"}),
    ({"days": "ENTER DAYS"}, {"DSP10": "30"}),
    ({"quantity": "SIXTY"}, "DSP09=60"),
    ({"dea": ""}, "PRE02=AS3045122"),
    ({"status": "09"}, "DSP01=00"),
    ({"first": ""}, "PAT08=ADA"),
    ({"written": "20991231"}, {"DSP03": "20261102"}),
)


def test_fourteen_errors_are_corrected_to_none_without_a_script(
    browser: Browser, elm: User
) -> None:
    make_licence(Profession.PRACTITIONER, name="SARA SMITH MD", dea="AS3045122")
    for born in (date(1971, 4, 28), date(1980, 2, 16)):
        person = make_identity(last_name="EXAMPLE", first_name="ADA", birth_date=born)
        make_dispensation(person, pharmacy=elm.pharmacy, filled_on=date(2026, 1, 2))
    records = [
        fill(**{"number": str(600101 + n), **faults})
        for n, (faults, _) in enumerate(FAULTS)
    ]
    done = submit(elm, *records)
    assert Submission.get_by_id(done.id).held == len(FAULTS)
    browser.get(at(done, 1))
    requests = 0
    for _, mend in FAULTS:
        if isinstance(mend, str):
            assert mend in offered(browser)
            browser.submit({"use": mend}, status=200)
            requests += 1
            if mend.startswith("DSP05"):  # the day sold is wrong as well
                browser.submit({"use": "DSP17=20261105"}, status=200)
                requests += 1
            browser.submit()
        else:
            browser.submit(mend)
        requests += 1
        browser.follow()

    assert "All corrected" in browser.text()
    now = Submission.get_by_id(done.id)
    assert (now.held, now.stored, now.records) == (0, 14, 14)
    assert not SubmissionRecord.select().where(SubmissionRecord.status == "held")
    assert requests <= 24
