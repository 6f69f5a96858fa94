"""Who is told of a ticket by email: its number and a link, nothing else."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from models import (
    CaseRecipient,
    ChannelName,
    Delivery,
    DeliveryKind,
    Role,
    Ticket,
    TicketClock,
    TicketOverdue,
    User,
    UserStatus,
)
from pmp import deliveries, settings
from pmp.deliveries import Route, contacts
from pmp.thresholds import case_recipients
from pmp.tickets import outside_answers

RECIPIENT = "recipient"
"""Of a reporter whose answer to a Patient Threshold Report staff wrote down."""


class Notice(StrEnum):
    """What a ticket's notice says; the delivery's key begins with it."""

    NEW = "ticket-new"
    ASSIGNED = "ticket-assigned"
    ESCALATED = "ticket-escalated"
    OVERDUE = "ticket-overdue"
    OUTCOME = "ticket-outcome"
    REOPENED = "ticket-reopened"
    ANSWERED = "ticket-answered"


TO_REPORTER = frozenset({Notice.OUTCOME, Notice.REOPENED})


def notice_of(delivery: Delivery) -> Notice:
    """Tell what a delivery of the kind ticket notice says."""
    return Notice(delivery.dedupe_key.partition(":")[0])


def is_for_staff(delivery: Delivery) -> bool:
    """Tell a notice to staff from one to the reporter."""
    return notice_of(delivery) not in TO_REPORTER


def tell_opened(ticket: Ticket, *, at: datetime) -> None:
    """Tell of a new ticket: whom it is assigned to, else every staff member.

    The address that is set for staff is told in any case.
    """
    reached = tell_assigned(ticket, at=at)
    if not reached or settings.current().staff_mail_to:
        _tell(ticket, Notice.NEW, contacts.staff_routes(), key="", at=at)


def tell_assigned(
    ticket: Ticket, *, at: datetime, notice: Notice = Notice.ASSIGNED
) -> bool:
    """Tell whom a ticket is assigned to; False if no mail reaches them."""
    routes = _mail(ticket.assigned_to)
    key = f"{ticket.revision}:"
    _tell(ticket, notice, routes, key=key, at=at)
    return bool(routes)


def tell_answered(ticket: Ticket, *, key: str, at: datetime) -> None:
    """Tell that a dispenser answered: whom the ticket is assigned to, else staff."""
    routes = _mail(ticket.assigned_to) or contacts.staff_routes()
    _tell(ticket, Notice.ANSWERED, routes, key=key, at=at)


def tell_overdue(row: TicketOverdue, *, at: datetime) -> None:
    """Tell of a clock that ran out: staff, and of the last one administrators too.

    Where only the pharmacy is late, whoever works on the ticket.
    """
    ticket: Ticket = row.ticket
    routes = contacts.staff_routes()
    if row.clock is TicketClock.DISPENSER:
        routes = _mail(ticket.assigned_to) or routes
    elif row.clock is TicketClock.OUTCOME:
        routes = [*routes, *_mail(*_administrators())]
    _tell(ticket, Notice.OVERDUE, routes, key=f"{row.id}:", at=at)


def tell_reporter(
    ticket: Ticket, *, at: datetime, notice: Notice = Notice.OUTCOME
) -> None:
    """Tell the reporter how their ticket ended, or that it is open again; once."""
    if notice is Notice.OUTCOME and outside_answers.tell(ticket, at=at):
        return  # who is no user: by the way that they chose
    if not (routes := _routes_of_reporter(ticket)):
        return  # they see it in the portal, where they reported the entry
    key = f"{notice}:{ticket.id}"
    if _is_known(key):  # it had been resolved before, and was opened again
        key = f"{key}:{ticket.revision}"
    deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=ticket.id,
        routes=routes,
        dedupe_key=key,
        at=at,
    )


def reporter_name(ticket: Ticket) -> str:
    """Say who reported a ticket: a user, somebody outside, a report's recipient."""
    if outside := outside_answers.of(ticket):
        return str(outside.name)
    if recipient := _recipient(ticket):
        return contacts.name_of(case_recipients.who(recipient))
    return str(ticket.opened_by.name)


def _routes_of_reporter(ticket: Ticket) -> Sequence[Route]:
    """Give the ways to the user who reported it, or to a report's recipient."""
    if ticket.reporter == f"user:{ticket.opened_by.id}":
        return contacts.routes_of_user(ticket.opened_by)
    recipient = _recipient(ticket)
    return contacts.routes_for(case_recipients.who(recipient)) if recipient else []


def _recipient(ticket: Ticket) -> CaseRecipient | None:
    """Give the recipient for whom staff wrote it down, if it was one."""
    kind, _, number = ticket.reporter.partition(":")
    if kind != RECIPIENT:
        return None
    recipient: CaseRecipient = CaseRecipient.get_by_id(int(number))
    return recipient


def _tell(
    ticket: Ticket, notice: Notice, routes: Sequence[Route], *, key: str, at: datetime
) -> None:
    for number, route in enumerate(dict.fromkeys(routes)):
        deliveries.request(
            kind=DeliveryKind.TICKET_NOTICE,
            subject_id=ticket.id,
            routes=[route],
            dedupe_key=f"{notice}:{ticket.id}:{key}{number}",
            at=at,
        )


def _mail(*users: User | None) -> list[Route]:
    return [
        Route(ChannelName.EMAIL, user.email)
        for user in users
        if user and user.email and user.status is UserStatus.ACTIVE
    ]


def _administrators() -> list[User]:
    query = (
        User.select()
        .where(User.role == Role.ADMINISTRATOR)
        .where(User.status == UserStatus.ACTIVE)
        .order_by(User.id)
    )
    return list(query)


def _is_known(key: str) -> bool:
    found: bool = Delivery.select().where(Delivery.dedupe_key == key).exists()
    return found
