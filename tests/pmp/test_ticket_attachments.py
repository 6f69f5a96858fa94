import pytest

from models import (
    Audience,
    AuditEvent,
    Dispensation,
    Document,
    Role,
    Ticket,
    TicketAttachment,
    TicketOutcome,
    TicketProblem,
    User,
)
from pmp import audit, settings, tickets
from pmp.errors import NotFoundError, RuleError
from pmp.thresholds import case_recipients
from pmp.tickets import attachments
from pmp.tickets.shown import Shown
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

PDF = b"%PDF-1.7 CANARYQUIST"


@pytest.fixture
def lee() -> User:
    return make_user()


def put(
    ticket: Ticket,
    by: User,
    *,
    body: bytes = PDF,
    what: str = "The label",
    audience: Audience = Audience.STAFF,
) -> TicketAttachment:
    return attachments.add(
        ticket, body=body, what=what, audience=audience, by=by, at=NOW
    )


@pytest.mark.parametrize(
    ("body", "ending"),
    [
        (PDF, "pdf"),
        (b"\x89PNG\r\n\x1a\nx", "png"),
        (b"\xff\xd8\xff\xe0x", "jpg"),
        (b"II*\x00x", "tif"),
        (b"MM\x00*x", "tif"),
    ],
)
def test_a_paper_is_told_by_its_content_and_kept_encrypted(
    lee: User, body: bytes, ending: str
) -> None:
    ticket = make_ticket()
    paper = put(ticket, lee, body=body)

    assert attachments.filename(paper) == f"{ticket.number}-{paper.id}.{ending}"
    assert body not in bytes(Document.get_by_id(paper.document.id).sealed or b"")
    assert attachments.open_one(paper.id, by=lee, at=NOW)[1] == body
    events = [row.event for row in AuditEvent.select().order_by(AuditEvent.id)]
    assert events[-2:] == [
        audit.Event.TICKET_ATTACHMENT_ADDED,
        audit.Event.TICKET_ATTACHMENT_OPENED,
    ]


@pytest.mark.parametrize(
    ("body", "what", "field"),
    [
        (b"", "x", "file"),
        (b"<html>", "x", "file"),
        (b"PK\x03\x04", "x", "file"),
        (PDF + b"x" * 1024 * 1024, "x", "file"),
        (PDF, "  ", "what"),
    ],
)
def test_what_is_no_paper_is_refused(
    lee: User, body: bytes, what: str, field: str
) -> None:
    ticket = make_ticket()

    with (
        settings.changed(ticket_attachment_megabytes=1),
        pytest.raises(RuleError) as refused,
    ):
        put(ticket, lee, body=body, what=what)

    assert refused.value.field == field
    assert TicketAttachment.select().count() == 0


def test_a_closed_ticket_and_a_full_one_take_none(lee: User) -> None:
    closed, full = make_ticket(), make_ticket()
    tickets.resolve(
        closed, outcome=TicketOutcome.UPHELD, note="Right.", by=lee, at=NOW, revision=1
    )
    for _ in range(attachments.MOST):
        put(full, lee)

    for ticket in (closed, full):
        with pytest.raises(RuleError):
            put(ticket, lee)


def test_a_reporter_opens_their_own_papers_and_no_others(lee: User) -> None:
    ticket, noise = make_ticket(), make_ticket()
    shared = put(ticket, lee, audience=Audience.REPORTER)
    hidden = put(ticket, lee)
    foreign = put(noise, lee, audience=Audience.REPORTER)
    reporter = ticket.opened_by

    assert attachments.open_one(shared.id, by=reporter, at=NOW)[1] == PDF
    assert attachments.of(ticket, audience=Audience.REPORTER) == [shared]
    for each in (hidden, foreign):
        with pytest.raises(NotFoundError):
            attachments.open_one(each.id, by=reporter, at=NOW)
    with pytest.raises(NotFoundError):
        attachments.open_one(hidden.id, by=make_user(Role.AUDITOR), at=NOW)


def test_a_pharmacy_adds_and_opens_papers_once_it_is_asked(lee: User) -> None:
    doctor = make_user(Role.PRACTITIONER)
    entry = make_dispensation(prescriber=make_prescriber())
    doctor.prescriber = entry.prescriber
    doctor.save()
    ticket = make_ticket(entry, by=doctor)
    pharmacist = make_user(Role.PHARMACY, pharmacy=entry.pharmacy)
    stranger = make_user(Role.PHARMACY, pharmacy=make_pharmacy())
    asked = put(ticket, lee, audience=Audience.DISPENSER)
    with pytest.raises(NotFoundError):
        attachments.open_one(asked.id, by=pharmacist, at=NOW)

    tickets.ask_dispenser(ticket, text="Thirty?", by=lee, at=NOW, revision=1)

    assert attachments.open_one(asked.id, by=pharmacist, at=NOW)[1] == PDF
    own = put(ticket, pharmacist, audience=Audience.DISPENSER)
    listed = attachments.of(
        ticket, audience=Audience.DISPENSER, pharmacy=entry.pharmacy
    )
    assert listed == [asked, own]
    for user, audience in (
        (pharmacist, Audience.STAFF),
        (pharmacist, Audience.REPORTER),
        (stranger, Audience.DISPENSER),
        (doctor, Audience.DISPENSER),
    ):
        with pytest.raises(NotFoundError):
            put(ticket, user, audience=audience)


def test_a_wrong_paper_is_destroyed_by_staff_only(lee: User) -> None:
    ticket = make_ticket()
    paper = put(ticket, lee, audience=Audience.REPORTER)
    kept = put(ticket, lee)
    with pytest.raises(NotFoundError):
        attachments.remove(paper.id, by=ticket.opened_by, at=NOW)

    attachments.remove(paper.id, by=lee, at=NOW)

    assert attachments.of(ticket) == [kept]
    assert Document.get_by_id(paper.document.id).sealed is None
    with pytest.raises(NotFoundError):
        attachments.open_one(paper.id, by=lee, at=NOW)
    event = AuditEvent.get(AuditEvent.event == audit.Event.TICKET_ATTACHMENT_REMOVED)
    assert event.detail["attachment"] == paper.id


def test_of_two_pharmacies_asked_each_opens_its_own_papers_only(lee: User) -> None:
    doctor = make_user(Role.PRACTITIONER, prescriber=make_prescriber())
    ticket = tickets.open_ticket(
        Shown(None, patient=make_patient()),
        problem=TicketProblem.MISSING,
        note="A fill of May.",
        by=doctor,
        at=NOW,
    )
    elm, oak = (make_user(Role.PHARMACY, pharmacy=make_pharmacy()) for _ in range(2))
    with pytest.raises(RuleError) as whose:
        put(ticket, lee, audience=Audience.DISPENSER)
    assert whose.value.field == "pharmacy"
    for each in (elm, oak):
        tickets.ask_dispenser(
            ticket,
            text="In May?",
            by=lee,
            at=NOW,
            revision=ticket.revision,
            pharmacy=each.pharmacy,
        )

    of_elm = put(ticket, elm, audience=Audience.DISPENSER)
    to_oak = attachments.add(
        ticket,
        body=PDF,
        what="The order",
        audience=Audience.DISPENSER,
        pharmacy=oak.pharmacy,
        by=lee,
        at=NOW,
    )

    for user, own, foreign in ((elm, of_elm, to_oak), (oak, to_oak, of_elm)):
        listed = attachments.of(
            ticket, audience=Audience.DISPENSER, pharmacy=user.pharmacy
        )
        assert listed == [own]
        assert attachments.open_one(own.id, by=user, at=NOW)[1] == PDF
        with pytest.raises(NotFoundError):
            attachments.open_one(foreign.id, by=user, at=NOW)
    with pytest.raises(NotFoundError):
        attachments.add(
            ticket,
            body=PDF,
            what="Smuggled",
            audience=Audience.DISPENSER,
            pharmacy=oak.pharmacy,
            by=elm,
            at=NOW,
        )
    with pytest.raises(RuleError):
        put(ticket, lee, audience=Audience.DISPENSER)


def test_a_recipient_opens_the_papers_of_a_ticket_that_staff_wrote_down(
    lee: User,
) -> None:
    case = make_crossing(make_patient())
    mine, other = case_recipients.of_case(case)[:2]
    doctor = make_user(Role.PRACTITIONER, prescriber=mine.prescriber)
    stranger = make_user(Role.PRACTITIONER, prescriber=other.prescriber)
    entry = Dispensation.get(Dispensation.prescriber == mine.prescriber)
    ticket = tickets.open_ticket(
        Shown(entry, case),
        problem=TicketProblem.WRONG_DATE,
        note="By fax.",
        by=lee,
        at=NOW,
        reporter=f"recipient:{mine.id}",
    )
    paper = put(ticket, lee, audience=Audience.REPORTER)

    assert attachments.open_one(paper.id, by=doctor, at=NOW)[1] == PDF
    own = put(ticket, doctor, audience=Audience.REPORTER)
    assert attachments.of(ticket, audience=Audience.REPORTER) == [paper, own]
    with pytest.raises(NotFoundError):
        attachments.open_one(paper.id, by=stranger, at=NOW)
