"""The evidence pack of a ticket: all there is about a disputed entry, for an office.

A PDF that is kept as it was given out, encrypted, under a code that stands on its
pages. Making one is a disclosure about the patient; each opening is on the record.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models import (
    Audience,
    AuditEvent,
    CorrectionNotice,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Dispensation,
    DocumentKind,
    EvidencePack,
    LookUpCorrection,
    Ticket,
    TicketAttachment,
    TicketMessage,
    User,
)
from pmp import audit, database, disclosures, documents, tickets, wording
from pmp.deliveries import contacts
from pmp.dispensations.row_codes import SIGNS, check_sign
from pmp.documents import DocumentLostError
from pmp.errors import NotFoundError, RuleError
from pmp.thresholds import case_recipients
from pmp.tickets import (
    attachments,
    outside_answers,
    telling,
    ticket_desk,
    writing,
)
from pmp.tickets.ticket_desk import Change, Element

WHAT = "Evidence pack of an inaccuracy ticket"
LENGTH = 9
NOTICES = {
    telling.Notice.OUTCOME: "the outcome of the ticket",
    telling.Notice.REOPENED: "that the ticket is open again",
}


@dataclass(frozen=True)
class Told:
    """Who was told of a change of the entry, and when."""

    who: str
    what: str
    at: datetime


@dataclass(frozen=True)
class Evidence:
    """What a pack says; `papers` are the attachments with their bytes."""

    ticket: Ticket
    reporter: str
    entry: Dispensation
    code: str
    recipient: str
    reason: str
    source: Sequence[Element]
    changes: Sequence[Change]
    thread: Sequence[TicketMessage]
    events: Sequence[AuditEvent]
    told: Sequence[Told]
    papers: Sequence[tuple[TicketAttachment, bytes]]
    made_by: User
    made_at: datetime

    @property
    def patient(self) -> str:
        """The person as the pharmacy reported them."""
        person = self.entry.identity
        return wording.person_name(
            person.last_name, person.first_name, person.middle_name
        )


def gather(
    ticket: Ticket, *, recipient: str, reason: str, by: User, at: datetime
) -> Evidence:
    """Collect what there is, for a recipient and a reason; on the audit record first.

    RuleError where one of both is not said.
    """
    if not recipient.strip():
        raise RuleError("Say who gets it.", field="recipient")
    if not reason.strip():
        raise RuleError("Say what it is needed for.", field="reason")
    entry = ticket.dispensation
    if entry is None:
        raise RuleError("A pack is about an entry: open a ticket about its row.")
    detail = {"what": "evidence pack"}
    writing.record(audit.Event.TICKET_VIEWED, ticket, by=by, at=at, detail=detail)
    return Evidence(
        ticket=ticket,
        reporter=telling.reporter_name(ticket),
        entry=entry,
        code=_new_code(),
        recipient=recipient.strip(),
        reason=reason.strip(),
        source=ticket_desk.source(entry, by=by, at=at),
        changes=ticket_desk.changes(entry),
        thread=tickets.thread(ticket, audience=Audience.STAFF),
        events=_events(ticket),
        told=_told(ticket),
        papers=_papers(ticket),
        made_by=by,
        made_at=at,
    )


def keep(evidence: Evidence, *, body: bytes, pages: int) -> EvidencePack:
    """Keep a pack that was drawn, and account for it as a disclosure."""
    ticket, by, at = evidence.ticket, evidence.made_by, evidence.made_at
    with database.atomic():
        document = documents.keep(
            kind=DocumentKind.EVIDENCE_PACK,
            media_type="application/pdf",
            body=body,
            at=at,
        )
        pack: EvidencePack = EvidencePack.create(
            ticket=ticket,
            document=document,
            code=evidence.code,
            recipient=evidence.recipient,
            reason=evidence.reason,
            pages=pages,
            made_by=by.username,
            made_at=at,
        )
        # The patient before the audit record, as everyone takes them: no deadlock.
        disclosures.record(
            patient=evidence.entry.patient,
            recipient=evidence.recipient,
            what=f"{WHAT} {ticket.number}, {pack.code}",
            purpose=evidence.reason,
            at=at,
            actor=by.username,
        )
        detail = {"code": pack.code, "sha256": document.sha256}
        event = audit.Event.TICKET_EVIDENCE_MADE
        writing.record(event, ticket, by=by, at=at, detail=detail)
    return pack


def packs_of(ticket: Ticket) -> list[EvidencePack]:
    """Give the packs of a ticket, the newest first."""
    query = EvidencePack.select().where(EvidencePack.ticket == ticket)
    return list(query.order_by(EvidencePack.id.desc()))


def open_pack(
    ticket: Ticket, code: str, *, by: User, at: datetime
) -> tuple[EvidencePack, bytes]:
    """Give a pack as it was made; on the audit record first. NotFoundError."""
    pack: EvidencePack | None = EvidencePack.get_or_none(ticket=ticket, code=code)
    if pack is None:
        raise NotFoundError("This ticket has no such evidence pack.")
    event, detail = audit.Event.TICKET_EVIDENCE_OPENED, {"code": code}
    writing.record(event, ticket, by=by, at=at, detail=detail)
    try:
        return pack, documents.read(pack.document)
    except DocumentLostError as lost:
        raise NotFoundError("This evidence pack is no longer kept.") from lost


def _papers(ticket: Ticket) -> list[tuple[TicketAttachment, bytes]]:
    found = []
    for each in attachments.of(ticket):
        try:
            found.append((each, documents.read(each.document)))
        except DocumentLostError:
            continue  # it is on the list of events
    return found


def _told(ticket: Ticket) -> list[Told]:
    """Give who was told: the reporter of each outcome, the others of each change."""
    return [*_reporter_told(ticket), *_recipients_told(ticket), *_readers_told(ticket)]


def _reporter_told(ticket: Ticket) -> list[Told]:
    who, outside = telling.reporter_name(ticket), outside_answers.of(ticket)
    outcomes = (
        Delivery.select()
        .where(Delivery.kind == DeliveryKind.TICKET_NOTICE)
        .where(Delivery.subject_id == ticket.id)
        .where(Delivery.parent.is_null())
        .where(Delivery.state != DeliveryState.CANCELLED)
        .order_by(Delivery.id)
    )
    found = [
        Told(who, wording.words(notice), each.created_at)
        for each in outcomes
        if (notice := NOTICES.get(telling.notice_of(each)))
    ]
    if outside is None:
        return found
    answers = (
        Delivery.select()
        .where(Delivery.kind == DeliveryKind.OUTSIDE_ANSWER)
        .where(Delivery.subject_id == outside.id)
        .where(Delivery.parent.is_null())
        .where(Delivery.state != DeliveryState.CANCELLED)
        .order_by(Delivery.id)
    )
    what = wording.words(NOTICES[telling.Notice.OUTCOME])
    found += [
        Told(who, f"{what}, by {wording.words(each.channel).lower()}", each.created_at)
        for each in answers
    ]
    if outside.answered_at is not None:
        found.append(Told(who, f"{what}, by telephone", outside.answered_at))
    return found


def _readers_told(ticket: Ticket) -> list[Told]:
    rows = (
        LookUpCorrection.select(LookUpCorrection, User)
        .join(User)
        .where(LookUpCorrection.dispensation == ticket.dispensation)
        .order_by(LookUpCorrection.id)
    )
    return [
        Told(each.user.name, wording.words(each.outcome), each.made_at) for each in rows
    ]


def _recipients_told(ticket: Ticket) -> list[Told]:
    notices = (
        CorrectionNotice.select()
        .where(CorrectionNotice.dispensation == ticket.dispensation)
        .order_by(CorrectionNotice.id)
    )
    return [
        Told(
            contacts.name_of(case_recipients.who(each.recipient)),
            wording.words(each.outcome),
            each.made_at,
        )
        for each in notices
    ]


def _events(ticket: Ticket) -> list[AuditEvent]:
    query = AuditEvent.select().where(AuditEvent.subject == f"ticket:{ticket.number}")
    return list(query.order_by(AuditEvent.id))


def _new_code() -> str:
    signs = "".join(secrets.choice(SIGNS) for _ in range(LENGTH))
    return f"E-{signs[:5]}-{signs[5:]}{check_sign(signs)}"
