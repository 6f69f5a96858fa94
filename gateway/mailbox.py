"""A mailbox read over IMAP, for work that comes by email: bounces, faxes.

    for mail in mailbox.unread(url, largest=20_000_000):
        if take_in(mail.raw):      # committed, and harmless if it is done twice
            mail.done()
        else:
            mail.set_aside()       # for a person to look at

The address is imaps://user:password@host:port/Folder?done=Folder&aside=Folder (a blank
is %20). TLS is verified, against PMP_MAIL_CA_FILE where that is set. imap:// begins in
clear and must go on in TLS; ?tls=none only on this machine.

What was neither done nor set aside comes again at the next reading: whoever takes it in
must know it again. Nothing is deleted. A message that is done or set aside is moved to
the folder that the address names for it, else it stays and is marked: with a keyword of
ours where the server keeps such, so that a person who looks into the mailbox hides
nothing from us; else as read. One set aside is flagged as well.
"""

import contextlib
import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from socket import create_connection
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from gateway.time_limit import TimeLimit
from pmp import settings

KEYWORD = "PmpTaken"
DONE = f"(\\Seen {KEYWORD})"
ASIDE = f"(\\Seen \\Flagged {KEYWORD})"
LARGEST = 1_000_000
MOST = 100
READING_SECONDS = 120
_SPARE = 100_000  # what an answer may have beside a message's bytes


class MailboxError(Exception):
    """The mailbox cannot be read now; the text holds no password and no message."""


@dataclass(frozen=True)
class Received:
    """One message: its bytes, or the first of them where it is larger than allowed."""

    raw: bytes
    size: int
    _largest: int
    _uid: str
    _box: "_Mailbox"

    @property
    def is_whole(self) -> bool:
        """Tell whether `raw` is all of it; some servers only guess the size."""
        return len(self.raw) < self._largest or len(self.raw) >= self.size

    def done(self) -> None:
        """Put it where it is not read again; only after its work is committed."""
        self._box.put_away(self._uid, DONE, self._box.done_folder)

    def set_aside(self) -> None:
        """Leave it, flagged, to a person: it is not what this mailbox is for."""
        self._box.put_away(self._uid, ASIDE, self._box.aside_folder)


def unread(url: str, *, largest: int = LARGEST, most: int = MOST) -> Iterator[Received]:
    """Give the messages that nobody has taken in, the oldest first, at most `most`.

    Of each at most `largest` bytes are fetched, one message at a time, and the whole
    reading ends after READING_SECONDS. MailboxError where the mailbox cannot be
    reached, refuses, or the line is cut; what was not put away by then comes again.
    """
    with TimeLimit(READING_SECONDS) as limit, _errors(limit):
        box = _Mailbox(urlsplit(url), largest, limit)
        try:
            for uid in box.waiting()[:most]:
                found = box.fetch(uid)
                if found is not None:
                    yield found
        finally:
            box.leave()


class _Client(imaplib.IMAP4):
    """imaplib's client, within a time limit and with a largest answer."""

    def __init__(
        self,
        url: SplitResult,
        limit: TimeLimit,
        context: ssl.SSLContext | None,
        largest: int,
    ) -> None:
        self._limit, self._context, self._largest = limit, context, largest
        timeout = settings.current().channel_timeout_seconds
        port = url.port or (993 if context else 143)
        super().__init__(url.hostname or "", port, timeout)

    def open(
        self, host: str = "", port: int = 143, timeout: float | None = None
    ) -> None:
        self.host, self.port = host, port
        connection = create_connection((host, port), timeout)
        self._limit.watch(connection)
        if self._context:
            connection = self._context.wrap_socket(connection, server_hostname=host)
        self.sock = connection
        self.file = connection.makefile("rb")

    def read(self, size: int) -> bytes:
        if size > self._largest + _SPARE:
            raise self.abort("an answer of a size that nobody asked for")
        return super().read(size)


class _Mailbox:
    """An open, selected folder."""

    def __init__(self, url: SplitResult, largest: int, limit: TimeLimit) -> None:
        names = parse_qs(url.query)
        self.done_folder = names.get("done", [""])[0]
        self.aside_folder = names.get("aside", [""])[0]
        self._largest, self._limit = largest, limit
        self._client = _signed_in(url, limit, largest)
        try:
            _ok(self._client.select(_quoted(unquote(url.path).strip("/") or "INBOX")))
        except Exception:
            self.leave()
            raise
        _, flags = self._client.response("PERMANENTFLAGS")
        self._keeps_keywords = any(b"\\*" in (each or b"") for each in flags)

    def waiting(self) -> list[str]:
        """Give the UIDs of what was not put away, the oldest first."""
        untaken = f"UNKEYWORD {KEYWORD}" if self._keeps_keywords else "UNSEEN"
        answer = _ok(self._client.uid("SEARCH", f"UNDELETED {untaken}"))
        found = b" ".join(each for each in answer if isinstance(each, bytes)).split()
        return [str(number) for number in sorted(map(int, found))]

    def fetch(self, uid: str) -> Received | None:
        """Fetch a message without marking it as read; None if it is gone."""
        about = _ok(self._client.uid("FETCH", uid, "(RFC822.SIZE)"))
        size = next(
            (
                int(found[1])
                for each in about
                if isinstance(each, bytes)
                and (found := re.search(rb"RFC822\.SIZE (\d+)", each))
            ),
            None,
        )
        if size is None:
            return None
        part = f"(BODY.PEEK[]<0.{self._largest}>)"
        for each in _ok(self._client.uid("FETCH", uid, part)):
            if isinstance(each, tuple) and b"BODY[" in each[0]:
                return Received(each[1], size, self._largest, uid, self)
        return None

    def put_away(self, uid: str, flags: str, folder: str) -> None:
        """Mark a message, then move it to a folder if one is named.

        In this order: a line that is cut between the two leaves it marked, and it is
        not read a second time.
        """
        with _errors(self._limit):
            self._mark(uid, flags)
            if folder:
                self._move(uid, folder)

    def _mark(self, uid: str, flags: str) -> None:
        kept = flags if self._keeps_keywords else flags.replace(f" {KEYWORD}", "")
        _ok(self._client.uid("STORE", uid, "+FLAGS.SILENT", kept))

    def _move(self, uid: str, folder: str) -> None:
        client = self._client
        moves = "MOVE" in client.capabilities
        command = "MOVE" if moves else "COPY"
        answer = client.uid(command, uid, _quoted(folder))
        if answer[0] != "OK":  # it may not be there yet
            _ok(client.create(_quoted(folder)))
            answer = client.uid(command, uid, _quoted(folder))
        _ok(answer)
        if not moves:
            _ok(client.uid("STORE", uid, "+FLAGS.SILENT", "(\\Deleted)"))
            if "UIDPLUS" in client.capabilities:
                # A plain EXPUNGE would take what other people marked as well.
                _ok(client.uid("EXPUNGE", uid))

    def leave(self) -> None:
        """End the conversation; a lost good-bye changes nothing."""
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self._client.logout()
        with contextlib.suppress(OSError):
            self._client.shutdown()


def _signed_in(url: SplitResult, limit: TimeLimit, largest: int) -> _Client:
    trust = ssl.create_default_context(cafile=settings.current().mail_ca_file or None)
    direct = url.scheme == "imaps"
    client = _Client(url, limit, trust if direct else None, largest)
    try:
        if not direct and parse_qs(url.query).get("tls") != ["none"]:
            _begin_tls(client, trust)
        # imaplib puts the name as it is into its line, and quotes the password.
        client.login(
            _quoted(unquote(url.username or "")), _clean(unquote(url.password or ""))
        )
    except Exception:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            client.shutdown()
        raise
    return client


def _begin_tls(client: _Client, trust: ssl.SSLContext) -> None:
    if "STARTTLS" not in client.capabilities:
        raise MailboxError("it offers no TLS")
    client.starttls(trust)


@contextlib.contextmanager
def _errors(limit: TimeLimit) -> Iterator[None]:
    """Say in few words why a mailbox cannot be read; a server's own are left out."""
    try:
        yield
    except ssl.SSLError as error:
        raise MailboxError("its TLS cannot be trusted") from error
    except imaplib.IMAP4.readonly as error:
        raise MailboxError("the folder may only be read, not marked") from error
    except imaplib.IMAP4.abort as error:
        late = "it took too long" if limit.is_over else "the line was cut"
        raise MailboxError(late) from error
    except imaplib.IMAP4.error as error:
        raise MailboxError("sign-in or command refused") from error
    except UnicodeEncodeError as error:
        raise MailboxError("its name, password and folders must be ASCII") from error
    except TimeoutError as error:
        raise MailboxError("it does not answer") from error
    except OSError as error:
        late = "it took too long" if limit.is_over else "it cannot be reached"
        raise MailboxError(late) from error


def _ok(answer: tuple[str, Sequence[object]]) -> Sequence[object]:
    kind, content = answer
    if kind != "OK":
        raise imaplib.IMAP4.error("refused")
    return content


def _quoted(name: str) -> str:
    escaped = _clean(name).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _clean(text: str) -> str:
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise MailboxError("its name, password or folder has a control character")
    return text
