"""Faxes that their carrier has and that should not arrive any more are stopped."""

from collections.abc import Iterator

import pytest

from gateway import schedule, tasks
from gateway.channels import fax_hylafax
from models import (
    ChannelName,
    Delivery,
    DeliveryEvent,
    DeliveryKind,
    DeliveryState,
    User,
)
from pmp import clock, deliveries, settings
from pmp.deliveries import as_seen, delivery_desk, delivery_stories
from pmp.reaching import fax_numbers
from tests.factories import make_user
from tests.gateway.conftest import Clock, fresh, make_delivery, work
from tests.servers.carrier import Carrier
from tests.servers.fax_server import FaxServer
from tests.servers.sinch import Sinch

pytestmark = pytest.mark.usefixtures("db", "fixed_message", "now")


@pytest.fixture
def staff(db: settings.Settings) -> User:
    return make_user(username="staff.lee")


@pytest.fixture
def hylafax() -> Iterator[FaxServer]:
    fax_hylafax._checked.clear()
    with (
        FaxServer() as running,
        settings.changed(fax_url=running.url, channel_timeout_seconds=1),
    ):
        yield running


def sent() -> Delivery:
    delivery = make_delivery()
    tasks.send_delivery.call_local(delivery.id)
    delivery = fresh(delivery)
    assert delivery.state == DeliveryState.SUBMITTED
    return delivery


def sweep() -> None:
    schedule.sweep_leases()
    schedule.sweep_deliveries()
    work()


def cancel(delivery: Delivery, by: User) -> None:
    seen = as_seen.mark(delivery)
    delivery_desk.cancel(
        delivery.id, reason="Wrong patient.", by=by, at=clock.now(), seen=seen
    )


def notes(delivery: Delivery) -> str:
    query = DeliveryEvent.select().where(DeliveryEvent.delivery == delivery)
    return "\n".join(event.note for event in query)


def stop_calls(carrier: Carrier) -> int:
    calls = [path for verb, path in carrier.calls if verb == "POST"]
    return len([path for path in calls if not path.endswith("/Faxes.json")])


def test_a_fax_on_the_line_is_stopped_for_staff_and_never_sent_again(
    carrier: Carrier, now: Clock, staff: User
) -> None:
    carrier.script = ["waits", "waits"]
    delivery, other = sent(), sent()

    cancel(delivery, staff)
    assert fresh(delivery).state == DeliveryState.SUBMITTED
    said = delivery_stories.now_words(fresh(delivery), at=clock.now())
    assert "is asked to stop it" in said
    sweep()

    assert fresh(delivery).state == DeliveryState.CANCELLED
    assert [fax.status for fax in carrier.taken] == ["canceled", "sending"]
    assert fresh(other).state == DeliveryState.SUBMITTED
    assert "the carrier is asked to stop it" in notes(delivery)
    assert "Wrong patient." in notes(delivery)
    now.go_on(hours=4)
    sweep()
    assert len(carrier.taken) == 2


def test_a_fax_that_arrived_all_the_same_is_staffs(
    carrier: Carrier, now: Clock, staff: User
) -> None:
    carrier.script = ["waits"]
    delivery = sent()
    carrier.taken[0].status = "delivered"

    cancel(delivery, staff)
    sweep()

    assert fresh(delivery).state == DeliveryState.DELIVERED
    assert fresh(delivery).needs_staff
    assert "it was cancelled, and delivered all the same" in notes(delivery)


def test_a_carrier_that_does_not_stop_it_is_asked_again(
    carrier: Carrier, now: Clock, staff: User
) -> None:
    carrier.script, carrier.stops = ["waits"], 503
    delivery = sent()
    cancel(delivery, staff)

    for _ in range(2):
        sweep()
        assert fresh(delivery).state == DeliveryState.SUBMITTED
        now.go_on(minutes=10)
    carrier.stops = 200
    sweep()

    assert stop_calls(carrier) == 3
    assert fresh(delivery).state == DeliveryState.CANCELLED
    assert notes(delivery).count("is asked to stop it") == 1


def test_a_cancelled_fax_is_cancelled_once(
    carrier: Carrier, now: Clock, staff: User
) -> None:
    carrier.script = ["waits"]
    delivery = sent()
    assert delivery_desk.may_cancel(fresh(delivery))

    cancel(delivery, staff)

    assert not delivery_desk.may_cancel(fresh(delivery))
    assert delivery_desk.undoable(fresh(delivery)) == ""


def test_one_that_was_stopped_by_mistake_is_taken_back_and_tried_as_any_other(
    carrier: Carrier, now: Clock, staff: User
) -> None:
    carrier.script = ["waits", "busy", "waits"]
    delivery = sent()
    cancel(delivery, staff)
    sweep()

    assert delivery_desk.undoable(fresh(delivery)) == "cancel"
    delivery_desk.undo(delivery.id, by=staff, at=clock.now())
    assert fresh(delivery).state == DeliveryState.HELD
    assert not fresh(delivery).possible_duplicate  # the carrier said that it stopped it
    delivery_desk.release(delivery.id, by=staff, at=clock.now())
    work()
    for _ in range(3):
        now.go_on(minutes=4)
        sweep()

    assert [fax.status for fax in carrier.taken] == ["canceled", "busy", "sending"]
    assert fresh(delivery).state == DeliveryState.SUBMITTED
    cancel(fresh(delivery), staff)  # and it can be cancelled anew
    sweep()
    assert fresh(delivery).state == DeliveryState.CANCELLED


def test_what_a_rule_withdraws_is_stopped_on_the_line(
    carrier: Carrier, now: Clock, staff: User
) -> None:
    carrier.script = ["waits"]
    delivery = sent()

    deliveries.withdraw_for(
        kind=DeliveryKind(delivery.kind),
        subject_id=delivery.subject_id,
        reason="corrected meanwhile",
        by=None,
        at=clock.now(),
    )
    sweep()

    assert fresh(delivery).state == DeliveryState.CANCELLED
    assert carrier.taken[0].status == "canceled"
    assert delivery_desk.undoable(fresh(delivery)) == ""


def test_what_is_on_its_way_to_a_wrong_number_is_stopped_and_goes_another_way(
    carrier: Carrier, now: Clock, staff: User
) -> None:
    carrier.script = ["waits", "waits"]
    delivery = make_delivery()
    Delivery.update(further_routes=[["email", "practice@example.org"]]).where(
        Delivery.id == delivery.id
    ).execute()
    elsewhere = make_delivery(address="+18605550199")
    for each in (delivery, elsewhere):
        tasks.send_delivery.call_local(each.id)

    fax_numbers.block(
        delivery.address, why="It is a bakery.", by="staff.lee", at=clock.now()
    )
    sweep()

    assert [fax.status for fax in carrier.taken] == ["canceled", "sending"]
    now.go_on(hours=1)
    sweep()
    assert len(carrier.taken) == 2  # no second call to the bakery
    [child] = Delivery.select().where(Delivery.parent == delivery)
    assert child.channel == ChannelName.EMAIL


def test_a_fax_in_doubt_that_is_cancelled_is_stopped_before_its_copy_goes(
    carrier: Carrier, now: Clock, staff: User
) -> None:
    carrier.script = ["accept-drop"]
    delivery = make_delivery()
    tasks.send_delivery.call_local(delivery.id)
    assert fresh(delivery).state == DeliveryState.IN_DOUBT
    carrier.settle()
    carrier.taken[0].status = "sending"

    cancel(fresh(delivery), staff)
    schedule.sweep_rest()
    work()

    assert fresh(delivery).state == DeliveryState.CANCELLED
    assert carrier.taken[0].status == "canceled"
    assert carrier.forgotten == [carrier.taken[0].sid]


@pytest.mark.parametrize("state", ["W", "R"])
def test_hylafax_ends_the_call(
    hylafax: FaxServer, now: Clock, staff: User, state: str
) -> None:
    delivery, other = sent(), sent()
    for job in hylafax.jobs:
        job.state = state

    cancel(delivery, staff)
    sweep()

    assert [job.state for job in hylafax.jobs] == ["F", state]
    assert fresh(delivery).state == DeliveryState.CANCELLED
    assert fresh(other).state == DeliveryState.SUBMITTED


def test_a_carrier_that_cannot_stop_says_how_it_ended(now: Clock, staff: User) -> None:
    with Sinch() as sinch, settings.changed(fax_url=sinch.url, fax_hours="0-24"):
        delivery = sent()
        sinch.faxes[0].status = "IN_PROGRESS"

        cancel(delivery, staff)
        sweep()

        assert fresh(delivery).state == DeliveryState.SUBMITTED
        assert "cannot stop what it has taken" in notes(delivery)
        sinch.faxes[0].status = "COMPLETED"
        now.go_on(minutes=10)
        sweep()
        assert fresh(delivery).state == DeliveryState.DELIVERED
        assert fresh(delivery).needs_staff
