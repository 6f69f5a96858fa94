"""Calls to Twilio for text messages and look-ups of lines; PMP_SMS_URL says where.

One call, with a time-out, no redirects, no retries of its own, and nothing of it in a
log. What cannot be is raised as a DeliveryError, by what follows from it.
"""

import json
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from twilio.base.client_base import ClientBase
from twilio.http.http_client import TwilioHttpClient
from urllib3.exceptions import MaxRetryError, NewConnectionError

from gateway.message import DeliveryError
from models import ErrorClass
from pmp import settings
from pmp.reaching import texts

API, LOOKUPS = "api.twilio.com", "lookups.twilio.com"
LONGEST_WISH = timedelta(hours=24)
# The client reads these where it is given none, and would call another host.
_NO_OTHER_HOST = {"TWILIO_EDGE": "", "TWILIO_REGION": ""}

# It would log the numbers of every call at INFO.
logging.getLogger("twilio.http_client").setLevel(logging.WARNING)

STOPPED = 21610
# Twilio's numbers of what went wrong → what follows from it; in answers and call-backs.
ERRORS = {
    20003: ErrorClass.CONFIGURATION,  # account or token
    20429: ErrorClass.THROTTLED,
    21211: ErrorClass.REJECTED,  # no number
    21214: ErrorClass.REJECTED,  # cannot be reached
    21217: ErrorClass.REJECTED,
    21408: ErrorClass.REJECTED,  # a country that is not allowed
    21602: ErrorClass.DOCUMENT,  # no text
    21603: ErrorClass.CONFIGURATION,  # no sender
    21606: ErrorClass.CONFIGURATION,  # the sender is not ours
    21608: ErrorClass.CONFIGURATION,  # a trial account
    STOPPED: ErrorClass.REJECTED,
    21611: ErrorClass.THROTTLED,  # the sender's queue is full
    21612: ErrorClass.REJECTED,
    21614: ErrorClass.REJECTED,  # not a mobile
    21617: ErrorClass.DOCUMENT,  # too long
    21659: ErrorClass.CONFIGURATION,
    30001: ErrorClass.THROTTLED,
    30002: ErrorClass.CONFIGURATION,  # account suspended
    30003: ErrorClass.NO_ANSWER,  # switched off, out of reach
    30004: ErrorClass.REJECTED,  # blocked by its owner or carrier
    30005: ErrorClass.REJECTED,  # nobody has it any more
    30006: ErrorClass.REJECTED,  # a landline
    30007: ErrorClass.DOCUMENT,  # taken for spam: the same text is filtered again
    30008: ErrorClass.UNKNOWN,
    30010: ErrorClass.CONFIGURATION,
    30034: ErrorClass.CONFIGURATION,  # the sender is not registered with the carriers
}


@dataclass(frozen=True)
class Account:
    sid: str
    token: str
    scheme: str
    host: str

    @property
    def messages(self) -> str:
        """The address of text messages, without its ending."""
        base = f"{self.scheme}://{self.host}/2010-04-01/Accounts/{self.sid}"
        return f"{base}/Messages"

    def line(self, number: str) -> str:
        """Give the address at which a number is looked up."""
        host = LOOKUPS if self.host == API else self.host
        return f"{self.scheme}://{host}/v2/PhoneNumbers/{number}"


def account() -> Account | None:
    """Give the account that the settings name; None if they name none."""
    url = urlsplit(settings.current().sms_url.get_secret_value())
    if not url.scheme.startswith("twilio+"):
        return None
    return Account(
        sid=unquote(url.username or ""),
        token=unquote(url.password or ""),
        scheme=url.scheme.removeprefix("twilio+"),
        host=url.netloc.rpartition("@")[2],
    )


def call(
    of: Account,
    method: str,
    url: str,
    *,
    data: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    seconds: float | None = None,
) -> dict[str, Any]:
    """Make one call; give the content of a 2xx answer, {} where it has none.

    DeliveryError: IN_DOUBT where a message may have been taken all the same.
    """
    client = ClientBase(
        of.sid,
        of.token,
        http_client=TwilioHttpClient(
            pool_connections=False,
            timeout=seconds or settings.current().channel_timeout_seconds,
        ),
        environment=_NO_OTHER_HOST,
    )
    try:
        answer = client.request(method, url, data=data, params=params)
    except requests.RequestException as error:
        raise _unanswered(method, error) from None
    if not 200 <= answer.status_code < 300:
        raise _refused(method, answer)
    return _content(method, answer)


def problem(code: int) -> DeliveryError:
    """Give what follows from one of Twilio's error numbers."""
    kind = ERRORS.get(code, ErrorClass.UNKNOWN)
    words = f"{texts.OPTED_OUT}: {code}" if code == STOPPED else f"Twilio says {code}"
    return DeliveryError(kind, words)


def _unanswered(method: str, error: requests.RequestException) -> DeliveryError:
    """Tell a call that never began from one that may have been heard."""
    name = type(error).__name__
    if isinstance(error, requests.exceptions.SSLError):
        return DeliveryError(ErrorClass.CONFIGURATION, "Twilio's TLS is not valid")
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    unheard = isinstance(
        error, requests.ConnectTimeout | requests.exceptions.InvalidURL
    ) or isinstance(reason, NewConnectionError)
    if unheard or method != "POST":
        return DeliveryError(ErrorClass.CARRIER_DOWN, f"no answer ({name})")
    return DeliveryError(ErrorClass.IN_DOUBT, f"no answer to the call ({name})")


def _refused(method: str, answer: Any) -> DeliveryError:
    status, code = answer.status_code, _code_of(answer)
    text = f"Twilio answers {status}"
    if status == 429:
        return DeliveryError(ErrorClass.THROTTLED, text, retry_after=_wish(answer))
    if code in ERRORS:
        return problem(code)
    if status in {408, 503}:
        down = ErrorClass.CARRIER_DOWN
        return DeliveryError(down, text, retry_after=_wish(answer))
    if status >= 500:
        doubt = ErrorClass.IN_DOUBT if method == "POST" else ErrorClass.CARRIER_DOWN
        return DeliveryError(doubt, text)
    if status in {400, 404, 422}:
        return DeliveryError(ErrorClass.REJECTED, f"{text}: {code}")
    return DeliveryError(ErrorClass.CONFIGURATION, text)


def _code_of(answer: Any) -> int:
    try:
        return int(json.loads(answer.text)["code"])
    except (ValueError, KeyError, TypeError):
        return 0


def _wish(answer: Any) -> timedelta | None:
    given = (answer.headers or {}).get("Retry-After", "").strip()
    if given.isdecimal() and len(given) < 9:
        return min(timedelta(seconds=int(given)), LONGEST_WISH)
    return None


def _content(method: str, answer: Any) -> dict[str, Any]:
    if answer.status_code == 204 or method == "DELETE":
        return {}
    try:
        content = json.loads(answer.text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        doubt = ErrorClass.IN_DOUBT if method == "POST" else ErrorClass.CARRIER_DOWN
        raise DeliveryError(doubt, "Twilio's answer cannot be read")
    return content
