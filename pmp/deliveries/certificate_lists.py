"""Certificates for sealed email, as a list: narrowed, sorted, and as a file."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from peewee import fn

from models import MailCertificate, User
from pmp import downloads, sorting
from pmp.downloads import Listing
from pmp.paging import Page, page_of
from pmp.wording import us_date

SOON = timedelta(days=30)
FIRST_OVER = "until"
SORTS: dict[str, Any] = {
    "address": MailCertificate.address,
    "holder": fn.LOWER(MailCertificate.holder),
    "issuer": fn.LOWER(MailCertificate.issuer),
    "until": MailCertificate.not_after,
    "added": MailCertificate.added_at,
}
HEADINGS = (
    "Address",
    "Made out to",
    "Issued by",
    "Good until",
    "Added",
    "Added by",
    "Fingerprint (SHA-256)",
)
FILE = Listing("mail_certificates", "certificates")


class Standing(StrEnum):
    OVER = "over"
    SOON_OVER = "soon_over"
    GOOD = "good"


STANDING_WORDS = {
    Standing.OVER: "Over",
    Standing.SOON_OVER: f"Over within {SOON.days} days",
    Standing.GOOD: "Good for longer",
}


@dataclass(frozen=True)
class Wanted:
    """Which of the certificates in use to list; an empty part does not narrow.

    Each word of `text` must be part of the address, or of whom it is made out to.
    `sort` is one of SORTS, a minus before it turns it round; else the first to be over
    is first.
    """

    text: str = ""
    standing: Standing | None = None
    sort: str = ""

    @property
    def order(self) -> str:
        return sorting.known(self.sort, SORTS, otherwise=FIRST_OVER)


def listed(wanted: Wanted, *, at: datetime, page: int) -> Page:
    """Give a page of certificates that are not withdrawn."""
    return page_of(_query(wanted, at), number=page)


def rows_of(wanted: Wanted, *, by: User, at: datetime) -> list[list[Any]]:
    """Give the list as lines of a file, under HEADINGS; kept on record.

    RuleError if it is longer than a file may be.
    """
    rows = downloads.rows_of(_query(wanted, at), FILE, by=by, at=at)
    return [_line(row) for row in rows]


def _line(row: MailCertificate) -> list[Any]:
    return [
        row.address,
        row.holder,
        row.issuer,
        us_date(row.not_after),
        us_date(row.added_at),
        row.added_by,
        row.fingerprint,
    ]


def _query(wanted: Wanted, at: datetime) -> Any:
    query: Any = MailCertificate.select().where(MailCertificate.withdrawn_at.is_null())
    for word in wanted.text.split():
        query = query.where(
            MailCertificate.address.contains(word)
            | MailCertificate.holder.contains(word)
        )
    if wanted.standing is Standing.OVER:
        query = query.where(MailCertificate.not_after <= at)
    elif wanted.standing is Standing.SOON_OVER:
        query = query.where(MailCertificate.not_after > at)
        query = query.where(MailCertificate.not_after <= at + SOON)
    elif wanted.standing is Standing.GOOD:
        query = query.where(MailCertificate.not_after > at + SOON)
    return sorting.in_order(query, wanted.order, SORTS, then=MailCertificate.id)
