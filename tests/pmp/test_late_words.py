"""What is learned too late: of what was cancelled, held, withdrawn or sent again."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryEvent,
    DeliveryKind,
    DeliveryState,
    ErrorClass,
    StationVerdict,
)
from pmp import database, deliveries
from pmp.deliveries import (
    Claim,
    Route,
    callbacks,
    carried_letters,
    carrier_copies,
    delivery_desk,
    doubts,
    turns,
)
from pmp.deliveries.callbacks import CarrierReport, Progress
from pmp.reaching import fax_numbers, held_faxes, stations
from tests.conftest import NOW
from tests.factories import make_user

pytestmark = pytest.mark.usefixtures("db")

FAX = Route(ChannelName.FAX, "+18605550123")
EMAIL = Route(ChannelName.EMAIL, "doctor@example.org")
LETTER = Route(ChannelName.LETTER, "Dr. A\n1 Main Street\nHartford, CT 06106")
CARRIERS = {
    ChannelName.FAX: "laml",
    ChannelName.EMAIL: "smtp",
    ChannelName.LETTER: "lob",
}
LATER = NOW + timedelta(minutes=6)
WHY = "No longer on a counted entry."
S = DeliveryState


def requested(*routes: Route, at: Any = NOW) -> Delivery:
    return deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=1,
        routes=routes or (FAX,),
        dedupe_key=f"late {Delivery.select().count()}",
        at=at,
    )


def called(delivery: Delivery, *, at: Any = NOW) -> Claim:
    """Have a worker call the carrier about a delivery."""
    claim = deliveries.claim(delivery.id, carrier=CARRIERS[delivery.channel], at=at)
    assert claim
    assert deliveries.begin(claim, pdf=None, at=at)
    return claim


def submitted(delivery: Delivery, reference: str = "FX1") -> Claim:
    claim = called(delivery)
    deliveries.mark_submitted(claim, reference=reference, at=NOW)
    return claim


def in_doubt(delivery: Delivery) -> Claim:
    claim = called(delivery)
    deliveries.mark_maybe(claim, text="no answer", at=NOW)
    return claim


def say(
    progress: Progress,
    error: ErrorClass | None = None,
    *,
    status: str = "",
    reference: str = "FX1",
    key: str = "",
    carrier: str = "laml",
    station: str = "",
) -> None:
    """Have a carrier report."""
    word = status or progress.value
    report = CarrierReport(reference, word, progress, error, station=station)
    callbacks.apply(
        report, carrier=carrier, source="call-back", at=LATER, attempt_key=key
    )


def fresh(delivery: Delivery) -> Delivery:
    return Delivery.get_by_id(delivery.id)


def notes(delivery: Delivery) -> str:
    rows = DeliveryEvent.select().where(DeliveryEvent.delivery == delivery)
    return "\n".join(row.note for row in rows.order_by(DeliveryEvent.id))


def withdraw(at: Any = LATER) -> int:
    return deliveries.withdraw_for(
        kind=DeliveryKind.TICKET_NOTICE, subject_id=1, reason=WHY, by=None, at=at
    )


# --- Cancelled with a letter at its company


def test_a_letter_whose_worker_died_is_stopped_at_the_company() -> None:
    letter = requested(LETTER)
    called(letter)
    called(requested(LETTER))  # noise: not cancelled
    doubts.end_leases(repeatable=frozenset(), at=LATER)

    delivery_desk.cancel(letter.id, reason="moot", by=None, at=LATER)

    attempt = DeliveryAttempt.get(DeliveryAttempt.delivery == letter)
    assert carried_letters.to_take_back() == [attempt.id]


# --- Cancelled, and heard of later


def test_a_cancelled_fax_that_may_be_with_the_carrier_is_looked_for() -> None:
    unsent, doubtful, unanswered = requested(), requested(), requested()
    failed = requested()
    in_doubt(doubtful)
    called(unanswered)
    claim = called(failed)
    deliveries.mark_failed(
        claim, error_class=ErrorClass.CARRIER_DOWN, text="down", at=NOW
    )
    doubts.end_leases(repeatable=frozenset(), at=LATER)
    for each in (unsent, doubtful, unanswered, failed):
        delivery_desk.cancel(each.id, reason="wrong", by=None, at=LATER)

    found = carrier_copies.to_forget(carrier="laml", at=LATER)

    attempts = [DeliveryAttempt.get_by_id(number) for number in found]
    assert [each.delivery for each in attempts] == [doubtful, unanswered]
    assert all(carrier_copies.finished(number) for number in found)
    assert carrier_copies.to_forget(carrier="sinch", at=LATER) == []


def test_a_cancelled_fax_that_arrives_is_shown_as_arrived_to_staff() -> None:
    fax = requested()
    key = in_doubt(fax).attempt.idempotency_key
    delivery_desk.cancel(fax.id, reason="wrong", by=None, at=LATER)

    say(Progress.UNDERWAY, key=key)
    assert fresh(fax).state == S.CANCELLED
    say(Progress.DELIVERED, key=key)
    say(Progress.DELIVERED, key=key)

    assert (fresh(fax).state, fresh(fax).needs_staff) == (S.DELIVERED, True)
    assert notes(fax).count("cancelled, and delivered all the same") == 1


@pytest.mark.parametrize("progress", [Progress.MAILED, Progress.DELIVERED])
def test_a_cancelled_letter_that_is_in_the_post_is_staffs(progress: Progress) -> None:
    letter = requested(LETTER)
    submitted(letter)
    delivery_desk.cancel(letter.id, reason="moot", by=None, at=LATER)

    say(Progress.FAILED, ErrorClass.REJECTED, status="deleted", carrier="lob")
    assert fresh(letter).state == S.CANCELLED
    say(progress, carrier="lob")

    assert fresh(letter).state == progress.value
    assert fresh(letter).needs_staff


# --- Sent again meanwhile


@pytest.mark.parametrize("then", ["submitted", "in doubt", "delivered", "held"])
def test_an_acceptance_after_the_next_attempt_marks_a_duplicate(then: str) -> None:
    fax = requested()
    slept = called(fax)
    doubts.end_leases(repeatable=frozenset(), at=LATER)
    doubts.not_there(fax.id, at=LATER)
    second = called(fax, at=LATER)
    if then == "in doubt":
        deliveries.mark_maybe(second, text="no answer", at=LATER)
    elif then == "held":
        busy = ErrorClass.BUSY
        deliveries.mark_failed(second, error_class=busy, text="busy", at=LATER)
        delivery_desk.hold(fax.id, by=None, at=LATER)
    else:
        deliveries.mark_submitted(second, reference="FX2", at=LATER)
    if then == "delivered":
        say(Progress.DELIVERED, reference="FX2")
    state = fresh(fax).state

    deliveries.mark_submitted(slept, reference="FX1", at=LATER)

    assert (fresh(fax).state, fresh(fax).possible_duplicate) == (state, True)
    assert "accepted too late" in notes(fax)
    assert DeliveryAttempt.get(number=1).carrier_reference == "FX1"


def test_an_acceptance_that_is_only_slow_is_no_duplicate() -> None:
    fax = requested()
    slow = called(fax)
    doubts.end_leases(repeatable=frozenset(), at=LATER)

    deliveries.mark_submitted(slow, reference="FX1", at=LATER)

    assert (fresh(fax).state, fresh(fax).possible_duplicate) == (S.SUBMITTED, False)


# --- Withdrawn


def test_a_withdrawn_fax_that_fails_is_sent_to_nobody_again() -> None:
    fax = requested(FAX, EMAIL)
    submitted(fax)

    withdraw()
    withdraw()
    assert fresh(fax).state == S.SUBMITTED
    assert notes(fax).count(WHY) == 1
    say(Progress.FAILED, ErrorClass.BUSY)

    assert (fresh(fax).state, fresh(fax).needs_staff) == (S.CANCELLED, False)
    assert Delivery.select().count() == 1


@pytest.mark.parametrize("error", [ErrorClass.BUSY, ErrorClass.REJECTED])
def test_what_is_withdrawn_in_the_middle_of_a_call_has_no_next_way(
    error: ErrorClass,
) -> None:
    fax, other = requested(FAX, EMAIL), requested(EMAIL)
    claim = called(fax)
    Delivery.update(subject_id=2).where(Delivery.id == other.id).execute()

    withdraw()
    deliveries.mark_failed(claim, error_class=error, text="no", at=LATER)

    assert fresh(fax).state == S.CANCELLED
    assert Delivery.select().count() == 2
    assert fresh(other).state == S.QUEUED


def test_what_is_withdrawn_before_the_call_is_not_called() -> None:
    fax = requested()
    claim = deliveries.claim(fax.id, carrier="laml", at=NOW)
    assert claim

    assert withdraw(NOW) == 1

    assert not deliveries.begin(claim, pdf=None, at=NOW)
    assert fresh(fax).state == S.CANCELLED


def test_a_withdrawn_message_that_the_carrier_has_not_got_ends() -> None:
    stopped, unanswered, dead = requested(), requested(), requested()
    for each in (stopped, dead):
        called(each)
    in_doubt(unanswered)
    withdraw(NOW)
    doubts.end_leases(repeatable=frozenset({"laml"}), at=LATER)
    assert fresh(stopped).state == S.CANCELLED

    doubts.not_there(unanswered.id, at=LATER)

    assert {fresh(each).state for each in (stopped, dead, unanswered)} == {S.CANCELLED}
    assert turns.due(at=LATER) == []


def test_a_withdrawn_message_of_which_nobody_can_tell_cannot_be_sent_again() -> None:
    fax = requested()
    in_doubt(fax)
    withdraw()

    doubts.cannot_tell(fax.id, text="no list", at=NOW + timedelta(days=1))

    assert (fresh(fax).state, fresh(fax).needs_staff) == (S.CANCELLED, True)
    assert not delivery_desk.may_retry(fresh(fax))


@pytest.mark.parametrize("answer", ["accepted", "in doubt"])
def test_a_letter_withdrawn_in_the_middle_of_a_call_is_stopped(answer: str) -> None:
    letter = requested(LETTER)
    claim = called(letter)

    withdraw()
    if answer == "accepted":
        deliveries.mark_submitted(claim, reference="ltr_1", at=LATER)
    else:
        deliveries.mark_maybe(claim, text="no answer", at=LATER)

    assert fresh(letter).state == S.CANCELLED
    assert carried_letters.to_take_back() == [claim.attempt.id]


def test_a_withdrawn_message_that_arrives_has_arrived() -> None:
    fax = requested()
    submitted(fax)
    withdraw()

    say(Progress.DELIVERED)

    assert fresh(fax).state == S.DELIVERED


# --- Held


def test_a_late_report_does_not_undo_what_staff_hold() -> None:
    fax = requested()
    submitted(fax)
    say(Progress.FAILED, ErrorClass.BUSY)
    delivery_desk.hold(fax.id, by=None, at=LATER)

    say(Progress.FAILED, ErrorClass.BUSY, status="failed later")

    assert fresh(fax).state == S.HELD


def test_a_report_ends_a_doubt_that_is_left_to_staff() -> None:
    fax = requested()
    key = in_doubt(fax).attempt.idempotency_key
    doubts.cannot_tell(fax.id, text="no list", at=NOW + timedelta(days=1))
    assert fresh(fax).state == S.HELD

    say(Progress.FAILED, ErrorClass.BUSY, key=key)

    assert fresh(fax).state == S.QUEUED


def test_that_a_letter_was_deleted_as_we_asked_is_no_failure() -> None:
    letter = requested(LETTER, FAX)
    claim = submitted(letter)
    carrier_copies.forgotten(claim.attempt.id, at=LATER)
    Delivery.update(state=S.HELD, error_class=ErrorClass.IN_DOUBT).execute()

    say(Progress.FAILED, ErrorClass.REJECTED, status="deleted", carrier="lob")

    assert fresh(letter).state == S.HELD
    assert Delivery.select().count() == 1


# --- In doubt


def test_a_doubt_is_settled_by_what_the_carrier_had_said_before() -> None:
    fax = requested()
    claim = called(fax)
    key = claim.attempt.idempotency_key
    say(Progress.UNDERWAY, status="queued", key=key)
    deliveries.mark_maybe(claim, text="no answer", at=NOW)

    say(Progress.UNDERWAY, status="queued", key=key)

    assert (fresh(fax).state, fresh(fax).submitted_at) == (S.SUBMITTED, LATER)
    assert notes(fax).count("carrier says queued") == 1


def test_what_a_dead_worker_left_waits_for_the_hours_of_faxes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fax = requested()
    deliveries.claim(fax.id, carrier="laml", at=NOW)
    night = NOW + timedelta(hours=14)
    morning = night + timedelta(hours=5)

    def next_try(delivery: Delivery, at: datetime, *, key: str) -> datetime:
        return morning if delivery.id == fax.id and key else at

    monkeypatch.setattr("pmp.deliveries.fax_hours.next_try", next_try)

    doubts.end_leases(repeatable=frozenset(), at=night)

    assert (fresh(fax).state, fresh(fax).due_at) == (S.QUEUED, morning)


# --- Two at once


@pytest.mark.parametrize("how", ["block", "settle"])
def test_a_report_and_the_blocking_of_its_number_do_not_wait_for_each_other(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    change = another_machine() if how == "settle" else None
    fax, staff = requested(FAX, EMAIL), make_user()
    submitted(fax)
    say(Progress.FAILED, ErrorClass.BUSY)
    assert fresh(fax).state == S.QUEUED
    meet = threading.Barrier(2)
    for module, name in ((stations, "seen"), (held_faxes, "stop")):
        monkeypatch.setattr(module, name, _met(meet, getattr(module, name)))

    def block() -> None:
        if change is None:
            fax_numbers.block(FAX.address, why="wrong", by="x", at=LATER)
        else:
            stations.settle(change, StationVerdict.WRONG_NUMBER, by=staff, at=LATER)

    def report() -> None:
        say(Progress.DELIVERED, station="DR ADAMS")

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(_connected, each) for each in (report, block)]:
            done.result()

    assert fresh(fax).state == S.DELIVERED
    assert fax_numbers.is_closed(FAX.address)


def another_machine() -> int:
    """Have two machines answer at the number; give the change that staff judge."""
    for number, name in enumerate(("DR ADAMS", "BOB'S GARAGE")):
        submitted(requested(FAX), reference=f"OLD{number}")
        say(Progress.DELIVERED, reference=f"OLD{number}", station=name)
    [change] = stations.open_changes()
    return change.id


def _met(meet: threading.Barrier, work: Callable[..., Any]) -> Callable[..., Any]:
    """Have both be where they hold what the other wants, if they ever are."""

    def run(*args: Any, **named: Any) -> Any:
        with suppress(threading.BrokenBarrierError):
            meet.wait(timeout=1)
        return work(*args, **named)

    return run


def _connected(work: Callable[[], None]) -> None:
    with database.connected():
        work()
