"""What recipients answer: filed at once, changed at will, tickets opened once."""

from typing import Any

import pytest

from models import (
    AuditEvent,
    CaseRecipient,
    CaseStatus,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Dispensation,
    RecipientAnswer,
    RecipientReply,
    ReplyChannel,
    Role,
    ThresholdCase,
    Ticket,
    TicketOutcome,
    TicketProblem,
    User,
)
from pmp import audit, dispensations, tickets
from pmp.deliveries import contacts
from pmp.errors import NotFoundError, RuleError
from pmp.thresholds import (
    answers,
    case_recipients,
    threshold_cases,
    threshold_copies,
)
from pmp.thresholds.answers import Reply
from pmp.thresholds.threshold_copies import Drawing
from pmp.tickets import telling
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_patient,
    make_prescriber,
    make_ticket,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")

MINE = RecipientAnswer.MY_PATIENT
NOT_MINE = RecipientAnswer.NOT_MY_PATIENT


@pytest.fixture
def case() -> ThresholdCase:
    """Give a case whose first prescriber wrote two of its four entries."""
    patient, doctor = make_patient(), make_prescriber(last_name="OAKES")
    make_crossing(make_patient(last_name="NOISE"))
    make_dispensation(patient=patient, prescriber=doctor)
    make_dispensation(patient=patient, prescriber=doctor)
    made: ThresholdCase = make_crossing(patient, fills=2)
    return made


@pytest.fixture
def oakes(case: ThresholdCase) -> CaseRecipient:
    return next(
        each
        for each in case_recipients.of_case(case)
        if each.prescriber and each.prescriber.last_name == "OAKES"
    )


@pytest.fixture
def doctor(oakes: CaseRecipient) -> User:
    return make_user(Role.PRACTITIONER, prescriber=oakes.prescriber)


def own_rows(recipient: CaseRecipient) -> list[str]:
    rows = threshold_cases.entries(recipient.case)
    return [row.row_code for row in rows if row.prescriber == recipient.prescriber]


def sent(recipient: CaseRecipient) -> None:
    """Have every row of the case on a drawing that left."""
    Delivery.update(state=DeliveryState.SENT).where(
        Delivery.subject_id == recipient.id
    ).execute()
    codes = [row.row_code for row in threshold_cases.entries(recipient.case)]
    threshold_copies.copy(
        recipient,
        draw=lambda _report: Drawing(b"%PDF-" + repr(codes).encode(), 1),
        at=NOW,
    )


def said(recipient: CaseRecipient, by: User, reply: Reply) -> list[str]:
    return answers.answer(recipient.id, reply, by=by, at=NOW)


def disputed() -> dict[str, Any]:
    found: Any = Ticket.select()
    return {each.dispensation.row_code: each.problem for each in found}


def test_an_answer_is_on_the_recipient_the_case_and_the_record(
    oakes: CaseRecipient, doctor: User
) -> None:
    done = frozenset({"discussed_with_patient", "discussed_with_others"})

    assert said(oakes, doctor, Reply(MINE, done=done, note="Seen today.")) == []

    kept = answers.newest(oakes)
    assert kept is not None
    assert answers.in_words(kept) == [
        "My patient or customer",
        "Discussed with the patient",
        "Discussed with the other prescribers or pharmacies",
    ]
    assert (kept.channel, kept.given_by) == (ReplyChannel.PAGE, doctor.username)
    row = CaseRecipient.get_by_id(oakes.id)
    assert (row.answer, row.answered_at, row.note) == (MINE, NOW, "Seen today.")
    assert row.case.status == CaseStatus.ANSWERED
    event = AuditEvent.get(AuditEvent.event == audit.Event.CASE_ANSWERED)
    assert event.detail["done"] == sorted(done)
    assert CaseRecipient.select().where(~CaseRecipient.answer.is_null()).count() == 1
    assert ThresholdCase.select().where(ThresholdCase.status == "queued").count() == 1


def test_not_my_patient_opens_a_ticket_for_each_own_row_and_no_other(
    oakes: CaseRecipient, doctor: User
) -> None:
    opened = said(oakes, doctor, Reply(NOT_MINE))

    assert disputed() == dict.fromkeys(own_rows(oakes), TicketProblem.NOT_MY_PATIENT)
    assert {each.number for each in Ticket.select()} == set(opened)
    assert {each.opened_by for each in Ticket.select()} == {doctor}
    assert {each.case for each in Ticket.select()} == {oakes.case}


def test_who_has_no_row_left_disputes_the_first_of_the_case(
    oakes: CaseRecipient, doctor: User
) -> None:
    someone = make_prescriber()
    sent(oakes)
    for code in own_rows(oakes):
        row = dispensations.find_by_row_code(code)
        Dispensation.update(prescriber=someone).where(
            Dispensation.id == row.id
        ).execute()

    said(oakes, doctor, Reply(NOT_MINE))

    [row, *_] = threshold_cases.entries(oakes.case)
    assert disputed() == {row.row_code: TicketProblem.NOT_MY_PATIENT}


def test_a_row_that_was_removed_is_not_disputed(
    oakes: CaseRecipient, doctor: User
) -> None:
    first, second = own_rows(oakes)
    Dispensation.update(status="voided").where(
        Dispensation.id == dispensations.find_by_row_code(first).id
    ).execute()

    said(oakes, doctor, Reply(NOT_MINE))

    assert set(disputed()) == {second}


def test_wrong_rows_open_tickets_of_their_kind(
    oakes: CaseRecipient, doctor: User
) -> None:
    first, second = own_rows(oakes)
    rows = {first: TicketProblem.WRONG_DATE}

    said(oakes, doctor, Reply(NOT_MINE, rows, note="It was in May."))

    assert disputed() == {
        first: TicketProblem.WRONG_DATE,
        second: TicketProblem.NOT_MY_PATIENT,
    }
    assert {each.note for each in Ticket.select()} == {"It was in May."}


def test_saying_the_same_again_opens_nothing_and_keeps_nothing(
    oakes: CaseRecipient, doctor: User
) -> None:
    reply = Reply(NOT_MINE, {own_rows(oakes)[0]: TicketProblem.WRONG_DATE})
    for _ in range(2):
        said(oakes, doctor, reply)

    assert Ticket.select().count() == 2
    assert RecipientReply.select().count() == 1


def test_a_resolved_ticket_is_not_opened_again_by_another_tick(
    oakes: CaseRecipient, doctor: User
) -> None:
    said(oakes, doctor, Reply(NOT_MINE))
    for ticket in Ticket.select():
        tickets.resolve(
            ticket,
            outcome=TicketOutcome.UPHELD,
            note="Right.",
            by=make_user(),
            at=NOW,
            revision=ticket.revision,
        )

    again = Reply(NOT_MINE, done=frozenset({"please_call"}))

    assert said(oakes, doctor, again) == []
    assert Ticket.select().count() == 2


def test_a_wrong_row_that_was_settled_is_not_disputed_again_by_another_tick(
    oakes: CaseRecipient, doctor: User
) -> None:
    rows = {own_rows(oakes)[0]: TicketProblem.WRONG_DATE}
    said(oakes, doctor, Reply(MINE, rows))
    [ticket] = Ticket.select()
    tickets.resolve(
        ticket,
        outcome=TicketOutcome.UPHELD,
        note="Right.",
        by=make_user(),
        at=NOW,
        revision=ticket.revision,
    )

    assert said(oakes, doctor, Reply(MINE, rows, note="Still.")) == []
    assert Ticket.select().count() == 1


def test_a_row_that_the_reporter_disputes_already_gets_a_line_in_its_ticket(
    oakes: CaseRecipient, doctor: User
) -> None:
    row = own_rows(oakes)[0]
    ticket = make_ticket(dispensations.find_by_row_code(row), by=doctor)

    said(oakes, doctor, Reply(MINE, {row: TicketProblem.WRONG_DATE}, note="In May."))

    assert Ticket.select().count() == 1
    assert tickets.thread(ticket)[-1].text == "Wrong date. In May."
    kept = answers.newest(oakes)
    assert kept is not None
    assert answers.tickets_of(kept) == [ticket]


def test_who_takes_not_my_patient_back_tells_the_open_tickets(
    oakes: CaseRecipient, doctor: User
) -> None:
    said(oakes, doctor, Reply(NOT_MINE))
    noise = make_ticket()

    said(oakes, doctor, Reply(MINE))

    for ticket in Ticket.select().where(Ticket.id != noise.id):
        assert tickets.thread(ticket)[-1].text.endswith(
            "patient or customer after all."
        )
    assert len(tickets.thread(noise)) == 1
    assert CaseRecipient.get_by_id(oakes.id).answer == MINE


def test_where_two_people_were_taken_for_one_only_own_rows_are_asked_about(
    oakes: CaseRecipient, doctor: User
) -> None:
    rows, own = threshold_cases.entries(oakes.case), own_rows(oakes)
    assert len(answers.rows_of(oakes)) == len(rows) == 4
    theirs = next(row for row in rows if row.row_code not in own)
    theirs.patient = make_patient(last_name="ANOTHER")
    theirs.save()

    assert [row.row_code for row in answers.rows_of(oakes)] == own
    wrong = {theirs.row_code: TicketProblem.WRONG_DATE}
    with pytest.raises(RuleError) as refused:
        said(oakes, doctor, Reply(MINE, wrong))
    assert refused.value.field == "rows"
    # On paper they were all sent to them; staff write down what is marked there.
    channel = ReplyChannel.FAX
    answers.write_down(oakes, Reply(MINE, wrong), channel=channel, by=doctor, at=NOW)


def test_nobody_answers_for_somebody_else(oakes: CaseRecipient) -> None:
    stranger = make_user(Role.PRACTITIONER, prescriber=make_prescriber())

    with pytest.raises(NotFoundError):
        said(oakes, stranger, Reply(MINE))

    assert RecipientReply.select().count() == 0


@pytest.mark.parametrize(
    ("reply", "field"),
    [
        (Reply(None), "answer"),
        (Reply(MINE, {"D-0000000": TicketProblem.WRONG_DATE}), "rows"),
        (Reply(NOT_MINE, done=frozenset({"referral_offered"})), "done"),
        (Reply(MINE, note="x" * 1001), "note"),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused_at_its_field(
    oakes: CaseRecipient, doctor: User, reply: Reply, field: str
) -> None:
    with pytest.raises(RuleError) as refused:
        said(oakes, doctor, reply)

    assert refused.value.field == field
    assert RecipientReply.select().count() == Ticket.select().count() == 0
    assert CaseRecipient.get_by_id(oakes.id).answer is None


def test_staff_write_down_in_the_recipients_name(oakes: CaseRecipient) -> None:
    staff, rows = make_user(), own_rows(oakes)
    reply = Reply(None, {rows[0]: TicketProblem.WRONG_DATE}, note="In May.")

    answers.write_down(oakes, reply, channel=ReplyChannel.PHONE, by=staff, at=NOW)

    [ticket] = Ticket.select()
    assert ticket.opened_by == staff
    assert ticket.note.startswith(f"OAKES, PAT ({oakes.reply_code}), by telephone: ")
    assert CaseRecipient.get_by_id(oakes.id).answered_at == NOW


def test_two_recipients_who_dispute_one_row_by_fax_are_each_told_how_it_ends(
    oakes: CaseRecipient,
) -> None:
    staff, row = make_user(), own_rows(oakes)[0]
    make_user(prescriber=oakes.prescriber, fax="+18605550143")
    other = next(each for each in case_recipients.of_case(oakes.case) if each != oakes)
    reply = Reply(MINE, {row: TicketProblem.WRONG_DATE})
    for recipient in (oakes, other):
        answers.write_down(recipient, reply, channel=ReplyChannel.FAX, by=staff, at=NOW)

    first, second = Ticket.select().order_by(Ticket.id)
    assert first.dispensation == second.dispensation
    assert telling.reporter_name(first) == "OAKES, PAT"
    assert telling.reporter_name(second) == contacts.name_of(case_recipients.who(other))
    for ticket in (first, second):
        telling.tell_reporter(ticket, at=NOW)
    told = (
        Delivery.select()
        .where(Delivery.kind == DeliveryKind.TICKET_NOTICE)
        .where(Delivery.subject_id.in_([first.id, second.id]))
    )
    answers_to = {each.address for each in told if not telling.is_for_staff(each)}
    assert answers_to == {"+18605550143", ""}  # no way is known: held for staff
