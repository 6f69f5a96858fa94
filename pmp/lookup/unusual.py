"""Look-ups that are not as look-ups mostly are: noticed with the answer, for staff.

Unusual is not wrong: who works at night or treats a namesake has reason to. So each is
noticed with a reason in words, a person looks, and what was explained stays quiet.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from models import (
    Dispensation,
    LookUp,
    LookUpOutcome,
    ReportedIdentity,
    UnusualKind,
    UnusualLookUp,
    UnusualStatus,
    User,
)
from pmp import audit, clock, clock_hours, reporters, settings
from pmp.lookup import limits, own_names, protected
from pmp.wording import us_date

QUIET = timedelta(days=180)  # after it was explained
USUAL_DAYS = timedelta(days=60)
TIMES_USUAL = 3
EVERY = 10  # look-ups from one count of the day to the next
LINK_DAYS = timedelta(days=30)
_SHOWN = {LookUpOutcome.REPORT, LookUpOutcome.CANDIDATES}

Rule = Callable[[LookUp, datetime], str]
"""Gives a sentence, or nothing."""


def notice(look_up: LookUp, *, at: datetime) -> list[UnusualLookUp]:
    """Write down what is unusual about a look-up that was answered or refused.

    In the caller's transaction, on the audit record.
    """
    found = []
    for kind, rule in RULES.items():
        if reason := rule(look_up, at):
            row = UnusualLookUp.create(
                look_up=look_up,
                user=look_up.user,
                kind=kind,
                reason=reason,
                found_at=at,
            )
            audit.record(
                audit.Event.UNUSUAL_FOUND,
                actor="system",
                subject=f"look_up:{look_up.id}",
                at=at,
                detail={"kind": kind.value, "unusual": row.id},
            )
            found.append(row)
    return found


def _own_name(look_up: LookUp, at: datetime) -> str:
    if look_up.outcome not in _SHOWN:
        return ""
    reported = _identities(look_up)
    reason = own_names.words(look_up.user, look_up, reported)
    if not reason or _is_known(look_up, UnusualKind.OWN_NAME, at, same_person=True):
        return ""
    return reason


def _protected(look_up: LookUp, _: datetime) -> str:
    if not protected.concerns(look_up, _identities(look_up)):
        return ""
    if look_up.outcome is LookUpOutcome.REFUSED:
        return "Searched for a protected person; the search was refused."
    ends = {
        LookUpOutcome.REPORT: "Opened the report of a protected person.",
        LookUpOutcome.CANDIDATES: "A protected person was among the candidates.",
    }
    return ends.get(look_up.outcome, "Searched for a protected person.")


def _volume(look_up: LookUp, at: datetime) -> str:
    today = clock.start_of(clock.day_of(at))
    ours = limits.counted(look_up.user)
    count = ours.where(LookUp.at >= today).count()
    floor = settings.current().unusual_look_ups_per_day
    if count < floor or count % EVERY:
        return ""
    if _found_since(look_up, UnusualKind.VOLUME, today):
        return ""
    usual = _usual(ours, today)
    if count <= TIMES_USUAL * usual:
        return ""
    mostly = f"{usual:.0f} a day" if usual else "none"
    return f"{count} look-ups on {us_date(at)}; in the 60 days before mostly {mostly}."


def _usual(ours: Any, today: datetime) -> float:
    """Give how many look-ups a user makes on a day on which they make any."""
    before = ours.where((LookUp.at >= today - USUAL_DAYS) & (LookUp.at < today))
    days = [clock.day_of(row.at) for row in before.select(LookUp.at)]
    return len(days) / len(set(days)) if days else 0.0


def _limit(look_up: LookUp, at: datetime) -> str:
    if look_up.outcome is not LookUpOutcome.REFUSED:
        return ""
    today = clock.start_of(clock.day_of(at))
    if _found_since(look_up, UnusualKind.LIMIT, today):
        return ""
    return LIMIT_WORDS[look_up.refusal]


def _no_link(look_up: LookUp, at: datetime) -> str:
    patient = look_up.patient
    if look_up.outcome is not LookUpOutcome.REPORT or patient is None:
        return ""
    times = (
        LookUp.select()
        .where(LookUp.user == look_up.user)
        .where(LookUp.patient == patient)
        .where(LookUp.outcome == LookUpOutcome.REPORT)
        .where(LookUp.at > at - LINK_DAYS)
        .count()
    )
    if times < settings.current().unusual_without_link:
        return ""
    if _is_linked(look_up) or _is_known(
        look_up, UnusualKind.NO_LINK, at, same_person=True
    ):
        return ""
    return (
        f"{times} reports of one patient in 30 days, of whom no fill was written or"
        " dispensed by this user."
    )


def _is_linked(look_up: LookUp) -> bool:
    user = look_up.user
    if look_up.delegation is not None:
        user = look_up.delegation.supervisor  # whose patients they are
    pharmacies = [each.id for each in reporters.pharmacies_of(user)]
    prescribers = [each.id for each in reporters.prescribers_of(user)]
    query = Dispensation.select().where(
        (Dispensation.patient == look_up.patient)
        & (
            Dispensation.pharmacy.in_(pharmacies)
            | Dispensation.prescriber.in_(prescribers)
        )
    )
    return bool(query.exists())


def _odd_hour(look_up: LookUp, at: datetime) -> str:
    hours = clock_hours.parse(settings.current().unusual_hours)
    here = clock.local(at)
    if here.hour not in hours or look_up.outcome not in _SHOWN:
        return ""
    if _is_known(look_up, UnusualKind.ODD_HOUR, at):
        return ""
    return f"Looked up at {here:%I:%M %p}, when few people work."


RULES: dict[UnusualKind, Rule] = {
    UnusualKind.PROTECTED_PERSON: _protected,
    UnusualKind.OWN_NAME: _own_name,
    UnusualKind.NO_LINK: _no_link,
    UnusualKind.VOLUME: _volume,
    UnusualKind.LIMIT: _limit,
    UnusualKind.ODD_HOUR: _odd_hour,
}
LIMIT_WORDS = {
    "ten_minutes": "Refused: too many look-ups in ten minutes.",
    "day": "Refused: too many look-ups in a day.",
    "misses": "Refused: too many searches in a row found nobody.",
    "similar": "Refused: too many searches in an hour with similar spellings.",
}


def _identities(look_up: LookUp) -> list[ReportedIdentity]:
    """Give how those were reported whom a look-up showed."""
    ids = list(look_up.candidates)
    if look_up.patient is not None:
        ids.append(look_up.patient.id)
    if not ids:
        return []
    return list(ReportedIdentity.select().where(ReportedIdentity.patient.in_(ids)))


def _found_since(look_up: LookUp, kind: UnusualKind, since: datetime) -> bool:
    return bool(_of(look_up.user, kind).where(_found_at() >= since).exists())


def _is_known(
    look_up: LookUp, kind: UnusualKind, at: datetime, *, same_person: bool = False
) -> bool:
    """Tell whether staff have it before them, or had it explained not long ago."""
    query = _of(look_up.user, kind).where(
        (UnusualLookUp.status != UnusualStatus.EXPLAINED)
        | (UnusualLookUp.explained_at > at - QUIET)
    )
    if same_person:
        query = query.join(LookUp).where(
            (LookUp.patient == look_up.patient)
            if look_up.patient
            else (LookUp.birth_date == look_up.birth_date)
            & (LookUp.last_name == look_up.last_name)
        )
    return bool(query.exists())


def _of(user: User, kind: UnusualKind) -> Any:
    return UnusualLookUp.select().where(
        (UnusualLookUp.user == user) & (UnusualLookUp.kind == kind)
    )


def _found_at() -> Any:
    return UnusualLookUp.found_at
