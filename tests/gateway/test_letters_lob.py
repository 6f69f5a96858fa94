"""Letters by a print-and-mail company: one, however its answer fails."""

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway import channels, messages, schedule, sending
from gateway.channels import letters_lob
from gateway.message import DeliveryError, Message
from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    DeliveryState,
    ErrorClass,
)
from pmp import deliveries, settings
from pmp.deliveries import (
    Route,
    carried_letters,
    delivery_desk,
    letters,
    lines,
)
from tests.factories import make_user
from tests.gateway.conftest import Clock, fresh, make_delivery, work
from tests.gateway.test_letters_check import letter
from tests.pmp.test_callbacks import refused_calls
from tests.portals import portal_for
from tests.servers.lob import SECRET, Lob, event, signed
from tests.servers.raw import dripping

ADDRESS = (
    "Elm Medical Group\nAttn: Dr. Ana Ruiz\n12 Main Street Suite 3\nHartford, CT 06106"
)


@lru_cache(maxsize=1)
def pages() -> bytes:
    return letter(ADDRESS.splitlines())


@pytest.fixture(autouse=True)
def one_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose the same letter for every kind."""

    def compose(delivery: Delivery, _attempt: Any) -> Message:
        secret = delivery.kind == DeliveryKind.CREDENTIAL_LETTER
        return Message(delivery.address, pdf=pages(), certified=secret)

    monkeypatch.setattr(messages, "compose", compose)


@pytest.fixture
def lob(db: settings.Settings, now: Clock) -> Iterator[Lob]:
    with (
        Lob() as running,
        settings.changed(
            letters_url=running.url,
            letters_signing_key=SECRET,
            channel_timeout_seconds=2,
        ),
    ):
        yield running


def mailed_by(lob: Lob, *script: str, **fields: Any) -> Delivery:
    """Make one attempt at one letter, with what the company does about it."""
    lob.script = list(script)
    made = make_delivery(ChannelName.LETTER, address=ADDRESS, **fields)
    sending.attempt(made.id)
    return fresh(made)


def send(lob: Lob, *script: str) -> str:
    lob.script = list(script)
    return letters_lob.send(
        Message(
            ADDRESS,
            pdf=pages(),
            delivery_id=7,
            key="7-1",
            media_url="http://x/media/token-1",
        )
    )


def test_a_letter_goes_with_its_address_its_pages_and_its_key(lob: Lob) -> None:
    row = mailed_by(lob)

    [taken] = lob.letters
    assert row.state == DeliveryState.SUBMITTED
    assert taken.pages == pages()
    assert taken.key == f"{row.id}-1"
    attempt = DeliveryAttempt.get()
    assert taken.fields == {
        "color": "false",
        "double_sided": "true",
        "address_placement": "insert_blank_page",
        "use_type": "operational",
        "mail_type": "usps_first_class",
        "metadata[delivery]": str(row.id),
        "metadata[attempt]": attempt.media_sha256,
        "to[name]": "ATTN DR ANA RUIZ",
        "to[company]": "ELM MEDICAL GROUP",
        "to[address_line1]": "12 MAIN ST STE 3",
        "to[address_city]": "HARTFORD",
        "to[address_state]": "CT",
        "to[address_zip]": "06106",
        "to[address_country]": "US",
        "from[name]": "DEPARTMENT OF CONSUMER PROTECTION",
        "from[company]": "PRESCRIPTION MONITORING PROGRAM",
        "from[address_line1]": "165 CAPITOL AVE RM 145",
        "from[address_city]": "HARTFORD",
        "from[address_state]": "CT",
        "from[address_zip]": "06106",
        "from[address_country]": "US",
    }
    assert attempt.carrier_reference == taken.id
    assert list(letters.waiting()) == []
    assert delivery_desk.state_words(row) == "With the carrier"


@pytest.mark.parametrize(
    ("step", "error_class", "words"),
    [
        ("301", ErrorClass.CONFIGURATION, "301"),
        ("401", ErrorClass.CONFIGURATION, "401"),
        ("402", ErrorClass.CONFIGURATION, "402"),
        ("404", ErrorClass.CONFIGURATION, "404"),
        ("405", ErrorClass.CONFIGURATION, "405"),
        ("413", ErrorClass.DOCUMENT, "413"),
        ("422", ErrorClass.REJECTED, "to address is not deliverable"),
        ("422-file", ErrorClass.DOCUMENT, "too many pages"),
        ("429:7", ErrorClass.THROTTLED, "429"),
        ("503", ErrorClass.CARRIER_DOWN, "503"),
    ],
)
def test_a_refusal_is_of_its_class_and_says_the_carriers_words(
    lob: Lob, step: str, error_class: ErrorClass, words: str
) -> None:
    with pytest.raises(DeliveryError, match=words) as error:
        send(lob, step)

    assert error.value.error_class == error_class
    wish = timedelta(seconds=7) if step == "429:7" else None
    assert error.value.retry_after == wish
    assert lob.letters == []
    assert lob.keys == ["7-1"]


@pytest.mark.parametrize(
    "step",
    ["500", "409", "drop", "hang", "accept-500", "accept-drop", "accept-hang"],
)
def test_an_answer_that_is_lost_is_asked_for_once_more_and_leaves_one_letter(
    lob: Lob, step: str
) -> None:
    assert send(lob, step) == lob.letters[0].id

    assert len(lob.letters) == 1
    assert lob.keys == ["7-1", "7-1"]


def test_an_answer_in_drops_is_cut_and_leaves_a_letter_in_doubt(lob: Lob) -> None:
    with dripping() as server:
        with settings.changed(letters_url=f"lob+http://key@{server.host}"):
            row = mailed_by(lob)

        assert server.sent < 150
    assert len(server.heard) == 2
    assert row.state == DeliveryState.IN_DOUBT


def test_a_call_and_its_repeat_are_over_before_their_lease(lob: Lob) -> None:
    with (
        dripping() as server,
        settings.changed(
            letters_url=f"lob+http://key@{server.host}",
            channel_timeout_seconds=3,
            lease_seconds=4,
        ),
    ):
        with pytest.raises(DeliveryError):
            send(lob)
        assert server.sent < 50  # a tenth of a second each; twice the time-out is 60


def test_a_company_that_is_not_there_was_surely_not_told(lob: Lob) -> None:
    with (
        settings.changed(letters_url="lob+http://key@127.0.0.1:9"),
        pytest.raises(DeliveryError) as error,
    ):
        send(lob)

    assert error.value.error_class == ErrorClass.CARRIER_DOWN


@pytest.mark.parametrize("step", ["accept-bad-json", "accept-drop"])
def test_a_letter_in_doubt_is_found_by_its_mark(
    lob: Lob, now: Clock, step: str
) -> None:
    row = mailed_by(lob, step, step)
    assert row.state == DeliveryState.IN_DOUBT

    now.go_on(minutes=10)
    schedule.sweep_deliveries()
    work()

    row = fresh(row)
    assert row.state == DeliveryState.SUBMITTED
    assert DeliveryAttempt.get().carrier_reference == lob.letters[0].id
    assert len(lob.letters) == 1


def test_a_letter_that_surely_never_came_there_is_sent_again(
    lob: Lob, now: Clock
) -> None:
    row = mailed_by(lob, "drop", "drop")
    assert row.state == DeliveryState.IN_DOUBT

    now.go_on(minutes=10)
    schedule.sweep_deliveries()
    work()
    now.go_on(minutes=10)
    schedule.sweep_deliveries()
    work()

    assert fresh(row).state == DeliveryState.SUBMITTED
    assert [taken.key for taken in lob.letters] == [f"{row.id}-2"]
    assert not fresh(row).possible_duplicate


def test_a_letter_with_a_password_stays_in_the_house_unless_the_settings_say_so(
    lob: Lob,
) -> None:
    secret, notice = (
        deliveries.request(
            kind=kind,
            subject_id=1,
            routes=[Route(ChannelName.LETTER, ADDRESS)],
            dedupe_key=kind.value,
            at=Clock().at,
        )
        for kind in (DeliveryKind.CREDENTIAL_LETTER, DeliveryKind.TICKET_NOTICE)
    )
    assert channels.for_delivery(secret).CARRIER == "print"
    assert channels.for_delivery(notice).CARRIER == "lob"
    sending.attempt(secret.id)
    sending.attempt(notice.id)
    assert list(letters.waiting()) == [secret]
    assert len(lob.letters) == 1

    with settings.changed(letters_credentials="carrier"):
        assert channels.for_delivery(secret).CARRIER == "lob"
        letters_lob.send(Message(ADDRESS, pdf=pages(), key="9-1", certified=True))
    assert lob.letters[-1].fields["extra_service"] == "certified"


@pytest.mark.parametrize("way", ["call-back", "poll"])
def test_what_the_company_tells_moves_a_letter_forwards_only(
    lob: Lob, now: Clock, way: str
) -> None:
    row = mailed_by(lob)

    def told(*names: str) -> DeliveryState:
        for name in names:
            if way == "poll":
                lob.letters[0].events.append(name)
                now.go_on(days=1)
                schedule.sweep_letters()
                work()
            else:
                word = name.lower().replace(" ", "_")
                assert called(lob, now, f"letter.{word}") == 204
        state: DeliveryState = fresh(row).state
        return state

    assert told("Mailed") == DeliveryState.MAILED
    assert told("In Transit", "Mailed") == DeliveryState.MAILED
    assert told("Delivered") == DeliveryState.DELIVERED
    assert told("In Local Area") == DeliveryState.DELIVERED


def test_a_letter_that_comes_back_goes_on_by_the_next_way(lob: Lob, now: Clock) -> None:
    lob.script = []
    row = deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=1,
        routes=[
            Route(ChannelName.LETTER, ADDRESS),
            Route(ChannelName.FAX, "+18605550123"),
        ],
        dedupe_key="x",
        at=now.at,
    )
    sending.attempt(row.id)
    assert called(lob, now, "letter.in_transit") == 204
    for _ in range(2):
        assert called(lob, now, "letter.certified.returned") == 204

    assert fresh(row).state == DeliveryState.RETURNED
    assert fresh(row).needs_staff
    assert Delivery.get(Delivery.parent == row).channel == ChannelName.FAX


def called(lob: Lob, now: Clock, name: str, **changes: Any) -> int:
    body = event(lob.letters[0].id, name)
    headers = changes.get("headers") or signed(body, at=now.at.timestamp())
    return client().post("/hooks/letters/lob", data=body, headers=headers).status_code


def client() -> FlaskClient:
    return portal_for(settings.current()).test_client()


def test_a_forged_or_old_call_back_is_refused_and_kept_on_record(
    lob: Lob, now: Clock
) -> None:
    row = mailed_by(lob)
    body, at = event(lob.letters[0].id, "letter.delivered"), now.at.timestamp()
    good = signed(body, at=at)
    for headers in (
        {},
        signed(body, at=at, secret="another"),
        signed(body, at=at - 600),
        signed(body + b" ", at=at),
        {**good, "Lob-Signature-Timestamp": str(int(at * 1000) + 1)},
        {**good, "Lob-Signature-Timestamp": "٣"},
    ):
        assert (
            called(lob, now, "letter.delivered", headers=headers or {"X": "1"}) == 403
        )
    with settings.changed(letters_signing_key=""):
        assert called(lob, now, "letter.delivered", headers=good) == 403

    assert fresh(row).state == DeliveryState.SUBMITTED
    assert refused_calls() == 7
    assert called(lob, now, "letter.delivered", headers=good) == 204


@pytest.mark.parametrize(
    "body", [b"[]", b"no json", b'{"event_type": null}', b'{"body": {"id": "ltr_x"}}']
)
def test_a_signed_call_back_about_nothing_of_ours_is_taken_and_ignored(
    lob: Lob, now: Clock, body: bytes
) -> None:
    headers = signed(body, at=now.at.timestamp())
    path = "/hooks/letters/lob"

    assert client().post(path, data=body, headers=headers).status_code == 204


def test_a_cancelled_letter_is_stopped_at_the_company(lob: Lob, now: Clock) -> None:
    row = mailed_by(lob)
    delivery_desk.cancel(row.id, reason="moot", by=make_user(), at=now.at)

    schedule.sweep_letters()
    work()
    schedule.sweep_letters()
    work()

    assert lob.letters[0].deleted
    assert [method for method, _ in lob.calls].count("DELETE") == 1
    assert fresh(row).state == DeliveryState.CANCELLED
    assert called(lob, now, "letter.deleted") == 204
    assert fresh(row).state == DeliveryState.CANCELLED


def test_staff_are_told_of_a_letter_that_could_not_be_stopped(
    lob: Lob, now: Clock
) -> None:
    row = mailed_by(lob)
    lob.too_late = True
    delivery_desk.cancel(row.id, reason="moot", by=make_user(), at=now.at)

    schedule.sweep_letters()
    work()

    assert fresh(row).state == DeliveryState.SUBMITTED
    assert fresh(row).needs_staff
    notes = [step.note for step in lines.history(row)]
    assert any(note.startswith("too late to cancel") for note in notes)
    assert carried_letters.to_take_back() == []


def test_a_letter_that_is_not_mailed_for_a_week_is_staffs(lob: Lob, now: Clock) -> None:
    row = mailed_by(lob)

    now.go_on(days=8)
    schedule.sweep_letters()
    work()

    assert fresh(row).needs_staff
    assert fresh(row).state == DeliveryState.SUBMITTED
    assert carried_letters.to_ask_about(at=now.at) == []


def test_the_key_is_never_shown(lob: Lob) -> None:
    assert "live_pub_1" not in repr(settings.current())
    assert "live_pub_1" not in json.dumps(lob.calls)
