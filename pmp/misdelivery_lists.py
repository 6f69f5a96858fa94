"""Messages that reached somebody else, as a list: narrowed, sorted, and as a file."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import Delivery, Misdelivery, User
from pmp import downloads, sorting
from pmp.deliveries.delivery_lists import address_words
from pmp.downloads import Listing
from pmp.paging import Page, page_of
from pmp.wording import us_time, words

OPEN_FIRST = "-state"
SORTS: dict[str, Any] = {
    "incident": Misdelivery.id,
    "what": Delivery.kind,
    "pages": Misdelivery.became,
    "state": Misdelivery.assessed_at.is_null(),
}
HEADINGS = (
    "Incident",
    "Written down",
    "By",
    "Delivery",
    "What",
    "Channel",
    "Sent to",
    "The pages",
    "Breach",
    "Assessed",
    "Assessed by",
)
FILE = Listing("misdeliveries", "incidents", "Choose those to assess.")
BREACH_WORDS = {None: "", True: "yes", False: "no"}


@dataclass(frozen=True)
class Wanted:
    """Which incidents to list: all, or those that wait for an assessment.

    `sort` is one of SORTS, a minus before it turns it round; else those that wait come
    first, the newest of them.
    """

    open_only: bool = False
    sort: str = ""

    @property
    def order(self) -> str:
        return sorting.known(self.sort, SORTS, otherwise=OPEN_FIRST)


def listed(wanted: Wanted, *, page: int = 1) -> Page:
    """Give a page of incidents in the order that is wanted."""
    return page_of(_query(wanted), number=page)


def rows_of(wanted: Wanted, *, by: User, at: datetime) -> list[list[Any]]:
    """Give the list as lines of a file, under HEADINGS; kept on record.

    Neither who has a message nor what was noted of it is in the file. RuleError if it
    is longer than a file may be.
    """
    return [_line(row) for row in downloads.rows_of(_query(wanted), FILE, by=by, at=at)]


def _line(row: Misdelivery) -> list[Any]:
    return [
        row.id,
        us_time(row.recorded_at),
        row.recorded_by,
        row.delivery.id,
        words(row.delivery.kind),
        words(row.delivery.channel),
        address_words(row.delivery),
        words(row.became),
        BREACH_WORDS[row.is_breach],
        us_time(row.assessed_at),
        row.assessed_by,
    ]


def _query(wanted: Wanted) -> Any:
    query: Any = Misdelivery.select(Misdelivery, Delivery).join(Delivery)
    if wanted.open_only:
        query = query.where(Misdelivery.assessed_at.is_null())
    return sorting.in_order(query, wanted.order, SORTS, then=Misdelivery.id)
