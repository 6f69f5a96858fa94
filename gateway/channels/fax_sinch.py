"""Fax by Sinch's Fax API, version 3: the PDF is uploaded, no public address is needed.

PMP_FAX_URL is sinch+https://key:secret@fax.api.sinch.com/project, with /service after
it where the project has several. Each fax carries the hash of its attempt's token as a
label, and its beginning in the line at the head of its pages, so that one in doubt is
found in the list before it may be sent again. The carrier's own retries are off: our
plan has them.

What became of a fax is asked for. Where the carrier can reach us it tells us sooner, at
an address with the attempt's token as its password: it signs nothing.

Sources: developers.sinch.com/docs/fax/api-reference/fax (Faxes, Services, Webhooks,
Error messages); the types of github.com/sinch/sinch-sdk-node, packages/fax.
"""

import hashlib
import ipaddress
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from gateway import carrier_calls
from gateway.carrier_calls import Answer, UnansweredError, content
from gateway.channels import fax_errors, listed_faxes
from gateway.channels.listed_faxes import Finding, Listed
from gateway.message import DeliveryError, IncomingFax, Message
from models import ErrorClass
from pmp import settings
from pmp.deliveries.callbacks import CarrierReport, Progress
from pmp.settings import LOOPBACK

CARRIER = "sinch"
REPEATABLE = False
STATUS_PATH = "/hooks/fax/sinch/status"
CALLER = "fax"  # the user name in a call-back's address; the password is the token
LABEL = "pmp_attempt"
MOST_LIST_PAGES = 20
PAGE_SIZE = 100
LONGEST_HEADER = 50
SHORT_MARK = 8
LONGEST_REFERENCE = 100
LARGEST_FILE = 50 * 1024 * 1024

_PROGRESS = {
    "QUEUED": Progress.UNDERWAY,
    "IN_PROGRESS": Progress.UNDERWAY,
    "COMPLETED": Progress.DELIVERED,
    "FAILURE": Progress.FAILED,
}
_QUALITY = {"standard": "FINE", "fine": "FINE", "superfine": "SUPERFINE"}
_MARK = re.compile(rf" \d+-\d+ ([0-9a-f]{{{SHORT_MARK}}})$")
_INNER = ("internal", "local", "lan", "home", "corp", "test")


@dataclass(frozen=True)
class _Account:
    key: str
    secret: str
    project: str  # https://host/v3/projects/<project>
    service: str

    @property
    def faxes(self) -> str:
        return f"{self.project}/faxes"

    def fax(self, reference: str, part: str = "") -> str:
        return f"{self.faxes}/{quote(reference, safe='')}{part}"


def send(message: Message) -> str:
    """Upload a fax and have it sent; give the carrier's id."""
    if message.pdf is None:
        raise DeliveryError(ErrorClass.DOCUMENT, "there is nothing to fax")
    account, chosen = _account(), settings.current()
    token = _token(message)
    form = {
        "to": message.address,
        "from": chosen.fax_number,
        "maxRetries": "0",
        "headerText": _header(message.key, _hash(token)),
        "headerPageNumbers": "true",
        "headerTimeZone": chosen.time_zone,
        "imageConversionMethod": "MONOCHROME",
        "resolution": _QUALITY[chosen.fax_quality],
    }
    if account.service:
        form["serviceId"] = account.service
    if is_reachable(chosen.public_url):
        form["callbackUrl"] = _status_address(message.key, token)
        form["callbackUrlContentType"] = "application/json"
    files = {
        "labels": (None, json.dumps({LABEL: _hash(token)}), "application/json"),
        "file": ("fax.pdf", message.pdf, "application/pdf"),
    }
    answer = _call("POST", account.faxes, form=form, files=files)
    reference = _id(content(answer, ErrorClass.IN_DOUBT))
    if not reference:
        raise DeliveryError(ErrorClass.IN_DOUBT, "the carrier's answer has no id")
    return reference


def look(reference: str) -> CarrierReport:
    """Ask what became of a fax."""
    answer = _call("GET", _account().fax(reference))
    return report(content(answer, ErrorClass.CARRIER_DOWN))


def find(address: str, media_sha256: str) -> CarrierReport | None:
    """Look through the carrier's list for the fax with our label.

    None only where the whole list was read and holds no fax to the number that may be
    this one: the fax is surely not there. Without a time the list has a week.
    """
    rows = _listed({"direction": "OUTBOUND", "to": address})
    sent = (_row(row, media_sha256) for row in rows)
    return listed_faxes.pick(sent, media_sha256, carrier=CARRIER)


def forget(reference: str) -> None:
    """Have the carrier destroy the pages of a fax; it keeps its record of the call."""
    _call("DELETE", _account().fax(reference, "/file"), or_gone=True)


def incoming(*, since: datetime) -> list[IncomingFax]:
    """List the faxes that came in whole since a time, the oldest first.

    Those to another number than ours are left out: they are not the program's.
    """
    number, account = settings.current().fax_number, _account()
    query = {"direction": "INBOUND", "createTime>": f"{since:%Y-%m-%dT%H:%M:%SZ}"}
    if account.service:
        query["serviceId"] = account.service
    found = [
        IncomingFax(_id(row), str(row.get("from") or "")[:40])
        for row in _listed(query)
        if str(row.get("direction") or "").upper() == "INBOUND"
        and row.get("status") == "COMPLETED"
        and row.get("to") in {number, None}
    ]
    return sorted(
        (fax for fax in found if fax.reference), key=lambda fax: fax.reference
    )


def pages_of(reference: str) -> bytes:
    """Fetch the pages of a fax that came in, as PDF."""
    account = _account()
    for part in ("/file.pdf", "/file"):  # documentation has had both
        answer = _call("GET", account.fax(reference, part), or_gone=True, pages=True)
        if 200 <= answer.status_code < 300:
            return answer.body
    raise DeliveryError(ErrorClass.REJECTED, "the carrier no longer has the pages")


def check() -> Iterator[Finding]:
    """Try the account without sending: sign-in, the service, our number, storage."""
    account, number = _account(), settings.current().fax_number
    said = _call("GET", f"{account.project}/services", params={"pageSize": "100"})
    services = content(said, ErrorClass.CARRIER_DOWN).get("services") or []
    yield Finding(is_good=True, text="Signed in with the access key.")
    chosen = [row for row in services if _is_chosen(row, account.service)]
    if not chosen:
        text = f"There is no fax service {account.service or 'in this project'}."
        yield Finding(
            is_good=False, text=f"{text} PMP_FAX_URL ends in /project/service."
        )
        return
    for each in chosen:
        yield from _about_service(each)
    url = f"{account.project}/services/{quote(_id(chosen[0]), safe='')}/numbers"
    found = content(
        _call("GET", url, params={"pageSize": "1000"}), ErrorClass.CARRIER_DOWN
    )
    rows = [row for row in found.get("numbers") or [] if isinstance(row, dict)]
    numbers = {row.get("phoneNumber") for row in rows}
    yield listed_faxes.about_number(number, known=number in numbers)


def report(fax: dict[str, Any]) -> CarrierReport:
    """Read what became of a fax from the carrier's JSON.

    A word that we do not know says no more than that the carrier has the fax.
    """
    status = str(fax.get("status") or "").upper()[:40]
    progress = _PROGRESS.get(status, Progress.UNDERWAY)
    code, text = _count(fax.get("errorCode")), str(fax.get("errorMessage") or "")
    kind = str(fax.get("errorType") or "")
    said = f"{kind} {code if code is not None else ''} {text}"
    sent = _count(fax.get("pagesSentSuccessfully"))
    if sent is None and progress == Progress.DELIVERED:
        sent = _count(fax.get("numberOfPages"))
    failed = progress == Progress.FAILED
    return CarrierReport(
        reference=_id(fax),
        status=status.lower(),
        progress=progress,
        error_class=fax_errors.of_sinch(kind, code, text) if failed else None,
        text=" ".join(said.split())[:120] if failed else "",
        pages=sent,
    )


def is_reachable(public_url: str) -> bool:
    """Tell whether a carrier may reach an address: by TLS, and not inside an office."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    if parts.scheme != "https" or host in LOOPBACK or "." not in host:
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return host.rpartition(".")[2] not in _INNER


def _status_address(key: str, token: str) -> str:
    scheme, _, rest = settings.current().public_url.partition("://")
    return f"{scheme}://{CALLER}:{token}@{rest}{STATUS_PATH}?attempt={quote(key)}"


def _token(message: Message) -> str:
    """Take the attempt's token, whose hash we keep, from its media address."""
    return urlsplit(message.media_url).path.rpartition("/")[2]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _account() -> _Account:
    url = urlsplit(settings.current().fax_url.get_secret_value())
    project, _, service = url.path.strip("/").partition("/")
    scheme, host = url.scheme.removeprefix("sinch+"), url.netloc.rpartition("@")[2]
    return _Account(
        unquote(url.username or ""),
        unquote(url.password or ""),
        f"{scheme}://{host}/v3/projects/{project}",
        unquote(service),
    )


def _call(  # noqa: PLR0913 - what HTTP has
    method: str,
    url: str,
    *,
    params: dict[str, str] | None = None,
    form: dict[str, str] | None = None,
    files: Any = None,
    or_gone: bool = False,
    pages: bool = False,
) -> Answer:
    """Make one call; give a 2xx answer, or with `or_gone` that there is nothing."""
    account = _account()
    most = LARGEST_FILE if pages else carrier_calls.LARGEST_ANSWER
    try:
        answer = carrier_calls.call(
            method,
            url,
            auth=(account.key, account.secret),
            params=params,
            form=form,
            files=files,
            headers={"Accept": "application/pdf" if pages else "application/json"},
            most=most,
        )
    except UnansweredError as error:
        raise carrier_calls.failure(method, error) from None
    is_gone = or_gone and answer.status_code in {404, 410}
    if not is_gone and not 200 <= answer.status_code < 300:
        raise _refused(method, answer)
    return answer


def _refused(method: str, answer: Answer) -> DeliveryError:
    """Say what follows from a refusal; the first field that it names decides."""
    error = carrier_calls.refused(method, answer)
    if answer.status_code not in {400, 422}:
        return error
    try:
        said = content(answer, ErrorClass.UNKNOWN)
    except DeliveryError:
        return error
    for field, text in _violations(said):
        kind = fax_errors.of_sinch_field(field)
        return DeliveryError(kind, f"{error}: {field}: {text}"[:120])
    text = str(said.get("message") or "")
    kind = fax_errors.of_words(text) or error.error_class
    return DeliveryError(kind, f"{error}: {text}"[:120])


def _violations(said: dict[str, Any]) -> list[tuple[str, str]]:
    """Give the fields that were refused, from either form of `details`."""
    details = said.get("details")
    parts = details if isinstance(details, list) else [details]
    found = [
        row
        for part in parts
        if isinstance(part, dict) and isinstance(part.get("fieldViolations"), list)
        for row in part["fieldViolations"]
        if isinstance(row, dict)
    ]
    return [
        (str(row.get("field") or ""), str(row.get("description") or ""))
        for row in found
    ]


def _listed(params: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Give every row of a list, page by page, until a page says that it is the last."""
    for page in range(1, MOST_LIST_PAGES + 1):
        asked = {**params, "pageSize": str(PAGE_SIZE), "page": str(page)}
        said = content(
            _call("GET", _account().faxes, params=asked), ErrorClass.CARRIER_DOWN
        )
        if not isinstance(said.get("faxes"), list):
            raise DeliveryError(ErrorClass.CARRIER_DOWN, "the list is no list")
        yield from (row for row in said["faxes"] if isinstance(row, dict))
        last = _count(said.get("totalPages"))
        if page >= last if last is not None else len(said["faxes"]) < PAGE_SIZE:
            return
    raise DeliveryError(ErrorClass.CARRIER_DOWN, "the carrier's list does not end")


def _row(fax: dict[str, Any], wanted: str) -> Listed:
    """Read a listed fax; where the label is lost the line at its head has the mark."""
    labels, header = fax.get("labels"), _MARK.search(str(fax.get("headerText") or ""))
    mark = str(labels.get(LABEL) or "") if isinstance(labels, dict) else ""
    if not mark and header is not None:
        mark = wanted if wanted.startswith(header[1]) else header[1]
    return Listed(report(fax), mark=mark, made_at=_moment(fax.get("createTime")))


def _header(key: str, mark: str) -> str:
    """Give the line at the head of each page: who sends, which attempt, its mark."""
    line = f" {key} {mark[:SHORT_MARK]}"
    return f"{settings.current().short_name[: LONGEST_HEADER - len(line)]}{line}"


def _is_chosen(row: Any, service: str) -> bool:
    """Tell whether a service is the one we use: the named, or the project's default."""
    if not isinstance(row, dict):
        return False
    return _id(row) == service if service else row.get("defaultForProject") is True


def _about_service(row: dict[str, Any]) -> Iterator[Finding]:
    if row.get("saveInboundFaxDocuments") is False and not row.get(
        "incomingWebhookUrl"
    ):
        yield Finding(
            is_good=False,
            text="The service neither keeps faxes that come in nor reports them: set "
            "its incoming webhook, or have it keep them until we have fetched them.",
        )
    yield Finding(
        is_good=True, text=f"The fax service is {row.get('name') or _id(row)}."
    )


def _id(fax: dict[str, Any]) -> str:
    text = str(fax.get("id") or "")
    usable = text.isascii() and text.isprintable() and len(text) <= LONGEST_REFERENCE
    return text if usable else ""


def _count(value: Any) -> int | None:
    """Read a number that may be a text; None if it is none, or absurd."""
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else None


def _moment(text: Any) -> datetime | None:
    try:
        read = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
