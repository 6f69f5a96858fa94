"""Calls to return, as a list: narrowed, sorted, and as a file.

Who waits for a call may be the patient, or speak for one, so the file has the tickets
and no name or number: they stand on the page.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import fn

from models import OutsideKind, OutsideReporter, Ticket, User
from pmp import downloads, sorting, tickets
from pmp.downloads import Listing
from pmp.identifiers import e164
from pmp.paging import Page, page_of
from pmp.tickets import outside_answers
from pmp.wording import us_time

OLDEST = "resolved"
SORTS: dict[str, Any] = {
    "name": fn.LOWER(OutsideReporter.name),
    "ticket": Ticket.number,
    "resolved": Ticket.resolved_at,
}
KIND_WORDS = {
    OutsideKind.CALLER: "A caller",
    OutsideKind.PATIENT: "The patient, in writing",
}
HEADINGS = ("Ticket", "Reported by", "Resolved", "Say")
FILE = Listing("calls_to_return", "calls", "Choose who reported.")


@dataclass(frozen=True)
class Wanted:
    """Which calls to list; an empty part does not narrow.

    `text` is a telephone number, or each of its words is part of the name, of the
    relation or of the ticket's number. `sort` is one of SORTS, a minus before it turns
    it round; else the oldest outcome is first.
    """

    kind: OutsideKind | None = None
    text: str = ""
    sort: str = ""

    @property
    def order(self) -> str:
        return sorting.known(self.sort, SORTS, otherwise=OLDEST)


def listed(wanted: Wanted, *, by: User, page: int) -> Page:
    """Give a page of the calls that a member of staff may return."""
    return page_of(_query(wanted, by), number=page)


def rows_of(wanted: Wanted, *, by: User, at: datetime) -> list[list[Any]]:
    """Give the list as lines of a file, under HEADINGS; kept on record.

    RuleError if it is longer than a file may be.
    """
    rows = downloads.rows_of(_query(wanted, by), FILE, by=by, at=at)
    return [_line(row) for row in rows]


def _line(row: OutsideReporter) -> list[Any]:
    ticket = row.ticket
    said = tickets.outcome_of(ticket)
    return [ticket.number, KIND_WORDS[row.kind], us_time(ticket.resolved_at), said]


def _query(wanted: Wanted, by: User) -> Any:
    query = outside_answers.to_call(by=by)
    if wanted.kind:
        query = query.where(OutsideReporter.kind == wanted.kind)
    if number := e164(wanted.text):
        query = query.where(OutsideReporter.phone == number)
    for word in () if number else wanted.text.split():
        query = query.where(
            OutsideReporter.name.contains(word)
            | OutsideReporter.relation.contains(word)
            | Ticket.number.contains(word)
        )
    return sorting.in_order(query, wanted.order, SORTS, then=OutsideReporter.id)
