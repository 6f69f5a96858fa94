"""Calls to a carrier over real sockets: when they end, and what may have been heard."""

import gzip
import logging
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway import carrier_calls
from gateway.carrier_calls import Answer, TooLargeError, UnansweredError
from models import ErrorClass
from pmp import clock
from tests.servers.raw import Raw
from tests.servers.relay import make_certificate

OK = b"HTTP/1.1 200 OK\r\n"
MANY = 300  # pieces at a tenth of a second: half a minute, were it not cut


def ask(server: Raw, method: str = "GET", **more: object) -> Answer:
    given = {"auth": ("name", "secret"), "seconds": 20.0, **more}
    return carrier_calls.call(method, server.url, **given)  # type: ignore[arg-type]


def test_a_call_is_answered() -> None:
    with Raw([OK + b"Content-Length: 2\r\nX-A: 1\r\n\r\n{}"]) as server:
        answer = ask(server, params={"To": "+1"})

    assert (answer.status_code, answer.body) == (200, b"{}")
    assert answer.headers["x-a"] == "1"
    assert b"Authorization: Basic bmFtZTpzZWNyZXQ=" in server.heard[0]
    assert "secret" not in repr(answer)


@pytest.mark.parametrize(
    "pieces",
    [
        [OK + b"X-Slow: ", *[b"x"] * MANY],
        [OK + b"Content-Length: 300\r\n\r\n", *[b"x"] * MANY],
        [OK + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n"] * MANY],
        [b"HTTP/1.1 100 Continue\r\n\r\n"] * MANY,
    ],
)
@pytest.mark.parametrize("secure", [False, True])
def test_an_answer_in_drops_is_cut_and_may_have_been_heard(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pieces: list[bytes],
    *,
    secure: bool,
) -> None:
    certificate = make_certificate(tmp_path) if secure else None
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate or ""))
    with Raw(pieces, pause=0.1, certificate=certificate) as server:
        with pytest.raises(UnansweredError) as cut:
            ask(server, "POST", form={"a": "b"}, seconds=1.0)

        assert cut.value.heard
        assert server.sent < MANY / 2
    error = carrier_calls.failure("POST", cut.value)
    assert error.error_class == ErrorClass.IN_DOUBT
    assert carrier_calls.failure("GET", cut.value).error_class == (
        ErrorClass.CARRIER_DOWN
    )


def test_a_handshake_that_does_not_end_was_surely_not_heard() -> None:
    with Raw([b""], pause=30, reads=False) as silent:
        address = silent.url.replace("http:", "https:")
        with pytest.raises(UnansweredError) as cut:
            carrier_calls.call("POST", address, auth=None, seconds=1.0)

    assert not cut.value.heard
    assert not cut.value.untrusted
    assert carrier_calls.failure("POST", cut.value).error_class == (
        ErrorClass.CARRIER_DOWN
    )


def test_a_certificate_that_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    with Raw([OK + b"\r\n"], certificate=make_certificate(tmp_path)) as server:
        with pytest.raises(UnansweredError) as refused:
            ask(server, "POST", form={"To": "+18605550123"})

        assert not any(b"5550123" in each for each in server.heard)
    assert (refused.value.heard, refused.value.untrusted) == (False, True)
    assert carrier_calls.failure("POST", refused.value).error_class == (
        ErrorClass.CONFIGURATION
    )


def test_nobody_there_was_surely_not_heard() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        address = f"http://127.0.0.1:{there.getsockname()[1]}/"

    with pytest.raises(UnansweredError) as refused:
        carrier_calls.call("POST", address, auth=None, seconds=1.0)

    assert not refused.value.heard


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with Raw(
        [b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\n\r\n"]
    ) as server:
        answer = ask(server)

    assert answer.status_code == 302
    assert carrier_calls.refused("POST", answer).error_class == (
        ErrorClass.CONFIGURATION
    )


@pytest.mark.parametrize("packed", [False, True])
def test_more_than_is_allowed_is_not_taken(*, packed: bool) -> None:
    body = bytes(2_000_000)
    sent = gzip.compress(body) if packed else body
    kind = b"Content-Encoding: gzip\r\n" if packed else b""
    length = str(len(sent)).encode()
    head = OK + kind + b"Content-Length: " + length + b"\r\n\r\n"
    with Raw([head, sent]) as server, pytest.raises(TooLargeError):
        ask(server, most=100_000)


def test_no_name_is_looked_for_where_none_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password private")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with Raw([OK + b"Content-Length: 0\r\n\r\n"]) as server:
        ask(server, auth=None)

    assert b"Authorization" not in server.heard[0]


def test_the_library_tells_no_address_of_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("", "urllib3", "urllib3.connectionpool", "requests"):
        caplog.set_level("DEBUG", logger=name)
    with Raw([OK + b"Content-Length: 0\r\nBad\x00Header\r\n\r\n"]) as server:
        ask(server, params={"To": "+18605550123"})

    assert "5550123" not in caplog.text
    assert "127.0.0.1" not in caplog.text
    assert not logging.getLogger("urllib3.connectionpool").filter(
        logging.LogRecord("urllib3.connectionpool", 50, "", 1, "x", None, None)
    )


@pytest.mark.parametrize(
    ("given", "wish"),
    [
        ("120", timedelta(seconds=120)),
        ("Mon, 23 Nov 2026 15:24:00 GMT", timedelta(minutes=10)),
        ("Mon, 23 Nov 2026 15:00:00 GMT", timedelta()),
        ("99999999", timedelta(hours=24)),
        ("²", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_wish_to_wait_is_read_in_either_form(
    monkeypatch: pytest.MonkeyPatch, given: str, wish: timedelta | None
) -> None:
    at = datetime(2026, 11, 23, 15, 14, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: at)

    assert carrier_calls.wish(Answer(429, b"", {"Retry-After": given})) == wish


def test_a_proxy_of_the_environment_is_used_and_watched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    head = OK + b"Content-Length: 300\r\n\r\n"
    with Raw([head, *[b"x"] * MANY], pause=0.1) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        with pytest.raises(UnansweredError) as cut:
            carrier_calls.call(
                "POST", "http://carrier.example.org/x", auth=None, seconds=1.0
            )

        assert proxy.sent < MANY / 2
    assert cut.value.heard
    assert proxy.heard[0].startswith(b"POST http://carrier.example.org/x ")


def test_a_tunnel_that_leads_nowhere_was_surely_not_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tunnel = b"HTTP/1.1 200 Connection established\r\n\r\n"
    with Raw([tunnel, b""], pause=30) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("https_proxy", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        with pytest.raises(UnansweredError) as cut:
            carrier_calls.call(
                "POST", "https://carrier.example.org/x", auth=None, seconds=1.0
            )

    assert not cut.value.heard
    assert proxy.heard[0].startswith(b"CONNECT carrier.example.org:443 ")
