"""Faxes that come in: kept, read, attached by their codes, or left to staff.

A code on a page only attaches the picture to a registration, or to the threshold report
that it answers; a person looks at the signature. The pages are kept encrypted, and each
look at them is on the audit record.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime

from peewee import Case, IntegrityError

from models import (
    Application,
    ApplicationStatus,
    ContactCheck,
    DocumentKind,
    FaxedReply,
    FaxStatus,
    HowConfirmed,
    InboundFax,
    Ticket,
    User,
)
from pmp import audit, database, desk_holds, documents, registration, tickets
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.faxes import fax_sheets
from pmp.faxes.filing import SAME, file_by_codes, record, same_file
from pmp.identifiers import e164
from pmp.reaching import fax_numbers
from pmp.registration import approval
from pmp.registration.approval import ReturnReason
from pmp.reporting import fax_answers
from pmp.thresholds import faxed_replies, reply_codes
from pmp.tickets import faxed_papers
from pmp.wording import words

__all__ = ["file_by_codes", "record", "same_file"]

Cut = Callable[[bytes, str, list[int]], bytes]

TRAY = (FaxStatus.UNMATCHED, FaxStatus.UNREADABLE)


def receive(  # noqa: PLR0913 - a fax, and all that is known of it
    *,
    body: bytes,
    media_type: str,
    from_number: str,
    source: str,
    source_reference: str,
    at: datetime,
    station: str = "",
    unreadable: str = "",
) -> InboundFax:
    """Keep a fax, encrypted; the same `source_reference` again gives the same fax.

    The same bytes under another reference are a fax of their own, dismissed as a
    duplicate: carriers and file hooks repeat themselves. `station` is how the sending
    machine called itself; `unreadable` why a file is none that could be opened.
    """
    known, source_reference = _kept_under(source_reference)
    if known:
        return known
    original = same_file(hashlib.sha256(body).hexdigest())
    try:
        with database.atomic():
            fax = InboundFax.create(
                received_at=at,
                source=source,
                source_reference=source_reference,
                from_number=e164(from_number) or from_number[:40],
                station=station[:60],
                document=original.document
                if original
                else documents.keep(
                    kind=DocumentKind.INBOUND_FAX,
                    media_type=media_type,
                    body=body,
                    at=at,
                ),
                pages=original.pages if original else 0,
                status=_first_status(original, unreadable),
                note=SAME.format(original.id) if original else unreadable,
                application=original.application if original else None,
                same_as=original,
            )
            record(audit.Event.FAX_RECEIVED, fax, "system", at, {"source": source})
    except IntegrityError:
        known = _by_reference(source_reference)
        if known is None:
            raise
        return known
    return fax


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
        shown = fax_sheets.shown(fax)
        page = shown[0] if len(shown) == 1 else 0
        [faxed] = faxed_replies.attach(fax, {reply_code: page}, by=by.username, at=at)
        detail = {"reply_code": reply_code}
        record(audit.Event.FAX_ATTACHED, fax, by.username, at, detail)
    return faxed


def attach(fax: InboundFax, *, code: str, by: User, at: datetime) -> Application:
    """Attach a fax from the tray to a registration that staff name by its code.

    One that has expired counts again: the page has come after all. Raises RuleError if
    there is no such registration or it is decided, ConflictError if another has dealt
    with the fax.
    """
    application = _open_application(code, or_expired=True)
    with database.atomic():
        _deal_with(fax, FaxStatus.MATCHED, by=by, at=at, application=application)
        registration.confirmation_received(
            application, by=by.username, at=at, late=True
        )
        detail = {"registration": application.code}
        record(audit.Event.FAX_ATTACHED, fax, by.username, at, detail)
    return application


def attach_to_ticket(
    fax: InboundFax, *, code: str, cut: Cut, by: User, at: datetime
) -> Ticket:
    """Make a fax from the tray a paper of an open ticket, by its number or code.

    `cut` gives a file of some pages of another. RuleError if there is no such ticket or
    it takes no paper, ConflictError if another has dealt with the fax.
    """
    ticket = _ticket(code, by=by)
    paper = _pages_of(fax, cut)
    with database.atomic():
        _deal_with(fax, FaxStatus.FILED, by=by, at=at)
        faxed_papers.attach(fax, ticket, paper=paper, by=by.username, at=at)
        detail = {"ticket": ticket.number}
        record(audit.Event.FAX_ATTACHED, fax, by.username, at, detail)
    return ticket


def confirm_test_page(
    fax: InboundFax, *, code: str, by: User, at: datetime
) -> ContactCheck:
    """Take the test page on a fax that staff have looked at: its number is proven.

    RuleError if the fax does not show the code, or it is no longer good; ConflictError
    if another has dealt with the fax.
    """
    if code not in {each.code for each in fax_numbers.faxed_back(fax.codes)}:
        raise RuleError("This fax shows no test page with this code.", field="code")
    with database.atomic():
        _deal_with(fax, FaxStatus.FILED, by=by, at=at)
        how = HowConfirmed.FAXED_BACK
        check = fax_numbers.confirm_by_code(code, how=how, by=by.username, at=at)
        _handled(fax, by, at, f"test page {code} confirmed")
    return check


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
        approval.return_(application, reason=reason, note=note, by=by, at=at)
        _handled(fax, by, at, reason.value)
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
        fax_answers.take_back(fax, by=by, at=at)
        _handled(fax, by, at, "answer refused")


def viewed(fax: InboundFax, *, page: int, by: User, at: datetime) -> bytes:
    """Give a fax's bytes to a person who looks at a page, and put that on record."""
    if fax.document is None:
        raise RuleError("The pages of this fax were never kept.")
    if fax.document.purged_at:
        raise NotFoundError("The pages of this fax are no longer kept.")
    record(audit.Event.FAX_VIEWED, fax, by.username, at, {"page": page})
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


def _first_status(original: InboundFax | None, unreadable: str) -> FaxStatus:
    if original:
        return FaxStatus.DISMISSED
    return FaxStatus.UNREADABLE if unreadable else FaxStatus.RECEIVED


def _ticket(code: str, *, by: User) -> Ticket:
    found = faxed_papers.by_code(code)
    try:
        return tickets.of_desk(found.number if found else code.strip().upper(), by=by)
    except NotFoundError as unknown:
        raise RuleError("There is no ticket with this number.", "code") from unknown


def _pages_of(fax: InboundFax, cut: Cut) -> bytes:
    """Give a file of a fax's own pages: of one that came alone, the file itself."""
    if fax.document is None:
        raise RuleError("The pages of this fax were never kept.")
    body, own = documents.read(fax.document), fax_sheets.of(fax)
    if len(own) in (0, fax_sheets.in_file(fax)):
        return body
    return cut(body, fax.document.media_type, [sheet.number for sheet in own])


def _open_application(code: str, *, or_expired: bool = False) -> Application:
    application = registration.by_code(code)
    if application is None:
        raise RuleError("There is no registration with this code.", field="code")
    is_late = or_expired and application.status == ApplicationStatus.EXPIRED
    if application.status not in registration.OPEN and not is_late:
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
    desk_holds.end(fax, by=by, at=at)


def _kept_under(reference: str) -> tuple[InboundFax | None, str]:
    """Give the fax of a reference; where its pages are destroyed, a reference anew."""
    known = _by_reference(reference)
    while known and known.document and known.document.purged_at:
        reference += "+"  # these are the only pages that there are
        known = _by_reference(reference)
    return known, reference


def _by_reference(source_reference: str) -> InboundFax | None:
    fax: InboundFax | None = InboundFax.get_or_none(
        InboundFax.source_reference == source_reference
    )
    return fax


def _handled(fax: InboundFax, by: User, at: datetime, how: str) -> None:
    record(audit.Event.FAX_HANDLED, fax, by.username, at, {"how": how})
