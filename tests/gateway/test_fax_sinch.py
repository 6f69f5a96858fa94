"""Faxes through a real HTTP conversation with a carrier of Sinch's form."""

import hashlib
import io
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from pypdf import PdfReader

from gateway import channels, schedule, tasks
from gateway.channels import fax_sinch
from gateway.message import DeliveryError, Message
from models import (
    Delivery,
    DeliveryAttempt,
    DeliveryEvent,
    DeliveryState,
    ErrorClass,
    FaxStatus,
    InboundFax,
)
from pmp import documents as kept
from pmp import settings
from tests.conftest import NOW
from tests.gateway.conftest import (
    Clock,
    compose_pages,
    fresh,
    make_delivery,
    pdf_of,
    work,
)
from tests.pmp.test_callbacks import refused_calls
from tests.servers.sinch import NUMBER, SERVICE, Fax, Sinch

pytestmark = pytest.mark.usefixtures("db", "fixed_message")

PASSWORD = "a-password-for-incoming"


@pytest.fixture
def sinch() -> Iterator[Sinch]:
    """Give a carrier that cannot reach us, like that of an office behind a router."""
    with Sinch() as running, sends_to(running):
        yield running


@pytest.fixture
def calling(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sinch]:
    """Give a carrier and a portal that reach each other."""
    monkeypatch.setattr(fax_sinch, "is_reachable", lambda _: True)
    with Sinch() as carrier, sends_to(carrier, public_url=address):
        yield carrier


def sends_to(carrier: Sinch, **changes: Any) -> Any:
    return settings.changed(
        fax_url=carrier.url,
        fax_signing_key=PASSWORD,
        channel_timeout_seconds=2,
        **changes,
    )


def send(delivery: Delivery) -> None:
    tasks.send_delivery.call_local(delivery.id)


def sweep() -> None:
    schedule.sweep_leases()
    schedule.sweep_deliveries()
    work()


def test_a_fax_is_uploaded_and_followed_by_asking_alone(
    sinch: Sinch, now: Clock
) -> None:
    delivery = make_delivery()

    send(delivery)
    send(delivery)
    assert fresh(delivery).state == DeliveryState.SUBMITTED
    now.go_on(minutes=3)
    sweep()

    [fax] = sinch.taken
    [attempt] = DeliveryAttempt.select()
    assert (fax.to, fax.sender) == ("+18605550123", NUMBER)
    assert fax.fields["maxRetries"] == "0"
    mark = (attempt.media_sha256 or "")[:8]
    assert fax.header == f"CPMRS {attempt.idempotency_key} {mark}"
    assert fax.fields["serviceId"] == SERVICE
    assert fax.labels == {"pmp_attempt": attempt.media_sha256}
    assert "callbackUrl" not in fax.fields
    assert len(PdfReader(io.BytesIO(fax.file or b"")).pages) == 1
    assert fresh(delivery).state == DeliveryState.DELIVERED
    assert (attempt.carrier_reference, attempt.pages_sent) == (fax.id, 1)


@pytest.mark.parametrize(
    ("step", "error_class", "state"),
    [
        ("503", ErrorClass.CARRIER_DOWN, DeliveryState.QUEUED),
        ("429:600", ErrorClass.THROTTLED, DeliveryState.QUEUED),
        ("400", ErrorClass.REJECTED, DeliveryState.FAILED),
        ("400:to", ErrorClass.REJECTED, DeliveryState.FAILED),
        ("400:from", ErrorClass.CONFIGURATION, DeliveryState.QUEUED),
        ("400:file", ErrorClass.DOCUMENT, DeliveryState.FAILED),
        ("401", ErrorClass.CONFIGURATION, DeliveryState.QUEUED),
        ("402", ErrorClass.CONFIGURATION, DeliveryState.QUEUED),
        ("413", ErrorClass.DOCUMENT, DeliveryState.FAILED),
        ("500", ErrorClass.IN_DOUBT, DeliveryState.IN_DOUBT),
        ("hang", ErrorClass.IN_DOUBT, DeliveryState.IN_DOUBT),
        ("bad-json", ErrorClass.IN_DOUBT, DeliveryState.IN_DOUBT),
        ("html", ErrorClass.IN_DOUBT, DeliveryState.IN_DOUBT),
        ("accept-drop", ErrorClass.IN_DOUBT, DeliveryState.IN_DOUBT),
    ],
)
def test_what_goes_wrong_decides_what_follows(
    sinch: Sinch, now: Clock, step: str, error_class: ErrorClass, state: str
) -> None:
    sinch.script = [step]
    delivery = make_delivery()

    send(delivery)

    after = fresh(delivery)
    assert (after.error_class, after.state) == (error_class, state)
    if step == "429:600":
        wait = after.due_at - NOW  # as asked, or up to a fifth longer
        assert timedelta(seconds=600) <= wait <= timedelta(seconds=720)


def test_an_answer_without_end_is_cut(sinch: Sinch, now: Clock) -> None:
    sinch.script = ["accept-drip"]
    delivery = make_delivery()

    send(delivery)

    assert fresh(delivery).state == DeliveryState.IN_DOUBT
    now.go_on(minutes=2)
    sweep()
    assert len(sinch.taken) == 1
    assert fresh(delivery).state == DeliveryState.DELIVERED


@pytest.mark.parametrize("step", ["accept-drop", "accept-hang", "unlabelled"])
def test_a_fax_in_doubt_is_found_by_its_mark_on_a_later_page(
    sinch: Sinch, now: Clock, step: str
) -> None:
    sinch.list_page = 1
    sinch.script = ["ok", "ok", step]
    for delivery in (make_delivery(), make_delivery(), last := make_delivery()):
        send(delivery)
    assert fresh(last).state == DeliveryState.IN_DOUBT

    now.go_on(minutes=2)
    sweep()

    assert len(sinch.taken) == 3
    assert fresh(last).state == DeliveryState.DELIVERED
    assert not fresh(last).possible_duplicate


@pytest.mark.parametrize("step", ["500", "hang", "bad-json", "drip"])
def test_a_fax_that_is_surely_not_there_is_sent_again(
    sinch: Sinch, now: Clock, step: str
) -> None:
    sinch.script = ["ok", step]
    other, delivery = make_delivery(), make_delivery()
    send(other)
    send(delivery)

    now.go_on(minutes=2)
    sweep()  # asks, and finds the other's alone
    now.go_on(minutes=2)
    sweep()

    assert len(sinch.taken) == 2
    assert fresh(delivery).state == DeliveryState.SUBMITTED


@pytest.mark.parametrize("fault", ["unmarked", "no list", "no end"])
def test_a_fax_that_may_be_there_is_left_to_staff(
    sinch: Sinch, now: Clock, fault: str
) -> None:
    sinch.script = ["unmarked" if fault == "unmarked" else "accept-drop"]
    delivery = make_delivery()
    send(delivery)
    for fax in sinch.faxes:
        fax.labels = fax.labels if fault == "unmarked" else {"pmp_attempt": "other"}
    sinch.lists, sinch.list_ends = fault != "no list", fault != "no end"

    for _ in range(30):
        now.go_on(minutes=15)
        sweep()

    after = fresh(delivery)
    assert len(sinch.taken) == 1
    assert (after.state, after.needs_staff) == (DeliveryState.HELD, True)
    assert after.possible_duplicate


def test_an_unmarked_fax_of_before_is_no_reason_to_doubt(
    sinch: Sinch, now: Clock
) -> None:
    sinch.faxes.append(
        fax_of_before := fax_from_elsewhere(created="2026-11-22T09:00:00Z")
    )
    sinch.script = ["hang"]
    delivery = make_delivery()
    send(delivery)

    now.go_on(minutes=2)
    sweep()
    now.go_on(minutes=2)
    sweep()

    assert fax_of_before in sinch.taken
    assert fresh(delivery).state == DeliveryState.SUBMITTED


def fax_from_elsewhere(**fields: Any) -> Fax:
    return Fax("OLD1", "+18605550123", NUMBER, status="COMPLETED", **fields)


@pytest.mark.parametrize(
    ("step", "error_class"),
    [
        ("busy", ErrorClass.BUSY),
        ("no-answer", ErrorClass.NO_ANSWER),
        ("failed", ErrorClass.NOT_A_FAX),
        ("cut", ErrorClass.LINE_DROPPED),
    ],
)
def test_a_failed_fax_is_tried_again_by_our_plan(
    sinch: Sinch, now: Clock, step: str, error_class: ErrorClass
) -> None:
    sinch.script = [step]
    delivery = make_delivery()
    send(delivery)
    now.go_on(minutes=3)
    sweep()
    assert fresh(delivery).error_class == error_class

    now.go_on(minutes=16)
    sweep()
    now.go_on(minutes=3)
    sweep()

    assert len(sinch.taken) == 2
    assert fresh(delivery).state == DeliveryState.DELIVERED


def test_a_page_too_few_is_a_line_that_was_cut(
    sinch: Sinch, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    compose_pages(monkeypatch, 3)
    sinch.script = ["part"]
    delivery = make_delivery()
    send(delivery)
    now.go_on(minutes=3)
    sweep()

    after = fresh(delivery)
    [attempt] = DeliveryAttempt.select()
    assert (after.state, after.error_class) == (
        DeliveryState.QUEUED,
        ErrorClass.LINE_DROPPED,
    )
    assert attempt.pages_sent == 2
    assert "2 of 3 pages" in after.error_text


# --- Told by the carrier


@pytest.mark.parametrize(
    ("step", "state"),
    [
        ("ok", DeliveryState.DELIVERED),
        ("multipart", DeliveryState.DELIVERED),
        ("first", DeliveryState.DELIVERED),
        ("triple", DeliveryState.DELIVERED),
        ("reordered", DeliveryState.DELIVERED),
        ("late-failure", DeliveryState.DELIVERED),
        ("silent", DeliveryState.SUBMITTED),
        ("busy", DeliveryState.QUEUED),
    ],
)
def test_reports_move_a_fax_forwards_only(
    calling: Sinch, step: str, state: DeliveryState
) -> None:
    calling.script = [step]
    delivery = make_delivery()

    send(delivery)
    calling.settle()

    [fax] = calling.taken
    assert fresh(delivery).state == state
    assert {code for _, code in fax.reports} <= {204}
    lines = [
        event.note
        for event in DeliveryEvent.select().where(DeliveryEvent.source == "call-back")
        if event.note.startswith("carrier says")
    ]
    assert len(lines) == len({status for status, _ in fax.reports})


def test_a_report_needs_its_own_attempts_secret(calling: Sinch) -> None:
    calling.usual = "silent"
    mine, other = make_delivery(), make_delivery()
    send(mine)
    send(other)
    [first, second] = calling.taken
    done = {**first.row(), "status": "COMPLETED"}
    address = first.fields["callbackUrl"]
    secret = urlsplit(address).password or ""

    wrong = [
        address.replace(secret, "guess"),
        address.replace(f"fax:{secret}@", ""),
        address.replace(secret, PASSWORD),
        address.rpartition("?")[0],
        address.replace(secret, urlsplit(second.fields["callbackUrl"]).password or ""),
        address.rpartition("?")[0] + "?attempt=1-1%00",
    ]
    assert {calling.tell(each, done, None) for each in wrong} == {401}
    # With the right secret, but about the fax of another attempt.
    assert calling.tell(address, {**done, "id": second.id}, None) == 204

    assert {fresh(mine).state, fresh(other).state} == {DeliveryState.SUBMITTED}
    assert refused_calls() == 6
    assert calling.tell(address, done, None) == 204
    assert fresh(mine).state == DeliveryState.DELIVERED


@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"[]", b'{"fax": 7}', b'{"fax": "{"}', b"\xff\xfe"]
)
def test_a_report_that_cannot_be_read_is_refused(
    portal: Flask, sinch: Sinch, now: Clock, body: bytes
) -> None:
    delivery = make_delivery()
    send(delivery)
    DeliveryAttempt.update(media_sha256=hashlib.sha256(b"s").hexdigest()).execute()

    answer = portal.test_client().post(
        f"{fax_sinch.STATUS_PATH}?attempt={delivery.id}-1",
        data=body,
        auth=("fax", "s"),
        content_type="application/json",
    )

    assert answer.status_code == 400
    assert fresh(delivery).state == DeliveryState.SUBMITTED


def test_what_no_database_stores_is_left_out(
    portal: Flask, sinch: Sinch, now: Clock
) -> None:
    delivery = make_delivery()
    send(delivery)
    DeliveryAttempt.update(media_sha256=hashlib.sha256(b"s").hexdigest()).execute()
    row = sinch.taken[0].row()

    answer = portal.test_client().post(
        f"{fax_sinch.STATUS_PATH}?attempt={delivery.id}-1",
        json={
            "fax": {
                **row,
                "status": "FAILURE",
                "errorType": "CALL_ERROR",
                "errorMessage": "bad\0 \ud800 words",
            }
        },
        auth=("fax", "s"),
    )

    assert answer.status_code == 204
    assert "\0" not in fresh(delivery).error_text


# --- The carrier's copy


def test_the_pages_are_destroyed_until_they_are_gone(sinch: Sinch, now: Clock) -> None:
    sinch.deletes = False
    done, waiting = make_delivery(), make_delivery()
    send(done)
    now.go_on(minutes=3)
    sweep()
    send(waiting)

    now.go_on(minutes=11)
    schedule.sweep_rest()
    work()
    schedule.sweep_rest()
    work()
    tried = [path for method, path in sinch.calls if method == "DELETE"]
    assert (len(tried), sinch.destroyed) == (1, [])

    sinch.deletes = True
    now.go_on(minutes=6)
    for _ in range(2):
        schedule.sweep_rest()
        work()
    assert sinch.destroyed == [sinch.taken[0].id]
    assert DeliveryAttempt.get(delivery=done).outcome != "forgotten"


# --- Faxes that come in


def ask_for_faxes() -> None:
    schedule.sweep_incoming()
    work()


def test_faxes_that_came_in_are_listed_fetched_and_destroyed(
    sinch: Sinch, now: Clock
) -> None:
    sinch.list_page = 1
    fax = sinch.came_in(pdf_of(1))
    sinch.came_in(pdf_of(2), status="IN_PROGRESS")
    sinch.came_in(pdf_of(2), to="+18605550177")
    second = sinch.came_in(pdf_of(3))

    ask_for_faxes()
    ask_for_faxes()

    rows = list(InboundFax.select().order_by(InboundFax.id))
    assert [row.source_reference for row in rows] == [
        f"sinch:{fax.id}",
        f"sinch:{second.id}",
    ]
    assert {(row.status, row.from_number) for row in rows} == {
        (FaxStatus.UNMATCHED, "+18605550144")
    }
    assert rows[0].document is not None
    assert kept.read(rows[0].document) == pdf_of(1)
    schedule.sweep_rest()
    work()
    assert sinch.destroyed == [fax.id, second.id]


def test_a_fax_whose_pages_cannot_be_fetched_now_is_asked_for_again(
    sinch: Sinch, now: Clock
) -> None:
    sinch.came_in(pdf_of(1))
    sinch.file_status = 503
    ask_for_faxes()
    [row] = InboundFax.select()
    assert (row.status, row.document) == (FaxStatus.RECEIVED, None)

    sinch.file_status = 200
    now.go_on(minutes=3)
    schedule.sweep_faxes()
    work()

    assert InboundFax.get().status == FaxStatus.UNMATCHED


def test_a_fax_whose_pages_never_come_is_left_to_the_fax_desk(
    sinch: Sinch, now: Clock
) -> None:
    gone, slow = sinch.came_in(None), sinch.came_in(pdf_of(1))
    sinch.file_status = 503
    ask_for_faxes()
    now.go_on(minutes=62)
    schedule.sweep_faxes()
    work()

    assert {row.source_reference: row.status for row in InboundFax.select()} == {
        f"sinch:{gone.id}": FaxStatus.UNREADABLE,
        f"sinch:{slow.id}": FaxStatus.UNREADABLE,
    }


@pytest.mark.parametrize("form", [False, True])
@pytest.mark.parametrize("with_pages", [True, False])
def test_a_fax_is_announced_once_with_or_without_its_pages(
    calling: Sinch, *, form: bool, with_pages: bool
) -> None:
    fax = calling.came_in(pdf_of(1))
    sent = fax.file if with_pages else None
    fax.file = None if with_pages else fax.file
    base = settings.current().public_url.replace("://", f"://fax:{PASSWORD}@")
    address = f"{base}/hooks/fax/sinch/received"

    answers = [calling.tell(address, fax.row(), sent, form=form) for _ in range(2)]
    work()
    ask_for_faxes()

    [row] = InboundFax.select()
    assert answers == [204, 204]
    assert row.status == FaxStatus.UNMATCHED
    assert row.document is not None
    assert kept.read(row.document) == pdf_of(1)


def test_a_stranger_announces_nothing(calling: Sinch) -> None:
    fax = calling.came_in(pdf_of(1))
    address = f"{settings.current().public_url}/hooks/fax/sinch/received"
    guess = address.replace("://", "://fax:guess@")

    assert {calling.tell(each, fax.row(), fax.file) for each in (address, guess)} == {
        401
    }
    with settings.changed(fax_signing_key=""):
        empty = address.replace("://", "://fax:@")
        assert calling.tell(empty, fax.row(), fax.file) == 401
    assert InboundFax.select().count() == 0


# --- The rest


@pytest.mark.parametrize(
    ("address", "reachable"),
    [
        ("https://pmp.example.org", True),
        ("https://pmp.example.org:8443/portal", True),
        ("http://pmp.example.org", False),
        ("http://127.0.0.1:8000", False),
        ("https://localhost", False),
        ("https://192.168.1.20", False),
        ("https://10.0.0.7:8443", False),
        ("https://pmp.office.local", False),
        ("https://portal", False),
    ],
)
def test_an_address_inside_an_office_is_not_given_out(
    address: str, *, reachable: bool
) -> None:
    assert fax_sinch.is_reachable(address) is reachable


def test_no_number_no_token_and_no_secret_is_logged(
    sinch: Sinch, now: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="peewee")  # whoever sees statements sees all
    caplog.set_level("DEBUG")
    for name in ("urllib3", "urllib3.connectionpool", "twilio.http_client", "requests"):
        caplog.set_level("DEBUG", logger=name)
    sinch.script = ["500", "ok", "accept-drop"]
    for delivery in (make_delivery(), make_delivery(), make_delivery()):
        send(delivery)
    now.go_on(minutes=3)
    sweep()

    assert "in_doubt" in caplog.text
    for secret in ("5550123", "/media/", "secret-1", "project-1"):
        assert secret not in caplog.text
    assert logging.getLogger("urllib3").level <= logging.DEBUG


def test_the_channel_is_the_one_of_the_settings(sinch: Sinch) -> None:
    assert channels.with_receipts("sinch") is not None
    assert channels.with_receipts("laml") is None
    with settings.changed(fax_url="folder:"):
        assert channels.with_receipts("sinch") is None


def test_nothing_to_fax_is_a_fault_of_the_document(sinch: Sinch) -> None:
    with pytest.raises(DeliveryError) as refused:
        fax_sinch.send(Message("+18605550123"))

    assert refused.value.error_class == ErrorClass.DOCUMENT
    assert sinch.calls == []


def test_the_line_at_the_head_is_never_too_long(sinch: Sinch, now: Clock) -> None:
    with settings.changed(
        short_name="A name of a program that is much too long to fit"
    ):
        send(make_delivery())

    assert len(sinch.taken[0].header) <= 50
    assert sinch.taken[0].header.startswith("A name of a program")
