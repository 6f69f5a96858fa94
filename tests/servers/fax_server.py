"""HylaFAX's hfaxd as far as our faxes need it, failing as it is told to.

`step` is what the next submissions do:
  ok             taken: a job stands in sendq
  refuse-user    530 to the password
  hang           silence after the welcome
  drip           the welcome comes a letter at a time, without end
  cut-store      the line is cut in the middle of the upload
  refuse-number  503 to DIALSTRING
  submit-cut     taken, then the line is cut without an answer
  submit-hang    taken, then no answer
  submit-460     taken, but the answer is that the scheduler is away
  unsubmitted    the line is cut before JSUBM; the job stays behind, suspended
`files` holds what RETR gives, by path; None: permission denied.
"""

import re
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

USER, PASSWORD = "gateway", "over@the/wire"
HANG_SECONDS = 30


@dataclass
class Job:
    number: int
    parameters: dict[str, str] = field(default_factory=dict)
    state: str = "W"
    pages: int = 0
    status: str = ""
    submitted: bool = False

    @property
    def is_over(self) -> bool:
        return self.state in "DF"

    def row(self) -> str:
        tag = self.parameters.get("JOBINFO", "")
        return f"{self.number}|{tag}|{self.state}|{self.pages}|2|{self.status}"


class FaxServer:
    """Use as a context manager; `url` is what PMP_FAX_URL is set to."""

    def __init__(self, step: str = "ok", *, admin: bool = True) -> None:
        self.step, self.admin = step, admin
        self.jobs: list[Job] = []
        self.received: dict[str, tuple[bytes, str]] = {}  # file → bytes, its row's rest
        self.sizes = True  # whether the list of received faxes tells them
        self.files: dict[str, bytes | None] = {"etc/config": b"MaxBatchJobs:\t1\n"}
        self.documents: dict[str, bytes] = {}
        self.asked: list[str] = []
        self._stopped = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    @property
    def url(self) -> str:
        port = self._listening.getsockname()[1]
        return f"hylafax://{USER}:over%40the%2Fwire@127.0.0.1:{port}/ttySM0"

    def submitted(self) -> list[Job]:
        return [job for job in self.jobs if job.submitted]

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        talk = _Talk(self, line)
        with suppress(OSError), line:
            talk.run()
        talk.close()

    def hang(self) -> None:
        self._stopped.wait(HANG_SECONDS)


class _CutError(OSError):
    """The server cuts the line."""


class _Talk:
    def __init__(self, server: FaxServer, line: socket.socket) -> None:
        self.server, self.line = server, line
        self.waiting: socket.socket | None = None
        self.job = Job(0)

    def run(self) -> None:
        if self.server.step == "drip":
            for _ in range(HANG_SECONDS * 20):
                self.line.sendall(b"2")
                time.sleep(0.05)
        self.say("220 server (HylaFAX (tm) Version 6.0.7) ready.")
        with self.line.makefile("r", encoding="latin-1") as commands:
            for command in commands:
                if self.server.step == "hang":
                    self.server.hang()
                verb, _, rest = command.strip().partition(" ")
                self.server.asked.append(command.strip())
                getattr(self, f"do_{verb.lower()}", self.do_other)(rest)

    def close(self) -> None:
        if self.waiting is not None:
            self.waiting.close()

    def say(self, text: str) -> None:
        self.line.sendall(f"{text}\r\n".encode("latin-1"))

    def do_user(self, _rest: str) -> None:
        self.say("331 Password required.")

    def do_pass(self, rest: str) -> None:
        right = rest == PASSWORD and self.server.step != "refuse-user"
        self.say("230 User logged in." if right else "530 Login incorrect.")

    def do_admin(self, _rest: str) -> None:
        self.say("230 Privileges." if self.server.admin else "530 Login incorrect.")

    def do_other(self, _rest: str) -> None:
        self.say("200 Command okay.")

    def do_quit(self, _rest: str) -> None:
        self.say("221 Goodbye.")
        raise _CutError

    def do_pasv(self, _rest: str) -> None:
        self.close()
        self.waiting = socket.create_server(("127.0.0.1", 0))
        high, low = divmod(self.waiting.getsockname()[1], 256)
        self.say(f"227 Entering passive mode (127,0,0,1,{high},{low})")

    def do_stot(self, _rest: str) -> None:
        name = f"/tmp/doc{len(self.server.documents) + 1}.tif"  # noqa: S108 - its words
        body = bytearray()
        with self._data(f"150 FILE: {name} (Opening new data connection).") as data:
            while chunk := data.recv(65536):
                body += chunk
                if self.server.step == "cut-store":
                    raise _CutError
        self.server.documents[name] = bytes(body)
        self.say(f"226 Transfer complete (FILE: {name}).")

    def do_jnew(self, _rest: str) -> None:
        self.job = Job(len(self.server.jobs) + 1)
        self.server.jobs.append(self.job)
        number = self.job.number
        self.say(f"200 New job created: jobid: {number} groupid: {number}.")

    def do_jparm(self, rest: str) -> None:
        name, _, value = rest.partition(" ")
        if name == "DIALSTRING" and self.server.step == "refuse-number":
            self.say("503 DIALSTRING refused.")
            return
        self.job.parameters[name] = value
        self.say(f"213 {name} set to {value}.")

    def do_jsubm(self, _rest: str) -> None:
        if self.server.step == "unsubmitted":
            self.job.state = "T"
            raise _CutError
        self.job.submitted = True
        if self.server.step == "submit-cut":
            raise _CutError
        if self.server.step == "submit-hang":
            self.server.hang()
        if self.server.step == "submit-460":
            self.say("460 Failed to submit job: no scheduler.")
            return
        self.say(f"200 Job {self.job.number} submitted.")

    def do_jkill(self, rest: str) -> None:
        self._named(rest).state = "F"
        self.say("200 Job killed.")

    def do_jdele(self, rest: str) -> None:
        self.server.jobs.remove(self._named(rest))
        self.say("200 Job deleted.")

    def do_dele(self, rest: str) -> None:
        self.server.received.pop(rest.removeprefix("recvq/"), None)
        self.say("250 DELE command successful.")

    def do_list(self, rest: str) -> None:
        jobs = [job for job in self.server.jobs if job.is_over is (rest == "doneq")]
        rows = [job.row() for job in jobs]
        if rest == "recvq":
            rows = [self._received(name) for name in self.server.received]
        self._send("".join(f"{row}\r\n" for row in rows).encode("latin-1"))

    def _received(self, name: str) -> str:
        body, row = self.server.received[name]
        busy, _, rest = row.partition("|")
        return f"{name}|{busy}|{len(body) if self.server.sizes else ''}|{rest}"

    def do_retr(self, rest: str) -> None:
        if rest.startswith("recvq/"):
            self._send(self.server.received[rest.removeprefix("recvq/")][0])
        elif found := re.fullmatch(r"(?:doneq|sendq)/q(\d+)", rest):
            self._send(f"csi:PRACTICE\n!tiff:0::docq/doc{found[1]}.tif\n".encode())
        elif rest not in self.server.files:
            self.say(f"550 {rest}: No such file or directory.")
        elif (body := self.server.files[rest]) is None:
            self.say(f"550 {rest}: Permission denied.")
        else:
            self._send(body)

    def _named(self, number: str) -> Job:
        return next(job for job in self.server.jobs if str(job.number) == number)

    def _data(self, words: str) -> socket.socket:
        """Take the oldest line that waits, as hfaxd does, and only then answer."""
        assert self.waiting is not None
        data, _ = self.waiting.accept()
        self.waiting.close()
        self.say(words)
        return data

    def _send(self, body: bytes) -> None:
        try:
            with self._data("150 Opening new data connection.") as data:
                data.sendall(body)
        except ConnectionError:  # whoever asked has hung up on the data
            self.say("426 Data connection: Broken pipe.")
            return
        self.say("226 Transfer complete.")
