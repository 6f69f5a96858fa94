"""A carrier's call-backs over real HTTP: signed or refused, forwards or not at all."""

import hashlib
import hmac
import io
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from twilio.request_validator import RequestValidator

from gateway import schedule, tasks
from gateway.queue import huey
from models import (
    AuditEvent,
    DeliveryAttempt,
    DeliveryEvent,
    DeliveryState,
    FaxStatus,
    InboundFax,
)
from pmp import documents, settings
from pmp.deliveries import signatures
from tests.conftest import NOW
from tests.gateway.conftest import Clock, fresh, make_delivery, work
from tests.servers.carrier import KEY, Carrier, callback, signature

pytestmark = pytest.mark.usefixtures("db", "fixed_message")

PUBLIC = "https://pmp.example.org"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def client(portal: Flask, now: Clock) -> Iterator[FlaskClient]:
    with settings.changed(public_url=PUBLIC, fax_signing_key=KEY):
        yield portal.test_client()


def sent(carrier: Carrier, step: str = "ok") -> DeliveryState:
    carrier.script = [step]
    delivery = make_delivery()
    tasks.send_delivery.call_local(delivery.id)
    carrier.settle()
    return fresh(delivery).state


def report_lines() -> list[str]:
    rows = DeliveryEvent.select().where(DeliveryEvent.source == "call-back")
    return [row.note for row in rows.order_by(DeliveryEvent.id) if row.note]


def test_a_fax_is_fetched_sent_and_reported(calling: Carrier) -> None:
    assert sent(calling) == DeliveryState.DELIVERED

    [fax] = calling.taken
    assert fax.fetched == [200]
    assert fax.pages.startswith(b"%PDF-")
    assert {code for _, code in fax.callbacks} == {204}
    [attempt] = DeliveryAttempt.select()
    assert (attempt.pages_sent, attempt.station) == (2, "PRACTICE")


@pytest.mark.parametrize(
    ("step", "state"),
    [
        ("first", DeliveryState.DELIVERED),
        ("triple", DeliveryState.DELIVERED),
        ("reordered", DeliveryState.DELIVERED),
        ("late-failure", DeliveryState.DELIVERED),
        ("silent", DeliveryState.SUBMITTED),
        ("busy", DeliveryState.QUEUED),
    ],
)
def test_reports_move_a_fax_forwards_only(
    calling: Carrier, step: str, state: DeliveryState
) -> None:
    assert sent(calling, step) == state
    assert not DeliveryAttempt.select().where(
        DeliveryAttempt.carrier_reference.is_null()
    )


def test_a_repeated_report_leaves_one_line(calling: Carrier) -> None:
    sent(calling, "triple")

    assert len(calling.taken[0].callbacks) == 12
    assert report_lines() == [
        f"carrier says {word}"
        for word in ("queued", "processing", "sending", "delivered")
    ]


def test_a_report_about_an_older_attempt_does_not_undo_the_newer(
    calling: Carrier, now: Clock
) -> None:
    sent(calling, "busy")
    [old] = calling.taken
    calling.script = ["silent"]
    now.go_on(minutes=3)
    schedule.sweep_deliveries()
    work()

    calling.post(old.status_url, callback(old, "failed"))

    [attempt, newer] = DeliveryAttempt.select().order_by(DeliveryAttempt.number)
    assert newer.delivery.state == DeliveryState.SUBMITTED
    assert attempt.outcome == "busy"


def test_an_older_attempt_that_did_arrive_ends_the_delivery(
    calling: Carrier, now: Clock
) -> None:
    sent(calling, "busy")
    [old] = calling.taken

    calling.post(old.status_url, callback(old, "delivered"))

    [attempt] = DeliveryAttempt.select()
    assert attempt.delivery.state == DeliveryState.DELIVERED


def test_media_is_gone_once_the_fax_is_over(calling: Carrier) -> None:
    sent(calling)

    with pytest.raises(HTTPError) as gone:
        urlopen(calling.taken[0].media_url)  # noqa: S310
    assert gone.value.code == 410
    gone.value.close()


def test_media_is_fetched_by_its_token_for_a_while(
    portal: Flask, carrier: Carrier, now: Clock
) -> None:
    delivery = make_delivery()
    tasks.send_delivery.call_local(delivery.id)
    path = carrier.taken[0].media_url.removeprefix(settings.current().public_url)
    browser = portal.test_client()

    answer = browser.get(path)
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    assert "no-store" in answer.headers["Cache-Control"]
    [attempt] = DeliveryAttempt.select()
    assert attempt.media_fetched_at == NOW
    assert browser.get(f"{path}x").status_code == 410

    now.go_on(minutes=121)
    assert browser.get(path).status_code == 410


# --- Signatures


def test_our_signature_is_twilios() -> None:
    url, fields = f"{PUBLIC}/hooks/fax/laml/status?attempt=1-1", {"B": "2", "A": "é"}

    assert RequestValidator(KEY).validate(
        url, fields, signature(url, fields)["X-Twilio-Signature"]
    )
    assert signatures.is_signed(
        url=url,
        body=urlencode(fields).encode(),
        headers=signature(url, fields),
        key=KEY,
    )


@pytest.mark.parametrize(
    ("header", "digest"),
    [
        ("X-SignalWire-Signature", "sha1"),
        ("X-SignalWire-SHA256-Signature", "sha256"),
    ],
)
def test_a_signature_over_the_raw_body_is_good(header: str, digest: str) -> None:
    url, body = f"{PUBLIC}/x", b"FaxSid=FX1&FaxStatus=delivered"
    right = hmac.new(KEY.encode(), url.encode() + body, digest).hexdigest()

    def signed(value: str, body: bytes = body, key: str = KEY) -> bool:
        return signatures.is_signed(
            url=url, body=body, headers={header: value}, key=key
        )

    assert signed(right)
    assert not signed(right, body + b"&x=1")
    assert not signed(right, key="another")
    assert not signed(right[:-1])
    assert not signed("")


def test_a_weak_signature_does_not_stand_in_for_a_wrong_strong_one() -> None:
    url, fields = f"{PUBLIC}/x", {"A": "1"}
    headers = {**signature(url, fields), "X-SignalWire-SHA256-Signature": "00"}

    assert not signatures.is_signed(url=url, body=b"A=1", headers=headers, key=KEY)


def test_without_a_key_nothing_is_signed() -> None:
    url, fields = f"{PUBLIC}/x", {"A": "1"}

    assert not signatures.is_signed(
        url=url, body=b"A=1", headers=signature(url, fields, key=""), key=""
    )


@pytest.mark.parametrize("path", ["status", "received"])
def test_a_forged_call_is_refused_and_on_record(client: FlaskClient, path: str) -> None:
    url, fields = f"/hooks/fax/laml/{path}", {"FaxSid": "FX1", "FaxStatus": "delivered"}
    wrong = signature(f"{PUBLIC}{url}", fields, key="guess")
    elsewhere = signature(f"https://evil.example.org{url}", fields)

    for headers in ({}, wrong, elsewhere):
        answer = client.post(
            url,
            data=fields,
            headers={**headers, "Host": "evil.example.org", "Content-Type": FORM},
        )
        assert answer.status_code == 403

    refused = AuditEvent.select().where(AuditEvent.event == "callback:refused")
    assert refused.count() == 3
    assert InboundFax.select().count() == DeliveryEvent.select().count() == 0


def test_the_address_that_we_gave_out_is_signed_not_the_host(
    client: FlaskClient,
) -> None:
    path, fields = "/hooks/fax/laml/status?attempt=1-1", {"FaxSid": "FX1"}
    headers = {**signature(f"{PUBLIC}{path}", fields), "Host": "10.0.0.7:8000"}

    assert client.post(path, data=fields, headers=headers).status_code == 204
    other = client.post(path[:-1] + "2", data=fields, headers=headers)
    assert other.status_code == 403


# --- Faxes that come in


def announced(carrier: Carrier, media_url: str, sid: str = "FXIN1") -> int:
    url = f"{settings.current().public_url}/hooks/fax/laml/received"
    return carrier.post(
        url,
        {
            "FaxSid": sid,
            "From": "+18605550144",
            "FaxStatus": "received",
            "RemoteStationId": "PRACTICE",
            "MediaUrl": media_url,
        },
    )


def a_tiff() -> bytes:
    written = io.BytesIO()
    Image.new("1", (1728, 1078), 1).save(
        written, "TIFF", compression="group3", dpi=(204, 98)
    )
    return written.getvalue()


def test_a_call_that_comes_in_is_answered_with_receive(client: FlaskClient) -> None:
    path, fields = "/hooks/fax/laml/received", {"FaxSid": "FX1", "From": "+18605550144"}

    answer = client.post(
        path, data=fields, headers=signature(f"{PUBLIC}{path}", fields)
    )

    assert answer.mimetype == "application/xml"
    assert f'<Receive action="{PUBLIC}{path}"' in answer.text
    assert InboundFax.select().count() == 0


def test_an_announced_fax_is_fetched_and_read_once(calling: Carrier) -> None:
    calling.media["/files/1.tiff"] = (200, {"Content-Type": "image/tiff"}, a_tiff())
    url = f"http://{calling.host}/files/1.tiff"

    assert [announced(calling, url), announced(calling, url)] == [200, 200]
    work()

    [fax] = InboundFax.select()
    assert (fax.status, fax.pages) == (FaxStatus.UNMATCHED, 1)
    assert (fax.from_number, fax.station) == ("+18605550144", "PRACTICE")
    assert fax.document is not None
    assert documents.read(fax.document) == a_tiff()


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "http://127.0.0.1:9/other-port",
        "http://project-1@{host}/files/1.tiff",
        "http://{host}.example.org/files/1.tiff",
        "//{host}/files/1.tiff",
        "http://{host}/redirect",
        "http://{host}/page.html",
        "http://{host}/missing",
    ],
)
def test_pages_are_fetched_from_the_carrier_alone(calling: Carrier, url: str) -> None:
    calling.media["/redirect"] = (302, {"Location": "http://127.0.0.1:9/"}, b"")
    calling.media["/page.html"] = (200, {}, b"<html>not a fax</html>")

    assert announced(calling, url.format(host=calling.host)) == 200
    work()

    [fax] = InboundFax.select()
    assert (fax.status, fax.document) == (FaxStatus.UNREADABLE, None)
    assert fax.note.startswith("The pages could not be fetched")


def test_pages_without_end_are_given_up(
    calling: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.pages.LARGEST_FILE", 100_000)
    calling.media["/files/1.tiff"] = (200, {}, b"II*\x00" + bytes(400_000))

    announced(calling, f"http://{calling.host}/files/1.tiff")
    work()

    [fax] = InboundFax.select()
    assert fax.note.endswith("too large")


def test_an_announced_fax_that_the_queue_lost_is_asked_for(
    calling: Carrier, now: Clock
) -> None:
    calling.media["/files/1.tiff"] = (200, {}, a_tiff())
    media_url = f"http://{calling.host}/files/1.tiff"
    path = "/api/laml/2010-04-01/Accounts/project-1/Faxes/FXIN1.json"
    known = json.dumps({"sid": "FXIN1", "media_url": media_url}).encode()
    calling.media[path] = (200, {}, known)
    announced(calling, media_url)
    while huey.dequeue():
        pass

    now.go_on(minutes=3)
    schedule.sweep_faxes()
    work()

    [fax] = InboundFax.select()
    assert fax.status == FaxStatus.UNMATCHED


def test_a_dropped_file_is_taken_in_and_removed(
    now: Clock, db: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.inbound.SETTLED_SECONDS", -1e12)
    folder = Path(db.data_dir) / "faxes-in"
    folder.mkdir()
    (folder / "scan.tiff").write_bytes(a_tiff())
    (folder / "notes.txt").write_text("not a fax")

    schedule.sweep_faxes()
    work()

    [fax] = InboundFax.select()
    assert fax.document is not None
    assert fax.document.sha256 == hashlib.sha256(a_tiff()).hexdigest()
    assert [path.name for path in folder.iterdir()] == ["unreadable"]
