"""Telling everyone who was sent a wrong entry that it has changed.

A Patient Threshold Report cannot be called back from a fax machine, so each recipient
of one that showed the entry is told: which report, which row, what became of it, and
whether the report still holds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import (
    CaseEntry,
    CaseRecipient,
    CaseStatus,
    CorrectionNotice,
    DeliveryKind,
    Dispensation,
    DispensationStatus,
    DispensationVersion,
    DocumentKind,
    Patient,
    Pharmacy,
    Prescriber,
    ReportedIdentity,
    ThresholdCase,
    TicketOutcome,
)
from pmp import audit, database, deliveries, disclosures, documents, wording
from pmp.deliveries import certificates, contacts
from pmp.errors import NotFoundError
from pmp.reaching import checks
from pmp.thresholds import case_recipients

PURPOSE = "Correction of what was disclosed"
OUTCOMES = {
    TicketOutcome.VOIDED: "It was wrong and has been removed.",
    TicketOutcome.IDENTITY_FIXED: "It belongs to another person and has been removed.",
    TicketOutcome.CORRECTED: "It was wrong and has been corrected.",
    # Of a case that ends though no entry is wrong: others came, or it is counted anew.
    TicketOutcome.UPHELD: "It stands as it was sent, but the report does not.",
}
RETURNED = "It had been taken for another person's; it is this patient's after all."
RESTORED = "It had been removed by mistake and stands again."
# Columns of a dispensation that a reader knows, and their words.
FIELDS = {
    "filled_on": "Filled",
    "written_on": "Written",
    "sold_on": "Sold",
    "drug_name": "Drug",
    "quantity": "Quantity",
    "days_supply": "Days supply",
    "prescriber": "Prescriber",
    "pharmacy": "Pharmacy",
    "fill_number": "Refill number",
    "refills_authorized": "Refills authorized",
    "prescription_number": "Prescription number",
    "payment": "Payment code",
    "partial": "Partial fill",
}


@dataclass(frozen=True)
class Field:
    """A column that changed, in words."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Correction:
    """What a notice says: which report, which row, what changed, does it still hold."""

    reply_code: str
    sent_at: datetime | None
    patient: str
    row_code: str
    outcome: str
    fields: Sequence[Field]
    withdrawn: bool
    to_lines: Sequence[str]
    to_fax: str
    made_at: datetime


def tell(
    case: ThresholdCase,
    changes: Mapping[int, TicketOutcome],
    *,
    withdrawn: bool,
    at: datetime,
) -> list[CorrectionNotice]:
    """Tell who was sent the case's report of changed entries; once for each version.

    `changes`: dispensation id → what became of it.
    """
    if not changes:
        return []
    entries = Dispensation.select().where(Dispensation.id.in_(list(changes)))
    told = case_recipients.sent_to(case)
    with database.atomic():
        return [
            _notice(recipient, entry, changes[entry.id], withdrawn=withdrawn, at=at)
            for entry in entries
            for recipient in told
        ]


def tell_restored(entry: Dispensation, *, at: datetime) -> list[CorrectionNotice]:
    """Tell whom a standing case's report told that an entry was removed: it is back.

    Where the removal ended a case, a new case's report tells them.
    """
    told = (
        CaseRecipient.select(CaseRecipient)
        .join(ThresholdCase)
        .where(ThresholdCase.status != CaseStatus.WITHDRAWN)
        .where(
            CaseRecipient.id.in_(
                CorrectionNotice.select(CorrectionNotice.recipient).where(
                    (CorrectionNotice.dispensation == entry)
                    & (CorrectionNotice.outcome == TicketOutcome.VOIDED)
                )
            )
        )
        .order_by(CaseRecipient.id)
    )
    outcome = TicketOutcome.CORRECTED
    with database.atomic():
        return [_notice(each, entry, outcome, withdrawn=False, at=at) for each in told]


def tell_returned(patient_ids: Iterable[int], *, at: datetime) -> None:
    """Tell whom a case's report told that an entry is another person's: it is not.

    After `evaluate`, when what staff decided about these patients was undone.
    """
    counted: Any = (
        CaseEntry.select(CaseEntry.case, CaseEntry.dispensation)
        .join(ThresholdCase)
        .where(ThresholdCase.patient.in_(sorted(patient_ids)))
        .where(ThresholdCase.status != CaseStatus.WITHDRAWN)
        .tuples()
    )
    here = set(counted)
    moved = (
        CorrectionNotice.select(CorrectionNotice, CaseRecipient, Dispensation)
        .join(CaseRecipient)
        .switch(CorrectionNotice)
        .join(Dispensation)
        .where(CaseRecipient.case.in_({case for case, _ in here}))
        .where(CorrectionNotice.outcome == TicketOutcome.IDENTITY_FIXED)
        .where(CorrectionNotice.version == Dispensation.version)
    )
    outcome = TicketOutcome.CORRECTED
    for each in moved:
        entry = each.dispensation
        if (each.recipient.__data__["case"], entry.id) in here:
            _notice(each.recipient, entry, outcome, withdrawn=False, at=at)


def outcome_words(notice: CorrectionNotice) -> str:
    """Say what became of the entry; that of a removed one that stands again."""
    if notice.outcome == TicketOutcome.UPHELD:
        return OUTCOMES[notice.outcome]
    if notice.turn and notice.outcome == TicketOutcome.CORRECTED:
        return RETURNED
    before: DispensationVersion | None = DispensationVersion.get_or_none(
        dispensation=notice.dispensation, version=notice.version - 1
    )
    if before and before.content.get("status") == DispensationStatus.VOIDED:
        return RESTORED
    return OUTCOMES[notice.outcome]


def about(recipient: CaseRecipient) -> list[CorrectionNotice]:
    """Give the notices that a recipient was sent about one report, newest first."""
    return list(
        CorrectionNotice.select()
        .where(CorrectionNotice.recipient == recipient)
        .order_by(CorrectionNotice.made_at.desc(), CorrectionNotice.id.desc())
    )


def get(notice_id: int) -> CorrectionNotice:
    """Give a notice; NotFoundError."""
    notice: CorrectionNotice | None = CorrectionNotice.get_or_none(id=notice_id)
    if notice is None:
        raise NotFoundError("There is no such notice.")
    return notice


def correction(notice: CorrectionNotice) -> Correction:
    """Give what a notice says; the changes are those that made it."""
    recipient, entry = notice.recipient, notice.dispensation
    someone = case_recipients.who(recipient)
    licence = contacts.licence_of(someone)
    lines = contacts.address_lines(licence) if licence else []
    sent = recipient.document
    changed = notice.outcome == TicketOutcome.CORRECTED and not notice.turn
    return Correction(
        reply_code=recipient.reply_code,
        sent_at=sent.created_at if sent else None,
        patient=_patient(recipient.case),
        row_code=entry.row_code,
        outcome=outcome_words(notice),
        fields=changed_fields(entry, notice.version) if changed else [],
        withdrawn=notice.case_withdrawn,
        to_lines=lines or [contacts.name_of(someone)],
        to_fax=contacts.fax_of(someone),
        made_at=notice.made_at,
    )


def copy(
    notice: CorrectionNotice, *, draw: Callable[[Correction], bytes], at: datetime
) -> bytes:
    """Give the notice as it was, or is to be, sent: drawn once, then kept."""
    kept = notice.document
    if kept is None:
        body = draw(correction(notice))
        with database.atomic():
            kept = documents.keep(
                kind=DocumentKind.CORRECTION_NOTICE,
                media_type="application/pdf",
                body=body,
                at=at,
            )
            notice.document = kept
            notice.save(only=[CorrectionNotice.document])
    return documents.read(kept)


def sending(notice: CorrectionNotice, *, address: str, at: datetime) -> None:
    """Write down that a notice goes to a fax number or a postal address."""
    disclosures.record_once(
        patient=notice.recipient.case.patient,
        recipient=contacts.name_of(case_recipients.who(notice.recipient)),
        address=address.replace("\n", ", "),
        what=f"Correction {notice.id} of report {notice.recipient.reply_code}",
        purpose=PURPOSE,
        at=at,
    )


def whom_and_what(notice_id: int) -> tuple[Patient, str]:
    """Give whom a notice is about, and what it is called."""
    recipient = CorrectionNotice.get_by_id(notice_id).recipient
    what = f"Correction {notice_id} of report {recipient.reply_code}"
    return recipient.case.patient, what


def changed_fields(entry: Dispensation, version: int) -> list[Field]:
    """Give what differs between a version of an entry and the one before it.

    What a fill was for may take it out of a case, and is no recipient's business.
    """
    before = _content(entry, version - 1)
    after = _content(entry, version)
    found = [
        Field(words, _shown(name, before[name]), _shown(name, after[name]))
        for name, words in FIELDS.items()
        if str(before.get(name)) != str(after.get(name))
    ]
    if before.get("care") != after.get("care"):
        found.append(Field("Treatment or diagnosis", "not shown", "changed"))
    return found


def _content(entry: Dispensation, version: int) -> dict[str, Any]:
    """Give what a version said: kept, or the present row if it is the newest."""
    kept: DispensationVersion | None = DispensationVersion.get_or_none(
        dispensation=entry, version=version
    )
    if kept is not None:
        content: dict[str, Any] = kept.content
        return content
    row: Any = Dispensation.select().where(Dispensation.id == entry.id).dicts().get()
    return {name: row[name] for name in (*FIELDS, "care")}


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "prescriber":
        return contacts.name_of(Prescriber.get_by_id(value))
    if name == "pharmacy":
        return contacts.name_of(Pharmacy.get_by_id(value))
    if name.endswith("_on"):
        return wording.us_date(datetime.fromisoformat(str(value)).date())
    return wording.amount(value) if name == "quantity" else str(value)


def _patient(case: ThresholdCase) -> str:
    identity: ReportedIdentity | None = (
        ReportedIdentity.select()
        .join(Dispensation)
        .join(CaseEntry)
        .where(CaseEntry.case == case)
        .order_by(Dispensation.filled_on.desc(), Dispensation.id.desc())
        .first()
    )
    if identity is None:
        return ""
    return wording.person_name(
        identity.last_name, identity.first_name, identity.middle_name
    )


def _notice(
    recipient: CaseRecipient,
    entry: Dispensation,
    outcome: TicketOutcome,
    *,
    withdrawn: bool,
    at: datetime,
) -> CorrectionNotice:
    last: CorrectionNotice | None = (
        CorrectionNotice.select()
        .where(CorrectionNotice.recipient == recipient)
        .where(CorrectionNotice.dispensation == entry)
        .where(CorrectionNotice.version == entry.version)
        .order_by(CorrectionNotice.turn.desc())
        .first()
    )
    if last and last.outcome == outcome:
        return last
    notice: CorrectionNotice = CorrectionNotice.create(
        recipient=recipient,
        dispensation=entry,
        version=entry.version,
        turn=last.turn + 1 if last else 0,
        outcome=outcome,
        case_withdrawn=withdrawn,
        made_at=at,
    )
    _send(notice, at=at)
    return notice


def _send(notice: CorrectionNotice, *, at: datetime) -> None:
    who = case_recipients.who(notice.recipient)
    deliveries.request(
        kind=DeliveryKind.CORRECTION_NOTICE,
        subject_id=notice.id,
        routes=certificates.also(contacts.routes_for(who), who, at=at),
        dedupe_key=f"correction:{notice.id}",
        at=at,
        priority=3,
    )
    checks.ask_if_untested(who, at=at)
    audit.record(
        audit.Event.CORRECTION_NOTIFIED,
        actor="system",
        subject=f"case:{notice.recipient.case.id}",
        at=at,
        detail={
            "recipient": notice.recipient.id,
            "entry": notice.dispensation.row_code,
            "outcome": notice.outcome.value,
            "withdrawn": notice.case_withdrawn,
        },
    )
