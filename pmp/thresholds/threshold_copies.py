"""Threshold reports as they were drawn: sent, kept as the chart copy, proved genuine.

Fax, letter and portal give out the same bytes. Each drawing has a code of its own on
its pages, by which whoever holds the paper can ask whether it is the program's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from models import (
    CaseRecipient,
    CaseStatus,
    CorrectionNotice,
    Delivery,
    DeliveryKind,
    Dispensation,
    Document,
    DocumentKind,
    ThresholdReportCopy,
    User,
)
from pmp import audit, database, documents, settings
from pmp.documents import DocumentLostError
from pmp.errors import NotFoundError
from pmp.lookup import report_codes
from pmp.thresholds import (
    case_recipients,
    shown_rows,
    threshold_cases,
    threshold_reports,
)
from pmp.thresholds.shown_rows import standing
from pmp.thresholds.threshold_reports import ThresholdReport

PURGE_AT_ONCE = 500
TWO_PEOPLE = (
    "Entries of this report have been found to be another person's. Open its page; it"
    " shows what is yours."
)


NEVER_DRAWN = (
    "No chart copy was made of this report while it was yours. Open its page instead."
)


@dataclass(frozen=True)
class Drawing:
    """A report as a PDF, and how many pages it has."""

    body: bytes
    pages: int


Draw = Callable[[ThresholdReport], Drawing]


def copy(recipient: CaseRecipient, *, draw: Draw, at: datetime) -> bytes:
    """Give the report as it was, or is to be, sent: drawn once, then kept.

    `draw` makes the PDF; it runs outside any transaction. DocumentLostError once its
    time is over: it is never drawn again. NotFoundError for one not yet drawn whose
    entries are of two people.
    """
    kept = CaseRecipient.get_by_id(recipient.id).document
    if kept is None:
        made = threshold_reports.report(recipient, code=report_codes.new_code(), at=at)
        if made.is_parted:
            raise NotFoundError(TWO_PEOPLE)
        kept = _keep(recipient, made, draw(made), at=at)
    recipient.document = kept
    return documents.read(kept)


def download(
    recipient_id: int, *, draw: Draw, by: User, at: datetime, address: str = ""
) -> tuple[CaseRecipient, bytes]:
    """Give a user the chart copy of a report sent to them: a disclosure, on record.

    NotFoundError for somebody else's, for one whose time is over, where its entries
    have been found to be of more than one person, and for one that was never drawn
    while they had a part in it.
    """
    recipient = case_recipients.received(recipient_id, by=by)
    if standing(recipient) is None and shown_rows.to(recipient).as_sent:
        raise NotFoundError(NEVER_DRAWN)
    body = _readable(recipient, draw=draw, at=at)
    _refuse_two_people(recipient)
    return threshold_reports.open_in_portal(
        recipient_id, by=by, at=at, address=address, part="chart copy"
    ), body


def may_download(recipient: CaseRecipient) -> bool:
    """Tell whether a recipient has a chart copy, or may have one made."""
    shown = shown_rows.to(recipient)
    never = bool(shown.as_sent) and standing(recipient) is None
    return not (shown.is_parted or never)


def open_for_staff(
    case_id: int, recipient_id: int, *, by: User, at: datetime, address: str = ""
) -> tuple[CaseRecipient, bytes]:
    """Give staff the report that a recipient of a case was sent, on record first.

    NotFoundError while none was drawn, and for one whose time is over.
    """
    recipient: CaseRecipient | None = CaseRecipient.get_or_none(
        id=recipient_id, case=case_id
    )
    if recipient is None:
        raise NotFoundError("There is no such recipient of this case.")
    body = _readable(recipient, draw=_never, at=at)
    audit.record(
        audit.Event.THRESHOLD_COPY_OPENED,
        actor=by.username,
        subject=f"patient:{recipient.case.patient.id}",
        at=at,
        address=address,
        detail={"case": case_id, "recipient": recipient.id},
    )
    return recipient, body


def code_of(recipient: CaseRecipient) -> str:
    """Give the verification code on the drawing that stands; empty if it has none."""
    kept = standing(recipient)
    return kept.code or "" if kept else ""


def by_code(code: str) -> ThresholdReportCopy | None:
    """Give the drawing that carries a verification code."""
    found: ThresholdReportCopy | None = ThresholdReportCopy.get_or_none(code=code)
    return found


def is_mine(copy: ThresholdReportCopy, *, by: User) -> bool:
    """Tell whether a user is the recipient of a drawing."""
    try:
        case_recipients.received(copy.recipient.id, by=by)
    except NotFoundError:
        return False
    return True


def what_became(copy: ThresholdReportCopy) -> str:
    """Say what the holder of a paper must know of it since; empty: it stands."""
    recipient = copy.recipient
    if recipient.case.status == CaseStatus.WITHDRAWN:
        return "The program has withdrawn this report since. Do not act on it."
    corrected = CorrectionNotice.select().where(
        CorrectionNotice.recipient == recipient,
        CorrectionNotice.made_at >= copy.made_at,
    )
    if corrected.exists():
        return "Something in this report has been corrected since."
    if recipient.document != copy.document:
        return "This report was made anew since."
    return ""


def purge(*, at: datetime) -> int:
    """Destroy the PDFs whose time is over; their codes can still be verified.

    As faxed, with the delivery's line on each page, a report is a file of its own; it
    goes with the copy.
    """
    oldest = at - timedelta(days=settings.current().threshold_copy_days)
    count = 0
    while some := _older_than(oldest) or _faxed_before(oldest):
        with database.atomic():
            for document in some:
                documents.purge(document, at=at)
        count += len(some)
    return count


def _never(_report: ThresholdReport) -> Drawing:
    raise NotFoundError("This report has not been made yet.")


def _readable(recipient: CaseRecipient, *, draw: Draw, at: datetime) -> bytes:
    try:
        return copy(recipient, draw=draw, at=at)
    except DocumentLostError:
        days = settings.current().threshold_copy_days
        message = f"Threshold reports are kept for {days} days; this one is gone."
        raise NotFoundError(message) from None


def _refuse_two_people(recipient: CaseRecipient) -> None:
    """Keep back a PDF whose entries, as things stand, are of more than one person."""
    kept = standing(recipient)
    rows = threshold_cases.entries(recipient.case)
    if kept and kept.entries:
        query = Dispensation.select().where(Dispensation.row_code.in_(kept.entries))
        rows = list(query)
    if threshold_cases.are_two_peoples(rows):
        raise NotFoundError(TWO_PEOPLE)


def _keep(
    recipient: CaseRecipient, made: ThresholdReport, drawing: Drawing, *, at: datetime
) -> Document:
    with database.atomic():
        document = documents.keep(
            kind=DocumentKind.THRESHOLD_REPORT,
            media_type="application/pdf",
            body=drawing.body,
            at=at,
        )
        first = (
            CaseRecipient.update(document=document)
            .where(CaseRecipient.id == recipient.id)
            .where(CaseRecipient.document.is_null())
            .execute()
        )
        if not first:  # another worker drew it meanwhile: theirs stands
            document.delete_instance()
            return Document.get_by_id(CaseRecipient.get_by_id(recipient.id).document)
        ThresholdReportCopy.create(
            recipient=recipient,
            document=document,
            code=made.code,
            pages=drawing.pages,
            sha256=document.sha256,
            entries=[entry.row_code for entry in made.entries],
            made_at=at,
        )
    return document


def _older_than(oldest: datetime) -> list[Document]:
    return list(
        Document.select()
        .join(ThresholdReportCopy)
        .where(ThresholdReportCopy.made_at < oldest)
        .where(Document.purged_at.is_null())
        .order_by(ThresholdReportCopy.id)
        .limit(PURGE_AT_ONCE)
    )


def _faxed_before(oldest: datetime) -> list[Document]:
    sent = Delivery.select(Delivery.document).where(
        Delivery.kind == DeliveryKind.THRESHOLD_REPORT
    )
    return list(
        Document.select()
        .where(Document.id.in_(sent))
        .where(Document.created_at < oldest)
        .where(Document.purged_at.is_null())
        .order_by(Document.id)
        .limit(PURGE_AT_ONCE)
    )
