"""Text messages over a real connection to a Twilio of our own, failures and all."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from waitress.server import create_server

from gateway import asking, schedule, sending, tasks
from gateway.channels import sms_twilio
from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    DeliveryState,
    ErrorClass,
    Role,
    TextNumber,
    User,
)
from pmp import settings
from pmp.deliveries import callbacks
from pmp.errors import RuleError
from pmp.reaching import checks, own_ways, texts
from pmp.registration import notices
from tests.conftest import NOW
from tests.factories import make_application, make_user
from tests.gateway.conftest import Clock, fresh, work
from tests.pmp.test_callbacks import refused_calls
from tests.portals import portal_for
from tests.servers.raw import dripping
from tests.servers.sms import SENDER, TOKEN, Twilio, signature

pytestmark = pytest.mark.usefixtures("db")

MOBILE = "+18605550150"
STATES = DeliveryState


@pytest.fixture
def twilio(now: Clock) -> Iterator[Twilio]:
    with Twilio(reports=False) as running, sends_by(running):
        yield running


def sends_by(twilio: Twilio, **changes: Any) -> Any:
    return settings.changed(
        sms_url=twilio.url, sms_from=SENDER, channel_timeout_seconds=1, **changes
    )


@pytest.fixture
def portal(db: settings.Settings) -> Flask:
    return portal_for(db)


@pytest.fixture
def calling(portal: Flask, now: Clock) -> Iterator[Twilio]:
    """Give a Twilio and a portal that reach each other."""
    server = create_server(portal, host="127.0.0.1", port=0, threads=4)
    Thread(target=server.run, daemon=True).start()
    address = f"http://127.0.0.1:{server.effective_port}"
    with Twilio() as running, sends_by(running, public_url=address):
        yield running
    server.close()


def code_to(user: User | None = None) -> Delivery:
    """Have a code sent to somebody's mobile, and try once."""
    user = user or make_user(Role.PHARMACY)
    check = own_ways.prove_mobile(user, number=MOBILE, agreed=True, by=user, at=NOW)
    delivery = Delivery.get(
        Delivery.kind == DeliveryKind.MOBILE_CODE, Delivery.subject_id == check.id
    )
    sending.attempt(delivery.id)
    return fresh(delivery)


def test_a_code_goes_out_and_proves_the_mobile(twilio: Twilio) -> None:
    user = make_user(Role.PHARMACY, name="ADAMS, RUTH")

    delivery = code_to(user)

    assert delivery.state == STATES.SUBMITTED
    [text] = twilio.taken
    check = checks.open_check(user, ChannelName.SMS, at=NOW)
    assert check
    assert text.fields["To"] == MOBILE
    assert text.fields["From"] == SENDER
    assert f"{check.code} is the code" in text.fields["Body"]
    assert "ADAMS" not in text.fields["Body"]
    assert len(text.fields["Body"]) <= 160
    assert text.fields["ContentRetention"] == "discard"
    assert text.fields["AddressRetention"] == "obfuscate"
    assert not texts.may_go_to(MOBILE)
    checks.typed(user, channel=ChannelName.SMS, code=check.code, by=user, at=NOW)
    assert texts.may_go_to(MOBILE)
    assert User.get_by_id(user.id).mobile == MOBILE


def test_consent_is_asked_before_the_first(twilio: Twilio) -> None:
    user = make_user(Role.PHARMACY)

    with pytest.raises(RuleError, match="Tick") as refused:
        own_ways.prove_mobile(user, number=MOBILE, agreed=False, by=user, at=NOW)

    assert refused.value.field == "agreed"
    assert twilio.calls == []


@pytest.mark.parametrize(
    ("step", "state", "error"),
    [
        ("401", STATES.QUEUED, ErrorClass.CONFIGURATION),
        ("429:7", STATES.QUEUED, ErrorClass.THROTTLED),
        ("503", STATES.QUEUED, ErrorClass.CARRIER_DOWN),
        ("500", STATES.IN_DOUBT, ErrorClass.IN_DOUBT),
        ("hang", STATES.IN_DOUBT, ErrorClass.IN_DOUBT),
        ("html", STATES.IN_DOUBT, ErrorClass.IN_DOUBT),
        ("accept-drop", STATES.IN_DOUBT, ErrorClass.IN_DOUBT),
        ("21211", STATES.FAILED, ErrorClass.REJECTED),
        ("21614", STATES.FAILED, ErrorClass.REJECTED),
        ("21606", STATES.QUEUED, ErrorClass.CONFIGURATION),
        ("21610", STATES.FAILED, ErrorClass.REJECTED),
        ("21799", STATES.FAILED, ErrorClass.REJECTED),
    ],
)
def test_what_follows_from_a_refusal(
    twilio: Twilio, step: str, state: DeliveryState, error: ErrorClass
) -> None:
    twilio.script = [step]

    delivery = code_to()

    assert (delivery.state, delivery.error_class) == (state, error)
    assert "token-1" not in delivery.error_text
    assert not (delivery.needs_staff and state == STATES.FAILED)


def test_an_answer_in_drops_is_cut_and_leaves_a_text_in_doubt(twilio: Twilio) -> None:
    with dripping() as server:
        with settings.changed(sms_url=f"twilio+http://AC1:token-1@{server.host}"):
            delivery = code_to()

        assert server.sent < 150
    assert server.heard
    assert delivery.state == STATES.IN_DOUBT


def test_a_text_in_doubt_goes_again_and_is_marked(twilio: Twilio, now: Clock) -> None:
    twilio.script = ["accept-drop"]
    delivery = code_to()

    asking.about_doubt(delivery.id)
    now.go_on(minutes=2)
    sending.attempt(delivery.id)

    again = fresh(delivery)
    assert (again.state, again.possible_duplicate) == (STATES.SUBMITTED, True)
    assert len(twilio.taken) == 2


def test_an_account_that_may_not_ask_for_privacy_sends_all_the_same(
    twilio: Twilio,
) -> None:
    twilio.script = ["no-privacy"]

    assert code_to().state == STATES.SUBMITTED

    assert "ContentRetention" not in twilio.taken[0].fields
    assert len(twilio.calls) == 2


def test_a_mobile_that_said_stop_gets_nothing_any_more(twilio: Twilio) -> None:
    twilio.script = ["21610"]
    user = make_user(Role.PHARMACY)
    code_to(user)
    noise = make_application(mobile="+18605550151")

    assert texts.is_stopped(MOBILE)
    with pytest.raises(RuleError, match="STOP"):
        own_ways.prove_mobile(user, number=MOBILE, agreed=True, by=user, at=NOW)
    for application in (make_application(mobile=MOBILE), noise):
        notices.notify(application, at=NOW)
    texted = Delivery.select().where(
        Delivery.channel == ChannelName.SMS,
        Delivery.kind == DeliveryKind.REGISTRATION_NOTICE,
    )
    assert [each.address for each in texted] == ["+18605550151"]


def test_a_stop_that_the_carrier_tells_afterwards_is_kept(twilio: Twilio) -> None:
    code_to()
    sid = twilio.taken[0].sid
    said = {"MessageSid": sid, "MessageStatus": "undelivered", "ErrorCode": "21610"}

    callbacks.apply(
        sms_twilio.report(said), carrier="twilio", source="call-back", at=NOW
    )

    assert texts.is_stopped(MOBILE)
    assert not texts.is_stopped("+18605550151")


def test_a_copy_that_is_not_destroyed_is_not_taken_for_destroyed(
    twilio: Twilio, now: Clock
) -> None:
    delivery = code_to()
    twilio.settle()
    now.go_on(minutes=5)
    schedule.sweep_deliveries()
    work()
    now.go_on(minutes=11)

    with settings.changed(sms_url=twilio.url.replace(TOKEN, "another")):
        schedule.sweep_rest()
        work()
    attempt = DeliveryAttempt.get(DeliveryAttempt.delivery == delivery)
    assert (attempt.forgotten_at, twilio.forgotten) == (None, [])
    assert attempt.forget_due_at

    now.go_on(hours=1)
    twilio.taken.clear()  # it has none: all the same to us
    schedule.sweep_rest()
    work()
    assert DeliveryAttempt.get_by_id(attempt.id).forgotten_at == now.at


def test_a_text_that_waited_when_stop_came_is_not_sent(twilio: Twilio) -> None:
    application = make_application(mobile=MOBILE)
    notices.notify(application, at=NOW)
    texts.stop(MOBILE, how="STOP by text message", at=NOW)

    work()

    assert twilio.taken == []
    texted = Delivery.get(Delivery.channel == ChannelName.SMS)
    assert (texted.state, texted.needs_staff) == (STATES.FAILED, False)


def test_a_registrations_text_holds_no_name_and_comes_beside_the_notice(
    twilio: Twilio,
) -> None:
    application = make_application(
        mobile=MOBILE, email="oakes@example.org", last_name="OAKES"
    )

    notices.notify(application, at=NOW)
    work()

    [text] = twilio.taken
    assert f"/registration/{application.code}" in text.fields["Body"]
    assert "OAKES" not in text.fields["Body"]
    channels = {each.channel for each in Delivery.select()}
    assert channels == {ChannelName.SMS, ChannelName.EMAIL}


def test_without_a_setting_nobody_is_texted(db: settings.Settings) -> None:
    notices.notify(make_application(mobile=MOBILE), at=NOW)

    assert {each.channel for each in Delivery.select()} == {ChannelName.EMAIL}


def test_a_silent_carrier_is_asked_and_its_copy_destroyed(
    twilio: Twilio, now: Clock
) -> None:
    delivery = code_to()
    twilio.settle()
    now.go_on(minutes=5)

    schedule.sweep_deliveries()
    work()
    assert fresh(delivery).state == STATES.DELIVERED
    now.go_on(minutes=11)
    schedule.sweep_rest()
    work()

    assert twilio.forgotten == [twilio.taken[0].sid]


def test_a_text_of_which_no_more_is_heard_counts_as_sent(
    twilio: Twilio, now: Clock
) -> None:
    delivery = code_to()
    twilio.settle()
    twilio.taken[0].status = "sent"
    now.go_on(hours=25)

    asking.about_silence(delivery.id)

    assert (fresh(delivery).state, fresh(delivery).needs_staff) == (STATES.SENT, False)


# --- Call-backs


@pytest.mark.parametrize(
    ("step", "state", "error"),
    [
        ("ok", STATES.DELIVERED, None),
        ("first", STATES.DELIVERED, None),
        ("30003", STATES.QUEUED, ErrorClass.NO_ANSWER),
        ("30005", STATES.FAILED, ErrorClass.REJECTED),
        ("30006", STATES.FAILED, ErrorClass.REJECTED),
        ("30007", STATES.FAILED, ErrorClass.DOCUMENT),
        ("30008", STATES.QUEUED, ErrorClass.UNKNOWN),
    ],
)
def test_what_the_call_backs_say(
    calling: Twilio, step: str, state: DeliveryState, error: ErrorClass | None
) -> None:
    calling.script = [step]

    delivery = code_to()
    calling.settle()

    assert {code for _, code in calling.taken[0].callbacks} == {204}
    after = fresh(delivery)
    assert (after.state, after.error_class) == (state, error)
    [attempt] = DeliveryAttempt.select()
    assert attempt.carrier_reference == calling.taken[0].sid


PUBLIC = "https://pmp.example.org"


@pytest.mark.parametrize("what", ["status", "received"])
def test_a_forged_call_back_is_refused_and_on_record(
    portal: Flask, twilio: Twilio, what: str
) -> None:
    path = f"/hooks/sms/twilio/{what}"
    fields = {"MessageSid": "SM1", "From": MOBILE, "Body": "STOP"}
    client = portal.test_client()
    with settings.changed(public_url=PUBLIC):
        forged: tuple[dict[str, str], ...] = (
            signature(PUBLIC + path, fields, "another token"),
            signature("https://elsewhere.example.org" + path, fields),
            signature(PUBLIC + path, fields | {"Body": "START"}),
            {},
        )
        for headers in forged:
            assert client.post(path, data=fields, headers=headers).status_code == 403
        right = signature(PUBLIC + path, fields)
        assert client.post(path, data=fields, headers=right).status_code < 300
    with settings.changed(sms_url=""):
        assert client.post(path, data=fields, headers=right).status_code == 403
    assert refused_calls() == 5


@pytest.mark.parametrize(
    ("words", "stopped"),
    [
        ("STOP", True),
        (" stop. ", True),
        ("Unsubscribe", True),
        ("please stop calling", False),
        ("Thanks", False),
    ],
)
def test_stop_and_start_are_honoured(
    portal: Flask, twilio: Twilio, *, words: str, stopped: bool
) -> None:
    texts.agree("+18605550151", by="noise", at=NOW)
    texts.agree(MOBILE, by="user", at=NOW)

    answer = hear(portal, words)
    assert answer == "<Response/>"
    assert texts.may_go_to(MOBILE) is not stopped
    assert texts.may_go_to("+18605550151")
    hear(portal, "Start")
    assert texts.may_go_to(MOBILE)
    assert TextNumber.get(number=MOBILE).agreed_by == "user"


def test_help_is_answered_unless_twilio_has(portal: Flask, twilio: Twilio) -> None:
    assert "Reply STOP to end" in hear(portal, "help")
    assert hear(portal, "HELP", OptOutType="HELP") == "<Response/>"
    assert hear(portal, "whatever", OptOutType="STOP") == "<Response/>"
    assert texts.is_stopped(MOBILE)


def hear(portal: Flask, words: str, **more: str) -> str:
    path = "/hooks/sms/twilio/received"
    fields = {"MessageSid": "SM9", "From": MOBILE, "Body": words, **more}
    with settings.changed(public_url=PUBLIC):
        headers = signature(PUBLIC + path, fields)
        answer = portal.test_client().post(path, data=fields, headers=headers)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


# --- Is it a mobile?


def test_a_mobile_is_told_and_asked_for_once(twilio: Twilio, now: Clock) -> None:
    twilio.lines = {MOBILE: "mobile", "+18605550120": "landline"}

    assert tasks.is_mobile("(860) 555-0150")
    assert tasks.is_mobile(MOBILE)
    assert not tasks.is_mobile("+18605550120")
    assert not tasks.is_mobile("no number")
    assert twilio.asked == [MOBILE, "+18605550120"]
    now.at += timedelta(days=200)
    assert tasks.is_mobile(MOBILE)
    assert len(twilio.asked) == 3


@pytest.mark.parametrize("lookup", ["404", "503", "html", "hang"])
def test_a_register_that_does_not_answer_stops_nobody(
    twilio: Twilio, lookup: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.line_types.SECONDS", 0.3)
    twilio.lines, twilio.lookup = {MOBILE: "mobile"}, lookup

    assert not tasks.is_mobile(MOBILE)
    twilio.lookup = "ok"
    assert tasks.is_mobile(MOBILE)  # what was not told is asked for again


def test_nobody_is_asked_without_an_account(db: settings.Settings) -> None:
    assert not tasks.is_mobile(MOBILE)
