"""A search is kept before it is answered, and its answer before it is shown."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models import (
    Dispensation,
    DispensationStatus,
    LookUp,
    LookUpOrigin,
    LookUpOutcome,
    Patient,
    ReportedIdentity,
    Species,
    User,
)
from pmp import audit, database, delegates, settings, withheld
from pmp.errors import NotFoundError, RuleError
from pmp.lookup import limits, unusual
from pmp.lookup.criteria import Criteria


@dataclass(frozen=True)
class Answer:
    """Where a search ended, and the token under which its user sees the answer."""

    outcome: LookUpOutcome
    token: str


class LimitError(RuleError):
    """A user has searched too much; kept, and `message` says when they can go on."""


def keep(
    criteria: Criteria,
    *,
    by: User,
    address: str,
    at: datetime,
    origin: LookUpOrigin = LookUpOrigin.SEARCH,
) -> LookUp:
    """Write a search down, in a transaction of its own.

    One too many is kept as refused, and LimitError raised. RuleError, and nothing is
    kept, on behalf of somebody for whom `by` may not look up.
    """
    delegates.require_usable(criteria.delegation, by=by, at=at)
    is_limited = origin is not LookUpOrigin.SCHEDULE
    with database.atomic():
        _take_turn(by)
        refused = (
            limits.refusal(by=by, similar=criteria.similar, at=at)
            if is_limited
            else None
        )
        limit = refused.limit if refused else ""
        look_up = _written(criteria, by, address=address, at=at, limit=limit)
        look_up.origin = origin
        look_up.save(only=[LookUp.origin])
        if refused:
            unusual.notice(look_up, at=at)
    if refused:
        raise LimitError(refused.words)
    return look_up


def answer_with(look_up: LookUp, patient_id: int, *, at: datetime) -> Answer:
    """Answer a search with one patient's report; an animal's fills do not count.

    NotFoundError for a patient of whom nothing is reported any more: the records were
    found to be somebody else's.
    """
    reported = ReportedIdentity.select().where(ReportedIdentity.patient == patient_id)
    if not reported.exists():
        raise NotFoundError(
            "The records of this person now belong to another one. Search by name."
        )
    look_up.patient = Patient.get_by_id(patient_id)
    look_up.entries = (
        Dispensation.select()
        .join(ReportedIdentity)
        .where(
            (Dispensation.patient == patient_id)
            & (ReportedIdentity.species == Species.HUMAN)
            & (Dispensation.status == DispensationStatus.CURRENT)
            & Dispensation.filled_on.between(look_up.since, look_up.until)
            & withheld.shown()
        )
        .count()
    )
    return answered(look_up, LookUpOutcome.REPORT, [], at=at)


def answered(
    look_up: LookUp, outcome: LookUpOutcome, offered: list[int], *, at: datetime
) -> Answer:
    """Write down how a search ended and under which token, before it is shown."""
    token = secrets.token_urlsafe(32)
    look_up.outcome = outcome
    look_up.candidates = offered
    look_up.token_sha256 = hashed(token)
    look_up.token_until = at + timedelta(hours=settings.current().report_hours)
    with database.atomic():
        look_up.save()
        audit.record(
            audit.Event.LOOK_UP_ANSWERED,
            actor=look_up.user.username,
            subject=f"look_up:{look_up.id}",
            at=at,
            address=look_up.address,
            detail={
                "outcome": outcome.value,
                "patient": look_up.patient.id if look_up.patient else None,
                "candidates": offered,
                "entries": look_up.entries,
            },
        )
        unusual.notice(look_up, at=at)
    return Answer(outcome, token)


def hashed(token: str) -> str:
    """Give what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _take_turn(user: User) -> None:
    # Two searches of one user at a time would each not see the other one counted;
    # SQLite's transactions are IMMEDIATE: whoever is here is alone already.
    if not database.is_sqlite():
        own: Any = User.select(User.id).where(User.id == user.id)
        # Not FOR UPDATE: a report to the user may be written down meanwhile.
        own.for_update("FOR NO KEY UPDATE").get()


def _written(
    criteria: Criteria, by: User, *, address: str, at: datetime, limit: str
) -> LookUp:
    look_up: LookUp = LookUp.create(
        user=by,
        at=at,
        first_name=criteria.first_name,
        last_name=criteria.last_name,
        birth_date=criteria.birth_date,
        zip=criteria.zip,
        similar=criteria.similar,
        purpose=criteria.purpose,
        since=criteria.since,
        until=criteria.until,
        address=address,
        outcome=LookUpOutcome.REFUSED if limit else LookUpOutcome.ASKED,
        refusal=limit,
        delegation=criteria.delegation,
    )
    detail: dict[str, Any] = {
        "purpose": criteria.purpose.value,
        "similar": criteria.similar,
    }
    if look_up.delegation is not None:
        detail["on_behalf_of"] = look_up.delegation.supervisor.username
    audit.record(
        audit.Event.LOOK_UP_REFUSED if limit else audit.Event.LOOKED_UP,
        actor=by.username,
        subject=f"look_up:{look_up.id}",
        at=at,
        address=address,
        detail={**detail, "limit": limit} if limit else detail,
    )
    return look_up
