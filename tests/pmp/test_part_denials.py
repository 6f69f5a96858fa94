"""A part of a record is denied: the rest is given, and the patient is told why."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from models import (
    AuditEvent,
    Disclosure,
    Dispensation,
    Document,
    PatientAsk,
    PatientRequest,
    PatientRequestState,
    User,
)
from pmp import owed_letters
from pmp.disclosures import (
    letter_mailings,
    paper_expiry,
    part_denials,
    patient_requests,
    request_letters,
)
from pmp.disclosures.denials import Ground
from pmp.disclosures.request_letters import LetterKind
from pmp.errors import ConflictError, RuleError
from tests.conftest import NOW
from tests.factories import make_dispensation, make_patient, make_user
from tests.pmp.test_answers_at_once import at_once
from tests.pmp.test_paper_expiry import SIX_YEARS, destroyed
from tests.pmp.test_patient_requests import fresh, paper, taken

pytestmark = pytest.mark.usefixtures("db")
STATE = PatientRequestState
PART = LetterKind.PART


@pytest.fixture
def staff() -> User:
    return make_user(username="staff.lee")


@pytest.fixture
def fills() -> list[Dispensation]:
    patient = make_patient()
    return [make_dispensation(patient=patient) for _ in range(3)]


@pytest.fixture
def request_(staff: User, fills: list[Dispensation]) -> PatientRequest:
    return taken(fills[0].patient, staff, address="1 Oak Street\nHARTFORD CT 06106")


def deny(
    request: PatientRequest, fills: Sequence[Dispensation], by: User, **other: Any
) -> None:
    given: dict[str, Any] = {
        "ground": Ground.OTHER_PERSON,
        "reason": "Dr. Oakes advises so.",
        "at": NOW,
    } | other
    codes = [each.row_code for each in fills]
    part_denials.deny(request.id, codes, by=by, **given)


def printed(request: PatientRequest, by: User, kind: LetterKind = PART) -> None:
    letter = request_letters.gather(request.id, kind, by=by, at=NOW)
    request_letters.keep(letter, body=b"%PDF-letter")


def test_the_paper_has_the_rest_and_the_patient_is_owed_a_letter(
    staff: User, request_: PatientRequest, fills: list[Dispensation]
) -> None:
    paper(request_, staff, b"%PDF-all")
    deny(request_, fills[:1], staff)

    assert fresh(request_).document is None
    assert Document.get().sealed is None
    with pytest.raises(RuleError, match="Make the paper first"):
        patient_requests.end(request_.id, STATE.GIVEN, by=staff, at=NOW)
    gathered = patient_requests.gather(request_.id, by=staff, at=NOW)
    assert gathered.record
    assert {each.row_code for each in gathered.record.entries} == {
        each.row_code for each in fills[1:]
    }
    patient_requests.keep(gathered, body=b"%PDF-rest", pages=1)
    told = Disclosure.select().order_by(Disclosure.id.desc()).get()
    assert "disclosures, in part (A-" in told.what
    patient_requests.end(request_.id, STATE.GIVEN, by=staff, at=NOW)
    assert list(owed_letters.requests()) == [request_]

    letter = request_letters.gather(request_.id, PART, by=staff, at=NOW)
    assert letter.explained
    assert letter.explained.is_reviewed
    request_letters.keep(letter, body=b"%PDF-letter")

    assert list(owed_letters.requests()) == []
    event = AuditEvent.get(AuditEvent.event == "patient_request:part_denied")
    assert event.detail["entries"] == [fills[0].row_code]
    assert "Oakes" not in str(event.detail)
    assert paper_expiry.purge(at=SIX_YEARS + timedelta(days=1)) == 2
    assert destroyed()[-1]["what"] == "part"


@pytest.mark.parametrize(
    ("chosen", "wrong", "field"),
    [
        (0, {}, "entries"),
        (3, {}, "entries"),
        (1, {"ground": None}, "ground"),
        (1, {"ground": Ground.NOT_HELD}, "ground"),
        (1, {"reason": " "}, "reason"),
    ],
)
def test_what_is_missing_is_told_at_its_field(
    staff: User,
    request_: PatientRequest,
    fills: list[Dispensation],
    chosen: int,
    wrong: dict[str, Any],
    field: str,
) -> None:
    with pytest.raises(RuleError) as refused:
        deny(request_, fills[:chosen], staff, **wrong)
    assert refused.value.field == field
    stranger = make_dispensation()
    with pytest.raises(RuleError, match="not in this record"):
        deny(request_, [stranger], staff)


def test_an_accounting_and_what_has_ended_are_not_denied_in_part(
    staff: User, request_: PatientRequest, fills: list[Dispensation]
) -> None:
    accounting = taken(fills[0].patient, staff, asks=PatientAsk.ACCOUNTING)
    patient_requests.end(request_.id, STATE.WITHDRAWN, by=staff, at=NOW)
    for each in (accounting, request_):
        with pytest.raises(ConflictError):
            deny(each, fills[:1], staff)
        with pytest.raises(ConflictError):
            part_denials.entries(each.id, by=staff, at=NOW)


def test_two_who_deny_at_once_deny_once(
    staff: User, request_: PatientRequest, fills: list[Dispensation]
) -> None:
    def denied(fill: Dispensation) -> object:
        deny(request_, [fill], staff)
        return None

    refusals = at_once([lambda: denied(fills[0]), lambda: denied(fills[1])])

    assert refusals == [part_denials.CHANGED]


def test_a_paper_drawn_before_the_denial_is_not_kept(
    staff: User, request_: PatientRequest, fills: list[Dispensation]
) -> None:
    whole = patient_requests.gather(request_.id, by=staff, at=NOW)
    deny(request_, fills[:1], staff)

    with pytest.raises(ConflictError):
        patient_requests.keep(whole, body=b"%PDF-all", pages=1)

    assert not Disclosure.select().exists()


def test_what_is_denied_and_no_more_in_the_record_stops_the_paper(
    staff: User, request_: PatientRequest, fills: list[Dispensation]
) -> None:
    """Another entry may have taken its place, which must not go out unseen."""
    deny(request_, fills[:1], staff)
    Dispensation.update(withheld="naloxone").where(
        Dispensation.id == fills[0].id
    ).execute()

    with pytest.raises(ConflictError, match="was taken back"):
        patient_requests.gather(request_.id, by=staff, at=NOW)


def test_all_is_given_after_all_and_nothing_is_owed(
    staff: User, request_: PatientRequest, fills: list[Dispensation]
) -> None:
    deny(request_, fills[:1], staff)
    printed(request_, staff)
    paper(request_, staff)
    with pytest.raises(RuleError, match="give all first"):
        patient_requests.end(
            request_.id,
            STATE.DENIED,
            note="No.",
            ground=Ground.DANGER,
            by=staff,
            at=NOW,
        )

    part_denials.give_all(request_.id, by=staff, at=NOW)

    gathered = patient_requests.gather(request_.id, by=staff, at=NOW)
    assert gathered.record
    assert len(gathered.record.entries) == 3
    assert request_letters.standing(fresh(request_)) == []
    assert {each.purged_at for each in Document.select()} == {NOW}
    with pytest.raises(ConflictError):
        part_denials.give_all(request_.id, by=staff, at=NOW)


def test_a_letter_that_was_mailed_says_when_and_by_whom(
    staff: User, request_: PatientRequest, fills: list[Dispensation]
) -> None:
    later = NOW + timedelta(days=3)

    def note(days: int) -> None:
        day = (NOW + timedelta(days=days)).date()
        letter_mailings.note(request_.id, PART, mailed_on=day, by=staff, at=later)

    deny(request_, fills[:1], staff)
    with pytest.raises(RuleError) as refused:
        note(0)
    assert refused.value.field == "letter"
    printed(request_, staff)
    for wrong in (-1, 4):
        with pytest.raises(RuleError, match="not a day from when it was printed"):
            note(wrong)
    note(1)
    note(2)

    (standing,) = request_letters.standing(fresh(request_))
    assert standing.mailing
    assert standing.mailing.mailed_on == (NOW + timedelta(days=2)).date()
    assert standing.mailing.noted_by == "staff.lee"
    events = AuditEvent.select().where(AuditEvent.event.contains("letter_mailed"))
    assert [each.detail["mailed_on"] for each in events] == ["2026-11-24", "2026-11-25"]
