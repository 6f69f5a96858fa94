"""Papers that belong to a ticket: a prescription as faxed, a label, a letter.

A pharmacy opens those that are for it, none of another's that was asked too. Kept
encrypted like all files, told by their content and not by their name, which is not
kept: people name files after patients. Each opening is on the audit record.
"""

from datetime import datetime

from models import Audience, DocumentKind, Pharmacy, Ticket, TicketAttachment, User
from pmp import audit, database, documents, settings, withheld
from pmp.documents import DocumentLostError
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.permissions import Permission, can
from pmp.tickets import dispenser_questions, telling, whose, writing

MOST = 20
LONGEST_WHAT = 100
MEGABYTE = 1024 * 1024
SIGNATURES = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
}
ENDINGS = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/tiff": "tif",
}


def add(  # noqa: PLR0913 - a paper, for whom, and who adds it
    ticket: Ticket,
    *,
    body: bytes,
    what: str,
    audience: Audience,
    by: User,
    at: datetime,
    pharmacy: Pharmacy | None = None,
) -> TicketAttachment:
    """Put a paper into an open ticket; `what` says what it is, naming no patient.

    Staff put it there for anybody, the reporter and the pharmacy for themselves;
    `pharmacy` says which, if several could be meant. Whom it concerns is told.
    RuleError, at `file` or `what`, for a file of another kind, an empty or too large
    one, without words, and for the twenty-first.
    """
    pharmacy = _pharmacy(ticket, audience, pharmacy, by)
    if not _may_open(ticket, audience, pharmacy, by):
        raise NotFoundError("There is no such ticket.")
    if not what.strip():
        raise RuleError("Say what it is.", field="what")
    if ticket.resolved_at is not None:
        raise RuleError("This ticket is closed.", field="file")
    media_type = _media_type(body)
    with database.atomic():
        if len(of(ticket)) >= MOST:
            message = f"A ticket holds {MOST} papers. Remove one first."
            raise RuleError(message, field="file")
        document = documents.keep(
            kind=DocumentKind.TICKET_ATTACHMENT,
            media_type=media_type,
            body=body,
            at=at,
        )
        attachment: TicketAttachment = TicketAttachment.create(
            ticket=ticket,
            document=document,
            what=what.strip()[:LONGEST_WHAT],
            audience=audience,
            pharmacy=pharmacy,
            added_by=by.username,
            added_at=at,
        )
        _record(audit.Event.TICKET_ATTACHMENT_ADDED, attachment, by=by, at=at)
        if not can(by.role, Permission.TICKET_WORK):
            telling.tell_written(ticket, at=at)
        elif audience is Audience.REPORTER:
            telling.tell_message(ticket, at=at)
    return attachment


def of(
    ticket: Ticket,
    *,
    audience: Audience = Audience.STAFF,
    pharmacy: Pharmacy | None = None,
) -> list[TicketAttachment]:
    """Give the papers that an audience may open, the oldest first; staff open all.

    Of the dispensers each opens its own: `pharmacy`.
    """
    query = (
        TicketAttachment.select()
        .where(TicketAttachment.ticket == ticket)
        .where(TicketAttachment.removed_at.is_null())
    )
    if audience is not Audience.STAFF:
        query = query.where(TicketAttachment.audience == audience)
    if audience is Audience.DISPENSER:
        query = query.where(TicketAttachment.pharmacy == pharmacy)
    return list(query.order_by(TicketAttachment.id))


def get(attachment_id: int, *, by: User) -> TicketAttachment:
    """Give a paper without its bytes; NotFoundError as for `open_one`."""
    found: TicketAttachment | None = TicketAttachment.get_or_none(
        (TicketAttachment.id == attachment_id) & TicketAttachment.removed_at.is_null()
    )
    if found is None or not _may_open(found.ticket, found.audience, found.pharmacy, by):
        raise NotFoundError("There is no such paper.")
    return found


def open_one(
    attachment_id: int, *, by: User, at: datetime
) -> tuple[TicketAttachment, bytes]:
    """Give a paper and its bytes to whom it is for; on the audit record first.

    NotFoundError for one that is not theirs to open, or was removed.
    """
    found = get(attachment_id, by=by)
    _record(audit.Event.TICKET_ATTACHMENT_OPENED, found, by=by, at=at)
    try:
        return found, documents.read(found.document)
    except DocumentLostError as lost:
        raise NotFoundError("This paper is no longer kept.") from lost


def remove(attachment_id: int, *, by: User, at: datetime) -> TicketAttachment:
    """Destroy a paper that does not belong here; that it was there stays on record.

    Staff only: a reporter cannot take evidence back.
    """
    if not can(by.role, Permission.TICKET_WORK):
        raise NotFoundError("There is no such paper.")
    found = get(attachment_id, by=by)
    with database.atomic():
        changed = (
            TicketAttachment.update(removed_at=at, removed_by=by.username)
            .where(TicketAttachment.id == found.id)
            .where(TicketAttachment.removed_at.is_null())
            .execute()
        )
        if not changed:
            raise ConflictError("Somebody else has removed it already.")
        documents.purge(found.document, at=at)
        _record(audit.Event.TICKET_ATTACHMENT_REMOVED, found, by=by, at=at)
    return found


def filename(attachment: TicketAttachment) -> str:
    """Give the name of a download: the ticket's number, and nothing about anybody."""
    ending = ENDINGS[attachment.document.media_type]
    return f"{attachment.ticket.number}-{attachment.id}.{ending}"


def _media_type(body: bytes) -> str:
    largest = settings.current().ticket_attachment_megabytes
    if not body:
        raise RuleError("Choose a file.", field="file")
    if len(body) > largest * MEGABYTE:
        raise RuleError(f"The file is larger than {largest} MB.", field="file")
    for signature, media_type in SIGNATURES.items():
        if body.startswith(signature):
            return media_type
    raise RuleError("Choose a PDF, PNG, JPEG or TIFF file.", field="file")


def _may_open(
    ticket: Ticket, audience: Audience, pharmacy: Pharmacy | None, by: User
) -> bool:
    """Tell whether a paper for an audience is a user's to open: staff's all are."""
    if can(by.role, Permission.TICKET_WORK):
        return withheld.may_see(ticket.dispensation, by)
    if audience is Audience.REPORTER:
        return whose.is_reporter(ticket, by)
    if audience is Audience.DISPENSER:
        return pharmacy in dispenser_questions.asked_of(ticket, by)
    return False


def _pharmacy(
    ticket: Ticket, audience: Audience, named: Pharmacy | None, by: User
) -> Pharmacy | None:
    """Give for which pharmacy a paper is; RuleError where several could be meant."""
    if audience is not Audience.DISPENSER:
        return None
    if ticket.dispensation is not None:
        own: Pharmacy = ticket.dispensation.pharmacy
        return own
    if named is not None:
        return named
    if can(by.role, Permission.TICKET_WORK):
        rows = dispenser_questions.of_ticket(ticket)
        asked = list({each.pharmacy.id: each.pharmacy for each in rows}.values())
    else:
        asked = dispenser_questions.asked_of(ticket, by)
    if len(asked) != 1:
        raise RuleError("Say for which pharmacy it is.", field="pharmacy")
    return asked[0]


def _record(
    event: audit.Event, attachment: TicketAttachment, *, by: User, at: datetime
) -> None:
    detail = {
        "attachment": attachment.id,
        "audience": attachment.audience.value,
        "sha256": attachment.document.sha256,
    }
    writing.record(event, attachment.ticket, by=by, at=at, detail=detail)
