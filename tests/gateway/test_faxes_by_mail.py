"""Faxes that a provider sends as email: taken in once, the rest left to a person."""

import logging
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from peewee import OperationalError

from gateway import faxes_by_mail, mailbox, tasks
from models import Application, FaxStatus, InboundFax
from pmp import faxes, settings
from tests.factories import make_application
from tests.faxes import page, tiff
from tests.servers.mailbox import MailboxServer

PROVIDER = "fax@provider.example.org"
PDF = b"%PDF-1.7\nsome page"
LOGO = b"\x89PNG\r\n\x1a\nlogo"


def mail(
    *attachments: bytes,
    sender: str = f"Fax service <{PROVIDER}>",
    subject: str = "Fax received, Caller-ID: (860) 555-0143, 1 page",
    name: str = "<1@provider.example.org>",
) -> bytes:
    """Write an email as providers do: a few words, a logo and the fax."""
    message = EmailMessage()
    message["From"], message["To"] = sender, "faxes@pmp.example.org"
    message["Subject"], message["Message-ID"] = subject, name
    message.set_content("You have a fax.")
    message.add_attachment(LOGO, maintype="image", subtype="png", filename="logo.png")
    for body in attachments:
        # As some label them: what it is, its first bytes tell.
        message.add_attachment(
            body, maintype="application", subtype="octet-stream", filename="fax.bin"
        )
    return message.as_bytes()


@pytest.fixture
def server(db: settings.Settings) -> Iterator[MailboxServer]:
    with (
        MailboxServer() as running,
        settings.changed(
            fax_imap_url=running.url(),
            fax_mail_from=f"{PROVIDER}, @efax.example.org",
        ),
    ):
        yield running


def flags(server: MailboxServer) -> list[bool]:
    """Tell of each message whether it was set aside."""
    return ["\\Flagged" in each.flags for each in server.inbox]


def test_a_fax_comes_by_email_and_finds_its_registration(
    server: MailboxServer,
) -> None:
    application, noise = make_application(), make_application()
    server.put(mail(tiff([page(application.code)])))

    tasks.read_fax_mail.call_local()
    [fax] = InboundFax.select()
    tasks.read_fax.call_local(fax.id)

    fax = InboundFax.get_by_id(fax.id)
    assert (fax.status, fax.application) == (FaxStatus.MATCHED, application)
    assert (fax.source, fax.from_number) == ("email", "+18605550143")
    assert Application.get_by_id(noise.id).status == "submitted"
    assert flags(server) == [False]
    assert mailbox.KEYWORD in server.inbox[0].flags


def test_each_attachment_is_a_fax_and_a_second_reading_changes_nothing(
    server: MailboxServer,
) -> None:
    server.put(mail(PDF, b"II*\x00 other", PDF))
    for _ in range(2):
        faxes_by_mail.read()
        server.inbox[0].flags.clear()  # as if the line had been cut before

    assert InboundFax.select().count() == 2


def test_the_line_that_is_cut_before_the_mark_loses_and_doubles_nothing(
    server: MailboxServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.put(mail(PDF), mail(b"II*\x00 other", name="<2@provider.example.org>"))
    server.cut_at = "STORE"
    with caplog.at_level(logging.WARNING):
        faxes_by_mail.read()
    assert "the mailbox of faxes cannot be read: the line was cut" in caplog.text
    assert InboundFax.select().count() == 1

    server.cut_at = ""
    faxes_by_mail.read()

    assert InboundFax.select().count() == 2
    assert not any("\\Deleted" in each.flags for each in server.inbox)


@pytest.mark.parametrize(
    ("sender", "taken"),
    [
        (PROVIDER, True),
        (f"Them <{PROVIDER.upper()}>", True),
        ("anyone@efax.example.org", True),
        ("anyone@provider.example.org", False),
        ("fax@notefax.example.org", False),
        (f"a@example.org, {PROVIDER}", False),
        (f'"{PROVIDER}" <thief@example.org>', False),
        ("", False),
    ],
)
def test_only_the_provider_is_believed(
    server: MailboxServer, sender: str, *, taken: bool
) -> None:
    server.put(mail(PDF, sender=sender))

    faxes_by_mail.read()

    assert InboundFax.select().count() == int(taken)
    assert flags(server) == [not taken]


def test_mail_without_a_fax_and_mail_that_is_too_large_are_set_aside(
    server: MailboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faxes_by_mail, "LARGEST_MAIL", 100_000)
    server.put(mail(), mail(PDF + b"x" * 200_000), mail(PDF))

    faxes_by_mail.read()

    assert InboundFax.select().count() == 1
    assert flags(server) == [True, True, False]


def nested(levels: int) -> bytes:
    """Write a mail whose parts hold parts, so many times."""
    head = f"From: {PROVIDER}\r\nMIME-Version: 1.0\r\n".encode()
    for level in range(levels):
        kind = f'Content-Type: multipart/mixed; boundary="b{level}"'
        head += f"{kind}\r\n\r\n--b{level}\r\n".encode()
    return head


@pytest.mark.parametrize(
    "hostile",
    [
        b"From: a@\r\n\r\nx",
        b'From: "\r\n\r\nx',
        b"From: a@[\r\n\r\nx",
        mail(PDF).replace(b"Message-ID: <1@provider.example.org>", b"Message-ID: <"),
        nested(1200),
    ],
    ids=["no domain", "open quote", "open bracket", "open id", "nested"],
)
def test_a_message_that_breaks_the_reader_stops_none_after_it(
    server: MailboxServer, hostile: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    server.put(hostile, mail(PDF, name="<2@provider.example.org>"))

    with caplog.at_level(logging.WARNING):
        faxes_by_mail.read()

    assert InboundFax.select().count() == 1
    assert flags(server) == [True, False]
    assert "set aside" in caplog.text


def test_what_the_database_refuses_stays_in_the_mailbox(
    server: MailboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: object) -> None:
        raise OperationalError

    server.put(mail(PDF))
    monkeypatch.setattr(faxes, "receive", away)

    with pytest.raises(OperationalError):
        faxes_by_mail.read()

    assert flags(server) == [False]
    assert mailbox.KEYWORD not in server.inbox[0].flags


@pytest.mark.parametrize(
    ("subject", "number"),
    [
        ("Caller-ID: 860-555-0143", "+18605550143"),
        ('eFax message from "18605550143" - 2 page(s)', "+18605550143"),
        ("New fax from +1 (860) 555-0143 to +1 860 713 7242", "+18605550143"),
        ("Fax 8605550143, 3 pages", "+18605550143"),
        ("Fax to +18607137242", ""),
        ("Fax 8605550143 or 8605550199", ""),
        ("Fax job 18605550143456", ""),
        ("Fax", ""),
    ],
)
def test_the_caller_is_read_from_the_subject_or_left_unknown(
    subject: str, number: str
) -> None:
    assert faxes_by_mail.caller(subject) == number


def test_a_mailbox_of_faxes_needs_to_know_its_provider() -> None:
    keys = {"PMP_SECRET_KEY": "s" * 40, "PMP_DOCUMENT_KEY": "d" * 40}
    url = {"PMP_FAX_IMAP_URL": "imaps://a:b@imap.example.org/Faxes"}

    with pytest.raises(settings.SettingsError, match="PMP_FAX_MAIL_FROM"):
        settings.load({**keys, **url})
    with pytest.raises(settings.SettingsError, match="imaps://"):
        settings.load({**keys, "PMP_FAX_IMAP_URL": "pop3://a"})
    chosen = settings.load({**keys, **url, "PMP_FAX_MAIL_FROM": PROVIDER})
    assert chosen.fax_mail_from == PROVIDER
