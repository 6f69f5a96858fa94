"""Fax numbers for staff, as lists: other machines, test pages, wrong ones."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import ChannelName, ContactCheck, FaxNumber, StationChange, User
from pmp import downloads, sorting
from pmp.downloads import Listing
from pmp.paging import Page, page_of
from pmp.reaching import checks, fax_numbers, stations
from pmp.wording import phone, us_time

CHANGES, OUT, WRONG = "changes", "out", "wrong"


@dataclass(frozen=True)
class NumberList:
    """A list of fax numbers: its rows in their own order, and how it is a file."""

    own: str
    sorts: dict[str, Any]
    query: Callable[[datetime], Any]
    then: Any
    headings: tuple[str, ...]
    line: Callable[[Any], list[Any]]
    file: Listing

    def order(self, sort: str) -> str:
        """Give the order that is asked for if this list has it, else its own."""
        return sorting.known(sort, self.sorts, otherwise=self.own)


def listed(which: str, *, sort: str, at: datetime, page: int = 1) -> Page:
    """Give a page of one of LISTS in the order that is wanted."""
    return page_of(_query(LISTS[which], sort, at), number=page)


def rows_of(which: str, *, sort: str, by: User, at: datetime) -> list[list[Any]]:
    """Give one of LISTS as lines of a file, under its headings; kept on record.

    RuleError if it is longer than a file may be.
    """
    chosen = LISTS[which]
    found = downloads.rows_of(_query(chosen, sort, at), chosen.file, by=by, at=at)
    return [chosen.line(row) for row in found]


def _query(chosen: NumberList, sort: str, at: datetime) -> Any:
    return sorting.in_order(
        chosen.query(at), chosen.order(sort), chosen.sorts, then=chosen.then
    )


def _out(at: datetime) -> Any:
    return (
        ContactCheck.select()
        .where(ContactCheck.channel == ChannelName.FAX)
        .where(ContactCheck.confirmed_at.is_null())
        .where(ContactCheck.ended_at.is_null())
        .where(ContactCheck.expires_at > at)
    )


def _wrong(at: datetime) -> Any:  # noqa: ARG001 - wrong until somebody says otherwise
    return FaxNumber.select().where(FaxNumber.blocked_at.is_null(is_null=False))


def _changes(at: datetime) -> Any:  # noqa: ARG001 - open until somebody judges
    return stations.unjudged()


def _line_of_change(row: StationChange) -> list[Any]:
    return [
        phone(row.number.number),
        row.after,
        row.before,
        us_time(row.noticed_at),
        row.__data__["delivery"],
    ]


def _line_of_check(row: ContactCheck) -> list[Any]:
    return [
        phone(row.address),
        fax_numbers.name_of(checks.owner_of(row)),
        us_time(row.asked_at),
        row.asked_by,
        us_time(row.expires_at),
    ]


def _line_of_number(row: FaxNumber) -> list[Any]:
    since = us_time(row.blocked_at)
    return [phone(row.number), since, row.blocked_by, row.blocked_why]


LISTS = {
    CHANGES: NumberList(
        own="seen",
        sorts={
            "answered": FaxNumber.number,
            "machine": StationChange.after,
            "seen": StationChange.noticed_at,
        },
        query=_changes,
        then=StationChange.id,
        headings=("Number", "It calls itself", "Before", "Seen", "Delivery"),
        line=_line_of_change,
        file=Listing("fax_numbers_changed", "numbers"),
    ),
    OUT: NumberList(
        own="asked",
        sorts={
            "tested": ContactCheck.address,
            "asked": ContactCheck.asked_at,
            "until": ContactCheck.expires_at,
        },
        query=_out,
        then=ContactCheck.id,
        headings=("Number", "For", "Asked", "By", "Good until"),
        line=_line_of_check,
        file=Listing("fax_test_pages", "test pages"),
    ),
    WRONG: NumberList(
        own="-since",
        sorts={
            "wrong": FaxNumber.number,
            "since": FaxNumber.blocked_at,
            "why": FaxNumber.blocked_why,
        },
        query=_wrong,
        then=FaxNumber.id,
        headings=("Number", "Since", "By", "Why"),
        line=_line_of_number,
        file=Listing("fax_numbers_wrong", "numbers"),
    ),
}
