"""Report PDFs as they were downloaded: kept under their codes, and opened again.

The PDF carries a code on each page, by which pmp.verification proves it genuine.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from models import (
    Dispensation,
    Document,
    DocumentKind,
    LookUp,
    Patient,
    ReportCopy,
    ReportSeen,
    User,
)
from pmp import audit, database, delegates, disclosures, documents, lookup, settings
from pmp.documents import DocumentLostError
from pmp.errors import NotFoundError
from pmp.matching import whereabouts
from pmp.wording import us_time

PURGE_AT_ONCE = 500
NONE_OF_YOURS = "There is no such report among yours."


def keep(
    look_up: LookUp,
    *,
    code: str,
    body: bytes,
    pages: int,
    entries: int,
    at: datetime,
) -> ReportCopy:
    """Keep a PDF that is about to be given out, under the code that it carries."""
    with database.atomic():
        document = documents.keep(
            kind=DocumentKind.PATIENT_REPORT,
            media_type="application/pdf",
            body=body,
            at=at,
        )
        copy: ReportCopy = ReportCopy.create(
            look_up=look_up,
            document=document,
            code=code,
            pages=pages,
            entries=entries,
            sha256=document.sha256,
            made_at=at,
            made_by=look_up.user,
        )
        audit.record(
            audit.Event.REPORT_COPY_KEPT,
            actor=look_up.user.username,
            subject=f"report_copy:{copy.id}",
            at=at,
            address=look_up.address,
            detail={"look_up": look_up.id, "code": code, "sha256": copy.sha256},
        )
    return copy


def copies_of(look_up_ids: Iterable[int]) -> dict[int, list[ReportCopy]]:
    """Give the copies that can still be opened, by look-up, the latest first."""
    rows = (
        ReportCopy.select(ReportCopy)
        .join(Document)
        .where(ReportCopy.look_up.in_(list(look_up_ids)))
        .where(Document.purged_at.is_null())
        .order_by(ReportCopy.made_at.desc(), ReportCopy.id.desc())
    )
    found: dict[int, list[ReportCopy]] = {}
    for row in rows:
        found.setdefault(row.__data__["look_up"], []).append(row)
    return found


def open_copy(copy_id: int, *, by: User, address: str = "", at: datetime) -> bytes:
    """Give the PDF of one of a user's own copies: a disclosure, written down first.

    It is of the patient with whom all are today whom the PDF shows. NotFoundError for
    another's, for one whose time is over, and where they are not one person.
    """
    copy: ReportCopy | None = ReportCopy.get_or_none(
        (ReportCopy.id == copy_id) & (ReportCopy.made_by == by)
    )
    if copy is None or not delegates.may_see(copy.look_up, by=by, at=at):
        raise NotFoundError(NONE_OF_YOURS)
    patient = _patient_of(copy)
    try:
        body = documents.read(copy.document)
    except DocumentLostError:
        days = settings.current().report_copy_days
        message = f"Reports are kept for {days} days; this one is gone. Look again."
        raise NotFoundError(message) from None
    what = f"PDF of {us_time(copy.made_at)}"
    with database.atomic():
        disclosures.record(
            patient=patient,
            recipient=delegates.with_supervisor(by.name, copy.look_up),
            address=address,
            what=f"patient report ({what})",
            purpose=lookup.PURPOSE_WORDS[copy.look_up.purpose],
            at=at,
            actor=by.username,
            look_up=copy.look_up,
        )
        audit.record(
            audit.Event.REPORT_DOWNLOADED,
            actor=by.username,
            subject=f"patient:{patient.id}",
            at=at,
            address=address,
            detail={"look_up": copy.look_up.id, "report_copy": copy.id, "what": what},
        )
    return body


def _patient_of(copy: ReportCopy) -> Patient:
    """Give the one patient of whom a PDF is, as things stand; NotFoundError."""
    look_up = copy.look_up
    if look_up.patient is None:
        raise NotFoundError(NONE_OF_YOURS)
    found = {whereabouts.shown(look_up.patient.id, look_up.at, copy.made_at)}
    seen: ReportSeen | None = ReportSeen.get_or_none(ReportSeen.look_up == look_up)
    if seen is not None:
        # An entry may have gone to another person by itself, by a correction.
        rows: Any = Dispensation.select(Dispensation.patient).where(
            Dispensation.row_code.in_(sorted(seen.entries))
        )
        found |= {number for (number,) in rows.distinct().tuples()}
    if len(found) > 1:
        raise NotFoundError(
            "Entries of this PDF have been found to be another person's. Look the"
            " person up again."
        )
    patient: Patient = Patient.get_by_id(found.pop())
    return patient


def by_code(code: str) -> ReportCopy | None:
    """Give the copy that carries a verification code."""
    found: ReportCopy | None = ReportCopy.get_or_none(code=code)
    return found


def purge(*, at: datetime) -> int:
    """Destroy the PDFs whose time is over; their codes can still be verified."""
    oldest = at - timedelta(days=settings.current().report_copy_days)
    count = 0
    while some := _older_than(oldest):
        with database.atomic():
            for copy in some:
                documents.purge(copy.document, at=at)
        count += len(some)
    return count


def _older_than(oldest: datetime) -> list[ReportCopy]:
    return list(
        ReportCopy.select(ReportCopy)
        .join(Document)
        .where(ReportCopy.made_at < oldest)
        .where(Document.purged_at.is_null())
        .order_by(ReportCopy.id)
        .limit(PURGE_AT_ONCE)
    )
