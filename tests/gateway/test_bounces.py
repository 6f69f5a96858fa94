"""Email that comes back: from the mailbox, through the pipe, into the outbox."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from click.testing import CliRunner
from peewee import OperationalError

from gateway import bounces as bounce_mailbox
from gateway import schedule, tasks
from models import (
    AuditEvent,
    ChannelName,
    Delivery,
    DeliveryEvent,
    DeliveryState,
    ErrorClass,
    MailProblem,
    Role,
)
from pmp import database, settings
from pmp.deliveries import bounces, mail_problems, marks
from pmp.deliveries.bounces import Taken
from portal.cli.outbox import outbox
from tests.conftest import NOW
from tests.factories import make_user
from tests.gateway.conftest import Clock, fresh, make_delivery, work
from tests.servers.crooked_relay import CrookedRelay
from tests.servers.mailbox import MailboxServer

pytestmark = pytest.mark.usefixtures("db", "fixed_message", "bounces_come_back")


@pytest.fixture
def bounces_come_back() -> Iterator[None]:
    with (
        CrookedRelay() as relay,
        settings.changed(mail_url=relay.url, mail_bounce_to="bounce@pmp.example.org"),
    ):
        yield


def sent(address: str = "doctor@example.org") -> Delivery:
    """Send an email whose next way is a fax, and another that has nothing to do."""
    make_delivery(ChannelName.EMAIL, address="other@example.org")
    delivery = make_delivery(ChannelName.EMAIL, address=address)
    Delivery.update(further_routes=[[ChannelName.FAX.value, "+18605550123"]]).where(
        Delivery.id == delivery.id
    ).execute()
    tasks.send_delivery.call_local(delivery.id)
    assert fresh(delivery).state == DeliveryState.SENT
    return fresh(delivery)


def report(
    to: str = "postmaster@example.org",
    *,
    action: str = "failed",
    status: str = "5.1.1",
    recipient: str = "doctor@example.org",
    envelope_id: str = "",
    message_id: str = "",
    name: str = "<1@mx.example.org>",
    padding: int = 0,
) -> bytes:
    """Write a report of delivery as RFC 3464 has it."""
    about_message = "Reporting-MTA: dns; mx.example.org\r\n"
    if envelope_id:
        about_message += f"Original-Envelope-Id: {envelope_id}\r\n"
    about_recipient = (
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\n"
        f"Status: {status}\r\nDiagnostic-Code: smtp; 550 {status} no such user\r\n"
    )
    returned = f"Message-ID: {message_id or '<x@elsewhere>'}\r\nSubject: A notice\r\n"
    lines = [
        "From: MAILER-DAEMON@mx.example.org",
        f"To: {to}",
        "Subject: Undelivered mail",
        f"Message-ID: {name}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        "",
        "--b\r\nContent-Type: text/plain\r\n\r\nIt came back.\r\n",
        f"--b\r\nContent-Type: message/delivery-status\r\n\r\n{about_message}",
        about_recipient,
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{returned}",
        "x" * padding,
        "--b--\r\n",
    ]
    return "\r\n".join(lines).encode()


def of(delivery: Delivery, **said: str) -> bytes:
    return report(marks.envelope_sender(delivery.id), **said)  # type: ignore[arg-type]


def read(*mails: bytes) -> MailboxServer:
    with (
        MailboxServer(*mails) as server,
        settings.changed(bounce_imap_url=server.url("aside=Look")),
    ):
        schedule.sweep_bounces()
        work()
    return server


def child_of(delivery: Delivery) -> Delivery | None:
    found: Delivery | None = Delivery.get_or_none(parent=delivery)
    return found


def test_an_email_that_came_back_goes_the_next_way_and_staff_hear_of_it() -> None:
    delivery = sent()

    server = read(of(delivery))

    after, child = fresh(delivery), child_of(delivery)
    assert (after.state, after.error_class) == (
        DeliveryState.FAILED,
        ErrorClass.REJECTED,
    )
    assert after.needs_staff
    assert after.error_text.startswith("came back: there is no such mailbox (5.1.1")
    assert child is not None
    assert (child.channel, child.address) == (ChannelName.FAX, "+18605550123")
    [mail] = server.inbox
    assert "\\Seen" in mail.flags
    assert "\\Flagged" not in mail.flags
    others = Delivery.select().where(Delivery.address == "other@example.org")
    assert {each.state for each in others} == {DeliveryState.SENT}


@pytest.mark.parametrize("by", ["address", "envelope id", "Message-ID", "upper case"])
def test_each_mark_alone_says_which_message_came_back(by: str) -> None:
    delivery = sent()
    mails = {
        "address": of(delivery),
        "envelope id": report(envelope_id=marks.envelope_id(delivery.id)),
        "Message-ID": report(message_id=marks.message_id(delivery.id)),
        "upper case": report(marks.envelope_sender(delivery.id).upper()),
    }

    read(mails[by])

    assert fresh(delivery).state == DeliveryState.FAILED


def test_a_forged_bounce_changes_nothing_and_is_kept_for_a_person() -> None:
    delivery = sent()
    address = marks.envelope_sender(delivery.id)
    seal = address.partition(".")[2].partition("@")[0]
    forged = address.replace(seal, "0" * len(seal))

    server = read(
        report(forged, message_id=marks.message_id(delivery.id)),
        report(envelope_id=f"{delivery.id}.{'0' * 16}", name="<2@x>"),
        report(message_id=f"<{delivery.id}.{'0' * 24}@example.org>", name="<3@x>"),
    )

    assert fresh(delivery).state == DeliveryState.SENT
    assert len(server.folders["Look"]) == 3
    refused = AuditEvent.select().where(AuditEvent.event == "callback:refused")
    assert [each.subject for each in refused] == ["callback:bounce"]


def test_the_seal_of_another_message_does_not_fit() -> None:
    first, second = sent(), sent("nurse@example.org")
    mixed = marks.envelope_sender(first.id).replace(f"+{first.id}.", f"+{second.id}.")

    assert bounces.take_in(report(mixed), at=NOW)[0] == Taken.FORGED
    assert fresh(second).state == DeliveryState.SENT


def test_marks_of_two_messages_in_one_bounce_say_nothing() -> None:
    first, second = sent(), sent("nurse@example.org")

    both = of(first, message_id=marks.message_id(second.id))

    assert bounces.take_in(both, at=NOW)[0] == Taken.NOT_UNDERSTOOD
    assert fresh(first).state == fresh(second).state == DeliveryState.SENT


@pytest.mark.parametrize(
    ("action", "status", "state", "error_class"),
    [
        ("failed", "5.2.2", DeliveryState.FAILED, ErrorClass.BUSY),
        ("failed", "4.4.7", DeliveryState.FAILED, ErrorClass.REJECTED),
        ("failed", "5.7.1", DeliveryState.FAILED, ErrorClass.REJECTED),
        ("failed", "5.3.4", DeliveryState.FAILED, ErrorClass.DOCUMENT),
        ("FAILED", "5.0.0", DeliveryState.FAILED, ErrorClass.REJECTED),
        ("", "5.1.1", DeliveryState.FAILED, ErrorClass.REJECTED),
        ("delayed", "4.4.1", DeliveryState.SENT, None),
        ("delivered", "2.1.5", DeliveryState.DELIVERED, None),
        ("relayed", "2.1.9", DeliveryState.SENT, None),
        ("expanded", "2.1.5", DeliveryState.SENT, None),
        ("failed", "2.0.0", DeliveryState.SENT, None),
        ("nonsense", "", DeliveryState.SENT, None),
    ],
)
def test_what_a_report_says_decides_what_follows(
    action: str, status: str, state: DeliveryState, error_class: ErrorClass | None
) -> None:
    delivery = sent()

    read(of(delivery, action=action, status=status))

    after = fresh(delivery)
    assert (after.state, after.error_class) == (state, error_class)
    if action or status:
        notes = [each.note for each in DeliveryEvent.select()]
        assert any(each.startswith("report of delivery") for each in notes) or not (
            action or status
        )


def test_the_same_bounce_counts_once_whichever_way_it_comes() -> None:
    delivery = sent()
    mail = of(delivery)

    read(mail, b"Received: by another\r\n" + mail)

    assert bounces.take_in(mail, at=NOW)[0] == Taken.KNOWN
    assert Delivery.select().where(Delivery.parent == delivery).count() == 1
    keys = DeliveryEvent.select().where(DeliveryEvent.event_key.is_null(is_null=False))
    assert keys.count() == 1


def test_a_bounce_of_a_message_that_staff_sent_again_counts_anew(now: Clock) -> None:
    delivery = sent()
    read(of(delivery))
    Delivery.update(state=DeliveryState.QUEUED, due_at=NOW).where(
        Delivery.id == delivery.id
    ).execute()
    tasks.send_delivery.call_local(delivery.id)
    assert fresh(delivery).state == DeliveryState.SENT

    read(of(delivery, name="<2@mx.example.org>"))

    assert fresh(delivery).state == DeliveryState.FAILED


@pytest.mark.parametrize(
    "state",
    [
        DeliveryState.DELIVERED,
        DeliveryState.CANCELLED,
        DeliveryState.FAILED,
        DeliveryState.HELD,
    ],
)
def test_what_is_over_or_held_is_not_changed_by_a_bounce(state: DeliveryState) -> None:
    delivery = sent()
    Delivery.update(state=state).where(Delivery.id == delivery.id).execute()

    assert bounces.take_in(of(delivery), at=NOW)[0] == Taken.NOTED

    assert fresh(delivery).state == state
    assert child_of(delivery) is None


def test_a_bounce_that_outran_the_end_of_sending_waits_in_the_mailbox() -> None:
    delivery = sent()
    Delivery.update(state=DeliveryState.SENDING).where(
        Delivery.id == delivery.id
    ).execute()

    server = read(of(delivery))
    assert server.inbox[0].flags == set()

    Delivery.update(state=DeliveryState.SENT).where(
        Delivery.id == delivery.id
    ).execute()
    read(of(delivery))
    assert fresh(delivery).state == DeliveryState.FAILED


def test_an_email_in_doubt_that_comes_back_was_sent_and_failed() -> None:
    delivery = sent()
    Delivery.update(state=DeliveryState.IN_DOUBT).where(
        Delivery.id == delivery.id
    ).execute()

    read(of(delivery))

    assert fresh(delivery).state == DeliveryState.FAILED


def test_a_bounce_of_a_fax_is_no_bounce() -> None:
    fax = make_delivery(ChannelName.FAX)

    assert bounces.take_in(of(fax), at=NOW)[0] == Taken.NOT_UNDERSTOOD


def test_answering_machines_need_nobody_and_strangers_are_set_aside() -> None:
    delivery = sent()
    away, stranger = EmailMessage(), EmailMessage()
    away["To"] = stranger["To"] = marks.envelope_sender(delivery.id)
    away["Auto-Submitted"] = "auto-replied (vacation)"
    for each in (away, stranger):
        each.set_content("I am out of the office, 5.1.1 failed.")

    server = read(away.as_bytes(policy=SMTP), stranger.as_bytes(policy=SMTP))

    assert fresh(delivery).state == DeliveryState.SENT
    [done], [aside] = server.inbox, server.folders["Look"]
    assert "\\Flagged" not in done.flags
    assert b"Auto-Submitted" in done.raw
    assert b"Auto-Submitted" not in aside.raw


def test_nothing_is_put_away_before_the_database_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delivery = sent()

    def fail(*_: object, **__: object) -> None:
        raise OperationalError

    with (
        MailboxServer(of(delivery)) as server,
        settings.changed(bounce_imap_url=server.url()),
    ):
        with monkeypatch.context() as broken:
            broken.setattr(bounces, "_fail", fail)
            with pytest.raises(OperationalError):
                bounce_mailbox.read()
        assert server.inbox[0].flags == set()
        assert fresh(delivery).state == DeliveryState.SENT

        bounce_mailbox.read()
    assert fresh(delivery).state == DeliveryState.FAILED


def test_a_mail_that_nobody_foresaw_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delivery = sent()
    real = bounces.take_in

    def stumbles(raw: bytes, *, at: datetime) -> tuple[Taken, str]:
        if b"stumble" in raw:
            raise RuntimeError
        return real(raw, at=at)

    monkeypatch.setattr(bounces, "take_in", stumbles)

    server = read(b"Subject: stumble\r\n\r\n", of(delivery))

    assert fresh(delivery).state == DeliveryState.FAILED
    assert [mail.raw for mail in server.folders["Look"]] == [
        b"Subject: stumble\r\n\r\n"
    ]


def test_a_line_cut_after_the_work_and_before_the_mark_changes_nothing_twice() -> None:
    delivery = sent()
    with (
        MailboxServer(of(delivery)) as server,
        settings.changed(bounce_imap_url=server.url()),
    ):
        server.cut_at = "STORE"
        bounce_mailbox.read()
        assert fresh(delivery).state == DeliveryState.FAILED
        server.cut_at = ""
        bounce_mailbox.read()

    assert Delivery.select().where(Delivery.parent == delivery).count() == 1
    assert "\\Seen" in server.inbox[0].flags


def test_a_bounce_with_a_huge_message_in_it_is_understood() -> None:
    delivery = sent()

    server = read(of(delivery, padding=3_000_000))  # type: ignore[arg-type]

    assert fresh(delivery).state == DeliveryState.FAILED
    assert "\\Seen" in server.inbox[0].flags


def nested(depth: int) -> bytes:
    heads = [
        f'Content-Type: multipart/mixed; boundary="{n}"\r\n\r\n--{n}\r\n'
        for n in range(depth)
    ]
    return "".join(heads).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 1000,
        b"\xff\xfe: \xff\r\n" * 1000,
        nested(4000),
        b"Content-Type: message/rfc822\r\n\r\n" * 5000,
        b"Content-Type: message/delivery-status\r\n\r\nnothing",
        b"To: " + b"(" * 200_000,
        b"To: " + b"<a@b>," * 40_000,
        b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xff",
        b"Content-Type: multipart/report; boundary*0*=x'y'%zz\r\n\r\n--x",
    ],
    ids=range(10),
)
def test_a_hostile_mail_stops_nothing(raw: bytes) -> None:
    delivery = sent()

    server = read(raw, of(delivery))

    assert fresh(delivery).state == DeliveryState.FAILED
    assert len(server.folders["Look"]) == 1


def test_a_mailbox_that_is_away_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with MailboxServer() as gone:
        url = gone.url(password="secret-word")
    with settings.changed(bounce_imap_url=url):
        assert bounce_mailbox.read() == 0

    assert "it cannot be reached" in caplog.text
    assert "secret-word" not in caplog.text


def test_the_address_is_flagged_until_a_later_email_arrives() -> None:
    doctor = make_user(Role.PRACTITIONER, username="doctor", email="Doctor@example.org")
    other = make_user(Role.PRACTITIONER, username="other", email="other@example.org")
    delivery = sent("Doctor@example.org")
    read(of(delivery, recipient="doctor@example.org"))

    problem = mail_problems.of_user(doctor)
    assert problem is not None
    assert problem.reason == "there is no such mailbox"
    assert mail_problems.of_user(other) is None
    [row] = mail_problems.listed().rows
    assert row.users == ["doctor"]

    later = sent("doctor@example.org")
    read(of(later, action="delivered", status="2.1.5", name="<9@x>"))
    assert mail_problems.of_user(doctor) is None


def test_an_address_that_the_relay_refuses_at_once_is_flagged_too() -> None:
    doctor = make_user(Role.PRACTITIONER, email="doctor@example.org")
    delivery = make_delivery(ChannelName.EMAIL)
    with CrookedRelay("550-rcpt") as relay, settings.changed(mail_url=relay.url):
        tasks.send_delivery.call_local(delivery.id)

    assert mail_problems.of_user(doctor) is not None


def test_what_is_not_the_addresss_fault_flags_nobody() -> None:
    delivery = sent()

    read(of(delivery, status="5.6.0"))

    assert fresh(delivery).state == DeliveryState.FAILED
    assert MailProblem.select().count() == 0


def test_a_bounce_after_the_deadline_still_goes_the_next_way(now: Clock) -> None:
    delivery = sent()
    now.at = delivery.deadline_at + timedelta(days=1)

    read(of(delivery))

    assert fresh(delivery).state == DeliveryState.FAILED
    assert child_of(delivery) is not None


@pytest.mark.parametrize(
    ("mail", "code", "words"),
    [
        ("bounce", 0, "Changed: delivery"),
        ("stranger", 1, "Not taken in: it holds no report of delivery."),
        ("sending", 75, "is being sent just now"),
    ],
)
def test_the_mail_server_can_hand_a_bounce_to_the_command(
    monkeypatch: pytest.MonkeyPatch, mail: str, code: int, words: str
) -> None:
    monkeypatch.setattr(database, "begin_use", lambda: None)
    monkeypatch.setattr(database, "require_current_schema", lambda: None)
    delivery = sent()
    if mail == "sending":
        Delivery.update(state=DeliveryState.SENDING).where(
            Delivery.id == delivery.id
        ).execute()
    raw = b"To: x@example.org\r\n\r\nHi" if mail == "stranger" else of(delivery)

    result = CliRunner().invoke(outbox, ["bounce"], input=raw)

    assert result.exit_code == code
    assert words in result.output


def test_without_a_database_the_mail_server_keeps_the_bounce(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away() -> None:
        raise database.SchemaError("the schema is old")

    monkeypatch.setattr(database, "begin_use", away)

    result = CliRunner().invoke(outbox, ["bounce"], input=b"")

    assert result.exit_code == 75
