"""Who a case's report goes to: every prescriber and every pharmacy on its entries.

User or not. Each has a random reply code, which stands on the reply page of the report
and says nothing about the patient.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from peewee import fn

from models import (
    CareNote,
    CaseEntry,
    CaseRecipient,
    CaseStatus,
    ChannelName,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Dispensation,
    Pharmacy,
    Prescriber,
    ThresholdCase,
    ThresholdRule,
    User,
)
from pmp import bulk, database, deliveries
from pmp.deliveries import certificates, contacts
from pmp.errors import NotFoundError
from pmp.prepared import Given, prepared
from pmp.reaching import checks
from pmp.thresholds import concerned, reply_codes
from pmp.thresholds.concerned import NOBODY, People

PAGE_SIZE = 50
# On its way, or there.
LEFT_THE_HOUSE = frozenset(
    {
        DeliveryState.SENDING,
        DeliveryState.SUBMITTED,
        DeliveryState.IN_DOUBT,
        DeliveryState.SENT,
        DeliveryState.DELIVERED,
        DeliveryState.PRINTED,
        DeliveryState.MAILED,
    }
)


def has_left(delivery: Delivery) -> bool:
    """Tell whether a message left; a letter that waits to be printed has not."""
    unprinted = (
        delivery.channel == ChannelName.LETTER
        and delivery.state == DeliveryState.SUBMITTED
    )
    return delivery.state in LEFT_THE_HOUSE and not unprinted


def who(recipient: CaseRecipient) -> Prescriber | Pharmacy:
    """Give the prescriber or the pharmacy that a recipient is."""
    found: Any = recipient.prescriber or recipient.pharmacy  # a CHECK: one of them
    someone: Prescriber | Pharmacy = found
    return someone


# --- Found


def of_case(case: ThresholdCase) -> list[CaseRecipient]:
    """Give a case's recipients, prescribers first."""
    return list(
        CaseRecipient.select()
        .where(CaseRecipient.case == case)
        .order_by(CaseRecipient.pharmacy.is_null().desc(), CaseRecipient.id)
    )


def of_user(user: User, *, patient_id: int | None = None) -> list[CaseRecipient]:
    """Give what a user was sent, the newest case first; of one patient, or of all."""
    if patient_id is not None and not _about(patient=patient_id):
        return []  # of nearly everybody there is no case
    query: Any = (
        CaseRecipient.select(CaseRecipient, ThresholdCase)
        .join(ThresholdCase)
        .where(_mine(user))
        .order_by(ThresholdCase.detected_at.desc(), CaseRecipient.id.desc())
    )
    if patient_id is not None:
        query = query.where(ThresholdCase.patient == patient_id)
    return list(query)


def listed(
    by: User, *, show: str = "", page: int = 1
) -> tuple[list[CaseRecipient], int]:
    """Give a page of what a user was sent, the newest first, and how many there are.

    `show`: "open" for those that wait for an answer, "withdrawn"; else all.
    """
    query: Any = (
        CaseRecipient.select(CaseRecipient, ThresholdCase, ThresholdRule)
        .join(ThresholdCase)
        .join(ThresholdRule)
        .where(_mine(by))
        .order_by(ThresholdCase.detected_at.desc(), CaseRecipient.id.desc())
    )
    withdrawn = ThresholdCase.status == CaseStatus.WITHDRAWN
    if show == "withdrawn":
        query = query.where(withdrawn)
    elif show == "open":
        query = query.where(~withdrawn, CaseRecipient.answer.is_null())
    return list(query.paginate(page, PAGE_SIZE)), query.count()


@prepared
def _about() -> Any:
    of_patient = ThresholdCase.patient == Given("patient")
    return ThresholdCase.select(ThresholdCase.id).where(of_patient).limit(1).tuples()


def received(recipient_id: int, *, by: User) -> CaseRecipient:
    """Give a report that a user was sent; NotFoundError for anybody else's."""
    recipient: CaseRecipient | None = (
        CaseRecipient.select()
        .where(CaseRecipient.id == recipient_id)
        .where(_mine(by))
        .first()
    )
    if recipient is None:
        raise NotFoundError("There is no such report among those sent to you.")
    return recipient


def received_entry(dispensation: Dispensation, *, by: User) -> CaseRecipient | None:
    """Give the report in which a user was shown an entry, the newest if several."""
    found: CaseRecipient | None = (
        CaseRecipient.select()
        .join(CaseEntry, on=(CaseEntry.case == CaseRecipient.case))
        .where(CaseEntry.dispensation == dispensation)
        .where(_mine(by))
        .order_by(CaseRecipient.id.desc())
        .first()
    )
    return found


def get(recipient_id: int) -> CaseRecipient:
    """Give a recipient; NotFoundError."""
    found: CaseRecipient | None = CaseRecipient.get_or_none(id=recipient_id)
    if found is None:
        raise NotFoundError("There is no such recipient.")
    return found


def by_reply_code(code: str) -> CaseRecipient:
    """Give the recipient whose reply page carries a code, however it was typed.

    NotFoundError, at the field, if no report has it.
    """
    found: CaseRecipient | None = CaseRecipient.get_or_none(
        reply_code=reply_codes.read_code(code)
    )
    if found is None:
        raise NotFoundError("No report has this reply code.", "code")
    return found


def deliveries_of(recipient: CaseRecipient) -> list[Delivery]:
    """Give what was sent, or is to be, to a recipient: each channel tried, in order."""
    return list(
        Delivery.select()
        .where(Delivery.kind == DeliveryKind.THRESHOLD_REPORT)
        .where(Delivery.subject_id == recipient.id)
        .order_by(Delivery.id)
    )


def counted(case: ThresholdCase) -> tuple[list[int], list[int]]:
    """Give the ids of the counted prescribers and pharmacies, in order of fills."""
    return concerned.counted(case)


def newcomers(case: ThresholdCase, *, told: People = NOBODY) -> People:
    """Give whom a case concerns who is no recipient yet and was not told otherwise."""
    known = concerned.people_of(of_case(case))
    return concerned.besides(concerned.of_case(case), known, told)


def sent_to(case: ThresholdCase) -> list[CaseRecipient]:
    """Give the recipients whom the report left for, or who opened it in the portal."""
    recipients = of_case(case)
    query = (
        Delivery.select()
        .where(Delivery.kind == DeliveryKind.THRESHOLD_REPORT)
        .where(Delivery.subject_id.in_([recipient.id for recipient in recipients]))
    )
    gone_out = {each.subject_id for each in query if has_left(each)}
    return [each for each in recipients if each.opened_at or each.id in gone_out]


# --- Changed by pmp.thresholds.threshold_cases


def take_reports(cases: Any) -> None:
    """Keep reports of cases from being sent or changed until this transaction ends.

    `cases` are ids or a query of them.  Before patients, cases and the audit record are
    taken, since whoever sends a report takes it first and then writes these down.
    """
    if database.is_sqlite():  # its transactions are IMMEDIATE
        return
    found: Any = CaseRecipient.select(CaseRecipient.id).where(
        CaseRecipient.case.in_(cases)
    )
    # Known by number first: so the engine looks these up rather than reads them all.
    recipients = [number for (number,) in found.tuples()]
    if not recipients:
        return
    notes = CareNote.select(CareNote.id).where(
        bulk.among(CareNote.addressee, recipients)
    )
    query = Delivery.select(Delivery.id).where(
        (
            (Delivery.kind == DeliveryKind.THRESHOLD_REPORT)
            & bulk.among(Delivery.subject_id, recipients)
        )
        | ((Delivery.kind == DeliveryKind.CARE_NOTE) & Delivery.subject_id.in_(notes))
    )
    list(query.order_by(Delivery.id).for_update().tuples())


def add(case: ThresholdCase, *, told: People = NOBODY, at: datetime) -> int:
    """Request a report for each newcomer who was not told otherwise; how many."""
    prescribers, pharmacies = newcomers(case, told=told)
    everyone: list[Prescriber | Pharmacy] = [
        *_found(Prescriber, prescribers),
        *_found(Pharmacy, pharmacies),
    ]
    for someone in everyone:
        _request(case, someone, at=at)
    return len(everyone)


def refresh_unsent(case: ThresholdCase, *, at: datetime) -> None:
    """Have what has not left be drawn anew; stop it for who is no longer counted."""
    sent = {recipient.id for recipient in sent_to(case)}
    still = [set(ids) for ids in concerned.of_case(case)]
    for recipient in of_case(case):
        if recipient.id not in sent:
            recipient.document = None
            recipient.save(only=[CaseRecipient.document])
        of_kind = still[0] if recipient.prescriber else still[1]
        if who(recipient).id not in of_kind:
            stop(recipient, reason="No longer on a counted entry.", at=at)


def stop(
    recipient: CaseRecipient, *, reason: str, at: datetime, by: User | None = None
) -> None:
    """Cancel a recipient's report, and notes to them, where they have not left."""
    deliveries.withdraw_for(
        kind=DeliveryKind.THRESHOLD_REPORT,
        subject_id=recipient.id,
        reason=reason,
        by=by,
        at=at,
    )
    notes = CareNote.select(CareNote.id).where(CareNote.addressee == recipient)
    _stop_notes(notes, reason=reason, by=by, at=at)


def stop_notes(
    recipient: CaseRecipient, *, reason: str, at: datetime, by: User
) -> None:
    """Cancel the notes from and to a recipient that have not left."""
    notes = CareNote.select(CareNote.id).where(
        (CareNote.addressee == recipient) | (CareNote.sender == recipient)
    )
    _stop_notes(notes, reason=reason, by=by, at=at)


# --- Only here


def _stop_notes(
    notes: Iterable[CareNote], *, reason: str, at: datetime, by: User | None
) -> None:
    for note in notes:
        deliveries.withdraw_for(
            kind=DeliveryKind.CARE_NOTE,
            subject_id=note.id,
            reason=reason,
            by=by,
            at=at,
        )


def _mine(user: User) -> object:
    """Give the condition that a report is a user's, and was not stopped before it left.

    A case that was withdrawn in time may rest on two people taken for one; who is on
    no counted entry any more was named by mistake.
    """
    condition = CaseRecipient.user == user
    if user.prescriber:
        condition |= CaseRecipient.prescriber == user.prescriber
    if user.pharmacy:
        condition |= CaseRecipient.pharmacy == user.pharmacy
    case: Any = ThresholdCase.alias()
    ended = case.select(case.id).where(
        case.id == CaseRecipient.case,
        case.status.in_((CaseStatus.WITHDRAWN, CaseStatus.CLOSED)),
    )
    left = Delivery.select(Delivery.subject_id).where(
        Delivery.kind == DeliveryKind.THRESHOLD_REPORT,
        Delivery.subject_id == CaseRecipient.id,
        Delivery.state.in_(sorted(LEFT_THE_HOUSE)),
        (Delivery.channel != ChannelName.LETTER)
        | (Delivery.state != DeliveryState.SUBMITTED),
    )
    counted_too = (
        CaseEntry.select(CaseEntry.id)
        .join(Dispensation)
        .where(
            CaseEntry.case == CaseRecipient.case,
            (Dispensation.prescriber == CaseRecipient.prescriber)
            | (Dispensation.pharmacy == CaseRecipient.pharmacy),
        )
    )
    seen = CaseRecipient.opened_at.is_null(is_null=False) | fn.EXISTS(left)
    stands = ~fn.EXISTS(ended) & fn.EXISTS(counted_too)
    return condition & (seen | stands)


def _found(
    table: type[Prescriber | Pharmacy], ids: Sequence[int]
) -> list[Prescriber | Pharmacy]:
    found = {row.id: row for row in table.select().where(table.id.in_(ids))}
    return [found[each] for each in ids]


def _request(
    case: ThresholdCase, someone: Prescriber | Pharmacy, *, at: datetime
) -> None:
    is_prescriber = isinstance(someone, Prescriber)
    ways = contacts.ways_to(someone)
    recipient = CaseRecipient.create(
        case=case,
        prescriber=someone if is_prescriber else None,
        pharmacy=None if is_prescriber else someone,
        user=ways.user,
        reply_code=reply_codes.new_code(),
    )
    deliveries.request(
        kind=DeliveryKind.THRESHOLD_REPORT,
        subject_id=recipient.id,
        routes=certificates.also(ways.routes, someone, at=at),
        dedupe_key=f"threshold:{case.id}:{recipient.id}",
        at=at,
    )
    checks.ask_if_untested(someone, ways=ways, at=at)


def _note_sent(delivery: Delivery, _at: datetime) -> None:
    """Move a case to sent when its first report has left."""
    if not has_left(delivery):
        return
    case = CaseRecipient.select(CaseRecipient.case).where(
        CaseRecipient.id == delivery.subject_id
    )
    (
        ThresholdCase.update(status=CaseStatus.SENT)
        .where(ThresholdCase.id.in_(case))
        .where(ThresholdCase.status == CaseStatus.QUEUED)
        .execute()
    )


deliveries.on_change(DeliveryKind.THRESHOLD_REPORT, _note_sent)
