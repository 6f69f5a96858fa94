"""The sweep: what people wait for is not stuck behind a pile of deliveries."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway import schedule, tasks
from gateway.queue import huey
from models import Delivery
from pmp import clock, deliveries, settings, uploads
from tests.conftest import NOW
from tests.factories import make_ticket, make_user
from tests.gateway.conftest import make_delivery


def test_overdue_tickets_are_told_in_office_hours(
    db: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(email="lee@example.org")
    make_ticket()
    Delivery.delete().execute()
    midnight = datetime(2026, 12, 1, 5, tzinfo=UTC)
    told = []
    for hour in (0, 12, 13):
        at = midnight + timedelta(hours=hour)
        monkeypatch.setattr(clock, "now", lambda at=at: at)

        schedule.watch_tickets()

        told.append(Delivery.select().count())
    assert told == [0, 2, 2]  # its triage and its outcome, each once


def test_a_full_queue_takes_no_more_deliveries_and_their_rows_wait(
    db: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudged: list[object] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, *_: nudged.append(task))
    monkeypatch.setattr(huey, "pending_count", lambda: tasks.FULL_QUEUE + 1)
    waiting = make_delivery()
    assert nudged == []
    assert deliveries.due(at=NOW) == [waiting.id]

    monkeypatch.setattr(huey, "pending_count", lambda: tasks.FULL_QUEUE)
    make_delivery()
    assert nudged == [tasks.send_delivery]


def test_submissions_come_before_a_pile_of_deliveries(
    db: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pile = list(range(1, tasks.FULL_QUEUE + 2))
    nudged: list[object] = []
    monkeypatch.setattr(deliveries, "due", lambda **_: pile)
    monkeypatch.setattr(uploads, "waiting", lambda: pile)
    monkeypatch.setattr(tasks, "nudge", lambda task, *_: nudged.append(task))
    monkeypatch.setattr(huey, "pending_count", lambda: len(nudged))
    monkeypatch.setattr(schedule, "_last", {})

    schedule.tick()

    swept = nudged.count(tasks.process_submission)
    assert 0 < swept < tasks.FULL_QUEUE
    assert nudged[:swept] == [tasks.process_submission] * swept
    assert tasks.send_delivery in nudged
