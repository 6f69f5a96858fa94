import pytest

from gateway import documents
from models import (
    AuditEvent,
    CaseRecipient,
    Delivery,
    DeliveryState,
    Disclosure,
    Dispensation,
    Prescriber,
    Role,
    User,
)
from pmp import audit, dispensations
from pmp.thresholds import case_recipients, threshold_copies
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import make_crossing, make_patient, make_prescriber, make_user


@pytest.fixture
def mine(browser: Browser) -> CaseRecipient:
    """Give a report that was sent to the doctor who is signed in."""
    case = make_crossing(make_patient(last_name="CANARYQUIST", first_name="ZEPHYRINE"))
    make_crossing(make_patient(last_name="CANARYWICK"))
    Delivery.update(state=DeliveryState.SENT).execute()
    recipient = case_recipients.of_case(case)[0]
    browser.sign_in_as(doctor(recipient.prescriber))
    return recipient


def doctor(prescriber: Prescriber | None = None) -> User:
    return make_user(Role.PRACTITIONER, prescriber=prescriber or make_prescriber())


def entry_of(recipient: CaseRecipient) -> Dispensation:
    found: Dispensation = Dispensation.get(
        Dispensation.prescriber == recipient.prescriber
    )
    return found


def test_my_reports_are_listed_and_nobody_elses(
    browser: Browser, mine: CaseRecipient
) -> None:
    browser.get("/threshold-reports")

    assert mine.reply_code in browser.text()
    assert CaseRecipient.select().count() == 12
    assert "1 report" in browser.text()
    assert "CANARYQUIST" not in browser.text()
    assert "New" in browser.text()


def test_the_report_shows_why_the_entries_and_whom_to_call(
    browser: Browser, mine: CaseRecipient
) -> None:
    browser.get(f"/threshold-reports/{mine.id}")

    text = browser.text()
    assert "CANARYQUIST, ZEPHYRINE" in text
    assert "CANARYWICK" not in text
    assert "3 or more prescribers and 3 or more pharmacies in 90 days" in text
    assert text.count("Yours") == 1
    assert "(860) 713-6073" in text
    assert text.count("(860) 555-0100") == 3  # the pharmacies


def test_opening_a_report_is_on_record_before_it_is_shown(
    browser: Browser, mine: CaseRecipient
) -> None:
    browser.get(f"/threshold-reports/{mine.id}")

    opened = AuditEvent.get(AuditEvent.event == audit.Event.CASE_OPENED)
    assert opened.subject == f"case:{mine.case.id}"
    [disclosure] = Disclosure.select()
    assert disclosure.patient == mine.case.patient
    assert mine.reply_code in disclosure.what
    assert CaseRecipient.get_by_id(mine.id).opened_at is not None


def test_somebody_elses_report_is_not_found(
    browser: Browser, mine: CaseRecipient
) -> None:
    browser.sign_in_as(doctor())

    for path in (f"/threshold-reports/{mine.id}", f"/threshold-reports/{mine.id}.pdf"):
        browser.get(path, status=404)
        assert "CANARYQUIST" not in browser.text()
    assert Disclosure.select().count() == 0


def test_the_chart_copy_is_what_was_sent(browser: Browser, mine: CaseRecipient) -> None:
    sent = threshold_copies.copy(mine, draw=documents.threshold_report, at=NOW)
    staff = make_user()
    dispensations.correct(
        entry_of(mine), changes={"days_supply": 7}, reason="x", by=staff, at=NOW
    )

    response = browser.get(f"/threshold-reports/{mine.id}.pdf")

    assert response.get_data() == sent
    assert response.headers["Content-Type"] == "application/pdf"


def test_the_answer_is_kept(browser: Browser, mine: CaseRecipient) -> None:
    browser.get(f"/threshold-reports/{mine.id}")
    browser.submit({"answer": "my_patient"})
    browser.follow()

    assert CaseRecipient.get_by_id(mine.id).answer == "my_patient"
    assert mine.case.__class__.get_by_id(mine.case.id).status == "answered"
    assert "Change the answer" in browser.text()


def test_no_answer_is_an_error_in_words(browser: Browser, mine: CaseRecipient) -> None:
    browser.get(f"/threshold-reports/{mine.id}")

    browser.submit({"answer": None}, status=422)

    assert "Say whether this is your patient" in browser.text()


def test_not_my_patient_leads_to_a_ticket(
    browser: Browser, mine: CaseRecipient
) -> None:
    browser.get(f"/threshold-reports/{mine.id}")
    browser.submit({"answer": "not_my_patient"})
    browser.follow()

    row_code = entry_of(mine).row_code
    link = f"/entries/{row_code}/report-a-problem?problem=not_my_patient"
    assert browser.page is not None
    assert link in browser.page.get_data(as_text=True)
    browser.get(link)
    browser.submit()
    browser.follow()

    assert "Ticket T" in browser.text()
    browser.get(f"/threshold-reports/{mine.id}")
    assert "Accuracy under review" in browser.text()


def test_a_withdrawn_report_says_so(browser: Browser, mine: CaseRecipient) -> None:
    entry = entry_of(mine)
    dispensations.void(entry, reason="Wrong.", by=make_user(), at=NOW)

    browser.get(f"/threshold-reports/{mine.id}")

    assert "This report is withdrawn." in browser.text()
    assert f"row {entry.row_code} has changed" in browser.text()
    browser.get("/threshold-reports")
    assert "Withdrawn" in browser.text()


def test_the_titles_and_addresses_hold_no_patient_data(
    browser: Browser, mine: CaseRecipient
) -> None:
    page = browser.get(f"/threshold-reports/{mine.id}").get_data(as_text=True)

    assert "CANARY" not in page.partition("</title>")[0]
