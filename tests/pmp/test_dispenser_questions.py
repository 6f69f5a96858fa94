"""A pharmacy answers on its own page what the program asks about its entries."""

from datetime import datetime, timedelta

import pytest

from models import (
    AuditEvent,
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Disclosure,
    Dispensation,
    Patient,
    Pharmacy,
    QuestionAnswer,
    Role,
    Submission,
    Ticket,
    TicketOutcome,
    TicketProblem,
    TicketQuestion,
    TicketStatus,
    User,
)
from pmp import audit, tickets, uploads
from pmp.dispensations import own_corrections, own_entries
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.tickets import accepting, answers_by_file, dispenser_questions, whole_records
from pmp.tickets.shown import Shown
from tests import submission_files
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_identity,
    make_licence,
    make_pharmacy,
    make_product,
    make_ticket,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def staff() -> User:
    return make_user(username="staff.lee")


@pytest.fixture
def elm() -> Pharmacy:
    return make_pharmacy(name="ELM")


@pytest.fixture
def pharmacist(elm: Pharmacy) -> User:
    return make_user(Role.PHARMACY, pharmacy=elm)


@pytest.fixture
def entry(elm: Pharmacy) -> Dispensation:
    make_product(ndc="00406051201")
    return make_dispensation(pharmacy=elm)


@pytest.fixture
def ticket(entry: Dispensation) -> Ticket:
    doctor = make_user(Role.PRACTITIONER, prescriber=entry.prescriber)
    return make_ticket(entry, by=doctor)


def ask(
    ticket: Ticket,
    staff: User,
    text: str = "Was it thirty?",
    pharmacy: Pharmacy | None = None,
) -> TicketQuestion:
    tickets.ask_dispenser(
        ticket,
        text=text,
        by=staff,
        at=NOW,
        revision=ticket.revision,
        pharmacy=pharmacy,
    )
    found: TicketQuestion = (
        TicketQuestion.select().order_by(TicketQuestion.id.desc()).get()
    )
    return found


def test_the_question_waits_for_its_pharmacy_and_for_nobody_else(
    ticket: Ticket, staff: User, pharmacist: User
) -> None:
    other = make_user(Role.PHARMACY, pharmacy=make_pharmacy())
    ask(make_ticket(), staff, "Noise, of another pharmacy.")
    question = ask(ticket, staff)

    assert dispenser_questions.waiting(pharmacist) == [question]
    assert dispenser_questions.count(pharmacist) == 1
    assert dispenser_questions.count(other) == 0
    assert question.due_at == tickets.get(ticket.number).dispenser_due_at
    for reader in (other, make_user(Role.PRACTITIONER)):
        with pytest.raises(NotFoundError):
            dispenser_questions.view(question.id, by=reader, at=NOW)
        with pytest.raises(NotFoundError):
            dispenser_questions.explain(question, text="No.", by=reader, at=NOW)


def test_the_pharmacy_is_told_by_its_own_channel(
    entry: Dispensation, staff: User
) -> None:
    licence = make_licence(fax="8605550111", preferred_channel=ChannelName.FAX)
    Pharmacy.update(licence=licence).execute()

    question = ask(make_ticket(entry, by=make_user()), staff)

    delivery = Delivery.get(Delivery.kind == DeliveryKind.TICKET_QUESTION)
    assert delivery.subject_id == question.id
    assert (delivery.channel, delivery.address) == ("fax", "+18605550111")


def test_an_explanation_gives_the_ticket_back_to_staff_who_are_told(
    ticket: Ticket, staff: User, pharmacist: User
) -> None:
    question = ask(ticket, staff)
    Delivery.delete().execute()

    dispenser_questions.explain(question, text="It was sixty.", by=pharmacist, at=NOW)

    assert tickets.get(ticket.number).status == TicketStatus.ANSWERED
    answered = TicketQuestion.get_by_id(question.id)
    assert (answered.answer, answered.answered_by) == ("explained", pharmacist.username)
    assert [each.dedupe_key.split(":")[0] for each in Delivery.select()] == [
        "ticket-answered"
    ]
    assert "It was sixty." not in " ".join(
        line.text for line in tickets.thread(ticket)
    )  # the reporter does not read it
    event = AuditEvent.get(AuditEvent.event == audit.Event.TICKET_ANSWERED)
    assert event.actor == pharmacist.username
    assert dispenser_questions.waiting(pharmacist) == []
    assert dispenser_questions.answered(pharmacist, at=NOW) == [question]


def test_an_answer_needs_words_and_is_given_once(
    ticket: Ticket, staff: User, pharmacist: User
) -> None:
    question = ask(ticket, staff)
    with pytest.raises(RuleError):
        dispenser_questions.explain(question, text=" ", by=pharmacist, at=NOW)
    dispenser_questions.explain(question, text="It was sixty.", by=pharmacist, at=NOW)

    with pytest.raises(ConflictError):
        dispenser_questions.explain(question, text="Or not.", by=pharmacist, at=NOW)

    assert TicketQuestion.get_by_id(question.id).answer_text == "It was sixty."


def test_staff_write_down_what_a_pharmacy_says_by_phone(
    ticket: Ticket, staff: User
) -> None:
    question = ask(ticket, staff)

    dispenser_questions.explain(question, text="By phone: sixty.", by=staff, at=NOW)

    assert TicketQuestion.get_by_id(question.id).answered_by == staff.username


def test_a_correction_is_the_answer(
    ticket: Ticket, entry: Dispensation, staff: User, pharmacist: User
) -> None:
    question = ask(ticket, staff)
    other = ask(make_ticket(make_dispensation(pharmacy=entry.pharmacy)), staff)

    own_corrections.correct(
        entry.row_code,
        {"DSP09": "30"},
        version=1,
        reason="As the label says.",
        by=pharmacist,
        at=NOW,
    )

    answered = TicketQuestion.get_by_id(question.id)
    assert answered.answer == QuestionAnswer.CORRECTED
    assert answered.answer_text == "The pharmacy corrected this entry: Quantity."
    assert tickets.get(ticket.number).status == TicketStatus.ANSWERED
    assert TicketQuestion.get_by_id(other.id).answer is None


def test_returned_to_stock_is_removed_and_that_is_the_answer(
    ticket: Ticket, entry: Dispensation, staff: User, pharmacist: User
) -> None:
    question = ask(ticket, staff)

    own_entries.remove(
        entry.row_code, version=1, reason="Never picked up.", by=pharmacist, at=NOW
    )

    assert TicketQuestion.get_by_id(question.id).answer == QuestionAnswer.REMOVED


def test_a_ticket_with_a_second_question_waits_for_both(
    ticket: Ticket, staff: User, pharmacist: User
) -> None:
    first, second = ask(ticket, staff), ask(ticket, staff, "And the days?")

    dispenser_questions.explain(first, text="Sixty.", by=pharmacist, at=NOW)
    assert tickets.get(ticket.number).status == TicketStatus.WITH_DISPENSER
    dispenser_questions.explain(second, text="Thirty.", by=pharmacist, at=NOW)

    assert tickets.get(ticket.number).status == TicketStatus.ANSWERED


def test_no_answer_is_asked_for_any_more_once_staff_have_decided(
    ticket: Ticket, staff: User, pharmacist: User
) -> None:
    question = ask(ticket, staff)
    tickets.resolve(
        ticket,
        outcome=TicketOutcome.UPHELD,
        note="It is right.",
        by=staff,
        at=NOW,
        revision=ticket.revision,
    )

    assert dispenser_questions.waiting(pharmacist) == []
    with pytest.raises(RuleError):
        dispenser_questions.explain(question, text="Sixty.", by=pharmacist, at=NOW)


def test_the_entry_is_on_the_audit_record_before_it_is_shown(
    ticket: Ticket, staff: User, pharmacist: User
) -> None:
    question = ask(ticket, staff)

    asked = dispenser_questions.view(question.id, by=pharmacist, at=NOW)

    assert asked.entry == ticket.dispensation
    event = AuditEvent.get(AuditEvent.event == audit.Event.DISPENSING_VIEWED)
    assert event.detail == {"ticket": ticket.number}


def test_of_what_is_missing_staff_say_whom_to_ask_and_the_name_is_accounted_for(
    staff: User, pharmacist: User, elm: Pharmacy
) -> None:
    patient: Patient = make_identity(last_name="CANARYQUIST").patient
    ticket = tickets.open_ticket(
        Shown(None, patient=patient),
        problem=TicketProblem.MISSING,
        note="The fill of 11/02.",
        by=staff,
        at=NOW,
    )
    with pytest.raises(RuleError) as refused:
        ask(ticket, staff)
    assert refused.value.field == "pharmacy"
    ticket = tickets.get(ticket.number)

    question = ask(
        ticket, staff, pharmacy=dispenser_questions.pharmacy_of(str(elm.dea))
    )
    asked = dispenser_questions.view(question.id, by=pharmacist, at=NOW)

    assert asked.entry is None
    assert asked.person.startswith("CANARYQUIST, ANNA")
    disclosure = Disclosure.get()
    assert (disclosure.patient, disclosure.recipient) == (patient, "ELM")
    assert whole_records.subject(ticket) == "Whole record"


def test_an_unknown_number_is_no_pharmacy() -> None:
    with pytest.raises(RuleError) as refused:
        dispenser_questions.pharmacy_of("AB0000000")

    assert refused.value.field == "pharmacy"
    assert dispenser_questions.pharmacy_of(" ") is None


def test_an_answer_of_long_ago_leaves_the_list(
    ticket: Ticket, staff: User, pharmacist: User
) -> None:
    question = ask(ticket, staff)
    dispenser_questions.explain(question, text="Sixty.", by=pharmacist, at=NOW)
    later = NOW + timedelta(days=dispenser_questions.LISTED_DAYS + 1)

    assert dispenser_questions.answered(pharmacist, at=later) == []


def test_staff_end_the_ticket_by_what_the_pharmacy_has_done(
    ticket: Ticket, entry: Dispensation, staff: User, pharmacist: User
) -> None:
    noise = make_ticket(make_dispensation(pharmacy=entry.pharmacy))
    with pytest.raises(RuleError):
        accepting.accept(ticket, note="Done.", by=staff, at=NOW, revision=1)
    own_entries.remove(
        entry.row_code, version=1, reason="Never picked up.", by=pharmacist, at=NOW
    )
    ticket = tickets.get(ticket.number)
    assert (accepting.was_changed(ticket), accepting.was_changed(noise)) == (
        True,
        False,
    )

    accepting.accept(ticket, note="Done.", by=staff, at=NOW, revision=ticket.revision)

    assert tickets.outcome_of(tickets.get(ticket.number)) == "The entry was removed."


def test_a_question_that_still_waits_is_not_sent_once_the_ticket_ends(
    ticket: Ticket, staff: User
) -> None:
    question = ask(ticket, staff)
    noise = ask(make_ticket(), staff)
    Delivery.update(state=DeliveryState.QUEUED).execute()

    tickets.resolve(
        ticket,
        outcome=TicketOutcome.UPHELD,
        note="Right.",
        by=staff,
        at=NOW,
        revision=ticket.revision,
    )

    states = {
        each.subject_id: each.state
        for each in Delivery.select().where(
            Delivery.kind == DeliveryKind.TICKET_QUESTION
        )
    }
    assert states == {question.id: "cancelled", noise.id: "queued"}


def test_after_the_end_the_pharmacy_is_told_no_name_any_more(
    staff: User, pharmacist: User, elm: Pharmacy
) -> None:
    person = make_identity(last_name="CANARYQUIST")
    ticket = tickets.open_ticket(
        Shown(None, patient=person.patient),
        problem=TicketProblem.MISSING,
        note="A fill of May.",
        by=make_user(Role.PRACTITIONER),
        at=NOW,
    )
    question = ask(ticket, staff, pharmacy=elm)
    shown = dispenser_questions.view(question.id, by=pharmacist, at=NOW)
    assert "CANARYQUIST" in shown.person.upper()
    told = Disclosure.select().count()

    tickets.resolve(
        ticket,
        outcome=TicketOutcome.UPHELD,
        note="Right.",
        by=staff,
        at=NOW,
        revision=ticket.revision,
    )

    after = dispenser_questions.view(question.id, by=pharmacist, at=NOW)
    assert (after.person, after.entry) == ("", None)
    assert Disclosure.select().count() == told


def submit(by: User, *records: list[str], at: datetime) -> None:
    body = submission_files.submission((submission_files.ELM, records))
    received = uploads.receive(filename="november.dat", body=body, by=by, at=at)
    uploads.process(received.id, at=at)


def test_a_file_that_revises_or_voids_the_entry_answers_the_question(
    staff: User,
) -> None:
    make_product(ndc=submission_files.OXYCODONE)
    dea = submission_files.ELM[2]
    by = make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=dea))
    submit(by, *(submission_files.fill(number) for number in "123"), at=NOW)
    entries = list(Dispensation.select().order_by(Dispensation.id))
    asked = [ask(make_ticket(each, by=by), staff) for each in entries]

    submit(
        by,
        submission_files.fill("1", status="01", quantity="30"),
        submission_files.fill("2", status="02"),
        at=NOW + timedelta(hours=1),
    )

    fresh = [TicketQuestion.get_by_id(each.id) for each in asked]
    assert [each.answer for each in fresh] == ["corrected", "removed", None]
    assert fresh[0].answered_by == by.username
    assert [tickets.get(each.ticket.number).status for each in fresh] == [
        TicketStatus.ANSWERED,
        TicketStatus.ANSWERED,
        TicketStatus.WITH_DISPENSER,
    ]


def test_a_file_that_came_before_the_question_answers_nothing(staff: User) -> None:
    make_product(ndc=submission_files.OXYCODONE)
    dea = submission_files.ELM[2]
    by = make_user(Role.PHARMACY, pharmacy=make_pharmacy(dea=dea))
    earlier = NOW - timedelta(days=1)
    submit(by, submission_files.fill("1"), at=earlier)
    submit(by, submission_files.fill("1", status="01", quantity="30"), at=earlier)
    question = ask(make_ticket(Dispensation.get(), by=by), staff)

    for submission in Submission.select():
        assert answers_by_file.answer(submission, at=NOW) == 0

    assert TicketQuestion.get_by_id(question.id).answer is None
