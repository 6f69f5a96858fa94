"""Counts of deliveries by channel and day, and the picture of them."""

import xml.etree.ElementTree as ET
from datetime import date, timedelta

import pytest

from models import ChannelName, Delivery, DeliveryKind, DeliveryState, ErrorClass
from pmp import deliveries
from pmp.chart import volumes
from pmp.chart.volumes import Day
from pmp.deliveries import Route, delivery_figures
from pmp.deliveries.delivery_lists import GROUPS
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("db")

ADDRESSES = {
    ChannelName.FAX: "+18605550123",
    ChannelName.EMAIL: "doctor@example.org",
}


def made(
    state: DeliveryState = DeliveryState.QUEUED,
    channel: ChannelName = ChannelName.FAX,
    *,
    ended: int | None = None,
    old: int = 0,
) -> Delivery:
    """Give a delivery that ended so many days ago, made so many hours ago."""
    row = deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=1,
        routes=[Route(channel, ADDRESSES[channel])],
        dedupe_key=f"test:{Delivery.select().count()}",
        at=NOW - timedelta(hours=old),
    )
    row.state = state
    row.final_at = None if ended is None else NOW - timedelta(days=ended)
    row.save()
    return row


def tried(error_class: ErrorClass | None) -> None:
    claimed = deliveries.claim(made().id, carrier="laml", at=NOW)
    assert claimed is not None
    if error_class is None:
        deliveries.mark_submitted(claimed, reference=f"FX{claimed.delivery.id}", at=NOW)
    else:
        deliveries.mark_failed(claimed, error_class=error_class, text="", at=NOW)


def fax() -> delivery_figures.Channel:
    channels = delivery_figures.figures(at=NOW).channels
    return next(each for each in channels if each.name == ChannelName.FAX)


def test_what_stands_now_is_counted_by_channel() -> None:
    made(old=5)
    made(old=2)
    made(DeliveryState.HELD)
    made(DeliveryState.SUBMITTED)
    made(DeliveryState.IN_DOUBT)
    made(channel=ChannelName.EMAIL)

    found = fax()

    assert (found.waiting, found.held, found.on_its_way) == (2, 1, 2)
    assert found.oldest == NOW - timedelta(hours=5)
    assert (found.arrived, found.failed) == (0, 0)


def test_what_ended_is_counted_on_its_day() -> None:
    made(DeliveryState.DELIVERED, ended=0)
    made(DeliveryState.SENT, ended=0)
    made(DeliveryState.FAILED, ended=0)
    made(DeliveryState.EXPIRED, ended=6)
    made(DeliveryState.DELIVERED, ended=7)  # too long ago
    made(DeliveryState.CANCELLED, ended=0)  # neither
    made(DeliveryState.DELIVERED, ChannelName.EMAIL, ended=0)

    found = fax()

    assert (found.arrived_today, found.failed_today) == (2, 1)
    assert (found.arrived, found.failed) == (2, 2)
    assert found.days[0] == Day(date(2026, 11, 17), 0, 1)
    assert found.days[-1] == Day(date(2026, 11, 23), 2, 1)


def test_a_carrier_that_fails_is_told_from_numbers_that_are_busy() -> None:
    for _ in range(3):
        tried(ErrorClass.BUSY)
    assert not fax().is_failing
    for _ in range(4):
        tried(ErrorClass.CARRIER_DOWN)

    assert (fax().tries, fax().faults) == (7, 4)
    assert fax().is_failing
    assert [each.name for each in delivery_figures.figures(at=NOW).failing] == ["fax"]
    for _ in range(2):
        tried(None)
    assert not fax().is_failing


def test_queues_tell_what_failed_from_all_that_need_a_person() -> None:
    failed, held = made(DeliveryState.FAILED, ended=0), made(DeliveryState.HELD)
    made(DeliveryState.FAILED, ended=0)  # went on by another way
    ours = Delivery.id.in_([failed.id, held.id])
    Delivery.update(needs_staff=True).where(ours).execute()

    assert list(delivery_figures.failed_queue()) == [failed]
    assert set(delivery_figures.asked_queue()) == {failed, held}
    assert delivery_figures.figures(at=NOW).need_staff == 2


def test_nothing_was_ever_sent() -> None:
    found = delivery_figures.figures(at=NOW)

    assert (found.channels, found.need_staff) == ([], 0)


def test_the_picture_stacks_what_failed_upon_what_arrived() -> None:
    first = date(2026, 11, 17)
    days = [Day(first + timedelta(days=each), 0, 0) for each in range(6)]
    days.append(Day(date(2026, 11, 23), 30, 10))

    drawn = ET.fromstring(volumes.svg(days, title='Fax & "more"'))  # noqa: S314 - ours

    name = "{http://www.w3.org/2000/svg}"
    dark, hatched = drawn.findall(f"{name}rect")
    heights = [float(each.attrib["height"]) for each in (dark, hatched)]
    assert heights[0] == pytest.approx(3 * heights[1], abs=0.2)
    bottom = float(hatched.attrib["y"]) + heights[1]
    assert bottom == pytest.approx(float(dark.attrib["y"]), abs=0.2)
    texts = [each.text for each in drawn.findall(f"{name}text")]
    assert texts == ["Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "10/40", "Mon"]
    assert drawn.attrib["aria-label"] == 'Fax & "more"'


def test_a_picture_of_nothing_is_a_line() -> None:
    drawn = volumes.svg([Day(date(2026, 11, 23), 0, 0)], title="Fax")

    assert "<rect" not in drawn
    assert "Mon" in drawn


def test_each_state_is_in_one_group_or_on_purpose_in_none() -> None:
    grouped = [state for group in GROUPS.values() for state in group]

    assert len(grouped) == len(set(grouped))
    # Those held have a column of their own; what is cancelled is no news.
    assert set(DeliveryState) - set(grouped) == {
        DeliveryState.HELD,
        DeliveryState.CANCELLED,
    }
