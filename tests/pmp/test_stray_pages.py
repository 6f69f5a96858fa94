"""What a stranger holds is found, they are asked to destroy it, the year is counted."""

from datetime import UTC, datetime, timedelta

import pytest

from models import (
    AuditEvent,
    CaseRecipient,
    ChannelName,
    ContactCheck,
    Delivery,
    DeliveryKind,
    DeliveryState,
    DocumentKind,
    Misdelivery,
    ThresholdReportCopy,
    User,
    WhatBecame,
)
from pmp import (
    audit,
    breach_log,
    deliveries,
    destroy_notices,
    documents,
    misdeliveries,
    stray_pages,
)
from pmp.deliveries import Route, delivery_desk
from pmp.deliveries.letter_codes import letter_code
from pmp.errors import NotFoundError, RuleError
from pmp.lookup import report_codes
from pmp.misdeliveries import Told
from pmp.reaching import page_codes
from tests.conftest import NOW
from tests.factories import make_crossing, make_patient, make_user

pytestmark = pytest.mark.usefixtures("db")

FAX = "+18605550143"
TOLD = Told("A bakery, (860) 555-0199", WhatBecame.DESTROYED)


@pytest.fixture
def staff() -> User:
    return make_user(username="staff.lee")


@pytest.fixture
def recipient() -> CaseRecipient:
    make_crossing(make_patient(last_name="CANARYQUIST"))
    Delivery.delete().execute()
    found: CaseRecipient = CaseRecipient.select().first()
    return found


def faxed(recipient: CaseRecipient, state: str = "delivered") -> Delivery:
    made = deliveries.request(
        kind=DeliveryKind.THRESHOLD_REPORT,
        subject_id=recipient.id,
        routes=[Route(ChannelName.FAX, FAX), Route(ChannelName.LETTER, "RAE\n2 Main")],
        dedupe_key=f"test:{Delivery.select().count()}",
        at=NOW,
    )
    made.state, made.submitted_at = DeliveryState(state), NOW
    made.save()
    return made


def copied(recipient: CaseRecipient) -> str:
    kept = documents.keep(
        kind=DocumentKind.THRESHOLD_REPORT,
        media_type="application/pdf",
        body=b"%PDF",
        at=NOW,
    )
    code = report_codes.new_code()
    ThresholdReportCopy.create(
        recipient=recipient, document=kept, code=code, pages=1, sha256="x", made_at=NOW
    )
    return code


def test_each_number_on_a_page_finds_its_message(recipient: CaseRecipient) -> None:
    row = faxed(recipient)
    other = CaseRecipient.get(CaseRecipient.id != recipient.id)
    noise = faxed(other)
    Delivery.update(address="+18605550177").where(Delivery.id == noise.id).execute()
    code = copied(recipient)

    for text in (
        "(860) 555-0143",
        f" {row.id} ",
        f"#{row.id}",
        f"{row.id}-1",
        recipient.reply_code.lower().replace("-", " "),
        code.lower(),
    ):
        assert stray_pages.found_by(text) == [row], text
    for text in ("(860) 555-0111", "999", "nonsense", "", "RPL-00000-00000"):
        assert stray_pages.found_by(text) == [], text


def test_letters_emails_and_test_pages_are_found_too() -> None:
    def sent(kind: DeliveryKind, route: Route, subject_id: int = 1) -> Delivery:
        return deliveries.request(
            kind=kind,
            subject_id=subject_id,
            routes=[route],
            dedupe_key=f"test:{Delivery.select().count()}",
            at=NOW,
        )

    at_home = "Dr. Ana_ Ruiz\n1 Main Street\nHartford, CT 06106"
    notice = DeliveryKind.TICKET_NOTICE
    letter = sent(notice, Route(ChannelName.LETTER, at_home))
    next_door = at_home.replace("1 Main", "11 Main").replace("Ana_", "Anas")
    noise = sent(notice, Route(ChannelName.LETTER, next_door))
    email = sent(notice, Route(ChannelName.EMAIL, "Ana.Ruiz@example.org"))
    sent(notice, Route(ChannelName.EMAIL, "diana.ruiz@example.org"))
    check = ContactCheck.create(
        channel=ChannelName.FAX,
        address=FAX,
        user=make_user(),
        code=page_codes.new_code(),
        asked_by="staff.lee",
        asked_at=NOW,
        expires_at=NOW,
    )
    page = sent(DeliveryKind.FAX_TEST_PAGE, Route(ChannelName.FAX, FAX), check.id)
    sent(DeliveryKind.FAX_TEST_PAGE, Route(ChannelName.FAX, FAX), check.id + 1)

    for text, row in (
        (letter_code(letter.id), letter),
        (letter_code(noise.id).lower().replace("-", " "), noise),
        ("dr. ana_ ruiz ", letter),
        ("1  main street", letter),
        (" ana.ruiz@EXAMPLE.org", email),
        (check.code.lower(), page),
    ):
        assert stray_pages.found_by(text) == [row], text
    for text in (letter_code(email.id), letter_code(999), "Main", "ruiz@example.org"):
        assert stray_pages.found_by(text) == [], text


def test_what_waits_for_the_address_is_named_before_and_stopped_after(
    recipient: CaseRecipient, staff: User
) -> None:
    row, waiting, before = (
        faxed(recipient),
        faxed(recipient, "queued"),
        faxed(recipient),
    )

    assert misdeliveries.stopped_by_it(row) == [waiting]
    assert misdeliveries.others_there(row) == [before]
    misdeliveries.record(row.id, TOLD, by=staff, at=NOW)

    assert Delivery.get_by_id(waiting.id).state == DeliveryState.CANCELLED
    assert misdeliveries.stopped_by_it(row) == []


def test_the_page_that_asks_to_destroy_goes_where_nothing_else_goes(
    recipient: CaseRecipient, staff: User
) -> None:
    row = faxed(recipient)
    incident = misdeliveries.record(row.id, TOLD, by=staff, at=NOW)

    notice = destroy_notices.send(incident.id, by=staff, at=NOW)

    assert (notice.kind, notice.address) == (DeliveryKind.DESTROY_NOTICE, FAX)
    assert notice.state == DeliveryState.QUEUED
    with pytest.raises(RuleError, match="on its way"):
        destroy_notices.send(incident.id, by=staff, at=NOW)
    Delivery.update(state=DeliveryState.FAILED).where(
        Delivery.id == notice.id
    ).execute()
    delivery_desk.retry(notice.id, by=staff, at=NOW)  # though its address is barred
    assert Delivery.get_by_id(notice.id).state == DeliveryState.QUEUED
    # It is not itself among what went astray.
    assert misdeliveries.others_there(row) == []
    assert misdeliveries.stopped_by_it(row) == []


def test_the_page_names_no_patient(recipient: CaseRecipient, staff: User) -> None:
    incident = misdeliveries.record(faxed(recipient).id, TOLD, by=staff, at=NOW)

    sheet = destroy_notices.printed(incident.id, by=staff, at=NOW)

    assert (sheet.number, sheet.sent_on) == ("(860) 555-0143", "11/23/2026")
    assert "CANARY" not in str(sheet)
    assert AuditEvent.select().where(
        AuditEvent.event == audit.Event.DESTROY_NOTICE_PRINTED
    )


def test_an_email_is_not_asked_for_back_by_email(
    recipient: CaseRecipient, staff: User
) -> None:
    row = faxed(recipient)
    Delivery.update(channel="email", address="x@example.org").execute()
    incident = misdeliveries.record(row.id, TOLD, by=staff, at=NOW)

    with pytest.raises(RuleError, match="Print it"):
        destroy_notices.send(incident.id, by=staff, at=NOW)
    with pytest.raises(NotFoundError):
        destroy_notices.send(999, by=staff, at=NOW)


def incident(recipient: CaseRecipient, at: datetime) -> Misdelivery:
    return misdeliveries.record(faxed(recipient).id, TOLD, by=make_user(), at=at)


def test_the_log_counts_a_year_of_the_programs_zone(
    recipient: CaseRecipient, staff: User
) -> None:
    new_year = datetime(2026, 1, 1, 5, tzinfo=UTC)  # midnight in Hartford
    last = incident(recipient, new_year - timedelta(minutes=1))
    first, second, third = (
        incident(recipient, new_year + timedelta(days=days)) for days in (0, 5, 300)
    )
    misdeliveries.assess(
        first.id,
        assessment="Read by a stranger.",
        is_breach=True,
        bar_address=True,
        by=staff,
        at=NOW,
    )
    misdeliveries.assess(
        second.id,
        assessment="Shredded unread.",
        is_breach=False,
        bar_address=True,
        by=staff,
        at=NOW,
    )

    log = breach_log.of_year(2026)

    assert log.rows == [first, second, third]
    counts = dict(log.counts)
    assert (counts["Incidents"], counts["Breaches"]) == (3, 1)
    assert (counts["No breach"], counts["To be decided"]) == (1, 1)
    assert counts["By fax"] == 3
    assert breach_log.of_year(2025).rows == [last]
    assert breach_log.years(at=NOW) == [2026, 2025]
    lines = breach_log.lines(log, by=staff, at=NOW)
    assert all(len(line) == len(breach_log.HEADINGS) for line in lines)
    assert [line[10] for line in lines] == ["yes", "no", "not decided"]
    assert "CANARY" not in str(lines)


def test_a_year_without_incidents() -> None:
    assert breach_log.years(at=NOW) == [2026]
    assert dict(breach_log.of_year(2026).counts)["Incidents"] == 0
