"""One call to a carrier over HTTP: over by a set time, no redirects, nothing logged.

`requests` limits each wait for the network, not the call: a carrier that sends one byte
now and then would hold a worker until its lease is over. So the line is cut when the
time is up (gateway.time_limit). Whether it ever stood tells a call that was surely not
heard from one that may have been.
"""

import json
import logging
import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from gateway.message import DeliveryError
from gateway.time_limit import TimeLimit
from models import ErrorClass
from pmp import clock, settings

CHUNK = 64 * 1024
LARGEST_ANSWER = 4 * 1024 * 1024
LONGEST_WISH = timedelta(hours=24)

# They would tell the address of a call, and with it numbers and media tokens. A filter
# and not a level: whoever turns debugging on for a library turns levels down.
for _name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(lambda _record: False)


@dataclass(frozen=True)
class Answer:
    """What a carrier answered; the names of `headers` match in any case."""

    status_code: int
    body: bytes
    headers: Any = field(repr=False)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class UnansweredError(Exception):
    """A call without an answer; `heard`: the carrier may have taken it all the same.

    `untrusted`: its certificate is not valid, so nothing was sent.
    """

    def __init__(self, kind: str, *, heard: bool, untrusted: bool = False) -> None:
        super().__init__(kind)
        self.heard = heard
        self.untrusted = untrusted


class TooLargeError(UnansweredError):
    """The answer has more bytes than it may have."""


def call(  # noqa: PLR0913 - what HTTP has
    method: str,
    url: str,
    *,
    auth: tuple[str, str] | None,
    seconds: float | None = None,
    params: dict[str, Any] | None = None,
    form: Any = None,
    files: Any = None,
    headers: dict[str, str] | None = None,
    most: int = LARGEST_ANSWER,
) -> Answer:
    """Make one call; UnansweredError after `seconds`, TooLargeError above `most` bytes.

    Any status is an answer. Proxies and authorities come from the environment, names
    and passwords never.
    """
    limit = seconds or settings.current().channel_timeout_seconds
    line = _Line(TimeLimit(limit))
    with requests.Session() as session:
        session.mount("https://", _Adapter(line))
        session.mount("http://", _Adapter(line))
        try:
            with line.limit:
                answer = session.request(
                    method,
                    url,
                    auth=auth or _no_netrc,
                    params=params,
                    data=form,
                    files=files,
                    headers=headers,
                    timeout=limit,
                    allow_redirects=False,
                    stream=True,
                )
                with answer:
                    body = _body(answer, most)
                if (
                    line.limit.is_over
                ):  # half a header looks like a whole one at its end
                    raise requests.Timeout
        except (requests.RequestException, HTTPError, OSError) as error:
            raise UnansweredError(
                type(error).__name__,
                heard=line.stood,
                untrusted=not line.stood and _is_untrusted(error),
            ) from None
    return Answer(answer.status_code, body, answer.headers)


def failure(method: str, error: UnansweredError) -> DeliveryError:
    """Say what follows from no answer: a call that was not heard may be repeated."""
    if error.untrusted:
        return DeliveryError(ErrorClass.CONFIGURATION, "the carrier's TLS is not valid")
    if error.heard and method == "POST":
        return DeliveryError(ErrorClass.IN_DOUBT, f"no answer to the call ({error})")
    return DeliveryError(ErrorClass.CARRIER_DOWN, f"no answer ({error})")


def refused(method: str, answer: Answer) -> DeliveryError:
    """Say what follows from a status that is not 2xx, but for what 400 is about."""
    code, text = answer.status_code, f"carrier answers {answer.status_code}"
    if code in {408, 429, 503}:
        kind = ErrorClass.THROTTLED if code == 429 else ErrorClass.CARRIER_DOWN
        return DeliveryError(kind, text, retry_after=wish(answer))
    if code >= 500:
        # It broke while it worked: the fax may have been taken before that.
        doubt = ErrorClass.IN_DOUBT if method == "POST" else ErrorClass.CARRIER_DOWN
        return DeliveryError(doubt, text)
    if code in {400, 422}:
        return DeliveryError(ErrorClass.REJECTED, text)
    if code == 413:
        return DeliveryError(ErrorClass.DOCUMENT, f"{text}: too large")
    if code == 402:
        return DeliveryError(ErrorClass.CONFIGURATION, f"{text}: the account is empty")
    return DeliveryError(ErrorClass.CONFIGURATION, text)


def wish(answer: Answer) -> timedelta | None:
    """Read Retry-After: seconds, or the time of an HTTP date; at most a day."""
    given = str((answer.headers or {}).get("Retry-After", "")).strip()
    if given.isascii() and given.isdecimal() and len(given) < 9:
        return min(timedelta(seconds=int(given)), LONGEST_WISH)
    try:
        until = parsedate_to_datetime(given)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until - clock.now(), timedelta()), LONGEST_WISH)


def content(answer: Answer, otherwise: ErrorClass) -> dict[str, Any]:
    """Read a JSON object; DeliveryError of the class `otherwise` if it is none."""
    try:
        read = json.loads(answer.body)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise DeliveryError(otherwise, "the carrier's answer cannot be read")
    return read


class _Line:
    """The connection of one call: did it ever stand, and what cuts it."""

    def __init__(self, limit: TimeLimit) -> None:
        self.stood = False
        self.limit = limit


class _Watched(HTTPConnection):
    """A connection that its call's limit cuts, and that says when it stands."""

    line: _Line

    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        self.line.limit.watch(made)
        return made

    def connect(self) -> None:
        super().connect()
        self.line.stood = True


class _WatchedSecure(_Watched, HTTPSConnection):
    """The same under TLS: it stands when the handshake is over."""


class _Adapter(HTTPAdapter):
    """Makes connections that a line watches; repeats nothing by itself."""

    def __init__(self, line: _Line) -> None:
        plain = type("Plain", (_Watched,), {"line": line})
        secure = type("Secure", (_WatchedSecure,), {"line": line})
        self._pools = {
            "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Ask without a name: else requests would look for one in ~/.netrc."""
    return request


def _body(answer: requests.Response, most: int) -> bytes:
    body = bytearray()
    for chunk in answer.iter_content(CHUNK):
        body += chunk
        if len(body) > most:
            raise TooLargeError("too large", heard=True)
    return bytes(body)


def _is_untrusted(error: BaseException) -> bool:
    """Look for a certificate that is not valid behind what requests says."""
    seen: BaseException | None = error
    while seen is not None:
        reasons = [seen, *seen.args, getattr(seen, "reason", None)]
        if any(isinstance(each, ssl.SSLCertVerificationError) for each in reasons):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
