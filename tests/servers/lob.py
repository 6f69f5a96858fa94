"""A print-and-mail company that speaks Lob's API and fails as it is told to.

Each call that makes a letter takes the next step of `script`, else "ok":
  ok                      taken, 200
  301 401 402 404 405 409 413 422 429:7 500 503   that answer; nothing is taken
  422-file                422 with the code of a file that cannot be printed
  hang drop               no answer; nothing is taken
  bad-json                an answer that is none; nothing is taken
  accept-500 accept-hang accept-drop accept-bad-json   taken, then no good answer
The same Idempotency-Key gives the same letter again, as the real one does for a day.
"""

import base64
import hashlib
import hmac
import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.over_http import Answering, Served

KEY, SECRET = "live_pub_1", "signing-secret-1"
ERRORS = {
    "301": ("moved", "Elsewhere"),
    "402": ("payment_required", "Pay first"),
    "404": ("not_found", "No such path"),
    "405": ("method_not_allowed", "Not so"),
    "413": ("too_large", "Too large"),
    "401": ("unauthorized", "Your API key is not valid"),
    "409": ("conflict", "A request with this key is being worked on"),
    "422": ("failed_deliverability_strictness", "to address is not deliverable"),
    "422-file": ("file_pages_above_max", "The file has too many pages"),
    "429": ("rate_limit_exceeded", "Slow down"),
    "500": ("internal_server_error", "Sorry"),
    "503": ("service_unavailable", "Sorry"),
}


@dataclass
class Letter:
    id: str
    key: str
    fields: dict[str, str]
    pages: bytes
    events: list[str] = field(default_factory=list)
    deleted: bool = False

    def row(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "letter",
            "metadata": {
                name[9:-1]: text
                for name, text in self.fields.items()
                if name.startswith("metadata[")
            },
            "status": "processed",
            "deleted": self.deleted,
            "tracking_events": [{"name": name} for name in self.events],
        }


class Lob(Served):
    """Use as a context manager; `url` is what PMP_LETTERS_URL is set to."""

    def __init__(self, *script: str) -> None:
        super().__init__(_Handler, lob=self)
        self.script = list(script)
        self.letters: list[Letter] = []
        self.keys: list[str] = []
        self.too_late = False
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"lob+http://{KEY}@{self.host}"

    def take(self, key: str, fields: dict[str, str], pages: bytes) -> Letter:
        with self._lock:
            for letter in self.letters:
                if letter.key == key:
                    return letter
            made = Letter(f"ltr_{len(self.letters):016x}", key, fields, pages)
            self.letters.append(made)
        return made

    def by_id(self, reference: str) -> Letter | None:
        return next((each for each in self.letters if each.id == reference), None)


def event(letter_id: str, name: str) -> bytes:
    """Write a call-back's body."""
    return json.dumps(
        {
            "id": f"evt_{name}",
            "object": "event",
            "event_type": {"id": name, "resource": "letters"},
            "body": {"id": letter_id, "object": "letter"},
        }
    ).encode()


def signed(body: bytes, *, at: float, secret: str = SECRET) -> dict[str, str]:
    """Give the headers with which a call-back of a time, in seconds, is signed."""
    stamp = str(int(at * 1000))
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "Lob-Signature": mac.hexdigest(),
        "Lob-Signature-Timestamp": stamp,
    }


class _Handler(Answering, BaseHTTPRequestHandler):
    lob: Lob

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._seen()
        if not self._known():
            return
        key = self.headers.get("Idempotency-Key", "")
        self.lob.keys.append(key)
        step = self.lob.script.pop(0) if self.lob.script else "ok"
        if step in {"hang", "drop"}:
            self._leave(step)
            return
        status = step.partition(":")[0]
        if status in ERRORS:
            self._refuse(status, step.partition(":")[2])
            return
        if step == "bad-json":
            self.raw(200, {}, b"<html>")
            return
        fields, pages = _parts(self.headers["Content-Type"], body)
        letter = self.lob.take(key, fields, pages)
        if step == "accept-500":
            self._refuse("500")
        elif step in {"accept-hang", "accept-drop"}:
            self._leave(step.removeprefix("accept-"))
        elif step == "accept-bad-json":
            self.raw(200, {}, b"<html>")
        else:
            self.answer(200, letter.row())

    def do_GET(self) -> None:
        self._seen()
        if not self._known():
            return
        parts = urlsplit(self.path)
        if parts.path == "/v1/letters":
            wanted = parse_qs(parts.query).get("metadata[attempt]", [""])[0]
            rows = [
                each.row()
                for each in self.lob.letters
                if each.fields.get("metadata[attempt]") == wanted
            ]
            self.answer(200, {"object": "list", "data": rows})
            return
        letter = self.lob.by_id(parts.path.rpartition("/")[2])
        if letter is None:
            self.answer(404, {"error": {"code": "not_found", "message": "none"}})
        else:
            self.answer(200, letter.row())

    def do_DELETE(self) -> None:
        self._seen()
        letter = self.lob.by_id(self.path.rpartition("/")[2])
        if letter is None:
            self.answer(404, {"error": {"code": "not_found", "message": "none"}})
        elif self.lob.too_late:
            self.answer(422, {"error": {"code": "x", "message": "in production"}})
        else:
            letter.deleted = True
            self.answer(200, {"id": letter.id, "deleted": True})

    def _seen(self) -> None:
        self.lob.calls.append((self.command, self.path))

    def _known(self) -> bool:
        right = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
        if self.headers.get("Authorization") == right:
            return True
        self._refuse("401")
        return False

    def _leave(self, step: str) -> None:
        if step == "hang":
            self.lob.hang()
        self.close_connection = True
        with suppress(OSError):
            self.connection.close()

    def _refuse(self, status: str, retry_after: str = "") -> None:
        code, words = ERRORS[status]
        body = {"error": {"code": code, "message": words, "status_code": status}}
        headers = {"Retry-After": retry_after} if retry_after else {}
        self.answer(int(status[:3]), body, headers)


def _parts(content_type: str, body: bytes) -> tuple[dict[str, str], bytes]:
    """Read multipart/form-data: the fields, and the file."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    whole = BytesParser().parsebytes(head + body)
    fields, pages = {}, b""
    for part in whole.walk():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes) or not name:
            continue
        if name == "file":
            pages = content
        else:
            fields[str(name)] = content.decode()
    return fields, pages
