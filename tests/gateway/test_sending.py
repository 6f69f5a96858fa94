"""What a channel is handed, what it leaves, and what happens when that fails."""

from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader

from gateway import documents, messages, schedule, tasks
from gateway.message import Message
from models import (
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorClass,
    Misdelivery,
    WhatBecame,
)
from pmp import documents as kept
from pmp import periods, settings
from pmp.errors import RuleError
from tests.conftest import NOW
from tests.gateway.conftest import Clock, fresh, make_delivery, work

pytestmark = pytest.mark.usefixtures("db")


def outgoing(kind: str) -> list[Path]:
    return sorted((settings.current().data_dir / "outgoing" / kind).iterdir())


def send(delivery: Delivery) -> Delivery:
    tasks.send_delivery.call_local(delivery.id)
    return fresh(delivery)


@pytest.mark.usefixtures("fixed_message")
def test_without_a_carrier_faxes_and_emails_are_files(now: Clock) -> None:
    fax, email = make_delivery(), make_delivery(ChannelName.EMAIL)

    assert send(fax).state == send(email).state == DeliveryState.SENT

    [page] = outgoing("fax")
    assert page.read_bytes().startswith(b"%PDF-")
    [notice] = outgoing("email")
    mail = message_from_bytes(notice.read_bytes(), policy=policy.default)
    assert mail["To"] == "doctor@example.org"
    assert mail["Subject"] == "A notice"


@pytest.mark.usefixtures("fixed_message")
def test_what_was_faxed_is_kept_encrypted(now: Clock) -> None:
    after = send(make_delivery())

    assert after.document is not None
    [page] = outgoing("fax")
    assert kept.read(after.document) == page.read_bytes()
    assert b"%PDF-" not in bytes(after.document.sealed or b"")


@pytest.mark.parametrize(
    ("fault", "error_class", "state"),
    [
        (RuleError("The case was withdrawn."), ErrorClass.DOCUMENT, "failed"),
        (documents.DocumentError("t: wide"), ErrorClass.DOCUMENT, "failed"),
        (documents.NotDrawnNowError("t: busy"), ErrorClass.UNKNOWN, "queued"),
        (KeyError("Roe, Jane"), ErrorClass.UNKNOWN, "queued"),
    ],
)
def test_a_message_that_cannot_be_made_is_told_to_staff_without_names(
    now: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: Exception,
    error_class: ErrorClass,
    state: str,
) -> None:
    def compose(*_: Any) -> Message:
        raise fault

    monkeypatch.setattr(messages, "compose", compose)

    after = send(make_delivery())

    assert (after.error_class, after.state) == (error_class, state)
    told = isinstance(fault, documents.DocumentError)  # it names the template alone
    why = fault if told else type(fault).__name__
    assert after.error_text == f"not composed: {why}"
    assert "Roe" not in caplog.text


@pytest.mark.usefixtures("fixed_message")
def test_a_letter_that_does_not_fit_waits_for_staff_not_for_the_printer(
    now: Clock,
) -> None:
    after = send(make_delivery(ChannelName.LETTER))

    assert (after.state, after.needs_staff) == (DeliveryState.FAILED, True)
    assert "The address has 0 lines" in after.error_text


@pytest.mark.usefixtures("fixed_message")
def test_nothing_is_sent_to_a_number_that_is_somebody_elses(now: Clock) -> None:
    astray, waits = make_delivery(), make_delivery()
    waits.further_routes = [["email", "doctor@example.org"]]
    waits.save()
    Misdelivery.create(
        delivery=astray,
        told_by="A bakery",
        became=WhatBecame.DESTROYED,
        recorded_by="lee",
        recorded_at=NOW,
    )

    after = send(waits)

    assert (after.state, after.error_class) == (
        DeliveryState.FAILED,
        ErrorClass.REJECTED,
    )
    assert after.needs_staff
    assert Delivery.get(Delivery.parent == waits).channel == ChannelName.EMAIL
    assert not (settings.current().data_dir / "outgoing" / "fax").exists()
    assert send(make_delivery(address="+18605550199")).state == DeliveryState.SENT


@pytest.mark.usefixtures("fixed_message")
def test_a_request_reaches_the_worker_by_itself(now: Clock) -> None:
    delivery = make_delivery(ChannelName.EMAIL)

    work()

    assert fresh(delivery).state == DeliveryState.SENT


@pytest.mark.usefixtures("fixed_message")
def test_a_queue_out_of_reach_loses_nothing(
    now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with settings.changed(queue_url="redis://127.0.0.1:9/0"):
        delivery = make_delivery(ChannelName.EMAIL)
    assert fresh(delivery).state == DeliveryState.QUEUED

    schedule.sweep_deliveries()
    work()

    assert fresh(delivery).state == DeliveryState.SENT


def test_a_period_is_claimed_once_and_the_next_again() -> None:
    first = periods.every(30, at=NOW)

    assert periods.claim("sweep", period=first, at=NOW)
    assert not periods.claim("sweep", period=first, at=NOW)
    assert periods.claim("night", period=first, at=NOW)


@pytest.mark.usefixtures("fixed_message")
def test_one_job_that_fails_does_not_stop_the_others(
    now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise OSError

    monkeypatch.setattr(schedule, "sweep_leases", broken)
    monkeypatch.setattr(schedule, "_last", {})
    delivery = make_delivery(ChannelName.EMAIL)
    while tasks.send_delivery.huey.dequeue():
        pass

    schedule.tick()
    work()

    assert fresh(delivery).state == DeliveryState.SENT


def test_every_kind_has_its_composer() -> None:
    assert set(messages.COMPOSERS) == set(DeliveryKind)


def test_the_words_of_a_mail_cannot_write_a_header(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = {
        "x/subject.txt": "Ticket {{ number }}\n",
        "x/body.txt": "Sign in at {{ program.public_url }}: {{ note }}\n\n",
    }
    monkeypatch.setattr(messages.environment(), "loader", DictLoader(words))

    mail = messages.mail(
        make_delivery(ChannelName.EMAIL),
        "x",
        number="7\r\nBcc: x@example.org",
        note="a < b & c",
    )

    assert mail.subject == "Ticket 7 Bcc: x@example.org"
    assert mail.text == "Sign in at http://127.0.0.1:8000: a < b & c\n"
