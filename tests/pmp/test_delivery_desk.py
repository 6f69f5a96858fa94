"""What staff do about deliveries: doubts, undo, many at once, and what came between."""

from datetime import timedelta

import pytest

from models import (
    AuditEvent,
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryEvent,
    DeliveryKind,
    DeliveryState,
    ErrorClass,
    Misdelivery,
    User,
    WhatBecame,
)
from pmp import audit, deliveries
from pmp.deliveries import (
    Route,
    as_seen,
    carrier_copies,
    delivery_batches,
    delivery_desk,
    delivery_stories,
    doubts,
    outbox,
    print_runs,
)
from pmp.deliveries.delivery_batches import Action
from pmp.errors import ConflictError, RuleError
from tests.conftest import NOW
from tests.factories import make_user

pytestmark = pytest.mark.usefixtures("db")

FAX = Route(ChannelName.FAX, "+18605550123")
LETTER = Route(ChannelName.LETTER, "RAE OAKES\n2 Main Street\nHartford CT 06106")
LATER = NOW + timedelta(minutes=20)


@pytest.fixture
def staff() -> User:
    return make_user(username="staff.lee")


def made(*routes: Route) -> Delivery:
    return deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=1,
        routes=routes or (FAX,),
        dedupe_key=f"test:{Delivery.select().count()}",
        at=NOW,
    )


def fresh(row: Delivery) -> Delivery:
    return Delivery.get_by_id(row.id)


def failed(error_class: ErrorClass, *routes: Route) -> Delivery:
    row = made(*routes)
    claimed = deliveries.claim(row.id, carrier="laml", at=NOW)
    assert claimed is not None
    deliveries.mark_failed(claimed, error_class=error_class, text="", at=NOW)
    return fresh(row)


def in_doubt() -> Delivery:
    """Give one that may have been sent; the carrier could not say for six hours."""
    row = made()
    claimed = deliveries.claim(row.id, carrier="laml", at=NOW)
    assert claimed is not None
    deliveries.begin(claimed, pdf=b"%PDF-1", at=NOW)
    deliveries.mark_maybe(claimed, text="cut", at=NOW)
    doubts.cannot_tell(row.id, text="no answer", at=NOW + timedelta(hours=7))
    assert fresh(row).state == DeliveryState.HELD
    return fresh(row)


def test_the_recipient_says_that_it_arrived(staff: User) -> None:
    row = in_doubt()
    assert delivery_desk.may_tell(row)

    delivery_desk.tell(row.id, arrived=True, by=staff, at=LATER)

    told = fresh(row)
    assert told.state == DeliveryState.DELIVERED
    assert (told.needs_staff, told.possible_duplicate) == (False, False)
    assert told.error_class is None
    with pytest.raises(RuleError, match="It is known"):
        delivery_desk.tell(row.id, arrived=True, by=staff, at=LATER)


def test_the_recipient_says_that_it_did_not_arrive(staff: User) -> None:
    row = in_doubt()

    delivery_desk.tell(row.id, arrived=False, by=staff, at=LATER)

    told = fresh(row)
    assert (told.state, told.due_at) == (DeliveryState.QUEUED, LATER)
    assert told.possible_duplicate


def test_one_that_was_only_held_or_failed_is_in_no_doubt(staff: User) -> None:
    row = made()
    delivery_desk.hold(row.id, by=staff, at=NOW)

    for known in (row, failed(ErrorClass.REJECTED)):
        assert not delivery_desk.may_tell(fresh(known))


def test_a_cancelled_delivery_is_taken_back_and_held(staff: User) -> None:
    row = made()
    delivery_desk.cancel(row.id, reason="wrong doctor", by=staff, at=NOW)
    assert delivery_desk.undoable(fresh(row)) == "cancel"

    assert delivery_desk.undo(row.id, by=staff, at=LATER) == "cancel"

    back = fresh(row)
    assert (back.state, back.final_at) == (DeliveryState.HELD, None)
    assert back.needs_staff
    assert deliveries.due(at=LATER) == []
    delivery_desk.release(row.id, by=staff, at=LATER)
    assert deliveries.due(at=LATER) == [row.id]


def test_what_was_in_doubt_when_it_was_cancelled_is_marked_when_it_comes_back(
    staff: User,
) -> None:
    row, sure = made(), made()
    claimed = deliveries.claim(row.id, carrier="laml", at=NOW)
    assert claimed is not None
    deliveries.begin(claimed, pdf=b"%PDF-1", at=NOW)
    deliveries.mark_maybe(claimed, text="cut", at=NOW)
    for each in (row, sure):
        delivery_desk.cancel(each.id, reason="x", by=staff, at=NOW)
        delivery_desk.undo(each.id, by=staff, at=LATER)

    assert delivery_desk.may_tell(fresh(row))
    delivery_desk.release(row.id, by=staff, at=LATER)

    assert fresh(row).possible_duplicate
    assert not fresh(sure).possible_duplicate


def carried_letter() -> tuple[Delivery, DeliveryAttempt]:
    row = made(LETTER)
    claimed = deliveries.claim(row.id, carrier="lob", at=NOW)
    assert claimed is not None
    deliveries.begin(claimed, pdf=b"%PDF-1", at=NOW)
    deliveries.mark_submitted(claimed, reference=f"ltr_{row.id}", at=NOW)
    return row, claimed.attempt


def test_a_letter_that_a_company_is_yet_to_stop_is_not_taken_back(
    staff: User,
) -> None:
    row, attempt = carried_letter()
    delivery_desk.cancel(row.id, reason="x", by=staff, at=NOW)

    with pytest.raises(RuleError, match="lob is still to stop it"):
        delivery_desk.undo(row.id, by=staff, at=LATER)
    assert fresh(row).state == DeliveryState.CANCELLED

    carrier_copies.forgotten(attempt.id, at=LATER)
    delivery_desk.undo(row.id, by=staff, at=LATER)

    assert fresh(row).state == DeliveryState.HELD
    assert not fresh(row).possible_duplicate


def test_a_letter_that_no_company_took_is_taken_back(staff: User) -> None:
    row = made(LETTER)
    claimed = deliveries.claim(row.id, carrier="lob", at=NOW)
    assert claimed is not None
    down = ErrorClass.CARRIER_DOWN
    deliveries.mark_failed(claimed, error_class=down, text="", at=NOW)
    delivery_desk.cancel(row.id, reason="x", by=staff, at=NOW)

    assert delivery_desk.undo(row.id, by=staff, at=LATER) == "cancel"


def test_what_a_rule_withdrew_is_not_taken_back(staff: User) -> None:
    row = made()
    deliveries.withdraw_for(
        kind=row.kind, subject_id=1, reason="The case is closed.", by=staff, at=NOW
    )
    assert fresh(row).state == DeliveryState.CANCELLED

    assert delivery_desk.undoable(fresh(row)) == ""
    with pytest.raises(RuleError, match="nothing to take back"):
        delivery_desk.undo(row.id, by=staff, at=LATER)


def test_what_was_seen_to_comes_back_on_the_list(staff: User) -> None:
    row = failed(ErrorClass.REJECTED)
    delivery_desk.settle(row.id, by=staff, at=NOW)
    assert not fresh(row).needs_staff

    assert delivery_desk.undo(row.id, by=staff, at=LATER) == "settle"

    assert fresh(row).needs_staff
    assert fresh(row).state == DeliveryState.FAILED
    assert delivery_desk.undoable(fresh(row)) == ""


def test_what_happened_meanwhile_is_told_and_nothing_is_done(staff: User) -> None:
    row = made()
    seen = as_seen.mark(row)
    delivery_desk.hold(row.id, by=make_user(username="staff.ortiz"), at=NOW)
    steps = DeliveryEvent.select().count()

    with pytest.raises(ConflictError, match=r"meanwhile .*10:14 AM ET staff.ortiz"):
        delivery_desk.cancel(row.id, reason="x", by=staff, at=LATER, seen=seen)

    assert fresh(row).state == DeliveryState.HELD
    assert DeliveryEvent.select().count() == steps
    new = as_seen.mark(fresh(row))
    delivery_desk.cancel(row.id, reason="x", by=staff, at=LATER, seen=new)
    assert fresh(row).state == DeliveryState.CANCELLED


@pytest.mark.parametrize("seen", ["nonsense", "7-x", "-", "0-99999"])
def test_a_mark_that_is_none_is_a_conflict_or_as_seen(staff: User, seen: str) -> None:
    row = made()

    if seen.startswith("0-"):
        delivery_desk.hold(row.id, by=staff, at=NOW, seen=seen)
    else:
        with pytest.raises(ConflictError):
            delivery_desk.hold(row.id, by=staff, at=NOW, seen=seen)


def test_a_batch_is_reviewed_and_then_done_to_those_alone(staff: User) -> None:
    waiting, gone = made(), failed(ErrorClass.REJECTED)
    nowhere = made(Route(ChannelName.LETTER, ""))

    lines = delivery_batches.review(
        Action.RETRY, [waiting.id, gone.id, nowhere.id, 999]
    )

    assert [line.delivery.id for line in lines] == [waiting.id, gone.id, nowhere.id]
    assert [line.why_not for line in lines] == ["", "", "No address is known."]
    assert fresh(gone).state == DeliveryState.FAILED  # nothing has been done
    marks = {line.delivery.id: line.mark for line in lines if not line.why_not}
    delivery_desk.hold(waiting.id, by=make_user(), at=NOW)  # somebody is quicker

    outcome = delivery_batches.carry_out(Action.RETRY, marks, by=staff, at=LATER)

    assert outcome.done == [gone.id]
    assert "meanwhile" in outcome.refused[waiting.id]
    assert fresh(gone).state == DeliveryState.QUEUED
    assert fresh(waiting).state == DeliveryState.HELD


def test_a_batch_is_cancelled_for_a_reason(staff: User) -> None:
    rows = [made(), made()]
    lines = delivery_batches.review(Action.CANCEL, [row.id for row in rows])
    marks = {line.delivery.id: line.mark for line in lines}

    with pytest.raises(RuleError) as refused:
        delivery_batches.carry_out(Action.CANCEL, marks, by=staff, at=NOW)
    assert refused.value.field == "reason"
    delivery_batches.carry_out(Action.CANCEL, marks, reason="closed", by=staff, at=NOW)

    assert {fresh(row).state for row in rows} == {DeliveryState.CANCELLED}
    acts = AuditEvent.select().where(
        AuditEvent.event == audit.Event.DELIVERY_STAFF_ACTION
    )
    assert acts.count() == 2


def test_a_batch_needs_a_choice_of_at_most_200() -> None:
    for number in (0, 201):
        with pytest.raises(RuleError, match="Choose"):
            delivery_batches.review(Action.HOLD, list(range(1, number + 1)))


def test_a_batch_sends_nothing_to_a_barred_address(staff: User) -> None:
    stray, other = made(), made()
    Misdelivery.create(
        delivery=stray,
        told_by="A bakery",
        became=WhatBecame.KEPT,
        recorded_by="staff.lee",
        recorded_at=NOW,
    )

    [line] = delivery_batches.review(Action.RETRY, [other.id])
    [held] = delivery_batches.review(Action.HOLD, [other.id])

    assert "somebody else there" in line.why_not
    assert held.why_not == ""


def words(row: Delivery, at: object = LATER) -> str:
    return delivery_stories.now_words(fresh(row), at=at)  # type: ignore[arg-type]


def test_where_it_stands_is_said_in_a_sentence(staff: User) -> None:
    assert words(made(), NOW) == (
        "It has not been tried yet. First try as soon as a worker is free."
    )
    busy = failed(ErrorClass.BUSY)
    Delivery.update(due_at=LATER + timedelta(minutes=5)).execute()
    assert words(busy) == (
        "Busy at 10:14 AM. Next try 10:39 AM, the 2nd of at most 8;"
        " given up 11/26/2026 10:14 AM ET."
    )
    down = failed(ErrorClass.CARRIER_DOWN)
    assert "The carrier was out of reach at 10:14 AM." in words(down)
    assert "of at most" not in words(down)
    assert words(failed(ErrorClass.REJECTED)) == "Failed at 10:14 AM."
    assert "may have been sent" in words(in_doubt())
    assert "No way to reach" in words(made(Route(ChannelName.FAX, "")))


def test_a_letter_with_a_company_is_not_said_to_wait_for_our_printer() -> None:
    row, _ = carried_letter()

    assert words(row) == (
        "The carrier has had it since 10:14 AM. It will say how it ended."
    )


def test_a_letter_of_ours_says_what_waits_for_it() -> None:
    row = made(LETTER)
    claimed = deliveries.claim(row.id, carrier="print", at=NOW)
    assert claimed is not None
    deliveries.begin(claimed, pdf=b"%PDF-1", at=NOW)
    deliveries.mark_submitted(claimed, reference=f"print-{row.id}", at=NOW)
    assert words(row) == "It waits to be printed and mailed: see Letters."
    assert delivery_stories.time_line(fresh(row))[-1].what == "waits to be printed"

    run = print_runs.open_run(sheets=len, by=make_user(), at=NOW)

    assert words(row).startswith(f"It is in print run {run.id}, to be printed")


def test_a_full_mailbox_is_no_busy_number() -> None:
    by_mail = failed(ErrorClass.BUSY, Route(ChannelName.EMAIL, "a@example.org"))

    assert delivery_desk.error_words(by_mail).startswith("The mailbox was full")
    assert delivery_desk.error_words(failed(ErrorClass.BUSY)) == "The number was busy."


def test_the_time_line_names_tries_carriers_and_staff(staff: User) -> None:
    row = failed(ErrorClass.BUSY)
    delivery_desk.hold(row.id, by=staff, at=LATER)

    told = [(step.who, step.what) for step in delivery_stories.time_line(fresh(row))]

    assert told == [
        ("The program", "requested"),
        ("The worker", "begins try 1"),
        ("The worker", "Busy: to be tried again"),
        ("staff.lee", "Held"),
    ]


def test_the_chain_goes_both_ways() -> None:
    first = failed(ErrorClass.REJECTED, FAX, LETTER)
    second = Delivery.get(Delivery.parent == first)
    made()  # another message

    for row in (first, second):
        chain = delivery_stories.chain(fresh(row))
        assert [link.delivery.id for link in chain] == [first.id, second.id]
        assert [link.is_this for link in chain] == [row == first, row == second]
    assert len(delivery_stories.chain(made())) == 1


def test_every_state_and_fault_has_words() -> None:
    row = made()
    for state in DeliveryState:
        row.state = state
        assert delivery_stories.now_words(row, at=NOW)
        assert delivery_desk.state_words(row)
    for error_class in ErrorClass:
        row.error_class = error_class
        assert delivery_desk.error_words(row)
    assert outbox.FINAL
