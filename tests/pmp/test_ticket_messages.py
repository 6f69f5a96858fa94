"""Who is told of a line or a paper of a ticket, and by which way."""

from datetime import timedelta

import pytest

from models import (
    Audience,
    CaseRecipient,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Dispensation,
    Role,
    Ticket,
    TicketOutcome,
    TicketProblem,
    User,
)
from pmp import tickets
from pmp.thresholds import case_recipients
from pmp.tickets import attachments, correspondence, handling, telling
from pmp.tickets.shown import Shown
from pmp.tickets.telling import Notice
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_ticket,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def lee() -> User:
    return make_user(username="staff.lee", email="lee@example.org")


@pytest.fixture
def recipient() -> CaseRecipient:
    """Give a recipient of a report who is no user."""
    case = make_crossing(make_patient())
    return case_recipients.of_case(case)[0]


def written_down(recipient: CaseRecipient, staff: User) -> Ticket:
    entry = Dispensation.get(Dispensation.prescriber == recipient.prescriber)
    return tickets.open_ticket(
        Shown(entry, recipient.case),
        problem=TicketProblem.WRONG_DATE,
        note="By fax.",
        by=staff,
        at=NOW,
        reporter=f"{telling.RECIPIENT}:{recipient.id}",
    )


def end(ticket: Ticket, by: User) -> None:
    tickets.resolve(
        ticket,
        outcome=TicketOutcome.UPHELD,
        note="As filled.",
        by=by,
        at=NOW,
        revision=ticket.revision,
    )


def sent(notice: Notice) -> list[Delivery]:
    return [
        each
        for each in Delivery.select().order_by(Delivery.id)
        if each.kind is DeliveryKind.TICKET_NOTICE and telling.notice_of(each) is notice
    ]


def test_the_reporter_is_told_and_not_a_colleague_of_the_same_pharmacy(
    lee: User,
) -> None:
    pharmacy = make_pharmacy()
    make_user(Role.PHARMACY, pharmacy=pharmacy, email="first@example.org")
    mine = make_user(Role.PHARMACY, pharmacy=pharmacy, email="mine@example.org")
    ticket = make_ticket(make_dispensation(pharmacy=pharmacy), by=mine)

    end(ticket, lee)

    assert [each.address for each in sent(Notice.OUTCOME)] == ["mine@example.org"]


def test_of_a_recipient_without_any_known_way_the_outcome_is_held_for_staff(
    lee: User, recipient: CaseRecipient
) -> None:
    end(written_down(recipient, lee), lee)

    [held] = sent(Notice.OUTCOME)
    assert held.state is DeliveryState.HELD
    assert held.needs_staff


def test_the_reporter_is_told_of_messages_once_a_day(lee: User) -> None:
    ticket = make_ticket()
    noise = make_ticket()
    for text, audience in (("Which label?", Audience.REPORTER), ("Odd.", "staff")):
        correspondence.write(
            ticket, text=text, by=lee, at=NOW, audience=Audience(audience)
        )
    for _ in range(3):
        correspondence.write(
            ticket, text="And?", by=lee, at=NOW, audience=Audience.REPORTER
        )
    attachments.add(
        ticket,
        body=b"%PDF-",
        what="The label",
        audience=Audience.REPORTER,
        by=lee,
        at=NOW,
    )

    today, tomorrow = sent(Notice.MESSAGE)
    assert today.address == tomorrow.address == ticket.opened_by.email
    assert (today.subject_id, today.due_at) == (ticket.id, NOW)
    assert tomorrow.due_at > NOW
    assert sent(Notice.WROTE) == []
    assert noise.number


def test_the_owner_is_told_where_the_reporter_writes_or_adds_a_paper(
    lee: User,
) -> None:
    ticket = make_ticket()
    handling.take(ticket, by=lee, at=NOW, revision=1)
    make_user(email="noise@example.org")

    tickets.say(ticket, text="Here it is.", by=ticket.opened_by, at=NOW)
    later = NOW + timedelta(days=3)
    attachments.add(
        ticket,
        body=b"%PDF-",
        what="The label",
        audience=Audience.REPORTER,
        by=ticket.opened_by,
        at=later,
    )

    first, second = sent(Notice.WROTE)
    assert first.address == second.address == "lee@example.org"
    assert (first.due_at, second.due_at) == (NOW, later)
    assert sent(Notice.MESSAGE) == []


def test_what_staff_write_down_for_a_reporter_tells_that_reporter_nothing(
    lee: User, recipient: CaseRecipient
) -> None:
    ticket = written_down(recipient, lee)

    tickets.say(ticket, text="By fax: still wrong.", by=lee, at=NOW)

    assert sent(Notice.MESSAGE) == sent(Notice.WROTE) == []


def test_an_outcome_that_waits_is_withdrawn_where_the_ticket_opens_again(
    lee: User,
) -> None:
    ticket, noise = make_ticket(), make_ticket()
    end(ticket, lee)
    end(noise, lee)

    told = handling.reopen(ticket, reason="A label.", by=lee, at=NOW, revision=2)

    assert told
    first, second = sent(Notice.OUTCOME)
    assert (first.state, second.state) == ("cancelled", "queued")
    [again] = sent(Notice.REOPENED)
    assert again.state is DeliveryState.QUEUED


def test_a_user_whom_nothing_reaches_sees_it_in_the_portal(lee: User) -> None:
    doctor = make_user(Role.PRACTITIONER, email=None, prescriber=make_prescriber())
    end(make_ticket(make_dispensation(prescriber=doctor.prescriber), by=doctor), lee)

    assert sent(Notice.OUTCOME) == []
