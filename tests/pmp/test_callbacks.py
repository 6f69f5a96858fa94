"""Forged call-backs are on record: the first of a minute, and how many others."""

from datetime import datetime, timedelta

import pytest

from gateway import schedule
from models import AuditEvent, ScheduledRun
from pmp import audit, clock, periods, statistics
from pmp.deliveries import callbacks
from tests.conftest import NOW
from tests.pmp.test_answers_at_once import at_once

pytestmark = pytest.mark.usefixtures("db")
SECOND = timedelta(seconds=1)


def refused_calls() -> int:
    """Give how many forged call-backs are on record, or are still to be told of."""
    rows = AuditEvent.select().where(AuditEvent.event == "callback:refused")
    counted: int = sum(each.more or 0 for each in ScheduledRun.select())
    told: int = sum(each.detail.get("others", 1) for each in rows)
    return counted + told


def forge(times: int, *, at: datetime = NOW, what: str = "fax_status") -> None:
    for number in range(times):
        callbacks.refuse(what=what, address=f"203.0.113.{number}", at=at)


def on_record() -> list[tuple[str, str, int]]:
    rows = AuditEvent.select().where(AuditEvent.event == "callback:refused")
    return [
        (each.subject, each.address, each.detail.get("others", 0))
        for each in rows.order_by(AuditEvent.id)
    ]


def test_the_others_of_a_minute_are_one_row_once_it_is_over() -> None:
    first = [("callback:fax_status", "203.0.113.0", 0)]
    forge(300)
    forge(1, what="bounce")
    first.append(("callback:bounce", "203.0.113.0", 0))
    assert callbacks.tell_of_refused(at=NOW + 59 * SECOND) == 0
    assert on_record() == first

    assert callbacks.tell_of_refused(at=NOW + 61 * SECOND) == 1
    assert callbacks.tell_of_refused(at=NOW + 62 * SECOND) == 0

    assert on_record() == [*first, ("callback:fax_status", "", 299)]
    row = AuditEvent.select().order_by(AuditEvent.id.desc()).get()
    assert row.detail["since"] == NOW.isoformat()
    assert audit.verify() == []
    # One that a slow process has counted after that is told of too.
    forge(1)
    assert callbacks.tell_of_refused(at=NOW + 63 * SECOND) == 1
    assert refused_calls() == 302


def test_without_a_worker_the_next_one_tells_and_nothing_is_forgotten() -> None:
    forge(3)
    assert statistics.worker_seen() is None
    assert periods.forget_old(at=NOW + timedelta(days=30)) == 0

    forge(1, at=NOW + timedelta(days=30))

    assert [others for _, _, others in on_record()] == [0, 2, 0]
    assert periods.forget_old(at=NOW + timedelta(days=30)) == 1


def test_a_count_that_has_grown_since_it_was_read_is_told_the_next_time() -> None:
    forge(2)
    (read,) = periods.counts(callbacks.REFUSED, before=NOW + SECOND)
    forge(1)

    assert not periods.take_count(read)
    assert refused_calls() == 3


def test_many_at_once_are_all_counted() -> None:
    assert at_once([lambda: forge(5)] * 4) == []

    assert len(on_record()) == 1
    assert refused_calls() == 20


def test_the_worker_tells() -> None:
    forge(2, at=clock.now() - timedelta(minutes=3))

    schedule.tell_of_forged()

    assert [others for _, _, others in on_record()] == [0, 1]
