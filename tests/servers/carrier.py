"""A fax carrier that speaks LaML over real HTTP and fails as it is told to.

Each call to send takes the next step of `script`, else `usual`:
  ok                    taken, 201; pages fetched and call-backs made if `reports`
  500 502 503 401 400   that answer; nothing is taken
  429:7                 that answer with Retry-After: 7
  hang                  no answer at all; nothing is taken
  bad-json html         an answer that is none; nothing is taken
  accept-drop           taken, then the line is cut without an answer
  accept-hang           taken, then no answer
  first                 taken, and all call-backs come before the answer
  busy no-answer failed taken, and ends so
  triple                taken; each call-back comes three times
  reordered             taken; the end is told first
  late-failure          taken and delivered, then reported as failed
  silent                taken and delivered without any call-back
  unfetched             taken and reported as delivered, its pages never fetched
  waits                 taken, and on the line until the test says otherwise
  accept-slow           taken and reported, the answer after `slow` seconds
  accept-drip drip      an answer without end, a byte at a time; taken, or not
  400:21212             that answer, with the carrier's own error number
"""

import base64
import hashlib
import hmac
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import Request, urlopen

from tests.servers.over_http import Answering, Served

PROJECT, TOKEN, KEY = "project-1", "token-1", "signing-key-1"
_REFUSED = {"hang", "bad-json", "html", "drip"}
_PAGE = b"%PDF-1.4 inbound"


@dataclass
class Fax:
    sid: str
    to: str
    media_url: str
    status_url: str
    step: str
    status: str = "queued"
    fetched: list[int] = field(default_factory=list)
    pages: bytes = b""
    callbacks: list[tuple[str, int]] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        return {
            "sid": self.sid,
            "to": self.to,
            "status": self.status,
            "media_url": self.media_url,
            "num_pages": 2 if self.status == "delivered" else None,
        }


class Carrier(Served):
    """Use as a context manager; `url` is what PMP_FAX_URL is set to.

    Pages are fetched where it reports, and by one that only `fetches`.
    """

    def __init__(
        self,
        *script: str,
        usual: str = "ok",
        reports: bool = True,
        fetches: bool = False,
    ) -> None:
        super().__init__(_Handler, carrier=self)
        self.fetches = reports or fetches
        self.script, self.usual, self.reports = list(script), usual, reports
        self.taken: list[Fax] = []
        self.forgotten: list[str] = []
        self.media: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.answer_delay = 0.0
        self.lists = True
        self.list_rows: list[dict[str, Any]] = []
        self.slow = 3.0
        self.error: tuple[str, str] | None = None
        self.page_count: str | None = "2"
        self.deletes = 204
        self.stops = 200
        self.numbers = ["+18607137242"]
        self.sent_fields: list[dict[str, str]] = []
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"laml+http://{PROJECT}:{TOKEN}@{self.host}/api/laml/2010-04-01"

    def post(self, url: str, fields: dict[str, str]) -> int:
        """Make a signed call-back; give the status that it was answered with."""
        body = urlencode(fields).encode()
        request = Request(url, body, signature(url, fields))  # noqa: S310
        try:
            with urlopen(request, timeout=10) as answer:  # noqa: S310
                return int(answer.status)
        except HTTPError as error:
            return error.code
        except URLError:
            return 0

    # What a handler thread does

    def take(self, fields: dict[str, str]) -> tuple[str, Fax | None]:
        with self._lock:
            step = self.script.pop(0) if self.script else self.usual
            self.sent_fields.append(fields)
            refused = step[:3].isdecimal() or step in _REFUSED
            if refused:
                return step, None
            fax = Fax(
                sid=f"FX{len(self.taken):04d}",
                to=fields["To"],
                media_url=fields["MediaUrl"],
                status_url=fields.get("StatusCallback", ""),
                step=step,
            )
            self.taken.append(fax)
        return step, fax

    def run(self, fax: Fax) -> None:
        """Fetch the pages, send, and report, as the step says."""
        end = fax.step if fax.step in {"busy", "no-answer", "failed"} else "delivered"
        if fax.step == "waits":
            fax.status = "sending"
            return
        if self.fetches and fax.step != "unfetched":
            self._fetch(fax)
        fax.status = end
        told = ["queued", "processing", "sending", end]
        if fax.step == "reordered":
            told = [end, "sending", "queued"]
        if fax.step == "late-failure":
            told.append("failed")
        if fax.step == "silent" or not self.reports:
            told = []
        for status in told:
            for _ in range(3 if fax.step == "triple" else 1):
                code = self.post(fax.status_url, self.fields(fax, status))
                fax.callbacks.append((status, code))

    def fields(self, fax: Fax, status: str) -> dict[str, str]:
        fields = callback(fax, status)
        if status == "failed" and self.error:
            fields |= dict(zip(("ErrorCode", "ErrorMessage"), self.error, strict=True))
        if status == "delivered":
            fields.pop("NumPages")
            fields |= {"NumPages": self.page_count} if self.page_count else {}
        return fields

    def pause(self) -> None:
        time.sleep(self.answer_delay)

    def _fetch(self, fax: Fax) -> None:
        try:
            with urlopen(fax.media_url, timeout=10) as answer:  # noqa: S310
                fax.pages = answer.read()
                fax.fetched.append(answer.status)
        except HTTPError as error:
            fax.fetched.append(error.code)
        except URLError:
            fax.fetched.append(0)


def callback(fax: Fax, status: str) -> dict[str, str]:
    """Give the fields of a call-back about a fax."""
    fields = {
        "FaxSid": fax.sid,
        "AccountSid": PROJECT,
        "To": fax.to,
        "FaxStatus": status,
        "OriginalMediaUrl": fax.media_url,
        "RemoteStationId": "PRACTICE",
    }
    if status == "delivered":
        fields["NumPages"] = "2"
    return fields


def signature(url: str, fields: dict[str, str], key: str = KEY) -> dict[str, str]:
    """Sign a form post as Twilio does: over the address and the sorted fields."""
    flat = url + "".join(name + fields[name] for name in sorted(fields))
    mac = hmac.new(key.encode(), flat.encode(), hashlib.sha1).digest()
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": base64.b64encode(mac).decode(),
    }


_RIGHT = "Basic " + base64.b64encode(f"{PROJECT}:{TOKEN}".encode()).decode()


class _Handler(Answering, BaseHTTPRequestHandler):
    carrier: Carrier

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.carrier.calls.append(("POST", self.path))
        if self.headers.get("Authorization") != _RIGHT:
            self.answer(401, {"code": 20003, "message": "Authenticate"})
            return
        fields = {name: each[0] for name, each in parse_qs(raw.decode()).items()}
        if not self.path.endswith("/Faxes.json"):
            self.stop(fields)
            return
        step, fax = self.carrier.take(fields)
        self.carrier.pause()
        if fax is None:
            self.refuse(step)
            return
        self.carrier.do(self.carrier.run, fax, first=step == "first")
        if step == "accept-hang":
            self.carrier.hang()
        if step == "accept-slow":
            self.stopped.wait(self.carrier.slow)
        if step == "accept-drip":
            self.drip()
        if step.startswith("accept-") and step != "accept-slow":
            self.close_connection = True
            return
        self.answer(201, fax.row() | {"status": "queued"})

    def do_GET(self) -> None:
        self.carrier.calls.append(("GET", self.path))
        path = urlsplit(self.path).path
        if path in self.carrier.media:
            self.raw(*self.carrier.media[path])
        elif self.headers.get("Authorization") != _RIGHT:
            self.answer(401, {"code": 20003, "message": "Authenticate"})
        elif path.endswith("/Accounts/project-1.json"):
            self.answer(200, {"sid": PROJECT, "status": "active"})
        elif path.endswith("/IncomingPhoneNumbers.json"):
            rows = [{"phone_number": each} for each in self.carrier.numbers]
            self.answer(200, {"incoming_phone_numbers": rows})
        elif path.endswith("/Faxes.json"):
            rows = [fax.row() for fax in self.carrier.taken] + self.carrier.list_rows
            status = 200 if self.carrier.lists else 503
            self.answer(status, {"faxes": rows, "next_page_uri": None})
        else:
            sid = path.rpartition("/")[2].removesuffix(".json")
            known = [fax.row() for fax in self.carrier.taken if fax.sid == sid]
            self.answer(200 if known else 404, known[0] if known else {})

    def do_DELETE(self) -> None:
        self.carrier.calls.append(("DELETE", self.path))
        sid = self.path.rpartition("/")[2].removesuffix(".json")
        if self.carrier.deletes == 204:
            self.carrier.forgotten.append(sid)
        self.raw(self.carrier.deletes, {}, b"")

    def stop(self, fields: dict[str, str]) -> None:
        """Take a fax off the line, unless it is too late or we are not well."""
        sid = self.path.rpartition("/")[2].removesuffix(".json")
        [fax] = [each for each in self.carrier.taken if each.sid == sid]
        assert fields == {"Status": "canceled"}
        if self.carrier.stops != 200:
            self.answer(self.carrier.stops, {"code": 20500, "message": "Later"})
        elif fax.status == "sending":
            fax.status = "canceled"
            self.answer(200, fax.row())
        else:
            self.answer(400, {"code": 21220, "message": "It is over"})

    def refuse(self, step: str) -> None:
        if step == "hang":
            self.carrier.hang()
            self.close_connection = True
        elif step == "drip":
            self.drip()
        elif step == "bad-json":
            self.raw(201, {"Content-Type": "application/json"}, b'{"sid": "FX')
        elif step == "html":
            self.raw(200, {"Content-Type": "text/html"}, b"<html>Log in</html>")
        else:
            code, _, more = step.partition(":")
            number = int(more) if more and code == "400" else 21211
            headers = {"Retry-After": more} if more else {}
            self.answer(int(code), {"code": number, "message": "No"}, headers)
