"""The pages of a fax, given to the carrier that fetches them, at a one-time address.

The address has 256 random bits and belongs to one attempt; only its hash is kept.
"""

import hashlib
from datetime import datetime

from models import DeliveryAttempt, DeliveryEvent, DeliveryState, ErrorClass
from pmp import documents
from pmp.deliveries import outbox

SOURCE = "carrier"
# Lines in the history of one attempt; a carrier that fetches for ever adds no more.
MOST_LINES = 20
_ALIVE = frozenset(
    {
        DeliveryState.SENDING,
        DeliveryState.SUBMITTED,
        DeliveryState.IN_DOUBT,
        DeliveryState.HELD,
    }
)


class MediaGone(Exception):  # noqa: N818 - what it says to the carrier: 410
    """The media address is not, or no longer, valid."""


def fetched(token: str, *, at: datetime, address: str, head: bool = False) -> bytes:
    """Give the PDF that a carrier fetches, and note that it did; MediaGone else.

    A token is good while its attempt is the one under way, until its time is over or
    its end is known; within that it may be fetched more than once, as carriers do.
    With `head` only its length was asked for, which is no proof of having it.
    """
    attempt: DeliveryAttempt | None = DeliveryAttempt.get_or_none(
        DeliveryAttempt.media_sha256 == hashlib.sha256(token.encode()).hexdigest()
    )
    if attempt is None or not _is_good(attempt, at=at):
        raise MediaGone
    document = attempt.delivery.document
    if document is None:
        raise MediaGone
    try:
        body = documents.read(document)
    except documents.DocumentLostError as lost:
        raise MediaGone from lost
    if not head and attempt.media_fetched_at is None:
        attempt.media_fetched_at = at
        attempt.save(only=[DeliveryAttempt.media_fetched_at])
    _write_down(attempt, "asked for" if head else "fetched", address=address, at=at)
    return body


def _is_good(attempt: DeliveryAttempt, *, at: datetime) -> bool:
    """Tell whether an attempt may still be fetched: its own end or the next ends it."""
    delivery = attempt.delivery
    return (
        attempt.media_until is not None
        and attempt.media_until >= at
        and delivery.state in _ALIVE
        and attempt.number == delivery.attempts
        and attempt.error_class in {None, ErrorClass.IN_DOUBT}
    )


def _write_down(
    attempt: DeliveryAttempt, what: str, *, address: str, at: datetime
) -> None:
    """Add a line to the history, as long as there are not too many."""
    lines = (
        DeliveryEvent.select()
        .where(DeliveryEvent.attempt == attempt)
        .where(DeliveryEvent.source == SOURCE)
        .count()
    )
    if lines < MOST_LINES:
        outbox.note(
            attempt.delivery,
            attempt,
            source=SOURCE,
            at=at,
            text=f"pages {what} from {address or 'nowhere'}",
        )
