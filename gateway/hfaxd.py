"""A conversation with hfaxd, the server of HylaFAX: FTP with commands of its own.

See hfaxd(8) and the formats in faxstat(1), of HylaFAX 6.0. The whole conversation ends
after a time, however slowly the server drips.
"""

import ftplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from gateway.time_limit import TimeLimit

PORT = 4559
LARGEST_LOG = 64 * 1024 * 1024
# A field may hold blanks; a number, a tag or a file's name holds no bar.
JOB_FORMAT = "%j|%J|%a|%p|%y|%s"
RECEIVED_FORMAT = "%f|%z|%n|%j|%s"


class Refused(Exception):  # noqa: N818 - the server's answer, not a fault of ours
    """The server said no; the text is its answer's first line."""


class Unanswered(Exception):  # noqa: N818 - what happened on the line
    """The conversation broke off, or took too long."""


@dataclass(frozen=True)
class Account:
    """Where a server is and who we are there; `modem` may be "any"."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    admin_password: str = field(repr=False)
    modem: str
    log: str = ""

    @classmethod
    def of(cls, address: str) -> "Account":
        """Read hylafax://user:password@host:port/modem?admin=password&log=file."""
        url = urlsplit(address)
        password = unquote(url.password or "")
        asked = parse_qs(url.query)
        return cls(
            host=url.hostname or "127.0.0.1",
            port=url.port or PORT,
            user=unquote(url.username or "") or "anonymous",
            password=password,
            admin_password=asked.get("admin", [password])[0],
            modem=url.path.strip("/") or "any",
            log=asked.get("log", [""])[0],
        )


@dataclass(frozen=True)
class Job:
    """A line of sendq or doneq. `state` is faxstat's letter, `pages` those sent."""

    number: int
    tag: str
    state: str
    pages: int
    total: int
    status: str


@dataclass(frozen=True)
class Received:
    """A line of recvq: a fax that came in; `busy` while it still comes.

    `size` in bytes; 0 where the server does not say.
    """

    file: str
    busy: bool
    size: int
    caller: str
    station: str


class Session:
    """Signed in to hfaxd. Get one by `opened`."""

    def __init__(self, line: ftplib.FTP, limit: TimeLimit) -> None:
        self._line = line
        self._limit = limit
        self.is_admin = False
        self.data: socket.socket | None = None  # opened and not yet used

    def ask(self, command: str) -> str:
        """Send one command and give the answer; Refused for 4xx and 5xx."""
        with _faults():
            return self._line.sendcmd(command)

    def store(self, body: bytes) -> str:
        """Upload a document under a name of the server's choice; give that name."""
        with _faults():
            self._line.voidcmd("TYPE I")
            self._line.voidcmd("FORM TIFF")
            with self._connected("STOT") as (told, data):
                data.sendall(body)
                # The limit has a handle too: closing ours would not end the upload.
                data.shutdown(socket.SHUT_WR)
            self._line.voidresp()
        _, _, rest = told.partition("FILE: ")  # 150 FILE: /tmp/doc7.tif (Opening …
        return rest.split()[0] if rest else ""

    def jobs(self) -> Iterator[Job]:
        """Give the jobs that wait or run, then those that are over.

        In this order: one that ends meanwhile is seen in the second list.
        """
        self.ask(f'JOBFMT "{JOB_FORMAT}"')
        for queue in ("sendq", "doneq"):
            for line in self.lines(f"LIST {queue}"):
                if job := _job(line):
                    yield job

    def received(self) -> list[Received]:
        """Give the faxes that lie in recvq."""
        self.ask(f'RCVFMT "{RECEIVED_FORMAT}"')
        found = (_received(line) for line in self.lines("LIST recvq"))
        return [each for each in found if each]

    def lines(self, command: str) -> list[str]:
        """Give a list or a text file by lines; Refused if there is none for us."""
        with _faults():
            self._line.voidcmd("TYPE A")
        text = self._transfer(command, LARGEST_LOG).decode("latin-1")
        return [line.rstrip() for line in text.splitlines() if line.strip()]

    def fetch(self, path: str, *, most: int) -> bytes:
        """Give a file's bytes; Refused if there are more than `most`."""
        with _faults():
            self._line.voidcmd("TYPE I")
        return self._transfer(f"RETR {path}", most)

    def _transfer(self, command: str, most: int) -> bytes:
        body = bytearray()
        with _faults():
            with self._connected(command) as (_, data):
                while len(body) <= most and (chunk := data.recv(65536)):
                    body += chunk
                if len(body) > most:
                    self._limit.let_go()  # or hfaxd would go on sending
            try:
                self._line.voidresp()
            except (ftplib.error_perm, ftplib.error_temp):
                # The answer to a line that we closed: the next command has its own.
                if len(body) <= most:
                    raise
        if len(body) > most:
            raise Refused("the file is too large")
        return bytes(body)

    @contextmanager
    def _connected(self, command: str) -> Iterator[tuple[str, socket.socket]]:
        """Open a line for data and send the command that uses it.

        hfaxd takes the line before it answers. One that a refused command left waiting
        is the one that it takes for the next command, whatever is opened meanwhile.
        """
        if self.data is None:
            place = self._line.makepasv()
            self.data = socket.create_connection(place, self._line.timeout)
            self._limit.watch(self.data)
        told = self._line.sendcmd(command)
        data, self.data = self.data, None
        with data:
            yield told, data


@contextmanager
def opened(account: Account, *, seconds: float) -> Iterator[Session]:
    """Sign in; whatever is done inside, the conversation ends after so many seconds.

    Refused if the server does not let us in, Unanswered if it is not there.
    """
    line = ftplib.FTP(timeout=seconds)  # noqa: S321 - to this machine alone, by the settings
    limit = TimeLimit(seconds)
    session = Session(line, limit)
    with limit:
        try:
            with _faults():
                _connect(line, account, limit)
                _sign_in(line, account)
                session.is_admin = _is_admin(line, account)
            yield session
            with suppress(Exception):
                line.quit()
        finally:
            line.close()
            if session.data is not None:
                session.data.close()


def _connect(line: ftplib.FTP, account: Account, limit: TimeLimit) -> None:
    """Do as FTP.connect, which reads the welcome before its socket can be watched."""
    line.sock = socket.create_connection((account.host, account.port), line.timeout)
    limit.watch(line.sock)
    line.af = line.sock.family
    line.file = line.sock.makefile("r", encoding=line.encoding)
    line.welcome = line.getresp()


def _sign_in(line: ftplib.FTP, account: Account) -> None:
    for secret in (account.user, account.password, account.admin_password):
        if any(sign.isspace() for sign in secret):
            raise Refused("the address holds a user or password with a blank")
    answer = line.sendcmd(f"USER {account.user}")
    if answer.startswith("3"):
        line.sendcmd(f"PASS {account.password}")


def _is_admin(line: ftplib.FTP, account: Account) -> bool:
    """Ask for an administrator's rights: what came in is not for others."""
    try:
        line.sendcmd(f"ADMIN {account.admin_password}")
    except (ftplib.error_perm, ftplib.error_temp):
        return False
    return True


@contextmanager
def _faults() -> Iterator[None]:
    """Turn what ftplib raises into our two; their texts hold no password."""
    try:
        yield
    except (ftplib.error_perm, ftplib.error_temp) as refused:
        raise Refused(str(refused).partition("\n")[0][:100]) from None
    except (OSError, EOFError, ftplib.Error) as broken:
        raise Unanswered(type(broken).__name__) from None


def _job(line: str) -> Job | None:
    fields = [each.strip() for each in line.split("|", 5)]
    if len(fields) != 6 or not fields[0].isdecimal():
        return None
    number, tag, state, pages, total, status = fields
    return Job(int(number), tag, state, _count(pages), _count(total), status)


def _received(line: str) -> Received | None:
    fields = [each.strip() for each in line.split("|", 4)]
    if len(fields) != 5 or "/" in fields[0] or not fields[0].startswith("fax"):
        return None
    file, busy, size, caller, station = fields
    return Received(file, busy == "*", _count(size, digits=15), caller, station)


def _count(text: str, *, digits: int = 5) -> int:
    return int(text) if text.isdecimal() and len(text) <= digits else 0
