"""The audit record: whole when untouched, and no change to it goes unseen."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from models import AuditEvent, AuditHead
from pmp import audit, database, settings
from tests.conftest import NOW


@pytest.fixture
def three_events(db: settings.Settings) -> list[AuditEvent]:
    return [
        audit.record(
            audit.Event.LOOKED_UP,
            actor=f"user{n}",
            subject=f"patient:{n}",
            at=NOW + timedelta(seconds=n),
            detail={"purpose": "treating", "n": n},
        )
        for n in range(3)
    ]


def test_an_untouched_record_is_whole(three_events: list[AuditEvent]) -> None:
    assert audit.verify() == []


def test_a_changed_row_is_found(three_events: list[AuditEvent]) -> None:
    second = three_events[1]
    AuditEvent.update(actor="nobody").where(AuditEvent.id == second.id).execute()
    assert audit.verify() == [f"Event {second.id}: its content was changed."]


def test_a_changed_detail_is_found(three_events: list[AuditEvent]) -> None:
    AuditEvent.update(detail={}).where(AuditEvent.id == three_events[0].id).execute()
    assert len(audit.verify()) == 1


def test_a_missing_row_is_found(three_events: list[AuditEvent]) -> None:
    three_events[1].delete_instance()
    [fault] = audit.verify()
    assert f"Event {three_events[2].id}" in fault


def test_a_cut_off_tail_is_found(three_events: list[AuditEvent]) -> None:
    three_events[2].delete_instance()
    [fault] = audit.verify()
    assert fault.startswith("The record ends at event")


def test_a_tail_cut_off_under_a_forged_end_is_found_after_further_events_too(
    three_events: list[AuditEvent],
) -> None:
    three_events[2].delete_instance()
    end = three_events[1]
    AuditHead.update(last_id=end.id, last_hash=end.hash).execute()
    for n in range(2):
        audit.record(audit.Event.LOOKED_UP, actor="a", subject=f"patient:{n}", at=NOW)
    [fault] = audit.verify()
    assert "a row before it is missing" in fault


def test_events_that_come_while_it_is_checked_are_no_fault(
    three_events: list[AuditEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = audit._rows

    def rows_and_a_writer() -> Iterator[AuditEvent]:
        yield from list(rows())
        audit.record(audit.Event.LOOKED_UP, actor="b", subject="patient:4", at=NOW)

    monkeypatch.setattr(audit, "_rows", rows_and_a_writer)
    assert audit.verify() == []

    three_events[1].delete_instance()
    assert audit.verify() != []


def test_a_row_after_the_sealed_end_is_found(three_events: list[AuditEvent]) -> None:
    end = AuditHead.get()
    audit.record(audit.Event.LOOKED_UP, actor="b", subject="patient:4", at=NOW)
    AuditHead.update(
        last_id=end.last_id, last_hash=end.last_hash, seal=end.seal
    ).execute()
    [fault] = audit.verify()
    assert fault.startswith("The record ends at event")


def test_a_chain_made_anew_without_the_key_is_found(
    three_events: list[AuditEvent],
) -> None:
    with settings.changed(secret_key="another secret key of some length 123"):
        assert audit.verify() == [
            "The seal on the end was not made with this secret key."
        ]


def test_an_event_falls_with_its_cause(three_events: list[AuditEvent]) -> None:
    with database.atomic() as cause:
        audit.record(audit.Event.SIGNED_IN, actor="a", subject="user:1", at=NOW)
        cause.rollback()
    assert AuditEvent.select().count() == 3
    assert audit.verify() == []
