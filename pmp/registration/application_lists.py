"""Registrations for staff: by where they stand, found by name or number, as a file."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import Case, fn

from models import Application, ApplicationStatus, Profession, User
from pmp import audit, downloads, sorting
from pmp.downloads import Listing
from pmp.paging import Page, page_of
from pmp.registration.comparison import applicant_name
from pmp.wording import us_time, words

PAGE_SIZE = 50
LONGEST_WAITING, LATEST = "waits", "-waits"
FILE = Listing(
    "registrations",
    "registrations",
    "Choose another list or kind, or find fewer.",
    audit.Event.REGISTRATIONS_DOWNLOADED,
)
HEADINGS = (
    "Code",
    "Name",
    "Kind",
    "State",
    "Licence",
    "DEA",
    "Submitted",
    "Signed page came",
    "Decided",
    "Decided by",
    "Letter mailed",
)
# A returned one whose page came again waits since then, not since it was returned.
_SINCE: Any = Case(
    Application.status,
    [(ApplicationStatus.CONFIRMATION_RECEIVED, Application.confirmation_received_at)],
    fn.COALESCE(
        Application.mailed_at,
        Application.decided_at,
        Application.confirmation_received_at,
        Application.submitted_at,
    ),
)
_NAME = fn.LOWER(
    fn.COALESCE(fn.NULLIF(Application.pharmacy_name, ""), Application.last_name)
)
SORTS: dict[str, Any] = {
    "code": Application.code,
    "name": _NAME,
    "kind": Application.profession,
    "state": Application.status,
    "waits": _SINCE,
}
_FOUND_BY = (
    Application.code,
    Application.last_name,
    Application.first_name,
    Application.middle_name,
    Application.pharmacy_name,
    Application.practice_name,
    Application.licence_number,
    Application.dea,
    Application.npi,
    Application.ncpdp,
)


@dataclass(frozen=True)
class Kind:
    """A list that staff choose: its name and who stands in it."""

    words: str
    statuses: Collection[ApplicationStatus]
    order: str = LONGEST_WAITING


LISTS = {
    "decide": Kind("To decide", [ApplicationStatus.CONFIRMATION_RECEIVED]),
    "page": Kind(
        "Waiting for the signed page",
        [ApplicationStatus.SUBMITTED, ApplicationStatus.RETURNED],
    ),
    "mail": Kind("Letter not mailed yet", [ApplicationStatus.APPROVED]),
    "out": Kind("Letter out, not used yet", [ApplicationStatus.CREDENTIALS_MAILED]),
    "closed": Kind(
        "Decided",
        [
            ApplicationStatus.ACTIVE,
            ApplicationStatus.REJECTED,
            ApplicationStatus.EXPIRED,
        ],
        LATEST,
    ),
    "all": Kind("All", list(ApplicationStatus), LATEST),
}


@dataclass(frozen=True)
class Wanted:
    """Which registrations to list; an empty part does not narrow.

    `which` is one of LISTS. Each word of `text` must be part of the code, a name or a
    number. `sort` is one of SORTS, a minus before it turns it round; else as the list
    has it.
    """

    which: str = "decide"
    text: str = ""
    kind: Profession | None = None
    sort: str = ""

    @property
    def order(self) -> str:
        return sorting.known(self.sort, SORTS, otherwise=LISTS[self.which].order)


def listed(wanted: Wanted, *, page: int) -> Page:
    """Give a page of registrations in the order that is wanted."""
    return page_of(_query(wanted), number=page, size=PAGE_SIZE)


def to_decide() -> list[Application]:
    """Give those whose signed page came and who wait longest, a page of them."""
    return listed(Wanted(), page=1).rows


def since(row: Application) -> datetime:
    """Give since when a registration stands as it does: what "waits" sorts by."""
    came: datetime | None = row.confirmation_received_at
    if row.status == ApplicationStatus.CONFIRMATION_RECEIVED and came:
        return came
    latest: datetime = row.mailed_at or row.decided_at or came or row.submitted_at
    return latest


def rows_of(wanted: Wanted, *, by: User, at: datetime) -> list[list[Any]]:
    """Give the list as lines of a file, under HEADINGS; kept on record.

    RuleError if it is longer than a file may be.
    """
    query = _query(wanted)
    rows = downloads.rows_of(query, FILE, by=by, at=at, list=wanted.which)
    return [_line(row) for row in rows]


def _line(row: Application) -> list[Any]:
    return [
        row.code,
        applicant_name(row),
        words(row.profession),
        words(row.status),
        row.licence_number,
        row.dea,
        us_time(row.submitted_at),
        us_time(row.confirmation_received_at),
        us_time(row.decided_at),
        row.decided_by,
        us_time(row.mailed_at),
    ]


def _query(wanted: Wanted) -> Any:
    query: Any = Application.select().where(
        Application.status.in_(LISTS[wanted.which].statuses)
    )
    if wanted.kind:
        query = query.where(Application.profession == wanted.kind)
    for word in wanted.text.replace(",", " ").split():
        found: Any = _FOUND_BY[0].contains(word)
        for column in _FOUND_BY[1:]:
            found |= column.contains(word)
        query = query.where(found)
    return sorting.in_order(query, wanted.order, SORTS, then=Application.id)
