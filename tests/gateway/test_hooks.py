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
from gateway.channels import fax_laml
from gateway.queue import huey
from models import (
    Delivery,
    DeliveryAttempt,
    DeliveryEvent,
    DeliveryState,
    ErrorClass,
    FaxStatus,
    InboundFax,
)
from pmp import documents, settings
from pmp.deliveries import callbacks, signatures
from tests.conftest import NOW
from tests.gateway.conftest import Clock, fresh, make_delivery, work
from tests.pmp.test_callbacks import refused_calls
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

    assert refused_calls() == 3
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

    schedule.pick_up_faxes()
    work()

    text, fax = InboundFax.select().order_by(InboundFax.id)
    assert fax.document is not None
    assert fax.document.sha256 == hashlib.sha256(a_tiff()).hexdigest()
    assert (text.status, text.note) == (
        FaxStatus.UNREADABLE,
        "The file is not a PDF, TIFF or PNG.",
    )
    assert text.document is not None
    assert documents.read(text.document) == b"not a fax"
    assert list(folder.iterdir()) == []


def test_one_file_that_cannot_be_read_stops_no_other(
    now: Clock, db: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.inbound.SETTLED_SECONDS", -1e12)
    folder = Path(db.data_dir) / "faxes-in"
    folder.mkdir()
    for name in ("1.tiff", "2.tiff"):
        (folder / name).write_bytes(a_tiff())
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "1.tiff":
            raise PermissionError(path)
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)

    schedule.pick_up_faxes()

    assert InboundFax.select().count() == 1
    assert [path.name for path in folder.iterdir()] == ["1.tiff"]


def test_files_too_large_to_keep_are_put_aside_unread_under_names_of_their_own(
    now: Clock, db: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.inbound.SETTLED_SECONDS", -1e12)
    monkeypatch.setattr("gateway.pages.LARGEST_FILE", 10)
    folder = Path(db.data_dir) / "faxes-in"
    folder.mkdir()
    for body in (b"II*\x00 the first", b"II*\x00 the second"):
        (folder / "scan.tiff").write_bytes(body)
        schedule.pick_up_faxes()

    aside = sorted((folder / "unreadable").iterdir())

    assert [path.name for path in aside] == ["scan-2.tiff", "scan.tiff"]
    assert InboundFax.select().count() == 0


# --- Whatever a carrier, or somebody in its name, sends


@pytest.mark.parametrize("path", ["status", "received"])
@pytest.mark.parametrize(
    "body",
    [
        b"FaxSid=FX1%00&FaxStatus=delivered",
        b"FaxSid=FX1&FaxStatus=delivered&RemoteStationId=a%00b",
        b"FaxSid=FX1&From=%FF%FE&MediaUrl=x",
        b"FaxSid=\xff\xfe&FaxStatus=delivered",
        b"Fax\x00Sid=FX1",
    ],
)
def test_signed_bytes_that_cannot_be_read_are_refused(
    client: FlaskClient, path: str, body: bytes
) -> None:
    url = f"/hooks/fax/laml/{path}"

    answer = client.post(url, data=body, headers=signed_raw(url, body))

    assert answer.status_code == 400
    assert InboundFax.select().count() == DeliveryEvent.select().count() == 0


def test_a_key_that_cannot_be_read_is_refused(client: FlaskClient) -> None:
    url, body = "/hooks/fax/laml/status?attempt=1-1%00", b"FaxSid=FX1"

    assert client.post(url, data=body, headers=signed_raw(url, body)).status_code == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"FaxSid": "F" * 300, "FaxStatus": "delivered"},
        {"FaxSid": "", "FaxStatus": "delivered"},
        {"FaxSid": "FX\x7f\n", "FaxStatus": "delivered"},
        {"FaxSid": "FX9", "FaxStatus": "d" * 300, "NumPages": "9" * 300},
        {"FaxSid": "FX9", "FaxStatus": "failed", "ErrorMessage": "\n\t" * 3000},
        {"FaxSid": "FX9", "FaxStatus": "failed", "RemoteStationId": "\u2028" * 300},
        {"FaxStatus": "delivered"},
    ],
)
def test_signed_words_that_are_absurd_change_nothing_and_break_nothing(
    client: FlaskClient, carrier: Carrier, fields: dict[str, str]
) -> None:
    with settings.changed(public_url=PUBLIC):
        delivery = make_delivery()
        tasks.send_delivery.call_local(delivery.id)
        url = f"/hooks/fax/laml/status?attempt={delivery.id}-1"
        body = urlencode(fields).encode()

        answer = client.post(url, data=body, headers=signed_raw(url, body))

    assert answer.status_code == 204
    assert fresh(delivery).state == DeliveryState.SUBMITTED


def signed_raw(path: str, body: bytes, key: str = KEY) -> dict[str, str]:
    made = hmac.new(key.encode(), f"{PUBLIC}{path}".encode() + body, "sha256")
    return {"X-SignalWire-SHA256-Signature": made.hexdigest(), "Content-Type": FORM}


@pytest.mark.parametrize(
    ("ours", "signed"),
    [
        ("https://pmp.example.org", "https://pmp.example.org:443"),
        ("https://pmp.example.org:443", "https://pmp.example.org"),
        ("https://pmp.example.org:8443", "https://pmp.example.org:8443"),
        ("https://pmp.example.org/portal/", "https://pmp.example.org/portal"),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_port_a_path_and_a_stroke_are_no_forgery(
    client: FlaskClient, ours: str, signed: str, slash: str
) -> None:
    path, fields = f"/hooks/fax/laml/status{slash}?attempt=1-1", {"FaxSid": "FX1"}
    headers = {**signature(f"{signed}{path}", fields), "Host": "10.0.0.7:8000"}

    with settings.changed(public_url=ours):
        answer = client.post(path, data=fields, headers=headers)

    assert answer.status_code == 204


@pytest.mark.parametrize(
    ("ours", "signed"),
    [
        (PUBLIC, f"{PUBLIC}:8443"),
        (PUBLIC, f"{PUBLIC}:80"),
        (f"{PUBLIC}:8443", PUBLIC),
        (f"{PUBLIC}:8443", f"{PUBLIC}:443"),
    ],
)
def test_another_port_is_a_forgery(client: FlaskClient, ours: str, signed: str) -> None:
    path, fields = "/hooks/fax/laml/status", {"FaxSid": "FX1"}
    headers = signature(f"{signed}{path}", fields)

    with settings.changed(public_url=ours):
        answer = client.post(path, data=fields, headers=headers)

    assert answer.status_code == 403


def test_twilios_signature_in_sha256_is_told_by_its_header() -> None:
    url, fields = f"{PUBLIC}/x", {"B": "2", "A": "é"}
    body = urlencode(fields).encode()
    made = RequestValidator(KEY).compute_signature(url, fields, "HMAC_SHA256")
    weak = RequestValidator(KEY).compute_signature(url, fields)

    def signed(value: str, told: str) -> bool:
        name = "X-Twilio-Webhooks-Signature-Settings"
        headers = {"X-Twilio-Signature": value, name: told}
        return signatures.is_signed(url=url, body=body, headers=headers, key=KEY)

    assert signed(made, "key=webhooks_1,algorithm=HMAC_SHA256")
    assert signed(weak, "key=webhooks_1")
    assert signed(weak, "")
    assert not signed(weak, "algorithm=HMAC_SHA256")
    assert not signed(made, "algorithm=HMAC_SHA1")
    assert not signed(made, "algorithm=HMAC_MD5")


def test_a_replayed_call_changes_nothing_and_leaves_no_second_line(
    calling: Carrier, now: Clock
) -> None:
    sent(calling, "busy")
    [fax] = calling.taken
    before = list(DeliveryEvent.select().dicts())
    now.go_on(days=3)

    for _ in range(5):
        assert calling.post(fax.status_url, callback(fax, "busy")) == 204

    assert list(DeliveryEvent.select().dicts()) == before
    assert DeliveryAttempt.select().count() == 1


# --- The media address


@pytest.fixture
def media_path(carrier: Carrier, now: Clock) -> str:
    """Give the address of the pages of a fax that the carrier has taken."""
    tasks.send_delivery.call_local(make_delivery().id)
    return carrier.taken[0].media_url.removeprefix(settings.current().public_url)


def test_asking_how_long_the_pages_are_is_not_having_them(
    portal: Flask, media_path: str
) -> None:
    browser = portal.test_client()

    head, body = browser.head(media_path), browser.get(media_path)

    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(body.data))
    assert head.mimetype == body.mimetype == "application/pdf"
    assert "no-store" in head.headers["Cache-Control"]
    lines = [line.note for line in DeliveryEvent.select() if line.source == "carrier"]
    assert lines == ["pages asked for from 127.0.0.1", "pages fetched from 127.0.0.1"]


def test_only_asking_leaves_the_pages_unfetched(portal: Flask, media_path: str) -> None:
    portal.test_client().head(media_path)

    assert DeliveryAttempt.get().media_fetched_at is None


def test_each_fetch_leaves_a_line_but_not_without_end(
    portal: Flask, media_path: str
) -> None:
    browser = portal.test_client()

    assert {browser.get(media_path).status_code for _ in range(30)} == {200}

    lines = DeliveryEvent.select().where(DeliveryEvent.source == "carrier")
    assert lines.count() == 20


@pytest.mark.parametrize(
    "end",
    ["withdrawn", "failed", "failed and held", "another attempt", "after a doubt"],
)
def test_the_pages_are_gone_with_their_attempt(
    portal: Flask, media_path: str, carrier: Carrier, now: Clock, end: str
) -> None:
    browser = portal.test_client()
    assert browser.get(media_path).status_code == 200
    attempt = DeliveryAttempt.get()

    if end == "withdrawn":
        Delivery.update(state=DeliveryState.CANCELLED).execute()
    elif end == "after a doubt":
        Delivery.update(state=DeliveryState.QUEUED).execute()
        DeliveryAttempt.update(error_class=ErrorClass.IN_DOUBT).execute()
    else:
        report = fax_laml.report({"FaxSid": "FX0000", "FaxStatus": "busy"})
        callbacks.apply(report, carrier="laml", source="call-back", at=now.at)
    if end == "failed and held":
        Delivery.update(state=DeliveryState.HELD).execute()
    if end in {"another attempt", "after a doubt"}:
        now.go_on(minutes=3)
        tasks.send_delivery.call_local(attempt.delivery.id)
        newer = carrier.taken[1].media_url.removeprefix(settings.current().public_url)
        assert browser.get(newer).status_code == 200

    assert browser.get(media_path).status_code == 410
    assert browser.head(media_path).status_code == 410


# --- The carrier's copy of what came in


def test_a_fax_that_came_in_is_destroyed_at_the_carrier_once_it_is_kept(
    calling: Carrier, now: Clock
) -> None:
    calling.media["/files/1.tiff"] = (200, {}, a_tiff())
    announced(calling, f"http://{calling.host}/files/1.tiff")
    announced(calling, f"http://{calling.host}/files/2.tiff", sid="FXIN2")
    work()
    calling.deletes = 503
    schedule.sweep_rest()
    work()
    assert calling.forgotten == []

    calling.deletes = 204
    now.go_on(minutes=6)
    for _ in range(3):
        schedule.sweep_rest()
        work()

    assert calling.forgotten == ["FXIN1"]  # the other's pages are not here


def test_pages_that_cannot_be_had_now_are_fetched_later(
    calling: Carrier, now: Clock
) -> None:
    calling.media["/files/1.tiff"] = (503, {}, b"")
    path = "/api/laml/2010-04-01/Accounts/project-1/Faxes/FXIN1.json"
    url = f"http://{calling.host}/files/1.tiff"
    calling.media[path] = (200, {}, json.dumps({"media_url": url}).encode())
    announced(calling, url)
    work()
    assert InboundFax.get().status == FaxStatus.RECEIVED

    calling.media["/files/1.tiff"] = (200, {}, a_tiff())
    now.go_on(minutes=3)
    schedule.sweep_faxes()
    work()

    assert InboundFax.get().status == FaxStatus.UNMATCHED
