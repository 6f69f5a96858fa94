"""Letters that a patient is owed: drawn once, kept, and which are not printed yet."""

from datetime import date, timedelta

import pytest

from models import (
    AuditEvent,
    Document,
    DocumentKind,
    PatientAsk,
    PatientRequest,
    PatientRequestState,
    User,
)
from pmp import documents, owed_letters, statistics
from pmp.disclosures import patient_requests, request_letters
from pmp.disclosures.denials import GROUNDS, Ground, words_of
from pmp.disclosures.request_letters import CHANGED, LetterKind
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.work_queues import Queue
from tests.conftest import NOW
from tests.factories import make_patient, make_user
from tests.pmp.test_patient_requests import fresh, taken

pytestmark = pytest.mark.usefixtures("db")
MORE_TIME, DENIAL = LetterKind.MORE_TIME, LetterKind.DENIAL
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def staff() -> User:
    return make_user(username="staff.lee")


@pytest.fixture
def request_(staff: User) -> PatientRequest:
    taken(make_patient(), staff)  # another, of which nothing is owed
    return taken(make_patient(), staff)


def extended(request: PatientRequest, by: User) -> PatientRequest:
    patient_requests.extend(request.id, reason="Papers are away.", by=by, at=NOW)
    return fresh(request)


def denied(
    request: PatientRequest, by: User, ground: Ground = Ground.DANGER
) -> PatientRequest:
    patient_requests.end(
        request.id,
        PatientRequestState.DENIED,
        note="Dr. Oakes advises so.",
        ground=ground,
        by=by,
        at=NOW,
    )
    return fresh(request)


def printed(request: PatientRequest, kind: LetterKind, by: User) -> None:
    letter = request_letters.gather(request.id, kind, by=by, at=LATER)
    request_letters.keep(letter, body=f"%PDF {letter.reason}".encode())


def owed() -> list[PatientRequest]:
    return list(owed_letters.requests())


def test_a_request_that_is_neither_extended_nor_denied_owes_no_letter(
    staff: User, request_: PatientRequest
) -> None:
    assert request_letters.standing(request_) == []
    assert owed() == []
    for kind in LetterKind:
        with pytest.raises(ConflictError):
            request_letters.gather(request_.id, kind, by=staff, at=LATER)
        with pytest.raises(NotFoundError):
            request_letters.open_letter(request_.id, kind, by=staff, at=LATER)


def test_an_extended_request_owes_its_letter_until_it_is_printed(
    staff: User, request_: PatientRequest
) -> None:
    extended(request_, staff)
    assert owed() == [request_]

    letter = request_letters.gather(request_.id, MORE_TIME, by=staff, at=LATER)
    assert (letter.reason, letter.explained) == ("Papers are away.", None)
    assert letter.law == "45 CFR 164.524(b)(2) and 164.528(c)(1)"
    assert letter.request.due_on == date(2027, 1, 19)
    request_letters.keep(letter, body=b"%PDF-more")

    assert owed() == []
    (standing,) = request_letters.standing(fresh(request_))
    assert (standing.words, standing.is_owed) == ("More time", False)
    assert standing.document is not None
    assert standing.document.kind == DocumentKind.PATIENT_REPORT
    assert standing.document.sealed != b"%PDF-more"
    body = request_letters.open_letter(request_.id, MORE_TIME, by=staff, at=LATER)
    assert body == b"%PDF-more"
    events = AuditEvent.select().where(AuditEvent.event.contains("letter_"))
    assert [each.event for each in events.order_by(AuditEvent.id)] == [
        "patient_request:letter_made",
        "patient_request:letter_opened",
    ]
    assert all("more-time" in each.detail.values() for each in events)


def test_a_letter_is_printed_once_by_the_quicker_of_two(
    staff: User, request_: PatientRequest
) -> None:
    extended(request_, staff)
    slow = request_letters.gather(request_.id, MORE_TIME, by=staff, at=LATER)
    printed(request_, MORE_TIME, staff)

    with pytest.raises(ConflictError) as refused:
        request_letters.keep(slow, body=b"%PDF-slow")

    assert refused.value.message == CHANGED
    body = request_letters.open_letter(request_.id, MORE_TIME, by=staff, at=LATER)
    assert body == b"%PDF Papers are away."


def test_a_letter_about_more_time_is_not_owed_once_the_request_has_ended(
    staff: User, request_: PatientRequest
) -> None:
    extended(request_, staff)
    late = request_letters.gather(request_.id, MORE_TIME, by=staff, at=LATER)
    patient_requests.end(request_.id, PatientRequestState.WITHDRAWN, by=staff, at=NOW)

    assert owed() == []
    with pytest.raises(ConflictError):
        request_letters.keep(late, body=b"%PDF-late")


def test_a_denial_wants_a_ground_and_a_reason_in_words(
    staff: User, request_: PatientRequest
) -> None:
    state = PatientRequestState.DENIED
    with pytest.raises(RuleError) as refused:
        patient_requests.end(request_.id, state, note="No.", by=staff, at=NOW)
    assert refused.value.field == "ground"
    ground = Ground.NOT_HELD
    with pytest.raises(RuleError) as refused:
        patient_requests.end(request_.id, state, ground=ground, by=staff, at=NOW)
    assert refused.value.field == "note"
    assert fresh(request_).state == PatientRequestState.OPEN


def test_a_denied_request_owes_a_letter_with_its_ground_and_reason(
    staff: User, request_: PatientRequest
) -> None:
    ended = denied(request_, staff)
    assert words_of(ended) == GROUNDS[Ground.DANGER].words
    assert owed() == [request_]

    letter = request_letters.gather(request_.id, DENIAL, by=staff, at=LATER)
    assert letter.reason == "Dr. Oakes advises so."
    assert letter.explained == GROUNDS[Ground.DANGER]
    request_letters.keep(letter, body=b"%PDF-no")

    assert owed() == []
    event = AuditEvent.get(AuditEvent.event == "patient_request:ended")
    assert event.detail["ground"] == "danger"


def test_a_request_that_is_denied_again_owes_another_letter(
    staff: User, request_: PatientRequest
) -> None:
    denied(request_, staff)
    printed(request_, DENIAL, staff)
    first = fresh(request_).__data__["denial_letter"]
    at = LATER + timedelta(days=1)
    patient_requests.reopen(request_.id, by=staff, at=at)
    assert owed() == []
    (standing,) = request_letters.standing(fresh(request_))
    assert not standing.is_owed
    patient_requests.end(
        request_.id,
        PatientRequestState.DENIED,
        note="They brought no paper.",
        ground=Ground.NOT_SHOWN,
        by=staff,
        at=at,
    )
    assert owed() == [request_]

    letter = request_letters.gather(request_.id, DENIAL, by=staff, at=at)
    request_letters.keep(letter, body=b"%PDF-again")

    assert owed() == []
    body = request_letters.open_letter(request_.id, DENIAL, by=staff, at=at)
    assert body == b"%PDF-again"
    with pytest.raises(documents.DocumentLostError):
        documents.read(Document.get_by_id(first))


def test_a_letter_of_a_denial_that_was_taken_back_meanwhile_is_not_kept(
    staff: User, request_: PatientRequest
) -> None:
    denied(request_, staff)
    slow = request_letters.gather(request_.id, DENIAL, by=staff, at=LATER)
    patient_requests.reopen(request_.id, by=staff, at=LATER)
    with pytest.raises(ConflictError):
        request_letters.keep(slow, body=b"%PDF-slow")
    patient_requests.end(
        request_.id,
        PatientRequestState.DENIED,
        note="Another reason.",
        ground=Ground.NOT_HELD,
        by=staff,
        at=LATER,
    )

    with pytest.raises(ConflictError):
        request_letters.keep(slow, body=b"%PDF-slow")

    assert owed() == [request_]


def test_a_request_that_was_denied_before_there_were_grounds_owes_nothing(
    staff: User, request_: PatientRequest
) -> None:
    denied(request_, staff)
    PatientRequest.update(denied_ground="").execute()

    assert owed() == []
    assert request_letters.standing(fresh(request_)) == []


@pytest.mark.parametrize(
    ("asks", "law"),
    [
        (PatientAsk.RECORD, "45 CFR 164.524(b)(2)"),
        (PatientAsk.ACCOUNTING, "45 CFR 164.528(c)(1)"),
    ],
)
def test_the_letter_names_the_law_of_what_was_asked_for(
    staff: User, asks: PatientAsk, law: str
) -> None:
    request = extended(taken(make_patient(), staff, asks=asks), staff)

    letter = request_letters.gather(request.id, MORE_TIME, by=staff, at=LATER)

    assert letter.law == law


def test_the_grounds_that_a_professional_judges_alone_are_reviewed() -> None:
    reviewed = {ground for ground in Ground if GROUNDS[ground].is_reviewed}
    assert reviewed == {Ground.DANGER, Ground.OTHER_PERSON, Ground.REPRESENTATIVE}


def test_letters_that_are_not_printed_are_a_queue_of_staff_and_late_after_days(
    staff: User, request_: PatientRequest
) -> None:
    denied(request_, staff)
    extended(taken(make_patient(), staff), staff)
    printed(extended(taken(make_patient(), staff), staff), MORE_TIME, staff)

    def queue(**passed: int) -> Queue:
        queues = statistics.staff_queues(at=NOW + timedelta(**passed))
        return next(each for each in queues if "letters=owed" in each.address)

    soon, late = queue(days=2), queue(days=2, hours=1)
    assert (soon.count, soon.oldest, soon.late) == (2, NOW, 0)
    assert late.late == 2
