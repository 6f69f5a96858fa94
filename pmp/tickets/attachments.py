"""Papers that belong to a ticket: a prescription as faxed, a label, a letter.

Kept encrypted like all files, told by their content and not by their name, which is not
kept: people name files after patients. Each opening is on the audit record.
"""

from datetime import datetime

from models import Audience, DocumentKind, Ticket, TicketAttachment, User
from pmp import audit, database, documents, settings
from pmp.documents import DocumentLostError
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.permissions import Permission, can
from pmp.tickets import dispenser_questions, writing

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


def add(
    ticket: Ticket,
    *,
    body: bytes,
    what: str,
    audience: Audience,
    by: User,
    at: datetime,
) -> TicketAttachment:
    """Put a paper into an open ticket; `what` says what it is, naming no patient.

    Staff put it there for anybody, the reporter and the pharmacy for themselves.
    RuleError, at `file` or `what`, for a file of another kind, an empty or too large
    one, without words, and for the twenty-first.
    """
    if audience not in _audiences(ticket, by):
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
            added_by=by.username,
            added_at=at,
        )
        _record(audit.Event.TICKET_ATTACHMENT_ADDED, attachment, by=by, at=at)
    return attachment


def of(
    ticket: Ticket, *, audience: Audience = Audience.STAFF
) -> list[TicketAttachment]:
    """Give the papers that an audience may open, the oldest first; staff open all."""
    query = (
        TicketAttachment.select()
        .where(TicketAttachment.ticket == ticket)
        .where(TicketAttachment.removed_at.is_null())
    )
    if audience is not Audience.STAFF:
        query = query.where(TicketAttachment.audience == audience)
    return list(query.order_by(TicketAttachment.id))


def get(attachment_id: int, *, by: User) -> TicketAttachment:
    """Give a paper without its bytes; NotFoundError as for `open_one`."""
    found: TicketAttachment | None = TicketAttachment.get_or_none(
        (TicketAttachment.id == attachment_id) & TicketAttachment.removed_at.is_null()
    )
    if found is None or not _may_open(found, by):
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


def _may_open(attachment: TicketAttachment, by: User) -> bool:
    return attachment.audience in _audiences(attachment.ticket, by)


def _audiences(ticket: Ticket, by: User) -> set[Audience]:
    """Give the audiences of a ticket that a user belongs to: staff to all of them."""
    if can(by.role, Permission.TICKET_WORK):
        return set(Audience)
    found = set()
    if ticket.opened_by.id == by.id:
        found.add(Audience.REPORTER)
    if dispenser_questions.was_asked(ticket, by):
        found.add(Audience.DISPENSER)
    return found


def _record(
    event: audit.Event, attachment: TicketAttachment, *, by: User, at: datetime
) -> None:
    detail = {
        "attachment": attachment.id,
        "audience": attachment.audience.value,
        "sha256": attachment.document.sha256,
    }
    writing.record(event, attachment.ticket, by=by, at=at, detail=detail)
