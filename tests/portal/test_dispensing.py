"""A pharmacy's own dispensing on the page: list, patterns, counts by day, one entry."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    CoveredPharmacy,
    Dispensation,
    DispensationStatus,
    Role,
    User,
    ZeroReport,
)
from pmp import audit, clock
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_identity,
    make_licence,
    make_pharmacy,
    make_prescriber,
    make_product,
    make_submission,
    make_ticket,
    make_user,
)
from tests.submission_files import ELM, OXYCODONE


@pytest.fixture
def elm(browser: Browser) -> User:
    """Sign in a pharmacy user that covers ELM."""
    make_product(ndc=OXYCODONE)
    user = make_user(
        Role.PHARMACY, pharmacy=make_pharmacy(dea=ELM[2], name=ELM[3], ncpdp=None)
    )
    browser.sign_in_as(user)
    return user


@pytest.fixture
def fill(elm: User) -> Callable[..., Dispensation]:
    """Make fills of ELM, by default of ten days ago."""

    def make(identity: Any = None, **fields: Any) -> Dispensation:
        fields.setdefault("filled_on", clock.today() - timedelta(days=10))
        return make_dispensation(identity, pharmacy=elm.pharmacy, **fields)

    return make


def codes(browser: Browser) -> set[str]:
    """Give the row codes on the page."""
    assert browser.page is not None
    text = browser.page.get_data(as_text=True)
    return set(re.findall(r">(D-[0-9A-Z]{7})</a>", text))


def views() -> list[dict[str, Any]]:
    event = audit.Event.DISPENSING_VIEWED.value
    query = AuditEvent.select().where(AuditEvent.event == event)
    return [each.detail for each in query.order_by(AuditEvent.id)]


def test_a_pharmacy_sees_its_own_dispensations_alone(
    browser: Browser, fill: Callable[..., Dispensation]
) -> None:
    old = fill(
        filled_on=date(2026, 1, 5),
        drug_name="Diazepam 5 mg",
        drug_class="benzodiazepine",
        prescription_number="RX-OLD",
    )
    new = fill(
        make_identity(last_name="Findme", birth_date=date(1950, 5, 6)),
        prescriber=make_prescriber(last_name="QUACK", dea="AQ1234563"),
        submission=(sent := make_submission()),
    )
    make_dispensation()  # another pharmacy's
    gone = fill(status="voided")
    browser.get("/dispensing")
    assert codes(browser) == {new.row_code}, "the last 90 days, until asked for more"

    both = {old.row_code, new.row_code}
    asked: list[tuple[dict[str, str], set[str]]] = [
        ({}, both),
        ({"patient": "findme"}, {new.row_code}),
        ({"patient": "Findme, 05/06/1950"}, {new.row_code}),
        ({"patient": "05/07/1950"}, set()),
        ({"patient": "%"}, set()),
        ({"drug": "diaz"}, {old.row_code}),
        ({"drug": "00406-0512-01"}, both),
        ({"drug_class": "benzodiazepine"}, {old.row_code}),
        ({"prescriber": "quack"}, {new.row_code}),
        ({"prescriber": "AQ1234563"}, {new.row_code}),
        ({"number": "rx-old"}, {old.row_code}),
        ({"submission": str(sent.id)}, {new.row_code}),
        ({"since": "02/01/2026"}, {new.row_code}),
        ({"until": "02/01/2026"}, {old.row_code}),
        ({"also_voided": "y"}, both | {gone.row_code}),
        ({"only": "early"}, set()),
        ({"only": "patient:nonsense"}, set()),
        ({"only": "nonsense"}, both),
    ]
    for values, found in asked:
        browser.get("/dispensing")
        browser.submit({"since": "", **values}, status=200)
        assert codes(browser) == found, values
        assert len(views()[-1]["dispensations"]) == len(found)
    assert len(views()) == 1 + 2 * len(asked)
    assert "findme" not in str(views()).lower()


def test_a_list_is_sorted_by_its_headings_and_marks_what_is_disputed(
    browser: Browser, fill: Callable[..., Dispensation]
) -> None:
    first = fill(quantity=9, corrected=True)
    second = fill(quantity=100)
    make_ticket(second)
    third = fill(quantity=30, status="voided")

    def order(**values: str) -> list[str]:
        page = browser.submit(values, status=200).get_data(as_text=True)
        return re.findall(r">(D-[0-9A-Z]{7})</a>", page)

    browser.get("/dispensing")
    assert order(also_voided="y", sort_by="quantity") == [
        first.row_code,
        third.row_code,
        second.row_code,
    ]
    assert order(sort_by="-quantity")[0] == second.row_code
    assert order(page="1")[0] == second.row_code, "the order stays while paging"
    words = browser.text()
    assert "Under review" in words
    assert "Removed" in words
    assert "Corrected" in words
    assert "2 fills" in words, "a removed entry is shown and not counted"


def test_dispensations_come_in_pages_without_names_in_the_address(
    browser: Browser, fill: Callable[..., Dispensation]
) -> None:
    for number in range(56):
        fill(make_identity(last_name="Many"), prescription_number=f"N{number}")
    browser.get("/dispensing")
    browser.submit({"patient": "many"}, status=200)
    assert "Page 1 of 2" in browser.text()
    answer = browser.submit({"page": "2"}, status=200)
    assert "Page 2 of 2" in browser.text()
    assert "many" not in answer.request.url
    assert len(codes(browser)) == 6
    browser.submit({"size": "200"}, status=200)
    assert len(codes(browser)) == 56


def test_a_list_is_a_file_that_no_spreadsheet_runs(
    browser: Browser, fill: Callable[..., Dispensation]
) -> None:
    row = fill(make_identity(last_name="=cmd()", first_name="ANN"))
    fill(filled_on=date(2026, 1, 5))  # noise: not asked for
    make_dispensation()
    browser.get("/dispensing")
    values = {"csrf_token": browser.token(), "since": "02/01/2026"}
    answer = browser.post("/dispensing.csv", values, status=200)

    lines = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True)[1:])))
    assert [line["Row code"] for line in lines] == [row.row_code]
    assert lines[0]["Last name"] == "'=cmd()"
    assert views()[-1]["file"] is True
    assert views()[-1]["dispensations"] == [str(row.id)]
    browser.post("/dispensing.csv", {**values, "since": "nonsense"}, status=422)


def test_a_user_without_a_pharmacy_sees_empty_pages(browser: Browser) -> None:
    browser.sign_in_as(make_user(Role.PHARMACY))
    make_dispensation()
    for path in ("/dispensing", "/dispensing/patterns", "/dispensing/days"):
        browser.get(path)
        assert "No record of your pharmacy" in browser.text()


def test_an_account_of_a_chain_chooses_the_pharmacy(
    browser: Browser, elm: User, fill: Callable[..., Dispensation]
) -> None:
    own = fill()
    licence = make_licence(dea="BM1234563")
    other = make_dispensation(
        pharmacy=make_pharmacy(dea="BM1234563", name="MAIN STREET"),
        filled_on=clock.today(),
    )
    foreign = make_pharmacy(ncpdp="0799999")
    CoveredPharmacy.create(user=elm, licence=licence, granted_by="x", granted_at=NOW)

    browser.get("/dispensing")
    assert codes(browser) == {own.row_code}
    browser.submit({"pharmacy": str(other.pharmacy.id)}, status=200)
    assert codes(browser) == {other.row_code}
    browser.submit({"pharmacy": str(foreign.id)}, status=422)
    browser.get(f"/dispensing/days?pharmacy={foreign.id}", status=404)
    browser.get(f"/dispensing/{other.row_code}")
    CoveredPharmacy.delete().execute()
    browser.get(f"/dispensing/{other.row_code}", status=404)


def test_an_unknown_entry_and_a_strangers_answer_alike(
    browser: Browser, fill: Callable[..., Dispensation]
) -> None:
    fill()
    foreign = make_dispensation()
    texts = set()
    for code in (foreign.row_code, "D-0000000", "D-0000001", "nonsense"):
        for path in ("", "/correct", "/remove", "/restore"):
            browser.get(f"/dispensing/{code}{path}", status=404)
            texts.add(re.sub(r"reference \w+", "", browser.text(), flags=re.IGNORECASE))
    assert len(texts) == 1


def test_patterns_lead_to_their_records(
    browser: Browser, fill: Callable[..., Dispensation]
) -> None:
    doctor = make_prescriber(last_name="BUSY")
    abroad = [
        fill(make_identity(last_name="FAR", state="NY"), prescriber=doctor)
        for _ in range(2)
    ]
    fill(payment="04")
    browser.get("/dispensing/patterns")
    assert "no proof of misuse" in browser.text()
    assert "2 of 3 fills (66.7 %)" in browser.text()
    assert browser.page is not None
    page = browser.page.get_data(as_text=True)
    fields = _form_of(page, "state:NY")
    browser.post("/dispensing", fields, status=200)

    assert codes(browser) == {each.row_code for each in abroad}
    assert "patients in NY" in browser.text()
    browser.submit({"all": "yes"}, status=200)
    assert len(codes(browser)) == 3
    (seen,) = [each for each in views() if each.get("what") == "patterns"]
    assert {each.patient.id for each in abroad} <= set(seen["patients"])


def _form_of(page: str, only: str) -> dict[str, str]:
    """Give the fields of the form that asks for a pattern's records."""
    for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
        fields = dict(re.findall(r'name="(\w+)"\s+value="([^"]*)"', form))
        if fields.get("only") == only:
            return fields
    raise AssertionError(only)


def test_patterns_are_a_file_and_refuse_years(
    browser: Browser, fill: Callable[..., Dispensation]
) -> None:
    fill(make_identity(last_name="FAR", state="NY"))
    browser.get("/dispensing/patterns")
    token = browser.token()
    answer = browser.post("/dispensing/patterns.csv", {"csrf_token": token}, status=200)
    assert "1 of 1 (100.0 %) of fills, 1 patient" in answer.get_data(as_text=True)
    browser.get("/dispensing/patterns")
    browser.submit({"since": "01/01/2020"}, status=422)
    assert "a year at most" in browser.text()


def test_a_months_counts_are_compared_with_a_log_that_is_not_kept(
    browser: Browser, elm: User, fill: Callable[..., Dispensation]
) -> None:
    fill(filled_on=date(2026, 3, 2))
    fill(filled_on=date(2026, 3, 2), schedule="CIV")
    fill(filled_on=date(2026, 3, 3), schedule="")
    fill(filled_on=date(2026, 3, 4), status="voided")
    make_dispensation(filled_on=date(2026, 3, 2))
    ZeroReport.create(
        pharmacy=elm.pharmacy, first_day=date(2026, 3, 7), last_day=date(2026, 3, 8),
        reported_by="x", reported_at=NOW,
    )  # fmt: skip
    browser.get("/dispensing/days?month=2026-03")
    assert "3 fills; 27 days with nothing reported" in browser.text()
    browser.submit(
        {"day-2026-03-03": "1", "lines": "Date,Count\n3/2/2026,5\n03/07, 0"},
        status=200,
    )
    assert "1 day differs" in browser.text()
    assert "03/02/2026 (log 5, program 2)" in browser.text()
    assert "Log has 3 more" in browser.text()
    browser.submit({"lines": "3/2/2026,5\nyesterday 4"}, status=422)
    assert "Line 2 is no day and number" in browser.text()
    browser.get("/dispensing/days?month=2026-03")
    assert "differs" not in browser.text()
    browser.get("/dispensing/days?month=nonsense")


def test_an_entry_is_corrected_after_a_review(
    browser: Browser, elm: User, fill: Callable[..., Dispensation]
) -> None:
    row = fill()
    ticket = make_ticket(row)
    browser.get(f"/dispensing/{row.row_code}")
    assert ticket.number in browser.text()
    browser.get(f"/dispensing/{row.row_code}/correct")
    browser.submit({"DSP09": "0", "DSP05": "13/45/2026", "reason": ""}, status=422)
    for words in ("Say why", "There is no such day"):
        assert words in browser.text()
    tomorrow = clock.today() + timedelta(days=9)
    values = {"DSP09": "0", "DSP05": f"{tomorrow:%m/%d/%Y}", "reason": "misread"}
    browser.submit(values, status=422)
    assert "a number above 0" in browser.text()
    assert "in the future" in browser.text()
    filled = f"{row.filled_on:%m/%d/%Y}"
    browser.submit(
        {"DSP09": "45", "DSP05": filled, "PAT07": "OTHER", "reason": "misread"},
        status=200,
    )
    assert "Quantity 60 45" in browser.text()
    assert Dispensation.get_by_id(row.id).quantity == 60
    browser.submit()
    browser.follow()

    assert "is corrected" in browser.text()
    assert ticket.number in browser.text()
    now = Dispensation.get_by_id(row.id)
    assert (now.quantity, now.version, now.corrected) == (45, 2, True)
    assert now.identity.last_name == "OTHER"
    assert now.patient != row.patient
    assert "misread" in browser.text()


def test_a_review_goes_back_with_what_was_typed(
    browser: Browser, fill: Callable[..., Dispensation]
) -> None:
    row = fill()
    browser.get(f"/dispensing/{row.row_code}/correct")
    browser.submit({"reason": "x"}, status=422)
    assert "Nothing differs" in browser.text()
    browser.submit({"DSP10": "15", "reason": "x"}, status=200)
    answer = browser.submit({"change": "yes"}, status=200)
    assert 'value="15"' in answer.get_data(as_text=True)
    assert "Review the changes" in browser.text()


def test_of_two_who_correct_at_once_the_second_is_told(
    browser: Browser, fill: Callable[..., Dispensation]
) -> None:
    row = fill()
    browser.get(f"/dispensing/{row.row_code}/remove")
    Dispensation.update(version=2).where(Dispensation.id == row.id).execute()
    browser.submit({"why": "Entered twice"}, status=422)

    assert "Someone else changed this entry" in browser.text()
    assert Dispensation.get_by_id(row.id).status is DispensationStatus.CURRENT


def test_an_entry_is_removed_with_a_reason_and_restored(
    browser: Browser, fill: Callable[..., Dispensation]
) -> None:
    row = fill()
    browser.get(f"/dispensing/{row.row_code}/remove")
    browser.submit(status=422)
    assert "Say why it is removed" in browser.text()
    browser.submit({"why": "Another reason"}, status=422)
    assert "Write the reason" in browser.text()
    browser.submit({"why": "Entered twice", "other": ""})
    browser.follow()
    assert Dispensation.get_by_id(row.id).status is DispensationStatus.VOIDED
    assert "Entered twice" in browser.text()

    browser.get(f"/dispensing/{row.row_code}/restore")
    browser.submit({"reason": "the other one was the copy"})
    browser.follow()
    assert Dispensation.get_by_id(row.id).status is DispensationStatus.CURRENT
    assert re.search(r"Restored\..*Removed\..*Reported", browser.text())


def test_practitioners_have_no_dispensing(browser: Browser) -> None:
    browser.sign_in_as(make_user(Role.PRACTITIONER))
    row = make_dispensation()
    for path in ("", "/patterns", "/days", f"/{row.row_code}"):
        browser.get(f"/dispensing{path}", status=404)
