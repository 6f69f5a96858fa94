from datetime import datetime, timedelta
from typing import Any

import pytest

from models import (
    Application,
    ApplicationStatus,
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    FaxStatus,
    InboundFax,
    Profession,
    ScheduledRun,
    StationVerdict,
)
from pmp import settings, statistics
from pmp.reaching import stations
from pmp.work_queues import Queue
from tests.conftest import NOW
from tests.factories import make_user

HOUR = timedelta(hours=1)
pytestmark = pytest.mark.usefixtures("db")


def fax(reference: str, status: FaxStatus, at: datetime = NOW) -> None:
    InboundFax.create(
        received_at=at, source="test", source_reference=reference, status=status
    )


def application(code: str, status: ApplicationStatus, **fields: Any) -> None:
    Application.create(
        code=code,
        profession=Profession.PHARMACY,
        status=status,
        licence_number="1",
        dea="x",
        phone="+18605550100",
        attested_at=NOW,
        submitted_at=NOW,
        **fields,
    )


def delivery(key: str, state: DeliveryState, **fields: Any) -> None:
    defaults: dict[str, Any] = {
        "kind": DeliveryKind.CREDENTIAL_LETTER,
        "subject_id": 1,
        "channel": ChannelName.LETTER,
        "address": "x",
        "dedupe_key": key,
        "state": state,
        "due_at": NOW,
        "deadline_at": NOW + 24 * HOUR,
        "created_at": NOW,
    }
    Delivery.create(**(defaults | fields))


def queue(address: str) -> Queue:
    [found] = [q for q in statistics.staff_queues(at=NOW) if q.address == address]
    return found


def test_nothing_waits_in_an_empty_program() -> None:
    queues = statistics.staff_queues(at=NOW)

    assert {q.count for q in queues} == {0}
    assert {q.oldest for q in queues} == {None}
    assert len({q.address for q in queues}) == len(queues) == 26


def test_faxes_wait_until_they_are_handled() -> None:
    fax("old", FaxStatus.UNMATCHED, NOW - 5 * HOUR)
    fax("new", FaxStatus.UNREADABLE, NOW - HOUR)
    for status in (FaxStatus.MATCHED, FaxStatus.FILED, FaxStatus.DISMISSED):
        fax(status, status, NOW - 50 * HOUR)  # noise

    assert queue("/staff/faxes").count == 2
    assert queue("/staff/faxes").oldest == NOW - 5 * HOUR


def test_what_waits_longer_than_staff_may_take_is_overdue() -> None:
    for hours in (49, 47, 1):
        fax(f"{hours} hours", FaxStatus.UNMATCHED, NOW - hours * HOUR)
    fax("long gone", FaxStatus.FILED, NOW - 90 * HOUR)  # noise

    assert queue("/staff/faxes").late == 1
    with settings.changed(queue_overdue_days=3):
        assert queue("/staff/faxes").late == 0


def test_numbers_wait_where_another_machine_answered_until_somebody_judges() -> None:
    fields = {"channel": ChannelName.FAX, "address": "+18605550120"}
    delivery("kept", DeliveryState.SENT, **fields)
    row = Delivery.get(dedupe_key="kept")
    for name, hours in (("ADAMS", 5), ("GARAGE", 4), ("BAKERY", 3)):
        stations.seen(row, name, at=NOW - hours * HOUR)
    first = stations.open_changes()[0]
    stations.settle(first.id, StationVerdict.RIGHT, by=make_user(), at=NOW)

    found = queue("/staff/fax-numbers")
    assert (found.count, found.oldest) == (1, NOW - 3 * HOUR)


def test_registrations_wait_from_the_fax_until_the_decision() -> None:
    arrived = NOW - 3 * HOUR
    application(
        "a",
        ApplicationStatus.CONFIRMATION_RECEIVED,
        confirmation_received_at=arrived,
    )
    application("b", ApplicationStatus.SUBMITTED)
    application("c", ApplicationStatus.APPROVED, confirmation_received_at=NOW)

    assert queue("/staff/registrations").count == 1
    assert queue("/staff/registrations").oldest == arrived


def test_letters_wait_until_they_are_mailed() -> None:
    delivery("to print", DeliveryState.SUBMITTED)
    delivery("to mail", DeliveryState.PRINTED)
    delivery("gone", DeliveryState.MAILED)
    delivery("not drawn", DeliveryState.QUEUED)
    delivery("a fax", DeliveryState.SUBMITTED, channel=ChannelName.FAX)

    assert queue("/staff/letters").count == 2


def test_deliveries_that_need_a_person_are_counted_whatever_their_state() -> None:
    delivery("failed", DeliveryState.FAILED, needs_staff=True)
    delivery("held", DeliveryState.HELD, needs_staff=True, created_at=NOW - HOUR)
    delivery("taken care of", DeliveryState.FAILED)

    assert queue("/staff/deliveries?attention=y").count == 2
    assert queue("/staff/deliveries?attention=y").oldest == NOW - HOUR
    failed = queue("/staff/deliveries?attention=y&state=not_arrived")
    assert (failed.count, failed.oldest) == (1, NOW)


def test_gauges_tell_how_late_the_oldest_delivery_is(db: settings.Settings) -> None:
    delivery("late", DeliveryState.QUEUED, due_at=NOW - 2 * HOUR)
    delivery("due", DeliveryState.QUEUED)
    delivery("later", DeliveryState.QUEUED, due_at=NOW + HOUR)
    delivery("sent", DeliveryState.SENT, due_at=NOW - 9 * HOUR)

    gauges = statistics.gauges(at=NOW)

    assert gauges["pmp_deliveries_due"] == 2
    assert gauges["pmp_deliveries_due_oldest_seconds"] == 7200


def test_worker_is_silent_until_it_sweeps_and_when_it_stops() -> None:
    assert statistics.worker_seen() is None
    assert statistics.worker_is_silent(at=NOW)

    ScheduledRun.create(job="night", period="a", started_at=NOW - 9 * HOUR)
    ScheduledRun.create(job="sweep", period="b", started_at=NOW)

    assert statistics.worker_seen() == NOW
    assert not statistics.worker_is_silent(at=NOW + timedelta(seconds=150))
    assert statistics.worker_is_silent(at=NOW + timedelta(seconds=151))
