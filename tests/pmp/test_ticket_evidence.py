import pytest

from models import (
    Audience,
    AuditEvent,
    Disclosure,
    EvidencePack,
    Ticket,
    TicketOutcome,
    User,
)
from pmp import audit, tickets
from pmp.errors import NotFoundError, RuleError
from pmp.tickets import attachments, evidence
from pmp.tickets.evidence import Evidence
from tests.conftest import NOW
from tests.factories import entry_of, make_ticket, make_user

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def lee() -> User:
    return make_user()


def gathered(ticket: Ticket, by: User) -> Evidence:
    return evidence.gather(
        ticket, recipient="Drug Control", reason="A forgery.", by=by, at=NOW
    )


def test_a_pack_holds_all_there_is_about_a_ticket(lee: User) -> None:
    ticket, noise = make_ticket(), make_ticket()
    tickets.say(ticket, text="Odd.", by=lee, at=NOW, audience=Audience.STAFF)
    tickets.say(noise, text="Noise.", by=lee, at=NOW)
    tickets.resolve(
        ticket,
        outcome=TicketOutcome.CORRECTED,
        note="Seven.",
        changes={"days_supply": 7},
        by=lee,
        at=NOW,
        revision=1,
    )
    found = tickets.get(ticket.number)

    pack = gathered(found, lee)

    texts = [line.text for line in pack.thread]
    assert texts == ["It was thirty.", "Odd.", "The entry was corrected. Seven."]
    assert [each.content["days_supply"] for each in pack.versions] == [30]
    assert {each.subject for each in pack.events} == {f"ticket:{ticket.number}"}
    assert entry_of(ticket).identity.last_name.upper() in pack.patient


def test_a_removed_paper_is_in_no_pack(lee: User) -> None:
    ticket = make_ticket()
    kept, gone = (
        attachments.add(
            ticket, body=b"%PDF-", what=what, audience=Audience.STAFF, by=lee, at=NOW
        )
        for what in ("Kept", "Gone")
    )
    attachments.remove(gone.id, by=lee, at=NOW)

    assert gathered(ticket, lee).papers == [(kept, b"%PDF-")]


def test_a_pack_is_kept_as_made_and_is_a_disclosure(lee: User) -> None:
    ticket, noise = make_ticket(), make_ticket()
    made = evidence.keep(gathered(ticket, lee), body=b"%PDF-x", pages=2)

    pack, body = evidence.open_pack(ticket, made.code, by=lee, at=NOW)

    assert (pack, body) == (made, b"%PDF-x")
    told = Disclosure.get()
    assert (told.recipient, told.purpose) == ("Drug Control", "A forgery.")
    assert told.patient == entry_of(ticket).patient
    assert made.code in told.what
    events = [row.event for row in AuditEvent.select()]
    assert audit.Event.TICKET_EVIDENCE_MADE in events
    assert events[-1] == audit.Event.TICKET_EVIDENCE_OPENED
    with pytest.raises(NotFoundError):
        evidence.open_pack(noise, made.code, by=lee, at=NOW)


def test_a_pack_needs_a_recipient_and_a_reason(lee: User) -> None:
    ticket = make_ticket()

    for recipient, reason, field in (("", "x", "recipient"), ("x", " ", "reason")):
        with pytest.raises(RuleError) as refused:
            evidence.gather(ticket, recipient=recipient, reason=reason, by=lee, at=NOW)
        assert refused.value.field == field

    assert EvidencePack.select().count() == 0
