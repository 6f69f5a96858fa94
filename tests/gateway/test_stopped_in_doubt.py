"""What was cancelled while nobody knew whether the carrier had it is stopped there."""

from collections.abc import Iterator

import pytest

from gateway import schedule, tasks
from models import DeliveryAttempt, DeliveryEvent, DeliveryState
from pmp import settings
from pmp.deliveries import carrier_copies, delivery_desk
from tests.gateway.conftest import Clock, fresh, make_delivery, work
from tests.servers.sinch import Sinch

pytestmark = pytest.mark.usefixtures("db", "fixed_message")


@pytest.fixture
def sinch(now: Clock) -> Iterator[Sinch]:
    with (
        Sinch() as running,
        settings.changed(fax_url=running.url, channel_timeout_seconds=2),
    ):
        yield running


@pytest.mark.parametrize(
    ("arrives", "state"),
    [(False, DeliveryState.CANCELLED), (True, DeliveryState.DELIVERED)],
)
def test_a_fax_in_doubt_that_is_cancelled_is_found_and_destroyed(
    sinch: Sinch, now: Clock, *, arrives: bool, state: DeliveryState
) -> None:
    sinch.script = ["accept-drop"]
    fax = make_delivery()
    tasks.send_delivery.call_local(fax.id)
    assert fresh(fax).state == DeliveryState.IN_DOUBT
    delivery_desk.cancel(fax.id, reason="wrong", by=None, at=now.at)
    if not arrives:
        sinch.taken[0].status = "IN_PROGRESS"

    schedule.sweep_rest()
    work()

    attempt = DeliveryAttempt.get()
    assert (fresh(fax).state, fresh(fax).needs_staff) == (state, arrives)
    assert attempt.carrier_reference == sinch.taken[0].id
    assert sinch.taken[0].file is None
    assert attempt.forgotten_at == now.at
    now.go_on(hours=1)
    assert carrier_copies.to_forget(carrier="sinch", at=now.at) == []


def test_a_fax_in_doubt_that_is_not_there_is_looked_for_once(
    sinch: Sinch, now: Clock
) -> None:
    sinch.script = ["hang"]
    fax = make_delivery()
    tasks.send_delivery.call_local(fax.id)
    delivery_desk.cancel(fax.id, reason="wrong", by=None, at=now.at)

    schedule.sweep_rest()
    work()

    assert DeliveryAttempt.get().forgotten_at == now.at
    assert fresh(fax).state == DeliveryState.CANCELLED
    assert not DeliveryEvent.select().where(DeliveryEvent.source == "poll")
