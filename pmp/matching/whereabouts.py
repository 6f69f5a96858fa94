"""Under which patients somebody has stood: look-ups and disclosures stay where made.

A disclosure says what left the program about a patient on that day, and stays with that
patient's number.  Whose it is today is told by where the identities have been.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from peewee import SQL

from models import DecidedIdentity, MatchDecision, ReportedIdentity
from pmp import bulk
from pmp.errors import NotFoundError


@dataclass(frozen=True)
class Stay:
    """Some identities were with a patient from `since` to `until`.

    None: as long as it was known; until now.
    """

    patient_id: int
    since: datetime | None = None
    until: datetime | None = None

    def during(self, at: Any) -> Any:
        """Give the condition that a row's time falls into this stay."""
        condition = at <= self.until if self.until is not None else SQL("1 = 1")
        return condition & (at >= self.since) if self.since is not None else condition

    def holds(self, patient: Any, at: Any) -> Any:
        """Give the condition that a row's patient and time fall into this stay."""
        return (patient == self.patient_id) & self.during(at)


def stays_of(patient_id: int) -> list[Stay]:
    """Give all of a patient's own time, and where its identities were before."""
    rows = ReportedIdentity.select(ReportedIdentity.id).where(
        ReportedIdentity.patient == patient_id
    )
    elsewhere = stays([row.id for row in rows])
    here = Stay(patient_id)
    return [here, *(each for each in elsewhere if each.patient_id != patient_id)]


def stays(identities: Iterable[int]) -> list[Stay]:
    """Give where identities have been, each stay once; the last is still open."""
    wanted = sorted(set(identities))
    found: dict[Stay, None] = {}
    moves = _moves(wanted)
    table: Any = ReportedIdentity
    rows = (
        table.select(table.id, table.patient, table.linked_at)
        .where(bulk.among(table.id, wanted))
        .order_by(table.id)
        .tuples()
    )
    for identity, patient, linked_at in rows:
        since = linked_at
        for at, before in moves.get(identity, []):
            found[Stay(before, since, at)] = None
            since = at
        found[Stay(patient, since)] = None
    return list(found)


def whose(stayed: Iterable[Stay], patient: Any, at: Any) -> Any:
    """Give the condition that a row's patient and time fall into one of the stays."""
    return reduce(or_, (each.holds(patient, at) for each in stayed))


def now(patient_id: int) -> int:
    """Give the patient under whom somebody is found today; NotFoundError if divided.

    Once all of a patient was joined with another, it is the other.
    """
    table: Any = ReportedIdentity
    if table.select().where(table.patient == patient_id).exists():
        return patient_id
    left = DecidedIdentity.select(DecidedIdentity.identity).where(
        (DecidedIdentity.before == patient_id) | (DecidedIdentity.after == patient_id)
    )
    query = table.select(table.patient).where(table.id.in_(left)).distinct().tuples()
    found = [patient for (patient,) in query]
    if len(found) > 1:
        raise NotFoundError(
            "Program staff have divided this record since. Look the person up again."
        )
    return found[0] if found else patient_id


def today(patient_ids: Iterable[int]) -> set[int]:
    """Give under which patients some are found today; not those that were divided."""
    found = set()
    for patient_id in patient_ids:
        with suppress(NotFoundError):
            found.add(now(patient_id))
    return found


def _moves(identities: list[int]) -> dict[int, list[tuple[datetime, int]]]:
    """Give when each identity left which patient, in order, by identity."""
    table: Any = DecidedIdentity
    rows = (
        table.select(
            table.identity,
            table.before,
            table.after,
            table.returned,
            MatchDecision.decided_at,
            MatchDecision.undone_at,
        )
        .join(MatchDecision)
        .where(bulk.among(table.identity, identities))
        .order_by(MatchDecision.id)
        .tuples()
    )
    found: dict[int, list[tuple[datetime, int]]] = {}
    for identity, before, after, returned, decided_at, undone_at in rows:
        moves = found.setdefault(identity, [])
        if before != after:
            moves.append((decided_at, before))
        if returned is not None and returned != after:
            moves.append((undone_at, after))
    return {identity: sorted(moves) for identity, moves in found.items()}
