"""An IMAP server on this machine with one mailbox, that fails as it is told to.

It speaks what a reader of a mailbox needs: CAPABILITY, STARTTLS, LOGIN, SELECT, CREATE,
UID SEARCH, FETCH, STORE, COPY, MOVE and EXPUNGE, LOGOUT. `lacks` takes away MOVE,
UIDPLUS or keywords, as some servers do; `cut_at` ("FETCH", "STORE", …) cuts the line at
that command, `cut_after` once it is done but before the answer; `drips` answers one
byte at a time; `lies` says that the message is larger than anybody can hold.
"""

import re
import socketserver
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

USER, PASSWORD = "bounces", 'pass "word" \\ 1'
_FLAGS = re.compile(r"\(([^)]*)\)")
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|(\([^)]*\))|(\S+)')


@dataclass
class Mail:
    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


class MailboxServer:
    """Use as a context manager; `url()` is what a PMP_…_IMAP_URL is set to."""

    def __init__(
        self, *mails: bytes, certificate: Path | None = None, direct: bool = True
    ) -> None:
        self.folders: dict[str, list[Mail]] = {"INBOX": []}
        self._next = 1
        self.put(*mails)
        self.lacks: set[str] = set()
        self.cut_at = self.cut_after = ""
        self.drips = self.lies = self.only_reads = False
        self.commands: list[str] = []
        self.was_encrypted = False
        self.context: ssl.SSLContext | None = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        self.direct = direct and certificate is not None
        handler = type("Handler", (_Conversation,), {"box": self})
        self._server = _Server(("127.0.0.1", 0), handler)

    def __enter__(self) -> Self:
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, query: str = "", *, password: str = "") -> str:
        word = password or "pass%20%22word%22%20%5C%201"
        scheme = "imaps" if self.direct else "imap"
        where = f"127.0.0.1:{self._server.server_address[1]}"
        query = query if self.context else f"tls=none&{query}"
        return f"{scheme}://{USER}:{word}@{where}/INBOX?{query}"

    def put(self, *mails: bytes, flags: set[str] | None = None) -> None:
        for raw in mails:
            self.folders["INBOX"].append(Mail(self._next, raw, set(flags or ())))
            self._next += 1

    @property
    def inbox(self) -> list[Mail]:
        return self.folders["INBOX"]

    def take_number(self) -> int:
        self._next += 1
        return self._next - 1


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: readers that leave in the middle are what is tested."""


class _Cut(Exception):  # noqa: N818
    """The line is cut here."""


class _Conversation(socketserver.StreamRequestHandler):
    box: MailboxServer
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self.folder, self.is_in = "", False
        if self.box.direct:
            self._encrypt()
        with suppress(_Cut, OSError):
            self._say("* OK ready")
            while line := self.rfile.readline():
                if not self._answer(line.decode("ascii").strip()):
                    return

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _encrypt(self) -> None:
        context = self.box.context
        if context is None:
            raise _Cut
        self.connection = context.wrap_socket(self.request, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile: Any = self.connection.makefile("wb", buffering=0)
        self.box.was_encrypted = True

    def _say(self, text: str | bytes) -> None:
        line = (text if isinstance(text, bytes) else text.encode()) + b"\r\n"
        if not self.box.drips:
            self.wfile.write(line)
            return
        for number in line:
            self.wfile.write(bytes([number]))
            time.sleep(0.1)

    def _answer(self, line: str) -> bool:
        tag, name, *words = _words(line)
        name = name.upper()
        if name == "UID":
            name, *words = words
            name = f"UID {name.upper()}"
        verb = name.rpartition(" ")[2]
        self.box.commands.append(name)
        if verb == self.box.cut_at:
            raise _Cut
        answer = self._do(name, words)
        if verb == self.box.cut_after:
            raise _Cut
        self._say(f"{tag} {answer}")
        if name == "STARTTLS":
            self._encrypt()
        return name != "LOGOUT"

    def _do(self, name: str, words: list[str]) -> str:
        before: dict[str, Callable[[list[str]], str]] = {
            "CAPABILITY": self._capability,
            "STARTTLS": lambda _: "OK begin",
            "LOGIN": self._login,
            "LOGOUT": self._logout,
        }
        after: dict[str, Callable[[list[str]], str]] = {
            "SELECT": self._select,
            "CREATE": self._create,
        }
        selected: dict[str, Callable[[list[str]], str]] = {
            "UID SEARCH": self._search,
            "UID FETCH": self._fetch,
            "UID STORE": self._store,
            "UID COPY": self._copy,
            "UID MOVE": self._move,
            "UID EXPUNGE": self._expunge,
        }
        known = before | (after if self.is_in else {})
        known |= selected if self.folder else {}
        return known[name](words) if name in known else "BAD not now"

    def _capability(self, _: list[str]) -> str:
        has = {"MOVE", "UIDPLUS"} - self.box.lacks
        if self.box.context and not self.box.direct:
            has |= {"STARTTLS"} - self.box.lacks
        self._say(f"* CAPABILITY IMAP4rev1 {' '.join(sorted(has))}")
        return "OK done"

    def _login(self, words: list[str]) -> str:
        self.is_in = words == [USER, PASSWORD]
        return "OK in" if self.is_in else "NO [AUTHENTICATIONFAILED] no"

    def _logout(self, _: list[str]) -> str:
        self._say("* BYE")
        return "OK bye"

    def _select(self, words: list[str]) -> str:
        if words[0] not in self.box.folders:
            return "NO no such folder"
        self.folder = words[0]
        more = "" if "keywords" in self.box.lacks else " \\*"
        self._say(f"* {len(self._mails())} EXISTS")
        self._say("* OK [UIDVALIDITY 7] as ever")
        self._say(f"* OK [PERMANENTFLAGS (\\Seen \\Flagged \\Deleted{more})] kept")
        return "OK [READ-ONLY] ok" if self.box.only_reads else "OK [READ-WRITE] ok"

    def _create(self, words: list[str]) -> str:
        self.box.folders[words[0]] = []
        return "OK made"

    def _search(self, words: list[str]) -> str:
        found = self._mails()
        wanted = [each.upper() for each in words]
        if "UNDELETED" in wanted:
            found = [mail for mail in found if "\\Deleted" not in mail.flags]
        if "UNSEEN" in wanted:
            found = [mail for mail in found if "\\Seen" not in mail.flags]
        if "UNKEYWORD" in wanted:
            word = words[wanted.index("UNKEYWORD") + 1]
            found = [mail for mail in found if word not in mail.flags]
        self._say(" ".join(["* SEARCH", *(str(mail.uid) for mail in found)]))
        return "OK found"

    def _fetch(self, words: list[str]) -> str:
        for place, mail in self._those(words[0]):
            if "RFC822.SIZE" in words[1]:
                size = 10**12 if self.box.lies else len(mail.raw)
                self._say(f"* {place} FETCH (UID {mail.uid} RFC822.SIZE {size})")
            elif part := re.search(r"BODY\.PEEK\[\](?:<0\.(\d+)>)?", words[1]):
                body = mail.raw[: int(part[1])] if part[1] else mail.raw
                size = 10**12 if self.box.lies else len(body)
                head = f"* {place} FETCH (UID {mail.uid} BODY[]<0> {{{size}}}\r\n"
                self._say(head.encode() + body + b")")
        return "OK fetched"

    def _store(self, words: list[str]) -> str:
        given = _FLAGS.fullmatch(words[2])
        if words[1] != "+FLAGS.SILENT" or given is None:
            return "BAD what"
        for _, mail in self._those(words[0]):
            for flag in given[1].split():
                if flag.startswith("\\") or "keywords" not in self.box.lacks:
                    mail.flags.add(flag)
        return "OK kept"

    def _copy(self, words: list[str]) -> str:
        if words[1] not in self.box.folders:
            return "NO [TRYCREATE] no such folder"
        for _, mail in self._those(words[0]):
            copy = Mail(self.box.take_number(), mail.raw, set(mail.flags))
            self.box.folders[words[1]].append(copy)
        return "OK copied"

    def _move(self, words: list[str]) -> str:
        if "MOVE" in self.box.lacks:
            return "BAD what"
        answer = self._copy(words)
        if answer.startswith("OK"):
            self._drop([mail for _, mail in self._those(words[0])])
        return answer

    def _expunge(self, words: list[str]) -> str:
        if "UIDPLUS" in self.box.lacks:
            return "BAD what"
        those = [mail for _, mail in self._those(words[0])]
        self._drop([mail for mail in those if "\\Deleted" in mail.flags])
        return "OK gone"

    def _drop(self, those: list[Mail]) -> None:
        for mail in those:
            place = self._mails().index(mail) + 1
            self._mails().remove(mail)
            self._say(f"* {place} EXPUNGE")

    def _mails(self) -> list[Mail]:
        return self.box.folders[self.folder]

    def _those(self, uid: str) -> list[tuple[int, Mail]]:
        numbered = enumerate(self._mails(), 1)
        return [(place, mail) for place, mail in numbered if mail.uid == int(uid)]


def _words(line: str) -> list[str]:
    return [
        re.sub(r"\\(.)", r"\1", quoted)
        if quoted or not (group or plain)
        else group or plain
        for quoted, group, plain in _TOKEN.findall(line)
    ]
