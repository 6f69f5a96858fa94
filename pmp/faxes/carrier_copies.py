"""Faxes that came in and that the carrier still has: it is to destroy them.

Once the pages are kept here the carrier's copy has no use. One that does not go is
asked for again, ever less often but without end.
"""

from datetime import datetime

from models import InboundFax
from pmp.deliveries.carrier_copies import pause


def to_forget(*, carrier: str, at: datetime, limit: int = 50) -> list[int]:
    """Give the faxes whose copy the carrier is to destroy now, the oldest first."""
    query = (
        InboundFax.select(InboundFax.id)
        .where(InboundFax.source == carrier)
        .where(InboundFax.document.is_null(is_null=False))
        .where(InboundFax.forgotten_at.is_null())
        .where(InboundFax.forget_due_at.is_null() | (InboundFax.forget_due_at <= at))
        .order_by(InboundFax.id)
        .limit(limit)
    )
    return [each.id for each in query]


def kept(fax_id: int) -> InboundFax | None:
    """Give a fax whose pages are here and whose copy is still at the carrier."""
    fax: InboundFax | None = InboundFax.get_or_none(InboundFax.id == fax_id)
    if fax is None or fax.document is None or fax.forgotten_at is not None:
        return None
    return fax


def forgotten(fax: InboundFax, *, at: datetime) -> None:
    """Record that the carrier has destroyed its copy."""
    InboundFax.update(forgotten_at=at).where(InboundFax.id == fax.id).execute()


def not_forgotten(fax: InboundFax, *, at: datetime) -> None:
    """Set when to ask again: after half the time that has gone by."""
    again = at + pause(at - fax.received_at)
    InboundFax.update(forget_due_at=again).where(InboundFax.id == fax.id).execute()


def is_known(reference: str) -> bool:
    """Tell whether a fax with a carrier's reference is on record already."""
    return bool(InboundFax.select().where(InboundFax.source_reference == reference))
