"""What the carriers of tests over HTTP have in common: they listen, answer and stop.

A carrier extends `Served` with what it knows, and `Answering` with its calls.
"""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

HANG_SECONDS = 60


class Served:
    """Use as a context manager; it listens on a free port of this machine."""

    def __init__(self, handler: type["Answering"], **owner: "Served") -> None:
        """`owner` names the attribute under which the handler finds this server."""
        self.calls: list[tuple[str, str]] = []
        self.stopped = threading.Event()
        given = {**owner, "stopped": self.stopped}
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (handler,), given)
        )
        self._server.daemon_threads = True
        self._beside: list[threading.Thread] = []
        self._listing = threading.Lock()

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def hang(self) -> None:
        self.stopped.wait(HANG_SECONDS)

    def do(self, work: Callable[[Any], None], given: Any, *, first: bool) -> None:
        """Do work before the call is answered, or beside; `settle` waits for it."""
        if first:
            work(given)
            return
        thread = threading.Thread(target=work, args=(given,), daemon=True)
        with self._listing:  # no one may wait for a thread that has not yet started
            self._beside.append(thread)
            thread.start()

    def settle(self) -> None:
        """Wait until every call-back under way has been made."""
        with self._listing:
            under_way = list(self._beside)
        for thread in under_way:
            thread.join(30)


class Answering(BaseHTTPRequestHandler):
    """Answers one call after another on a connection."""

    protocol_version = "HTTP/1.1"
    stopped: threading.Event

    def log_message(self, *_: object) -> None: ...

    def answer(
        self, code: int, content: Any, headers: dict[str, str] | None = None
    ) -> None:
        self.raw(code, headers or {}, json.dumps(content).encode())

    def raw(self, code: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        with suppress(ConnectionError):  # who called may be dead by now
            self.end_headers()
            self.wfile.write(body)

    def drip(self) -> None:
        """Send a header and then a byte now and then, each well before a time-out."""
        self.close_connection = True
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.stopped.wait(0.1):
                self.wfile.write(b"x")
