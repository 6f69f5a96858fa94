"""A fax carrier with Sinch's version 3 form over real HTTP; it fails as it is told to.

Each call to send takes the next step of `script`, else `usual`:
  ok                    taken, 200; sent, and reported if there is an address for that
  500 502 503 401 402 413   that answer; nothing is taken
  400:to 400:from 400   422 that names the field, or 400 that names none; nothing taken
  429:7                 that answer with Retry-After: 7
  hang                  no answer at all; nothing is taken
  drip                  an answer without end, a byte at a time; nothing is taken
  bad-json html         an answer that is none; nothing is taken
  accept-drop           taken, then the line is cut without an answer
  accept-hang           taken, then no answer
  accept-drip           taken, then an answer without end
  unlabelled            taken and cut; the label is lost
  unmarked              taken and cut; the label and the line at the head are lost
  first                 taken, and reported before the answer
  busy no-answer failed cut   taken, and ends so
  part                  taken, and ends as completed after one page too few
  triple                taken; reported three times
  reordered             taken; reported as done, then as under way
  late-failure          taken and completed, then reported as failed
  silent                taken and completed without any report
  multipart             as ok, reported as a form with the file
"""

import base64
import io
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qs, unquote, urlsplit
from urllib.request import Request, urlopen

from pypdf import PdfReader
from werkzeug.formparser import parse_form_data

from tests.servers.over_http import Answering, Served

KEY, SECRET, PROJECT, SERVICE = "key-1", "secret-1", "project-1", "service-1"
NUMBER = "+18607137242"
_ENDS = {
    "busy": ("CALL_ERROR", 17, "Busy"),
    "no-answer": ("CALL_ERROR", 16, "Ring Timeout"),
    "failed": ("FAX_ERROR", 132, "No fax tone detected"),
    "cut": ("FAX_ERROR", 8, "No response after sending a page"),
}
_LOST = {"unlabelled", "unmarked"}
_REFUSED = {"hang", "drip", "bad-json", "html"}


@dataclass
class Fax:
    id: str
    to: str
    sender: str
    direction: str = "OUTBOUND"
    step: str = "ok"
    status: str = "QUEUED"
    created: str = "2026-11-23T15:14:00Z"
    fields: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    file: bytes | None = None
    error: tuple[str, int, str] | None = None
    sent_pages: int | None = None
    reports: list[tuple[str, int]] = field(default_factory=list)

    @property
    def header(self) -> str:
        return self.fields.get("headerText", "-")

    def row(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": self.id,
            "direction": self.direction,
            "to": self.to,
            "from": self.sender,
            "status": self.status,
            "createTime": self.created,
            "labels": self.labels,
            "headerText": "-" if self.step == "unmarked" else self.header,
            "hasFile": self.file is not None,
            "serviceId": SERVICE,
        }
        if self.sent_pages is not None:
            row["numberOfPages"] = row["pagesSentSuccessfully"] = self.sent_pages
        if self.error:
            row["errorType"], row["errorCode"], row["errorMessage"] = self.error
        return row


class Sinch(Served):
    """Use as a context manager; `url` is what PMP_FAX_URL is set to."""

    def __init__(self, *script: str, usual: str = "ok") -> None:
        super().__init__(_Handler, sinch=self)
        self.script, self.usual = list(script), usual
        self.faxes: list[Fax] = []
        self.destroyed: list[str] = []
        self.lists = True
        self.list_page = 1000
        self.list_ends = True
        self.deletes = True
        self.file_status = 200
        self.services: list[dict[str, Any]] = [
            {"id": SERVICE, "name": "Program", "defaultForProject": True}
        ]
        self.numbers = [NUMBER]
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"sinch+http://{KEY}:{SECRET}@{self.host}/{PROJECT}/{SERVICE}"

    @property
    def taken(self) -> list[Fax]:
        return [fax for fax in self.faxes if fax.direction == "OUTBOUND"]

    def came_in(self, file: bytes | None, **fields: Any) -> Fax:
        """Have a fax come in, to be listed and fetched."""
        number = f"IN{len(self.faxes):04d}"
        given = {"to": NUMBER, "sender": "+18605550144", "status": "COMPLETED"}
        fax = Fax(number, direction="INBOUND", file=file, **{**given, **fields})
        self.faxes.append(fax)
        return fax

    def take(self, fields: dict[str, str], file: bytes) -> tuple[str, Fax | None]:
        with self._lock:
            step = self.script.pop(0) if self.script else self.usual
            if step[:3].isdecimal() or step in _REFUSED:
                return step, None
            fax = Fax(
                id=f"FX{len(self.faxes):04d}",
                to=fields["to"],
                sender=fields.get("from", ""),
                step=step,
                fields=fields,
                labels={} if step in _LOST else json.loads(fields["labels"]),
                file=file,
            )
            self.faxes.append(fax)
        return step, fax

    def run(self, fax: Fax) -> None:
        """Send, and report if there is an address for that, as the step says."""
        pages = len(PdfReader(io.BytesIO(fax.file or b"")).pages)
        fax.error = _ENDS.get(fax.step)
        fax.status = "FAILURE" if fax.error else "COMPLETED"
        fax.sent_pages = 0 if fax.error else pages - (fax.step == "part")
        told = [fax.status]
        if fax.step == "reordered":
            told.append("IN_PROGRESS")
        if fax.step == "late-failure":
            told.append("FAILURE")
        if fax.step == "silent" or "callbackUrl" not in fax.fields:
            return
        for status in told:
            for _ in range(3 if fax.step == "triple" else 1):
                code = self.tell(
                    fax.fields["callbackUrl"],
                    {**fax.row(), "status": status},
                    fax.file,
                    form=fax.step == "multipart",
                )
                fax.reports.append((status, code))

    @staticmethod
    def tell(
        url: str, fax: dict[str, Any], file: bytes | None, *, form: bool = False
    ) -> int:
        """Report with the password that stands in the address; give the status."""
        event = "INCOMING_FAX" if fax["direction"] == "INBOUND" else "FAX_COMPLETED"
        body, kind = (_as_form if form else _as_json)(event, fax, file)
        parts = urlsplit(url)
        headers = {"Content-Type": kind}
        if parts.username:
            secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers["Authorization"] = _basic(secret)
        plain = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        try:
            with urlopen(Request(plain, body, headers), timeout=10) as answer:  # noqa: S310
                return int(answer.status)
        except HTTPError as error:
            error.close()
            return error.code
        except URLError:
            return 0


def _as_json(event: str, fax: dict[str, Any], file: bytes | None) -> tuple[bytes, str]:
    said: dict[str, Any] = {"event": event, "fax": fax}
    if file is not None:
        said |= {"file": base64.b64encode(file).decode(), "fileType": "PDF"}
    return json.dumps(said).encode(), "application/json"


def _as_form(event: str, fax: dict[str, Any], file: bytes | None) -> tuple[bytes, str]:
    lines = [
        b'--x\r\nContent-Disposition: form-data; name="event"\r\n\r\n',
        event.encode(),
        b'\r\n--x\r\nContent-Disposition: form-data; name="fax"\r\n\r\n',
        json.dumps(fax).encode(),
        b'\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="f.pdf"\r\n',
        b"Content-Type: application/pdf\r\n\r\n",
        file or b"",
        b"\r\n--x--\r\n",
    ]
    return b"".join(lines), "multipart/form-data; boundary=x"


def _basic(secret: str) -> str:
    return "Basic " + base64.b64encode(secret.encode()).decode()


class _Handler(Answering, BaseHTTPRequestHandler):
    sinch: Sinch

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.sinch.calls.append(("POST", self.path))
        if not self.is_known():
            return
        environ = {
            "wsgi.input": io.BytesIO(raw),
            "CONTENT_LENGTH": str(len(raw)),
            "CONTENT_TYPE": self.headers["Content-Type"],
        }
        _, form, files = parse_form_data(environ, lambda *_, **__: io.BytesIO())
        step, fax = self.sinch.take(form.to_dict(), files["file"].read())
        if fax is None:
            self.refuse(step)
            return
        self.sinch.do(self.sinch.run, fax, first=step == "first")
        if step == "accept-hang":
            self.sinch.hang()
        if step == "accept-drip":
            self.drip()
        elif step.startswith("accept-") or step in _LOST:
            self.close_connection = True
        else:
            self.answer(200, fax.row() | {"status": "QUEUED"})

    def do_GET(self) -> None:
        self.sinch.calls.append(("GET", self.path))
        if not self.is_known():
            return
        parts = urlsplit(self.path)
        _, _, _, _, what, *rest = parts.path.split("/")
        if what == "services":
            said = {"numbers": [{"phoneNumber": each} for each in self.sinch.numbers]}
            self.answer(200, said if rest else {"services": self.sinch.services})
        elif not rest:
            self.list_faxes(parse_qs(parts.query))
        else:
            self.show(*rest)

    def do_DELETE(self) -> None:
        self.sinch.calls.append(("DELETE", self.path))
        number = self.path.split("/")[-2]
        if not self.sinch.deletes:
            self.answer(503, {})
            return
        for fax in self.sinch.faxes:
            if fax.id == number:
                fax.file = None
        self.sinch.destroyed.append(number)
        self.raw(204, {}, b"")

    def list_faxes(self, query: dict[str, list[str]]) -> None:
        if not self.sinch.lists:
            self.answer(503, {})
            return
        size = min(int(query["pageSize"][0]), self.sinch.list_page)
        page = int(query["page"][0])
        rows = [
            fax.row()
            for fax in self.sinch.faxes
            if fax.direction == query["direction"][0]
            and fax.to.startswith(query.get("to", [""])[0])
            and fax.created >= query.get("createTime>", [""])[0]
        ]
        pages = max(-(-len(rows) // size), 1) if self.sinch.list_ends else 10**4
        shown = rows[(page - 1) * size : page * size]
        said = {"faxes": shown, "pageNumber": page, "totalPages": pages}
        self.answer(200, said | {"pageSize": size, "totalItems": len(rows)})

    def show(self, number: str, part: str = "") -> None:
        fax = next((each for each in self.sinch.faxes if each.id == number), None)
        if fax is None or (part and fax.file is None):
            self.answer(404, {"code": "404", "error": "Not found"})
        elif not part:
            self.answer(200, fax.row())
        elif self.sinch.file_status != 200:
            self.answer(self.sinch.file_status, {})
        else:
            self.raw(200, {"Content-Type": "application/pdf"}, fax.file or b"")

    def is_known(self) -> bool:
        right = self.headers.get("Authorization") == _basic(f"{KEY}:{SECRET}")
        is_ours = urlsplit(self.path).path.startswith(f"/v3/projects/{PROJECT}/")
        if not right:
            self.answer(401, {"code": "401", "error": "Unauthorized"})
        elif not is_ours:
            self.answer(404, {"code": "404", "error": "Not found"})
        return right and is_ours

    def refuse(self, step: str) -> None:
        code, _, more = step.partition(":")
        if step == "hang":
            self.sinch.hang()
            self.close_connection = True
        elif step == "drip":
            self.drip()
        elif step == "bad-json":
            self.raw(200, {"Content-Type": "application/json"}, b'{"id": "FX')
        elif step == "html":
            self.raw(200, {"Content-Type": "text/html"}, b"<html>Log in</html>")
        elif code == "400" and more:
            wrong = {"field": more, "description": "is not valid"}
            self.answer(422, {"code": "422", "details": {"fieldViolations": [wrong]}})
        else:
            headers = {"Retry-After": more} if more else {}
            self.answer(int(code), {"code": code, "message": "No"}, headers)
