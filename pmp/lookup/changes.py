"""What has changed about a patient since an earlier look-up of one's own.

It is told with a new look-up: it discloses what the old one did not.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import (
    Dispensation,
    DispensationStatus,
    DispensationVersion,
    LookUp,
    LookUpOutcome,
    Patient,
    Pharmacy,
    Prescriber,
    ReportedIdentity,
    ReportSeen,
    User,
)
from pmp import audit, database, delegates, disclosures, lookup, withheld
from pmp.errors import NotFoundError
from pmp.lookup.criteria import PURPOSE_WORDS
from pmp.lookup.shown_entries import ShownEntry, as_shown
from pmp.matching import whereabouts


@dataclass(frozen=True)
class Changes:
    """Fills of a patient by what became of them since `before`, newest first.

    `now` is the look-up under which they are told; `joined` were reported earlier, and
    have been found since to be this patient's. `moved` were shown by a report then and
    have been found to be another person's: as they were shown.
    """

    before: LookUp
    now: LookUp
    added: Sequence[Dispensation]
    corrected: Sequence[Dispensation]
    removed: Sequence[Dispensation]
    joined: Sequence[Dispensation]
    moved: Sequence[ShownEntry]

    @property
    def count(self) -> int:
        own = (self.added, self.corrected, self.removed, self.joined)
        return sum(map(len, own)) + len(self.moved)


def since(
    look_up_id: int, *, token: str, by: User, address: str = "", at: datetime
) -> Changes:
    """Tell what changed between an earlier look-up and the one behind a token.

    Both are the user's own and lead to one patient today; else NotFoundError. The
    disclosure is written down before it is made. Fills of the new look-up's period
    count.
    """
    before, now = lookup.of_user(look_up_id, by=by, at=at), _report(token, by=by, at=at)
    patient = _patient_of(before, now)
    with database.atomic():
        disclosures.record(
            patient=patient,
            recipient=delegates.with_supervisor(by.name, now),
            address=address,
            what="changes since an earlier look-up",
            purpose=PURPOSE_WORDS[now.purpose],
            at=at,
            actor=by.username,
            look_up=now,
        )
        audit.record(
            audit.Event.LOOK_UP_CHANGES_SHOWN,
            actor=by.username,
            subject=f"patient:{patient.id}",
            at=at,
            address=address,
            detail={"look_up": now.id, "since": before.id},
        )
    return _compared(before, now, patient)


def _patient_of(before: LookUp, now: LookUp) -> Patient:
    """Give under whom the patient of two look-ups is found today; NotFoundError."""
    found = {
        whereabouts.now(each.patient.id, each.at)
        for each in (before, now)
        if each.patient is not None
    }
    if before.patient is None or len(found) != 1 or before.at > now.at:
        raise NotFoundError("These look-ups are not of one patient.")
    patient: Patient = Patient.get_by_id(found.pop())
    return patient


def _report(token: str, *, by: User, at: datetime) -> LookUp:
    found = lookup.of_token(token=token, by=by, at=at)
    if found.outcome is not LookUpOutcome.REPORT:
        raise NotFoundError("This search has no report.")
    return found


def _compared(before: LookUp, now: LookUp, patient: Patient) -> Changes:
    seen: ReportSeen | None = ReportSeen.get_or_none(ReportSeen.look_up == before)
    at = max(before.at, seen.seen_at) if seen else before.at
    changed = _changed_since(at, patient)
    lists: dict[str, list[Dispensation]] = defaultdict(list)
    for row in _rows(now, patient):
        lists[_kind(row, before, seen, at=at, is_changed=row.id in changed)].append(row)
    return Changes(
        before=before,
        now=now,
        added=lists["added"],
        corrected=lists["corrected"],
        removed=lists["removed"],
        joined=lists["joined"],
        moved=_moved(seen, patient),
    )


def _kind(
    row: Dispensation,
    before: LookUp,
    seen: ReportSeen | None,
    *,
    at: datetime,
    is_changed: bool,
) -> str:
    """Say what became of a fill since a time; "" for nothing that concerns a reader."""
    stands = row.status is DispensationStatus.CURRENT
    if row.stored_at > at:
        return "added" if stands else ""
    if is_changed:
        return "corrected" if stands else "removed"
    if not stands:
        return ""
    was_shown = seen is None or row.row_code in seen.entries
    was_asked = before.since <= row.filled_on <= before.until
    if row.identity.linked_at > at or (was_asked and not was_shown):
        return "joined"
    return ""


def _rows(now: LookUp, patient: Patient) -> Any:
    """Give the patient's fills of the period, voided ones as well, newest first."""
    return (
        Dispensation.select(Dispensation, ReportedIdentity, Prescriber, Pharmacy)
        .join(ReportedIdentity)
        .switch(Dispensation)
        .join(Prescriber)
        .switch(Dispensation)
        .join(Pharmacy)
        .where(
            (Dispensation.patient == patient)
            & Dispensation.filled_on.between(now.since, now.until)
            & withheld.shown()
        )
        .order_by(Dispensation.filled_on.desc(), Dispensation.id.desc())
    )


def _moved(seen: ReportSeen | None, patient: Patient) -> list[ShownEntry]:
    """Give what a report showed then and that belongs to somebody else now."""
    if seen is None:
        return []
    shown = as_shown(seen.entries, patient_id=patient.id)
    return [each for each in shown if not each.is_own]


def _changed_since(at: datetime, patient: Patient) -> set[int]:
    query: Any = (
        DispensationVersion.select(DispensationVersion.dispensation)
        .join(Dispensation)
        .where(
            (Dispensation.patient == patient) & (DispensationVersion.changed_at > at)
        )
        .tuples()
    )
    return {number for (number,) in query}
