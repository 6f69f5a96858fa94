"""A mail relay on this machine that breaks the conversation at any place of it.

Each connection takes the next step of `script`, else `usual`:
  ok                    the message is taken
  refuse 421            closed at once; closed after 421
  450-mail 550-mail     that answer to MAIL, with an enhanced code
  450-rcpt 550-rcpt … or a whole answer: "rcpt: 452 4.2.2 mailbox full"
  452-data              DATA is refused
  451-dot 554-dot       the text is refused
  drop-data             the line is cut before the text has ended; nothing is taken
  drop-after            taken, then the line is cut without an answer
  hang                  taken, then no answer
  garbage               taken, then an answer that is none
  drip                  one byte of the greeting every 0.1 seconds
  auth-535              the sign-in is refused
`offers` are the extensions that EHLO names.
"""

import socketserver
import ssl
import threading
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, Self

_ANSWERS = {
    "450-mail": "450 4.7.1 come back later",
    "550-mail": "550 5.7.1 your sender is not welcome",
    "450-rcpt": "450 4.7.1 greylisted",
    "550-rcpt": "550 5.1.1 no such user",
    "452-data": "452 4.3.1 disk full",
    "451-dot": "451 4.3.0 try later",
    "554-dot": "554 5.6.0 not like this",
}
HANG_SECONDS = 60


class CrookedRelay:
    """Use as a context manager; `url` is what PMP_MAIL_URL is set to."""

    def __init__(
        self, *script: str, usual: str = "ok", certificate: Path | None = None
    ) -> None:
        self.script, self.usual = list(script), usual
        self.offers = ["8BITMIME", "SIZE 52428800"]
        self.taken: list[Any] = []
        self.texts: list[bytes] = []
        self.lines: list[str] = []
        self.connections = 0
        self.context: ssl.SSLContext | None = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        self.stopped = threading.Event()
        handler = type("Handler", (_Conversation,), {"relay": self})
        self._server = _Server(("127.0.0.1", 0), handler)

    def __enter__(self) -> Self:
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        tls = "required" if self.context else "none"
        return f"smtp://{self.where}?tls={tls}"

    @property
    def where(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def next_step(self) -> str:
        self.connections += 1
        return self.script.pop(0) if self.script else self.usual

    def take(self, text: bytes) -> None:
        self.texts.append(text)
        self.taken.append(message_from_bytes(text, policy=policy.default))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: senders that leave in the middle are what is tested."""


class _Conversation(socketserver.StreamRequestHandler):
    relay: CrookedRelay
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self.step = self.relay.next_step()
        if self.step == "refuse":
            return
        if self.step == "421":
            self._say("421 4.3.2 not now")
            return
        if self.step == "drip":
            self._drip()
            return
        self._say("220 crooked ESMTP")
        while (line := self.rfile.readline()) and self._answer(line.decode().strip()):
            pass

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _drip(self) -> None:
        while not self.relay.stopped.wait(0.1):
            self.wfile.write(b"2")

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")

    def _answer(self, line: str) -> bool:
        self.relay.lines.append(line)
        verb = line.split(maxsplit=1)[0].upper()
        if verb == "DATA":
            return self._data()
        if verb == "STARTTLS" and self.relay.context:
            self._say("220 begin")
            self._encrypt()
            return True
        self._say(self._plain(verb))
        return verb != "QUIT"

    def _plain(self, verb: str) -> str:
        if verb == "EHLO":
            offers = [*self.relay.offers, "AUTH PLAIN"]
            offers += ["STARTTLS"] if self.relay.context else []
            return "\r\n".join(["250-crooked", *(f"250-{each}" for each in offers)]) + (
                "\r\n250 HELP"
            )
        if verb == "AUTH":
            return "535 5.7.8 no" if self.step == "auth-535" else "235 in"
        if verb == "MAIL" and self.step.startswith("mail: "):
            return self.step[6:]
        if verb == "RCPT" and self.step.startswith("rcpt: "):
            return self.step[6:]
        if verb in {"MAIL", "RCPT"} and self.step.endswith(verb.lower()):
            return _ANSWERS[self.step]
        return "221 bye" if verb == "QUIT" else "250 ok"

    def _data(self) -> bool:
        if self.step == "452-data":
            self._say(_ANSWERS[self.step])
            return True
        self._say("354 go")
        if self.step == "drop-data":
            self.rfile.readline()
            return False
        text = b""
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            text += line[1:] if line.startswith(b"..") else line
        if self.step.endswith("-dot"):
            self._say(_ANSWERS[self.step])
            return True
        if self.step.startswith("dot: "):
            self._say(self.step[5:])
            return True
        self.relay.take(text)
        if self.step == "hang":
            self.relay.stopped.wait(HANG_SECONDS)
        if self.step in {"drop-after", "hang"}:
            return False
        self._say("what?" if self.step == "garbage" else "250 2.0.0 queued")
        return True

    def _encrypt(self) -> None:
        if self.relay.context is None:
            raise OSError
        self.connection = self.relay.context.wrap_socket(self.request, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile: Any = self.connection.makefile("wb", buffering=0)
