"""Faxes through a real HTTP conversation with a carrier that misbehaves."""

import gc
from datetime import timedelta

import pytest
from twilio.http import HttpClient
from twilio.http.http_client import TwilioHttpClient

from gateway import schedule, tasks
from gateway.channels import fax_laml
from models import DeliveryAttempt, DeliveryEvent, DeliveryState, ErrorClass
from pmp import settings
from pmp.deliveries import carrier_copies
from pmp.deliveries.callbacks import Progress
from tests.conftest import NOW
from tests.gateway.conftest import Clock, fresh, make_delivery, sends_to, work
from tests.servers.carrier import Carrier

pytestmark = pytest.mark.usefixtures("db", "fixed_message")

LATER = timedelta(minutes=2)


def send(delivery_id: int) -> None:
    tasks.send_delivery.call_local(delivery_id)


def sweep() -> None:
    schedule.sweep_leases()
    schedule.sweep_deliveries()
    work()


def test_a_fax_is_taken_once(carrier: Carrier, now: Clock) -> None:
    delivery = make_delivery()

    send(delivery.id)
    send(delivery.id)

    [fax] = carrier.taken
    assert fax.to == "+18605550123"
    assert fax.media_url.startswith(f"{settings.current().public_url}/media/")
    assert fresh(delivery).state == DeliveryState.SUBMITTED
    [attempt] = DeliveryAttempt.select()
    assert attempt.carrier_reference == fax.sid


@pytest.mark.parametrize(
    ("step", "error_class", "state"),
    [
        ("503", ErrorClass.CARRIER_DOWN, DeliveryState.QUEUED),
        ("429:600", ErrorClass.THROTTLED, DeliveryState.QUEUED),
        ("400", ErrorClass.REJECTED, DeliveryState.FAILED),
        ("401", ErrorClass.CONFIGURATION, DeliveryState.QUEUED),
        ("500", ErrorClass.IN_DOUBT, DeliveryState.IN_DOUBT),
        ("502", ErrorClass.IN_DOUBT, DeliveryState.IN_DOUBT),
        ("hang", ErrorClass.IN_DOUBT, DeliveryState.IN_DOUBT),
        ("bad-json", ErrorClass.IN_DOUBT, DeliveryState.IN_DOUBT),
        ("html", ErrorClass.IN_DOUBT, DeliveryState.IN_DOUBT),
        ("accept-drop", ErrorClass.IN_DOUBT, DeliveryState.IN_DOUBT),
    ],
)
def test_what_goes_wrong_decides_what_follows(
    carrier: Carrier, now: Clock, step: str, error_class: ErrorClass, state: str
) -> None:
    carrier.script = [step]
    delivery = make_delivery()

    send(delivery.id)

    after = fresh(delivery)
    assert (after.error_class, after.state) == (error_class, state)
    assert after.lease_owner is None


def test_the_carriers_wish_to_wait_is_heeded(carrier: Carrier, now: Clock) -> None:
    carrier.script = ["429:600"]
    delivery = make_delivery()

    send(delivery.id)
    assert fresh(delivery).due_at == NOW + timedelta(seconds=600)

    now.go_on(seconds=599)
    sweep()
    assert carrier.taken == []
    now.go_on(seconds=2)
    sweep()
    assert len(carrier.taken) == 1


@pytest.mark.parametrize("step", ["accept-drop", "accept-hang"])
def test_a_fax_in_doubt_is_found_at_the_carrier_and_not_sent_again(
    carrier: Carrier, now: Clock, step: str
) -> None:
    carrier.script = ["ok", step]
    other, delivery = make_delivery(), make_delivery()
    send(other.id)
    send(delivery.id)
    assert fresh(delivery).state == DeliveryState.IN_DOUBT

    now.go_on(minutes=2)
    sweep()

    assert len(carrier.taken) == 2
    assert fresh(delivery).state == DeliveryState.DELIVERED
    assert not fresh(delivery).possible_duplicate


@pytest.mark.parametrize("step", ["500", "hang", "bad-json", "html"])
def test_a_fax_that_the_carrier_has_not_got_is_sent_again(
    carrier: Carrier, now: Clock, step: str
) -> None:
    carrier.script = [step]
    delivery = make_delivery()
    send(delivery.id)

    now.go_on(minutes=2)
    sweep()  # asks, and finds nothing
    now.go_on(minutes=2)
    sweep()

    assert len(carrier.taken) == 1
    assert fresh(delivery).state == DeliveryState.SUBMITTED


def test_a_fax_in_doubt_is_not_sent_again_while_the_carrier_cannot_be_asked(
    carrier: Carrier, now: Clock
) -> None:
    carrier.script, carrier.lists = ["accept-drop"], False
    delivery = make_delivery()
    send(delivery.id)

    for _ in range(30):
        now.go_on(minutes=15)
        sweep()

    assert len(carrier.taken) == 1
    after = fresh(delivery)
    assert (after.state, after.needs_staff) == (DeliveryState.HELD, True)
    assert after.possible_duplicate


def test_a_fax_whose_pages_were_fetched_is_never_sent_again_unasked(
    carrier: Carrier, now: Clock
) -> None:
    carrier.script = ["hang"]
    delivery = make_delivery()
    send(delivery.id)
    DeliveryAttempt.update(media_fetched_at=NOW).execute()

    now.go_on(minutes=2)
    sweep()

    assert fresh(delivery).state == DeliveryState.HELD
    assert fresh(delivery).needs_staff


def test_nobody_listens_at_the_carriers_address(now: Clock) -> None:
    with Carrier() as gone, sends_to(gone):
        pass
    with sends_to(gone):
        delivery = make_delivery()
        send(delivery.id)

    assert fresh(delivery).error_class == ErrorClass.CARRIER_DOWN
    assert fresh(delivery).state == DeliveryState.QUEUED


def test_a_silent_carrier_is_asked(carrier: Carrier, now: Clock) -> None:
    carrier.script = ["silent"]
    delivery = make_delivery()
    send(delivery.id)

    now.go_on(minutes=3)
    sweep()

    assert fresh(delivery).state == DeliveryState.DELIVERED
    [attempt] = DeliveryAttempt.select()
    assert attempt.pages_sent == 2


def test_a_busy_number_is_tried_again(carrier: Carrier, now: Clock) -> None:
    carrier.script = ["busy"]
    delivery = make_delivery()
    send(delivery.id)

    now.go_on(minutes=3)
    sweep()
    assert fresh(delivery).error_class == ErrorClass.BUSY
    now.go_on(minutes=3)
    sweep()

    assert len(carrier.taken) == 2
    assert [a.outcome for a in DeliveryAttempt.select()] == ["busy", "accepted"]


def test_the_carriers_copy_is_destroyed_when_all_is_over(
    carrier: Carrier, now: Clock
) -> None:
    done, waiting = make_delivery(), make_delivery()
    send(done.id)
    now.go_on(minutes=3)
    sweep()
    send(waiting.id)

    now.go_on(minutes=11)
    schedule.sweep_rest()
    work()
    schedule.sweep_rest()
    work()

    assert carrier.forgotten == [carrier.taken[0].sid]


def test_no_number_and_no_token_is_logged(
    carrier: Carrier, now: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="gateway")
    carrier.script = ["500", "ok"]
    for delivery in (make_delivery(), make_delivery()):
        send(delivery.id)

    said = caplog.text
    assert "in_doubt" in said
    assert "5550123" not in said
    assert "/media/" not in said


def test_a_worker_that_stopped_before_the_call_costs_nothing(
    carrier: Carrier, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = make_delivery()
    with monkeypatch.context() as stopped:
        stopped.setattr("gateway.sending._composed", lambda _: None)
        send(delivery.id)
    assert fresh(delivery).state == DeliveryState.SENDING

    now.go_on(minutes=6)
    sweep()

    assert len(carrier.taken) == 1
    assert not fresh(delivery).possible_duplicate
    assert DeliveryEvent.select().where(DeliveryEvent.note.contains("stopped")).count()


def test_a_worker_that_stopped_in_the_call_is_made_good_at_once(
    carrier: Carrier, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = make_delivery()
    with monkeypatch.context() as stopped:
        stopped.setattr("gateway.sending._call", lambda *_: None)
        send(delivery.id)

    now.go_on(minutes=6)
    sweep()

    assert len(carrier.taken) == 1
    assert fresh(delivery).state == DeliveryState.SUBMITTED
    assert not fresh(delivery).possible_duplicate


def test_a_message_that_stops_every_worker_is_not_tried_for_ever(
    carrier: Carrier, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = make_delivery()
    monkeypatch.setattr("gateway.sending._composed", lambda _: None)
    for _ in range(300):
        now.go_on(minutes=30)
        sweep()

    after = fresh(delivery)
    assert after.needs_staff
    assert after.attempts < 20


# --- What a call says, and what it leaves


def test_a_fax_goes_out_as_set_and_is_not_stored_there(
    carrier: Carrier, now: Clock
) -> None:
    with settings.changed(fax_quality="superfine"):
        send(make_delivery().id)
    send(make_delivery().id)

    first, second = carrier.sent_fields
    assert (first["Quality"], second["Quality"]) == ("superfine", "fine")
    assert first["StoreMedia"] == "false"
    assert first["From"] == settings.current().fax_number
    assert first["StatusCallback"].endswith("/hooks/fax/laml/status?attempt=1-1")


@pytest.mark.parametrize("region", ["TWILIO_REGION", "TWILIO_EDGE"])
def test_twilios_own_environment_changes_no_address(
    carrier: Carrier, now: Clock, monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    monkeypatch.setenv(region, "frankfurt")
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "somebody")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "else")

    send(make_delivery().id)

    assert len(carrier.taken) == 1


def test_no_request_stays_in_memory(carrier: Carrier, now: Clock) -> None:
    send(make_delivery().id)
    gc.collect()

    kept = [each for each in gc.get_objects() if isinstance(each, HttpClient)]
    assert not any(isinstance(each, TwilioHttpClient) for each in kept)
    assert not any(
        getattr(each, f"_test_only_last_{what}") is not None
        for each in kept
        for what in ("request", "response")
    )


def test_no_number_and_no_token_is_logged_by_any_library(
    carrier: Carrier, now: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="peewee")  # whoever sees statements sees all
    for name in ("", "twilio.http_client", "urllib3.connectionpool"):
        caplog.set_level("DEBUG", logger=name)
    carrier.script = ["500", "ok", "accept-drop"]
    for delivery in (make_delivery(), make_delivery(), make_delivery()):
        send(delivery.id)
    now.go_on(minutes=3)
    sweep()

    assert "in_doubt" in caplog.text
    for secret in ("5550123", "/media/", "token-1", "project-1"):
        assert secret not in caplog.text


@pytest.mark.parametrize(
    ("step", "error_class", "state"),
    [
        ("400:21212", ErrorClass.CONFIGURATION, DeliveryState.QUEUED),
        ("400:21211", ErrorClass.REJECTED, DeliveryState.FAILED),
        ("400:12300", ErrorClass.DOCUMENT, DeliveryState.FAILED),
        ("413", ErrorClass.DOCUMENT, DeliveryState.FAILED),
        ("403", ErrorClass.CONFIGURATION, DeliveryState.QUEUED),
        ("302", ErrorClass.CONFIGURATION, DeliveryState.QUEUED),
    ],
)
def test_a_refusal_is_the_numbers_the_documents_or_our_fault(
    carrier: Carrier, now: Clock, step: str, error_class: ErrorClass, state: str
) -> None:
    carrier.script = [step]
    delivery = make_delivery()

    send(delivery.id)

    after = fresh(delivery)
    assert (after.error_class, after.state) == (error_class, state)


def test_a_listed_fax_without_its_address_may_be_ours(
    carrier: Carrier, now: Clock
) -> None:
    carrier.script = ["hang"]
    delivery = make_delivery()
    send(delivery.id)
    carrier.list_rows = [
        listed("OLD1", "2026-11-22T09:00:00Z"),
        listed("NEW1", "Mon, 23 Nov 2026 15:14:05 +0000"),
    ]

    now.go_on(minutes=2)
    sweep()
    assert fresh(delivery).state == DeliveryState.IN_DOUBT

    del carrier.list_rows[1]
    now.go_on(minutes=6)
    sweep()
    now.go_on(minutes=2)
    sweep()
    assert fresh(delivery).state == DeliveryState.SUBMITTED


def test_a_listed_fax_of_another_attempt_is_not_ours(
    carrier: Carrier, now: Clock
) -> None:
    carrier.script = ["ok", "hang"]
    other, delivery = make_delivery(), make_delivery()
    send(other.id)
    [known] = carrier.taken
    known.media_url = ""
    send(delivery.id)

    now.go_on(minutes=2)
    sweep()
    now.go_on(minutes=2)
    sweep()

    assert fresh(delivery).state == DeliveryState.SUBMITTED


def listed(sid: str, made: str) -> dict[str, object]:
    """Give a row as of a carrier that no longer says whence it fetched the pages."""
    return {
        "sid": sid,
        "to": "+18605550123",
        "status": "delivered",
        "direction": "outbound",
        "media_url": None,
        "date_created": made,
    }


def test_a_word_that_means_nothing_is_told_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fax_laml, "_unknown", set())

    said = [fax_laml.report({"FaxSid": "FX1", "FaxStatus": "Dreaming"})] * 3
    for _ in range(3):
        fax_laml.report({"FaxSid": "FX1", "FaxStatus": "dreaming"})

    assert said[0].progress == Progress.UNDERWAY
    assert caplog.text.count("dreaming") == 1


@pytest.mark.parametrize("refusal", [401, 503])
def test_a_copy_that_does_not_go_is_asked_for_again(
    carrier: Carrier, now: Clock, refusal: int
) -> None:
    carrier.deletes = refusal
    delivery = make_delivery()
    send(delivery.id)
    now.go_on(minutes=3)
    sweep()
    now.go_on(minutes=11)

    for _ in range(3):
        schedule.sweep_rest()
        work()
    tried = [path for method, path in carrier.calls if method == "DELETE"]
    assert (len(tried), carrier.forgotten) == (1, [])

    carrier.deletes = 204
    now.go_on(minutes=7)
    for _ in range(3):
        schedule.sweep_rest()
        work()
    assert carrier.forgotten == [carrier.taken[0].sid]
    attempt = DeliveryAttempt.get()
    assert attempt.forgotten_at is not None
    assert carrier_copies.to_forget(carrier="laml", at=now.at) == []
    assert attempt.outcome != "forgotten"


def test_copies_that_do_not_go_hold_up_no_others(
    carrier: Carrier, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, other = make_delivery(), make_delivery()
    send(stuck.id)
    send(other.id)
    now.go_on(minutes=3)
    sweep()
    now.go_on(minutes=11)
    carrier_copies.not_forgotten(DeliveryAttempt.get(delivery=stuck), at=now.at)

    at, name = now.at, "laml"
    assert carrier_copies.to_forget(carrier=name, at=at, limit=1) == [
        DeliveryAttempt.get(delivery=other).id
    ]


def test_the_pages_of_a_fax_go_with_it(carrier: Carrier, now: Clock) -> None:
    path = "/api/laml/2010-04-01/Accounts/project-1/Faxes/FX9/Media.json"
    carrier.media[path] = (
        200,
        {},
        b'{"uri": "/", "media": [{"sid": "ME1"}, {"x": 1}]}',
    )

    fax_laml.forget("FX9")

    deleted = [
        path.rpartition("/")[2] for method, path in carrier.calls if method == "DELETE"
    ]
    assert deleted == ["ME1.json", "FX9.json"]
