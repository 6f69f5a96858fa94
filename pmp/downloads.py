"""A list of the staff's as a file: it has an end, and is on the audit record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import User
from pmp import audit
from pmp.errors import RuleError

MOST_ROWS = 20_000


@dataclass(frozen=True)
class Listing:
    """A list that comes as a file: how people and the audit record call it.

    `many` are its rows, such as "faxes"; `narrow` says how to have fewer of them.
    """

    subject: str
    many: str
    narrow: str = "Narrow the list."
    event: audit.Event = audit.Event.LIST_DOWNLOADED


def rows_of(
    found: Any, listing: Listing, *, by: User, at: datetime, **detail: Any
) -> list[Any]:
    """Give the rows of a file, of a query or a list; on the audit record first.

    RuleError if they are more than a file may hold. `detail` is kept on record too: it
    names no patient.
    """
    rows = within_limit(found, listing)
    audit.record(
        listing.event,
        actor=by.username,
        subject=listing.subject,
        at=at,
        detail={**detail, "rows": len(rows)},
    )
    return rows


def within_limit(found: Any, listing: Listing) -> list[Any]:
    """Give the rows of a file; RuleError if they are more than one may hold."""
    total = len(found) if isinstance(found, Sequence) else found.count()
    if total > MOST_ROWS:
        raise RuleError(
            f"That is {total:,} {listing.many}; a file holds {MOST_ROWS:,}."
            f" {listing.narrow}"
        )
    return list(found)
