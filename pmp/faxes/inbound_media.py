"""Faxes that a carrier has announced and whose pages are still to be fetched.

The announcement is a row before anything is fetched, so that a fax whose pages cannot
be had stands in the tray of the fax desk and is asked for again, not lost.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from peewee import IntegrityError

from models import DocumentKind, FaxStatus, InboundFax
from pmp import audit, database, documents
from pmp.identifiers import e164

# What the worker was told of and has not done after so long, it is told of again.
GRACE = timedelta(minutes=2)
# Longer than the longest file may be read: what is being read is not waiting.
READING_GRACE = timedelta(minutes=5)


def announce(
    *,
    source: str,
    source_reference: str,
    from_number: str,
    station: str,
    at: datetime,
) -> InboundFax:
    """Write an announced fax down; the same announcement again gives the same row."""
    try:
        with database.atomic():
            fax: InboundFax = InboundFax.create(
                received_at=at,
                source=source,
                source_reference=source_reference,
                from_number=e164(from_number) or from_number[:40],
                station=station[:60],
                status=FaxStatus.RECEIVED,
            )
            audit.record(
                audit.Event.FAX_RECEIVED,
                actor="system",
                subject=f"fax:{fax.id}",
                at=at,
                detail={"source": source},
            )
    except IntegrityError:
        known: InboundFax = InboundFax.get(source_reference=source_reference)
        return known
    return fax


def keep(fax: InboundFax, *, body: bytes, media_type: str, at: datetime) -> bool:
    """Keep the pages of an announced fax; False if they are kept already."""
    with database.atomic():
        document = documents.keep(
            kind=DocumentKind.INBOUND_FAX, media_type=media_type, body=body, at=at
        )
        moved = (
            InboundFax.update(document=document)
            .where(InboundFax.id == fax.id)
            .where(InboundFax.document.is_null())
            .where(InboundFax.status == FaxStatus.RECEIVED)
            .execute()
        )
        if not moved:
            document.delete_instance()
    return bool(moved)


def failed(fax: InboundFax, *, reason: str, at: datetime) -> None:
    """Leave a fax whose pages cannot be had to the fax desk, with the reason."""
    with database.atomic():
        moved = (
            InboundFax.update(
                status=FaxStatus.UNREADABLE,
                note=f"The pages could not be fetched: {reason}"[:200],
            )
            .where(InboundFax.id == fax.id)
            .where(InboundFax.document.is_null())
            .where(InboundFax.status == FaxStatus.RECEIVED)
            .execute()
        )
        if moved:
            audit.record(
                audit.Event.FAX_READ,
                actor="system",
                subject=f"fax:{fax.id}",
                at=at,
                detail={"status": FaxStatus.UNREADABLE.value, "pages": 0},
            )


def unfetched(*, at: datetime) -> list[int]:
    """Give the announced faxes whose pages should have been fetched by now."""
    query = (
        InboundFax.select(InboundFax.id)
        .where(InboundFax.status == FaxStatus.RECEIVED)
        .where(InboundFax.document.is_null())
        .where(InboundFax.received_at < at - GRACE)
    )
    return [fax.id for fax in query]


def unread(*, at: datetime) -> list[int]:
    """Give the faxes whose pages are kept and should have been read by now."""
    query = (
        InboundFax.select(InboundFax.id)
        .where(InboundFax.status == FaxStatus.RECEIVED)
        .where(InboundFax.document.is_null(is_null=False))
        .where(InboundFax.received_at < at - READING_GRACE)
        .order_by(InboundFax.id)
    )
    return [fax.id for fax in query]


def next_unread(*, after: int, but: Iterable[int]) -> int | None:
    """Give the next fax to be read that came after one, but for those in hand."""
    fax: InboundFax | None = (
        InboundFax.select(InboundFax.id)
        .where(InboundFax.status == FaxStatus.RECEIVED)
        .where(InboundFax.document.is_null(is_null=False))
        .where(InboundFax.id > after)
        .where(InboundFax.id.not_in(list(but)))
        .order_by(InboundFax.id)
        .first()
    )
    return fax.id if fax else None


def reference_of(body: bytes) -> str:
    """Name a file by its content: dropped twice, it is one fax."""
    return f"file:{hashlib.sha256(body).hexdigest()}"
