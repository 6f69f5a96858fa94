"""A case: a patient who crossed a rule's numbers, and the entries that were counted.

Cases are made, re-counted and withdrawn by pmp.thresholds; who its report goes to is in
pmp.thresholds.case_recipients.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from models import (
    CaseEntry,
    CaseStatus,
    Dispensation,
    DispensationStatus,
    Patient,
    ThresholdCase,
    ThresholdRule,
    TicketOutcome,
    User,
)
from pmp import audit, bulk, database
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.thresholds import case_recipients, case_sending, correction_notices
from pmp.thresholds.case_sending import OUT
from pmp.thresholds.concerned import PAST
from pmp.thresholds.crossings import Crossing
from pmp.thresholds.reached import reached_words
from pmp.thresholds.threshold_rules import sentence

__all__ = ["OUT", "PAST", "reached_words"]

TOGETHER = "Its entries are counted in another case of the same patient."


# --- Made, re-counted, withdrawn (called by pmp.thresholds)


def open_case(
    rule: ThresholdRule, patient_id: int, crossing: Crossing, *, at: datetime
) -> ThresholdCase:
    """Make a case of a crossing and, unless its rule is silent, have it sent."""
    case: ThresholdCase = ThresholdCase.create(
        rule=rule, patient=patient_id, detected_at=at, **_counts(crossing)
    )
    _add_entries(case, {fill.id: fill.version for fill in crossing.fills})
    _record(audit.Event.CASE_DETECTED, case, at=at, detail=_summary(case))
    case_sending.send_or_keep(case, at=at)
    return case


def counted(cases: Iterable[ThresholdCase]) -> dict[int, dict[int, int]]:
    """Give the entries of cases, by case id: dispensation id → version counted."""
    rows: Any = (
        CaseEntry.select(CaseEntry.case, CaseEntry.dispensation, CaseEntry.version)
        .where(bulk.among(CaseEntry.case, [case.id for case in cases]))
        .tuples()
    )
    found: dict[int, dict[int, int]] = {}
    for case_id, dispensation_id, version in rows:
        found.setdefault(case_id, {})[dispensation_id] = version
    return found


def recount(
    case: ThresholdCase, crossing: Crossing, before: dict[int, int], *, at: datetime
) -> bool:
    """Bring a case to what its crossing is now; False if it is that already.

    `before` is what it counted: dispensation id → version.
    """
    fills = {fill.id: fill.version for fill in crossing.fills}
    counts = _counts(crossing)
    if before == fills and all(getattr(case, each) == counts[each] for each in counts):
        return False
    correction_notices.tell(case, _changes(case, before), withdrawn=False, at=at)
    for field, value in counts.items():
        setattr(case, field, value)
    case.save()
    CaseEntry.delete().where(CaseEntry.case == case).execute()
    _add_entries(case, fills)
    _record(audit.Event.CASE_RECOUNTED, case, at=at, detail=_summary(case))
    case_recipients.refresh_unsent(case, at=at)
    case_sending.reconsider(case, at=at)
    return True


def withdraw(case: ThresholdCase, *, reason: str, at: datetime) -> None:
    """End a case that no longer holds: stop what waits, tell those who were sent it."""
    before = counted([case]).get(case.id, {})
    changes = _changes(case, before)
    if before and not changes and reason != TOGETHER:
        # No entry is wrong, but whoever was sent the report must hear of its end.
        changes = {max(before): TicketOutcome.UPHELD}
    correction_notices.tell(case, changes, withdrawn=True, at=at)
    case.status = CaseStatus.WITHDRAWN
    case.closed_at, case.withdrawn_reason = at, reason
    case.save()
    for recipient in case_recipients.of_case(case):
        case_recipients.stop(recipient, reason=reason, at=at)
    detail: dict[str, object] = {"reason": reason}
    _record(audit.Event.CASE_WITHDRAWN, case, at=at, detail=detail)


def revive(
    case: ThresholdCase,
    status: CaseStatus,
    *,
    closed_at: datetime | None,
    at: datetime,
) -> None:
    """Let a case stand again that was ended for being counted in another."""
    case.status, case.closed_at, case.withdrawn_reason = status, closed_at, ""
    case.save()
    _record(audit.Event.CASE_RECOUNTED, case, at=at, detail=_summary(case))
    if case.status in OUT:
        case_sending.reconsider(case, at=at)


# --- What staff do


def release(case: ThresholdCase, *, by: User, at: datetime) -> ThresholdCase:
    """Send the report of a case that was held for review, or kept unsent.

    ConflictError where everybody was sent another version's case about the same days.
    """
    with database.atomic():
        case = take(case)
        if not case_sending.waits(case):
            raise ConflictError("This case is not waiting to be released.")
        case_sending.require_somebody(case)
        case_sending.queue(case, actor=by.username, at=at)
    return case


def close(case: ThresholdCase, *, reason: str, by: User, at: datetime) -> ThresholdCase:
    """End a case: nothing more is sent for it. A reason is required.

    One of which nothing had left was no report: it starts no cool-down.
    """
    if not reason.strip():
        raise RuleError("Say why the case is closed", "reason")
    with database.atomic():
        case = take(case)
        ended = case.status in {CaseStatus.CLOSED, CaseStatus.WITHDRAWN}
        if ended and not case_sending.is_unsent(case):
            raise ConflictError("This case has ended already.")
        for recipient in case_recipients.of_case(case):
            case_recipients.stop(recipient, reason=reason, at=at, by=by)
        if not case_recipients.sent_to(case):
            case.queued_at = None
        case.cool_down_ends = None
        case_sending.close(case, reason=reason, actor=by.username, at=at)
    return case


# --- Found


def take(case: ThresholdCase) -> ThresholdCase:
    """Give a case anew, kept from all others until this transaction ends."""
    query = ThresholdCase.select().where(ThresholdCase.id == case.id)
    if not database.is_sqlite():
        # Reports and the patient first, as whoever sends, counts again or moves does;
        # a disclosure of the patient meanwhile need not wait.
        case_recipients.take_reports([case.id])
        own: Any = Patient.select(Patient.id).where(Patient.id == case.patient)
        list(own.for_update("FOR NO KEY UPDATE").tuples())
        query = query.for_update()
    found: ThresholdCase = query.get()
    return found


def get(case_id: int) -> ThresholdCase:
    """Give a case; NotFoundError."""
    case: ThresholdCase | None = ThresholdCase.get_or_none(id=case_id)
    if case is None:
        raise NotFoundError("There is no such case.")
    return case


def open_for_staff(case_id: int, *, by: User, at: datetime) -> ThresholdCase:
    """Open a case to look at its patient's entries: on record first; NotFoundError."""
    case = get(case_id)
    _record(audit.Event.CASE_OPENED, case, at=at, actor=by.username, detail={})
    return case


def entries(case: ThresholdCase) -> list[Dispensation]:
    """Give the counted dispensations, newest first."""
    return list(
        Dispensation.select()
        .join(CaseEntry)
        .where(CaseEntry.case == case)
        .order_by(Dispensation.filled_on.desc(), Dispensation.id.desc())
    )


def are_two_peoples(rows: Iterable[Dispensation]) -> bool:
    """Tell whether counted entries belong to more than one patient by now."""
    return len({row.__data__["patient"] for row in rows}) > 1


# --- Only here


def _changes(case: ThresholdCase, before: dict[int, int]) -> dict[int, TicketOutcome]:
    """Tell what became of each entry that is no longer as it was counted."""
    entries: Any = (
        Dispensation.select(
            Dispensation.id,
            Dispensation.status,
            Dispensation.version,
            Dispensation.patient,
        )
        .where(Dispensation.id.in_(list(before)))
        .tuples()
    )
    outcomes: dict[int, TicketOutcome] = {}
    for entry, status, version, patient in entries:
        if status == DispensationStatus.VOIDED:
            outcomes[entry] = TicketOutcome.VOIDED
        elif patient != case.patient.id:
            outcomes[entry] = TicketOutcome.IDENTITY_FIXED
        elif version != before[entry]:
            outcomes[entry] = TicketOutcome.CORRECTED
    return outcomes


def _add_entries(case: ThresholdCase, versions: dict[int, int]) -> None:
    rows = [
        {"case": case, "dispensation": dispensation, "version": version}
        for dispensation, version in versions.items()
    ]
    for start in range(0, len(rows), 500):
        CaseEntry.insert_many(rows[start : start + 500]).execute()


def _counts(crossing: Crossing) -> dict[str, object]:
    return {
        "crossed_on": crossing.crossed_on,
        "window_first": crossing.first,
        "window_last": crossing.last,
        "prescribers": crossing.prescribers,
        "pharmacies": crossing.pharmacies,
        "reached": crossing.reached and round(crossing.reached, 2),
        "reached_on": crossing.reached_on,
    }


def _summary(case: ThresholdCase) -> dict[str, object]:
    return {
        "rule": sentence(case.rule),
        "patient": case.patient.id,
        "prescribers": case.prescribers,
        "pharmacies": case.pharmacies,
        **({"reached": str(case.reached)} if case.reached is not None else {}),
    }


def _record(
    event: audit.Event,
    case: ThresholdCase,
    *,
    at: datetime,
    detail: dict[str, object],
    actor: str = "system",
) -> None:
    audit.record(event, actor=actor, subject=f"case:{case.id}", at=at, detail=detail)
