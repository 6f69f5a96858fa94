"""What a ticket's mail says: number, what is due, a link; nothing about anybody."""

import io

import pypdf
import pytest

from gateway import messages
from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    Dispensation,
    TicketOutcome,
    TicketProblem,
)
from pmp import deliveries, tickets
from pmp.deliveries import Route
from pmp.thresholds import case_recipients
from pmp.tickets.shown import Shown
from pmp.tickets.telling import TO_REPORTER, Notice
from tests.conftest import NOW
from tests.factories import (
    make_crossing,
    make_dispensation,
    make_identity,
    make_patient,
    make_ticket,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")

SECRETS = ("CANARYQUIST", "OXYCODONE", "D-")


def asked(notice: Notice, channel: ChannelName, address: str) -> Delivery:
    entry = make_dispensation(make_identity(last_name="CANARYQUIST"))
    ticket = make_ticket(entry, note="CANARYQUIST never came.")
    return deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=ticket.id,
        routes=[Route(channel, address)],
        dedupe_key=f"{notice}:{ticket.id}:test",
        at=NOW,
    )


def attempt_of(delivery: Delivery) -> DeliveryAttempt:
    return DeliveryAttempt(delivery=delivery, number=1, started_at=NOW)


@pytest.mark.parametrize("notice", list(Notice))
def test_a_mail_of_each_kind_holds_number_and_link_only(notice: Notice) -> None:
    delivery = asked(notice, ChannelName.EMAIL, "lee@example.org")

    message = messages.compose(delivery, attempt_of(delivery))

    said = f"{message.subject}\n{message.text}"
    path = "/tickets/T" if notice in TO_REPORTER else "/staff/tickets/T"
    assert path in said
    assert ("Due 11/25/2026 11:59 PM ET: take it up." in said) is (
        notice not in TO_REPORTER
    )
    assert not any(word in said.upper() for word in SECRETS)
    assert "{" not in said


@pytest.mark.parametrize("notice", sorted(TO_REPORTER))
def test_a_reporter_without_email_reads_it_on_paper(notice: Notice) -> None:
    delivery = asked(notice, ChannelName.FAX, "+18605550123")

    message = messages.compose(delivery, attempt_of(delivery))

    assert message.pdf
    _cover, sheet = pypdf.PdfReader(io.BytesIO(message.pdf)).pages
    words = sheet.extract_text()
    assert ("open again" in words) is (notice is Notice.REOPENED)
    assert not any(word in words.upper() for word in SECRETS)


@pytest.mark.parametrize("channel", [ChannelName.FAX, ChannelName.LETTER])
@pytest.mark.parametrize("notice", sorted(TO_REPORTER))
def test_who_cannot_sign_in_reads_the_outcome_itself(
    notice: Notice, channel: ChannelName
) -> None:
    case = make_crossing(make_patient(), fills=3)
    recipient = case_recipients.of_case(case)[0]
    entry = Dispensation.get(Dispensation.prescriber == recipient.prescriber)
    staff = make_user()
    ticket = tickets.open_ticket(
        Shown(entry, case),
        problem=TicketProblem.WRONG_DATE,
        note="CANARYQUIST.",
        by=staff,
        at=NOW,
        reporter=f"recipient:{recipient.id}",
    )
    tickets.resolve(
        ticket,
        outcome=TicketOutcome.UPHELD,
        note="The log says so.",
        by=staff,
        at=NOW,
        revision=1,
    )
    address = {
        ChannelName.FAX: "+18605550123",
        ChannelName.LETTER: "SAM POE\n12 Elm Street\nHartford CT 06106",
    }[channel]
    delivery = deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=ticket.id,
        routes=[Route(channel, address)],
        dedupe_key=f"{notice}:{ticket.id}:test",
        at=NOW,
    )

    message = messages.compose(delivery, attempt_of(delivery))

    *_cover, sheet = pypdf.PdfReader(io.BytesIO(message.pdf or b"")).pages
    assert len(_cover) == (channel == ChannelName.FAX)
    words = " ".join(sheet.extract_text().split())
    said = "The entry is right as it stands. The log says so."
    assert (said in words) is (notice is Notice.OUTCOME)
    assert "Sign in" not in words
    assert ("Please call" in words) is (notice is Notice.MESSAGE)
    assert not any(word in words.upper() for word in SECRETS)
