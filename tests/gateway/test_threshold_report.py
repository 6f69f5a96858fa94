from datetime import date, timedelta

import pypdfium2
import pytest

from gateway import fax_pages, letters_check, messages
from models import (
    CaseEntry,
    CaseRecipient,
    ChannelName,
    CorrectionNotice,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    DeliveryState,
    Disclosure,
    Dispensation,
    Role,
    Species,
    ThresholdCase,
    TicketOutcome,
    TicketProblem,
)
from pmp import deliveries, dispensations, documents, settings, thresholds, tickets
from pmp.deliveries import Route, contacts
from pmp.errors import RuleError
from pmp.lookup import report_codes
from pmp.thresholds import (
    case_recipients,
    threshold_cases,
    threshold_copies,
    threshold_reports,
)
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_identity,
    make_licence,
    make_patient,
    make_prescriber,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")

PATIENT = {"last_name": "CANARYQUIST", "first_name": "ZEPHYRINE"}


def text_of(pdf: bytes) -> list[str]:
    """Read the words of each page, however they are broken into lines."""
    document = pypdfium2.PdfDocument(pdf)
    texts = [page.get_textpage().get_text_bounded() for page in document]
    document.close()
    return [" ".join(text.split()) for text in texts]


def attempt_of(delivery: Delivery) -> DeliveryAttempt:
    return DeliveryAttempt(delivery=delivery, number=1, started_at=NOW)


def to(recipient: CaseRecipient, channel: ChannelName, address: str) -> Delivery:
    """Put one more delivery of a report in the outbox, by a chosen channel."""
    return deliveries.request(
        kind=DeliveryKind.THRESHOLD_REPORT,
        subject_id=recipient.id,
        routes=[Route(channel, address)],
        dedupe_key=f"test:{recipient.id}:{channel}",
        at=NOW,
    )


@pytest.fixture
def case() -> ThresholdCase:
    patient = make_patient(**PATIENT)
    doctor = make_prescriber(
        last_name="OAKES",
        first_name="RAE",
        phone="8605550142",
        licence=make_licence(name="RAE OAKES", fax="8605550143"),
    )
    make_dispensation(patient=patient, prescriber=doctor, filled_on=date(2026, 10, 20))
    make_crossing(make_patient(last_name="NOISE"))
    made: ThresholdCase = make_crossing(patient, fills=2)
    return made


def recipient_named(case: ThresholdCase, name: str) -> CaseRecipient:
    return next(
        each
        for each in case_recipients.of_case(case)
        if each.prescriber and each.prescriber.last_name == name
    )


def test_the_fax_holds_all_that_the_recipient_needs(case: ThresholdCase) -> None:
    recipient = recipient_named(case, "OAKES")
    delivery = Delivery.get(subject_id=recipient.id, kind="threshold_report")

    message = messages.compose(delivery, attempt_of(delivery))

    assert (delivery.channel, message.address) == (ChannelName.FAX, "+18605550143")
    pages = text_of(message.pdf or b"")
    whole = " ".join(pages)
    assert "3 or more prescribers and 3 or more pharmacies in 90 days" in whole
    assert threshold_cases.reached_words(case) in whole
    assert "1 of the 3 counted entries is yours" in whole
    assert "CANARYQUIST, ZEPHYRINE" in whole
    assert "(860) 713-6073" in whole
    assert "20-570 to 20-630" in whole
    for row in Dispensation.select().where(Dispensation.patient == case.patient):
        assert row.row_code in whole
    assert whole.count("YOURS") == 2  # explained, and one row
    assert "NOISE" not in whole


def pages_of(case: ThresholdCase) -> list[str]:
    """Give the words of each page of the report to OAKES, as it is faxed."""
    delivery = to(recipient_named(case, "OAKES"), ChannelName.FAX, "+18605550143")
    return text_of(messages.compose(delivery, attempt_of(delivery)).pdf or b"")


def delivery_of(case: ThresholdCase) -> int:
    recipient = recipient_named(case, "OAKES")
    query = Delivery.select().where(
        Delivery.subject_id == recipient.id, Delivery.address == "+18605550143"
    )
    newest: Delivery = query.order_by(Delivery.id.desc()).first()
    return int(newest.id)


def test_the_cover_sheet_the_leaflet_and_the_reply_page_say_nothing_of_the_patient(
    case: ThresholdCase,
) -> None:
    pages = pages_of(case)

    for page in (pages[0], *pages[-2:]):
        for secret in ("CANARYQUIST", "04/28/1971", "xycodone", "D-0", "1 Oak Street"):
            assert secret not in page
    assert "wrong number" in pages[0]
    assert recipient_named(case, "OAKES").reply_code in pages[-1]
    assert "(860) 713-7242" in pages[-1]


def test_the_pages_are_in_the_order_of_what_is_done_with_them(
    case: ThresholdCase,
) -> None:
    whole = " ".join(pages_of(case))

    parts = (
        "Confidential health information",
        "Why you got this",
        "The patient",
        "Counted entries",
        "Timeline",
        "Call sheet: the others",
        "Suggested steps",
        "Confirm that the person is indeed your patient",
        "If the report is accurate",
        "If anything appears inaccurate, contact the program",
        "You may keep a copy",
        "Say the code of the row",
        "HIPAA permits",
        "Safe with strong medicine",
        "Reply page Fax this page alone",
    )
    places = [whole.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


def test_the_reply_page_asks_in_the_order_in_which_answers_are_kept(
    case: ThresholdCase,
) -> None:
    reply = pages_of(case)[-1]

    asked = (
        "Yes, my patient or customer",
        "No, not my patient or customer",
        "What is wrong",
        "Discussed it with the patient",
        "Offered a referral to treatment",
        "Please call me",
        "Name in print",
        "Signature",
        "Date",
    )
    places = [reply.find(words) for words in asked]
    assert -1 not in places
    assert places == sorted(places)


def test_every_page_says_which_it_is_and_the_code_stands_on_all_but_the_leaflet(
    case: ThresholdCase,
) -> None:
    pages = pages_of(case)

    code = threshold_copies.code_of(recipient_named(case, "OAKES"))
    assert report_codes.read(code) == code
    total = len(pages)
    assert f"{total}, with this one" in pages[0]
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {total}" in page
        assert "(860) 713-6073" in page
        # The patient takes the leaflet home: it must not tell of a report.
        is_leaflet = number == total - 1
        assert (code in page) is not is_leaflet
        line = f"Fax {delivery_of(case)} | page {number} of {total} | CONFIDENTIAL"
        assert line in page
        assert ("CONFIDENTIAL." in page) is not is_leaflet


def test_counseling_points_and_the_treatment_line_go_with_the_report(
    case: ThresholdCase,
) -> None:
    leaflet = pages_of(case)[-2]

    for word in ("alcohol", "locked", "drop box", "children", "naloxone", "prescribed"):
        assert word in leaflet
    assert settings.current().treatment_line in leaflet


def test_what_is_an_animals_or_withheld_is_on_no_report(case: ThresholdCase) -> None:
    rows = list(Dispensation.select().where(Dispensation.patient == case.patient))
    hidden, animals = rows[0], rows[1]
    Dispensation.update(withheld="administrators").where(
        Dispensation.id == hidden.id
    ).execute()
    pet = make_identity(case.patient, species=Species.ANIMAL, first_name="REX")
    Dispensation.update(identity=pet).where(Dispensation.id == animals.id).execute()

    recipient = next(
        each
        for each in case_recipients.of_case(case)
        if each.prescriber == rows[2].prescriber
    )
    report = threshold_reports.report(recipient, at=NOW)

    assert [entry.row_code for entry in report.entries] == [rows[2].row_code]
    assert report.also_reported_as == []


def test_the_call_sheet_lists_the_others_with_phone_and_fax(
    case: ThresholdCase,
) -> None:
    other = next(
        each
        for each in case_recipients.of_case(case)
        if each.prescriber and each.prescriber.last_name != "OAKES"
    )

    report = threshold_reports.report(other, at=NOW)

    assert len(report.call_sheet) == 5
    oakes = next(each for each in report.call_sheet if each.name == "OAKES, RAE")
    assert (oakes.phone, oakes.fax) == ("+18605550142", "+18605550143")
    assert contacts.name_of(case_recipients.who(other)) not in {
        each.name for each in report.call_sheet
    }


def test_the_mail_is_a_notice_and_a_link_without_patient_data(
    case: ThresholdCase,
) -> None:
    recipient = recipient_named(case, "OAKES")
    delivery = to(recipient, ChannelName.EMAIL, "oakes@example.org")

    message = messages.compose(delivery, attempt_of(delivery))

    assert message.pdf is None
    link = f"{settings.current().public_url}/threshold-reports/{recipient.id}"
    assert link in message.text
    row_codes = [row.row_code for row in Dispensation.select()]
    for word in ("CANARYQUIST", "ZEPHYRINE", "1971", "xycodone", *row_codes):
        assert word not in message.subject + message.text
    assert Disclosure.select().count() == 0


def test_what_was_sent_is_what_is_kept(case: ThresholdCase) -> None:
    recipient = recipient_named(case, "OAKES")
    delivery = Delivery.get(subject_id=recipient.id, kind="threshold_report")

    sent = messages.compose(delivery, attempt_of(delivery)).pdf
    make_dispensation(patient=case.patient)
    again = messages.compose(delivery, attempt_of(delivery)).pdf

    assert sent == again
    kept = CaseRecipient.get_by_id(recipient.id).document
    assert kept is not None
    chart = documents.read(kept)
    assert sent == fax_pages.stamped(chart, delivery_id=delivery.id)
    assert threshold_copies.code_of(recipient) in " ".join(text_of(sent or b""))
    assert b"CANARYQUIST" not in bytes(kept.sealed or b"")


def test_a_report_that_has_not_left_is_drawn_anew_when_its_entries_change(
    case: ThresholdCase,
) -> None:
    recipient = recipient_named(case, "OAKES")
    delivery = Delivery.get(subject_id=recipient.id, kind="threshold_report")
    before = messages.compose(delivery, attempt_of(delivery)).pdf
    late = make_dispensation(patient=case.patient, filled_on=date(2026, 10, 21))

    thresholds.evaluate([case.patient.id], at=NOW)
    after = messages.compose(delivery, attempt_of(delivery)).pdf

    assert before != after
    assert late.row_code in " ".join(text_of(after or b""))


def test_each_sending_is_one_disclosure_however_often_it_is_tried(
    case: ThresholdCase,
) -> None:
    recipient = recipient_named(case, "OAKES")
    delivery = Delivery.get(subject_id=recipient.id, kind="threshold_report")

    messages.compose(delivery, attempt_of(delivery))
    messages.compose(delivery, attempt_of(delivery))

    [row] = Disclosure.select()
    assert (row.patient, row.recipient) == (case.patient, "OAKES, RAE")
    assert row.address == "+18605550143"
    assert "threshold" in row.purpose


def test_the_letter_fits_its_envelope(case: ThresholdCase) -> None:
    recipient = recipient_named(case, "OAKES")
    licence = contacts.licence_of(case_recipients.who(recipient))
    assert licence is not None
    address = "\n".join(contacts.address_lines(licence))
    delivery = to(recipient, ChannelName.LETTER, address)

    body = messages.compose(delivery, attempt_of(delivery)).pdf or b""

    assert letters_check.problems(body) == []
    assert "RAE OAKES" in text_of(body)[0]


def test_the_report_of_a_case_that_was_withdrawn_is_not_composed(
    case: ThresholdCase,
) -> None:
    recipient = recipient_named(case, "OAKES")
    delivery = Delivery.get(subject_id=recipient.id, kind="threshold_report")
    entry = Dispensation.get(Dispensation.patient == case.patient)
    dispensations.void(entry, reason="Wrong.", by=make_user(), at=NOW)

    with pytest.raises(RuleError):
        messages.compose(delivery, attempt_of(delivery))


def test_two_hundred_entries_are_drawn(case: ThresholdCase) -> None:
    first = date(2026, 9, 1)
    for number in range(200):
        make_dispensation(
            patient=case.patient,
            prescriber=recipient_named(case, "OAKES").prescriber,
            filled_on=first + timedelta(days=number % 80),
        )
    thresholds.evaluate([case.patient.id], at=NOW)
    recipient = recipient_named(case, "OAKES")
    delivery = to(recipient, ChannelName.FAX, "+18605550143")

    pages = text_of(messages.compose(delivery, attempt_of(delivery)).pdf or b"")

    assert " ".join(pages).count("D-") >= 200
    assert recipient.reply_code in pages[-1]


# --- Corrections and tickets


def corrected(case: ThresholdCase, **changes: object) -> CorrectionNotice:
    """Let the report have been sent to one, then change an entry of it."""
    recipient = recipient_named(case, "OAKES")
    Delivery.update(state=DeliveryState.SENT).where(
        Delivery.subject_id == recipient.id
    ).execute()
    entry = Dispensation.get(Dispensation.prescriber == recipient.prescriber)
    staff = make_user()
    if changes:
        dispensations.correct(entry, changes=changes, reason="x", by=staff, at=NOW)
    else:
        dispensations.void(entry, reason="x", by=staff, at=NOW)
    notice: CorrectionNotice = CorrectionNotice.get()
    return notice


def test_a_correction_says_which_row_and_what_it_was_and_is(
    case: ThresholdCase,
) -> None:
    notice = corrected(case, days_supply=7)
    delivery = Delivery.get(kind="correction_notice")

    pages = text_of(messages.compose(delivery, attempt_of(delivery)).pdf or b"")

    assert notice.dispensation.row_code in pages[1]
    assert "Days supply 30 7" in pages[1]
    assert "still reached" in pages[1]
    assert "xycodone" not in pages[1]
    assert "CANARYQUIST" not in pages[0]
    assert Disclosure.select().count() == 1


def test_a_withdrawal_says_that_the_report_no_longer_holds(
    case: ThresholdCase,
) -> None:
    notice = corrected(case)
    delivery = Delivery.get(kind="correction_notice")

    pages = text_of(messages.compose(delivery, attempt_of(delivery)).pdf or b"")

    assert "The report is withdrawn" in pages[1]
    assert notice.recipient.reply_code in pages[1]


def test_the_mail_of_a_correction_has_no_patient_data(case: ThresholdCase) -> None:
    notice = corrected(case)
    delivery = deliveries.request(
        kind=DeliveryKind.CORRECTION_NOTICE,
        subject_id=notice.id,
        routes=[Route(ChannelName.EMAIL, "oakes@example.org")],
        dedupe_key="test",
        at=NOW,
    )

    message = messages.compose(delivery, attempt_of(delivery))

    assert f"/threshold-reports/{notice.recipient.id}" in message.text
    for word in ("CANARYQUIST", notice.dispensation.row_code, "xycodone"):
        assert word not in message.subject + message.text


def test_a_ticket_notice_holds_number_and_link_only(case: ThresholdCase) -> None:
    entry = Dispensation.get(Dispensation.patient == case.patient)
    reporter = make_user(Role.PRACTITIONER, prescriber=entry.prescriber)
    make_user(Role.STAFF, email="lee@example.org")
    ticket = tickets.open_ticket(
        tickets.find_shown(entry.row_code, by=reporter),
        problem=TicketProblem.OTHER,
        note="CANARYQUIST never came here.",
        by=reporter,
        at=NOW,
    )
    delivery = Delivery.get(kind="ticket_notice", address="lee@example.org")

    message = messages.compose(delivery, attempt_of(delivery))

    assert message.subject == f"Ticket {ticket.number} is yours"
    assert f"/staff/tickets/{ticket.number}" in message.text
    assert "CANARYQUIST" not in message.text


def test_the_reporter_is_told_of_the_outcome_by_letter_too(
    case: ThresholdCase,
) -> None:
    reporter = make_user(Role.PRACTITIONER, email=None)
    reporter.prescriber = make_prescriber(licence=make_licence(name="SAM POE"))
    reporter.save()
    entry = make_dispensation(prescriber=reporter.prescriber)
    staff = make_user()
    ticket = tickets.open_ticket(
        tickets.find_shown(entry.row_code, by=reporter),
        problem=TicketProblem.WRONG_DATE,
        note="",
        by=reporter,
        at=NOW,
    )
    tickets.resolve(
        ticket,
        outcome=TicketOutcome.UPHELD,
        note="As filled.",
        by=staff,
        at=NOW,
        revision=1,
    )
    delivery = Delivery.get(Delivery.dedupe_key == f"ticket-outcome:{ticket.id}")

    body = messages.compose(delivery, attempt_of(delivery)).pdf or b""

    assert delivery.channel == ChannelName.LETTER
    assert ticket.number in text_of(body)[0]
    assert letters_check.problems(body) == []


def test_nothing_goes_to_whom_the_case_does_not_concern_any_more(
    case: ThresholdCase,
) -> None:
    recipient = recipient_named(case, "OAKES")
    theirs = Dispensation.select().where(
        Dispensation.prescriber == recipient.prescriber
    )
    CaseEntry.delete().where(CaseEntry.dispensation.in_(theirs)).execute()
    others = [each for each in case_recipients.of_case(case) if each != recipient]

    for each in (to(recipient, way, "x") for way in ChannelName):
        with pytest.raises(RuleError, match="concern"):
            messages.compose(each, attempt_of(each))
    still = next(
        each
        for each in others
        if each.prescriber and each.prescriber != recipient.prescriber
    )
    delivery = Delivery.get(subject_id=still.id, kind="threshold_report")
    assert messages.compose(delivery, attempt_of(delivery)).pdf
