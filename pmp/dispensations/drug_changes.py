"""What people changed in the drug table, as a list: narrowed, sorted, as a file."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from models import ProductChange, User
from pmp import downloads, identifiers, sorting
from pmp.dispensations import unknown_products
from pmp.downloads import Listing
from pmp.paging import Page, page_of
from pmp.wording import ndc as written_ndc
from pmp.wording import us_time

LATEST = "-changed"
SORTS: dict[str, Any] = {
    "changed": ProductChange.changed_at,
    "ndc": ProductChange.ndc,
    "filled": ProductChange.filled,
}
HEADINGS = (
    "Change",
    "When",
    "By",
    "NDC",
    "What",
    "How they knew",
    "Stored fills filled in",
    "Undone",
    "Undone by",
)
FILE = Listing("drug_changes", "changes", "Write an NDC or a user name.")


class Standing(StrEnum):
    STANDS = "stands"
    UNDONE = "undone"


@dataclass(frozen=True)
class Wanted:
    """Which changes to list; an empty part does not narrow.

    `text` is an NDC, or each of its words is part of one, of the user name or of how
    they knew. `sort` is one of SORTS, a minus before it turns it round; else the latest
    is first.
    """

    text: str = ""
    standing: Standing | None = None
    sort: str = ""

    @property
    def order(self) -> str:
        return sorting.known(self.sort, SORTS, otherwise=LATEST)


def listed(wanted: Wanted, *, page: int) -> Page:
    """Give a page of changes in the order that is wanted."""
    return page_of(_query(wanted), number=page)


def rows_of(wanted: Wanted, *, by: User, at: datetime) -> list[list[Any]]:
    """Give the list as lines of a file, under HEADINGS; kept on record.

    RuleError if it is longer than a file may be.
    """
    rows = downloads.rows_of(_query(wanted), FILE, by=by, at=at)
    return [_line(row) for row in rows]


def _line(row: ProductChange) -> list[Any]:
    return [
        row.id,
        us_time(row.changed_at),
        row.changed_by,
        written_ndc(row.ndc),
        "; ".join(unknown_products.difference(row)),
        row.reason,
        row.filled,
        us_time(row.undone_at),
        row.undone_by,
    ]


def _query(wanted: Wanted) -> Any:
    query: Any = ProductChange.select()
    if code := _ndc(wanted.text):
        query = query.where(ProductChange.ndc == code)
    for word in () if code else wanted.text.split():
        query = query.where(
            ProductChange.ndc.contains(word.replace("-", ""))
            | ProductChange.changed_by.contains(word)
            | ProductChange.reason.contains(word)
        )
    if wanted.standing:
        stands = wanted.standing is Standing.STANDS
        query = query.where(ProductChange.undone_at.is_null(is_null=stands))
    return sorting.in_order(query, wanted.order, SORTS, then=ProductChange.id)


def _ndc(typed: str) -> str:
    try:
        return identifiers.parse_ndc(typed)
    except ValueError:
        return ""
