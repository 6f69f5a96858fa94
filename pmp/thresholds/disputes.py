"""The tickets that an answer to a threshold report opens, or adds to.

Opened by the recipient, or by staff in the recipient's name, who is told how each ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from models import (
    CaseRecipient,
    Dispensation,
    ReplyChannel,
    Ticket,
    TicketProblem,
    User,
)
from pmp import tickets
from pmp.deliveries import contacts
from pmp.thresholds import case_recipients
from pmp.tickets import telling
from pmp.tickets.shown import Shown
from pmp.wording import words

AFTER_ALL = "now says that this is their patient or customer after all."
_BY = {ReplyChannel.FAX: "by fax", ReplyChannel.PHONE: "by telephone"}


@dataclass(frozen=True)
class Disputant:
    """Who says that rows are wrong: the recipient, or staff in the recipient's name."""

    recipient: CaseRecipient
    channel: ReplyChannel
    note: str
    by: User
    at: datetime

    def dispute(self, row: Dispensation, problem: TicketProblem) -> str:
        """Open a ticket about a row, or add to the one that is open; its number."""
        known: Ticket | None = Ticket.get_or_none(
            (Ticket.dispensation == row)
            & (Ticket.reporter == self._key())
            & Ticket.resolved_at.is_null()
        )
        if known is not None:
            text = self._signed(f"{words(problem)}. {self.note}".strip())
            tickets.say(known, text=text, by=self.by, at=self.at)
            return str(known.number)
        made = tickets.open_ticket(
            Shown(row, self.recipient.case),
            problem=problem,
            note=self._signed(self.note),
            by=self.by,
            at=self.at,
            reporter=self._key(),
            is_limited=False,
        )
        return str(made.number)

    def take_back(self, numbers: Iterable[str]) -> None:
        """Tell the open tickets "not my patient" that it is theirs after all."""
        query = (
            Ticket.select()
            .where(Ticket.number.in_(list(numbers)))
            .where(Ticket.problem == TicketProblem.NOT_MY_PATIENT)
            .where(Ticket.resolved_at.is_null())
        )
        for ticket in query:
            text = f"{self._name()} {AFTER_ALL}"
            tickets.say(ticket, text=text, by=self.by, at=self.at)

    def _signed(self, text: str) -> str:
        """Put the recipient's name before what staff write down for them."""
        if self.channel == ReplyChannel.PAGE:
            return text
        code, way = self.recipient.reply_code, _BY[self.channel]
        return f"{self._name()} ({code}), {way}: {text or 'no more was said.'}"

    def _key(self) -> str:
        """Say who reports, as tickets do: they are told how it ends."""
        if self.channel == ReplyChannel.PAGE:
            return f"user:{self.by.id}"
        return f"{telling.RECIPIENT}:{self.recipient.id}"

    def _name(self) -> str:
        return contacts.name_of(case_recipients.who(self.recipient))
