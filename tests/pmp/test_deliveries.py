from datetime import timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryEvent,
    DeliveryKind,
    DeliveryState,
    DocumentKind,
    ErrorClass,
)
from pmp import database, deliveries, documents
from pmp.deliveries import Route, doubts, retries
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("db")

EMAIL = Route(ChannelName.EMAIL, "doctor@example.org")
FAX = Route(ChannelName.FAX, "+18605550123")
LETTER = Route(ChannelName.LETTER, "Dr. A\n1 Main Street\nHartford, CT 06106")


def requested(*routes: Route, key: str = "case:1", **fields: Any) -> Delivery:
    return deliveries.request(
        kind=DeliveryKind.THRESHOLD_REPORT,
        subject_id=1,
        routes=routes or (FAX,),
        dedupe_key=key,
        at=NOW,
        **fields,
    )


def claimed(delivery: Delivery, **late: float) -> deliveries.Claim:
    at = NOW + timedelta(**late)
    taken = deliveries.claim(delivery.id, carrier="laml", at=at)
    assert taken is not None
    assert deliveries.begin(taken, pdf=b"%PDF-1", at=at)
    return taken


def fresh(delivery: Delivery) -> Delivery:
    return Delivery.get_by_id(delivery.id)


def test_request_gives_the_same_delivery_for_the_same_key() -> None:
    first = requested()
    other = requested(key="case:2")

    again = requested()

    assert again.id == first.id != other.id
    assert Delivery.select().count() == 2


def test_request_without_a_route_is_held_for_staff() -> None:
    held = deliveries.request(
        kind=DeliveryKind.CREDENTIAL_LETTER,
        subject_id=1,
        routes=[],
        dedupe_key="letter:1",
        at=NOW,
    )

    assert (held.state, held.needs_staff) == (DeliveryState.HELD, True)
    assert deliveries.due(at=NOW) == []


def test_request_stands_or_falls_with_its_cause() -> None:
    with database.atomic() as cause:
        requested()
        cause.rollback()

    assert Delivery.select().count() == 0
    assert AuditEvent.select().count() == 0


def test_a_request_nudges_the_worker_only_after_the_commit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nudged: list[int] = []
    monkeypatch.setattr("pmp.deliveries.outbox._nudges", [nudged.append])

    with database.atomic():
        delivery = requested()
        assert nudged == []

    assert nudged == [delivery.id]


def test_due_gives_the_urgent_first_and_leaves_the_rest() -> None:
    plain = requested(key="a")
    urgent = requested(key="b", priority=1)
    taken = requested(key="c")
    claimed(taken)

    assert deliveries.due(at=NOW) == [urgent.id, plain.id]
    assert deliveries.due(at=NOW - timedelta(seconds=1)) == []


def test_claim_takes_a_delivery_once_and_writes_the_attempt_down() -> None:
    delivery = requested()
    requested(key="noise")

    taken = deliveries.claim(delivery.id, carrier="laml", at=NOW)

    assert deliveries.claim(delivery.id, carrier="laml", at=NOW) is None
    assert taken is not None
    [attempt] = DeliveryAttempt.select()
    assert attempt.idempotency_key == f"{delivery.id}-1"
    assert attempt.media_sha256 == deliveries.token_hash(taken.media_token)
    assert taken.media_token not in str(attempt.__data__)


def test_begin_keeps_what_is_sent_and_refuses_a_lost_lease() -> None:
    delivery = requested()
    taken = deliveries.claim(delivery.id, carrier="laml", at=NOW)
    assert taken is not None

    assert deliveries.begin(taken, pdf=b"%PDF-1", at=NOW)

    kept = fresh(delivery).document
    assert kept is not None
    assert documents.read(kept) == b"%PDF-1"
    assert kept.kind == DocumentKind.THRESHOLD_REPORT
    Delivery.update(lease_owner="another").execute()
    assert not deliveries.begin(taken, pdf=b"%PDF-1", at=NOW)


def test_mark_submitted_keeps_the_reference_and_asks_again_later() -> None:
    delivery = requested()

    deliveries.mark_submitted(claimed(delivery), reference="FX1", at=NOW)

    [attempt] = DeliveryAttempt.select()
    assert (attempt.carrier_reference, attempt.outcome) == ("FX1", "accepted")
    after = fresh(delivery)
    assert after.state == DeliveryState.SUBMITTED
    assert after.due_at > NOW
    assert after.lease_owner is None


def test_mark_failed_waits_longer_each_time() -> None:
    delivery = requested()
    waits = []
    at = NOW
    for _ in range(3):
        taken = deliveries.claim(delivery.id, carrier="laml", at=at)
        assert taken is not None
        deliveries.mark_failed(taken, error_class=ErrorClass.BUSY, text="busy", at=at)
        waits.append(fresh(delivery).due_at - at)
        at = fresh(delivery).due_at

    for wait, minutes in zip(waits, (2, 5, 10), strict=True):
        assert abs(wait / timedelta(minutes=minutes) - 1) <= retries.JITTER
    assert len({wait / waits[0] for wait in waits}) == len(waits)


def test_mark_failed_waits_as_long_as_the_carrier_asks() -> None:
    delivery = requested()

    deliveries.mark_failed(
        claimed(delivery),
        error_class=ErrorClass.THROTTLED,
        text="429",
        at=NOW,
        retry_after=timedelta(minutes=7),
    )

    wait = fresh(delivery).due_at - NOW
    assert timedelta(minutes=7) <= wait <= timedelta(minutes=7) * 1.2


def test_a_carrier_that_is_down_all_day_does_not_use_up_a_fax() -> None:
    delivery = requested()
    at = NOW
    while at < NOW + timedelta(hours=60):
        taken = deliveries.claim(delivery.id, carrier="laml", at=at)
        assert taken is not None
        deliveries.mark_failed(
            taken, error_class=ErrorClass.CARRIER_DOWN, text="503", at=at
        )
        assert fresh(delivery).state == DeliveryState.QUEUED
        at = fresh(delivery).due_at


def test_giving_up_falls_back_to_the_next_route() -> None:
    delivery = requested(FAX, EMAIL, LETTER)

    deliveries.mark_failed(
        claimed(delivery), error_class=ErrorClass.REJECTED, text="no such", at=NOW
    )

    assert fresh(delivery).state == DeliveryState.FAILED
    [child] = Delivery.select().where(Delivery.parent == delivery)
    assert (child.channel, child.address) == (EMAIL.channel, EMAIL.address)
    assert child.further_routes == [["letter", LETTER.address]]
    assert child.state == DeliveryState.QUEUED
    # A number that is not a fax is staff's business even when email went through.
    assert fresh(delivery).needs_staff


def test_giving_up_without_another_route_asks_staff() -> None:
    delivery = requested(EMAIL)

    deliveries.mark_failed(
        claimed(delivery), error_class=ErrorClass.REJECTED, text="550", at=NOW
    )

    assert fresh(delivery).needs_staff
    assert Delivery.select().count() == 1


def test_past_its_deadline_a_delivery_expires() -> None:
    delivery = requested(EMAIL)

    deliveries.mark_failed(
        claimed(delivery, hours=97),
        error_class=ErrorClass.CARRIER_DOWN,
        text="down",
        at=NOW + timedelta(hours=97),
    )

    assert fresh(delivery).state == DeliveryState.EXPIRED


def test_a_worker_that_lost_its_lease_changes_nothing_but_the_flag() -> None:
    refused, accepted = requested(key="a"), requested(key="b")
    slow = [claimed(refused), claimed(accepted)]
    late = NOW + timedelta(minutes=6)
    for delivery_id in doubts.end_leases(repeatable=frozenset(), at=late):
        doubts.not_there(delivery_id, at=late)

    deliveries.mark_failed(
        slow[0], error_class=ErrorClass.REJECTED, text="late", at=NOW
    )
    deliveries.mark_submitted(slow[1], reference="FX1", at=NOW)

    assert fresh(refused).state == fresh(accepted).state == DeliveryState.QUEUED
    assert not fresh(refused).possible_duplicate
    assert fresh(accepted).possible_duplicate


def test_withdraw_for_cancels_only_what_is_still_here() -> None:
    waiting = requested(key="a")
    gone = requested(key="b")
    deliveries.mark_submitted(claimed(gone), reference="FX1", at=NOW)
    other = deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=1,
        routes=[EMAIL],
        dedupe_key="c",
        at=NOW,
    )

    count = deliveries.withdraw_for(
        kind=DeliveryKind.THRESHOLD_REPORT,
        subject_id=1,
        reason="no longer holds",
        by=None,
        at=NOW,
    )

    assert count == 1
    states = [fresh(each).state for each in (waiting, gone, other)]
    assert states == [
        DeliveryState.CANCELLED,
        DeliveryState.SUBMITTED,
        DeliveryState.QUEUED,
    ]


def test_watchers_of_a_kind_hear_of_each_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[DeliveryState] = []
    monkeypatch.setattr("pmp.deliveries.outbox._watchers", {})
    deliveries.on_change(
        DeliveryKind.THRESHOLD_REPORT, lambda row, _: heard.append(row.state)
    )
    deliveries.on_change(DeliveryKind.TICKET_NOTICE, lambda _, __: heard.clear())

    deliveries.mark_sent(claimed(requested()), reference="x", at=NOW)

    assert heard == [DeliveryState.SENT]


def test_the_history_has_a_line_for_each_step() -> None:
    deliveries.mark_submitted(claimed(requested()), reference="FX1", at=NOW)

    steps = [
        (row.from_state, row.to_state)
        for row in DeliveryEvent.select().order_by(DeliveryEvent.id)
    ]
    assert steps == [
        ("queued", "queued"),
        ("queued", "sending"),
        ("sending", "submitted"),
    ]
