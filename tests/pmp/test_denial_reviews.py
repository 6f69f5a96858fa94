"""A denial that the patient wants reviewed: who may ask, who reviews, what follows."""

from datetime import date, timedelta

import pytest

from models import (
    AuditEvent,
    DenialReview,
    PatientRequest,
    PatientRequestState,
    ReviewOutcome,
    User,
)
from pmp import owed_letters, statistics
from pmp.disclosures import (
    denial_reviews,
    paper_expiry,
    part_denials,
    patient_requests,
    request_letters,
)
from pmp.disclosures.denials import Ground, part_of
from pmp.disclosures.request_letters import LetterKind
from pmp.errors import ConflictError, RuleError
from tests.conftest import NOW
from tests.factories import make_dispensation, make_patient, make_user
from tests.pmp.test_answers_at_once import at_once
from tests.pmp.test_paper_expiry import SIX_YEARS, destroyed
from tests.pmp.test_patient_requests import fresh, paper, taken
from tests.pmp.test_request_letters import denied, printed

pytestmark = pytest.mark.usefixtures("db")
STATE = PatientRequestState
UPHELD, OVERTURNED = ReviewOutcome.UPHELD, ReviewOutcome.OVERTURNED
LATER = NOW + timedelta(days=2)


@pytest.fixture
def staff() -> User:
    return make_user(username="staff.lee", name="Sandra Lee")


@pytest.fixture
def request_(staff: User) -> PatientRequest:
    patient = make_patient()
    make_dispensation(patient=patient)
    make_dispensation(patient=patient)
    denied(taken(make_patient(), staff), staff)  # noise: nobody wants it reviewed
    return taken(patient, staff)


def ask(request: PatientRequest, by: User, day: date | None = None) -> None:
    asked_on = day or NOW.date()
    denial_reviews.ask(request.id, asked_on=asked_on, by=by, at=LATER)


def end(
    request: PatientRequest,
    outcome: ReviewOutcome,
    by: User,
    reviewer: str = "Dr. Noor Haddad",
) -> None:
    denial_reviews.end(
        request.id,
        outcome,
        reviewer=reviewer,
        reason="I agree with it.",
        by=by,
        at=LATER,
    )


def test_only_what_a_professional_judged_is_reviewed_and_once(
    staff: User, request_: PatientRequest
) -> None:
    with pytest.raises(ConflictError):
        ask(request_, staff)
    denied(request_, staff, Ground.CONFIDENCE)
    with pytest.raises(ConflictError):
        ask(request_, staff)
    patient_requests.reopen(request_.id, by=staff, at=NOW)
    denied(request_, staff, Ground.DANGER)
    for wrong in (NOW - timedelta(days=1), LATER + timedelta(days=1)):
        with pytest.raises(RuleError, match="is not a day from the denial"):
            ask(request_, staff, wrong.date())

    def asked() -> object:
        ask(request_, staff)
        return None

    assert at_once([asked, asked]) == [denial_reviews.CHANGED]
    queues = statistics.staff_queues(at=LATER + timedelta(days=1))
    (queue,) = [each for each in queues if "reviews=" in each.address]
    assert (queue.count, queue.late) == (1, 1)


def test_a_denial_that_is_upheld_stays_and_its_patient_is_told(
    staff: User, request_: PatientRequest
) -> None:
    denied(request_, staff)
    printed(request_, LetterKind.DENIAL, staff)
    ask(request_, staff)
    with pytest.raises(ConflictError, match="A review of this denial waits"):
        patient_requests.reopen(request_.id, by=staff, at=LATER)
    for reviewer in (" ", "staff.lee", "sandra  LEE"):
        with pytest.raises(RuleError) as refused:
            end(request_, UPHELD, staff, reviewer)
        assert refused.value.field == "reviewer"

    end(request_, UPHELD, staff)

    assert fresh(request_).state == STATE.DENIED
    (review,) = denial_reviews.of_request(request_)
    assert (review.reviewer, review.ended_by) == ("Dr. Noor Haddad", "staff.lee")
    with pytest.raises(ConflictError):
        end(request_, OVERTURNED, staff)
    with pytest.raises(ConflictError):
        ask(request_, staff)
    assert request_ in owed_letters.requests()
    letter = request_letters.gather(request_.id, LetterKind.REVIEW, by=staff, at=LATER)
    assert (letter.reason, letter.explained) == ("I agree with it.", None)
    request_letters.keep(letter, body=b"%PDF-review")
    assert request_ not in owed_letters.requests()
    event = AuditEvent.get(AuditEvent.event == "patient_request:reviewed")
    assert event.detail["outcome"] == "upheld"
    assert "Haddad" not in str(event.detail)
    # The letter is two days younger than the end of the request.
    assert paper_expiry.purge(at=SIX_YEARS + timedelta(days=1)) == 1
    assert paper_expiry.purge(at=SIX_YEARS + timedelta(days=3)) == 1
    assert destroyed()[-1]["what"] == "review"


def test_a_denial_that_is_overturned_opens_the_request_again(
    staff: User, request_: PatientRequest
) -> None:
    denied(request_, staff)
    ask(request_, staff)

    end(request_, OVERTURNED, staff)

    assert fresh(request_).state == STATE.OPEN
    kinds = [each.kind for each in request_letters.standing(fresh(request_))]
    assert kinds == [LetterKind.REVIEW]
    events = [each.event for each in AuditEvent.select().order_by(AuditEvent.id)]
    assert events[-2:] == ["patient_request:reviewed", "patient_request:reopened"]


def test_a_part_that_was_denied_is_given_once_the_review_says_so(
    staff: User, request_: PatientRequest
) -> None:
    entries = part_denials.entries(request_.id, by=staff, at=NOW)
    part_denials.deny(
        request_.id,
        [entries[0].row_code],
        ground=Ground.DANGER,
        reason="As advised.",
        by=staff,
        at=NOW,
    )
    paper(request_, staff)
    ask(request_, staff)
    with pytest.raises(ConflictError, match="A review of this denial waits"):
        part_denials.give_all(request_.id, by=staff, at=LATER)
    patient_requests.end(request_.id, STATE.GIVEN, by=staff, at=NOW)

    end(request_, OVERTURNED, staff)

    assert fresh(request_).state == STATE.OPEN
    assert part_of(request_) is None
    assert not patient_requests.is_kept(fresh(request_))
    assert DenialReview.get().outcome == OVERTURNED
