"""A patient has a denial reviewed: asked for on a day, by whom it was looked at, how.

45 CFR 164.524(a)(4) and (d)(4): on the grounds that a health care professional judges,
another one who had no part in the denial decides, and the patient is told in writing.
A review that decides for the patient undoes the denial at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from peewee import IntegrityError

from models import (
    DenialReview,
    PatientRequest,
    PatientRequestState,
    ReviewOutcome,
    User,
)
from pmp import audit, clock, database
from pmp.disclosures import part_denials, patient_requests
from pmp.disclosures.denials import GROUNDS, Ground, part_of
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.registration.names import name_key
from pmp.wording import us_date

CHANGED = "Somebody else has written this review down meanwhile. Look at it again."


@dataclass(frozen=True)
class Denial:
    """Who denied a request, or a part of it, when and on what ground."""

    at: datetime
    by: str
    ground: Ground
    is_part: bool


def of_request(request: PatientRequest) -> Sequence[DenialReview]:
    """List the reviews that a patient asked for, the oldest first."""
    query = DenialReview.select().where(DenialReview.request == request)
    return list(query.order_by(DenialReview.id))


def waiting() -> Any:
    """Give the query of reviews that have not ended, asked for first first."""
    return (
        DenialReview.select()
        .where(DenialReview.ended_at.is_null())
        .order_by(DenialReview.asked_on, DenialReview.id)
    )


def open_of(request: PatientRequest) -> DenialReview | None:
    """Give the review of a request that waits, if one does."""
    found: DenialReview | None = (
        waiting().where(DenialReview.request == request).first()
    )
    return found


def to_review(request: PatientRequest) -> Denial | None:
    """Give the denial of which a review may be asked for and was not yet."""
    if request.state == PatientRequestState.WITHDRAWN:
        return None
    asked = {each.denied_at for each in of_request(request)}
    found = (each for each in _denials(request) if each.at not in asked)
    return next((each for each in found if GROUNDS[each.ground].is_reviewed), None)


def ask(request_id: int, *, asked_on: date, by: User, at: datetime) -> None:
    """Write down that the patient asked for a review. RuleError for a wrong day.

    ConflictError where there is no denial to review, or it was written down already.
    """
    try:
        with database.atomic():
            request = patient_requests.held(request_id)
            denial = to_review(request)
            if denial is None:
                raise ConflictError(CHANGED)
            if not clock.day_of(denial.at) <= asked_on <= clock.day_of(at):
                raise RuleError(
                    f"{us_date(asked_on)} is not a day from the denial,"
                    f" {us_date(denial.at)}, to today.",
                    field="asked_on",
                )
            DenialReview.create(
                request=request,
                denied_at=denial.at,
                asked_on=asked_on,
                noted_by=by.username,
            )
            detail = {"asked_on": str(asked_on), "ground": denial.ground.value}
            event = audit.Event.PATIENT_REQUEST_REVIEW_ASKED
            patient_requests.record(event, request, by, at, **detail)
    except IntegrityError as twice:
        raise ConflictError(CHANGED) from twice


def end(
    request_id: int,
    outcome: ReviewOutcome,
    *,
    reviewer: str,
    reason: str,
    by: User,
    at: datetime,
) -> None:
    """Write down who has reviewed a denial and how it ended; the patient is told.

    Overturned, the request is open again, or all of it is given. RuleError without a
    reviewer or a reason, or for a reviewer who denied it; ConflictError if none waits.
    """
    if not reason.strip():
        raise RuleError("Say why: the patient is told.", field="review_reason")
    with database.atomic():
        request = patient_requests.held(request_id)
        review = open_of(request)
        if review is None:
            raise ConflictError(CHANGED)
        denial = next(
            (each for each in _denials(request) if each.at == review.denied_at), None
        )
        if denial is None:
            raise NotFoundError("There is no such denial any more.")
        _check_reviewer(reviewer, denial)
        review.reviewer, review.outcome = " ".join(reviewer.split()), outcome
        review.reason = reason.strip()
        review.ended_by, review.ended_at = by.username, at
        review.save()
        event, detail = audit.Event.PATIENT_REQUEST_REVIEWED, {"outcome": outcome.value}
        patient_requests.record(event, request, by, at, **detail)
        if outcome == ReviewOutcome.OVERTURNED:
            _undo(request, denial, by=by, at=at)


def _denials(request: PatientRequest) -> Iterator[Denial]:
    """Give what is denied of a request: all of it, then a part."""
    is_denied = request.state == PatientRequestState.DENIED
    if is_denied and request.denied_ground and request.ended_at:
        ground = Ground(request.denied_ground)
        yield Denial(request.ended_at, request.ended_by, ground, is_part=False)
    part = part_of(request)
    if part is not None:
        yield Denial(part.denied_at, part.denied_by, Ground(part.ground), is_part=True)


def _check_reviewer(reviewer: str, denial: Denial) -> None:
    if not name_key(reviewer):
        message = "Write the name of the professional who has reviewed it."
        raise RuleError(message, field="reviewer")
    denier = User.get_or_none(User.username == denial.by)
    names = {name_key(denial.by), name_key(denier.name if denier else "")}
    if name_key(reviewer) in names:
        raise RuleError(
            f"{denial.by} denied it: somebody who had no part in that reviews it.",
            field="reviewer",
        )


def _undo(request: PatientRequest, denial: Denial, *, by: User, at: datetime) -> None:
    """Have the request open, and nothing of it denied that was reviewed."""
    if request.state != PatientRequestState.OPEN:
        patient_requests.reopen(request.id, by=by, at=at)
    if denial.is_part:
        part_denials.give_all(request.id, by=by, at=at)
