"""Readers: users whose look-ups showed an entry; each is told once when it changes.

Recipients of Patient Threshold Reports are told by `thresholds.correction_notices`; who
has both is told there. Here the others are: in the portal, under their look-up, and by
an email without patient data, one a day at most. See docs/decisions/0028.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from peewee import JOIN

from models import (
    CaseEntry,
    CaseRecipient,
    CaseStatus,
    ChannelName,
    CorrectionNotice,
    Delivery,
    DeliveryKind,
    Dispensation,
    DispensationStatus,
    DispensationVersion,
    LookUp,
    LookUpCorrection,
    LookUpOutcome,
    ReportSeen,
    ThresholdCase,
    TicketOutcome,
    User,
    UserStatus,
)
from pmp import audit, bulk, clock, database, deliveries, settings, withheld
from pmp.deliveries import Route
from pmp.matching import whereabouts
from pmp.matching.whereabouts import Stay
from pmp.thresholds import case_recipients, correction_notices

DAYS_OF_A_YEAR = 365.25
LISTED_DAYS = 90
AT_ONCE = 200  # entries of one transaction
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
    shown = {}
    for each in _entries(dispensation_ids):
        stayed = whereabouts.stays(each.identities)
        shown[each.id] = _told_before(each) | _shown(each, stayed, at)
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
    fixed = TicketOutcome.IDENTITY_FIXED
    found = {each.id: _told_before(each, fixed) for each in _of(identities)}
    return _kept(found)


def tell(
    found: Found,
    outcomes: Mapping[int, TicketOutcome],
    *,
    at: datetime,
    but: User | None = None,
) -> int:
    """Tell readers what became of entries; give how many are told.

    After `thresholds.evaluate`, since who is told as a recipient is told there. `but`
    made the change. The same again tells nobody twice.
    """
    told: set[int] = set()
    for entry_id, outcome in outcomes.items():
        shown = found.get(entry_id)
        if not shown:
            continue
        entry = Dispensation.get_by_id(entry_id)
        known = _recipients(entry) | ({but.id} if but else set())
        new = {
            user
            for user, look_up in shown.items()
            if user not in known and _note(entry, user, look_up, outcome, at=at)
        }
        if new:
            _record(entry, outcome, new, at=at)
        told |= new
    for user in User.select().where(bulk.among(User.id, sorted(told))):
        _mail(user, at=at)
    return len(told)


def tell_of_file(submission_id: int, *, at: datetime) -> int:
    """Tell readers what a submission corrected or voided, a few hundred at a time."""
    changed: Any = (
        Dispensation.select(Dispensation.id, Dispensation.status)
        .join(DispensationVersion)
        .where(DispensationVersion.submission == submission_id)
        .where(withheld.shown())
        .order_by(Dispensation.id)
        .distinct()
        .tuples()
    )
    outcomes = {
        number: TicketOutcome.VOIDED if status == "voided" else TicketOutcome.CORRECTED
        for number, status in changed
    }
    told, ids = 0, list(outcomes)
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        with database.atomic():
            shown = find(some, at=at)
            told += tell(shown, {each: outcomes[each] for each in some}, at=at)
    return told


def count(entry: Dispensation, *, at: datetime) -> int:
    """Count who would be told of a change of an entry, besides recipients."""
    shown = find([entry.id], at=at).get(entry.id, {})
    return len(shown.keys() - _holders(_counted(entry)))


def told_of(entry: Dispensation) -> int:
    """Count who was told of an entry as it stands now."""
    rows = LookUpCorrection.select(LookUpCorrection.user).where(
        LookUpCorrection.dispensation == entry,
        LookUpCorrection.version == entry.version,
    )
    number: int = rows.distinct().count()
    return number


# --- What a user is told


def waiting(user: User) -> int:
    """Count what a user has not seen yet."""
    number: int = (
        LookUpCorrection.select()
        .where(LookUpCorrection.user == user, LookUpCorrection.seen_at.is_null())
        .count()
    )
    return number


def mine(user: User, *, at: datetime) -> list[LookUpCorrection]:
    """Give what a user was told lately, newest first, and note that it is seen."""
    since = at - timedelta(days=LISTED_DAYS)
    with database.atomic():
        rows = list(
            LookUpCorrection.select(LookUpCorrection, LookUp)
            .join(LookUp)
            .where(LookUpCorrection.user == user)
            .where(
                (LookUpCorrection.made_at >= since) | LookUpCorrection.seen_at.is_null()
            )
            .order_by(LookUpCorrection.made_at.desc(), LookUpCorrection.id.desc())
        )
        LookUpCorrection.update(seen_at=at).where(
            LookUpCorrection.user == user, LookUpCorrection.seen_at.is_null()
        ).execute()
    return rows


def words(told: LookUpCorrection) -> str:
    """Say what became of an entry that a user had been shown."""
    if told.turn and told.outcome == TicketOutcome.CORRECTED:
        return correction_notices.RETURNED
    return correction_notices.OUTCOMES[told.outcome]


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


def _kept(shown: dict[int, dict[int, int]]) -> Found:
    """Keep the users in place, before anybody takes the audit record."""
    users = sorted({user for each in shown.values() for user in each})
    if users and not database.is_sqlite():
        rows: Any = User.select(User.id).where(bulk.among(User.id, users))
        list(rows.order_by(User.id).for_update("FOR KEY SHARE").tuples())
    return shown


def _shown(entry: _Entry, stayed: Sequence[Stay], at: datetime) -> dict[int, int]:
    """Give who was shown an entry: user → last look-up.

    What a report showed is known where it was opened; of a line of a schedule, and of
    a report of which that was not kept, the patient and the days say it.
    """
    if not stayed:
        return {}
    years = settings.current().correction_notice_years
    rows: Any = (
        LookUp.select(LookUp.id, LookUp.user, LookUp.at, ReportSeen.entries)
        .join(ReportSeen, JOIN.LEFT_OUTER)
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
    found = {}
    for look_up, user, looked_at, seen in rows:
        could_show = entry.stored_at <= looked_at + hours
        if could_show if seen is None else entry.row_code in seen:
            found[user] = look_up
    return found


def _covers(day: date) -> Any:
    return (LookUp.since <= day) & (LookUp.until >= day)


def _told_before(entry: _Entry, outcome: TicketOutcome | None = None) -> dict[int, int]:
    """Give who was told of an earlier change: a removed entry may come back.

    With an outcome: whom that was told of the version that stands, last.
    """
    told = LookUpCorrection
    rows: Any = (
        told.select(told.user, told.look_up, told.outcome, told.version)
        .where(told.dispensation == entry.id)
        .order_by(told.id)
        .tuples()
    )
    last = {user: row for user, *row in rows}
    return {
        user: look_up
        for user, (look_up, said, version) in last.items()
        if outcome is None or (said == outcome and version == entry.version)
    }


def _counted(entry: Dispensation) -> list[CaseRecipient]:
    """Give who would be told as a recipient of a report that counted the entry."""
    cases = (
        ThresholdCase.select()
        .join(CaseEntry)
        .where(CaseEntry.dispensation == entry)
        .where(ThresholdCase.status != CaseStatus.WITHDRAWN)
    )
    return [each for case in cases for each in case_recipients.sent_to(case)]


def _recipients(entry: Dispensation) -> set[int]:
    """Give the users who are told of an entry's version as recipients."""
    rows = (
        CaseRecipient.select()
        .join(CorrectionNotice)
        .where(CorrectionNotice.dispensation == entry)
        .where(CorrectionNotice.version == entry.version)
    )
    return _holders(rows)


def _holders(recipients: Iterable[CaseRecipient]) -> set[int]:
    """Give the users who are these prescribers and pharmacies."""
    columns: dict[Any, set[int]] = {
        User.id: set(),
        User.prescriber: set(),
        User.pharmacy: set(),
    }
    for each in recipients:
        for column, name in zip(
            columns, ("user", "prescriber", "pharmacy"), strict=True
        ):
            if (number := each.__data__.get(name)) is not None:
                columns[column].add(number)
    wanted = [column.in_(ids) for column, ids in columns.items() if ids]
    if not wanted:
        return set()
    rows: Any = User.select(User.id).where(reduce(or_, wanted)).tuples()
    return {number for (number,) in rows}


def _note(
    entry: Dispensation,
    user: int,
    look_up: int,
    outcome: TicketOutcome,
    *,
    at: datetime,
) -> bool:
    """Write down what a user is told; False if they were told that already."""
    told = LookUpCorrection
    last: LookUpCorrection | None = (
        told.select()
        .where(told.user == user, told.dispensation == entry)
        .where(told.version == entry.version)
        .order_by(told.turn.desc())
        .first()
    )
    if last is not None and last.outcome == outcome:
        return False
    told.create(
        user=user,
        look_up=look_up,
        dispensation=entry,
        version=entry.version,
        turn=last.turn + 1 if last else 0,
        outcome=outcome,
        made_at=at,
    )
    return True


def _record(
    entry: Dispensation, outcome: TicketOutcome, users: set[int], *, at: datetime
) -> None:
    audit.record(
        audit.Event.READERS_NOTIFIED,
        actor="system",
        subject=f"dispensation:{entry.id}",
        at=at,
        detail={
            "entry": entry.row_code,
            "version": entry.version,
            "outcome": outcome.value,
            "users": sorted(users),
        },
    )


def _mail(user: User, *, at: datetime) -> None:
    """Have a user told by email, once a day: a second change waits for the morning."""
    if not user.email or user.status != UserStatus.ACTIVE:
        return  # they see it in the portal
    today = clock.day_of(at)
    for day in (today, today + timedelta(days=1)):
        key = f"look-up-corrections:{user.id}:{day}"
        if not Delivery.select().where(Delivery.dedupe_key == key).exists():
            deliveries.request(
                kind=DeliveryKind.LOOK_UP_CORRECTION,
                subject_id=user.id,
                routes=[Route(ChannelName.EMAIL, user.email)],
                dedupe_key=key,
                at=at if day == today else clock.start_of(day),
            )
            return
