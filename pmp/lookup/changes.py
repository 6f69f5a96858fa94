"""What has changed about a patient since an earlier look-up of one's own.

It is told with a new look-up: it discloses what the old one did not.
"""

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
    Pharmacy,
    Prescriber,
    ReportedIdentity,
    ReportSeen,
    User,
)
from pmp import audit, database, disclosures, lookup, withheld
from pmp.errors import NotFoundError
from pmp.lookup.criteria import PURPOSE_WORDS


@dataclass(frozen=True)
class Changes:
    """Fills of a patient by what became of them since `before`, newest first.

    `now` is the look-up under which they are told; `joined` were reported earlier, and
    have been found since to be this patient's. `moved` were shown by a report then and
    have been found to be another person's.
    """

    before: LookUp
    now: LookUp
    added: Sequence[Dispensation]
    corrected: Sequence[Dispensation]
    removed: Sequence[Dispensation]
    joined: Sequence[Dispensation]
    moved: Sequence[Dispensation]

    @property
    def count(self) -> int:
        lists = (self.added, self.corrected, self.removed, self.joined, self.moved)
        return sum(map(len, lists))


def since(
    look_up_id: int, *, token: str, by: User, address: str = "", at: datetime
) -> Changes:
    """Tell what changed between an earlier look-up and the one behind a token.

    Both are the user's own and of one patient; else NotFoundError. The disclosure is
    written down before it is made. Fills of the new look-up's period count.
    """
    before, now = lookup.of_user(look_up_id, by=by), _report(token, by=by, at=at)
    if before.patient != now.patient or before.at > now.at or now.patient is None:
        raise NotFoundError("These look-ups are not of one patient.")
    with database.atomic():
        disclosures.record(
            patient=now.patient,
            recipient=by.name,
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
            subject=f"patient:{now.patient.id}",
            at=at,
            address=address,
            detail={"look_up": now.id, "since": before.id},
        )
    return _compared(before, now)


def _report(token: str, *, by: User, at: datetime) -> LookUp:
    found = lookup.of_token(token=token, by=by, at=at)
    if found.outcome is not LookUpOutcome.REPORT:
        raise NotFoundError("This search has no report.")
    return found


def _compared(before: LookUp, now: LookUp) -> Changes:
    rows = list(_rows(now))
    changed = _changed_since(before, now)
    new = [row for row in rows if row.stored_at > before.at]
    old = [row for row in rows if row.stored_at <= before.at]
    stands = DispensationStatus.CURRENT
    joined = [row for row in old if row.identity.linked_at > before.at]
    known = [row for row in old if row.identity.linked_at <= before.at]
    return Changes(
        before=before,
        now=now,
        added=[row for row in new if row.status is stands],
        corrected=[row for row in known if row.id in changed and row.status is stands],
        removed=[
            row for row in known if row.id in changed and row.status is not stands
        ],
        joined=[row for row in joined if row.status is stands],
        moved=_moved(before, now),
    )


def _rows(now: LookUp) -> Any:
    """Give the patient's fills of the period, voided ones as well, newest first."""
    return (
        Dispensation.select(Dispensation, ReportedIdentity, Prescriber, Pharmacy)
        .join(ReportedIdentity)
        .switch(Dispensation)
        .join(Prescriber)
        .switch(Dispensation)
        .join(Pharmacy)
        .where(
            (Dispensation.patient == now.patient)
            & Dispensation.filled_on.between(now.since, now.until)
            & withheld.shown()
        )
        .order_by(Dispensation.filled_on.desc(), Dispensation.id.desc())
    )


def _moved(before: LookUp, now: LookUp) -> list[Dispensation]:
    """Give what a report showed then and that belongs to somebody else now."""
    seen: ReportSeen | None = ReportSeen.get_or_none(ReportSeen.look_up == before)
    if seen is None:
        return []
    query = Dispensation.select().where(
        Dispensation.row_code.in_(sorted(seen.entries))
        & (Dispensation.patient != now.patient)
    )
    return list(query.order_by(Dispensation.filled_on.desc(), Dispensation.id.desc()))


def _changed_since(before: LookUp, now: LookUp) -> set[int]:
    query: Any = (
        DispensationVersion.select(DispensationVersion.dispensation)
        .join(Dispensation)
        .where(
            (Dispensation.patient == now.patient)
            & (DispensationVersion.changed_at > before.at)
        )
        .tuples()
    )
    return {number for (number,) in query}
