"""What staff write to a reporter: they are told that it is there, once a day."""

from datetime import datetime

from models import Audience, Ticket, User
from pmp import database, tickets
from pmp.tickets import telling


def write(
    ticket: Ticket, *, text: str, by: User, at: datetime, audience: Audience
) -> None:
    """Add a line of staff to a ticket; the reporter, if it is for them, is told.

    By the way that they are told the outcome, without a word of what it says.
    """
    with database.atomic():
        tickets.say(ticket, text=text, by=by, at=at, audience=audience)
        if audience is Audience.REPORTER:
            telling.tell_message(ticket, at=at)
