"""Submissions with held records past their term, as a list, and as a file."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from models import User
from pmp import clock, downloads, sorting
from pmp.downloads import Listing
from pmp.paging import Page, page_of
from pmp.reporting import held_records
from pmp.reporting.held_records import Overdue
from pmp.wording import phone, us_date

PAGE_SIZE = 25
OLDEST = "submission"
SORTS: dict[str, Any] = {
    "submission": lambda row: (row.submission.received_at, row.submission.id),
    "from": lambda row: row.submission.submitted_by.name.casefold(),
    "held": lambda row: row.submission.held,
    "due": lambda row: row.due,
    "told": lambda row: row.last_notice,
}
HEADINGS = (
    "Submission",
    "Came",
    "From",
    "User name",
    "Phone",
    "Held",
    "Term ended",
    "Days ago",
    "Times told",
    "Last told",
)
FILE = Listing("held_records", "submissions", "Write a name.")


@dataclass(frozen=True)
class Wanted:
    """Which submissions to list; an empty part does not narrow.

    Each word of `text` must be part of the sender's name or user name, or the number of
    the submission; `untold`: only those whose sender was told nothing yet. `sort` is
    one of SORTS, a minus before it turns it round; else the oldest is first.
    """

    text: str = ""
    untold: bool = False
    sort: str = ""

    @property
    def order(self) -> str:
        return sorting.known(self.sort, SORTS, otherwise=OLDEST)


def listed(wanted: Wanted, *, today: date, page: int) -> Page:
    """Give a page of submissions, each as Overdue, in the order that is wanted."""
    return page_of(_found(wanted, today), number=page, size=PAGE_SIZE)


def rows_of(wanted: Wanted, *, by: User, at: datetime) -> list[list[Any]]:
    """Give the list as lines of a file, under HEADINGS; kept on record.

    RuleError if it is longer than a file may be.
    """
    today = clock.day_of(at)
    rows = downloads.rows_of(_found(wanted, today), FILE, by=by, at=at)
    return [_line(row, today) for row in rows]


def _line(row: Overdue, today: date) -> list[Any]:
    submission = row.submission
    user = submission.submitted_by
    return [
        submission.id,
        us_date(submission.received_at),
        user.name,
        user.username,
        phone(user.phone),
        submission.held,
        us_date(row.due),
        (today - row.due).days,
        row.notices,
        us_date(row.last_notice),
    ]


def _found(wanted: Wanted, today: date) -> list[Overdue]:
    some = (
        row
        for row in held_records.overdue(today=today)
        if _fits(row, wanted.text) and not (wanted.untold and row.notices)
    )
    return sorting.rows_in_order(some, wanted.order, SORTS)


def _fits(row: Overdue, text: str) -> bool:
    user = row.submission.submitted_by
    facts = f"{user.name} {user.username}".casefold()
    number = str(row.submission.id)
    return all(word in facts or word == number for word in text.casefold().split())
