"""Faxes that come in: kept, read, attached by their codes, or left to staff.

A code on a page only attaches the picture to a registration, or to the threshold report
that it answers; a person looks at the signature. The pages are kept encrypted, and each
look at them is on the audit record.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from peewee import Case, IntegrityError

from models import (
    Application,
    Document,
    DocumentKind,
    FaxedReply,
    FaxStatus,
    InboundFax,
    User,
)
from pmp import audit, database, documents, registration
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.faxes import fax_codes
from pmp.identifiers import e164
from pmp.reaching import fax_numbers
from pmp.registration import approval
from pmp.registration.approval import ReturnReason
from pmp.reporting import fax_answers
from pmp.thresholds import faxed_replies, reply_codes
from pmp.wording import words

_SAME = "The same pages as fax {}."
TRAY = (FaxStatus.UNMATCHED, FaxStatus.UNREADABLE)


def receive(
    *,
    body: bytes,
    media_type: str,
    from_number: str,
    source: str,
    source_reference: str,
    at: datetime,
) -> InboundFax:
    """Keep a fax, encrypted; the same `source_reference` again gives the same fax.

    The same bytes under another reference are a fax of their own, dismissed as a
    duplicate: carriers and file hooks repeat themselves.
    """
    known = _by_reference(source_reference)
    if known:
        return known
    original = _same_pages(hashlib.sha256(body).hexdigest())
    try:
        with database.atomic():
            fax = InboundFax.create(
                received_at=at,
                source=source,
                source_reference=source_reference,
                from_number=e164(from_number) or from_number[:40],
                document=original.document
                if original
                else documents.keep(
                    kind=DocumentKind.INBOUND_FAX,
                    media_type=media_type,
                    body=body,
                    at=at,
                ),
                pages=original.pages if original else 0,
                status=FaxStatus.DISMISSED if original else FaxStatus.RECEIVED,
                note=_SAME.format(original.id) if original else "",
                application=original.application if original else None,
            )
            _record(audit.Event.FAX_RECEIVED, fax, "system", at, {"source": source})
    except IntegrityError:
        known = _by_reference(source_reference)
        if known is None:
            raise
        return known
    return fax


def file_by_codes(
    fax: InboundFax,
    *,
    codes: Sequence[str],
    pages: int,
    at: datetime,
    found_on: Mapping[str, int] | None = None,
) -> None:
    """Attach a fax by the codes read from its pages, or say why that cannot be.

    `codes` is all that was read, also what is no code of ours; `pages` 0 means that
    nothing could be opened; `found_on` says on which page a text was read. A fax that
    is no longer just received is left alone.
    """
    read = fax_codes.read(codes, pages)
    original = _same_pages(fax.document.sha256, before=fax.id) if fax.document else None
    if original:
        read = replace(
            read,
            status=FaxStatus.DISMISSED,
            note=_SAME.format(original.id),
            application=original.application,
        )
    with database.atomic():
        moved = (
            InboundFax.update(
                status=read.status,
                codes=read.codes,
                pages=pages,
                note=read.note,
                application=read.application,
            )
            .where(InboundFax.id == fax.id)
            .where(InboundFax.status == FaxStatus.RECEIVED)
            .execute()
        )
        if not moved:
            return
        detail = {"status": read.status.value, "codes": read.codes, "pages": pages}
        _record(audit.Event.FAX_READ, fax, "system", at, detail)
        if not original:
            _follow(fax, read, found_on or {}, at=at)


def _follow(
    fax: InboundFax,
    read: fax_codes.Reading,
    found_on: Mapping[str, int],
    *,
    at: datetime,
) -> None:
    """Do what follows from the codes on a fax, in the transaction that files it."""
    if read.notices:
        recorded = fax_answers.record_all(read.notices, fax=fax.id, at=at)
        _note(fax, f"{read.note if read.reports else ''} {recorded}".strip())
    if read.application and read.status == FaxStatus.MATCHED:
        registration.confirmation_received(read.application, by="system", at=at)
    if read.test_pages:
        told = fax_numbers.faxed_back(read.test_pages, fax=fax, at=at)
        _note(fax, f"{read.note} {told}".strip())
    places = {reply_codes.read_code(text): page for text, page in found_on.items()}
    answered = {code: places.get(code, 0) for code in read.reports}
    faxed_replies.attach(fax, answered, at=at)


def attach_to_report(
    fax: InboundFax, *, code: str, by: User, at: datetime
) -> FaxedReply:
    """Attach a fax from the tray to the report whose reply code staff can read on it.

    Raises RuleError if no report has the code, ConflictError if another has dealt
    with the fax.
    """
    reply_code = reply_codes.read_code(code)
    if reply_code is None or faxed_replies.unknown([reply_code]):
        raise RuleError("No report has this reply code.", field="code")
    if reply_code in {each.recipient.reply_code for each in faxed_replies.of_fax(fax)}:
        raise RuleError("The fax is with this report already.", field="code")
    with database.atomic():
        _deal_with(fax, FaxStatus.MATCHED, by=by, at=at)
        detail = {"reply_code": reply_code}
        _record(audit.Event.FAX_ATTACHED, fax, by.username, at, detail)
        [faxed] = faxed_replies.attach(fax, {reply_code: 0}, by=by.username, at=at)
    return faxed


def attach(fax: InboundFax, *, code: str, by: User, at: datetime) -> Application:
    """Attach a fax from the tray to a registration that staff name by its code.

    Raises RuleError if there is no such registration or it is closed, ConflictError
    if another has dealt with the fax.
    """
    application = _open_application(code)
    with database.atomic():
        _deal_with(fax, FaxStatus.MATCHED, by=by, at=at, application=application)
        detail = {"registration": application.code}
        _record(audit.Event.FAX_ATTACHED, fax, by.username, at, detail)
        registration.confirmation_received(application, by=by.username, at=at)
    return application


def return_(
    fax: InboundFax,
    *,
    code: str,
    reason: ReturnReason,
    note: str,
    by: User,
    at: datetime,
) -> Application:
    """Send a fax from the tray back to the applicant whose registration it is about.

    The applicant is told why, by the channel that they chose.
    """
    application = _open_application(code)
    with database.atomic():
        _deal_with(fax, FaxStatus.RETURNED, by=by, at=at, application=application)
        _handled(fax, by, at, reason.value)
        approval.return_(application, reason=reason, note=note, by=by, at=at)
    return application


def dismiss(fax: InboundFax, *, reason: str, by: User, at: datetime) -> None:
    """Put a fax from the tray aside: an advertisement, a wrong number."""
    if not reason.strip():
        raise RuleError("Say why it is put aside.", field="note")
    with database.atomic():
        _deal_with(fax, FaxStatus.DISMISSED, by=by, at=at, note=reason.strip())
        _handled(fax, by, at, "dismissed")


def file_answer(fax: InboundFax, *, by: User, at: datetime) -> None:
    """File a signed answer to a reporting notice: what it recorded stands."""
    with database.atomic():
        _deal_with(fax, FaxStatus.FILED, by=by, at=at)
        _handled(fax, by, at, "answer filed")


def refuse_answer(fax: InboundFax, *, by: User, at: datetime) -> None:
    """Put aside an answer without a signature, and take back what it recorded."""
    with database.atomic():
        note = "Not signed, or not an answer: the zero report was taken back."
        _deal_with(fax, FaxStatus.DISMISSED, by=by, at=at, note=note)
        _handled(fax, by, at, "answer refused")
        fax_answers.take_back(fax, by=by, at=at)


def viewed(fax: InboundFax, *, page: int, by: User, at: datetime) -> bytes:
    """Give a fax's bytes to a person who looks at a page, and put that on record."""
    if fax.document is None:
        raise RuleError("The pages of this fax were never kept.")
    _record(audit.Event.FAX_VIEWED, fax, by.username, at, {"page": page})
    return documents.read(fax.document)


def tray() -> list[InboundFax]:
    """Give the faxes that wait for staff to say what they are, oldest first."""
    query = (
        InboundFax.select()
        .where(InboundFax.status.in_(TRAY))
        .order_by(InboundFax.received_at, InboundFax.id)
    )
    return list(query)


def of(application: Application) -> list[InboundFax]:
    """Give the faxes of a registration, the newest first."""
    query = (
        InboundFax.select()
        .where(InboundFax.application == application)
        .order_by(InboundFax.id.desc())
    )
    return list(query)


def by_id(fax_id: int) -> InboundFax:
    """Give a fax; NotFoundError if there is none."""
    fax: InboundFax | None = InboundFax.get_or_none(InboundFax.id == fax_id)
    if fax is None:
        raise NotFoundError("There is no such fax.")
    return fax


def candidates(fax: InboundFax) -> list[Application]:
    """Give open registrations that a fax may be about: same number first, then newest.

    At most ten.
    """
    wanted = fax.from_number or "none"
    theirs = (Application.fax == wanted) | (Application.phone == wanted)
    query = (
        Application.select()
        .where(Application.status.in_(registration.OPEN))
        .order_by(Case(None, [(theirs, 0)], 1), Application.submitted_at.desc())
        .limit(10)
    )
    return list(query)


def _open_application(code: str) -> Application:
    application = registration.by_code(code)
    if application is None:
        raise RuleError("There is no registration with this code.", field="code")
    if application.status not in registration.OPEN:
        state = words(application.status).lower()
        raise RuleError(f"Registration {application.code} is {state}.", field="code")
    return application


def _deal_with(
    fax: InboundFax,
    to: FaxStatus,
    *,
    by: User,
    at: datetime,
    application: Application | None = None,
    note: str = "",
) -> None:
    changes = {"note": note} if note else {}
    moved = (
        InboundFax.update(
            status=to,
            handled_by=by.username,
            handled_at=at,
            application=application,
            **changes,
        )
        .where(InboundFax.id == fax.id)
        .where(InboundFax.status.in_(TRAY))
        .execute()
    )
    if not moved:
        now = InboundFax.get_by_id(fax.id)
        raise ConflictError(
            f"{now.handled_by or 'The program'} was faster: this fax is"
            f" {words(now.status).lower()}."
        )


def _by_reference(source_reference: str) -> InboundFax | None:
    fax: InboundFax | None = InboundFax.get_or_none(
        InboundFax.source_reference == source_reference
    )
    return fax


def _same_pages(sha256: str, *, before: int | None = None) -> InboundFax | None:
    """Find the first fax with the same bytes that nobody has put aside.

    Only one that came before the fax with the id `before`: two that are read at once
    must not put each other aside.
    """
    query = (
        InboundFax.select(InboundFax, Document)
        .join(Document)
        .where(Document.sha256 == sha256)
        .where(Document.kind == DocumentKind.INBOUND_FAX)
        .where(InboundFax.status != FaxStatus.DISMISSED)
        .order_by(InboundFax.id)
    )
    if before is not None:
        query = query.where(InboundFax.id < before)
    fax: InboundFax | None = query.first()
    return fax


def _note(fax: InboundFax, note: str) -> None:
    InboundFax.update(note=note).where(InboundFax.id == fax.id).execute()


def _handled(fax: InboundFax, by: User, at: datetime, how: str) -> None:
    _record(audit.Event.FAX_HANDLED, fax, by.username, at, {"how": how})


def _record(
    event: audit.Event,
    fax: InboundFax,
    actor: str,
    at: datetime,
    detail: Mapping[str, object],
) -> None:
    audit.record(
        event, actor=actor, subject=f"fax:{fax.id}", at=at, detail=dict(detail)
    )
