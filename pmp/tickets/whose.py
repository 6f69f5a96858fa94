"""Whose a ticket is: its reporter's, whether they reported it here or on paper."""

from typing import Any

from peewee import JOIN

from models import Dispensation, Ticket, User
from pmp.paging import Page, pages_of
from pmp.thresholds import case_recipients
from pmp.tickets import telling

PAGE_SIZE = 50


def reported_by(user: User) -> Any:
    """Give the condition of a user's tickets: also those that staff wrote down.

    For them as recipients of reports, whose answers came by fax or telephone.
    """
    sent = case_recipients.of_user(user)
    written = [f"{telling.RECIPIENT}:{each.id}" for each in sent]
    own = (Ticket.opened_by == user) & (Ticket.reporter == f"user:{user.id}")
    return own | Ticket.reporter.in_(written) if written else own


def is_reporter(ticket: Ticket, user: User) -> bool:
    """Tell whether a ticket is a user's."""
    found: bool = (
        Ticket.select().where(Ticket.id == ticket.id).where(reported_by(user)).exists()
    )
    return found


def listed(user: User, *, page: int = 1) -> Page:
    """Give a page of a user's own tickets with their entries, the newest first."""
    query: Any = (
        Ticket.select(Ticket, Dispensation)
        .join(Dispensation, JOIN.LEFT_OUTER)
        .where(reported_by(user))
        .order_by(Ticket.id.desc())
    )
    total = query.count()
    pages = pages_of(total, PAGE_SIZE)
    number = min(max(1, page), pages)
    return Page(list(query.paginate(number, PAGE_SIZE)), number, pages, total)
