"""A coordinated-care note: what one recipient of a report writes to another.

It goes by the addressee's own channel: by fax or letter the note itself, by email only
that it waits in the portal. It is kept on the case; both see it beside their report.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import (
    CareNote,
    CaseRecipient,
    CaseStatus,
    Delivery,
    DeliveryKind,
    Patient,
    RecipientAnswer,
    ReportedIdentity,
    ThresholdCase,
    User,
)
from pmp import audit, clock, database, deliveries, disclosures, settings
from pmp.deliveries import contacts
from pmp.errors import NotFoundError, RuleError
from pmp.reaching import checks
from pmp.thresholds import case_recipients, threshold_cases
from pmp.wording import person_name

LONGEST = 1000
PURPOSE = "Treatment: coordination of care between those on a threshold report"
ENDED = (CaseStatus.WITHDRAWN, CaseStatus.CLOSED)


@dataclass(frozen=True)
class Note:
    """A note as its two readers see it; `deliveries` are its ways to the addressee."""

    note: CareNote
    sender: str
    addressee: str
    is_mine: bool
    deliveries: Sequence[Delivery]


@dataclass(frozen=True)
class Sheet:
    """What the paper of a note says: who writes to whom, about whom."""

    reply_code: str
    patient: str
    birth_date: Any
    sender: str
    sender_phone: str
    sender_fax: str
    text: str
    sent_at: datetime
    to_name: str
    to_lines: Sequence[str]
    to_fax: str


def send(recipient_id: int, to: int, *, text: str, by: User, at: datetime) -> CareNote:
    """Send a note from a report that `by` was sent to another of its recipients.

    The same words to the same addressee again are the same note. NotFoundError for
    somebody else's report; RuleError if the case has ended, or `by` has sent as many
    today as anybody may.
    """
    sender = case_recipients.received(recipient_id, by=by)
    addressee = _addressee(sender, to)
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise RuleError(f"Write a note of at most {LONGEST:,} characters", "text")
    with database.atomic():
        # The case first, as whoever answers and is counted does.
        ended = threshold_cases.take(sender.case).status in ENDED
        _take(by)
        if ended:
            raise RuleError("This report has ended; no note is sent about it any more.")
        known = _same(sender, addressee, text)
        if known is not None:
            return known
        _require_room(by, at=at)
        note: CareNote = CareNote.create(
            sender=sender, addressee=addressee, text=text, sent_by=by, sent_at=at
        )
        detail = {"note": note.id, "sender": sender.id, "addressee": addressee.id}
        _record(audit.Event.CARE_NOTE_SENT, note, detail, by=by, at=at)
        who = case_recipients.who(addressee)
        deliveries.request(
            kind=DeliveryKind.CARE_NOTE,
            subject_id=note.id,
            routes=contacts.routes_for(who),
            dedupe_key=f"care_note:{note.id}",
            at=at,
            priority=4,
        )
        checks.ask_if_untested(who, at=at)
    return note


def addressee(recipient_id: int, to: int, *, by: User) -> CaseRecipient:
    """Give whom a note would go to; NotFoundError if not on the same report."""
    return _addressee(case_recipients.received(recipient_id, by=by), to)


def addressees(recipient: CaseRecipient) -> dict[str, int]:
    """Give whom a recipient may write to: "prescriber 17" or "pharmacy 4" → recipient.

    Nobody once the case has ended, or where it took two people for one; nor by or to
    who says: not my patient. Those who are on no counted entry any more are left out:
    the patient is none of theirs.
    """
    if recipient.case.status in ENDED or not _is_theirs(recipient):
        return {}
    on_it = _counted_keys(recipient.case)
    return {
        key: each.id
        for each in case_recipients.of_case(recipient.case)
        if (key := _key(each)) in on_it
        and each != recipient
        and not _says_not_mine(each)
    }


def open_for(
    recipient: CaseRecipient, *, by: User, at: datetime, address: str = ""
) -> list[Note]:
    """Give the notes from and to a recipient, the newest first.

    One that the addressee sees for the first time is on record before it is shown; it
    is kept from who says: not my patient, and from who is on no entry any more.
    """
    notes = _of(CareNote.select().where(_concerns(recipient)))
    if not _is_theirs(recipient):
        notes = [each for each in notes if each.sender == recipient or each.opened_at]
    for note in notes:
        if note.addressee == recipient and note.opened_at is None:
            _opened(note, by=by, at=at, address=address)
    return _shown(notes, recipient)


def of_case(case: ThresholdCase) -> list[Note]:
    """Give every note on a case, the newest first."""
    on_it = CaseRecipient.select(CaseRecipient.id).where(CaseRecipient.case == case)
    return _shown(_of(CareNote.select().where(CareNote.sender.in_(on_it))), None)


def get(note_id: int) -> CareNote:
    """Give a note; NotFoundError."""
    note: CareNote | None = CareNote.get_or_none(id=note_id)
    if note is None:
        raise NotFoundError("There is no such note.")
    return note


def sheet(note: CareNote) -> Sheet:
    """Give what the paper of a note says."""
    writer = case_recipients.who(note.sender)
    reader = case_recipients.who(note.addressee)
    licence = contacts.licence_of(reader)
    lines = contacts.address_lines(licence) if licence else []
    patient = _patient(note.sender.case)
    return Sheet(
        reply_code=note.addressee.reply_code,
        patient=person_name(patient.last_name, patient.first_name, patient.middle_name),
        birth_date=patient.birth_date,
        sender=contacts.name_of(writer),
        sender_phone=contacts.phone_of(writer),
        sender_fax=contacts.fax_of(writer),
        text=note.text,
        sent_at=note.sent_at,
        to_name=contacts.name_of(reader),
        to_lines=lines or [contacts.name_of(reader)],
        to_fax=contacts.fax_of(reader),
    )


def may_go(note: CareNote) -> bool:
    """Tell whether a note may still be sent: its case stands, the patient is theirs."""
    return note.addressee.id in addressees(note.sender).values()


def sending(note: CareNote, *, address: str, at: datetime) -> None:
    """Write down that a note goes to a fax number or a postal address."""
    disclosures.record_once(
        patient=note.sender.case.patient,
        recipient=contacts.name_of(case_recipients.who(note.addressee)),
        address=address.replace("\n", ", "),
        what=_what(note),
        purpose=PURPOSE,
        at=at,
    )


def about(note_id: int) -> tuple[Patient, str]:
    """Give whom a note is about, and what it is called."""
    note = get(note_id)
    return note.sender.case.patient, _what(note)


# --- Only here


def _addressee(sender: CaseRecipient, to: int) -> CaseRecipient:
    if sender.case.status in ENDED:
        raise RuleError("This report has ended; no note is sent about it any more.")
    if to not in addressees(sender).values():
        raise NotFoundError("A note cannot go to them about this report.")
    found: CaseRecipient = CaseRecipient.get_by_id(to)
    return found


def _take(user: User) -> None:
    """Keep two notes of one user from being counted at once."""
    if not database.is_sqlite():
        query: Any = User.select(User.id).where(User.id == user.id)
        list(query.for_update("FOR NO KEY UPDATE").tuples())


def _require_room(by: User, *, at: datetime) -> None:
    most = settings.current().care_notes_per_day
    today = CareNote.select().where(
        (CareNote.sent_by == by)
        & (CareNote.sent_at >= clock.start_of(clock.day_of(at)))
    )
    if today.count() >= most:
        raise RuleError(
            f"You have sent {most} notes today, as many as anybody may. Call them:"
            " their numbers are on the call sheet.",
            "text",
        )


def _same(sender: CaseRecipient, to: CaseRecipient, text: str) -> CareNote | None:
    found: CareNote | None = CareNote.get_or_none(
        sender=sender, addressee=to, text=text
    )
    return found


def _concerns(recipient: CaseRecipient) -> Any:
    return (CareNote.sender == recipient) | (CareNote.addressee == recipient)


def _of(query: Any) -> list[CareNote]:
    return list(query.order_by(CareNote.sent_at.desc(), CareNote.id.desc()))


def _shown(notes: Sequence[CareNote], recipient: CaseRecipient | None) -> list[Note]:
    sent: dict[int, list[Delivery]] = {}
    query = Delivery.select().where(
        (Delivery.kind == DeliveryKind.CARE_NOTE)
        & Delivery.subject_id.in_([note.id for note in notes])
    )
    for delivery in query.order_by(Delivery.id):
        sent.setdefault(delivery.subject_id, []).append(delivery)
    return [
        Note(
            note,
            contacts.name_of(case_recipients.who(note.sender)),
            contacts.name_of(case_recipients.who(note.addressee)),
            recipient is not None and note.sender.id == recipient.id,
            sent.get(note.id, []),
        )
        for note in notes
    ]


def _opened(note: CareNote, *, by: User, at: datetime, address: str) -> None:
    with database.atomic():
        disclosures.hold(note.sender.case.patient)
        note.opened_at = at
        note.save(only=[CareNote.opened_at])
        detail = {"note": note.id, "addressee": note.addressee.id}
        _record(audit.Event.CARE_NOTE_OPENED, note, detail, by=by, at=at)
        disclosures.record(
            patient=note.sender.case.patient,
            recipient=f"{by.name} ({by.username})",
            address=f"Portal, {address}" if address else "Portal",
            what=_what(note),
            purpose=PURPOSE,
            at=at,
            actor=by.username,
        )


def _what(note: CareNote) -> str:
    return f"Care note {note.id} on report {note.addressee.reply_code}"


def _says_not_mine(recipient: CaseRecipient) -> bool:
    answer: RecipientAnswer | None = recipient.answer
    return answer == RecipientAnswer.NOT_MY_PATIENT


def _is_theirs(recipient: CaseRecipient) -> bool:
    """Tell whether the case is about one patient, and that one is the recipient's."""
    if _says_not_mine(recipient):
        return False
    if threshold_cases.are_two_peoples(threshold_cases.entries(recipient.case)):
        return False
    return _key(recipient) in _counted_keys(recipient.case)


def _key(recipient: CaseRecipient) -> str:
    kind = "prescriber" if recipient.prescriber else "pharmacy"
    return f"{kind} {case_recipients.who(recipient).id}"


def _counted_keys(case: ThresholdCase) -> set[str]:
    prescribers, pharmacies = case_recipients.counted(case)
    keys = {f"prescriber {each}" for each in prescribers}
    return keys | {f"pharmacy {each}" for each in pharmacies}


def _patient(case: ThresholdCase) -> ReportedIdentity:
    """Give the patient as the newest counted entry reports them."""
    identity: ReportedIdentity = threshold_cases.entries(case)[0].identity
    return identity


def _record(
    event: audit.Event,
    note: CareNote,
    detail: dict[str, Any],
    *,
    by: User,
    at: datetime,
) -> None:
    subject = f"case:{note.sender.case.id}"
    audit.record(event, actor=by.username, subject=subject, at=at, detail=detail)
