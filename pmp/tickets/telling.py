"""Who is told of a ticket, and by which way: its number and a link, nothing else.

Who cannot sign in reads the outcome itself, by fax or letter.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
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
from pmp import clock, deliveries, settings
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
    MESSAGE = "ticket-message"  # staff wrote to the reporter
    WROTE = "ticket-wrote"  # the reporter wrote


TO_REPORTER = frozenset({Notice.OUTCOME, Notice.REOPENED, Notice.MESSAGE})


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
    key = "" if ticket.revision == 1 else f"{ticket.revision}:"  # opened once more
    if not reached or settings.current().staff_mail_to:
        _tell(ticket, Notice.NEW, _desk(ticket), key=key, at=at)


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
    routes = _mail(ticket.assigned_to) or _desk(ticket)
    _tell(ticket, Notice.ANSWERED, routes, key=key, at=at)


def tell_written(ticket: Ticket, *, at: datetime) -> None:
    """Tell that the reporter wrote: whom the ticket is assigned to, else staff."""
    routes = _mail(ticket.assigned_to) or _desk(ticket)
    _daily(ticket, Notice.WROTE, [[route] for route in routes], at=at)


def tell_message(ticket: Ticket, *, at: datetime) -> None:
    """Tell the reporter that staff wrote; who is to be called is not told."""
    if (routes := _routes_of_reporter(ticket)) or _recipient(ticket):
        _daily(ticket, Notice.MESSAGE, [routes], at=at)


def tell_overdue(row: TicketOverdue, *, at: datetime) -> None:
    """Tell of a clock that ran out: staff, and of the last one administrators too.

    Where only the pharmacy is late, whoever works on the ticket.
    """
    ticket: Ticket = row.ticket
    routes = _desk(ticket)
    if row.clock is TicketClock.DISPENSER:
        routes = _mail(ticket.assigned_to) or routes
    elif row.clock is TicketClock.OUTCOME:
        routes = [*routes, *_mail(*_administrators())]
    _tell(ticket, Notice.OVERDUE, routes, key=f"{row.id}:", at=at)


def tell_reporter(
    ticket: Ticket, *, at: datetime, notice: Notice = Notice.OUTCOME
) -> bool:
    """Tell the reporter how their ticket ended, or that it is open again; once.

    False if no message goes out: a user sees it in the portal, a caller is called.
    """
    if notice is Notice.OUTCOME and outside_answers.tell(ticket, at=at):
        return True  # who is no user: by the way that they chose
    routes = _routes_of_reporter(ticket)
    if not routes and not _recipient(ticket):
        return False
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
    return True


def take_back_outcome(ticket: Ticket, *, by: User, at: datetime) -> None:
    """Keep an outcome that does not hold any more from going out.

    In the transaction that opens the ticket again, and first: deliveries are taken
    before tickets and the audit record.
    """
    deliveries.withdraw_for(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=ticket.id,
        reason="The ticket is open again.",
        by=by,
        at=at,
        key=f"{Notice.OUTCOME}:",
    )
    outside_answers.take_back(ticket, by=by, at=at)


def signs_in(ticket: Ticket) -> bool:
    """Tell whether the reporter can read in the portal what is said to them."""
    if outside_answers.of(ticket):
        return False
    recipient = _recipient(ticket)
    return recipient is None or bool(contacts.user_of(case_recipients.who(recipient)))


def reporter_name(ticket: Ticket) -> str:
    """Say who reported a ticket: a user, somebody outside, a report's recipient."""
    if outside := outside_answers.of(ticket):
        return str(outside.name)
    if recipient := _recipient(ticket):
        return contacts.name_of(case_recipients.who(recipient))
    return str(ticket.opened_by.name)


def _routes_of_reporter(ticket: Ticket) -> Sequence[Route]:
    """Give the ways to the user who reported it, and not to a colleague of theirs.

    Else to a report's recipient, or to somebody outside.
    """
    if outside := outside_answers.of(ticket):
        return outside_answers.routes(outside)
    if recipient := _recipient(ticket):
        who = case_recipients.who(recipient)
        return contacts.routes_for(who, with_patient=False)
    user: User = ticket.opened_by
    if ticket.reporter != f"user:{user.id}":
        return []
    of_office = contacts.routes_of_user(user)
    letter = [each for each in of_office if each.channel is ChannelName.LETTER]
    return [*contacts.own_routes(user), *letter]


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


def _daily(
    ticket: Ticket, notice: Notice, ways: Sequence[Sequence[Route]], *, at: datetime
) -> None:
    """Tell each once a day: what comes after that waits for the next morning."""
    today = clock.day_of(at)
    for number, routes in enumerate(ways):
        for day in (today, today + timedelta(days=1)):
            key = f"{notice}:{ticket.id}:{day}:{number}"
            if not _is_known(key):
                deliveries.request(
                    kind=DeliveryKind.TICKET_NOTICE,
                    subject_id=ticket.id,
                    routes=routes,
                    dedupe_key=key,
                    at=at if day == today else clock.start_of(day),
                )
                break


def _mail(*users: User | None) -> list[Route]:
    return [
        Route(ChannelName.EMAIL, user.email)
        for user in users
        if user and user.email and user.status is UserStatus.ACTIVE
    ]


def _desk(ticket: Ticket) -> Sequence[Route]:
    """Give where staff are told; of a withheld entry those who may see it."""
    entry = ticket.dispensation
    if entry is not None and entry.withheld is not None:
        return _mail(*_administrators())
    return contacts.staff_routes()


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
