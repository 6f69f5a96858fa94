"""The pages that a delivery sent, for the staff who may see them; each look on record.

A letter with a password is never among them. What is withheld from staff stays so.
"""

from collections.abc import Callable
from datetime import datetime

from peewee import DoesNotExist

from models import (
    Delivery,
    DeliveryKind,
    OutsideReporter,
    Ticket,
    TicketQuestion,
    User,
)
from pmp import audit, documents, misdeliveries, withheld
from pmp.deliveries import delivery_desk
from pmp.documents import DocumentLostError
from pmp.errors import NotFoundError
from pmp.permissions import Permission, can

# Who works on what a kind is about. A kind that is not here is shown to nobody.
WHO_MAY = {
    DeliveryKind.THRESHOLD_REPORT: Permission.CASE_WORK,
    DeliveryKind.CORRECTION_NOTICE: Permission.CASE_WORK,
    DeliveryKind.CARE_NOTE: Permission.CASE_WORK,
    DeliveryKind.TICKET_NOTICE: Permission.TICKET_WORK,
    DeliveryKind.TICKET_QUESTION: Permission.TICKET_WORK,
    DeliveryKind.OUTSIDE_ANSWER: Permission.TICKET_WORK,
    DeliveryKind.REGISTRATION_NOTICE: Permission.REGISTRATION_DECIDE,
    DeliveryKind.REPORTING_NOTICE: Permission.REPORTING_WATCH,
    DeliveryKind.SUBMISSION_RECEIPT: Permission.SUBMISSION_READ_ALL,
    DeliveryKind.DESTROY_NOTICE: Permission.DELIVERY_WATCH,
}
_TICKETS: dict[DeliveryKind, Callable[[int], Ticket]] = {
    DeliveryKind.TICKET_NOTICE: Ticket.get_by_id,
    DeliveryKind.TICKET_QUESTION: lambda id_: TicketQuestion.get_by_id(id_).ticket,
    DeliveryKind.OUTSIDE_ANSWER: lambda id_: OutsideReporter.get_by_id(id_).ticket,
}
_NO_PAPER = "There are no pages of this delivery that you may see."


def may_see(delivery: Delivery, *, by: User) -> bool:
    """Tell whether the pages are kept, and of a kind that this person works on."""
    permission = WHO_MAY.get(delivery.kind)
    if permission is None or not can(by.role, permission):
        return False
    if delivery.document is None or delivery.document.sealed is None:
        return False
    return _is_theirs(delivery, by)


def opened(
    delivery_id: int, *, what: str, by: User, at: datetime, address: str = ""
) -> bytes:
    """Give the PDF that was sent, on record first; `what` says which part is wanted.

    NotFoundError for who may not see it, and where the pages are destroyed.
    """
    delivery = delivery_desk.get(delivery_id)
    if delivery.document is None or not may_see(delivery, by=by):
        raise NotFoundError(_NO_PAPER)
    about = misdeliveries.SUBJECTS.get(delivery.kind)
    subject = (
        f"patient:{about(delivery.subject_id)[0].id}"
        if about
        else f"delivery:{delivery.id}"
    )
    audit.record(
        audit.Event.DELIVERY_PAPER_OPENED,
        actor=by.username,
        subject=subject,
        at=at,
        address=address,
        detail={"delivery": delivery.id, "what": what},
    )
    try:
        return documents.read(delivery.document)
    except DocumentLostError as lost:
        raise NotFoundError(_NO_PAPER) from lost


def _is_theirs(delivery: Delivery, by: User) -> bool:
    """Tell whether the ticket that it is about, if it is, is not withheld."""
    ticket_of = _TICKETS.get(delivery.kind)
    if ticket_of is None:
        return True
    try:
        ticket = ticket_of(delivery.subject_id)
    except DoesNotExist:
        return False
    return withheld.may_see(ticket.dispensation, by)
