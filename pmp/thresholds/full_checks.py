"""The nightly full check: every patient's cases against what their entries say.

Cases are settled when entries come or change, so a full check should find nothing to
do but what a new rule asks for. What else it changes was wrong, and nobody would have
noticed: it is put right, and staff are told how many and which.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models import (
    AuditEvent,
    Dispensation,
    DispensationVersion,
    Submission,
    SubmissionStatus,
    ThresholdCase,
)
from pmp import audit, bulk, thresholds

log = logging.getLogger(__name__)

EVENT = audit.Event.THRESHOLDS_CHECKED
SUBJECT = "thresholds:all"
OVERDUE = timedelta(days=2)
NAMED = 1_000
"""So many cases that were put right are named; all are counted."""


@dataclass(frozen=True)
class FullCheck:
    """When a check began, how many patients it looked at, and what it changed.

    `changed` counts every case that it made, counted again or withdrawn; `put_right`
    those of them for which there was no cause since the check before, and `cases` are
    their numbers. `missed` patients could not be looked at.
    """

    at: datetime
    patients: int
    changed: int
    put_right: int
    cases: tuple[int, ...] = ()
    missed: int = 0

    def is_overdue(self, at: datetime) -> bool:
        """Tell whether the check of a night or two is missing."""
        return at - self.at > OVERDUE


def run(*, at: datetime) -> FullCheck:
    """Bring everybody's cases to what their entries say, and write down what it took.

    A chunk of patients is a transaction; one that failed, or was killed, is run again
    whole. What fails twice is counted as missed: the others have had their turn.
    """
    night = _Night(at, last())
    failed = [
        chunk
        for chunk in thresholds.everybody(size=thresholds.AT_ONCE)
        if not night.settle(chunk)
    ]
    missed = sum(len(chunk) for chunk in failed if not night.settle(chunk))
    wrong = night.wrong
    found = FullCheck(
        at, night.patients, night.changed, len(wrong), tuple(wrong[:NAMED]), missed
    )
    audit.record(
        EVENT,
        actor="system",
        subject=SUBJECT,
        at=at,
        detail={
            "patients": night.patients,
            "changed": night.changed,
            "put_right": len(wrong),
            "cases": list(found.cases),
            **({"missed": missed} if missed else {}),
        },
    )
    return found


def last() -> FullCheck | None:
    """Give the last full check; None if there was none yet."""
    row: AuditEvent | None = (
        AuditEvent.select()
        .where(AuditEvent.event == EVENT.value)
        .order_by(AuditEvent.id.desc())
        .first()
    )
    if row is None:
        return None
    kept = row.detail
    return FullCheck(
        row.at,
        patients=kept["patients"],
        changed=kept["changed"],
        put_right=kept["put_right"],
        cases=tuple(kept["cases"]),
        missed=kept.get("missed", 0),
    )


class _Night:
    """One full check as it goes on."""

    def __init__(self, at: datetime, before: FullCheck | None) -> None:
        self.at = at
        self.before = before
        self.patients = 0
        self.changed = 0
        self.wrong: list[int] = []

    def settle(self, chunk: Sequence[int]) -> bool:
        """Bring patients' cases to what their entries say; False if that failed."""
        arriving = _unfinished()
        try:
            cases = thresholds.evaluate(chunk, at=self.at)
        except Exception as error:  # noqa: BLE001 - a few must not cost all others the night
            # Not its words: they may hold what a row says.
            kind = type(error).__name__
            log.warning("%d patients were not checked: %s", len(chunk), kind)
            return False
        self.patients += len(chunk)
        self.changed += len(cases)
        if self.before is not None:
            begun = self.before.at
            told = [case for case in cases if case.rule.written_at < begun]
            self.wrong += _without_cause(told, arriving | _unfinished())
        return True


def _without_cause(cases: Iterable[ThresholdCase], arriving: set[int]) -> list[int]:
    """Give the cases of patients of whom no submission is being taken in."""
    own = {case.id: case.__data__["patient"] for case in cases}
    if not own:
        return []
    touched = _touched(set(own.values()), arriving) if arriving else set()
    return [number for number, patient in own.items() if patient not in touched]


def _unfinished() -> set[int]:
    """Give the submissions that are being taken in: their patients' turn will come."""
    rows: Any = Submission.select(Submission.id).where(
        Submission.status == SubmissionStatus.READING
    )
    return {number for (number,) in rows.tuples()}


def _touched(patient_ids: set[int], submissions: set[int]) -> set[int]:
    of_them = bulk.among(Dispensation.patient, sorted(patient_ids))
    wanted = sorted(submissions)
    added: Any = Dispensation.select(Dispensation.patient).where(
        of_them, bulk.among(Dispensation.submission, wanted)
    )
    changed: Any = (
        Dispensation.select(Dispensation.patient)
        .join(DispensationVersion)
        .where(of_them, bulk.among(DispensationVersion.submission, wanted))
    )
    return {number for query in (added, changed) for (number,) in query.tuples()}
