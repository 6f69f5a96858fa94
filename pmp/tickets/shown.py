"""Which entries and records a user has been shown: only those can they dispute."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from peewee import JOIN

from models import (
    Dispensation,
    LookUp,
    LookUpOutcome,
    Patient,
    ReportSeen,
    ThresholdCase,
    User,
)
from pmp import audit, dispensations, reporters, settings
from pmp.errors import NotFoundError
from pmp.matching import whereabouts
from pmp.permissions import Permission, can
from pmp.thresholds import case_recipients


@dataclass(frozen=True)
class Shown:
    """What a user has been shown: an entry, or a patient's record as a whole.

    One of `dispensation` and `patient` is there; `case` or `look_up` is whose report
    showed it.
    """

    dispensation: Dispensation | None
    case: ThresholdCase | None = None
    patient: Patient | None = None
    look_up: LookUp | None = None

    @property
    def words(self) -> str:
        """Say for the audit record what it is: never more than a number."""
        if self.dispensation is not None:
            return f"entry {self.dispensation.row_code}"
        return f"record of patient {self.patient.id}" if self.patient else ""


def find_shown(row_code: str, *, by: User) -> Shown:
    """Find an entry among those that a user has been shown; else NotFoundError.

    In a Patient Threshold Report they were sent, in a report they looked up, in their
    own dispensing; staff, who are told codes on the phone, may name any.
    """
    refused = NotFoundError(
        "No entry that you have been shown has this row code.", field="row_code"
    )
    try:
        entry = dispensations.find_by_row_code(row_code)
    except NotFoundError:
        raise refused from None
    received = case_recipients.received_entry(entry, by=by)
    if received is not None:
        return Shown(entry, received.case)
    if _own(entry, by) or _may_see(entry, by):
        return Shown(entry, None)
    raise refused


def view(row_code: str, *, by: User, at: datetime, address: str = "") -> Shown:
    """Find an entry as `find_shown` does, to show it; on the audit record first."""
    shown = find_shown(row_code, by=by)
    if shown.dispensation is not None:
        audit.record(
            audit.Event.DISPENSING_VIEWED,
            actor=by.username,
            subject=f"dispensation:{shown.dispensation.id}",
            at=at,
            address=address,
            detail={"what": "report a problem"},
        )
    return shown


def _own(entry: Dispensation, by: User) -> bool:
    is_dispenser = entry.pharmacy in reporters.pharmacies_of(by)
    return is_dispenser or entry.prescriber in reporters.prescribers_of(by)


def _may_see(entry: Dispensation, by: User) -> bool:
    if entry.withheld:
        return can(by.role, Permission.WITHHELD_READ)
    return can(by.role, Permission.TICKET_WORK) or _looked_up(entry, by)


def _looked_up(entry: Dispensation, by: User) -> bool:
    """Tell whether a report that a user looked up showed an entry.

    Under whichever patient the entry stood then. What it showed is known where it was
    opened; else it may have shown what came while it was open, and nothing later.
    """
    found_under = whereabouts.stays([entry.__data__["identity"]])
    stayed = [replace(stay, since=None) for stay in found_under]
    rows: Any = (
        LookUp.select(LookUp.at, ReportSeen.entries)
        .join(ReportSeen, JOIN.LEFT_OUTER)
        .where(LookUp.user == by)
        .where(whereabouts.whose(stayed, LookUp.patient, LookUp.at))
        .where(LookUp.outcome == LookUpOutcome.REPORT)
        .where(LookUp.since <= entry.filled_on)
        .where(LookUp.until >= entry.filled_on)
        .tuples()
    )
    hours = timedelta(hours=settings.current().report_hours)
    return any(
        entry.stored_at <= looked_at + hours if seen is None else entry.row_code in seen
        for looked_at, seen in rows
    )
