from datetime import date
from decimal import Decimal

import pytest

import models
from models import (
    AuditEvent,
    CaseStatus,
    Dispensation,
    DispensationStatus,
    DispensationVersion,
    Patient,
    ReportedIdentity,
    Role,
    ThresholdCase,
    User,
)
from pmp import audit, dispensations, thresholds
from pmp.errors import ConflictError, NotFoundError, RuleError
from tests.conftest import NOW
from tests.factories import (
    make_dispensation,
    make_identity,
    make_patient,
    make_pharmacy,
    make_prescriber,
    make_product,
    make_user,
)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def staff() -> User:
    return make_user(Role.STAFF)


@pytest.fixture
def fill() -> Dispensation:
    make_dispensation()  # noise: another's
    return make_dispensation()


def test_a_row_code_finds_its_dispensation(fill: Dispensation) -> None:
    spoken = fill.row_code.lower().replace("-", " ")

    assert dispensations.find_by_row_code(spoken) == fill


@pytest.mark.parametrize("typed", ["", "D-0000000", "nonsense"])
def test_a_code_that_names_nothing_is_refused_in_words(
    fill: Dispensation, typed: str
) -> None:
    with pytest.raises(NotFoundError) as refused:
        dispensations.find_by_row_code(typed)

    assert refused.value.field == "row_code"


def test_a_void_keeps_the_row_and_what_it_said(fill: Dispensation, staff: User) -> None:
    dispensations.void(fill, reason="returned to stock", by=staff, at=NOW)

    now = Dispensation.get_by_id(fill.id)
    assert (now.status, now.version) == (DispensationStatus.VOIDED, 2)
    (version,) = dispensations.versions_of(now)
    assert (version.version, version.reason) == (1, "returned to stock")
    assert version.content["drug_name"] == fill.drug_name
    assert version.content["patient"] == fill.patient.id
    noise = Dispensation.get(Dispensation.id != fill.id)
    assert noise.status is DispensationStatus.CURRENT
    event = AuditEvent.get(AuditEvent.subject == f"dispensation:{fill.id}")
    assert event.event == audit.Event.DISPENSATION_VOIDED
    with pytest.raises(RuleError, match="voided already"):
        dispensations.void(now, reason="again", by=staff, at=NOW)


def test_a_correction_changes_only_what_is_named(
    fill: Dispensation, staff: User
) -> None:
    dispensations.correct(
        fill,
        changes={"quantity": Decimal(30), "filled_on": date(2026, 11, 2)},
        reason="misread",
        by=staff,
        at=NOW,
    )

    assert (fill.quantity, fill.filled_on) == (Decimal(30), date(2026, 11, 2))
    now = Dispensation.get_by_id(fill.id)
    assert (now.quantity, now.filled_on) == (Decimal(30), date(2026, 11, 2))
    assert (now.corrected, now.version, now.days_supply) == (True, 2, 30)
    (version,) = DispensationVersion.select()
    assert version.content["filled_on"] == "2026-11-01"
    event = AuditEvent.get(AuditEvent.subject == f"dispensation:{fill.id}")
    assert event.detail == {
        "reason": "misread",
        "fields": ["corrected", "filled_on", "quantity"],
    }


def test_another_product_brings_its_own_facts(fill: Dispensation, staff: User) -> None:
    product = make_product(
        name="Diazepam 5 mg", ingredient="diazepam", mme_key="", schedule="CIV"
    )
    changes = {"product_code": product.ndc}
    dispensations.correct(fill, changes=changes, reason="x", by=staff, at=NOW)

    now = Dispensation.get_by_id(fill.id)
    assert (now.drug_name, now.schedule, now.mme_key) == ("Diazepam 5 mg", "CIV", "")
    with pytest.raises(RuleError, match="no product"):
        dispensations.correct(
            now, changes={"product_code": "99999999999"}, reason="x", by=staff, at=NOW
        )


def test_another_identity_moves_the_fill_to_its_patient(
    fill: Dispensation, staff: User
) -> None:
    identity = make_identity(make_patient(last_name="RIGHT"))
    dispensations.correct(
        fill, changes={"identity": identity}, reason="mixed up", by=staff, at=NOW
    )

    now = Dispensation.get_by_id(fill.id)
    assert (now.identity, now.patient) == (identity, identity.patient)


def test_what_may_not_be_corrected_is_a_mistake_of_the_caller(
    fill: Dispensation, staff: User
) -> None:
    with pytest.raises(ValueError, match="row_code"):
        dispensations.correct(
            fill, changes={"row_code": "D-1"}, reason="x", by=staff, at=NOW
        )


def test_a_correction_into_another_fill_is_refused(
    fill: Dispensation, staff: User
) -> None:
    twin = make_dispensation(
        pharmacy=fill.pharmacy,
        prescription_number=fill.prescription_number,
        filled_on=date(2026, 11, 9),
    )
    with pytest.raises(RuleError, match="same fill"):
        dispensations.correct(
            twin, changes={"filled_on": fill.filled_on}, reason="x", by=staff, at=NOW
        )
    assert Dispensation.get_by_id(twin.id).version == 1
    assert DispensationVersion.select().count() == 0


def test_of_two_who_change_at_once_the_second_is_told(
    fill: Dispensation, staff: User
) -> None:
    seen_before = Dispensation.get_by_id(fill.id)
    dispensations.correct(
        fill, changes={"quantity": Decimal(1)}, reason="x", by=staff, at=NOW
    )
    with pytest.raises(ConflictError):
        dispensations.void(seen_before, reason="y", by=staff, at=NOW)
    assert Dispensation.get_by_id(fill.id).status is DispensationStatus.CURRENT


def test_only_its_own_pharmacy_and_staff_may_change_an_entry(
    fill: Dispensation,
) -> None:
    own = make_user(Role.PHARMACY, pharmacy=fill.pharmacy)
    for other in (
        make_user(Role.PHARMACY, pharmacy=make_pharmacy()),
        make_user(Role.PRACTITIONER),
        make_user(Role.AUDITOR),
    ):
        with pytest.raises(RuleError, match="Only the pharmacy"):
            dispensations.void(fill, reason="x", by=other, at=NOW)
    dispensations.void(fill, reason="x", by=own, at=NOW)

    assert Dispensation.get_by_id(fill.id).status is DispensationStatus.VOIDED


def test_a_reason_is_needed(fill: Dispensation, staff: User) -> None:
    with pytest.raises(RuleError) as refused:
        dispensations.void(fill, reason=" ", by=staff, at=NOW)

    assert refused.value.field == "reason"


def test_a_change_settles_the_cases_of_both_patients(staff: User) -> None:
    models.ThresholdRule.create(
        name="two", prescribers=2, pharmacies=1, connective="and", window_days=90,
        written_by="x", written_at=NOW,
    )  # fmt: skip
    patient: Patient = make_patient()
    for _ in range(2):
        make_dispensation(patient=patient, prescriber=make_prescriber())
    other = make_patient(last_name="OTHER")
    moved = make_dispensation(patient=patient, prescriber=make_prescriber())
    make_dispensation(patient=other)
    thresholds.evaluate([patient.id, other.id], at=NOW)
    assert ThresholdCase.select().count() == 1

    dispensations.correct(
        moved,
        changes={"identity": ReportedIdentity.get(ReportedIdentity.patient == other)},
        reason="wrong person",
        by=staff,
        at=NOW,
    )
    cases = {case.patient: case.status for case in ThresholdCase.select()}
    assert set(cases) == {patient, other}
    for fill in Dispensation.select().where(Dispensation.patient == patient):
        dispensations.void(fill, reason="wrong", by=staff, at=NOW)

    case = ThresholdCase.get(ThresholdCase.patient == patient)
    assert case.status is CaseStatus.WITHDRAWN
