"""Each kind of letter shows its address, and nothing else, in each kind of envelope."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from gateway import barcodes, documents, letter_marks, letters_check, messages, windows
from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    OutsideKind,
    Role,
    ThresholdCase,
    TicketOutcome,
)
from pmp import deliveries, settings
from pmp.deliveries import Route
from pmp.deliveries.letter_codes import letter_code
from pmp.registration import approval
from pmp.reporting import notices
from pmp.thresholds import care_notes, case_recipients
from tests.conftest import NOW
from tests.factories import (
    make_application,
    make_crossing,
    make_dispensation,
    make_licence,
    make_patient,
    make_pharmacy,
    make_practitioner_licence,
    make_prescriber,
    make_user,
)
from tests.gateway import test_registration_notice, test_threshold_report
from tests.gateway.test_ticket_letters import answered, asked, opened

if TYPE_CHECKING:
    from gateway.message import Message

LATE = datetime(2026, 11, 18, 14, tzinfo=UTC)


def credential_letter() -> Delivery:
    make_practitioner_licence()
    application = make_application(status=test_registration_notice.RECEIVED)
    approval.approve(application, checked=list(approval.Check), by=make_user(), at=NOW)
    return Delivery.get(kind=DeliveryKind.CREDENTIAL_LETTER)


def registration_notice() -> Delivery:
    test_registration_notice.returned(preferred_channel=ChannelName.LETTER)
    return Delivery.get(kind=DeliveryKind.REGISTRATION_NOTICE)


def crossing() -> ThresholdCase:
    patient = make_patient(**test_threshold_report.PATIENT)
    doctor = make_prescriber(last_name="OAKES", licence=make_licence(name="RAE OAKES"))
    make_dispensation(patient=patient, prescriber=doctor, filled_on=date(2026, 10, 20))
    case: ThresholdCase = make_crossing(patient, fills=2)
    return case


def threshold_report() -> Delivery:
    crossing()
    return Delivery.get(kind=DeliveryKind.THRESHOLD_REPORT, channel=ChannelName.LETTER)


def correction_notice() -> Delivery:
    case = crossing()
    recipient = test_threshold_report.recipient_named(case, "OAKES")
    report = Delivery.get(kind=DeliveryKind.THRESHOLD_REPORT, subject_id=recipient.id)
    messages.compose(report, DeliveryAttempt(started_at=NOW))
    test_threshold_report.corrected(case)
    return by_letter(Delivery.get(kind=DeliveryKind.CORRECTION_NOTICE))


def care_note() -> Delivery:
    case = crossing()
    reader = test_threshold_report.recipient_named(case, "OAKES")
    sender, *_ = (each for each in case_recipients.of_case(case) if each != reader)
    user = make_user(Role.PRACTITIONER, prescriber=sender.prescriber)
    care_notes.send(sender.id, reader.id, text="Taper.", by=user, at=NOW)
    return by_letter(Delivery.get(kind=DeliveryKind.CARE_NOTE))


def ticket_question() -> Delivery:
    pharmacy = make_pharmacy(licence=make_licence(name="ELM STREET DRUG"))
    entry, staff = make_dispensation(pharmacy=pharmacy), make_user()
    return asked(opened(entry, staff), staff)


def outside_answer() -> Delivery:
    answered(
        make_dispensation(), make_user(), OutsideKind.PATIENT, TicketOutcome.UPHELD
    )
    return Delivery.get(kind=DeliveryKind.OUTSIDE_ANSWER)


def ticket_notice() -> Delivery:
    ticket = opened(make_dispensation(), make_user())
    return deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=ticket.id,
        routes=[Route(ChannelName.LETTER, "SAM POE\n12 Elm Street\nHartford CT 06106")],
        dedupe_key=f"ticket-message:{ticket.id}:test",
        at=NOW,
    )


def reporting_notice() -> Delivery:
    licence = make_licence(name="ELM STREET DRUG")
    make_pharmacy(licence=licence, reports_since=date(2026, 11, 1))
    notices.run(at=LATE)
    return by_letter(Delivery.get(kind=DeliveryKind.REPORTING_NOTICE))


def by_letter(delivery: Delivery) -> Delivery:
    """Have a message go by letter whatever the first choice of its recipient is."""
    if delivery.channel != ChannelName.LETTER:
        ways = dict(delivery.further_routes)
        delivery.channel, delivery.address = ChannelName.LETTER, ways["letter"]
        delivery.save()
    return delivery


KINDS = (
    credential_letter,
    registration_notice,
    threshold_report,
    correction_notice,
    care_note,
    ticket_question,
    outside_answer,
    ticket_notice,
    reporting_notice,
)


@pytest.mark.parametrize("envelope", sorted(windows.ENVELOPES))
@pytest.mark.parametrize("make", KINDS)
def test_a_letter_fits_its_envelope_with_and_without_its_code(
    db: settings.Settings,
    make: Callable[[], Delivery],
    envelope: str,
) -> None:
    with settings.changed(envelope=envelope):
        delivery = make()
        assert delivery.channel == ChannelName.LETTER
        message: Message = messages.compose(
            delivery, DeliveryAttempt(delivery=delivery, number=1, started_at=NOW)
        )
        assert message.pdf is not None
        code = letter_code(delivery.id)
        marked = letter_marks.marked(message.pdf, delivery.id)

        plain = letters_check.problems(message.pdf, address=delivery.address)
        assert plain == []
        printed = letters_check.problems(marked, address=delivery.address, mark=code)
        assert printed == []
        assert code in barcodes.every_code(marked)
        assert documents.page_count(marked) == documents.page_count(message.pdf)
