"""Emails given to a relay that breaks the conversation at any place of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import schedule, tasks
from gateway.channels import email_smtp
from gateway.message import DeliveryError, Message
from models import ChannelName, Delivery, DeliveryState, ErrorClass
from pmp import settings
from pmp.deliveries import marks
from tests.gateway.conftest import Clock, fresh, make_delivery, work
from tests.servers.crooked_relay import CrookedRelay
from tests.servers.relay import make_certificate

NOTICE = Message("doctor@example.org", subject="A notice", text="Sign in.\n")


@pytest.fixture
def relay() -> Iterator[CrookedRelay]:
    with CrookedRelay() as running, settings.changed(mail_url=running.url):
        yield running


def refusal(**changes: object) -> DeliveryError:
    with settings.changed(**changes), pytest.raises(DeliveryError) as error:
        email_smtp.send(NOTICE)
    return error.value


def send_for_a_day(now: Clock) -> Delivery:
    """Request one email and let the worker look after it for a day."""
    delivery = make_delivery(ChannelName.EMAIL)
    for _ in range(30):
        schedule.sweep_deliveries()
        work()
        now.go_on(minutes=48)
    return fresh(delivery)


@pytest.mark.usefixtures("db", "fixed_message")
@pytest.mark.parametrize(
    ("step", "copies", "may_be_double"),
    [
        ("ok", 1, False),
        ("refuse", 1, False),
        ("421", 1, False),
        ("450-rcpt", 1, False),
        ("450-mail", 1, False),
        ("550-mail", 1, False),  # about us: somebody puts it right
        ("452-data", 1, False),
        ("451-dot", 1, False),
        ("drop-data", 1, True),
        ("drop-after", 2, True),
        ("garbage", 2, True),
        ("auth-535", 1, False),
    ],
)
def test_a_relay_that_stumbles_once_loses_no_email(
    relay: CrookedRelay, now: Clock, step: str, copies: int, *, may_be_double: bool
) -> None:
    relay.script = [step]
    url = relay.url.replace("//", "//user:word@") if step == "auth-535" else relay.url

    with settings.changed(mail_url=url):
        after = send_for_a_day(now)

    assert after.state == DeliveryState.SENT
    assert len(relay.taken) == copies
    assert after.possible_duplicate == may_be_double
    assert {mail["Message-ID"] for mail in relay.taken} == {marks.message_id(after.id)}


@pytest.mark.usefixtures("db", "fixed_message")
@pytest.mark.parametrize(
    ("step", "error_class"),
    [
        ("550-rcpt", ErrorClass.REJECTED),
        ("554-dot", ErrorClass.DOCUMENT),
        ("rcpt: 452 4.2.2 mailbox full", ErrorClass.BUSY),
        ("rcpt: 552 5.2.2 mailbox full", ErrorClass.BUSY),
        ("dot: 552 5.3.4 too large", ErrorClass.DOCUMENT),
    ],
)
def test_what_does_not_pass_ends_within_a_day_and_goes_to_staff(
    relay: CrookedRelay, now: Clock, step: str, error_class: ErrorClass
) -> None:
    relay.usual = step

    after = send_for_a_day(now)

    assert (after.state, after.needs_staff) == (DeliveryState.FAILED, True)
    assert after.error_class == error_class
    assert relay.taken == []
    assert not after.possible_duplicate


@pytest.mark.usefixtures("db", "fixed_message")
@pytest.mark.parametrize(
    "step", ["refuse", "421", "451-dot", "452-data", "550-mail", "auth-535"]
)
def test_what_is_the_relays_fault_costs_no_email_in_a_day(
    relay: CrookedRelay, now: Clock, step: str
) -> None:
    relay.usual = step
    url = relay.url.replace("//", "//user:word@") if step == "auth-535" else relay.url

    with settings.changed(mail_url=url):
        after = send_for_a_day(now)

    assert after.state == DeliveryState.QUEUED
    assert after.needs_staff == (step in {"550-mail", "auth-535"})


@pytest.mark.usefixtures("db", "fixed_message")
def test_a_relay_that_never_answers_the_text_is_left_in_doubt(
    relay: CrookedRelay,
) -> None:
    relay.script = ["hang"]
    delivery = make_delivery(ChannelName.EMAIL)

    with settings.changed(channel_timeout_seconds=1):
        tasks.send_delivery.call_local(delivery.id)

    assert fresh(delivery).state == DeliveryState.IN_DOUBT
    assert len(relay.taken) == 1


def test_a_relay_that_drips_is_left_before_the_lease_is_over(
    relay: CrookedRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email_smtp, "MOST_TIMEOUTS", 0.5)
    relay.usual = "drip"

    error = refusal(channel_timeout_seconds=1)

    assert error.error_class == ErrorClass.CARRIER_DOWN
    assert str(error) == "the relay took too long"


@pytest.mark.parametrize(("timeout", "lease"), [(1, 2), (30, 300), (120, 121)])
def test_a_conversation_ends_before_its_lease(timeout: int, lease: int) -> None:
    with settings.changed(channel_timeout_seconds=timeout, lease_seconds=lease):
        assert timeout < email_smtp.longest_seconds() < lease


def test_a_relay_whose_tls_was_taken_away_gets_nothing(relay: CrookedRelay) -> None:
    error = refusal(mail_url=f"smtp://user:word@{relay.where}")

    assert error.error_class == ErrorClass.CONFIGURATION
    assert not any(line.lower().startswith(("auth", "mail")) for line in relay.lines)


@pytest.mark.parametrize(
    "wrong", [{"address": "127.0.0.9"}, {"days_left": -1}], ids=["another's", "over"]
)
def test_a_certificate_that_is_anothers_or_over_stops_the_email(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    certificate = make_certificate(tmp_path, **wrong)  # type: ignore[arg-type]
    with CrookedRelay(certificate=certificate) as relay:
        error = refusal(mail_url=relay.url, mail_ca_file=str(certificate))

    assert error.error_class == ErrorClass.CONFIGURATION
    assert not any(line.startswith("mail") for line in relay.lines)


@pytest.mark.parametrize(
    ("step", "error_class"),
    [
        ("rcpt: 550 5.1.1 unknown", ErrorClass.REJECTED),
        ("rcpt: 550 no such user", ErrorClass.REJECTED),
        ("rcpt: 550 5.2.1 disabled", ErrorClass.REJECTED),
        ("rcpt: 554 5.7.1 relay access denied", ErrorClass.CONFIGURATION),
        ("rcpt: 550 5.7.13 disabled", ErrorClass.REJECTED),
        ("rcpt: 530 5.7.0 STARTTLS first", ErrorClass.CONFIGURATION),
        ("rcpt: 450 4.7.1 greylisted", ErrorClass.BUSY),
        ("rcpt: 451 4.3.0 local trouble", ErrorClass.CARRIER_DOWN),
        ("rcpt: 550 4.7.1 codes that do not fit", ErrorClass.REJECTED),
        ("mail: 421 4.7.0 too many", ErrorClass.THROTTLED),
        ("mail: 553 5.1.8 sender unknown", ErrorClass.CONFIGURATION),
        ("mail: 552 too large", ErrorClass.DOCUMENT),
        ("dot: 554 no enhanced code", ErrorClass.DOCUMENT),
        ("rcpt: 554 5.7.1 Client host blocked", ErrorClass.CONFIGURATION),
        ("rcpt: 550 5.7.26 unauthenticated", ErrorClass.CONFIGURATION),
        ("rcpt: 550 5.7.1 this list is for members", ErrorClass.UNKNOWN),
        ("dot: 550 5.7.1 looks like spam", ErrorClass.UNKNOWN),
        ("dot: 550 5.7.1 SPF check failed", ErrorClass.CONFIGURATION),
        ("dot: 550 5.1.1 unknown after all", ErrorClass.REJECTED),
        ("dot: 421 4.7.0 too many", ErrorClass.BUSY),
    ],
)
def test_the_exact_code_and_the_moment_say_whose_fault_it_is(
    relay: CrookedRelay, step: str, error_class: ErrorClass
) -> None:
    relay.script = [step]

    error = refusal()

    assert error.error_class == error_class
    assert str(error) == step.partition(": ")[2]
    assert relay.taken == []


def test_word_of_failure_is_asked_for_where_it_can_be(relay: CrookedRelay) -> None:
    relay.offers.append("DSN")
    with settings.changed(mail_bounce_to="bounce@example.org"):
        email_smtp.send(Message("doctor@example.org", text="T\n", delivery_id=17))
        sender, mark = marks.envelope_sender(17), marks.envelope_id(17)

    assert sender.startswith("bounce+17.")
    assert f"mail FROM:<{sender}> RET=HDRS ENVID={mark}" in relay.lines
    wish = "rcpt TO:<doctor@example.org> NOTIFY=FAILURE,DELAY"
    assert wish in relay.lines


def test_a_relay_that_knows_no_such_wishes_hears_none(relay: CrookedRelay) -> None:
    email_smtp.send(NOTICE)

    assert "mail FROM:<pmp@example.org>" in relay.lines
    assert "rcpt TO:<doctor@example.org>" in relay.lines


def test_every_relay_can_carry_what_is_written(relay: CrookedRelay) -> None:
    text = "Zoë must sign in.\n.\n..two\n" + "x" * 300 + "\n"

    email_smtp.send(Message("doctor@example.org", subject="Für Zoë", text=text))

    [mail], [raw] = relay.taken, relay.texts
    assert mail.get_content().splitlines() == text.splitlines()
    assert mail["Subject"] == "Für Zoë"
    assert raw.isascii()
    assert max(len(line) for line in raw.splitlines()) <= 78
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_an_address_beyond_ascii_goes_where_the_relay_takes_it(
    relay: CrookedRelay,
) -> None:
    zoe = Message("zoë@example.org", subject="A notice", text="Sign in.\n")
    with pytest.raises(DeliveryError, match="letters beyond ASCII") as error:
        email_smtp.send(zoe)
    assert error.value.error_class == ErrorClass.REJECTED

    relay.offers.append("SMTPUTF8")
    email_smtp.send(zoe)

    assert "rcpt TO:<zoë@example.org>" in relay.lines
    assert "zoë@example.org" in str(relay.taken[0]["To"])


@pytest.mark.parametrize(
    "address", ["a@example.org\r\nRCPT TO:<b@example.org>", "a@example.org\n", "a\0@b"]
)
def test_a_line_break_in_an_address_reaches_no_relay(
    relay: CrookedRelay, address: str
) -> None:
    with pytest.raises(DeliveryError) as error:
        email_smtp.send(Message(address, subject="A", text="T\n"))

    assert error.value.error_class == ErrorClass.REJECTED
    assert relay.connections == 0
