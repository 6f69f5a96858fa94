"""Answers, notes, sendings and staff's decisions about one case at one moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

import models
from models import (
    CareNote,
    CaseRecipient,
    DeliveryState,
    InboundFax,
    RecipientAnswer,
    RecipientReply,
    ReplyChannel,
    Role,
    ThresholdCase,
    Ticket,
)
from pmp import audit, database, faxes, settings
from pmp.deliveries import outbox
from pmp.errors import RuleError
from pmp.thresholds import (
    answers,
    care_notes,
    case_recipients,
    faxed_replies,
    threshold_cases,
)
from pmp.thresholds.answers import Reply
from tests.conftest import NOW
from tests.factories import make_crossing, make_patient, make_user

pytestmark = pytest.mark.usefixtures("db")
NOT_MINE = Reply(RecipientAnswer.NOT_MY_PATIENT)


@pytest.fixture
def case() -> ThresholdCase:
    made: ThresholdCase = make_crossing(make_patient())
    return made


def at_once(acts: list[Callable[[], object]]) -> list[str]:
    """Do these in six threads; give the refusals of rules; anything else is raised."""

    def run(act: Callable[[], object]) -> str:
        with models.database.connection_context():
            try:
                act()
            except RuleError as refusal:
                return refusal.message
            return ""

    with ThreadPoolExecutor(6) as threads:
        return [said for said in threads.map(run, acts) if said]


def test_an_answer_that_is_sent_twice_at_once_is_one(case: ThresholdCase) -> None:
    recipient = case_recipients.of_case(case)[0]
    doctor = make_user(Role.PRACTITIONER, prescriber=recipient.prescriber)

    def said() -> object:
        return answers.answer(recipient.id, NOT_MINE, by=doctor, at=NOW)

    assert at_once([said] * 6) == []

    assert RecipientReply.select().count() == Ticket.select().count() == 1


def test_two_of_the_staff_who_tick_one_page_keep_it_once(case: ThresholdCase) -> None:
    code = case_recipients.of_case(case)[0].reply_code
    fax = faxes.receive(
        body=b"%PDF-",
        media_type="application/pdf",
        from_number="8605550143",
        source="test",
        source_reference="one",
        at=NOW,
    )
    faxes.file_by_codes(fax, codes=[code], pages=1, at=NOW)
    [page] = faxed_replies.waiting()
    staff = [make_user() for _ in range(4)]

    refused = at_once(
        [partial(faxed_replies.keep, page.id, NOT_MINE, by=by, at=NOW) for by in staff]
    )

    assert len(refused) == 3
    assert all("was faster" in each for each in refused)
    assert RecipientReply.select().count() == Ticket.select().count() == 1
    assert InboundFax.get().status == "filed"


def test_so_many_notes_a_day_also_when_sent_at_once(case: ThresholdCase) -> None:
    sender, *others = case_recipients.of_case(case)
    user = make_user(Role.PRACTITIONER, prescriber=sender.prescriber)

    with settings.changed(care_notes_per_day=2):
        refused = at_once(
            [
                partial(care_notes.send, sender.id, to.id, text="x", by=user, at=NOW)
                for to in others
            ]
        )

    assert (len(refused), CareNote.select().count()) == (3, 2)


def test_answers_sendings_and_a_withdrawal_never_wait_for_each_other(
    case: ThresholdCase,
) -> None:
    staff, recipients = make_user(), case_recipients.of_case(case)

    def sent(recipient: CaseRecipient) -> object:
        [delivery] = case_recipients.deliveries_of(recipient)
        with database.atomic():
            taken = outbox.taken(delivery.id)
            outbox.change(taken, DeliveryState.SENT, source="worker", at=NOW)
        return None

    def said(recipient: CaseRecipient) -> object:
        return answers.write_down(
            recipient, NOT_MINE, channel=ReplyChannel.PHONE, by=make_user(), at=NOW
        )

    acts: list[Callable[[], object]] = []
    for each in recipients:
        acts += [partial(sent, each), partial(said, each)]
    acts.insert(6, lambda: threshold_cases.close(case, reason="x", by=staff, at=NOW))

    at_once(acts)

    assert RecipientReply.select().count() == len(recipients)
    assert ThresholdCase.get_by_id(case.id).status == "closed"
    assert audit.verify() == []
