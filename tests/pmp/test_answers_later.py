"""Answers that come after others: calls asked for again, papers, many at once."""

import pytest

from models import (
    AuditEvent,
    CaseRecipient,
    RecipientAnswer,
    RecipientReply,
    ReplyChannel,
    Role,
    ThresholdCase,
    Ticket,
    TicketProblem,
    User,
)
from pmp import audit, dispensations, settings, tickets
from pmp.errors import ConflictError, RuleError
from pmp.thresholds import answers, case_lists, case_recipients, threshold_cases
from pmp.thresholds.answers import Reply
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_patient,
    make_prescriber,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")

MINE = RecipientAnswer.MY_PATIENT
NOT_MINE = RecipientAnswer.NOT_MY_PATIENT
CALL = frozenset({"please_call"})


@pytest.fixture
def case() -> ThresholdCase:
    """Give a case whose first prescriber wrote two of its five entries."""
    patient, doctor = make_patient(), make_prescriber(last_name="OAKES")
    make_crossing(make_patient(last_name="NOISE"))
    for _ in range(2):
        make_dispensation(patient=patient, prescriber=doctor)
    made: ThresholdCase = make_crossing(patient, fills=3)
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


def said(recipient: CaseRecipient, by: User, reply: Reply) -> list[str]:
    return answers.answer(recipient.id, reply, by=by, at=NOW)


def test_a_call_is_asked_for_until_somebody_has_called(
    oakes: CaseRecipient, doctor: User
) -> None:
    said(oakes, doctor, Reply(MINE, done=frozenset({"please_call"})))
    [asking] = case_lists.asking_for_a_call()
    staff = make_user()

    answers.called(asking.id, by=staff, at=NOW)

    assert list(case_lists.asking_for_a_call()) == []
    with pytest.raises(ConflictError):
        answers.called(asking.id, by=staff, at=NOW)
    assert RecipientReply.get_by_id(asking.id).called_by == staff.username


def test_who_no_longer_asks_for_a_call_is_not_called(
    oakes: CaseRecipient, doctor: User
) -> None:
    said(oakes, doctor, Reply(MINE, done=frozenset({"please_call"})))
    said(oakes, doctor, Reply(MINE))

    assert list(case_lists.asking_for_a_call()) == []


def test_who_asks_again_after_the_call_is_called_again(
    oakes: CaseRecipient, doctor: User
) -> None:
    for _ in range(2):
        said(oakes, doctor, Reply(MINE, done=CALL))
    [asking] = case_lists.asking_for_a_call()
    answers.called(asking.id, by=make_user(), at=NOW)

    for _ in range(2):  # sent twice
        said(oakes, doctor, Reply(MINE, done=CALL))

    [again] = case_lists.asking_for_a_call()
    assert again.id != asking.id
    assert RecipientReply.select().count() == 2


def test_a_paper_that_only_asks_for_a_call_leaves_the_answer(
    oakes: CaseRecipient,
) -> None:
    # As it stood before replies were kept: on the recipient alone.
    oakes.answer, oakes.answered_at = NOT_MINE, NOW
    oakes.save()

    answers.write_down(
        oakes, Reply(None, done=CALL), channel=ReplyChannel.FAX, by=make_user(), at=NOW
    )

    assert CaseRecipient.get_by_id(oakes.id).answer == NOT_MINE
    kept = answers.newest(oakes)
    assert kept is not None
    assert (kept.answer, kept.please_call) == (NOT_MINE, True)


def test_a_paper_is_filed_also_after_a_disputed_row_was_removed(
    oakes: CaseRecipient, doctor: User
) -> None:
    rows = threshold_cases.entries(oakes.case)
    gone, stays = (row for row in rows if row.prescriber == oakes.prescriber)
    problem = TicketProblem.WRONG_DATE
    said(
        oakes,
        doctor,
        Reply(MINE, dict.fromkeys((gone.row_code, stays.row_code), problem)),
    )
    dispensations.void(gone, reason="Wrong.", by=make_user(), at=NOW)
    assert gone not in threshold_cases.entries(oakes.case)

    paper = answers.added_to(oakes, Reply(None, done=CALL))
    answers.write_down(oakes, paper, channel=ReplyChannel.FAX, by=make_user(), at=NOW)

    kept = answers.newest(oakes)
    assert kept is not None
    assert (kept.wrong_rows, kept.please_call) == ({stays.row_code: problem}, True)


def test_an_answer_is_filed_whole_also_where_the_day_is_full(
    oakes: CaseRecipient, doctor: User
) -> None:
    with settings.changed(tickets_per_day=1):
        assert len(said(oakes, doctor, Reply(NOT_MINE))) == 2

    assert CaseRecipient.get_by_id(oakes.id).answer == NOT_MINE
    assert Ticket.select().where(Ticket.opened_by == doctor).count() == 2


def test_who_reports_too_much_otherwise_is_refused_on_the_record(
    oakes: CaseRecipient, doctor: User
) -> None:
    first, second, *_ = threshold_cases.entries(oakes.case)

    def report(row: object) -> None:
        tickets.open_ticket(
            tickets.Shown(row, oakes.case),  # type: ignore[arg-type]
            problem=TicketProblem.WRONG_DATE,
            note="",
            by=doctor,
            at=NOW,
        )

    with settings.changed(tickets_per_day=1):
        report(first)
        with pytest.raises(RuleError, match="You have reported 1 problems today"):
            report(second)

    assert Ticket.select().count() == 1
    refusal = AuditEvent.get(AuditEvent.event == audit.Event.TICKET_REFUSED)
    assert (refusal.actor, refusal.detail) == (doctor.username, {"limit": 1})
