"""Calls to Twilio for text messages and look-ups of lines; PMP_SMS_URL says where.

Made by gateway.twilio_client. What cannot be is raised as a DeliveryError, by what
follows from it.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from gateway import carrier_calls, twilio_client
from gateway.carrier_calls import Answer
from gateway.message import DeliveryError
from models import ErrorClass
from pmp import settings
from pmp.reaching import texts

API, LOOKUPS = "api.twilio.com", "lookups.twilio.com"

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
    answer = twilio_client.request(
        of.sid, of.token, method, url, data=data, params=params, seconds=seconds
    )
    if not 200 <= answer.status_code < 300:
        raise _refused(method, answer)
    if answer.status_code == 204 or method == "DELETE":
        return {}
    doubt = ErrorClass.IN_DOUBT if method == "POST" else ErrorClass.CARRIER_DOWN
    return carrier_calls.content(answer, doubt)


def problem(code: int) -> DeliveryError:
    """Give what follows from one of Twilio's error numbers."""
    kind = ERRORS.get(code, ErrorClass.UNKNOWN)
    words = f"{texts.OPTED_OUT}: {code}" if code == STOPPED else f"Twilio says {code}"
    return DeliveryError(kind, words)


def _refused(method: str, answer: Answer) -> DeliveryError:
    """Twilio's own number says more than the status, but for how long to wait."""
    status, code = answer.status_code, _code_of(answer)
    if code in ERRORS and status != 429:
        return problem(code)
    if status in {400, 404, 422}:
        return DeliveryError(ErrorClass.REJECTED, f"Twilio answers {status}: {code}")
    return carrier_calls.refused(method, answer)


def _code_of(answer: Answer) -> int:
    try:
        return int(json.loads(answer.body)["code"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return 0
