"""Lists of faxes for staff: those that wait on the desk, and those put aside."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from models import FaxStatus, InboundFax, User
from pmp import clock, downloads, sorting
from pmp.downloads import Listing
from pmp.faxes import TRAY
from pmp.paging import Page, page_of
from pmp.wording import phone, us_time, words

OLDEST, LATEST = "came", "-came"
SORTS: dict[str, Any] = {
    "fax": InboundFax.id,
    "from": InboundFax.from_number,
    "why": InboundFax.note,
    "pages": InboundFax.pages,
    "came": InboundFax.received_at,
    "by": InboundFax.handled_by,
}
HEADINGS = ("Fax", "From", "State", "Why", "Pages", "Came", "Put aside by", "On")
NARROW = "Choose fewer days."
WAITING = Listing("faxes", "faxes", NARROW)
ASIDE = Listing("faxes_put_aside", "faxes", NARROW)


@dataclass(frozen=True)
class Wanted:
    """Which faxes to list; an empty part does not narrow.

    `aside` chooses those that were put aside instead of those that wait. `number` is a
    part of the number that one came from, however it is written; `by` a user name; the
    days, inclusive, are those on which it came. `sort` is one of SORTS, a minus before
    it turns it round; else the oldest wait first, the latest were put aside first.
    """

    aside: bool = False
    status: FaxStatus | None = None
    number: str = ""
    by: str = ""
    since: date | None = None
    until: date | None = None
    sort: str = ""

    @property
    def order(self) -> str:
        own = LATEST if self.aside else OLDEST
        return sorting.known(self.sort, SORTS, otherwise=own)


def listed(wanted: Wanted, *, page: int) -> Page:
    """Give a page of faxes in the order that is wanted."""
    return page_of(_query(wanted), number=page)


def rows_of(wanted: Wanted, *, by: User, at: datetime) -> list[list[Any]]:
    """Give the list as lines of a file, under HEADINGS; kept on record.

    RuleError if it is longer than a file may be.
    """
    listing = ASIDE if wanted.aside else WAITING
    rows = downloads.rows_of(_query(wanted), listing, by=by, at=at)
    return [_line(row) for row in rows]


def _line(row: InboundFax) -> list[Any]:
    return [
        row.id,
        phone(row.from_number),
        words(row.status),
        row.note,
        row.pages,
        us_time(row.received_at),
        row.handled_by,
        us_time(row.handled_at),
    ]


def _query(wanted: Wanted) -> Any:
    statuses = (FaxStatus.DISMISSED,) if wanted.aside else TRAY
    query: Any = InboundFax.select().where(InboundFax.status.in_(statuses))
    if wanted.status:
        query = query.where(InboundFax.status == wanted.status)
    if digits := re.sub(r"\D", "", wanted.number):
        query = query.where(InboundFax.from_number.contains(digits))
    if wanted.by:
        query = query.where(InboundFax.handled_by == wanted.by)
    if wanted.since:
        query = query.where(InboundFax.received_at >= clock.start_of(wanted.since))
    if wanted.until:
        day_after = wanted.until + timedelta(days=1)
        query = query.where(InboundFax.received_at < clock.start_of(day_after))
    return sorting.in_order(query, wanted.order, SORTS, then=InboundFax.id)
