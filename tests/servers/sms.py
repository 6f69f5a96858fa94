"""Twilio's Messages and Lookup calls over real HTTP, failing as they are told to.

Each call to send takes the next step of `script`, else `usual`:
  ok                    taken, 201; call-backs made if `reports`
  401 500 503           that answer; nothing is taken
  429:7                 that answer with Retry-After: 7
  21211 21610 …         refused with 400 and that number
  hang html             no answer, or none that is one; nothing is taken
  accept-drop           taken, then the line is cut without an answer
  first                 taken, and all call-backs come before the answer
  30003 30007 …         taken, and ends as undelivered with that number
  no-privacy            refused with 30029 where it is asked to keep nothing, else taken
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qs, unquote, urlencode, urlsplit
from urllib.request import Request, urlopen

from tests.servers.over_http import Answering, Served

SID, TOKEN = "AC" + "0" * 32, "token-1"
SENDER = "+18605550190"
REFUSED_AFTERWARDS = range(30000, 30029)


@dataclass
class Text:
    sid: str
    fields: dict[str, str]
    step: str
    status: str = "queued"
    callbacks: list[tuple[str, int]] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        code = int(self.step) if self.status == "undelivered" else None
        return {"sid": self.sid, "status": self.status, "error_code": code}


class Twilio(Served):
    """Use as a context manager; `url` is what PMP_SMS_URL is set to."""

    def __init__(self, *script: str, usual: str = "ok", reports: bool = True) -> None:
        super().__init__(_Handler, twilio=self)
        self.script, self.usual, self.reports = list(script), usual, reports
        self.taken: list[Text] = []
        self.asked: list[str] = []
        self.lines: dict[str, str] = {}
        self.lookup = "ok"  # ok 404 503 html hang
        self.forgotten: list[str] = []

    @property
    def url(self) -> str:
        return f"twilio+http://{SID}:{TOKEN}@{self.host}"

    def take(self, fields: dict[str, str]) -> tuple[str, Text | None]:
        step = self.script.pop(0) if self.script else self.usual
        if step == "no-privacy":
            step = "30029" if "ContentRetention" in fields else "ok"
            if step != "ok":
                self.script.insert(0, "no-privacy")
                return step, None
        is_number = step[:5].isdecimal() and int(step[:5]) in REFUSED_AFTERWARDS
        if not is_number and (step[:3].isdecimal() or step in {"hang", "html"}):
            return step, None
        text = Text(f"SM{len(self.taken):032d}", fields, step)
        self.taken.append(text)
        return step, text

    def run(self, text: Text) -> None:
        """Send a text, and report, as the step says."""
        text.status = "undelivered" if text.step.isdecimal() else "delivered"
        for status in ("queued", "sent", text.status) if self.reports else ():
            fields = {"MessageSid": text.sid, "MessageStatus": status, "To": "x"}
            if status == "undelivered":
                fields["ErrorCode"] = text.step
            code = post(text.fields["StatusCallback"], fields)
            text.callbacks.append((status, code))


def signature(url: str, fields: dict[str, str], token: str = TOKEN) -> dict[str, str]:
    """Sign a form post as Twilio does: over the address and the sorted fields."""
    flat = url + "".join(name + fields[name] for name in sorted(fields))
    mac = hmac.new(token.encode(), flat.encode(), hashlib.sha1).digest()
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": base64.b64encode(mac).decode(),
    }


def post(url: str, fields: dict[str, str]) -> int:
    """Make a signed call; give the status that it was answered with."""
    request = Request(url, urlencode(fields).encode(), signature(url, fields))  # noqa: S310
    try:
        with urlopen(request, timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except URLError:
        return 0


_RIGHT = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()


class _Handler(Answering, BaseHTTPRequestHandler):
    twilio: Twilio

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.twilio.calls.append(("POST", self.path))
        if not self.is_right():
            return
        fields = {name: each[0] for name, each in parse_qs(raw.decode()).items()}
        step, text = self.twilio.take(fields)
        if text is None:
            self.refuse(step)
            return
        self.twilio.do(self.twilio.run, text, first=step == "first")
        if step == "accept-drop":
            self.close_connection = True
            return
        self.answer(201, text.row() | {"status": "queued"})

    def do_GET(self) -> None:
        self.twilio.calls.append(("GET", self.path))
        if not self.is_right():
            return
        path = urlsplit(self.path).path
        if path.startswith("/v2/PhoneNumbers/"):
            self.look_up(unquote(path.rpartition("/")[2]))
            return
        sid = path.rpartition("/")[2].removesuffix(".json")
        known = [text.row() for text in self.twilio.taken if text.sid == sid]
        self.answer(200 if known else 404, known[0] if known else {"code": 20404})

    def do_DELETE(self) -> None:
        if self.is_right():
            sid = self.path.rpartition("/")[2].removesuffix(".json")
            if sid not in {text.sid for text in self.twilio.taken}:
                self.answer(404, {"code": 20404})
                return
            self.twilio.forgotten.append(sid)
            self.raw(204, {}, b"")

    def is_right(self) -> bool:
        if self.headers.get("Authorization") == _RIGHT:
            return True
        self.answer(401, {"code": 20003, "message": "Authenticate"})
        return False

    def look_up(self, number: str) -> None:
        self.twilio.asked.append(number)
        if self.twilio.lookup == "hang":
            self.twilio.hang()
        elif self.twilio.lookup == "html":
            self.raw(200, {"Content-Type": "text/html"}, b"<html>Log in</html>")
        elif self.twilio.lookup != "ok":
            self.answer(int(self.twilio.lookup), {"code": 0})
        else:
            line = {"type": self.twilio.lines.get(number), "error_code": None}
            self.answer(200, {"line_type_intelligence": line})

    def refuse(self, step: str) -> None:
        if step == "hang":
            self.twilio.hang()
            self.close_connection = True
        elif step == "html":
            self.raw(200, {"Content-Type": "text/html"}, b"<html>Log in</html>")
        elif len(step) == 5 and step.isdecimal():
            self.answer(400, {"code": int(step), "message": "No"})
        else:
            code, _, wait = step.partition(":")
            headers = {"Retry-After": wait} if wait else {}
            numbers = {"401": 20003, "429": 20429}
            self.answer(int(code), {"code": numbers.get(code, 20500)}, headers)
