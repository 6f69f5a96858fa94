"""Who is told of a ticket by email: its number and a link, nothing else."""

from datetime import datetime

from models import Delivery, DeliveryKind, Ticket
from pmp import deliveries
from pmp.deliveries import contacts

STAFF_KEY = "ticket-new"
REPORTER_KEY = "ticket-outcome"


def is_for_staff(delivery: Delivery) -> bool:
    """Tell a notice to staff of a new ticket from one to the reporter."""
    return delivery.dedupe_key.startswith(f"{STAFF_KEY}:")


def tell_staff(ticket: Ticket, *, at: datetime) -> None:
    """Tell staff by email of a new ticket: each of them, or the address that is set."""
    for number, route in enumerate(contacts.staff_routes()):
        deliveries.request(
            kind=DeliveryKind.TICKET_NOTICE,
            subject_id=ticket.id,
            routes=[route],
            dedupe_key=f"{STAFF_KEY}:{ticket.id}:{number}",
            at=at,
        )


def tell_reporter(ticket: Ticket, *, at: datetime) -> None:
    """Tell the reporter how their ticket ended; once."""
    if not (routes := contacts.routes_of_user(ticket.opened_by)):
        return  # they see the outcome in the portal, where they reported it
    deliveries.request(
        kind=DeliveryKind.TICKET_NOTICE,
        subject_id=ticket.id,
        routes=routes,
        dedupe_key=f"{REPORTER_KEY}:{ticket.id}",
        at=at,
    )
