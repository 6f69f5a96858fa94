"""Look-ups: a registered user asks for a patient, for a stated purpose.

Every search is kept, and on the audit record, before it is answered, whatever the
answer; where it cannot be kept there is no answer. An answer is reached by a random
token of which only the SHA-256 is stored; it is good for the user who searched and for
a few hours, and another's token is refused like one that never was.
"""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from models import (
    Dispensation,
    DispensationStatus,
    LookUp,
    LookUpOutcome,
    Patient,
    Purpose,
    Role,
    User,
)
from pmp import audit, clock, database, disclosures, history, settings
from pmp.errors import NotFoundError, RuleError
from pmp.history import PatientReport
from pmp.lookup import patient_search
from pmp.lookup.patient_search import Candidate
from pmp.matching import whereabouts
from pmp.matching.identities import name_key

FEWEST_LETTERS = 2
EARLIEST_BIRTH = date(1880, 1, 1)
LONGEST_PERIOD = timedelta(days=5 * 366)
THROTTLE_MINUTES = 10
PURPOSES: dict[Role, tuple[Purpose, ...]] = {
    Role.PRACTITIONER: (Purpose.TREATING, Purpose.REVIEWING_OWN),
    Role.PHARMACY: (Purpose.DISPENSING, Purpose.REVIEWING_OWN),
}
PURPOSE_WORDS = {
    Purpose.TREATING: "Treating this patient",
    Purpose.DISPENSING: "Dispensing to this patient",
    Purpose.REVIEWING_OWN: "Reviewing what I prescribed or dispensed",
    Purpose.OVERSIGHT: "Oversight",
}


@dataclass(frozen=True)
class Criteria:
    """What a user searches for; the period is of fill dates, both included."""

    first_name: str
    last_name: str
    birth_date: date
    purpose: Purpose
    since: date
    until: date
    similar: bool = False


@dataclass(frozen=True)
class Answer:
    """Where a search ended, and the token under which its user sees the answer."""

    outcome: LookUpOutcome
    token: str


@dataclass(frozen=True)
class Result:
    """A search that did not lead to one report: candidates, or none at all."""

    look_up: LookUp
    candidates: list[Candidate]

    @property
    def is_cut_off(self) -> bool:
        return len(self.candidates) >= patient_search.MOST


def purposes(user: User) -> tuple[Purpose, ...]:
    """Give the purposes for which a user of this role may search."""
    return PURPOSES.get(user.role, ())


def search(*, criteria: Criteria, by: User, address: str = "", at: datetime) -> Answer:
    """Search for a patient: one exact fit is a report, else candidates, else none.

    RuleError, with the field, when too little is given or too much is asked for; too
    many searches in ten minutes are refused, and kept as refused.
    """
    _check(criteria, by=by, at=at)
    look_up = _keep(criteria, by=by, address=address, at=at)
    found = _found(look_up)[: patient_search.MOST]
    if len(found) == 1 and found[0].is_exact:
        return _answer_with(look_up, found[0].patient_id, at=at)
    outcome = LookUpOutcome.CANDIDATES if found else LookUpOutcome.NONE
    return _answered(look_up, outcome, [each.patient_id for each in found], at=at)


def result(*, token: str, by: User, at: datetime) -> Result:
    """Give the candidates of a search, or that there were none.

    Each time is on the audit record, before the answer. NotFoundError for an unknown,
    foreign or expired token.
    """
    look_up = _of_token(token, by=by, at=at)
    if look_up.outcome not in {LookUpOutcome.CANDIDATES, LookUpOutcome.NONE}:
        raise NotFoundError("This search has another answer.")
    audit.record(
        audit.Event.LOOK_UP_ANSWERED,
        actor=by.username,
        subject=f"look_up:{look_up.id}",
        at=at,
        address=look_up.address,
        detail={"shown": look_up.candidates},
    )
    offered = whereabouts.today(look_up.candidates)
    found = _found(look_up)
    return Result(look_up, [each for each in found if each.patient_id in offered])


def choose(
    *, token: str, patient_id: int, by: User, address: str = "", at: datetime
) -> Answer:
    """Open the report of one of the candidates: a look-up of its own."""
    before = _of_token(token, by=by, at=at)
    if patient_id not in {*before.candidates, *whereabouts.today(before.candidates)}:
        raise NotFoundError("This person was not among the candidates.")
    return _look_at(before, patient_id, by=by, address=address, at=at)


def search_similar(*, token: str, by: User, address: str = "", at: datetime) -> Answer:
    """Repeat a search that found nobody, now with similar spellings."""
    before = _of_token(token, by=by, at=at)
    criteria = replace(_criteria_of(before), similar=True)
    return search(criteria=criteria, by=by, address=address, at=at)


def look_again(*, look_up_id: int, by: User, address: str = "", at: datetime) -> Answer:
    """Look up the patient of an earlier look-up of one's own again, to today.

    The length of the period stays; NotFoundError if it was not one's own, or led to no
    report.
    """
    before = LookUp.get_or_none((LookUp.id == look_up_id) & (LookUp.user == by))
    if before is None or before.patient is None:
        raise NotFoundError("No look-up of yours has this number.")
    return _look_at(before, before.patient.id, by=by, address=address, at=at)


def open_report(
    *, token: str, what: str, by: User, address: str = "", at: datetime
) -> PatientReport:
    """Give the report behind a token: a disclosure, written down before it is made.

    `what` is "page", "PDF" or "CSV". NotFoundError for an unknown, foreign or expired
    token.
    """
    look_up = _of_token(token, by=by, at=at)
    if look_up.patient is None:
        raise NotFoundError("This search has no report.")
    patient = Patient.get_by_id(whereabouts.now(look_up.patient.id))
    with database.atomic():
        disclosures.record(
            patient=patient,
            recipient=by.name,
            address=address,
            what=f"patient report ({what})",
            purpose=PURPOSE_WORDS[look_up.purpose],
            at=at,
            actor=by.username,
            look_up=look_up,
        )
        event = audit.Event.REPORT_OPENED
        audit.record(
            event if what == "page" else audit.Event.REPORT_DOWNLOADED,
            actor=by.username,
            subject=f"patient:{patient.id}",
            at=at,
            address=address,
            detail={"look_up": look_up.id, "what": what, "entries": look_up.entries},
        )
    return history.patient_report(
        patient, since=look_up.since, until=look_up.until, at=at
    )


def of_token(*, token: str, by: User, at: datetime) -> LookUp:
    """Give the look-up behind a token: who asked, when, what for; NotFoundError."""
    return _of_token(token, by=by, at=at)


def mine(*, user: User, page: int = 1, size: int = 50) -> tuple[list[LookUp], int]:
    """Give a page of a user's own look-ups, newest first, and how many there are."""
    query = (
        LookUp.select()
        .where((LookUp.user == user) & (LookUp.outcome != LookUpOutcome.ASKED))
        .order_by(LookUp.at.desc(), LookUp.id.desc())
    )
    return list(query.paginate(page, size)), query.count()


def recent_patients(*, user: User, most: int = 10) -> list[LookUp]:
    """Give a user's latest look-up of each of the last patients, newest first."""
    latest: dict[Patient, LookUp] = {}
    rows = (
        LookUp.select(LookUp, Patient)
        .join(Patient)
        .where(LookUp.user == user)
        .order_by(LookUp.at.desc(), LookUp.id.desc())
        .limit(most * 10)
    )
    for row in rows:
        if row.patient is not None:
            latest.setdefault(row.patient, row)
    return list(latest.values())[:most]


def _check(criteria: Criteria, *, by: User, at: datetime) -> None:
    for field, name in (("first_name", "first name"), ("last_name", "last name")):
        if len(name_key(getattr(criteria, field))) < FEWEST_LETTERS:
            message = f"Enter at least {FEWEST_LETTERS} letters of the {name}"
            raise RuleError(message, field=field)
    today = clock.day_of(at)
    if not EARLIEST_BIRTH <= criteria.birth_date <= today:
        raise RuleError(
            "Enter the date of birth, such as 04/28/1971", field="birth_date"
        )
    if criteria.purpose not in purposes(by):
        raise RuleError("Say what you need this report for", field="purpose")
    _check_period(criteria, today)


def _check_period(criteria: Criteria, today: date) -> None:
    if criteria.since > criteria.until:
        raise RuleError("The first day is after the last day", field="since")
    if criteria.until > today:
        raise RuleError("The last day is in the future", field="until")
    if criteria.until - criteria.since > LONGEST_PERIOD:
        raise RuleError("Ask for at most five years", field="since")


def _keep(criteria: Criteria, *, by: User, address: str, at: datetime) -> LookUp:
    """Write the search down, in a transaction of its own; refuse one too many."""
    limit = settings.current().look_ups_per_ten_minutes
    refused = _recent(by, at) >= limit
    look_up = _written(criteria, by=by, address=address, at=at, refused=refused)
    if refused:
        raise RuleError(
            f"You have looked up {limit} times in {THROTTLE_MINUTES} minutes. Wait a"
            " few minutes, or call the program if your work needs more."
        )
    return look_up


def _recent(user: User, at: datetime) -> int:
    since = at - timedelta(minutes=THROTTLE_MINUTES)
    return (
        LookUp.select()
        .where(
            (LookUp.user == user)
            & (LookUp.at > since)
            & (LookUp.outcome != LookUpOutcome.REFUSED)
        )
        .count()
    )


def _written(
    criteria: Criteria, *, by: User, address: str, at: datetime, refused: bool = False
) -> LookUp:
    with database.atomic():
        look_up: LookUp = LookUp.create(
            user=by,
            at=at,
            first_name=criteria.first_name,
            last_name=criteria.last_name,
            birth_date=criteria.birth_date,
            similar=criteria.similar,
            purpose=criteria.purpose,
            since=criteria.since,
            until=criteria.until,
            address=address,
            outcome=LookUpOutcome.REFUSED if refused else LookUpOutcome.ASKED,
        )
        audit.record(
            audit.Event.LOOK_UP_REFUSED if refused else audit.Event.LOOKED_UP,
            actor=by.username,
            subject=f"look_up:{look_up.id}",
            at=at,
            address=address,
            detail={"purpose": criteria.purpose.value, "similar": criteria.similar},
        )
    return look_up


def _look_at(
    before: LookUp, patient_id: int, *, by: User, address: str, at: datetime
) -> Answer:
    later = clock.day_of(at) - clock.day_of(before.at)
    asked = _criteria_of(before)
    criteria = replace(asked, since=asked.since + later, until=asked.until + later)
    look_up = _keep(criteria, by=by, address=address, at=at)
    return _answer_with(look_up, whereabouts.now(patient_id), at=at)


def _answer_with(look_up: LookUp, patient_id: int, *, at: datetime) -> Answer:
    look_up.patient = Patient.get_by_id(patient_id)
    look_up.entries = (
        Dispensation.select()
        .where(
            (Dispensation.patient == patient_id)
            & (Dispensation.status == DispensationStatus.CURRENT)
            & Dispensation.filled_on.between(look_up.since, look_up.until)
        )
        .count()
    )
    return _answered(look_up, LookUpOutcome.REPORT, [], at=at)


def _answered(
    look_up: LookUp, outcome: LookUpOutcome, offered: list[int], *, at: datetime
) -> Answer:
    """Write down how the search ended and under which token, before it is shown."""
    token = secrets.token_urlsafe(32)
    look_up.outcome = outcome
    look_up.candidates = offered
    look_up.token_sha256 = _hash(token)
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
    return Answer(outcome, token)


def _found(look_up: LookUp) -> list[Candidate]:
    return patient_search.find(
        first_name=look_up.first_name,
        last_name=look_up.last_name,
        birth_date=_birth_date(look_up),
        similar=look_up.similar,
    )


def _criteria_of(look_up: LookUp) -> Criteria:
    return Criteria(
        first_name=look_up.first_name,
        last_name=look_up.last_name,
        birth_date=_birth_date(look_up),
        purpose=look_up.purpose,
        since=look_up.since,
        until=look_up.until,
        similar=look_up.similar,
    )


def _birth_date(look_up: LookUp) -> date:
    if look_up.birth_date is None:
        raise NotFoundError("This search has no birth date.")
    return look_up.birth_date


def _of_token(token: str, *, by: User, at: datetime) -> LookUp:
    found: LookUp | None = LookUp.get_or_none(
        (LookUp.token_sha256 == _hash(token))
        & (LookUp.user == by)
        & (LookUp.token_until > at)
    )
    if found is None:
        raise NotFoundError("There is no such report, or its link has expired.")
    return found


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
