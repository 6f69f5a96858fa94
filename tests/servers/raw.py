"""A server that answers one connection after another with what it is told, raw.

`answer` is a list of pieces of bytes, sent with `pause` seconds between them; with
`certificate` it speaks TLS. `sent` tells how many pieces went out before the line was
cut, `heard` what came in.
"""

import socket
import ssl
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self


class Raw:
    """Use as a context manager; `url` is where it listens."""

    def __init__(
        self,
        answer: Iterable[bytes],
        *,
        pause: float = 0.0,
        certificate: Path | None = None,
        reads: bool = True,
    ) -> None:
        self.answer, self.pause, self.reads = list(answer), pause, reads
        self.sent = 0
        self.heard: list[bytes] = []
        self.scheme = "https" if certificate else "http"
        self._context = _context(certificate) if certificate else None
        self._stopped = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._listening.getsockname()[1]}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}/"

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            with suppress(OSError), line:
                self._talk(line)

    def _talk(self, plain: socket.socket) -> None:
        line = plain
        if self._context:
            line = self._context.wrap_socket(plain, server_side=True)
        with line:
            if self.reads:
                self.heard.append(line.recv(65536))
            for piece in self.answer:
                line.sendall(piece)
                self.sent += 1
                if self._stopped.wait(self.pause):
                    return


def dripping() -> Raw:
    """Give a server whose answer's head takes half a minute, a byte at a time."""
    return Raw([b"HTTP/1.1 200 OK\r\nX-Slow: ", *[b"x"] * 300], pause=0.1)


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
