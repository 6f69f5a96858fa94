"""Emails through a real SMTP conversation with a relay that misbehaves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import schedule, tasks
from gateway.channels import email_smtp
from gateway.message import DeliveryError, Message
from models import ChannelName, DeliveryState, ErrorClass
from pmp import settings
from pmp.deliveries import marks
from tests.gateway.conftest import Clock, fresh, make_delivery, work
from tests.servers.relay import Relay, make_certificate

NOTICE = Message("doctor@example.org", subject="A notice", text="Sign in.\n")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return make_certificate(tmp_path)


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay() as running, settings.changed(mail_url=running.url):
        yield running


def refusal(relay: Relay) -> ErrorClass:
    with pytest.raises(DeliveryError) as error:
        email_smtp.send(NOTICE)
    assert relay.taken == []
    return error.value.error_class


def test_an_email_is_a_plain_notice_with_a_name_of_its_own(relay: Relay) -> None:
    reference = email_smtp.send(NOTICE)

    [mail] = relay.taken
    assert relay.recipients == ["doctor@example.org"]
    assert mail["Message-ID"] == marks.message_id(0)
    assert reference == "OK"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["From"].addresses[0].addr_spec == "pmp@example.org"
    assert mail.get_content().splitlines() == ["Sign in."]
    assert mail.get_content_type() == "text/plain"


def test_an_email_goes_through_verified_tls(certificate: Path) -> None:
    with (
        Relay(certificate=certificate) as relay,
        settings.changed(mail_url=relay.url, mail_ca_file=str(certificate)),
    ):
        email_smtp.send(NOTICE)

    assert relay.was_encrypted == [True]
    assert len(relay.taken) == 1


def test_a_certificate_that_nobody_vouches_for_stops_the_email(
    certificate: Path,
) -> None:
    with (
        Relay(certificate=certificate) as relay,
        settings.changed(mail_url=relay.url),
    ):
        assert refusal(relay) == ErrorClass.CONFIGURATION


def test_a_relay_without_tls_gets_nothing_unless_the_settings_say_so(
    relay: Relay,
) -> None:
    required = relay.url.replace("tls=none", "tls=required")
    with settings.changed(mail_url=required):
        assert refusal(relay) == ErrorClass.CONFIGURATION

    with settings.changed(mail_url=relay.url.replace("tls=none", "tls=optional")):
        email_smtp.send(NOTICE)
    assert relay.was_encrypted == [False]


@pytest.mark.parametrize(
    ("step", "error_class"),
    [
        ("421", ErrorClass.CARRIER_DOWN),
        ("450", ErrorClass.CARRIER_DOWN),
        ("550", ErrorClass.REJECTED),
        ("451-data", ErrorClass.CARRIER_DOWN),
        ("554-data", ErrorClass.DOCUMENT),
        ("drop-before", ErrorClass.CARRIER_DOWN),
        ("drop-data", ErrorClass.IN_DOUBT),
    ],
)
def test_what_the_relay_says_decides_what_follows(
    relay: Relay, step: str, error_class: ErrorClass
) -> None:
    relay.script = [step]

    assert refusal(relay) == error_class


def test_nobody_listens_at_the_relays_address() -> None:
    with Relay() as gone:
        url = gone.url
    with settings.changed(mail_url=url):
        assert refusal(gone) == ErrorClass.CARRIER_DOWN


def test_a_line_break_writes_no_header(relay: Relay) -> None:
    spoilt = Message("doctor@example.org", subject="A\nBcc: x@example.org", text="T\n")

    with pytest.raises(DeliveryError) as error:
        email_smtp.send(spoilt)

    assert error.value.error_class == ErrorClass.REJECTED
    assert relay.taken == []


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c", "a b@example.org"])
def test_what_is_no_address_is_refused_before_it_is_sent(
    relay: Relay, address: str
) -> None:
    with pytest.raises(DeliveryError) as error:
        email_smtp.send(Message(address, subject="A", text="T\n"))

    assert error.value.error_class == ErrorClass.REJECTED
    assert relay.recipients == []


def test_a_document_never_goes_by_email(relay: Relay) -> None:
    with pytest.raises(DeliveryError) as error:
        email_smtp.send(Message("doctor@example.org", pdf=b"%PDF-1"))

    assert error.value.error_class == ErrorClass.DOCUMENT
    assert relay.taken == []


@pytest.mark.usefixtures("db", "fixed_message")
def test_an_email_in_doubt_goes_again_under_the_same_name(
    relay: Relay, now: Clock
) -> None:
    relay.script = ["drop-after"]
    delivery = make_delivery(ChannelName.EMAIL)
    tasks.send_delivery.call_local(delivery.id)
    assert fresh(delivery).state == DeliveryState.IN_DOUBT

    for _ in range(3):
        now.go_on(minutes=2)
        schedule.sweep_deliveries()
        work()

    first, second = relay.taken
    assert first["Message-ID"] == second["Message-ID"]
    assert fresh(delivery).state == DeliveryState.SENT
    assert fresh(delivery).possible_duplicate


@pytest.mark.usefixtures("db", "fixed_message")
def test_a_relay_that_is_away_for_three_days_loses_no_email(
    relay: Relay, now: Clock
) -> None:
    relay.usual = "450"
    delivery = make_delivery(ChannelName.EMAIL)
    for _ in range(70):
        schedule.sweep_deliveries()
        work()
        now.go_on(hours=1)
    assert fresh(delivery).state == DeliveryState.QUEUED
    assert not fresh(delivery).needs_staff

    relay.usual = "ok"
    now.go_on(hours=4)
    schedule.sweep_deliveries()
    work()

    assert len(relay.taken) == 1
    assert fresh(delivery).state == DeliveryState.SENT


@pytest.mark.usefixtures("db", "fixed_message")
def test_a_refused_recipient_is_staffs_business_at_once(
    relay: Relay, now: Clock
) -> None:
    relay.script = ["550"]
    delivery = make_delivery(ChannelName.EMAIL)

    tasks.send_delivery.call_local(delivery.id)

    after = fresh(delivery)
    assert (after.state, after.needs_staff) == (DeliveryState.FAILED, True)
    assert after.error_text.startswith("550")
