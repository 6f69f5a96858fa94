"""Under which patients somebody has stood: look-ups and disclosures stay where made.

A disclosure says what left the program about a patient on that day, and stays with that
patient's number.  Whose it is today is told by where the identities have been.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import itemgetter, or_
from typing import Any

from peewee import SQL

from models import DecidedIdentity, MatchDecision, ReportedIdentity
from pmp.errors import NotFoundError
from pmp.prepared import Given, Question, among, prepared

AT_ONCE = timedelta(seconds=10)
"""Two requests that are no further apart may have seen each other, or not."""


@dataclass(frozen=True)
class Stay:
    """Some identities were with a patient from `since` to `until`.

    None: as long as it was known; until now.
    """

    patient_id: int
    since: datetime | None = None
    until: datetime | None = None

    def overlaps(self, since: datetime | None, until: datetime | None) -> bool:
        """Tell whether this stay and a period have a moment in common, or nearly so.

        A decision's time is that of its request; what a search at the same moment
        found may have been its state before or after it.
        """
        if until and self.since and self.since > until + AT_ONCE:
            return False
        return not (since and self.until and self.until < since - AT_ONCE)

    def during(self, at: Any) -> Any:
        """Give the condition that a row's time falls into this stay."""
        condition = at <= self.until if self.until is not None else SQL("1 = 1")
        return condition & (at >= self.since) if self.since is not None else condition

    def holds(self, patient: Any, at: Any) -> Any:
        """Give the condition that a row's patient and time fall into this stay."""
        return (patient == self.patient_id) & self.during(at)


def stays_of(patient_id: int) -> list[Stay]:
    """Give all of a patient's own time, and where its identities were before."""
    here = Stay(patient_id)
    if not _ever_decided(patient=patient_id):  # nearly everybody
        return [here]
    elsewhere = stays(_now_with(patient_id))
    return [here, *(each for each in elsewhere if each.patient_id != patient_id)]


def stays_of_asked(patient_id: int) -> Question:
    """Give what `stays_of` asks first, for `pmp.prepared.ahead`."""
    return _ever_decided.asked(patient=patient_id)


def stays(identities: Iterable[int]) -> list[Stay]:
    """Give where identities have been, each stay once; the last is still open."""
    each = _stays_of_each(sorted(set(identities))).values()
    return list(dict.fromkeys(stay for stays in each for stay in stays))


def whose(stayed: Iterable[Stay], patient: Any, at: Any) -> Any:
    """Give the condition that a row's patient and time fall into one of the stays."""
    return reduce(or_, (each.holds(patient, at) for each in stayed))


def now(patient_id: int, at: datetime, *, until: datetime | None = None) -> int:
    """Give the patient under whom somebody looked up at a time is found today.

    All who were with the patient then, or at any time from then to `until`, must be
    with one patient now, whatever number that is: the person who was looked up is among
    them, and nobody can tell which of them it was. NotFoundError if they are not.
    """
    if not _decided_with(patient_id):  # nearly everybody, and lists ask for twenty
        return patient_id
    there = _with(patient_id, at, until or at)
    return _one(patient_id, there or _with(patient_id))


def shown(patient_id: int, at: datetime, shown_at: datetime) -> int:
    """Give the patient with whom all are today whom a look-up's report showed.

    `at` is the time of the look-up, `shown_at` that of the report: it showed whoever
    was then with those who had been looked up. NotFoundError if they are divided.
    """
    looked_up = _with(patient_id, at, at) or _with(patient_id)
    places = {
        stay.patient_id
        for stays in looked_up.values()
        for stay in stays
        if stay.overlaps(shown_at, shown_at)
    }
    there = dict(looked_up)
    for place in places:
        there |= _with(place, shown_at, shown_at)
    return _one(patient_id, there)


def joined_with(patient_id: int) -> int:
    """Give the patient with whom all are today who were ever with this one.

    NotFoundError if they are divided.
    """
    return _one(patient_id, _with(patient_id))


def today(
    patient_ids: Iterable[int], at: datetime, *, until: datetime | None = None
) -> set[int]:
    """Give under whom some are found today, as `now` does; not those divided since."""
    found = set()
    for patient_id in patient_ids:
        with suppress(NotFoundError):
            found.add(now(patient_id, at, until=until))
    return found


def _one(patient_id: int, there: dict[int, list[Stay]]) -> int:
    found = {stays[-1].patient_id for stays in there.values()}
    if len(found) > 1:
        raise NotFoundError(
            "Program staff have divided this record since. Look the person up again."
        )
    return found.pop() if found else patient_id


def _with(
    patient_id: int, since: datetime | None = None, until: datetime | None = None
) -> dict[int, list[Stay]]:
    """Give who was with a patient at some time of a period, and where they have been.

    Without a period: who ever was.
    """
    ever = _decided_with(patient_id) | _now_with(patient_id)
    return {
        identity: stays
        for identity, stays in _stays_of_each(sorted(ever)).items()
        if any(
            stay.patient_id == patient_id and stay.overlaps(since, until)
            for stay in stays
        )
    }


def _decided_with(patient_id: int) -> set[int]:
    """Give who came to a patient, left it or stood with it in any decision."""
    return {identity for (identity,) in _decided(patient=patient_id)}


def _now_with(patient_id: int) -> set[int]:
    return {identity for (identity,) in _here(patient=patient_id)}


def _stays_of_each(identities: list[int]) -> dict[int, list[Stay]]:
    """Give where each identity has been, in order; the last stay is still open."""
    found: dict[int, list[Stay]] = {}
    moves = _moves(identities)
    for identity, patient, linked_at in _places(identities=identities):
        own, since = found.setdefault(identity, []), linked_at
        for at, before in moves.get(identity, []):
            own.append(Stay(before, since, at))
            since = at
        own.append(Stay(patient, since))
    return found


def _moves(identities: list[int]) -> dict[int, list[tuple[datetime, int]]]:
    """Give when each identity left which patient, in order, by identity."""
    rows = _decisions(identities=identities)
    found: dict[int, list[tuple[datetime, int]]] = {}
    for identity, before, after, returned, decided_at, undone_at in rows:
        moves = found.setdefault(identity, [])
        if before != after:
            moves.append((decided_at, before))
        if returned is not None and returned != after:
            moves.append((undone_at, after))
    # Two of one moment stay in the order of the decisions.
    return {
        identity: sorted(moves, key=itemgetter(0)) for identity, moves in found.items()
    }


@prepared
def _decided() -> Any:
    table: Any = DecidedIdentity
    return (
        table.select(table.identity)
        .where(
            (table.before == Given("patient"))
            | (table.after == Given("patient"))
            | (table.returned == Given("patient"))
        )
        .tuples()
    )


@prepared
def _ever_decided() -> Any:
    """Give one of a patient's identities that staff ever decided about."""
    return (
        DecidedIdentity.select(DecidedIdentity.identity)
        .join(ReportedIdentity)
        .where(ReportedIdentity.patient == Given("patient"))
        .limit(1)
        .tuples()
    )


@prepared
def _here() -> Any:
    table: Any = ReportedIdentity
    return table.select(table.id).where(table.patient == Given("patient")).tuples()


@prepared
def _places() -> Any:
    table: Any = ReportedIdentity
    return (
        table.select(table.id, table.patient, table.linked_at)
        .where(among(table.id, "identities"))
        .order_by(table.id)
        .tuples()
    )


@prepared
def _decisions() -> Any:
    table: Any = DecidedIdentity
    return (
        table.select(
            table.identity,
            table.before,
            table.after,
            table.returned,
            MatchDecision.decided_at,
            MatchDecision.undone_at,
        )
        .join(MatchDecision)
        .where(among(table.identity, "identities"))
        .order_by(MatchDecision.id)
        .tuples()
    )
