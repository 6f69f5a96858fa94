"""Cases of patients whose identities move: a case follows the entries that it counted.

Called before `evaluate`, in the transaction of the move.  A report that went out stays
one case with its recipients, whoever its patient is called now.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from models import CaseEntry, CaseStatus, Dispensation, Patient, ThresholdCase
from pmp.thresholds import case_recipients, threshold_cases
from pmp.thresholds.case_sending import OUT
from pmp.thresholds.threshold_cases import TOGETHER

Remembered = list[Any]
"""A case as JSON keeps it: id, patient's id, status, when it was closed or empty."""


def standing(patient_ids: Collection[int]) -> list[Remembered]:
    """Give the standing cases of patients as they are, for `put_back`."""
    return [
        [
            case.id,
            case.patient.id,
            case.status.value,
            case.closed_at.isoformat() if case.closed_at else "",
        ]
        for case in _standing(patient_ids)
    ]


def follow(patient_ids: Collection[int], *, at: datetime) -> None:
    """Give each standing case to the patient who has its entries now.

    Where that one has a case of the same rule and day already, the two are one: the
    case that moves is ended, or the other if only the one that moves was sent.
    """
    for case in _standing(patient_ids):
        holder = _holder(case)
        if holder == case.patient.id:
            continue
        rival = _rival(holder, case)
        case.patient = Patient.get_by_id(holder)
        if rival is not None and (rival.status in OUT or case.status not in OUT):
            threshold_cases.withdraw(case, reason=TOGETHER, at=at)
            continue
        if rival is not None:
            threshold_cases.withdraw(rival, reason=TOGETHER, at=at)
        case.save(only=[ThresholdCase.patient])


def put_back(remembered: Iterable[Remembered], *, at: datetime) -> None:
    """Bring cases back to the patients they had, and revive what the move ended.

    One whose reports were stopped before all had left stays ended: `evaluate` makes a
    new one, so that nobody goes without.
    """
    for case_id, patient_id, status, closed_at in remembered:
        case = ThresholdCase.get_by_id(case_id)
        if _rival(patient_id, case) is not None:
            continue
        if case.status != CaseStatus.WITHDRAWN:
            case.patient = Patient.get_by_id(patient_id)
            case.save(only=[ThresholdCase.patient])
        elif case.withdrawn_reason == TOGETHER and _was_told_to_all(case, status):
            case.patient = Patient.get_by_id(patient_id)
            closed = datetime.fromisoformat(closed_at) if closed_at else None
            threshold_cases.revive(case, CaseStatus(status), closed_at=closed, at=at)


def _standing(patient_ids: Collection[int]) -> list[ThresholdCase]:
    return list(
        ThresholdCase.select()
        .where(ThresholdCase.patient.in_(sorted(patient_ids)))
        .where(ThresholdCase.status != CaseStatus.WITHDRAWN)
        .order_by(ThresholdCase.id)
    )


def _holder(case: ThresholdCase) -> int:
    """Give the one who has all entries of a case, else its patient, else most."""
    rows: Any = (
        Dispensation.select(Dispensation.patient)
        .join(CaseEntry)
        .where(CaseEntry.case == case)
        .tuples()
    )
    holders: list[int] = [patient for (patient,) in rows]
    if not holders or case.patient.id in holders:
        return int(case.patient.id)
    return max(sorted(set(holders)), key=holders.count)


def _rival(patient_id: int, case: ThresholdCase) -> ThresholdCase | None:
    """Give a patient's standing case of the same rule and day."""
    found: ThresholdCase | None = (
        ThresholdCase.select()
        .where(ThresholdCase.patient == patient_id)
        .where(ThresholdCase.rule == case.rule)
        .where(ThresholdCase.crossed_on == case.crossed_on)
        .where(ThresholdCase.status != CaseStatus.WITHDRAWN)
        .where(ThresholdCase.id != case.id)
        .first()
    )
    return found


def _was_told_to_all(case: ThresholdCase, status: str) -> bool:
    """Tell whether no report was stopped when a case ended: else a new one goes out."""
    told = len(case_recipients.sent_to(case)) == len(case_recipients.of_case(case))
    return told or status not in OUT
