"""A LaML carrier that misbehaves in each way, and a portal that it reaches: to the end.

What counts for each way: where the delivery ends, how many faxes the carrier took, what
the history says that it said, and whether a second copy may have gone out.
"""

from dataclasses import dataclass

import pytest

from gateway import schedule, tasks
from models import (
    Delivery,
    DeliveryAttempt,
    DeliveryEvent,
    DeliveryState,
    ErrorClass,
)
from pmp.deliveries import outbox
from tests.gateway.conftest import Clock, compose_pages, fresh, make_delivery, work
from tests.servers.carrier import Carrier

pytestmark = pytest.mark.usefixtures("db", "fixed_message")

DONE = ["queued", "processing", "sending", "delivered"]
MOST_ROUNDS = 40


@dataclass(frozen=True)
class Expected:
    """How a script ends; `said`: the carrier's words, in the order of the history."""

    state: DeliveryState = DeliveryState.DELIVERED
    taken: int = 1
    attempts: int = 1
    said: tuple[str, ...] = tuple(DONE)
    needs_staff: bool = False
    error_class: ErrorClass | None = None


def failing(word: str) -> tuple[str, ...]:
    return (*DONE[:3], word, *DONE)


SCRIPTS = {
    "ok": Expected(),
    "500": Expected(attempts=2),
    "503": Expected(attempts=2),
    "429:600": Expected(attempts=2),
    "400": Expected(
        state=DeliveryState.FAILED,
        taken=0,
        said=(),
        needs_staff=True,
        error_class=ErrorClass.REJECTED,
    ),
    "401": Expected(attempts=2),
    "hang": Expected(attempts=2),
    "drip": Expected(attempts=2),
    "bad-json": Expected(attempts=2),
    "html": Expected(attempts=2),
    "accept-drop": Expected(),
    "accept-hang": Expected(),
    "accept-slow": Expected(),
    "accept-drip": Expected(),
    "first": Expected(),
    "triple": Expected(),
    "reordered": Expected(said=("delivered", "sending", "queued")),
    "busy": Expected(taken=2, attempts=2, said=failing("busy")),
    "no-answer": Expected(taken=2, attempts=2, said=failing("no-answer")),
    "failed": Expected(taken=2, attempts=2, said=failing("failed")),
    "silent": Expected(said=("delivered",)),
    "late-failure": Expected(said=(*DONE, "failed")),
    "unfetched": Expected(needs_staff=True),
}


def run_to_its_end(carrier: Carrier, now: Clock, step: str) -> Delivery:
    carrier.script = [step]
    delivery = make_delivery()
    other = make_delivery()  # noise: another fax to the same number, before and after
    tasks.send_delivery.call_local(delivery.id)
    carrier.settle()
    tasks.send_delivery.call_local(other.id)
    carrier.settle()
    for _ in range(MOST_ROUNDS):
        if fresh(delivery).state in outbox.FINAL:
            break
        now.go_on(minutes=3)
        schedule.sweep_leases()
        schedule.sweep_deliveries()
        work()
        carrier.settle()
    assert fresh(other).state == DeliveryState.DELIVERED
    return fresh(delivery)


@pytest.mark.parametrize("step", SCRIPTS)
def test_a_misbehaving_carrier_sends_a_fax_once(
    calling: Carrier, now: Clock, step: str
) -> None:
    expected = SCRIPTS[step]

    after = run_to_its_end(calling, now, step)

    assert after.state == expected.state
    assert after.attempts == expected.attempts
    assert after.needs_staff == expected.needs_staff
    if expected.error_class:
        assert after.error_class == expected.error_class
    assert len(calling.taken) == expected.taken + 1  # and the other
    assert not after.possible_duplicate
    assert said_of(after) == list(expected.said)
    calls = [code for fax in calling.taken for _, code in fax.callbacks]
    assert set(calls) <= {204}


def said_of(delivery: Delivery) -> list[str]:
    events = (
        DeliveryEvent.select()
        .where(DeliveryEvent.delivery == delivery)
        .where(DeliveryEvent.event_key.is_null(is_null=False))
        .order_by(DeliveryEvent.id)
    )
    return [event.note.removeprefix("carrier says ").split()[0] for event in events]


def test_a_delivered_fax_is_never_under_way_again(calling: Carrier, now: Clock) -> None:
    run_to_its_end(calling, now, "reordered")

    states = [
        (event.from_state, event.to_state)
        for event in DeliveryEvent.select()
        .where(DeliveryEvent.delivery == DeliveryAttempt.get().delivery)
        .order_by(DeliveryEvent.id)
    ]
    since = [to for _, to in states].index("delivered")
    assert {to for _, to in states[since:]} == {"delivered"}
    assert len(states) > since + 2


def test_what_never_fetched_the_pages_is_said_to_have_delivered_them(
    calling: Carrier, now: Clock
) -> None:
    after = run_to_its_end(calling, now, "unfetched")

    notes = [event.note for event in DeliveryEvent.select()]
    assert "it never fetched the pages: ask the recipient" in notes
    assert after.state == DeliveryState.DELIVERED


def test_fewer_pages_than_were_sent_are_a_line_that_was_cut(
    calling: Carrier, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    compose_pages(monkeypatch, 3)
    calling.page_count = "2"
    delivery = make_delivery()

    tasks.send_delivery.call_local(delivery.id)
    calling.settle()

    after = fresh(delivery)
    assert (after.state, after.error_class) == (
        DeliveryState.QUEUED,
        ErrorClass.LINE_DROPPED,
    )
    assert "2 of 3 pages" in after.error_text
    assert DeliveryAttempt.get().pages_sent == 2

    calling.page_count = "3"
    now.go_on(minutes=6)
    schedule.sweep_deliveries()
    work()
    calling.settle()
    assert fresh(delivery).state == DeliveryState.DELIVERED


@pytest.mark.parametrize("count", [None, "", "0", "three", "4", "-1", "٢"])
def test_a_count_of_pages_that_says_nothing_is_no_failure(
    calling: Carrier, now: Clock, monkeypatch: pytest.MonkeyPatch, count: str | None
) -> None:
    compose_pages(monkeypatch, 3)
    calling.page_count = count
    delivery = make_delivery()

    tasks.send_delivery.call_local(delivery.id)
    calling.settle()

    assert fresh(delivery).state == DeliveryState.DELIVERED


@pytest.mark.parametrize(
    ("code", "text", "error_class"),
    [
        ("34002", "", ErrorClass.BUSY),
        ("34003", "", ErrorClass.NO_ANSWER),
        ("34004", "", ErrorClass.LINE_DROPPED),
        ("13224", "", ErrorClass.REJECTED),
        ("11200", "", ErrorClass.CONFIGURATION),
        ("12300", "", ErrorClass.DOCUMENT),
        ("", "Timed out waiting for initial communication", ErrorClass.NOT_A_FAX),
        ("", "Far end is not compatible", ErrorClass.NOT_A_FAX),
        ("", "Unallocated number", ErrorClass.REJECTED),
        ("30001", "stub failed", ErrorClass.LINE_DROPPED),
        ("", "", ErrorClass.LINE_DROPPED),
    ],
)
def test_a_carriers_error_is_told_in_our_classes(
    calling: Carrier, now: Clock, code: str, text: str, error_class: ErrorClass
) -> None:
    calling.script, calling.error = ["failed"], (code, text)
    delivery = make_delivery()

    tasks.send_delivery.call_local(delivery.id)
    calling.settle()

    assert fresh(delivery).error_class == error_class
    if code == "11200":
        assert "PMP_PUBLIC_URL" in fresh(delivery).error_text
