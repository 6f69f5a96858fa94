from collections.abc import Callable
from datetime import date

import pytest

from gateway import documents
from models import (
    AuditEvent,
    CareNote,
    CaseRecipient,
    Delivery,
    DeliveryState,
    Disclosure,
    Dispensation,
    FaxedReply,
    Prescriber,
    RecipientReply,
    Role,
    Ticket,
    User,
)
from pmp import audit, clock, dispensations, faxes
from pmp.thresholds import case_recipients, threshold_cases, threshold_copies
from tests.browser import Browser
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_identity,
    make_patient,
    make_prescriber,
    make_user,
)


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


def test_the_page_has_the_facts_of_the_paper_in_their_order(
    browser: Browser, mine: CaseRecipient
) -> None:
    browser.get(f"/threshold-reports/{mine.id}")

    text = " ".join(browser.text().split())
    assert threshold_cases.reached_words(mine.case) in text
    assert "1 of the 3 counted entries is yours" in text
    parts = (
        "Why you got this",
        "Counted entries",
        "Timeline",
        "Call sheet",
        "Suggested steps",
        "Confirm that the person is indeed your patient",
        "If the report is accurate",
        "If anything appears inaccurate, contact the program",
        "You may keep a copy",
        "say the row's code",
        "HIPAA permits",
    )
    places = [text.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


def test_the_list_is_filtered_and_leaves_out_what_was_stopped_in_time(
    browser: Browser, mine: CaseRecipient
) -> None:
    reader = mine.prescriber
    for last_name in ("CANARYSTOP", "CANARYVOID"):
        patient = make_patient(last_name=last_name)
        make_dispensation(
            patient=patient, prescriber=reader, filled_on=date(2026, 10, 29)
        )
        make_crossing(patient, fills=2)
    void = Dispensation.select().where(Dispensation.prescriber == reader)
    stopped, withdrawn = list(void.order_by(Dispensation.id))[1:]
    case_of = {each.case.patient: each for each in CaseRecipient.select()}
    Delivery.update(state=DeliveryState.SENT).where(
        Delivery.subject_id.in_(
            [
                each.id
                for each in case_recipients.of_case(case_of[withdrawn.patient].case)
            ]
        )
    ).execute()
    for entry in (stopped, withdrawn):
        dispensations.void(entry, reason="Wrong.", by=make_user(), at=NOW)

    browser.get("/threshold-reports")
    assert "2 reports" in browser.text()
    browser.get("/threshold-reports?show=withdrawn")
    assert "1 report" in browser.text()
    assert mine.reply_code not in browser.text()
    browser.get("/threshold-reports?show=open")
    assert "1 report" in browser.text()
    assert mine.reply_code in browser.text()
    browser.get("/threshold-reports?show=nonsense&page=9")
    assert "No report is here." in browser.text()


def test_a_long_list_has_pages(browser: Browser, mine: CaseRecipient) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(case_recipients, "PAGE_SIZE", 1)
        patient = make_patient()
        make_dispensation(
            patient=patient, prescriber=mine.prescriber, filled_on=date(2026, 10, 29)
        )
        make_crossing(patient, fills=2)

        browser.get("/threshold-reports?page=2")

    assert "2 reports" in browser.text()
    assert "Page 2 of 2" in browser.text()
    assert mine.reply_code in browser.text()


def test_staff_open_the_copy_that_was_sent_from_its_case(
    browser: Browser, mine: CaseRecipient
) -> None:
    case = f"/staff/cases/{mine.case.id}"
    copy = f"{case}/reports/{mine.id}.pdf"
    browser.get(copy, status=404)
    browser.sign_in_as(make_user(Role.STAFF))
    page = browser.get(case).get_data(as_text=True)
    assert copy not in page  # nothing was drawn yet
    browser.get(copy, status=404)
    sent = threshold_copies.copy(mine, draw=documents.threshold_report, at=NOW)

    assert copy in browser.get(case).get_data(as_text=True)
    assert browser.get(copy).get_data() == sent
    browser.get(f"/staff/cases/999/reports/{mine.id}.pdf", status=404)
    opened = AuditEvent.get(AuditEvent.event == audit.Event.THRESHOLD_COPY_OPENED)
    assert opened.subject == f"patient:{mine.case.patient.id}"


def test_anybody_can_ask_whether_a_threshold_report_is_genuine(
    browser: Browser, mine: CaseRecipient, new_browser: Callable[..., Browser]
) -> None:
    browser.get(f"/threshold-reports/{mine.id}.pdf")
    code = threshold_copies.code_of(mine)
    public = new_browser()

    told = verified(public, code.lower())
    assert f"made Patient Threshold Report {code} on" in told
    assert "for a prescriber" in told
    assert mine.prescriber
    for secret in ("CANARY", "04/28/1971", mine.reply_code, mine.prescriber.last_name):
        assert secret not in told
    told = verified(browser, code)
    assert mine.reply_code in told
    assert "Open the report" in told
    assert "CANARY" not in told
    browser.sign_in_as(make_user(Role.STAFF))
    assert "Open its case" in verified(browser, code)

    dispensations.void(entry_of(mine), reason="x", by=make_user(), at=NOW)
    assert "withdrawn this report since" in verified(public, code)


def verified(browser: Browser, code: str) -> str:
    browser.get("/verify")
    browser.submit({"code": code}, status=200)
    return " ".join(browser.text().split())


def test_a_report_that_took_two_people_for_one_shows_ones_own_rows_alone(
    browser: Browser, mine: CaseRecipient
) -> None:
    stranger = make_identity(last_name="CANARYSTRANGER")
    other = (
        Dispensation.select()
        .where(Dispensation.patient == mine.case.patient)
        .where(Dispensation.prescriber != mine.prescriber)
        .first()
    )
    other.patient, other.identity = stranger.patient, stranger
    other.save()

    page = browser.get(f"/threshold-reports/{mine.id}").get_data(as_text=True)

    assert "took two people for one" in page
    assert entry_of(mine).row_code in page
    assert "CANARYSTRANGER" not in page
    rows = Dispensation.select().where(Dispensation.id != entry_of(mine).id)
    assert [row.row_code for row in rows if row.row_code in page] == []
    assert f"{mine.id}.pdf" not in page
    browser.get(f"/threshold-reports/{mine.id}.pdf", status=404)
    assert "Entries of this report have been found" in browser.text()


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


def test_not_my_patient_opens_a_ticket_at_once(
    browser: Browser, mine: CaseRecipient
) -> None:
    browser.get(f"/threshold-reports/{mine.id}")
    browser.submit({"answer": "not_my_patient"})
    browser.follow()

    [ticket] = Ticket.select()
    assert ticket.dispensation == entry_of(mine)
    assert (ticket.problem, ticket.case) == ("not_my_patient", mine.case)
    assert f"Ticket {ticket.number}" in browser.text()
    assert "Staff look into it: 1 ticket is open." in browser.text()
    assert "Accuracy under review" in browser.text()
    browser.get(f"/tickets/{ticket.number}")


def test_what_was_done_and_a_wrong_row_are_kept_and_shown(
    browser: Browser, mine: CaseRecipient
) -> None:
    row = entry_of(mine).row_code
    browser.get(f"/threshold-reports/{mine.id}")
    browser.submit(
        {
            "answer": "my_patient",
            f"row_{row}": "wrong_quantity",
            "done": ["discussed_with_patient", "please_call"],
            "note": "It was thirty.",
        }
    )
    browser.follow()

    text = browser.text()
    assert f"Answered here, {clock.today():%m/}" in text
    assert f"Row {row} is wrong: wrong quantity" in text
    assert "Discussed with the patient" in text
    assert "Please call me" in text
    assert "“It was thirty.”" in text
    [ticket] = Ticket.select()
    assert (ticket.problem, ticket.note) == ("wrong_quantity", "It was thirty.")


def test_what_was_typed_stays_when_an_answer_is_refused(
    browser: Browser, mine: CaseRecipient
) -> None:
    row = entry_of(mine).row_code
    browser.get(f"/threshold-reports/{mine.id}")
    browser.submit({"answer": "my_patient", f"row_{row}": "other"}, status=422)

    assert "Describe what is wrong with the row" in browser.text()
    assert browser.page is not None
    html = browser.page.get_data(as_text=True)
    assert '<option selected value="other">' in html
    assert Ticket.select().count() == RecipientReply.select().count() == 0


def test_a_changed_answer_is_offered_as_it_was(
    browser: Browser, mine: CaseRecipient
) -> None:
    browser.get(f"/threshold-reports/{mine.id}")
    browser.submit({"answer": "my_patient", "done": ["referral_offered"]})
    browser.follow()
    browser.submit({"note": "Twice a week."})

    newest, first = RecipientReply.select().order_by(RecipientReply.id.desc())
    assert newest.referral_offered
    assert (newest.answer, newest.note) == ("my_patient", "Twice a week.")
    assert first.note == ""


def test_a_note_goes_from_the_call_sheet_and_its_way_is_seen(
    browser: Browser, mine: CaseRecipient
) -> None:
    other = case_recipients.of_case(mine.case)[1]
    browser.get(f"/threshold-reports/{mine.id}")
    assert browser.text().count("Send a note") == 5
    browser.get(f"/threshold-reports/{mine.id}/notes/to/{other.id}")
    browser.submit({"text": ""}, status=422)
    assert "Write a note" in browser.text()
    browser.submit({"text": "I see her on Monday.\nShall we speak?"})
    browser.follow()

    assert "I see her on Monday." in browser.text()
    assert "Notes between those on this report" in browser.text()
    [note] = CareNote.select()
    assert (note.sender, note.addressee) == (mine, other)

    browser.sign_in_as(doctor(other.prescriber))
    browser.get(f"/threshold-reports/{other.id}")
    assert "I see her on Monday." in browser.text()
    assert CareNote.get().opened_at is not None


def test_a_note_to_somebody_of_another_case_is_not_found(
    browser: Browser, mine: CaseRecipient
) -> None:
    stranger = CaseRecipient.get(CaseRecipient.case != mine.case)

    browser.get(f"/threshold-reports/{mine.id}/notes/to/{stranger.id}", status=404)
    browser.get(f"/threshold-reports/{mine.id}/notes/to/{mine.id}", status=404)


def test_my_faxed_reply_page_is_shown_to_me_and_to_nobody_else(
    browser: Browser, mine: CaseRecipient
) -> None:
    body = documents.drawn("test", "<p>one</p><pdf:nextpage/><p>two</p>")
    fax = faxes.receive(
        body=body,
        media_type="application/pdf",
        from_number="8605550143",
        source="test",
        source_reference="a",
        at=NOW,
    )
    code = mine.reply_code
    faxes.file_by_codes(fax, codes=[code], pages=2, found_on={code: 2}, at=NOW)
    browser.get(f"/threshold-reports/{mine.id}")
    assert "staff have yet to read it" in browser.text()
    [faxed] = FaxedReply.select()
    address = f"/threshold-reports/{mine.id}/faxes/{faxed.id}.png"
    assert browser.get(address).mimetype == "image/png"
    viewed = AuditEvent.get(AuditEvent.event == audit.Event.FAX_VIEWED)
    assert viewed.detail == {"page": 2, "recipient": mine.id}

    other = case_recipients.of_case(mine.case)[1]
    browser.sign_in_as(doctor(other.prescriber))
    browser.get(address, status=404)
    browser.get(address.replace(f"/{mine.id}/", f"/{other.id}/"), status=404)


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
