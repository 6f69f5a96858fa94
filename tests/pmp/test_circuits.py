"""A carrier that is down is left alone, tried by one message, and trusted again."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from models import (
    AuditEvent,
    ChannelName,
    Circuit,
    CircuitState,
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorClass,
)
from pmp import deliveries
from pmp.deliveries import Route, calling, circuits, doubts, outbox, turns
from pmp.errors import NotFoundError, RuleError
from tests.conftest import NOW
from tests.factories import make_user

pytestmark = pytest.mark.usefixtures("db")

_numbers = count(1)
FAX, EMAIL = ChannelName.FAX, ChannelName.EMAIL
MINUTE = timedelta(minutes=1)


def requested(channel: ChannelName = FAX, **fields: Any) -> Delivery:
    address = "+18605550123" if channel == FAX else "doctor@example.org"
    number = next(_numbers)
    return deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=number,
        routes=fields.pop("routes", [Route(channel, address)]),
        dedupe_key=f"test:{number}",
        at=fields.pop("at", NOW),
        **fields,
    )


def tried(
    error_class: ErrorClass | None,
    *,
    at: datetime = NOW,
    delivery: Delivery | None = None,
    carrier: str = "laml",
    **options: Any,
) -> bool:
    """Try one delivery; False if it could not be claimed."""
    delivery = delivery or requested(at=at)
    claimed = deliveries.claim(delivery.id, carrier=carrier, at=at)
    if claimed is None:
        return False
    assert deliveries.begin(claimed, pdf=None, at=at)
    if error_class is None:
        deliveries.mark_submitted(claimed, reference=f"FX{delivery.id}", at=at)
    elif error_class == ErrorClass.IN_DOUBT:
        deliveries.mark_maybe(claimed, text="no answer", at=at)
    else:
        deliveries.mark_failed(
            claimed, error_class=error_class, text="503", at=at, **options
        )
    return True


def broken(*, at: datetime = NOW) -> None:
    for _ in range(calling.ENOUGH):
        assert tried(ErrorClass.CARRIER_DOWN, at=at)


def laml() -> Circuit:
    row: Circuit = Circuit.get(Circuit.carrier == "laml")
    return row


@pytest.mark.parametrize(
    "error_class",
    [ErrorClass.CARRIER_DOWN, ErrorClass.THROTTLED, ErrorClass.IN_DOUBT],
)
def test_three_deliveries_that_find_a_carrier_down_stop_the_others(
    error_class: ErrorClass,
) -> None:
    waiting, email = requested(), requested(EMAIL)

    for _ in range(2):
        tried(error_class)
        assert waiting.id in turns.due(at=NOW)
    tried(error_class)

    assert not tried(None, delivery=waiting)
    assert turns.due(at=NOW) == [email.id]
    untouched = Delivery.get_by_id(waiting.id)
    assert (untouched.state, untouched.attempts) == (DeliveryState.QUEUED, 0)
    assert "does not work now" in circuits.waiting_words(untouched)
    assert tried(None, delivery=email, carrier="smtp")


def test_one_delivery_that_fails_again_and_again_stops_nobody() -> None:
    delivery = requested()
    for minutes in range(0, 9, 3):
        at = NOW + timedelta(minutes=minutes)
        Delivery.update(due_at=at).execute()
        assert tried(ErrorClass.CARRIER_DOWN, delivery=delivery, at=at)

    assert tried(None)


def test_failures_between_which_the_carrier_takes_messages_stop_nobody() -> None:
    for _ in range(calling.ENOUGH + 1):
        tried(ErrorClass.CARRIER_DOWN)
        assert tried(None)


def test_failures_that_lie_far_apart_stop_nobody() -> None:
    for hours in range(calling.ENOUGH + 1):
        assert tried(ErrorClass.CARRIER_DOWN, at=NOW + timedelta(hours=hours))


def test_a_busy_number_is_no_fault_of_the_carrier() -> None:
    for _ in range(calling.ENOUGH + 1):
        assert tried(ErrorClass.BUSY)
    assert calling.may_call(FAX, "laml", at=NOW)


def test_settings_that_are_wrong_stop_everybody_at_once() -> None:
    tried(ErrorClass.CONFIGURATION)

    assert not tried(None)
    assert laml().error_class == ErrorClass.CONFIGURATION


def test_after_the_pause_one_delivery_tries_and_its_success_frees_all() -> None:
    broken()
    first, second = requested(), requested()
    assert not tried(None, delivery=first, at=NOW + MINUTE * 0.9)

    at = NOW + MINUTE * 1.1
    claimed = deliveries.claim(first.id, carrier="laml", at=at)

    assert claimed is not None
    assert deliveries.claim(second.id, carrier="laml", at=at) is None
    assert laml().state == CircuitState.HALF_OPEN
    assert deliveries.begin(claimed, pdf=None, at=at)
    deliveries.mark_submitted(claimed, reference="FX1", at=at)
    assert tried(None, delivery=second, at=at)
    assert laml().state == CircuitState.CLOSED


def test_of_what_is_due_only_one_is_woken_to_try_a_carrier() -> None:
    broken()
    one, _, email = requested(), requested(), requested(EMAIL)
    at = NOW + MINUTE * 1.1

    assert [each for each in turns.due(at=at) if each in {one.id, email.id}] == [
        one.id,
        email.id,
    ]
    assert len(turns.due(at=at)) == 2


def test_each_try_that_fails_makes_the_pause_longer() -> None:
    broken()
    pauses, at = [], NOW
    for _ in range(7):
        until = laml().until
        assert until is not None
        pauses.append((until - at) / MINUTE)
        at = until
        assert tried(ErrorClass.CARRIER_DOWN, at=at)
    assert pauses == [1, 2, 5, 10, 20, 30, 30]


def test_the_carriers_own_wish_makes_the_pause_longer() -> None:
    for _ in range(calling.ENOUGH):
        tried(ErrorClass.THROTTLED, retry_after=timedelta(minutes=9))
    assert laml().until == NOW + timedelta(minutes=9)


def test_a_worker_that_dies_while_it_tries_lets_another_try_later() -> None:
    broken()
    at = NOW + MINUTE * 1.1
    assert deliveries.claim(requested().id, carrier="laml", at=at)

    assert not tried(None, at=at + MINUTE)
    assert tried(None, at=at + outbox.lease() + MINUTE)
    assert laml().state == CircuitState.CLOSED


def test_of_two_who_follow_a_dead_one_at_once_only_one_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken()
    at = NOW + MINUTE * 1.1
    assert deliveries.claim(requested().id, carrier="laml", at=at)
    late = at + outbox.lease()
    both_read = calling._state.one(channel="fax", carrier="laml")
    monkeypatch.setattr(calling._state, "one", lambda **_: both_read)

    first = deliveries.claim(requested().id, carrier="laml", at=late)
    second = deliveries.claim(requested().id, carrier="laml", at=late)

    assert (first is not None, second) == (True, None)
    assert Delivery.select().where(Delivery.state == "sending").count() == 2


def test_a_message_that_cannot_be_made_lets_another_try_at_once() -> None:
    broken()
    at = NOW + MINUTE * 1.1
    claimed = deliveries.claim(requested().id, carrier="laml", at=at)
    assert claimed is not None
    deliveries.mark_failed(
        claimed, error_class=ErrorClass.DOCUMENT, text="not composed", at=at
    )

    assert tried(None, at=at)


def test_what_was_under_way_before_does_not_close_it() -> None:
    slow = deliveries.claim(requested().id, carrier="laml", at=NOW)
    assert slow is not None
    deliveries.begin(slow, pdf=None, at=NOW)
    broken(at=NOW + MINUTE)

    deliveries.mark_submitted(slow, reference="FX1", at=NOW + MINUTE)

    assert not tried(None, at=NOW + MINUTE)


def test_a_fax_that_the_carrier_turns_out_not_to_have_counts_too() -> None:
    waiting = requested()
    for _ in range(calling.ENOUGH):
        delivery = requested()
        tried(ErrorClass.IN_DOUBT, delivery=delivery)
        doubts.not_there(delivery.id, at=NOW)
    assert not tried(None, delivery=waiting)
    assert len({each for each, _ in laml().failures}) == calling.ENOUGH


def test_deadlines_count_on_behind_a_carrier_that_is_not_called() -> None:
    broken()
    waiting = requested(
        routes=[Route(FAX, "+18605550123"), Route(EMAIL, "doctor@example.org")]
    )
    noise = requested()
    late = Delivery.get_by_id(waiting.id).deadline_at
    Delivery.update(deadline_at=late + MINUTE).where(Delivery.id == noise.id).execute()

    assert waiting.id in turns.late(at=late)
    assert outbox.expire(waiting.id, at=late)

    assert not outbox.expire(noise.id, at=late)
    assert Delivery.get_by_id(waiting.id).state == DeliveryState.EXPIRED
    child = Delivery.get(Delivery.parent == waiting.id)
    assert (child.channel, child.state) == (EMAIL, DeliveryState.QUEUED)


def test_staff_pause_a_carrier_and_only_they_resume_it() -> None:
    lee = make_user(username="lee")
    calling.use({FAX: "laml", EMAIL: "smtp"}, at=NOW)

    circuits.pause("laml", by=lee, at=NOW, reason="Wrong cover sheet")

    assert not tried(None, at=NOW + timedelta(days=2))
    [first, other] = circuits.standing()
    assert (first.carrier, first.why, first.by) == ("laml", "Wrong cover sheet", "lee")
    assert (first.state, first.waiting) == (CircuitState.PAUSED, 1)
    assert not other.is_shut
    assert "lee paused laml" in circuits.waiting_words(Delivery.get())
    with pytest.raises(RuleError, match="already"):
        circuits.pause("laml", by=lee, at=NOW, reason="Again")

    circuits.resume("laml", by=lee, at=NOW)

    assert tried(None)
    events = [row.event for row in AuditEvent.select().order_by(AuditEvent.id)]
    assert [each for each in events if each.startswith("carrier:")] == [
        "carrier:paused",
        "carrier:resumed",
    ]


def test_staff_have_a_carrier_called_again_before_its_time() -> None:
    broken()
    circuits.resume("laml", by=None, at=NOW)

    assert tried(None)
    with pytest.raises(RuleError, match="nothing to resume"):
        circuits.resume("laml", by=None, at=NOW)


def test_a_pause_wants_a_reason_and_a_carrier_that_there_is() -> None:
    calling.use({FAX: "laml"}, at=NOW)
    with pytest.raises(RuleError) as refused:
        circuits.pause("laml", by=None, at=NOW, reason=" ")
    assert refused.value.field == "reason"
    with pytest.raises(NotFoundError):
        circuits.pause("pigeon", by=None, at=NOW, reason="Rain")


def test_one_name_in_two_channels_is_paused_in_one() -> None:
    calling.use({FAX: "folder", EMAIL: "folder"}, at=NOW)

    circuits.pause("folder", by=None, at=NOW, reason="Full", channel=FAX)

    assert not tried(None, carrier="folder")
    assert tried(None, delivery=requested(EMAIL), carrier="folder")


def test_a_carrier_that_the_settings_name_no_more_holds_nothing_up() -> None:
    broken()
    waiting = requested()

    calling.use({FAX: "other"}, at=NOW)

    assert waiting.id in turns.due(at=NOW)
    assert tried(None, delivery=waiting, carrier="other")
    assert [row.carrier for row in circuits.standing()] == ["other"]


def test_every_channel_of_a_carrier_has_words() -> None:
    for channel in ChannelName:
        Circuit.create(channel=channel, carrier=f"of {channel}", since=NOW)

    said = {each.channel: each.channel_words for each in circuits.standing()}

    assert said[ChannelName.SMS] == "Text messages"
    assert not {words for words in said.values() if words in set(ChannelName)}
