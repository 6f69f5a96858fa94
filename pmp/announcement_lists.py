"""Announcements for staff: by where they stand, found by words, sorted, as a file."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from peewee import fn

from models import Announcement, User
from pmp import announcements, clock, downloads, sorting
from pmp.downloads import Listing
from pmp.paging import Page, page_of
from pmp.wording import us_date

PAGE_SIZE = 30
LATEST = "-written"
SORTS: dict[str, Any] = {
    "title": fn.LOWER(Announcement.title),
    "first": Announcement.starts_on,
    "last": Announcement.ends_on,
    "by": Announcement.written_by,
    "written": Announcement.id,
}
HEADINGS = (
    "Title",
    "Text",
    "Who sees it",
    "Important",
    "First day",
    "Last day",
    "Line on faxes",
    "State",
    "Written by",
)
FILE = Listing("announcements", "announcements", "Choose where they stand.")


class Standing(StrEnum):
    """Where an announcement stands on a day."""

    SHOWN_NOW = "shown_now"
    TO_COME = "to_come"
    OVER = "over"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Wanted:
    """Which announcements to list; an empty part does not narrow.

    Each word of `text` must be part of the title or the text. `sort` is one of SORTS,
    a minus before it turns it round; else the newest is first.
    """

    text: str = ""
    state: Standing | None = None
    sort: str = ""

    @property
    def order(self) -> str:
        return sorting.known(self.sort, SORTS, otherwise=LATEST)


def listed(wanted: Wanted, *, page: int, today: date) -> Page:
    """Give a page of announcements in the order that is wanted."""
    return page_of(_query(wanted, today), number=page, size=PAGE_SIZE)


def rows_of(wanted: Wanted, *, by: User, at: datetime) -> list[list[Any]]:
    """Give the list as lines of a file, under HEADINGS; kept on record.

    RuleError if it is longer than a file may be.
    """
    today = clock.day_of(at)
    rows = downloads.rows_of(_query(wanted, today), FILE, by=by, at=at)
    return [_line(row, today) for row in rows]


def _line(row: Announcement, today: date) -> list[Any]:
    return [
        row.title,
        row.body,
        ", ".join(row.audiences),
        "yes" if row.is_grave else "no",
        us_date(row.starts_on),
        us_date(row.ends_on),
        row.fax_line,
        announcements.state_words(row, today=today),
        row.written_by,
    ]


def _query(wanted: Wanted, today: date) -> Any:
    query: Any = Announcement.select()
    for word in wanted.text.split():
        query = query.where(
            Announcement.title.contains(word) | Announcement.body.contains(word)
        )
    if wanted.state:
        query = query.where(_stands(wanted.state, today))
    return sorting.in_order(query, wanted.order, SORTS, then=Announcement.id)


def _stands(standing: Standing, today: date) -> Any:
    """Give the condition under which `announcements.state_words` says so."""
    is_up = Announcement.withdrawn_at.is_null()
    has_begun = Announcement.starts_on <= today
    is_over = Announcement.ends_on < today
    conditions = {
        Standing.WITHDRAWN: ~is_up,
        Standing.OVER: is_up & is_over,
        Standing.TO_COME: is_up & ~is_over & ~has_begun,
        Standing.SHOWN_NOW: is_up & ~is_over & has_begun,
    }
    return conditions[standing]
