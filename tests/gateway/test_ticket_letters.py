"""Questions to dispensers, answers to outside reporters, changed look-ups."""

from io import BytesIO
from typing import Any

import pypdf
import pytest

from gateway import barcodes, fax_check, layout_check, letters_check, messages
from gateway.message import Message
from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    Disclosure,
    Dispensation,
    OutsideKind,
    Patient,
    Pharmacy,
    Ticket,
    TicketOutcome,
    TicketProblem,
    TicketQuestion,
    User,
)
from pmp import clock, deliveries, tickets
from pmp.deliveries import Route
from pmp.tickets import dispenser_questions, faxed_papers, outside
from pmp.tickets.outside import Person
from pmp.tickets.shown import Shown
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_identity,
    make_licence,
    make_pharmacy,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")
NEVER = ("CANARYQUIST", "Oxycodone", "04/28/1971")


@pytest.fixture
def staff() -> User:
    return make_user(username="staff.lee")


@pytest.fixture
def elm() -> Pharmacy:
    licence = make_licence(
        name="ELM STREET DRUG",
        fax="8605550111",
        preferred_channel=ChannelName.FAX,
    )
    return make_pharmacy(name="ELM STREET DRUG", licence=licence)


@pytest.fixture
def entry(elm: Pharmacy) -> Dispensation:
    identity = make_identity(last_name="CANARYQUIST")
    return make_dispensation(
        identity=identity, pharmacy=elm, prescription_number="RX600100"
    )


def composed(delivery: Delivery) -> Message:
    return messages.compose(delivery, DeliveryAttempt(started_at=NOW))


def words_of(pdf: bytes | None) -> str:
    assert pdf is not None
    sheets = pypdf.PdfReader(BytesIO(pdf)).pages
    return " ".join(" ".join(sheet.extract_text() for sheet in sheets).split())


def asked(ticket: Ticket, staff: User, **options: Any) -> Delivery:
    tickets.ask_dispenser(
        ticket,
        text="Was it thirty?",
        by=staff,
        at=NOW,
        revision=ticket.revision,
        **options,
    )
    found: Delivery = Delivery.get(Delivery.kind == DeliveryKind.TICKET_QUESTION)
    return found


def opened(entry: Dispensation, staff: User) -> Ticket:
    return tickets.open_ticket(
        Shown(entry), problem=TicketProblem.WRONG_QUANTITY, note="", by=staff, at=NOW
    )


def test_a_faxed_question_finds_the_entry_and_names_neither_person_nor_drug(
    entry: Dispensation, staff: User
) -> None:
    ticket = opened(entry, staff)
    delivery = asked(ticket, staff)

    message = composed(delivery)
    composed(delivery)  # a second try is no second disclosure

    said = words_of(message.pdf)
    for words in (
        "ELM STREET DRUG",
        ticket.number,
        entry.row_code,
        "RX600100, filled 11/01/2026",
        "Was it thirty?",
        f"/questions/{delivery.subject_id}",
        "(860) 713-6073",
    ):
        assert words in said
    assert not [word for word in NEVER if word in said + message.subject]
    [disclosure] = Disclosure.select()
    assert disclosure.patient == entry.patient
    assert disclosure.recipient == "ELM STREET DRUG"


@pytest.mark.parametrize("sentences", [1, 80])
def test_each_page_of_a_question_has_the_code_that_brings_papers_to_the_ticket(
    entry: Dispensation, staff: User, sentences: int
) -> None:
    ticket = opened(entry, staff)
    delivery = asked(ticket, staff)
    TicketQuestion.update(
        text="Was it thirty, as the label says? " * sentences
    ).execute()

    body = composed(delivery).pdf

    assert body is not None
    cover, *rest = barcodes.read_codes(fax_check.as_fax(body), "image/tiff")
    assert cover.codes == ()
    assert {page.codes for page in rest} == {(faxed_papers.code_of(ticket),)}
    assert len(rest) == (1 if sentences == 1 else 2)
    assert layout_check.problems(body) == []


def test_a_mailed_question_is_a_link(
    elm: Pharmacy, entry: Dispensation, staff: User
) -> None:
    delivery = asked(opened(entry, staff), staff)
    delivery.channel, delivery.address = ChannelName.EMAIL, "elm@example.org"

    message = composed(delivery)

    assert f"/questions/{delivery.subject_id}" in message.text
    for secret in (*NEVER, entry.row_code, "RX600100", "thirty"):
        assert secret not in message.text + message.subject
    assert Disclosure.select().count() == 0


def test_a_question_about_what_is_missing_names_nobody_on_paper(
    elm: Pharmacy, entry: Dispensation, staff: User
) -> None:
    patient: Patient = entry.patient
    ticket = tickets.open_ticket(
        Shown(None, patient=patient),
        problem=TicketProblem.MISSING,
        note="One.",
        by=staff,
        at=NOW,
    )
    chosen = dispenser_questions.pharmacy_of(str(elm.dea))

    said = words_of(composed(asked(ticket, staff, pharmacy=chosen)).pdf)

    assert "Sign in or call" in said
    assert not [word for word in (*NEVER, "RX600100") if word in said]


def answered(
    entry: Dispensation, staff: User, kind: OutsideKind, outcome: TicketOutcome
) -> tuple[Ticket, Message]:
    person = Person(
        kind=kind,
        name="Anna Sample",
        address="1 Oak Street\nHartford CT 06106",
        answer_by=ChannelName.LETTER,
        received_on=clock.day_of(NOW),
    )
    ticket = outside.open_for(
        person,
        Shown(entry),
        problem=TicketProblem.WRONG_DATE,
        note="The third.",
        by=staff,
        at=NOW,
    )
    tickets.resolve(
        ticket,
        outcome=outcome,
        note="The log says so.",
        by=staff,
        at=NOW,
        revision=ticket.revision,
    )
    delivery = Delivery.get(Delivery.kind == DeliveryKind.OUTSIDE_ANSWER)
    return ticket, composed(delivery)


def test_a_patient_who_is_refused_reads_what_they_may_do(
    entry: Dispensation, staff: User
) -> None:
    ticket, message = answered(entry, staff, OutsideKind.PATIENT, TicketOutcome.UPHELD)

    said = words_of(message.pdf)
    for words in (
        "ANNA SAMPLE 1 OAK ST HARTFORD CT 06106",
        ticket.number,
        "The entry is right as it stands. The log says so.",
        "statement of disagreement",
        "45 CFR 164.526",
    ):
        assert words in said
    assert not [word for word in NEVER if word in said]
    assert message.pdf is not None
    assert letters_check.problems(message.pdf) == []


def test_a_caller_reads_the_outcome_alone(entry: Dispensation, staff: User) -> None:
    _, message = answered(entry, staff, OutsideKind.CALLER, TicketOutcome.VOIDED)

    said = words_of(message.pdf)
    assert "The entry was removed. The log says so." in said
    assert "disagree" not in said


def test_a_changed_look_up_is_told_by_a_link_alone(entry: Dispensation) -> None:
    delivery = deliveries.request(
        kind=DeliveryKind.LOOK_UP_CORRECTION,
        subject_id=1,
        routes=[Route(ChannelName.EMAIL, "adams@example.org")],
        dedupe_key="look-up-corrections:1:2026-11-23",
        at=NOW,
    )

    message = composed(delivery)

    assert message.subject == "An entry in a report that you looked up has changed"
    assert "/look-ups/changed" in message.text
    for secret in (*NEVER, entry.row_code):
        assert secret not in message.text
