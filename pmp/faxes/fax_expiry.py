"""The pages of received faxes are kept so long, and then destroyed, on the record.

Only of faxes that are dealt with; a file that one of its parts still needs, or another
fax of the same pages, is kept.  What the tables say of a fax stays.
"""

from datetime import datetime, timedelta

from peewee import fn

from models import Document, DocumentKind, FaxSheet, FaxStatus, InboundFax
from pmp import audit, database, documents, settings
from pmp.faxes.filing import record

OVER = (FaxStatus.FILED, FaxStatus.RETURNED, FaxStatus.DISMISSED)
BATCH = 200


def purge(*, at: datetime) -> int:
    """Destroy the pages of faxes that were dealt with long ago; give how many files.

    Counted from when the last of a file's faxes was dealt with, else came.  Each file
    in a transaction of its own, at most two hundred in a night.
    """
    limit = at - timedelta(days=settings.current().fax_days)
    return sum(_destroy(document, at=at) for document in _old(limit))


def _old(limit: datetime) -> list[Document]:
    over = InboundFax.status.in_(OVER)
    since = fn.COALESCE(InboundFax.handled_at, InboundFax.received_at)
    needed = (
        InboundFax.select(InboundFax.document)
        .where(InboundFax.document.is_null(is_null=False))
        .where(~over | (since >= limit))
    )
    query = (
        Document.select(Document.id)
        .where(Document.kind == DocumentKind.INBOUND_FAX)
        .where(Document.purged_at.is_null())
        .where(Document.created_at < limit)
        .where(Document.id.not_in(needed))
        .order_by(Document.id)
        .limit(BATCH)
    )
    return list(query)


def _destroy(document: Document, *, at: datetime) -> int:
    faxes = list(InboundFax.select().where(InboundFax.document == document))
    with database.atomic():
        documents.purge(document, at=at)
        FaxSheet.update(look="").where(FaxSheet.fax.in_(faxes)).execute()
        for fax in faxes:
            record(audit.Event.FAX_HANDLED, fax, "system", at, {"how": "pages purged"})
    return 1
