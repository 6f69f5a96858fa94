"""Faxes that wait until their number is proven, or that a wrong number must not get."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from models import (
    CareNote,
    CaseRecipient,
    ChannelName,
    CorrectionNotice,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Pharmacy,
    Prescriber,
    TicketQuestion,
)
from pmp import database
from pmp.deliveries import Route, contacts, outbox, retries, stopping

ITS_NUMBER = "its number is somebody else's"
WAITING = (DeliveryState.HELD, DeliveryState.QUEUED)


def _case_recipient(recipient_id: int) -> Prescriber | Pharmacy | None:
    recipient = CaseRecipient.get_or_none(id=recipient_id)
    who: Any = (recipient.prescriber or recipient.pharmacy) if recipient else None
    found: Prescriber | Pharmacy | None = who
    return found


def _of_correction(notice_id: int) -> Prescriber | Pharmacy | None:
    notice = CorrectionNotice.get_or_none(id=notice_id)
    return _case_recipient(notice.__data__["recipient"]) if notice else None


def _of_note(note_id: int) -> Prescriber | Pharmacy | None:
    note = CareNote.get_or_none(id=note_id)
    return _case_recipient(note.__data__["addressee"]) if note else None


def _asked(question_id: int) -> Prescriber | Pharmacy | None:
    question = TicketQuestion.get_or_none(id=question_id)
    who: Pharmacy | None = question.pharmacy if question else None
    return who


# Kind that is held for a test page → whose message it is, by the id of its subject.
_RECIPIENTS: dict[DeliveryKind, Callable[[int], Prescriber | Pharmacy | None]] = {
    DeliveryKind.THRESHOLD_REPORT: _case_recipient,
    DeliveryKind.CORRECTION_NOTICE: _of_correction,
    DeliveryKind.CARE_NOTE: _of_note,
    DeliveryKind.TICKET_QUESTION: _asked,
}


def release(number: str, *, at: datetime) -> int:
    """Send what was held for a number's test page; give how many.

    Only to those for whom the number is proven by now: somebody else's page says
    nothing of them. What staff hold for another reason stays held. In the caller's
    transaction, before the audit record is taken.
    """
    held = [
        delivery
        for delivery in _taken(number, (DeliveryState.HELD,))
        if stopping.awaits_test_page(delivery) and _may_leave(delivery)
    ]
    for delivery in held:
        delivery.due_at, delivery.error_text = at, ""
        delivery.needs_staff = False
        delivery.deadline_at = at + retries.DEADLINES[ChannelName.FAX]
        text = "its number is proven"
        to = DeliveryState.QUEUED
        outbox.change(delivery, to, source="system", text=text, at=at)
    return len(held)


def waiting_for(number: str) -> list[Delivery]:
    """Take what waits for a number: before the number, as a carrier's report does."""
    return _taken(number, WAITING)


def stop(waiting: Sequence[Delivery], *, by: str, at: datetime) -> int:
    """Send what waits for a wrong number by its next way; give how many waited.

    What has no other way is held for staff. The number is blocked already.
    """
    for delivery in waiting:
        stopping.stop(delivery, why=ITS_NUMBER, by=by, at=at)
    return len(waiting)


def recipient_of(delivery: Delivery) -> Prescriber | Pharmacy | None:
    """Give whose message it is; None for a kind that waits for no test page."""
    find = _RECIPIENTS.get(delivery.kind)
    return find(delivery.subject_id) if find else None


def _may_leave(delivery: Delivery) -> bool:
    """Tell whether its recipient is reached by this number, and no longer unproven."""
    who, fax = recipient_of(delivery), Route(ChannelName.FAX, delivery.address)
    return who is not None and fax in contacts.routes_for(who)


def _taken(number: str, states: Iterable[DeliveryState]) -> list[Delivery]:
    """Take what waits to be faxed to a number, in order: no deadlock.

    But for the message that asks whoever lives there to destroy what came.
    """
    query = (
        Delivery.select(Delivery.id)
        .where(Delivery.channel == ChannelName.FAX)
        .where(Delivery.address == number)
        .where(Delivery.kind != DeliveryKind.DESTROY_NOTICE)
        .where(Delivery.state.in_(list(states)))
        .order_by(Delivery.id)
    )
    if not database.is_sqlite():
        query = query.for_update()
    taken = [outbox.taken(each.id) for each in query]
    return [delivery for delivery in taken if delivery.state in states]
