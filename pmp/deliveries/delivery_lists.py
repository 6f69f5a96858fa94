"""The list of deliveries for staff: narrowed, sorted, in pages, as a file.

It names no patient: kinds, channels, addresses of professionals. The addresses of
those outside who complained, patients among them, stand on the page of their delivery
alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from models import (
    ChannelName,
    Delivery,
    DeliveryAttempt,
    DeliveryKind,
    DeliveryState,
    User,
)
from pmp import audit, clock, downloads, sorting
from pmp.deliveries import addressees, delivery_desk
from pmp.downloads import Listing
from pmp.paging import Page, page_of
from pmp.wording import phone, us_time, words

PAGE_SIZE = 50
LATEST = "-made"
FILE = Listing(
    "deliveries",
    "deliveries",
    "Choose fewer days, or one channel.",
    audit.Event.DELIVERIES_DOWNLOADED,
)
# Whose address may be a patient's.
PRIVATE = frozenset({DeliveryKind.OUTSIDE_ANSWER})
# What several states come to, in the words of the figures.
GROUPS: dict[str, tuple[DeliveryState, ...]] = {
    "waiting": (DeliveryState.QUEUED,),
    "on_its_way": (
        DeliveryState.SENDING,
        DeliveryState.SUBMITTED,
        DeliveryState.IN_DOUBT,
        DeliveryState.BATCHED,
        DeliveryState.PRINTED,
    ),
    "arrived": (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.MAILED),
    "not_arrived": (
        DeliveryState.FAILED,
        DeliveryState.EXPIRED,
        DeliveryState.RETURNED,
    ),
}
HEADINGS = (
    "Delivery",
    "What",
    "Channel",
    "To",
    "State",
    "Needs a person",
    "Possible duplicate",
    "Attempts",
    "Last fault",
    "Next try",
    "Made",
    "Ended",
    "Carrier's reference",
)
SORTS: dict[str, Any] = {
    "made": Delivery.id,
    "next": Delivery.due_at,
    "ended": Delivery.final_at,
    "attempts": Delivery.attempts,
}


@dataclass(frozen=True)
class Wanted:
    """Which deliveries to list; an empty part does not narrow.

    `group` is one of GROUPS. `since` and `until` are days of the program's zone on
    which one was made or, `by_end`, ended. `number` is a delivery's, or a carrier's
    reference; `recipient` as `addressees` reads it. `sort` is one of SORTS, a minus
    before it turns it round.
    """

    state: DeliveryState | None = None
    group: str = ""
    channel: ChannelName | None = None
    kind: DeliveryKind | None = None
    needs_staff: bool = False
    duplicate: bool = False
    since: date | None = None
    until: date | None = None
    by_end: bool = False
    number: str = ""
    recipient: str = ""
    sort: str = LATEST


def listed(wanted: Wanted, *, page: int) -> Page:
    """Give a page of deliveries in the order that is wanted."""
    return page_of(_query(wanted), number=page, size=PAGE_SIZE)


def every(wanted: Wanted) -> list[Delivery]:
    """Give all deliveries in the order that is wanted, for the command line."""
    return list(_query(wanted))


def rows_of(wanted: Wanted, *, by: User, at: datetime) -> list[list[Any]]:
    """Give the list as lines of a file, under HEADINGS; kept on record.

    RuleError for more lines than a spreadsheet is of use for.
    """
    rows = downloads.rows_of(_query(wanted), FILE, by=by, at=at)
    references = _references([row.id for row in rows])
    return [_line(row, references.get(row.id, "")) for row in rows]


def address_words(delivery: Delivery) -> str:
    """Write an address on one line; "withheld" for one that may be a patient's."""
    if delivery.kind in PRIVATE:
        return "withheld"
    if delivery.channel in {ChannelName.EMAIL, ChannelName.LETTER}:
        return ", ".join(delivery.address.splitlines())
    return phone(delivery.address)


def recipient_of(delivery: Delivery) -> str:
    """Give what to search for to find all that went to the same recipient."""
    return next(iter(delivery.address.splitlines()), "")


def _line(row: Delivery, reference: str) -> list[Any]:
    return [
        row.id,
        words(row.kind),
        words(row.channel),
        address_words(row),
        delivery_desk.state_words(row),
        "yes" if row.needs_staff else "",
        "yes" if row.possible_duplicate else "",
        row.attempts,
        delivery_desk.error_words(row),
        us_time(row.due_at) if row.state == DeliveryState.QUEUED else "",
        us_time(row.created_at),
        us_time(row.final_at),
        reference,
    ]


def _references(ids: list[int]) -> dict[int, str]:
    """Give the carrier's last reference of each delivery that has one."""
    found: dict[int, str] = {}
    for batch in _batches(ids):
        rows: Any = (
            DeliveryAttempt.select(
                DeliveryAttempt.delivery, DeliveryAttempt.carrier_reference
            )
            .where(DeliveryAttempt.delivery.in_(batch))
            .where(DeliveryAttempt.carrier_reference.is_null(is_null=False))
            .order_by(DeliveryAttempt.number)
        )
        found.update(rows.tuples())
    return found


def _batches(ids: list[int]) -> Iterator[list[int]]:
    yield from (ids[start : start + 500] for start in range(0, len(ids), 500))


def _query(wanted: Wanted) -> Any:
    query: Any = Delivery.select()
    for column, value in (
        (Delivery.state, wanted.state),
        (Delivery.channel, wanted.channel),
        (Delivery.kind, wanted.kind),
    ):
        if value:
            query = query.where(column == value)
    if wanted.group in GROUPS:
        query = query.where(Delivery.state.in_(GROUPS[wanted.group]))
    if wanted.needs_staff:
        query = query.where(Delivery.needs_staff)
    if wanted.duplicate:
        query = query.where(Delivery.possible_duplicate)
    if wanted.number:
        query = query.where(_numbered(wanted.number))
    if wanted.recipient:
        query = query.where(addressees.matching(wanted.recipient))
    narrowed = _within(query, wanted)
    return sorting.in_order(narrowed, wanted.sort, SORTS, then=Delivery.id)


def _within(query: Any, wanted: Wanted) -> Any:
    column = Delivery.final_at if wanted.by_end else Delivery.created_at
    if wanted.since:
        query = query.where(column >= clock.start_of(wanted.since))
    if wanted.until:
        day_after = wanted.until + timedelta(days=1)
        query = query.where(column < clock.start_of(day_after))
    return query


def _numbered(text: str) -> Any:
    """Give the condition of the delivery with a number, or a carrier's reference."""
    by_carrier = DeliveryAttempt.select(DeliveryAttempt.delivery).where(
        DeliveryAttempt.carrier_reference == text
    )
    digits = text.partition("-")[0]
    if digits.isdecimal() and len(digits) < 10:
        return (Delivery.id == int(digits)) | Delivery.id.in_(by_carrier)
    return Delivery.id.in_(by_carrier)
