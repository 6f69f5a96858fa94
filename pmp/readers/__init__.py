"""Readers: users whose look-ups showed an entry; each is told once when it changes.

Recipients of Patient Threshold Reports are told by `thresholds.correction_notices`; who
has both is told there. Here the others are: in the portal, under their look-up, and by
an email without patient data, one a day at most. See docs/decisions/0028.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from models import (
    CaseEntry,
    CaseRecipient,
    CaseStatus,
    ChannelName,
    CorrectionNotice,
    Delivery,
    DeliveryKind,
    Dispensation,
    DispensationVersion,
    LookUp,
    LookUpCorrection,
    Role,
    ThresholdCase,
    TicketOutcome,
    User,
    UserStatus,
)
from pmp import audit, bulk, clock, database, delegates, deliveries, withheld
from pmp.deliveries import Route
from pmp.prepared import Given, prepared
from pmp.readers.shown_to import Found, find, find_told, find_under
from pmp.thresholds import case_recipients, correction_notices

__all__ = [
    "Found",
    "count",
    "find",
    "find_told",
    "find_under",
    "mine",
    "tell",
    "tell_of_file",
    "told_of",
    "waiting",
    "words",
]

LISTED_DAYS = 90
AT_ONCE = 200  # entries of one transaction


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
    """Count what a user has not seen yet, and may see."""
    if user.role is Role.DELEGATE:
        theirs = delegates.seen_by(user, at=clock.now())
        told = LookUpCorrection
        query = told.select().join(LookUp).where(told.user == user, theirs)
        return int(query.where(told.seen_at.is_null()).count())
    return len(_unseen(user=user.id))


@prepared
def _unseen() -> Any:
    return (
        LookUpCorrection.select(LookUpCorrection.id)
        .where(
            LookUpCorrection.user == Given("user"), LookUpCorrection.seen_at.is_null()
        )
        .tuples()
    )


def mine(user: User, *, at: datetime) -> list[LookUpCorrection]:
    """Give what a user was told lately, newest first, and note that it is seen.

    A delegate of what they looked up for whom they work for now.
    """
    since, told = at - timedelta(days=LISTED_DAYS), LookUpCorrection
    recent = (told.made_at >= since) | told.seen_at.is_null()
    query: Any = told.select(told, LookUp).join(LookUp).where(told.user == user, recent)
    if (theirs := delegates.seen_by(user, at=at)) is not None:
        query = query.where(theirs)
    with database.atomic():
        rows = list(query.order_by(told.made_at.desc(), told.id.desc()))
        new = [row.id for row in rows if row.seen_at is None]
        told.update(seen_at=at).where(bulk.among(told.id, new)).execute()
    return rows


def words(told: LookUpCorrection) -> str:
    """Say what became of an entry that a user had been shown."""
    if told.turn and told.outcome == TicketOutcome.CORRECTED:
        return correction_notices.RETURNED
    return correction_notices.OUTCOMES[told.outcome]


# --- Only here


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
    if user.role is Role.DELEGATE and not delegates.usable(user, at=at):
        return  # nor there
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
