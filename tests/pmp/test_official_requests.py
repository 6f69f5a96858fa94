"""Official requests: exactly the scope, two persons, and when the patient is told."""

from datetime import date, timedelta
from typing import Any

import pytest
from peewee import IntegrityError

from models import (
    AuditEvent,
    Disclosure,
    Document,
    OfficialRequest,
    OfficialState,
    Patient,
    Role,
    Suspension,
    User,
)
from pmp import disclosures, settings
from pmp.disclosures import official_requests, releases
from pmp.disclosures.official_requests import Asked
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
COURT = "Court order or warrant (45 CFR 164.512(f)(1)(ii)(A))"


@pytest.fixture
def staff() -> User:
    return make_user(username="staff.lee")


@pytest.fixture
def chief() -> User:
    return make_user(Role.ADMINISTRATOR, username="admin.chief")


def asked(**fields: Any) -> Asked:
    given: dict[str, Any] = {
        "case_number": "26-1187",
        "agency": "State Police",
        "officer": "Det. R. Moss",
        "contact": "(860) 555-0188",
        "address": "1 Barracks Road\nHARTFORD CT 06106",
        "legal_basis": COURT,
        "reason": "",
        "received_on": date(2026, 11, 20),
        "since": date(2026, 1, 1),
        "until": date(2026, 11, 23),
        "classes": [],
        "suspension": None,
        "suspended_until": None,
    }
    return Asked(**(given | fields))


def prepared(staff: User, *patients: Patient, **fields: Any) -> OfficialRequest:
    request = official_requests.take(asked(**fields), by=staff, at=NOW)
    for patient in patients:
        official_requests.add_patient(request.id, patient.id, by=staff, at=NOW)
    return official_requests.get(request.id)


def handed_on(staff: User, *patients: Patient, **fields: Any) -> OfficialRequest:
    request = prepared(staff, *patients, **fields)
    official_requests.hand_on(request.id, revision=request.revision, by=staff, at=NOW)
    return official_requests.get(request.id)


def released(request: OfficialRequest, by: User, **when: Any) -> OfficialRequest:
    at = when.get("at", NOW)
    gathered = releases.gather(request.id, by=by, at=at)
    releases.release(gathered, revision=request.revision, body=b"%PDF-1", pages=1)
    return official_requests.get(request.id)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("case_number", {"case_number": ""}),
        ("agency", {"agency": " "}),
        ("officer", {"officer": ""}),
        ("legal_basis", {"legal_basis": "They are nice"}),
        ("since", {"since": date(2026, 12, 1)}),
        ("received_on", {"received_on": date(2027, 1, 1)}),
        ("classes", {"classes": ["aspirin"]}),
        ("suspended_until", {"suspended_until": date(2026, 12, 1)}),
        ("suspended_until", {"suspension": Suspension.WRITTEN}),
        (
            "suspended_until",
            {"suspension": Suspension.ORAL, "suspended_until": date(2026, 12, 21)},
        ),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    staff: User, field: str, wrong: dict[str, Any]
) -> None:
    with pytest.raises(RuleError) as refused:
        official_requests.take(asked(**wrong), by=staff, at=NOW)
    assert refused.value.field == field
    assert not OfficialRequest.select().exists()


def test_it_releases_exactly_the_days_and_classes_of_the_persons(
    staff: User, chief: User
) -> None:
    patient, other = make_patient(), make_patient()
    within = make_dispensation(patient=patient, filled_on=date(2026, 3, 1))
    made: dict[str, Any] = {"patient": patient, "filled_on": date(2026, 3, 2)}
    make_dispensation(**{**made, "filled_on": date(2025, 12, 31)})  # runs into it
    make_dispensation(**{**made, "filled_on": date(2026, 4, 1)})
    make_dispensation(**made, schedule="CIV", drug_class="benzodiazepine")
    make_dispensation(**made, withheld="naloxone")
    make_dispensation(**made, status="voided")
    make_dispensation(filled_on=date(2026, 3, 1))  # noise: not on the request
    days = {"since": date(2026, 1, 1), "until": date(2026, 3, 31)}
    request = handed_on(staff, patient, other, classes=["CII"], **days)

    gathered = releases.gather(request.id, by=chief, at=NOW)

    assert [
        (each.patient_id, [entry.row_code for entry in each.entries])
        for each in gathered.extracts
    ] == [(patient.id, [within.row_code]), (other.id, [])]


def test_a_class_may_be_an_ingredient(staff: User, chief: User) -> None:
    patient = make_patient()
    gabapentin = make_dispensation(
        patient=patient,
        schedule="",
        ingredient="gabapentin",
        drug_class="gabapentinoid",
    )
    make_dispensation(patient=patient)
    request = handed_on(staff, patient, classes=["gabapentin"])

    [found] = releases.gather(request.id, by=chief, at=NOW).extracts

    assert [entry.row_code for entry in found.entries] == [gabapentin.row_code]


def test_what_is_released_is_sealed_and_a_disclosure_of_each_person(
    staff: User, chief: User
) -> None:
    patients = [make_patient(), make_patient()]
    request = handed_on(staff, *patients)

    done = released(request, chief)

    assert done.state == OfficialState.RELEASED
    assert (done.prepared_by, done.decided_by) == ("staff.lee", "admin.chief")
    assert {each.patient for each in Disclosure.select()} == set(patients)
    one = Disclosure.select().first()
    assert one.recipient == "Det. R. Moss, State Police"
    assert one.address == "1 Barracks Road\nHARTFORD CT 06106"
    assert one.purpose == f"Case 26-1187: {COURT}"
    assert done.code in one.what
    assert done.document
    assert b"%PDF" not in bytes(done.document.sealed or b"")
    assert releases.open_paper(done.id, by=staff, at=NOW) == b"%PDF-1"
    assert AuditEvent.select().where(
        AuditEvent.event == "official_request:paper_opened"
    )


def test_the_longest_texts_of_the_form_are_released_too(
    staff: User, chief: User
) -> None:
    basis = f"A law of {'x' * 190}"
    with settings.changed(official_bases=basis):
        longest = {
            "case_number": "c" * 100,
            "agency": "a" * 200,
            "officer": "o" * 200,
            "contact": "t" * 200,
            "address": "s" * 250,
            "legal_basis": basis,
        }
        released(handed_on(staff, make_patient(), **longest), chief)

    [disclosure] = Disclosure.select()
    assert disclosure.purpose.startswith(f"Case {'c' * 100}: A law of")


def test_nobody_releases_what_they_have_prepared(chief: User) -> None:
    request = handed_on(chief, make_patient())

    for act in (
        lambda: releases.gather(request.id, by=chief, at=NOW),
        lambda: releases.deny(
            request.id, reason="x", revision=request.revision, by=chief, at=NOW
        ),
    ):
        with pytest.raises(RuleError, match="somebody else"):
            act()
    other = make_user(Role.ADMINISTRATOR)
    gathered = releases.gather(request.id, by=other, at=NOW)
    gathered.request.prepared_by = "somebody.else"  # as if the check were gone
    with pytest.raises(IntegrityError):
        OfficialRequest.update(decided_by=chief.username).where(
            OfficialRequest.id == request
        ).execute()
    assert not Disclosure.select().exists()


def test_only_with_the_permission_is_one_the_second_person(staff: User) -> None:
    request = handed_on(staff, make_patient())
    colleague = make_user(username="staff.ortiz")

    assert not releases.may_decide(request, colleague)
    with pytest.raises(RuleError):
        releases.gather(request.id, by=colleague, at=NOW)


def test_only_who_prepares_it_changes_it(staff: User) -> None:
    request, patient = prepared(staff), make_patient()
    colleague = make_user(username="staff.ortiz")

    with pytest.raises(RuleError, match=r"staff\.lee"):
        official_requests.add_patient(request.id, patient.id, by=colleague, at=NOW)
    with pytest.raises(RuleError, match=r"staff\.lee"):
        official_requests.change(
            request.id, asked(), revision=request.revision, by=colleague, at=NOW
        )
    with pytest.raises(RuleError):
        official_requests.withdraw(request.id, by=colleague, at=NOW)


def test_a_request_needs_somebody_it_is_about_each_once(staff: User) -> None:
    request, patient = prepared(staff), make_patient()
    with pytest.raises(RuleError, match="Add whom"):
        official_requests.hand_on(
            request.id, revision=request.revision, by=staff, at=NOW
        )
    official_requests.add_patient(request.id, patient.id, by=staff, at=NOW)
    with pytest.raises(RuleError, match="already") as refused:
        official_requests.add_patient(request.id, patient.id, by=staff, at=NOW)
    assert refused.value.field == "number"
    official_requests.remove_patient(request.id, patient.id, by=staff, at=NOW)
    assert official_requests.persons_of(request) == []


def test_two_who_release_at_once_release_once(staff: User) -> None:
    request = handed_on(staff, make_patient())
    chiefs = [make_user(Role.ADMINISTRATOR) for _ in range(3)]

    refusals = at_once(
        [lambda by=each: released(request, by) for each in chiefs]  # type: ignore[misc]
    )

    assert len(refusals) == 2
    assert Disclosure.select().count() == 1
    assert Document.select().count() == 1


def test_what_was_taken_back_while_it_was_read_is_not_released(
    staff: User, chief: User
) -> None:
    request = handed_on(staff, make_patient())
    gathered = releases.gather(request.id, by=chief, at=NOW)
    official_requests.take_back(request.id, by=staff, at=NOW)
    again = official_requests.get(request.id)
    official_requests.change(
        request.id,
        asked(classes=["CII"]),
        revision=again.revision,
        by=staff,
        at=NOW,
    )
    again = official_requests.get(request.id)
    official_requests.hand_on(request.id, revision=again.revision, by=staff, at=NOW)

    with pytest.raises(ConflictError):
        releases.release(gathered, revision=request.revision, body=b"%PDF-1", pages=1)

    assert not Disclosure.select().exists()
    assert not Document.select().exists()


def test_a_request_is_given_back_and_denied_with_a_reason(
    staff: User, chief: User
) -> None:
    request = handed_on(staff, make_patient())
    with pytest.raises(RuleError) as refused:
        releases.deny(
            request.id, reason=" ", revision=request.revision, by=chief, at=NOW
        )
    assert refused.value.field == "reason"

    releases.give_back(
        request.id,
        reason="Which months?",
        revision=request.revision,
        by=chief,
        at=NOW,
    )
    back = official_requests.get(request.id)
    assert (back.state, back.decided_note) == (
        OfficialState.PREPARING,
        "Which months?",
    )
    official_requests.hand_on(request.id, revision=back.revision, by=staff, at=NOW)
    back = official_requests.get(request.id)
    releases.deny(
        request.id, reason="No order.", revision=back.revision, by=chief, at=NOW
    )

    assert official_requests.get(request.id).state == OfficialState.DENIED
    with pytest.raises(ConflictError):
        official_requests.withdraw(request.id, by=staff, at=NOW)


def test_the_patient_is_not_told_before_the_day_that_the_office_named(
    staff: User, chief: User
) -> None:
    patient = make_patient()
    until = {
        "suspension": Suspension.ORAL,
        "suspended_until": date(2026, 12, 15),
    }
    done = released(handed_on(staff, patient, **until), chief)
    day = timedelta(days=1)

    def told(on: date) -> int:
        return len(disclosures.accounting(patient.id, told_on=on))

    assert [told(date(2026, 12, 15) - day), told(date(2026, 12, 15))] == [0, 1]

    releases.suspend(done.id, Suspension.WRITTEN, date(2027, 3, 1), by=chief, at=NOW)
    assert [told(date(2026, 12, 15)), told(date(2027, 3, 1))] == [0, 1]
    releases.suspend(done.id, None, None, by=chief, at=NOW)
    assert told(date(2026, 11, 23)) == 1


def test_whom_staff_have_joined_meanwhile_is_disclosed_once(
    staff: User, chief: User
) -> None:
    one, two = make_identity(), make_identity()
    request = handed_on(staff, one.patient, two.patient)
    later = NOW + timedelta(hours=1)
    review = decisions.ask(one.patient.id, two.patient.id, by=staff, at=later)
    decisions.join(
        review,
        reason="One person.",
        seen=decisions.mark_of(one.patient.id, two.patient.id),
        by=staff,
        at=later,
    )

    done = released(request, chief, at=NOW + timedelta(hours=2))

    [disclosure] = Disclosure.select()
    assert disclosure.patient == one.patient
    assert {each.disclosure for each in official_requests.persons_of(done)} == {
        disclosure
    }


def test_whom_staff_have_divided_meanwhile_is_not_disclosed(
    staff: User, chief: User
) -> None:
    one = make_identity(last_name="BRANDT")
    two = make_identity(one.patient, last_name="BRANT")
    request = handed_on(staff, one.patient)
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
        releases.gather(request.id, by=chief, at=NOW + timedelta(hours=2))
