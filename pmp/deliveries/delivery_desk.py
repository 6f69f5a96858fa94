"""What staff do about one delivery: try again, hold, release, cancel, settle, undo.

Each action may be given `seen`: the mark of the delivery as the person saw it. Where
something has happened since, nothing is done and ConflictError says what it was.
"""

from collections.abc import Callable
from datetime import datetime

from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    ErrorClass,
    User,
)
from pmp import audit, database
from pmp.deliveries import as_seen, barred, contacts, letters, outbox, retries
from pmp.deliveries.lines import (
    BY_HAND,
    is_withdrawn_by_hand,
    last_step,
    take_back_withdrawal,
    withdraw,
)
from pmp.errors import NotFoundError, RuleError

SEEN_TO = "seen to"

_STATES = {
    DeliveryState.HELD: "Held for staff",
    DeliveryState.QUEUED: "Waiting to be sent",
    DeliveryState.SENDING: "Being sent",
    DeliveryState.SUBMITTED: "With the carrier",
    DeliveryState.IN_DOUBT: "May have been sent: asking the carrier",
    DeliveryState.SENT: "Sent",
    DeliveryState.DELIVERED: "Delivered",
    DeliveryState.BATCHED: "In a print run",
    DeliveryState.PRINTED: "Printed, to be mailed",
    DeliveryState.MAILED: "Mailed",
    DeliveryState.RETURNED: "Came back in the mail",
    DeliveryState.FAILED: "Failed",
    DeliveryState.CANCELLED: "Cancelled",
    DeliveryState.EXPIRED: "Given up: out of time",
}
_ERRORS = {
    ErrorClass.BUSY: "The number was busy.",
    ErrorClass.NO_ANSWER: "Nobody answered.",
    ErrorClass.NOT_A_FAX: "No fax machine answered: check the number.",
    ErrorClass.LINE_DROPPED: "The line was cut.",
    ErrorClass.REJECTED: "The address was refused: check it.",
    ErrorClass.DOCUMENT: "The document could not be made, or does not fit.",
    ErrorClass.CARRIER_DOWN: "The carrier or mail server was out of reach.",
    ErrorClass.THROTTLED: "The carrier asked us to wait.",
    ErrorClass.CONFIGURATION: "Our settings for this carrier are wrong.",
    ErrorClass.IN_DOUBT: "The line was lost while it was sent.",
    ErrorClass.UNKNOWN: "It failed for a reason that we do not know.",
}
_MAIL_ERRORS = {ErrorClass.BUSY: "The mailbox was full, or its server busy."}
_HERE = frozenset({DeliveryState.HELD, DeliveryState.QUEUED, DeliveryState.IN_DOUBT})
_LETTERS_HERE = frozenset(
    {DeliveryState.SUBMITTED, DeliveryState.BATCHED, DeliveryState.PRINTED}
)
_OVER = frozenset({DeliveryState.FAILED, DeliveryState.EXPIRED})


def get(delivery_id: int) -> Delivery:
    """Give a delivery; NotFoundError if there is none."""
    delivery: Delivery | None = Delivery.get_or_none(Delivery.id == delivery_id)
    if delivery is None:
        raise NotFoundError("There is no such delivery.")
    return delivery


def attempts(delivery: Delivery) -> list[DeliveryAttempt]:
    """Give every attempt at a delivery, the first first."""
    query = (
        DeliveryAttempt.select()
        .where(DeliveryAttempt.delivery == delivery)
        .order_by(DeliveryAttempt.number)
    )
    return list(query)


def state_words(delivery: Delivery) -> str:
    """Say where a delivery stands, for people."""
    waits = delivery.state == DeliveryState.SUBMITTED
    if (
        waits
        and delivery.channel == ChannelName.LETTER
        and not letters.is_with_carrier(delivery)
    ):
        return "Waiting to be printed"
    return _STATES[delivery.state]


def error_words(delivery: Delivery) -> str:
    """Say what went wrong last, for people; nothing if nothing did."""
    if delivery.error_class is None:
        return ""
    by_mail = _MAIL_ERRORS if delivery.channel == ChannelName.EMAIL else {}
    return by_mail.get(delivery.error_class, _ERRORS[delivery.error_class])


def may_retry(delivery: Delivery) -> bool:
    """Tell whether staff can have it sent now."""
    return bool(delivery.address) and delivery.state in _HERE | _OVER


def may_hold(delivery: Delivery) -> bool:
    """Tell whether staff can stop it from being sent for now."""
    return bool(delivery.state == DeliveryState.QUEUED)


def may_release(delivery: Delivery) -> bool:
    """Tell whether it is held and could go out."""
    return bool(delivery.address) and delivery.state == DeliveryState.HELD


def may_cancel(delivery: Delivery) -> bool:
    """Tell whether it has not left the house for good, or is a fax not yet arrived."""
    if delivery.channel == ChannelName.LETTER and delivery.state in _LETTERS_HERE:
        return True
    return delivery.state in _HERE or (
        is_with_fax_carrier(delivery) and not outbox.is_withdrawn(delivery)
    )


def is_with_fax_carrier(delivery: Delivery) -> bool:
    """Tell whether a carrier has it and is about to fax it, or does so now."""
    is_fax = delivery.channel == ChannelName.FAX
    return bool(is_fax and delivery.state == DeliveryState.SUBMITTED)


def is_being_stopped(delivery_id: int) -> bool:
    """Tell whether a cancelled fax is with its carrier, which is asked to stop it."""
    delivery = get(delivery_id)
    return is_with_fax_carrier(delivery) and outbox.is_withdrawn(delivery)


def may_settle(delivery: Delivery) -> bool:
    """Tell whether it is over and still waits for a person to look at it."""
    return bool(delivery.needs_staff and delivery.state in outbox.FINAL)


def may_tell(delivery: Delivery) -> bool:
    """Tell whether nobody knows yet if it arrived, so that staff may ask and say."""
    asked = delivery.state in {DeliveryState.HELD, DeliveryState.IN_DOUBT}
    in_doubt = asked and delivery.error_class == ErrorClass.IN_DOUBT
    faxed = delivery.channel != ChannelName.LETTER
    silent = delivery.state == DeliveryState.SUBMITTED and delivery.needs_staff
    return bool(delivery.attempts and (in_doubt or (silent and faxed)))


def undoable(delivery: Delivery) -> str:
    """Name what staff did last and may take back: cancel, settle; else nothing."""
    last = last_step(delivery)
    if last is None:
        return ""
    by_hand = last.note.startswith(BY_HAND) or is_withdrawn_by_hand(delivery)
    if delivery.state == DeliveryState.CANCELLED and by_hand and not _child(delivery):
        return "cancel"
    over = delivery.state in outbox.FINAL and not delivery.needs_staff
    return "settle" if over and last.note == SEEN_TO else ""


def retry(delivery_id: int, *, by: User | None, at: datetime, seen: str = "") -> None:
    """Have a delivery sent now: a held one, a waiting one, one that failed.

    One that may have been sent is marked as a possible duplicate. RuleError if it is
    on its way, is done, has no address, or one that is somebody else's.
    """
    with database.atomic():
        refusal = "It cannot be sent again now."
        delivery = _taken(delivery_id, may_retry, refusal, seen)
        _send_now(delivery, "retry", text="to be sent now", by=by, at=at)


def release(delivery_id: int, *, by: User | None, at: datetime, seen: str = "") -> None:
    """Let a held delivery go out; RuleError as `retry`."""
    with database.atomic():
        delivery = _taken(delivery_id, may_release, "It is not held.", seen)
        _send_now(delivery, "release", text="released", by=by, at=at)


def hold(delivery_id: int, *, by: User | None, at: datetime, seen: str = "") -> None:
    """Keep a waiting delivery from being sent until staff release it."""
    with database.atomic():
        refusal = "It is not waiting to be sent."
        delivery = _taken(delivery_id, may_hold, refusal, seen)
        note_action(delivery, "hold", by=by, at=at)
        if delivery.error_text == contacts.AWAITS_TEST_PAGE:
            delivery.error_text = ""  # no code that comes back releases it any more
        outbox.change(
            delivery, DeliveryState.HELD, source=name_of(by), text="held", at=at
        )


def cancel(
    delivery_id: int, *, reason: str, by: User | None, at: datetime, seen: str = ""
) -> None:
    """Never send a delivery; RuleError without a reason, or if it has left.

    A fax that its carrier has is to be stopped there: what the carrier says of it then
    ends it, as cancelled or as delivered all the same.
    """
    if not reason.strip():
        raise RuleError("Say why it is cancelled.", field="reason")
    with database.atomic():
        delivery = _taken(delivery_id, may_cancel, "It has left already.", seen)
        note_action(delivery, "cancel", by=by, at=at)
        text = f"{BY_HAND}{reason.strip()}"
        if is_with_fax_carrier(delivery):
            withdraw(delivery, source=name_of(by), text=text, at=at)
            return
        delivery.needs_staff = False
        outbox.change(
            delivery, DeliveryState.CANCELLED, source=name_of(by), text=text, at=at
        )


def settle(delivery_id: int, *, by: User | None, at: datetime, seen: str = "") -> None:
    """Take a failed delivery off staff's list: a person has seen to it."""
    with database.atomic():
        refusal = "Nothing waits for staff here."
        delivery = _taken(delivery_id, may_settle, refusal, seen)
        note_action(delivery, "settle", by=by, at=at)
        _set_needs_staff(delivery, text=SEEN_TO, needs_staff=False, by=by, at=at)


def tell(
    delivery_id: int,
    *,
    arrived: bool,
    by: User | None,
    at: datetime,
    seen: str = "",
) -> None:
    """Settle a doubt by what the recipient says: it arrived, or it did not.

    What did not is sent again, and stays marked as a possible duplicate.
    """
    with database.atomic():
        refusal = "It is known what became of it."
        delivery = _taken(delivery_id, may_tell, refusal, seen)
        if not arrived:
            text = "the recipient has not got it"
            _send_now(delivery, "did not arrive", text=text, by=by, at=at)
            return
        note_action(delivery, "arrived", by=by, at=at)
        delivery.needs_staff = delivery.possible_duplicate = False
        delivery.error_class, delivery.error_text = None, ""
        outbox.change(
            delivery,
            DeliveryState.DELIVERED,
            source=name_of(by),
            text="the recipient has it",
            at=at,
        )


def undo(delivery_id: int, *, by: User | None, at: datetime, seen: str = "") -> str:
    """Take back what staff did last; give what it was: cancel or settle.

    What was cancelled is held until it is released; it is marked as a possible
    duplicate where the carrier may have it. RuleError if there is nothing, and while a
    print-and-mail company is still to be stopped.
    """
    with database.atomic():
        refusal = "There is nothing to take back."
        delivery = _taken(delivery_id, lambda row: bool(undoable(row)), refusal, seen)
        what = undoable(delivery)
        maybe_sent = what == "cancel" and _may_be_with_carrier(delivery)
        note_action(delivery, f"undo {what}", by=by, at=at)
        if what == "settle":
            text = "back on the list"
            _set_needs_staff(delivery, text=text, needs_staff=True, by=by, at=at)
            return what
        delivery.final_at = None
        delivery.needs_staff = True
        delivery.possible_duplicate |= maybe_sent
        take_back_withdrawal(delivery)
        text = "not cancelled after all"
        outbox.change(
            delivery, DeliveryState.HELD, source=name_of(by), text=text, at=at
        )
    return what


def note_action(
    delivery: Delivery, action: str, *, by: User | None, at: datetime
) -> None:
    """Put on the audit record what staff do about a delivery."""
    audit.record(
        audit.Event.DELIVERY_STAFF_ACTION,
        actor=name_of(by),
        subject=f"delivery:{delivery.id}",
        at=at,
        detail={"action": action, "state": delivery.state.value},
    )


def name_of(by: User | None) -> str:
    """Name who acts: a user, or whoever sits at the command line."""
    return by.username if by else "command line"


def _may_be_with_carrier(delivery: Delivery) -> bool:
    """Tell whether a cancelled one may go out all the same, by how it stood before.

    RuleError where a company that prints may have it and has not yet stopped it.
    """
    last = last_step(delivery)
    stood = last.from_state if last else ""
    if not letters.is_with_carrier(delivery):
        return bool(stood == DeliveryState.IN_DOUBT)
    attempt = outbox.last_attempt(delivery)
    had = stood in {DeliveryState.IN_DOUBT, DeliveryState.SUBMITTED}
    if attempt and had and attempt.forgotten_at is None:
        raise RuleError(
            f"{attempt.carrier} is still to stop it. Wait some minutes: if it is too"
            " late for that, the letter is here again by itself; else you can undo it."
        )
    return False


def _taken(
    delivery_id: int, may: Callable[[Delivery], bool], refusal: str, seen: str
) -> Delivery:
    get(delivery_id)
    delivery = outbox.taken(delivery_id)
    as_seen.require(delivery, seen)
    if not may(delivery):
        raise RuleError(f"{refusal} Its state: {state_words(delivery).lower()}.")
    return delivery


def _send_now(
    delivery: Delivery, action: str, *, text: str, by: User | None, at: datetime
) -> None:
    if barred.closes(delivery):
        raise RuleError(barred.why(delivery.address))
    note_action(delivery, action, by=by, at=at)
    if delivery.state in {DeliveryState.IN_DOUBT, DeliveryState.SUBMITTED}:
        delivery.possible_duplicate = True
    delivery.due_at = at
    delivery.final_at = None
    delivery.needs_staff = False
    deadline = at + retries.DEADLINES[delivery.channel]
    delivery.deadline_at = max(delivery.deadline_at, deadline)
    outbox.change(delivery, DeliveryState.QUEUED, source=name_of(by), text=text, at=at)


def _set_needs_staff(
    delivery: Delivery,
    *,
    text: str,
    needs_staff: bool,
    by: User | None,
    at: datetime,
) -> None:
    delivery.needs_staff = needs_staff
    delivery.revision += 1
    delivery.save()
    outbox.note(delivery, None, source=name_of(by), at=at, text=text)


def _child(delivery: Delivery) -> bool:
    return bool(Delivery.select().where(Delivery.parent == delivery).exists())
