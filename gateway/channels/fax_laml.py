"""Fax by a carrier that speaks LaML, the Fax API that Twilio had and others kept.

PMP_FAX_URL is laml+https://project:token@host/path. The carrier fetches the PDF from
our media address and reports to our status address. It has no idempotency key, so a
fax in doubt is looked for in the carrier's list, by the token in its media address,
before it may be sent again. Calls go through gateway.twilio_client.

Source: signalwire.com/docs/compatibility-api (Faxes, Fax Media, callbacks).
"""

import hashlib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from gateway import carrier_calls, twilio_client
from gateway.carrier_calls import Answer, content
from gateway.channels import fax_errors, listed_faxes
from gateway.channels.listed_faxes import Finding, Listed
from gateway.message import DeliveryError, Message
from models import ErrorClass
from pmp import settings
from pmp.deliveries.callbacks import CarrierReport, Progress

log = logging.getLogger(__name__)

CARRIER = "laml"
REPEATABLE = False
PATH = "/api/laml/2010-04-01"
MOST_LIST_PAGES = 20
MINUTES_TO_LIVE = 60
LONGEST_REFERENCE = 100
MOST_WORDS = 100

_PROGRESS = {
    "queued": Progress.UNDERWAY,
    "processing": Progress.UNDERWAY,
    "sending": Progress.UNDERWAY,
    "delivered": Progress.DELIVERED,
    "busy": Progress.FAILED,
    "no-answer": Progress.FAILED,
    "failed": Progress.FAILED,
    "canceled": Progress.FAILED,
    "cancelled": Progress.FAILED,
}
_ENDS = {"busy": ErrorClass.BUSY, "no-answer": ErrorClass.NO_ANSWER}
_OTHERWISE = {"failed": ErrorClass.LINE_DROPPED}
_TOKEN = re.compile(r"/media/([\w-]{20,})$")
_unknown: set[str] = set()


@dataclass(frozen=True)
class _Account:
    project: str
    token: str
    root: str  # …/Accounts/<project>

    @property
    def base(self) -> str:
        return f"{self.root}/"

    @property
    def faxes(self) -> str:
        return urljoin(self.base, "Faxes.json")

    def fax(self, reference: str, part: str = "") -> str:
        return urljoin(self.base, f"Faxes/{quote(reference, safe='')}{part}.json")


def send(message: Message) -> str:
    """Have the carrier fetch and send a fax; give its FaxSid."""
    if message.pdf is None:
        raise DeliveryError(ErrorClass.DOCUMENT, "there is nothing to fax")
    account, chosen = _account(), settings.current()
    answer = _call(
        "POST",
        account.faxes,
        data={
            "To": message.address,
            "From": chosen.fax_number,
            "MediaUrl": message.media_url,
            "StatusCallback": message.status_url,
            "StatusCallbackMethod": "POST",
            "Quality": chosen.fax_quality,
            "StoreMedia": "false",
            "Ttl": str(MINUTES_TO_LIVE),
        },
    )
    reference = content(answer, ErrorClass.IN_DOUBT).get("sid")
    if not isinstance(reference, str) or not _reference(reference):
        raise DeliveryError(ErrorClass.IN_DOUBT, "the carrier's answer has no number")
    return reference


def look(reference: str) -> CarrierReport:
    """Ask what became of a fax."""
    answer = _call("GET", _account().fax(reference))
    return report(content(answer, ErrorClass.CARRIER_DOWN))


def stop(reference: str) -> None:
    """Ask the carrier not to send a fax; DeliveryError where it is too late."""
    _call("POST", _account().fax(reference), data={"Status": "canceled"}, or_gone=True)


def find(address: str, media_sha256: str) -> CarrierReport | None:
    """Look through the carrier's list for the fax with our media token.

    None only where the whole list was read and holds no fax to the number that may be
    this one: the fax is surely not there.
    """
    rows = _listed({"To": address, "PageSize": "100"})
    sent = [_row(row) for row in rows if not _is_inbound(row)]
    return listed_faxes.pick(sent, media_sha256, carrier=CARRIER)


def forget(reference: str) -> None:
    """Have the carrier destroy its copy of a fax and of its pages, sent or received."""
    account = _account()
    pages = _call("GET", account.fax(reference, "/Media"), or_gone=True)
    for media in _media(pages):
        part = f"/Media/{quote(media, safe='')}"
        _call("DELETE", account.fax(reference, part), or_gone=True)
    _call("DELETE", account.fax(reference), or_gone=True)


def check() -> Iterator[Finding]:
    """Try the account without sending: sign-in, our number, the list of faxes."""
    account, number = _account(), settings.current().fax_number
    _call("GET", f"{account.root}.json")
    yield Finding(is_good=True, text=f"Signed in as project {account.project}.")
    _call("GET", account.faxes, params={"PageSize": "1"})
    yield Finding(is_good=True, text="The token may list faxes.")
    found = _call(
        "GET",
        urljoin(account.base, "IncomingPhoneNumbers.json"),
        params={"PhoneNumber": number},
    )
    owned = content(found, ErrorClass.CARRIER_DOWN).get("incoming_phone_numbers")
    numbers = [row.get("phone_number") for row in owned or [] if isinstance(row, dict)]
    yield listed_faxes.about_number(number, known=number in numbers)


def media_url(reference: str) -> str:
    """Ask where the pages of a fax that came in can be fetched."""
    answer = content(_call("GET", _account().fax(reference)), ErrorClass.CARRIER_DOWN)
    return str(answer.get("media_url") or "")


def credentials(url: str) -> tuple[str, str] | None:
    """Give what to fetch a media address with; None: it is not the carrier's.

    Empty names for a further host that the settings allow: our token is not for it.
    """
    account, parts = _account(), urlsplit(url)
    own = urlsplit(account.base)
    if parts.scheme != own.scheme or parts.username or not parts.hostname:
        return None
    if parts.netloc == own.netloc:
        return account.project, account.token
    further = settings.current().fax_media_hosts.replace(",", " ").split()
    return ("", "") if parts.netloc in further else None


def report(fields: dict[str, Any]) -> CarrierReport:
    """Read a fax's state from a call-back's fields or from the carrier's JSON.

    A word that we do not know says no more than that the carrier has the fax.
    """
    plain = {name.replace("_", "").lower(): value for name, value in fields.items()}
    status = str(plain.get("faxstatus") or plain.get("status") or "").lower()[:40]
    progress = _PROGRESS.get(status)
    if progress is None:
        _wonder(status)
    pages = str(plain.get("numpages") or "")
    code, text = (str(plain.get(f"error{name}") or "") for name in ("code", "message"))
    is_count = pages.isascii() and pages.isdecimal() and len(pages) < 5
    return CarrierReport(
        reference=_reference(plain.get("faxsid") or plain.get("sid") or ""),
        status=status,
        progress=progress or Progress.UNDERWAY,
        error_class=_error_class(status, code, text),
        text=_explained(code, text),
        pages=int(pages) if is_count else None,
        station=str(plain.get("remotestationid") or "").strip()[:60],
        fetches=True,
    )


def _error_class(status: str, code: str, text: str) -> ErrorClass | None:
    if _PROGRESS.get(status) != Progress.FAILED:
        return None
    said = _ENDS.get(status) or fax_errors.of_laml(code, text)
    return said or _OTHERWISE.get(status, ErrorClass.UNKNOWN)


def _explained(code: str, text: str) -> str:
    if code in fax_errors.FETCH_CODES:
        text = fax_errors.UNREACHED
    return f"{code} {text}".strip()[:120]


def _reference(given: Any) -> str:
    """Give a carrier's number of a fax; empty where it cannot be one."""
    text = str(given)
    usable = text.isascii() and text.isprintable() and len(text) <= LONGEST_REFERENCE
    return text if usable else ""


def _wonder(status: str) -> None:
    """Log a word that no documentation has, once."""
    if status not in _unknown and len(_unknown) < MOST_WORDS:
        _unknown.add(status)
        log.warning("the fax carrier says %r, which means nothing to us", status)


def _account() -> _Account:
    url = urlsplit(settings.current().fax_url.get_secret_value())
    project, token = unquote(url.username or ""), unquote(url.password or "")
    scheme, path = url.scheme.removeprefix("laml+"), url.path.rstrip("/") or PATH
    host = url.netloc.rpartition("@")[2]
    root = f"{scheme}://{host}{path}/Accounts/{quote(project, safe='')}"
    return _Account(project, token, root)


def _call(
    method: str,
    url: str,
    *,
    data: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    or_gone: bool = False,
) -> Answer:
    """Make one call; give a 2xx answer, or with `or_gone` that there is nothing."""
    account = _account()
    answer = twilio_client.request(
        account.project, account.token, method, url, data=data, params=params
    )
    is_gone = or_gone and answer.status_code in {404, 410}
    if not is_gone and not 200 <= answer.status_code < 300:
        raise _refused(method, answer)
    return answer


def _refused(method: str, answer: Answer) -> DeliveryError:
    error = carrier_calls.refused(method, answer)
    if answer.status_code not in {400, 422}:
        return error
    try:
        said = content(answer, ErrorClass.UNKNOWN)
    except DeliveryError:
        return error
    code, text = str(said.get("code") or ""), str(said.get("message") or "")
    kind = fax_errors.of_laml(code, text) or error.error_class
    return DeliveryError(kind, f"{error}: {_explained(code, text)}"[:120])


def _listed(params: dict[str, str]) -> Iterator[dict[str, Any]]:
    url = _account().faxes
    for _ in range(MOST_LIST_PAGES):
        page = content(_call("GET", url, params=params), ErrorClass.CARRIER_DOWN)
        if not isinstance(page.get("faxes"), list):
            raise DeliveryError(ErrorClass.CARRIER_DOWN, "the list is no list")
        yield from (row for row in page["faxes"] if isinstance(row, dict))
        following = page.get("next_page_uri")
        if not following:
            return
        url, params = _same_host(url, str(following)), {}
    raise DeliveryError(ErrorClass.CARRIER_DOWN, "the carrier's list does not end")


def _row(fax: dict[str, Any]) -> Listed:
    said = report(fax)
    return Listed(said, mark=_token_hash(fax), made_at=_moment(fax.get("date_created")))


def _is_inbound(fax: dict[str, Any]) -> bool:
    return str(fax.get("direction") or "").lower().startswith("in")


def _token_hash(fax: dict[str, Any]) -> str:
    """Hash the token in a listed fax's media address, as it is in our attempts.

    Empty where the carrier names no address of ours: it may be any fax's.
    """
    address = str(fax.get("original_media_url") or fax.get("media_url") or "")
    token = _TOKEN.search(address)
    own = settings.current().public_url
    if token is None or not address.startswith(f"{own}/"):
        return ""
    return hashlib.sha256(token[1].encode()).hexdigest()


def _moment(text: Any) -> datetime | None:
    """Read a time in either form that LaML carriers use."""
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            read = parse(str(text))
        except ValueError:
            continue
        return read if read.tzinfo else read.replace(tzinfo=UTC)
    return None


def _media(answer: Answer) -> list[str]:
    if answer.status_code in {404, 410}:
        return []
    said = content(answer, ErrorClass.CARRIER_DOWN)
    rows = next((each for each in said.values() if isinstance(each, list)), [])
    named = [_reference(row.get("sid") or "") for row in rows if isinstance(row, dict)]
    return [each for each in named if each]


def _same_host(url: str, following: str) -> str:
    joined = urljoin(url, following)
    if urlsplit(joined).netloc != urlsplit(url).netloc:
        raise DeliveryError(ErrorClass.CARRIER_DOWN, "the list leads elsewhere")
    return joined
