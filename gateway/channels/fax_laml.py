"""Fax by a carrier that speaks LaML, the Fax API that Twilio had and others kept.

PMP_FAX_URL is laml+https://project:token@host/path. The carrier fetches the PDF from
our media address and reports to our status address. It has no idempotency key, so a
fax in doubt is looked for in the carrier's list, by the token in its media address,
before it may be sent again.
"""

import hashlib
import json
import logging
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import requests
from twilio.base.client_base import ClientBase
from twilio.http.http_client import TwilioHttpClient
from urllib3.exceptions import MaxRetryError, NewConnectionError

from gateway.message import DeliveryError, Message
from models import ErrorClass
from pmp import clock, settings
from pmp.deliveries.callbacks import CarrierReport, Progress

CARRIER = "laml"
REPEATABLE = False
PATH = "/api/laml/2010-04-01"
MOST_LIST_PAGES = 20
MINUTES_TO_LIVE = 60
LONGEST_WISH = timedelta(hours=24)

# It would log the numbers and addresses of every call at INFO.
logging.getLogger("twilio.http_client").setLevel(logging.WARNING)

_PROGRESS = {
    "delivered": (Progress.DELIVERED, None),
    "busy": (Progress.FAILED, ErrorClass.BUSY),
    "no-answer": (Progress.FAILED, ErrorClass.NO_ANSWER),
    "failed": (Progress.FAILED, ErrorClass.LINE_DROPPED),
    "canceled": (Progress.FAILED, ErrorClass.UNKNOWN),
    "cancelled": (Progress.FAILED, ErrorClass.UNKNOWN),
}


@dataclass(frozen=True)
class _Account:
    project: str
    token: str
    base: str  # …/Accounts/<project>/

    @property
    def faxes(self) -> str:
        return urljoin(self.base, "Faxes.json")

    def fax(self, reference: str) -> str:
        return urljoin(self.base, f"Faxes/{reference}.json")


def send(message: Message) -> str:
    """Have the carrier fetch and send a fax; give its FaxSid."""
    if message.pdf is None:
        raise DeliveryError(ErrorClass.DOCUMENT, "there is nothing to fax")
    account = _account()
    answer = _call(
        "POST",
        account.faxes,
        data={
            "To": message.address,
            "From": settings.current().fax_number,
            "MediaUrl": message.media_url,
            "StatusCallback": message.status_url,
            "StatusCallbackMethod": "POST",
            "Quality": "fine",
            "StoreMedia": "false",
            "Ttl": str(MINUTES_TO_LIVE),
        },
    )
    reference = _content(answer, ErrorClass.IN_DOUBT).get("sid")
    if not isinstance(reference, str) or not reference:
        raise DeliveryError(ErrorClass.IN_DOUBT, "the carrier's answer has no number")
    return reference


def look(reference: str) -> CarrierReport:
    """Ask what became of a fax."""
    answer = _call("GET", _account().fax(reference))
    return report(_content(answer, ErrorClass.CARRIER_DOWN))


def find(address: str, media_sha256: str) -> CarrierReport | None:
    """Look through the carrier's list for the fax with our media token.

    None only where the whole list was read: the fax is surely not there.
    """
    url, params = _account().faxes, {"To": address, "PageSize": "100"}
    for _ in range(MOST_LIST_PAGES):
        answer = _call("GET", url, params=params)
        content = _content(answer, ErrorClass.CARRIER_DOWN)
        for fax in content.get("faxes") or []:
            if _token_hash(fax) == media_sha256:
                return report(fax)
        following = content.get("next_page_uri")
        if not following:
            return None
        url, params = _same_host(url, following), {}
    raise DeliveryError(ErrorClass.CARRIER_DOWN, "the carrier's list does not end")


def forget(reference: str) -> None:
    """Have the carrier destroy its copy of a fax."""
    try:
        _call("DELETE", _account().fax(reference))
    except DeliveryError as error:
        if error.error_class not in {ErrorClass.REJECTED, ErrorClass.CONFIGURATION}:
            raise


def media_url(reference: str) -> str:
    """Ask where the pages of a fax that came in can be fetched."""
    content = _content(_call("GET", _account().fax(reference)), ErrorClass.CARRIER_DOWN)
    return str(content.get("media_url") or "")


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
    """Read a fax's state from a call-back's fields or from the carrier's JSON."""
    plain = {name.replace("_", "").lower(): value for name, value in fields.items()}
    status = str(plain.get("faxstatus") or plain.get("status") or "").lower()
    progress, error_class = _PROGRESS.get(status, (Progress.UNDERWAY, None))
    pages = str(plain.get("numpages") or "")
    problem = [str(plain.get(name) or "") for name in ("errorcode", "errormessage")]
    return CarrierReport(
        reference=str(plain.get("faxsid") or plain.get("sid") or ""),
        status=status[:40],
        progress=progress,
        error_class=error_class,
        text=" ".join(problem).strip()[:120],
        pages=int(pages) if pages.isdecimal() and len(pages) < 5 else None,
        station=str(plain.get("remotestationid") or "")[:60],
    )


def _account() -> _Account:
    url = urlsplit(settings.current().fax_url.get_secret_value())
    project, token = unquote(url.username or ""), unquote(url.password or "")
    scheme, path = url.scheme.removeprefix("laml+"), url.path.rstrip("/") or PATH
    host = url.netloc.rpartition("@")[2]
    base = f"{scheme}://{host}{path}/Accounts/{project}/"
    return _Account(project, token, base)


def _call(
    method: str,
    url: str,
    *,
    data: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
) -> Any:
    """Make one call, with a time-out and no redirects; give a 2xx answer.

    The environment is left out: TWILIO_EDGE there would change the host's name.
    """
    account = _account()
    seconds = settings.current().channel_timeout_seconds
    client = ClientBase(
        account.project,
        account.token,
        http_client=TwilioHttpClient(pool_connections=False, timeout=seconds),
        environment={},
    )
    try:
        answer = client.request(method, url, data=data, params=params)
    except requests.RequestException as error:
        raise _unanswered(method, error) from None
    if not 200 <= answer.status_code < 300:
        raise _refused(method, answer)
    return answer


def _unanswered(method: str, error: requests.RequestException) -> DeliveryError:
    """Tell a call that never began from one that may have been heard."""
    name = type(error).__name__
    if isinstance(error, requests.exceptions.SSLError):
        return DeliveryError(ErrorClass.CONFIGURATION, "the carrier's TLS is not valid")
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    unheard = isinstance(
        error, requests.ConnectTimeout | requests.exceptions.InvalidURL
    ) or isinstance(reason, NewConnectionError)
    if unheard or method != "POST":
        return DeliveryError(ErrorClass.CARRIER_DOWN, f"no answer ({name})")
    return DeliveryError(ErrorClass.IN_DOUBT, f"no answer to the call ({name})")


def _refused(method: str, answer: Any) -> DeliveryError:
    code, text = answer.status_code, f"carrier answers {answer.status_code}"
    if code in {408, 429, 503}:
        kind = ErrorClass.THROTTLED if code == 429 else ErrorClass.CARRIER_DOWN
        return DeliveryError(kind, text, retry_after=_wish(answer))
    if code >= 500:
        # It broke while it worked: the fax may have been taken before that.
        doubt = ErrorClass.IN_DOUBT if method == "POST" else ErrorClass.CARRIER_DOWN
        return DeliveryError(doubt, text)
    if code in {400, 422}:
        return DeliveryError(ErrorClass.REJECTED, f"{text}{_problem(answer)}")
    return DeliveryError(ErrorClass.CONFIGURATION, text)


def _problem(answer: Any) -> str:
    try:
        content = json.loads(answer.text)
        return f": {content['code']} {content['message']}"[:120]
    except (ValueError, KeyError, TypeError):
        return ""


def _wish(answer: Any) -> timedelta | None:
    """Read Retry-After: seconds, or the time of an HTTP date."""
    given = (answer.headers or {}).get("Retry-After", "").strip()
    if given.isdecimal() and len(given) < 9:
        return min(timedelta(seconds=int(given)), LONGEST_WISH)
    try:
        until = parsedate_to_datetime(given)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until - clock.now(), timedelta()), LONGEST_WISH)


def _content(answer: Any, otherwise: ErrorClass) -> dict[str, Any]:
    try:
        content = json.loads(answer.text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise DeliveryError(otherwise, "the carrier's answer cannot be read")
    return content


def _token_hash(fax: Any) -> str:
    """Hash the token in a listed fax's media address, as it is in our attempts."""
    if not isinstance(fax, dict):
        return ""
    address = str(fax.get("original_media_url") or fax.get("media_url") or "")
    token = urlsplit(address).path.rpartition("/")[2]
    return hashlib.sha256(token.encode()).hexdigest()


def _same_host(url: str, following: str) -> str:
    joined = urljoin(url, following)
    if urlsplit(joined).netloc != urlsplit(url).netloc:
        raise DeliveryError(ErrorClass.CARRIER_DOWN, "the list leads elsewhere")
    return joined
