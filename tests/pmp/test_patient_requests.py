"""What a patient asks at the counter: who they are, by when, what they were given."""

from datetime import date, timedelta
from typing import Any

import pytest
from peewee import IntegrityError

from models import (
    AuditEvent,
    Disclosure,
    Document,
    Patient,
    PatientAsk,
    PatientRequest,
    PatientRequestState,
    User,
)
from pmp import disclosures, settings
from pmp.disclosures import patient_requests
from pmp.disclosures.denials import Ground
from pmp.disclosures.patient_requests import Told
from pmp.errors import ConflictError, NotFoundError, RuleError
from pmp.matching import decisions
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_identity,
    make_patient,
    make_user,
)
from tests.pmp.test_answers_at_once import at_once

pytestmark = pytest.mark.usefixtures("db")
STATE = PatientRequestState


@pytest.fixture
def staff() -> User:
    return make_user(username="staff.lee")


def told(**fields: Any) -> Told:
    given: dict[str, Any] = {
        "asks": PatientAsk.BOTH,
        "asked_by": "Edith Brandt",
        "represents": "",
        "identity_paper": "Passport",
        "address": "",
        "since": date(2020, 11, 23),
        "until": date(2026, 11, 23),
        "received_on": date(2026, 11, 20),
    }
    return Told(**(given | fields))


def taken(patient: Patient, by: User, **fields: Any) -> PatientRequest:
    return patient_requests.take(patient.id, told(**fields), by=by, at=NOW)


def paper(request: PatientRequest, by: User, body: bytes = b"%PDF-1") -> str:
    gathered = patient_requests.gather(request.id, by=by, at=NOW)
    patient_requests.keep(gathered, body=body, pages=3)
    return gathered.code


def fresh(request: PatientRequest) -> PatientRequest:
    return patient_requests.get(request.id)


def test_a_request_is_due_thirty_days_after_it_came(staff: User) -> None:
    request = taken(make_patient(), staff)

    assert request.due_on == date(2026, 12, 20)
    assert request.paper_seen_by == "staff.lee"
    event = AuditEvent.get(AuditEvent.event == "patient_request:taken")
    assert event.detail["due"] == "2026-12-20"
    assert "Edith" not in str(event.detail)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("asked_by", {"asked_by": " "}),
        ("identity_paper", {"identity_paper": "A library card"}),
        ("since", {"since": date(2026, 11, 24)}),
        ("received_on", {"received_on": date(2026, 11, 24)}),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    staff: User, field: str, wrong: dict[str, Any]
) -> None:
    patient = make_patient()
    with pytest.raises(RuleError) as refused:
        taken(patient, staff, **wrong)
    assert refused.value.field == field
    assert not PatientRequest.select().exists()


def test_it_is_extended_once_with_a_reason_and_before_it_is_due(staff: User) -> None:
    request = taken(make_patient(), staff)
    with pytest.raises(RuleError) as refused:
        patient_requests.extend(request.id, reason=" ", by=staff, at=NOW)
    assert refused.value.field == "reason"

    patient_requests.extend(request.id, reason="Papers are away.", by=staff, at=NOW)

    assert fresh(request).due_on == date(2027, 1, 19)
    assert fresh(request).extended_reason == "Papers are away."
    with pytest.raises(RuleError, match="once"):
        patient_requests.extend(request.id, reason="Again.", by=staff, at=NOW)
    late = taken(make_patient(), staff)
    with pytest.raises(RuleError, match="overdue"):
        patient_requests.extend(
            late.id, reason="x", by=staff, at=NOW + timedelta(days=40)
        )


def test_two_who_extend_at_once_extend_once(staff: User) -> None:
    request = taken(make_patient(), staff)

    def extended() -> object:
        patient_requests.extend(request.id, reason="More.", by=staff, at=NOW)
        return None

    assert len(at_once([extended] * 4)) == 3
    assert fresh(request).due_on == date(2027, 1, 19)


def test_who_has_not_seen_an_extension_extends_nothing(
    staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = taken(make_patient(), staff)
    patient_requests.extend(request.id, reason="First.", by=staff, at=NOW)
    monkeypatch.setattr(patient_requests, "get", lambda _: request)

    with pytest.raises(ConflictError):
        patient_requests.extend(request.id, reason="Second.", by=staff, at=NOW)

    assert PatientRequest.get_by_id(request.id).extended_reason == "First."


def test_the_paper_has_the_record_and_the_accounting_that_were_asked_for(
    staff: User,
) -> None:
    patient = make_patient(last_name="BRANDT", first_name="EDITH")
    fill = make_dispensation(patient=patient)
    make_dispensation(patient=patient, filled_on=date(2019, 1, 1))
    make_dispensation(patient=patient, withheld="naloxone")
    make_dispensation()  # noise: somebody else's
    disclosures.record(
        patient=patient, recipient="OAKES, RAE", what="x", purpose="y", at=NOW
    )

    both = patient_requests.gather(taken(patient, staff).id, by=staff, at=NOW)
    record = patient_requests.gather(
        taken(patient, staff, asks=PatientAsk.RECORD).id, by=staff, at=NOW
    )

    assert both.name == "BRANDT, EDITH"
    assert both.record
    assert [each.row_code for each in both.record.entries] == [fill.row_code]
    assert both.accounting
    assert [each.recipient for each in both.accounting.lines] == ["OAKES, RAE"]
    assert record.accounting is None
    accounting = patient_requests.gather(
        taken(patient, staff, asks=PatientAsk.ACCOUNTING).id, by=staff, at=NOW
    )
    assert accounting.record is None


def test_a_paper_is_a_disclosure_before_anybody_has_it(staff: User) -> None:
    patient = make_patient()
    request = taken(patient, staff, address="1 Oak Street\nHARTFORD CT 06106")

    code = paper(request, staff)

    [disclosure] = Disclosure.select()
    assert disclosure.patient == patient
    assert disclosure.recipient == "Edith Brandt"
    assert code in disclosure.what
    assert patient_requests.open_paper(request.id, by=staff, at=NOW) == b"%PDF-1"
    opened = AuditEvent.get(AuditEvent.event == "patient_request:paper_opened")
    assert opened.detail["code"] == code


def test_a_paper_that_is_made_anew_takes_the_place_of_the_one_before(
    staff: User,
) -> None:
    request = taken(make_patient(), staff)
    paper(request, staff, b"%PDF-old")
    paper(request, staff, b"%PDF-new")

    assert patient_requests.open_paper(request.id, by=staff, at=NOW) == b"%PDF-new"
    assert Document.select().where(Document.purged_at.is_null()).count() == 1
    assert Disclosure.select().count() == 2


def test_how_it_ended_needs_what_belongs_to_it(staff: User) -> None:
    request = taken(make_patient(), staff)
    for state, field in (
        (STATE.GIVEN, "state"),
        (STATE.MAILED, "state"),
        (STATE.DENIED, "ground"),
    ):
        with pytest.raises(RuleError) as refused:
            patient_requests.end(request.id, state, by=staff, at=NOW)
        assert refused.value.field == field
    paper(request, staff)
    with pytest.raises(RuleError, match="address"):
        patient_requests.end(request.id, STATE.MAILED, by=staff, at=NOW)

    patient_requests.end(request.id, STATE.GIVEN, by=staff, at=NOW)

    assert fresh(request).state == STATE.GIVEN
    assert list(patient_requests.waiting()) == []
    with pytest.raises(ConflictError):
        patient_requests.gather(request.id, by=staff, at=NOW)


def test_a_slip_is_undone_once(staff: User) -> None:
    request = taken(make_patient(), staff)
    patient_requests.end(request.id, STATE.WITHDRAWN, note="Slip.", by=staff, at=NOW)

    patient_requests.reopen(request.id, by=staff, at=NOW)

    assert (fresh(request).state, fresh(request).ended_note) == (STATE.OPEN, "")
    assert fresh(request).due_on == request.due_on
    with pytest.raises(ConflictError):
        patient_requests.reopen(request.id, by=staff, at=NOW)
    event = AuditEvent.get(AuditEvent.event == "patient_request:reopened")
    assert event.detail["was"] == "withdrawn"


def test_two_who_end_it_at_once_end_it_once(staff: User) -> None:
    request = taken(make_patient(), staff)

    def ended(state: PatientRequestState) -> object:
        patient_requests.end(
            request.id, state, note="Why.", ground=Ground.NOT_HELD, by=staff, at=NOW
        )
        return None

    refusals = at_once([lambda: ended(STATE.DENIED), lambda: ended(STATE.WITHDRAWN)])

    assert refusals == [patient_requests.CHANGED]
    events = AuditEvent.select().where(AuditEvent.event == "patient_request:ended")
    assert events.count() == 1


def test_a_paper_drawn_while_it_was_withdrawn_is_not_kept(staff: User) -> None:
    request = taken(make_patient(), staff)
    gathered = patient_requests.gather(request.id, by=staff, at=NOW)
    patient_requests.end(request.id, STATE.WITHDRAWN, by=staff, at=NOW)

    with pytest.raises(ConflictError):
        patient_requests.keep(gathered, body=b"%PDF-1", pages=1)

    assert not Document.select().exists()
    assert not Disclosure.select().exists()


def test_the_table_holds_that_what_is_open_has_not_ended(staff: User) -> None:
    request = taken(make_patient(), staff)
    with pytest.raises(IntegrityError):
        PatientRequest.update(ended_at=NOW).where(
            PatientRequest.id == request
        ).execute()


def test_who_was_divided_since_gets_no_paper(staff: User) -> None:
    one = make_identity(last_name="BRANDT")
    two = make_identity(one.patient, last_name="BRANT")
    request = taken(one.patient, staff)
    decisions.split(
        one.patient.id,
        [two.id],
        to=None,
        reason="Mother and daughter.",
        seen=decisions.mark_of(one.patient.id),
        by=staff,
        at=NOW + timedelta(hours=1),
    )

    with pytest.raises(NotFoundError, match="divided"):
        patient_requests.gather(request.id, by=staff, at=NOW + timedelta(hours=2))


def test_the_days_and_the_papers_are_settings(staff: User) -> None:
    with settings.changed(patient_request_days=10, identity_papers="Badge"):
        request = taken(make_patient(), staff, identity_paper="Badge")
    assert request.due_on == date(2026, 11, 30)
