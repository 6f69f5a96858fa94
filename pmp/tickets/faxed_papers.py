"""Papers of a ticket that come by fax: found by the code on the question's last page.

TKT-0000B-7K3QX: the ticket's own number, four signs that only this program can make,
and a check sign. It says nothing of the patient; made up, it finds no ticket.
"""

import hashlib
import hmac
from datetime import datetime

from models import (
    Audience,
    DocumentKind,
    InboundFax,
    Ticket,
    TicketAttachment,
)
from pmp import audit, database, documents, settings
from pmp.dispensations.row_codes import LIKE, SIGNS, check_sign
from pmp.errors import RuleError
from pmp.tickets import attachments, telling

PREFIX = "TKT"
HALF = 5
WHAT = "As faxed to us"


def code_of(ticket: Ticket) -> str:
    """Give the code that stands on what goes out about a ticket, TKT-0000B-7K3QX."""
    return _code(ticket.id)


def read_code(text: str) -> str | None:
    """Bring a ticket's code to its written form; None if it is none that we made."""
    plain = "".join(sign for sign in text.upper() if sign.isalnum())
    if not plain.startswith(PREFIX):
        return None
    signs = plain.removeprefix(PREFIX).translate(LIKE)
    if len(signs) != 2 * HALF or set(signs) - set(SIGNS):
        return None
    written = f"{PREFIX}-{signs[:HALF]}-{signs[HALF:]}"
    made = _code(_number(signs[:HALF]))
    return written if hmac.compare_digest(written, made) else None


def by_code(code: str) -> Ticket | None:
    """Give the ticket that a code stands for; None if there is none."""
    written = read_code(code)
    if written is None:
        return None
    number = _number(written.split("-")[1])
    found: Ticket | None = Ticket.get_or_none(Ticket.id == number)
    return found


def refusal(code: str) -> str:
    """Say why a paper cannot go into the ticket of a code; empty if it can."""
    ticket = by_code(code)
    if ticket is None:
        return f"There is no ticket of the code {code}."
    if ticket.resolved_at is not None:
        return f"Ticket {ticket.number} is closed."
    if len(attachments.of(ticket)) >= attachments.MOST:
        return f"Ticket {ticket.number} holds {attachments.MOST} papers already."
    return ""


def attach(
    fax: InboundFax, ticket: Ticket, *, paper: bytes, at: datetime, by: str = "system"
) -> TicketAttachment:
    """Put what came by fax into an open ticket, for staff alone until they say else.

    `paper` is the file of the fax's own pages. RuleError if the ticket is closed or
    holds as many papers as it may. In the transaction that files the fax.
    """
    if why := refusal(code_of(ticket)):
        raise RuleError(why, field="code")
    media_type = fax.document.media_type if fax.document else "application/pdf"
    with database.atomic():
        document = documents.keep(
            kind=DocumentKind.TICKET_ATTACHMENT,
            media_type=media_type,
            body=paper,
            at=at,
        )
        attachment: TicketAttachment = TicketAttachment.create(
            ticket=ticket,
            document=document,
            what=f"{WHAT}, fax {fax.id}",
            audience=Audience.STAFF,
            added_by=by,
            added_at=at,
            fax=fax,
        )
        audit.record(
            audit.Event.TICKET_ATTACHMENT_ADDED,
            actor=by,
            subject=f"ticket:{ticket.number}",
            at=at,
            detail={
                "attachment": attachment.id,
                "audience": Audience.STAFF.value,
                "fax": fax.id,
                "sha256": document.sha256,
            },
        )
        telling.tell_written(ticket, at=at)
    return attachment


def of_fax(fax: InboundFax) -> list[Ticket]:
    """Give the tickets that a fax is with."""
    query = TicketAttachment.select().where(TicketAttachment.fax == fax)
    return [attachment.ticket for attachment in query.order_by(TicketAttachment.id)]


def _code(number: int) -> str:
    signs = ""
    left = number
    for _ in range(HALF):
        left, sign = divmod(left, 32)
        signs = SIGNS[sign] + signs
    # The document key stays as long as the papers do.
    key = settings.current().document_key.get_secret_value().encode()
    mark = hmac.new(key, f"ticket paper {number}".encode(), hashlib.sha256).digest()
    signs += "".join(SIGNS[byte % 32] for byte in mark[: HALF - 1])
    signs += check_sign(signs)
    return f"{PREFIX}-{signs[:HALF]}-{signs[HALF:]}"


def _number(signs: str) -> int:
    number = 0
    for sign in signs:
        number = number * 32 + SIGNS.index(sign)
    return number
