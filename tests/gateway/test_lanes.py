"""A slow carrier holds up its own messages and nobody else's."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from gateway import channels, lanes, sending, tasks
from gateway.message import Message
from models import ChannelName, DeliveryState
from pmp import database, settings
from tests.gateway.conftest import Clock, fresh, make_delivery, work

pytestmark = [pytest.mark.each_engine, pytest.mark.usefixtures("db", "fixed_message")]


class Slow:
    """A fax carrier that takes each message and answers when it is told to."""

    CARRIER, REPEATABLE = "slow", False

    def __init__(self) -> None:
        self.goes_on, self.called = threading.Event(), threading.Semaphore(0)
        self.taken: list[int] = []

    def send(self, message: Message) -> str:
        self.taken.append(message.delivery_id)
        self.called.release()
        self.goes_on.wait(30)
        return message.key


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    carrier, others = Slow(), channels.for_channel
    monkeypatch.setattr(
        channels,
        "for_channel",
        lambda name: carrier if name == ChannelName.FAX else others(name),
    )
    lanes.divide(4)
    yield carrier
    carrier.goes_on.set()
    lanes.divide(1)


def run(delivery_id: int) -> threading.Thread:
    def attempt() -> None:
        with database.connected():
            sending.attempt(delivery_id)

    thread = threading.Thread(target=attempt)
    thread.start()
    return thread


def test_half_of_the_threads_are_free_for_other_channels(
    db: settings.Settings, now: Clock, slow: Slow
) -> None:
    faxes = [make_delivery() for _ in range(4)]
    email = make_delivery(ChannelName.EMAIL)
    busy = [run(fax.id) for fax in faxes[:2]]
    for _ in busy:
        assert slow.called.acquire(timeout=30)

    assert sending.attempt(faxes[2].id) is None  # and not wait for the carrier
    sending.attempt(email.id)

    assert len(slow.taken) == 2
    assert fresh(faxes[2]).attempts == 0
    assert fresh(email).state == DeliveryState.SENT
    slow.goes_on.set()
    for thread in busy:
        thread.join(30)
    assert sending.attempt(faxes[2].id) == faxes[3].id


def test_who_has_sent_goes_on_with_what_nobody_woke_it_for(
    db: settings.Settings, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "is_full", lambda: True)
    waiting = [make_delivery(ChannelName.EMAIL) for _ in range(5)]
    monkeypatch.setattr(tasks, "is_full", lambda: False)

    tasks.nudge(tasks.send_delivery, waiting[0].id)
    work()

    assert {fresh(each).state for each in waiting} == {DeliveryState.SENT}


def test_a_letter_among_five_thousand_notices_is_not_the_last(
    db: settings.Settings, now: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[Any] = []
    others = channels.for_channel

    class Noted:
        CARRIER, REPEATABLE = "noted", True

        def send(self, message: Message) -> str:
            order.append(message.delivery_id)
            return message.key

    monkeypatch.setattr(
        channels,
        "for_channel",
        lambda name: Noted() if name == ChannelName.EMAIL else others(name),
    )
    notices = [make_delivery(ChannelName.EMAIL) for _ in range(60)]
    urgent = make_delivery(ChannelName.EMAIL, priority=3)

    tasks.send_delivery.call_local(notices[0].id)

    assert order == [urgent.id]


@pytest.mark.parametrize("about", ["doubt", "silence"])
def test_a_carrier_is_asked_in_the_lane_of_its_own_channel(
    db: settings.Settings, monkeypatch: pytest.MonkeyPatch, about: str
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(f"gateway.asking.about_{about}", asked.append)
    task = getattr(tasks, f"ask_about_{about}")
    fax, text = make_delivery(), make_delivery(ChannelName.EMAIL)

    with lanes.entered(ChannelName.FAX) as free:
        assert free
        for each in (fax.id, text.id, text.id + 1):
            task.call_local(each)
    assert asked == [text.id]
    with lanes.entered(ChannelName.EMAIL):
        task.call_local(text.id)

    assert asked == [text.id]
