"""A patient as staff see them: how reported, why joined, what was decided.

Finding and opening one is a use of patient data, so each is on the audit record first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from models import (
    CaseStatus,
    DecidedIdentity,
    Disclosure,
    MatchDecision,
    MatchReview,
    Patient,
    ReportedIdentity,
    ThresholdCase,
    ThresholdRule,
    User,
)
from pmp import audit, clock, disclosures, dispensations
from pmp.errors import NotFoundError
from pmp.lookup import patient_search
from pmp.lookup.patient_search import Candidate
from pmp.matching import decisions, reviews, undoing, whereabouts
from pmp.matching.open_reviews import waiting
from pmp.matching.reviews import Side

SHOWN_DISCLOSURES = 20


@dataclass(frozen=True)
class Decided:
    """A decision and, if it cannot be undone yet, the later one that must be first."""

    decision: MatchDecision
    later: MatchDecision | None


@dataclass(frozen=True)
class PatientFile:
    """Everything that the staff's page of a patient shows.

    `moved` are the decisions that brought an identity here, by identity, newest last;
    `joined_with` is where this patient went if nobody is reported under it any more.
    """

    patient: Patient
    side: Side
    moved: dict[int, list[MatchDecision]]
    decided: Sequence[Decided]
    cases: Sequence[ThresholdCase]
    questions: Sequence[MatchReview]
    disclosures: Sequence[Disclosure]
    disclosed: int
    mark: str
    joined_with: int | None


def find_by_row_code(typed: str, *, by: User, at: datetime) -> int:
    """Give the patient of the entry that a code names; NotFoundError."""
    try:
        found = int(dispensations.find_by_row_code(typed).patient.id)
    except NotFoundError:
        _searched("row code", [], by=by, at=at)
        raise
    _searched("row code", [found], by=by, at=at)
    return found


def find_by_name(
    *, first_name: str, last_name: str, birth_date: date, by: User, at: datetime
) -> list[Candidate]:
    """Give the patients who fit, similar spellings too, the likeliest first."""
    found = patient_search.find(
        first_name=first_name, last_name=last_name, birth_date=birth_date, similar=True
    )
    _searched("name", [each.patient_id for each in found], by=by, at=at)
    return found


def open_file(patient_id: int, *, by: User, at: datetime) -> PatientFile:
    """Open a patient's file; NotFoundError if there is no such patient."""
    patient: Patient | None = Patient.get_or_none(id=patient_id)
    if patient is None:
        raise NotFoundError("There is no such patient.")
    audit.record(
        audit.Event.PATIENT_VIEWED,
        actor=by.username,
        subject=f"patient:{patient_id}",
        at=at,
    )
    side = reviews.side(patient_id)
    # Staff read it to the patient: without what the patient is not to be told yet.
    told = disclosures.accounting(patient_id, told_on=clock.day_of(at))
    return PatientFile(
        patient=patient,
        side=side,
        moved=_moved(patient_id, [each.row.id for each in side.reported]),
        decided=[
            Decided(each, None if each.undone_at else undoing.later(each))
            for each in decisions.about(patient_id)
        ],
        cases=_cases(patient_id),
        questions=list(waiting().where(_asked_about(patient_id))),
        disclosures=told[:SHOWN_DISCLOSURES],
        disclosed=len(told),
        mark=decisions.mark_of(patient_id),
        joined_with=_elsewhere(patient_id) if not side.reported else None,
    )


def _searched(what: str, found: list[int], *, by: User, at: datetime) -> None:
    audit.record(
        audit.Event.PATIENTS_SEARCHED,
        actor=by.username,
        subject=f"patient:{found[0]}" if len(found) == 1 else "patients",
        at=at,
        detail={"by": what, "found": found},
    )


def _moved(patient_id: int, identities: list[int]) -> dict[int, list[MatchDecision]]:
    rows = (
        DecidedIdentity.select(DecidedIdentity, MatchDecision)
        .join(MatchDecision)
        .where(DecidedIdentity.identity.in_(identities))
        .where(DecidedIdentity.after == patient_id)
        .where(DecidedIdentity.before != patient_id)
        .where(MatchDecision.undone_at.is_null())
        .order_by(MatchDecision.id)
    )
    found: dict[int, list[MatchDecision]] = {}
    for row in rows:
        found.setdefault(row.__data__["identity"], []).append(row.decision)
    return found


def _cases(patient_id: int) -> list[ThresholdCase]:
    return list(
        ThresholdCase.select(ThresholdCase, ThresholdRule)
        .join(ThresholdRule)
        .where(ThresholdCase.patient == patient_id)
        .where(ThresholdCase.status != CaseStatus.WITHDRAWN)
        .order_by(ThresholdCase.crossed_on.desc(), ThresholdCase.id.desc())
    )


def _asked_about(patient_id: int) -> object:
    return (MatchReview.candidate == patient_id) | (
        ReportedIdentity.patient == patient_id
    )


def _elsewhere(patient_id: int) -> int | None:
    try:
        found = whereabouts.joined_with(patient_id)
    except NotFoundError:
        return None
    return found if found != patient_id else None
