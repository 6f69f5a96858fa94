"""A mailbox read through a real IMAP conversation with a server that misbehaves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import mailbox
from gateway.mailbox import MailboxError
from pmp import settings
from tests.servers.mailbox import MailboxServer
from tests.servers.relay import make_certificate

FIRST, SECOND = b"Subject: 1\r\n\r\nfirst\r\n", b"Subject: 2\r\n\r\n)\r\nsecond\r\n"


@pytest.fixture
def server() -> Iterator[MailboxServer]:
    with MailboxServer(FIRST, SECOND) as running:
        yield running


def read(server: MailboxServer, query: str = "") -> list[bytes]:
    """Take everything in; a message that says `first` is set aside."""
    found = []
    for mail in mailbox.unread(server.url(query)):
        found.append(mail.raw)
        mail.set_aside() if b"first" in mail.raw else mail.done()
    return found


def test_what_was_put_away_is_not_read_again(server: MailboxServer) -> None:
    assert read(server) == [FIRST, SECOND]
    assert read(server) == []

    first, second = server.inbox
    assert first.flags == {"\\Seen", "\\Flagged", mailbox.KEYWORD}
    assert second.flags == {"\\Seen", mailbox.KEYWORD}
    assert server.commands[-1] == "LOGOUT"


def test_what_nobody_put_away_comes_again(server: MailboxServer) -> None:
    assert [mail.raw for mail in mailbox.unread(server.url())] == [FIRST, SECOND]

    assert read(server) == [FIRST, SECOND]
    assert not any("\\Deleted" in mail.flags for mail in server.inbox)


def test_a_person_who_opens_a_message_hides_it_from_nobody(
    server: MailboxServer,
) -> None:
    server.put(b"Subject: 3\r\n\r\nlooked at\r\n", flags={"\\Seen"})

    assert len(read(server)) == 3


def test_a_server_that_keeps_no_keywords_is_read_by_what_is_unread(
    server: MailboxServer,
) -> None:
    server.lacks = {"keywords"}
    server.put(b"Subject: 3\r\n\r\nlooked at\r\n", flags={"\\Seen"})

    assert read(server) == [FIRST, SECOND]
    assert read(server) == []


@pytest.mark.parametrize(
    ("lacks", "left"), [(set(), 0), ({"MOVE"}, 0), ({"MOVE", "UIDPLUS"}, 2)]
)
def test_messages_are_moved_however_the_server_does_that(
    server: MailboxServer, lacks: set[str], left: int
) -> None:
    server.lacks = lacks
    server.put(b"gone\r\n", flags={"\\Deleted"})  # somebody else's, left as it is

    assert read(server, "done=Taken%20in&aside=Look") == [FIRST, SECOND]

    assert [mail.raw for mail in server.folders["Look"]] == [FIRST]
    assert [mail.raw for mail in server.folders["Taken in"]] == [SECOND]
    assert len(server.inbox) == left + 1
    assert read(server, "done=Taken%20in&aside=Look") == []


@pytest.mark.parametrize("command", ["LOGIN", "SELECT", "SEARCH", "FETCH", "STORE"])
def test_a_line_that_is_cut_loses_nothing(server: MailboxServer, command: str) -> None:
    server.cut_at = command
    with pytest.raises(MailboxError, match="the line was cut"):
        read(server)

    server.cut_at = ""
    assert read(server) == [FIRST, SECOND]


def test_a_line_that_is_cut_between_mark_and_move_reads_nothing_twice(
    server: MailboxServer,
) -> None:
    server.cut_at = "MOVE"
    with pytest.raises(MailboxError, match="the line was cut"):
        read(server, "aside=Look")

    server.cut_at = ""
    assert read(server, "aside=Look") == [SECOND]


def test_a_large_message_gives_only_its_beginning(server: MailboxServer) -> None:
    server.inbox.clear()
    server.put(b"x" * 5000)

    [mail] = mailbox.unread(server.url(), largest=1000)

    assert (len(mail.raw), mail.size, mail.is_whole) == (1000, 5000, False)


def test_an_answer_larger_than_was_asked_for_is_not_held(
    server: MailboxServer,
) -> None:
    server.lies = True

    with pytest.raises(MailboxError):
        read(server)


def test_many_messages_are_read_in_several_turns(server: MailboxServer) -> None:
    first = [mail.raw for mail in mailbox.unread(server.url(), most=1)]

    assert first == [FIRST]


def test_a_server_that_drips_is_left_when_the_time_is_over(
    server: MailboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "READING_SECONDS", 0.5)
    server.drips = True

    with pytest.raises(MailboxError, match="it took too long"):
        read(server)


def test_a_refused_sign_in_names_no_password(server: MailboxServer) -> None:
    with pytest.raises(MailboxError) as error:
        list(mailbox.unread(server.url(password="wrong-word")))

    assert str(error.value) == "sign-in or command refused"


def test_nobody_listens_at_the_mailboxs_address() -> None:
    with MailboxServer() as gone:
        url = gone.url()

    with pytest.raises(MailboxError, match="it cannot be reached"):
        list(mailbox.unread(url))


def test_a_folder_that_may_only_be_read_is_said_to_be_one(
    server: MailboxServer,
) -> None:
    server.only_reads = True

    with pytest.raises(MailboxError, match="only be read"):
        read(server)


@pytest.mark.parametrize("direct", [True, False])
def test_a_mailbox_is_read_through_verified_tls(
    tmp_path: Path, *, direct: bool
) -> None:
    certificate = make_certificate(tmp_path)
    with (
        MailboxServer(FIRST, certificate=certificate, direct=direct) as server,
        settings.changed(mail_ca_file=str(certificate)),
    ):
        assert read(server) == [FIRST]

    assert server.was_encrypted


@pytest.mark.parametrize("direct", [True, False])
def test_a_certificate_that_nobody_vouches_for_ends_it(
    tmp_path: Path, *, direct: bool
) -> None:
    certificate = make_certificate(tmp_path)
    with (
        MailboxServer(FIRST, certificate=certificate, direct=direct) as server,
        pytest.raises(MailboxError, match="TLS cannot be trusted"),
    ):
        read(server)

    assert "LOGIN" not in server.commands


def test_a_password_is_never_sent_where_tls_was_taken_away(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with (
        MailboxServer(FIRST, certificate=certificate, direct=False) as server,
        settings.changed(mail_ca_file=str(certificate)),
    ):
        server.lacks = {"STARTTLS"}
        with pytest.raises(MailboxError, match="it offers no TLS"):
            read(server)

    assert "LOGIN" not in server.commands
