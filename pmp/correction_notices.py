"""Telling everyone who was sent a wrong entry that it has changed.

A Patient Threshold Report cannot be called back from a fax machine, so each recipient
of one that showed the entry is told: which report, which row, what became of it, and
whether the report still holds.
"""

from collections.abc import Mapping
from datetime import datetime

from models import (
    CaseRecipient,
    CorrectionNotice,
    DeliveryKind,
    Dispensation,
    ThresholdCase,
    TicketOutcome,
)
from pmp import audit, case_recipients, contacts, database, deliveries
from pmp.errors import NotFoundError


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


def _notice(
    recipient: CaseRecipient,
    entry: Dispensation,
    outcome: TicketOutcome,
    *,
    withdrawn: bool,
    at: datetime,
) -> CorrectionNotice:
    same = {"recipient": recipient, "dispensation": entry, "version": entry.version}
    known: CorrectionNotice | None = CorrectionNotice.get_or_none(**same)
    if known:
        return known
    notice: CorrectionNotice = CorrectionNotice.create(
        **same, outcome=outcome, case_withdrawn=withdrawn, made_at=at
    )
    _send(notice, at=at)
    return notice


def _send(notice: CorrectionNotice, *, at: datetime) -> None:
    deliveries.request(
        kind=DeliveryKind.CORRECTION_NOTICE,
        subject_id=notice.id,
        routes=contacts.routes_for(case_recipients.who(notice.recipient)),
        dedupe_key=f"correction:{notice.id}",
        at=at,
        priority=3,
    )
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
