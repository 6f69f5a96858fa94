"""Look-ups: a registered user asks for a patient, for a stated purpose.

Every search is kept, and on the audit record, before it is answered, whatever the
answer; where it cannot be kept there is no answer. An answer is reached by a random
token of which only the SHA-256 is stored; it is good for the user who searched and for
a few hours, and another's token is refused like one that never was.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from models import LookUp, LookUpOrigin, LookUpOutcome, User
from pmp import audit, clock, delegates, withheld
from pmp.errors import NotFoundError, RuleError
from pmp.lookup import one_person, patient_search
from pmp.lookup.criteria import (
    PURPOSE_WORDS,
    Criteria,
    check,
    purpose_on_behalf_of,
    purposes,
)
from pmp.lookup.keeping import Answer, answer_with, answered, hashed, keep
from pmp.lookup.patient_search import Candidate
from pmp.matching import whereabouts
from pmp.prepared import Given, prepared

__all__ = [
    "PURPOSE_WORDS",
    "Answer",
    "Candidate",
    "Criteria",
    "Result",
    "choose",
    "look_again",
    "of_token",
    "purpose_on_behalf_of",
    "purposes",
    "result",
    "search",
    "search_again",
    "search_similar",
]

NOT_OFFERED = "This person was not among the candidates."


@dataclass(frozen=True)
class Result:
    """A search that did not lead to one report: candidates, or none at all."""

    look_up: LookUp
    candidates: list[Candidate]

    @property
    def is_cut_off(self) -> bool:
        return len(self.candidates) >= patient_search.MOST


def search(
    *,
    criteria: Criteria,
    by: User,
    address: str = "",
    at: datetime,
    origin: LookUpOrigin = LookUpOrigin.SEARCH,
) -> Answer:
    """Search for a patient: one exact fit is a report, else candidates, else none.

    RuleError, with the field, when too little is given or too much is asked for; one
    search too many is LimitError, and kept as refused.
    """
    check(criteria, by=by, at=at)
    look_up = keep(criteria, by=by, address=address, at=at, origin=origin)
    found = _found(look_up)[: patient_search.MOST]
    if len(found) == 1 and found[0].is_exact:
        return answer_with(look_up, found[0].patient_id, at=at)
    outcome = LookUpOutcome.CANDIDATES if found else LookUpOutcome.NONE
    return answered(look_up, outcome, [each.patient_id for each in found], at=at)


def result(*, token: str, by: User, at: datetime) -> Result:
    """Give the candidates of a search, or that there were none.

    Each time is on the audit record, before the answer. NotFoundError for an unknown,
    foreign or expired token, and where staff have divided one of them since.
    """
    look_up = of_token(token=token, by=by, at=at)
    if look_up.outcome not in {LookUpOutcome.CANDIDATES, LookUpOutcome.NONE}:
        raise NotFoundError("This search has another answer.")
    offered = {whereabouts.now(each, look_up.at) for each in look_up.candidates}
    audit.record(
        audit.Event.LOOK_UP_ANSWERED,
        actor=by.username,
        subject=f"look_up:{look_up.id}",
        at=at,
        address=look_up.address,
        detail={"shown": look_up.candidates},
    )
    found = _found(look_up)
    return Result(look_up, [each for each in found if each.patient_id in offered])


def choose(
    *,
    token: str,
    patient_ids: Sequence[int],
    by: User,
    address: str = "",
    at: datetime,
) -> Answer:
    """Open the report of one of the candidates: a look-up of its own.

    It is kept under the name that was chosen, so that one's list tells apart whom one
    looked at. Of several, it is the likeliest's report; the staff are asked whether
    they are one person, and nothing is joined before they have decided.
    """
    before = of_token(token=token, by=by, at=at)
    today = whereabouts.today(before.candidates, before.at, until=at)
    offered = {*before.candidates, *today}
    if not offered.issuperset(patient_ids):
        raise NotFoundError(NOT_OFFERED)
    # A page shows who stood under a number at any time since: it must be one person.
    wanted = {whereabouts.now(each, before.at, until=at) for each in patient_ids}
    chosen = [each for each in _found(before) if each.patient_id in wanted]
    if not chosen:
        raise NotFoundError(NOT_OFFERED)
    if len(chosen) > 1:
        one_person.ask(before, [each.patient_id for each in chosen], by=by, at=at)
    likeliest = chosen[0]
    criteria = replace(
        _up_to(_criteria_of(before), before, at),
        first_name=likeliest.first_name,
        last_name=likeliest.last_name,
        birth_date=likeliest.birth_date,
    )
    origin = LookUpOrigin.CANDIDATE
    look_up = keep(criteria, by=by, address=address, at=at, origin=origin)
    return answer_with(look_up, likeliest.patient_id, at=at)


def search_similar(*, token: str, by: User, address: str = "", at: datetime) -> Answer:
    """Repeat a search that found nobody, now with similar spellings."""
    before = of_token(token=token, by=by, at=at)
    criteria = replace(_criteria_of(before), similar=True)
    return search(criteria=criteria, by=by, address=address, at=at)


def look_again(*, look_up_id: int, by: User, address: str = "", at: datetime) -> Answer:
    """Look up the patient of an earlier look-up of one's own again, to today.

    The length of the period stays. Where staff have divided the patient since, nobody
    can tell who was meant: it is a new search by the name and birth date of then, and
    so it is where all that is known of the patient is withheld by now.
    NotFoundError if it was not one's own, or led to no report.
    """
    before = of_user(look_up_id, by=by, at=at)
    if before.patient is None:
        raise NotFoundError("No look-up of yours has this number.")
    [patient_id] = whereabouts.today([before.patient.id], before.at) or [None]
    if patient_id is None or withheld.only_withheld([patient_id]):
        return search_again(look_up_id=look_up_id, by=by, address=address, at=at)
    is_own = before.__data__["user"] == by.id
    criteria = _up_to(_criteria_of(before, is_own=is_own), before, at)
    look_up = keep(criteria, by=by, address=address, at=at, origin=LookUpOrigin.AGAIN)
    return answer_with(look_up, patient_id, at=at)


def search_again(
    *, look_up_id: int, by: User, address: str = "", at: datetime
) -> Answer:
    """Repeat an earlier search of one's own, whatever it found then, to today."""
    before = of_user(look_up_id, by=by, at=at)
    is_own = before.__data__["user"] == by.id
    criteria = _up_to(_criteria_of(before, is_own=is_own), before, at)
    return search(
        criteria=criteria, by=by, address=address, at=at, origin=LookUpOrigin.AGAIN
    )


def of_user(look_up_id: int, *, by: User, at: datetime) -> LookUp:
    """Give a user's own look-up, or one that was on their behalf; NotFoundError.

    A delegate's is theirs while they work for that supervisor.
    """
    found: LookUp | None = LookUp.get_or_none(LookUp.id == look_up_id)
    if found is None or by.id not in _whose(found):
        raise NotFoundError("No look-up of yours has this number.")
    if not delegates.may_see(found, by=by, at=at):
        raise NotFoundError("No look-up of yours has this number.")
    return found


def _whose(look_up: LookUp) -> set[int]:
    owners = {look_up.__data__["user"]}
    if look_up.delegation is not None:
        owners.add(look_up.delegation.__data__["supervisor"])
    return owners


def of_token(*, token: str, by: User, at: datetime) -> LookUp:
    """Give the look-up behind a token: who asked, when, what for; NotFoundError."""
    found: LookUp | None = _behind.one(token=hashed(token), user=by.id, at=at)
    if found is None or not delegates.may_see(found, by=by, at=at):
        raise NotFoundError("There is no such report, or its link has expired.")
    return found


@prepared
def _behind() -> Any:
    return (
        LookUp.select()
        .where(LookUp.token_sha256 == Given("token"))
        .where(LookUp.user == Given("user"))
        .where(LookUp.token_until > Given("at"))
    )


def _up_to(criteria: Criteria, before: LookUp, at: datetime) -> Criteria:
    """Move a search's period on by the days that have gone since."""
    later = clock.day_of(at) - clock.day_of(before.at)
    since, until = criteria.since + later, criteria.until + later
    return replace(criteria, since=since, until=until)


def _found(look_up: LookUp) -> list[Candidate]:
    return patient_search.find(
        first_name=look_up.first_name,
        last_name=look_up.last_name,
        birth_date=_birth_date(look_up),
        similar=look_up.similar,
        zip_code=look_up.zip,
    )


def _criteria_of(look_up: LookUp, *, is_own: bool = True) -> Criteria:
    return Criteria(
        first_name=look_up.first_name,
        last_name=look_up.last_name,
        birth_date=_birth_date(look_up),
        purpose=look_up.purpose,
        since=look_up.since,
        until=look_up.until,
        similar=look_up.similar,
        zip=look_up.zip,
        delegation=look_up.__data__["delegation"] if is_own else None,
    )


def _birth_date(look_up: LookUp) -> date:
    if look_up.birth_date is None:
        raise RuleError("This search has no birth date.")
    return look_up.birth_date
