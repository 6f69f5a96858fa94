"""Reply pages of Patient Threshold Reports that come back by fax.

The code on the page attaches the fax to its recipient; what is marked on it, a person
reads and ticks, or puts it aside with a reason. One fax may hold several reply pages.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from models import (
    CaseRecipient,
    FaxedReply,
    FaxedReplyStatus,
    FaxStatus,
    InboundFax,
    ReplyChannel,
    SetAsideReason,
    User,
)
from pmp import audit, database, documents, downloads, paging, sorting
from pmp.downloads import Listing
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.paging import Page
from pmp.thresholds import answers, case_recipients
from pmp.thresholds.answers import Reply
from pmp.thresholds.reply_codes import read_code

OLDEST = "came"
SORTS: dict[str, Any] = {
    "reply": CaseRecipient.reply_code,
    "case": CaseRecipient.case,
    "came": FaxedReply.received_at,
}
FILE = Listing("faxed_replies", "reply pages")
REASONS = {
    SetAsideReason.UNSIGNED: "It is not signed",
    SetAsideReason.UNREADABLE: "It cannot be read",
    SetAsideReason.WRONG_PERSON: "Somebody else has answered",
    SetAsideReason.REPEATED: "The same page has come before",
    SetAsideReason.OTHER: "For another reason",
}


# --- Filed by code


def codes_in(texts: Iterable[str]) -> list[str]:
    """Give the reply codes among texts read from a fax, in their written form."""
    return sorted({code for text in texts if (code := read_code(text))})


def unknown(codes: Iterable[str]) -> list[str]:
    """Give the reply codes that no report has."""
    wanted = list(codes)
    query = CaseRecipient.select().where(CaseRecipient.reply_code.in_(wanted))
    return sorted(set(wanted) - {recipient.reply_code for recipient in query})


def attach(
    fax: InboundFax,
    pages: Mapping[str, int],
    *,
    at: datetime,
    by: str = "system",
) -> list[FaxedReply]:
    """Queue a fax for each report whose code it shows; codes of none are passed over.

    `pages`: reply code → page on which it stands, 0 if not known. In the transaction
    that files the fax.
    """
    query = (
        CaseRecipient.select()
        .where(CaseRecipient.reply_code.in_(list(pages)))
        .order_by(CaseRecipient.id)
    )
    found = []
    for recipient in query:
        faxed: FaxedReply = FaxedReply.create(
            fax=fax,
            recipient=recipient,
            page=pages[recipient.reply_code],
            received_at=fax.received_at,
        )
        detail = {"fax": fax.id, "recipient": recipient.id}
        _record(audit.Event.FAXED_REPLY_FOUND, faxed, detail, by=by, at=at)
        found.append(faxed)
    return found


# --- Ticked by a person


def keep(faxed_id: int, reply: Reply, *, by: User, at: datetime) -> FaxedReply:
    """File what is marked on a reply page; ConflictError if another has done so."""
    with database.atomic():
        faxed = _deal_with(faxed_id, FaxedReplyStatus.KEPT, by=by, at=at)
        faxed.reply = answers.write_down(
            faxed.recipient,
            answers.added_to(faxed.recipient, reply),
            channel=ReplyChannel.FAX,
            by=by,
            at=at,
        )
        faxed.save(only=[FaxedReply.reply])
        detail = {"how": "kept", "reply": faxed.reply.id}
        _record(audit.Event.FAXED_REPLY_HANDLED, faxed, detail, by=by.username, at=at)
    return faxed


def set_aside(
    faxed_id: int, *, reason: SetAsideReason, note: str, by: User, at: datetime
) -> FaxedReply:
    """Put a reply page aside: nothing of it counts as an answer."""
    if reason == SetAsideReason.OTHER and not note.strip():
        raise RuleError("Say why it is put aside", "note")
    with database.atomic():
        faxed = _deal_with(faxed_id, FaxedReplyStatus.SET_ASIDE, by=by, at=at)
        faxed.reason, faxed.note = reason, note.strip()
        faxed.save(only=[FaxedReply.reason, FaxedReply.note])
        detail = {"how": "set_aside", "reason": reason.value}
        _record(audit.Event.FAXED_REPLY_HANDLED, faxed, detail, by=by.username, at=at)
    return faxed


# --- Found


def waiting() -> list[FaxedReply]:
    """Give the reply pages that wait to be ticked, the oldest first."""
    return list(_in_order(OLDEST))


def listed(sort: str = OLDEST, *, page: int = 1) -> Page:
    """Give a page of those that wait, in an order of SORTS; a minus turns it round."""
    return paging.page_of(_in_order(sort), number=page)


def file_of(sort: str, *, by: User, at: datetime) -> list[FaxedReply]:
    """Give all that wait for a file; kept on record. RuleError if they are too many."""
    return downloads.rows_of(_in_order(sort), FILE, by=by, at=at)


def next_after(faxed: FaxedReply) -> FaxedReply | None:
    """Give the reply page to tick after this one: the next, else the oldest."""
    queue = [each for each in waiting() if each.id != faxed.id]
    place = (faxed.received_at, faxed.id)
    later = [each for each in queue if (each.received_at, each.id) > place]
    return next(iter(later or queue), None)


def get(faxed_id: int) -> FaxedReply:
    """Give a reply page; NotFoundError."""
    faxed: FaxedReply | None = FaxedReply.get_or_none(id=faxed_id)
    if faxed is None:
        raise NotFoundError("There is no such reply page.")
    return faxed


def of_fax(fax: InboundFax) -> list[FaxedReply]:
    """Give the reply pages of a fax."""
    query = FaxedReply.select().where(FaxedReply.fax == fax)
    return list(query.order_by(FaxedReply.id))


def of_recipients(recipients: Iterable[CaseRecipient]) -> dict[int, list[FaxedReply]]:
    """Give the reply pages of each recipient that has any, the newest first."""
    ids = [recipient.id for recipient in recipients]
    query = (
        FaxedReply.select(FaxedReply, InboundFax)
        .join(InboundFax)
        .where(FaxedReply.recipient.in_(ids))
        .order_by(FaxedReply.received_at.desc(), FaxedReply.id.desc())
    )
    found: dict[int, list[FaxedReply]] = {}
    for faxed in query:
        found.setdefault(faxed.__data__["recipient"], []).append(faxed)
    return found


def page_of(faxed: FaxedReply) -> int:
    """Give the page of the file that is the reply; 0 if nobody knows which one."""
    alone = faxed.fax.pages == 1 and faxed.fax.part_of is None
    return 1 if alone else int(faxed.page)


def viewed_by_recipient(
    faxed_id: int, recipient_id: int, *, by: User, at: datetime
) -> tuple[bytes, str, int]:
    """Give a recipient the page that they sent: bytes, media type, page; on record.

    Their page alone: a clinic's fax may hold a colleague's as well.
    """
    recipient = case_recipients.received(recipient_id, by=by)
    faxed, refused = get(faxed_id), NotFoundError("There is no such page.")
    fax, page = faxed.fax, page_of(faxed)
    if faxed.recipient != recipient or not page or fax.document is None:
        raise refused
    audit.record(
        audit.Event.FAX_VIEWED,
        actor=by.username,
        subject=f"fax:{fax.id}",
        at=at,
        detail={"page": page, "recipient": recipient.id},
    )
    return documents.read(fax.document), fax.document.media_type, page


# --- Only here


def _deal_with(
    faxed_id: int, to: FaxedReplyStatus, *, by: User, at: datetime
) -> FaxedReply:
    """Take a waiting reply page; its fax is filed when none of its pages waits."""
    fax = _take_fax(get(faxed_id).fax)
    moved = (
        FaxedReply.update(status=to, handled_by=by.username, handled_at=at)
        .where(FaxedReply.id == faxed_id)
        .where(FaxedReply.status == FaxedReplyStatus.WAITING)
        .execute()
    )
    faxed = get(faxed_id)
    if not moved:
        raise ConflictError(f"{faxed.handled_by} was faster with this reply page.")
    rest = FaxedReply.select().where(
        (FaxedReply.fax == fax) & (FaxedReply.status == FaxedReplyStatus.WAITING)
    )
    # One that is a registration's too, or still in the tray, has its own way.
    if fax.status == FaxStatus.MATCHED and not fax.application and not rest.exists():
        fax.status = FaxStatus.FILED
        fax.handled_by, fax.handled_at = by.username, at
        fax.save(only=[InboundFax.status, InboundFax.handled_by, InboundFax.handled_at])
    return faxed


def _take_fax(fax: InboundFax) -> InboundFax:
    """Keep a fax from the fax desk, which takes it before the audit record as well."""
    query = InboundFax.select().where(InboundFax.id == fax.id)
    if not database.is_sqlite():
        query = query.for_update()
    found: InboundFax = query.get()
    return found


def _record(
    event: audit.Event,
    faxed: FaxedReply,
    detail: Mapping[str, object],
    *,
    by: str,
    at: datetime,
) -> None:
    subject = f"case:{faxed.recipient.case.id}"
    audit.record(event, actor=by, subject=subject, at=at, detail=dict(detail))


def _in_order(sort: str) -> Any:
    query = (
        FaxedReply.select(FaxedReply, CaseRecipient)
        .join(CaseRecipient)
        .where(FaxedReply.status == FaxedReplyStatus.WAITING)
    )
    order = sorting.known(sort, SORTS, otherwise=OLDEST)
    return sorting.in_order(query, order, SORTS, then=FaxedReply.id)
