"""To whom look-ups showed an entry, as far as the record says it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from peewee import JOIN

from models import (
    DecidedIdentity,
    Delegation,
    Dispensation,
    DispensationStatus,
    DispensationVersion,
    LookUp,
    LookUpCorrection,
    LookUpOutcome,
    ReportedIdentity,
    ReportSeen,
    TicketOutcome,
    User,
)
from pmp import bulk, database, settings, withheld
from pmp.matching import whereabouts
from pmp.matching.whereabouts import Stay

DAYS_OF_A_YEAR = 365.25
Found = Mapping[int, Mapping[int, int]]
"""Dispensation id → user id → the user's last look-up that showed it."""


@dataclass(frozen=True)
class _Entry:
    """What an entry has said so far, which decides what reports showed it."""

    id: int
    row_code: str
    version: int
    stored_at: datetime
    identities: frozenset[int]
    days: frozenset[date]


def find(dispensation_ids: Collection[int], *, at: datetime) -> Found:
    """Give to whom look-ups of the last years showed entries, and keep them in place.

    In the transaction of the change and before its audit rows: whoever looks somebody
    up takes the user first and the audit record then.
    """
    entries = _entries(dispensation_ids)
    shown: dict[int, dict[int, int]] = _told_before(entries)
    for each in _maybe_shown(entries):
        found = _shown(each, whereabouts.stays(each.identities), at)
        shown[each.id] = shown.get(each.id, {}) | found
    return _kept(shown)


def find_under(patient_id: int, identities: Iterable[int], *, at: datetime) -> Found:
    """Give, as `find` does, to whom fills were shown as this patient's.

    For identities that are about to leave the patient.
    """
    here = [whereabouts.Stay(patient_id)]
    return _kept({each.id: _shown(each, here, at) for each in _of(identities)})


def find_told(identities: Iterable[int]) -> Found:
    """Give, as `find` does, who was told that fills are another person's: they return.

    For identities that are about to come back.
    """
    return _kept(_told_before(_of(identities), TicketOutcome.IDENTITY_FIXED))


# --- Only here


def _entries(dispensation_ids: Collection[int]) -> list[_Entry]:
    """Give entries with every patient and day that they were ever under."""
    rows: Any = (
        Dispensation.select(
            Dispensation.id,
            Dispensation.row_code,
            Dispensation.version,
            Dispensation.stored_at,
            Dispensation.identity,
            Dispensation.filled_on,
        )
        .where(bulk.among(Dispensation.id, sorted(dispensation_ids)))
        .where(withheld.shown())
        .order_by(Dispensation.id)
        .tuples()
    )
    listed = list(rows)
    identities, days = defaultdict(set), defaultdict(set)
    version = DispensationVersion
    older: Any = (
        version.select(version.dispensation, version.content)
        .where(bulk.among(version.dispensation, [row[0] for row in listed]))
        .tuples()
    )
    for number, content in older:
        if "identity" in content:
            identities[number].add(int(content["identity"]))
        days[number].add(date.fromisoformat(content["filled_on"]))
    return [
        _Entry(
            number,
            code,
            stands_in,
            stored_at,
            frozenset({identity, *identities[number]}),
            frozenset({day, *days[number]}),
        )
        for number, code, stands_in, stored_at, identity, day in listed
    ]


def _of(identities: Iterable[int]) -> list[_Entry]:
    rows: Any = (
        Dispensation.select(Dispensation.id)
        .where(bulk.among(Dispensation.identity, sorted(identities)))
        .where(Dispensation.status == DispensationStatus.CURRENT)
        .where(withheld.shown())
        .tuples()
    )
    return _entries([number for (number,) in rows])


def _maybe_shown(entries: Sequence[_Entry]) -> list[_Entry]:
    """Give the entries of patients whom somebody has looked up.

    Most are of nobody's: a file may change thousands. Whose identity staff have moved
    is asked for in any case.
    """
    wanted = sorted({number for each in entries for number in each.identities})
    decided: Any = DecidedIdentity
    moved = _ids(
        decided.select(decided.identity).where(bulk.among(decided.identity, wanted))
    )
    table: Any = ReportedIdentity
    looked_up = _ids(
        table.select(table.id)
        .join(LookUp, on=(LookUp.patient == table.patient))
        .where(bulk.among(table.id, wanted))
        .where(LookUp.outcome == LookUpOutcome.REPORT)
        .distinct()
    )
    known = moved | looked_up
    return [each for each in entries if not known.isdisjoint(each.identities)]


def _ids(query: Any) -> set[int]:
    return {number for (number,) in query.tuples()}


def _kept(shown: dict[int, dict[int, int]]) -> Found:
    """Keep the users in place, before anybody takes the audit record."""
    users = sorted({user for each in shown.values() for user in each})
    if users and not database.is_sqlite():
        rows: Any = User.select(User.id).where(bulk.among(User.id, users))
        list(rows.order_by(User.id).for_update("FOR KEY SHARE").tuples())
    return shown


def _shown(entry: _Entry, stayed: Sequence[Stay], at: datetime) -> dict[int, int]:
    """Give who was shown an entry: user → last look-up, or last on their behalf.

    What a report showed is known where it was opened; of a line of a schedule, and of
    a report of which that was not kept, the patient and the days say it.
    """
    if not stayed:
        return {}
    years = settings.current().correction_notice_years
    rows: Any = (
        LookUp.select(
            LookUp.id,
            LookUp.user,
            Delegation.supervisor,
            LookUp.at,
            ReportSeen.entries,
        )
        .join(ReportSeen, JOIN.LEFT_OUTER)
        .switch(LookUp)
        .join(Delegation, JOIN.LEFT_OUTER)
        .where(
            whereabouts.whose(
                # A report is open for hours: it shows what comes to it meanwhile.
                [replace(stay, since=None) for stay in stayed],
                LookUp.patient,
                LookUp.at,
            )
        )
        .where(LookUp.outcome == LookUpOutcome.REPORT)
        .where(LookUp.at >= at - timedelta(days=years * DAYS_OF_A_YEAR))
        .where(reduce(or_, (_covers(day) for day in sorted(entry.days))))
        .order_by(LookUp.id)
        .tuples()
    )
    hours = timedelta(hours=settings.current().report_hours)
    found, on_behalf_of = {}, {}
    for look_up, user, supervisor, looked_at, seen in rows:
        could_show = entry.stored_at <= looked_at + hours
        if could_show if seen is None else entry.row_code in seen:
            found[user] = look_up
            if supervisor is not None:
                on_behalf_of[supervisor] = look_up
    return on_behalf_of | found


def _covers(day: date) -> Any:
    return (LookUp.since <= day) & (LookUp.until >= day)


def _told_before(
    entries: Sequence[_Entry], outcome: TicketOutcome | None = None
) -> dict[int, dict[int, int]]:
    """Give who was told of an earlier change, by entry: a removed one may come back.

    With an outcome: whom that was told of the version that stands, last.
    """
    versions = {each.id: each.version for each in entries}
    told = LookUpCorrection
    rows: Any = (
        told.select(
            told.dispensation, told.user, told.look_up, told.outcome, told.version
        )
        .where(bulk.among(told.dispensation, list(versions)))
        .order_by(told.id)
        .tuples()
    )
    last = {(entry, user): row for entry, user, *row in rows}
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for (entry, user), (look_up, said, version) in last.items():
        if outcome is None or (said == outcome and version == versions[entry]):
            found[entry][user] = look_up
    return found
